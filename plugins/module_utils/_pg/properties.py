# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What belongs to a database itself: owner, grants, settings, connection limit, comment. Decides only.

``pg_restore`` brings none of it into a database that was made before, and a rename leaves it with the old one. The dump
has it as statements about the source's name, which are taken apart here and put together for another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._errors import DumpDamaged
from ansible_collections.wst.backup.plugins.module_utils._pg import quote
from ansible_collections.wst.backup.plugins.module_utils._pg.sqltokens import Statement, begins, name_of, statements
from ansible_collections.wst.backup.plugins.module_utils._pg.toc import (
    ACL,
    COMMENT,
    DATABASE,
    DATABASE_PROPERTIES,
    ON_DATABASE,
    SECURITY_LABEL,
    Entry,
    Toc,
)

UNLIMITED = -1  # connections

Form = Tuple[Optional[str], ...]  # a statement's words, None in the place of the database's name


@dataclass(frozen=True)
class Properties:
    """Of the dumped database. ``grants`` are to be executed in their order, after PUBLIC has its first grants again.

    ``comment`` is the literal of a string, or NULL. ``unknown`` are statements that are not restored.
    """

    owner: str
    grants: Tuple[Form, ...] = ()
    settings: Tuple[Form, ...] = ()
    limit: int = UNLIMITED
    comment: str = "NULL"
    unknown: Tuple[str, ...] = ()

    def as_body(self) -> Dict[str, Any]:
        """As it stands in a record."""
        return {
            "owner": self.owner,
            "grants": [list(each) for each in self.grants],
            "settings": [list(each) for each in self.settings],
            "limit": self.limit,
            "comment": self.comment,
            "unknown": list(self.unknown),
        }


def properties_from(body: Mapping[str, Any]) -> Properties:
    """The inverse of ``as_body``; raises KeyError, TypeError or ValueError for anything else."""
    return Properties(
        owner=str(body["owner"]),
        grants=tuple(tuple(each) for each in body["grants"]),
        settings=tuple(tuple(each) for each in body["settings"]),
        limit=int(body["limit"]),
        comment=str(body["comment"]),
        unknown=tuple(str(each) for each in body["unknown"]),
    )


def for_database(form: Form, name: str) -> bytes:
    """The statement about that database."""
    words = (quote.identifier(name) if word is None else word for word in form)
    return " ".join(words).encode("utf-8", "surrogateescape")


def grants_for(properties: Properties, name: str) -> List[bytes]:
    """All that gives the database the dump's grants.

    The dump has what is otherwise than in a new database, so PUBLIC first gets back what was taken while it was filled.
    """
    first: Form = ("GRANT", "CONNECT", "ON", "DATABASE", None, "TO", "PUBLIC")
    return [for_database(form, name) for form in (first, *properties.grants)]


def opening_for(properties: Properties, name: str) -> List[bytes]:
    """Connection limit and comment, which the database gets as it takes its place."""
    forms: List[Form] = [
        ("ALTER", "DATABASE", None, "CONNECTION", "LIMIT", str(properties.limit)),
        ("COMMENT", "ON", "DATABASE", None, "IS", properties.comment),
    ]
    return [for_database(form, name) for form in forms]


def setting_of(form: Form) -> str:
    """What is set, and for whom, without the value, which may be a secret."""
    name = form[form.index("SET") + 1]
    return f"setting {name} of the database" if form[1] == "DATABASE" else f"setting {name} of role {form[2]} in it"


def properties_of(toc: Toc) -> Properties:
    """What the dump says; raises DumpDamaged for a statement that pg_dump does not write, or about something else."""
    made = [entry for entry in toc.entries if entry.description == DATABASE]
    if len(made) != 1:
        raise DumpDamaged("the dump does not say how its database was made", database=toc.database)
    name = made[0].tag
    grants: List[Form] = []
    settings: List[Form] = []
    limit, comment, unknown = UNLIMITED, "NULL", []
    for entry in _about_the_database(toc.entries):
        for statement in _statements(entry, name):
            if entry.description == ACL:
                grants.append(_grant(statement, name))
            elif entry.description == COMMENT:
                comment = _comment(statement, name)
            elif begins(statement, "ALTER", "DATABASE") and statement[3:6] == ("CONNECTION", "LIMIT", "="):
                _form(statement, 2, name)
                limit = int("".join(statement[6:]))
            elif _is_setting(statement):
                settings.append(_form(statement, 2 if statement[1] == "DATABASE" else 5, name))
            else:
                unknown.append(" ".join(statement))
    return Properties(made[0].owner, tuple(grants), tuple(settings), limit, comment, tuple(unknown))


def _about_the_database(entries: List[Entry]) -> Iterator[Entry]:
    for entry in entries:
        tagged = entry.description in (ACL, COMMENT, SECURITY_LABEL) and entry.tag.startswith(ON_DATABASE)
        if tagged or entry.description == DATABASE_PROPERTIES:
            yield entry


def _statements(entry: Entry, name: str) -> List[Statement]:
    try:
        return statements(entry.definition.decode("utf-8", "surrogateescape"))
    except ValueError as error:
        raise _strange((entry.description,), name) from error


def _grant(statement: Statement, name: str) -> Form:
    """A grant; one by another than the owner is made as that role, which a role that has it may without being one."""
    if begins(statement, "SET", "SESSION", "AUTHORIZATION"):
        return ("SET", "ROLE", *statement[3:])
    if statement == ("RESET", "SESSION", "AUTHORIZATION"):
        return ("RESET", "ROLE")
    for place in range(len(statement) - 3) if statement[:1] in (("GRANT",), ("REVOKE",)) else ():
        if statement[place : place + 2] == ("ON", "DATABASE") and statement[place + 3] in ("TO", "FROM"):
            return _form(statement, place + 2, name)
    raise _strange(statement, name)


def _comment(statement: Statement, name: str) -> str:
    _form(statement, 3, name)
    if not begins(statement, "COMMENT", "ON", "DATABASE") or statement[4:5] != ("IS",) or len(statement) != 6:
        raise _strange(statement, name)
    return statement[5]


def _is_setting(statement: Statement) -> bool:
    of_database = begins(statement, "ALTER", "DATABASE") and statement[3:4] == ("SET",)
    of_role = begins(statement, "ALTER", "ROLE") and statement[3:5] == ("IN", "DATABASE") and statement[6:7] == ("SET",)
    return of_database or of_role


def _form(statement: Statement, place: int, name: str) -> Form:
    """The statement with its database left open, which must be the dumped one."""
    try:
        found = name_of(statement[place])
    except (IndexError, ValueError):
        found = ""
    if found != name:
        raise _strange(statement, name)
    return (*statement[:place], None, *statement[place + 1 :])


def _strange(statement: Statement, name: str) -> DumpDamaged:
    """Only the first words: what follows may be a secret."""
    text = " ".join(statement[:2])
    return DumpDamaged(f"the dump says of its database what pg_dump does not write ({text} ...)", database=name)
