# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The grants of a dump: who gives, who gets, and how one that is no superuser makes them. Decides only."""

from __future__ import annotations

from typing import Iterable, Iterator, List, Set

from ansible_collections.wst.backup.plugins.module_utils._errors import DumpDamaged
from ansible_collections.wst.backup.plugins.module_utils._pg.sqltokens import Statement, begins, name_of, statements
from ansible_collections.wst.backup.plugins.module_utils._pg.toc import ACL, DEFAULT_ACL, Entry

_ENDS = ("WITH", "GRANTED", "CASCADE", "RESTRICT")
_SPEAK, _FALL_SILENT = ("SET", "SESSION", "AUTHORIZATION"), ("RESET", "SESSION", "AUTHORIZATION")


def read(entry: Entry) -> List[Statement]:
    """The entry's statements; raises DumpDamaged."""
    try:
        return statements(entry.definition.decode("utf-8", "surrogateescape"))
    except ValueError as error:
        raise DumpDamaged(f"the dump has statements that are none: {entry.description} {entry.tag}") from error


def receivers(entries: Iterable[Entry]) -> Set[str]:
    """The roles that grants are made to, or taken from; raises DumpDamaged."""
    found: Set[str] = set()
    for entry in entries:
        if entry.description in (ACL, DEFAULT_ACL):
            for statement in read(entry):
                found.update(_receivers(statement, entry))
    return found


def givers(entries: Iterable[Entry]) -> Set[str]:
    """The roles in whose name somebody else's grants are made, beside owners; raises DumpDamaged."""
    found: Set[str] = set()
    for entry in entries:
        if entry.description == ACL:
            found.update(_role(each[3:4], entry) for each in read(entry) if begins(each, *_SPEAK))
        elif entry.description == DEFAULT_ACL:
            found.update(
                _role(each[5:6], entry)
                for each in read(entry)
                if begins(each, "ALTER", "DEFAULT", "PRIVILEGES", "FOR", "ROLE")
            )
    return found


def spoken(entries: Iterable[Entry]) -> List[Entry]:
    """Entries with grants by another than the owner: pg_restore becomes that role as only a superuser may."""
    return [entry for entry in entries if entry.description == ACL and any(begins(s, *_SPEAK) for s in read(entry))]


def as_roles(entry: Entry) -> List[bytes]:
    """The entry's statements for who may SET ROLE and is no superuser."""
    found = []
    for statement in read(entry):
        if begins(statement, *_SPEAK):
            statement = ("SET", "ROLE", *statement[3:])
        elif statement == _FALL_SILENT:
            statement = ("RESET", "ROLE")
        found.append(" ".join(statement).encode("utf-8", "surrogateescape"))
    return found


def _receivers(statement: Statement, entry: Entry) -> Iterator[str]:
    """TO and FROM are reserved: as names they would be quoted."""
    if begins(statement, *_SPEAK) or statement == _FALL_SILENT:
        return
    places = [place for place, word in enumerate(statement) if word in ("TO", "FROM")]
    if not places:
        raise DumpDamaged(f"the dump has a grant to nobody: {entry.description} {entry.tag}")
    for word in statement[places[-1] + 1 :]:
        if word in _ENDS:
            return
        if word not in (",", "PUBLIC"):
            yield _role((word,), entry)


def _role(words: Statement, entry: Entry) -> str:
    try:
        return name_of(words[0])
    except (IndexError, ValueError) as error:
        raise DumpDamaged(f"the dump has a grant that names no role: {entry.description} {entry.tag}") from error
