# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a dump is restored. Decides only; every entry that stays behind is told, with the reason."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Dict, FrozenSet, Iterable, Iterator, List, Optional, Sequence, Set, Tuple

from ansible_collections.wst.backup.plugins.module_utils._errors import DbExtensionMissing, DumpDamaged
from ansible_collections.wst.backup.plugins.module_utils._pg.tables import NAMES_SHOWN, shorten
from ansible_collections.wst.backup.plugins.module_utils._pg.toc import (
    DATABASE,
    DATABASE_PROPERTIES,
    EXTENSION,
    POLICY,
    RELATIONS,
    SEQUENCE_SET,
    TABLE_DATA,
    Entry,
)

# A managed server's own; elsewhere they cannot be had, and nothing of an application depends on them.
MANAGED = ("azure", "pgaadauth", "pg_azure_storage", "azure_ai", "azure_storage")

# What would act by itself, reach other servers, or belongs to the whole server.
_ACTING = {
    "SUBSCRIPTION": "it would pull from its publisher",
    "SUBSCRIPTION TABLE": "its subscription is left out",
    "PUBLICATION": "publications are restored by hand",
    "PUBLICATION TABLE": "its publication is left out",
    "PUBLICATION TABLES IN SCHEMA": "its publication is left out",
    "EVENT TRIGGER": "it would run while the rest is restored",
    "USER MAPPING": "it may hold a password for another server",
    DATABASE: "the target is made before",
    DATABASE_PROPERTIES: "the target is made before",
}
_OWNED = ("COMMENT", "SECURITY LABEL", "ACL")
SETTINGS = "settings"  # those of the database that may not be made
# What a restore for good brings back, unless it is told not to.
ACTING_GROUPS = {
    "event_triggers": ("EVENT TRIGGER",),
    "publications": ("PUBLICATION", "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA"),
    "subscriptions": ("SUBSCRIPTION", "SUBSCRIPTION TABLE"),
    "user_mappings": ("USER MAPPING",),
}
_OF_DATABASE = (DATABASE, DATABASE_PROPERTIES)
_WORDS = re.compile(rb'\s*("(?:[^"]|"")*"|[^\s",;().]+|[.,;()])', re.DOTALL)
_NO_ROLE = frozenset({"PUBLIC", "CURRENT_USER", "CURRENT_ROLE", "SESSION_USER"})  # how PostgreSQL writes them


@dataclass(frozen=True)
class LeftOut:
    """An entry that is not restored, and why."""

    entry: Entry
    reason: str

    @property
    def text(self) -> str:
        """As a person reads it."""
        return f"{self.entry.description} {self.entry.tag}: {self.reason}"


@dataclass(frozen=True)
class Selection:
    """The entries to restore, in the dump's order, and those that stay behind."""

    entries: List[Entry]
    left_out: List[LeftOut]

    @property
    def is_whole(self) -> bool:
        """Whether pg_restore's own way leaves out what must be left out, so that it needs no list."""
        return all(
            each.entry.description in _OF_DATABASE or each.entry.tag.startswith("DATABASE ") for each in self.left_out
        )

    @property
    def extensions(self) -> List[str]:
        """Those that are restored."""
        return [entry.tag for entry in self.entries if entry.description == EXTENSION]

    @property
    def extensions_left_out(self) -> List[str]:
        """Those that stay behind."""
        return [each.entry.tag for each in self.left_out if each.entry.description == EXTENSION]

    @property
    def tables_left_out(self) -> List[Tuple[str, str]]:
        """Schema and name of the tables whose rows stay behind."""
        return [(each.entry.schema, each.entry.tag) for each in self.left_out if each.entry.description == TABLE_DATA]

    @property
    def texts(self) -> List[str]:
        """What stays behind as a person reads it: in one line where many of a kind do so for one reason."""
        alike: Dict[Tuple[str, str], List[LeftOut]] = {}
        for each in self.left_out:
            alike.setdefault((each.entry.description, each.reason), []).append(each)
        found: List[str] = []
        for (kind, reason), group in alike.items():
            if len(group) <= NAMES_SHOWN:
                found += [each.text for each in group]
            else:
                found.append(f"{len(group)} of {kind} ({shorten([each.entry.tag for each in group])}): {reason}")
        return found

    @property
    def names(self) -> FrozenSet[Tuple[str, str, str]]:
        """Kind, schema and name of what stays behind."""
        return frozenset((each.entry.description, each.entry.schema, each.entry.tag) for each in self.left_out)


def kept_kinds(leave_out: Iterable[str]) -> Tuple[str, ...]:
    """The kinds that act by themselves and are restored for good, less those groups."""
    out = set(leave_out)
    return tuple(kind for group, kinds in ACTING_GROUPS.items() if group not in out for kind in kinds)


def select(
    entries: Sequence[Entry],
    *,
    available: Iterable[str],
    allow_missing: Iterable[str] = (),
    configured: Optional[Iterable[Tuple[str, str]]] = None,
    keep: Iterable[str] = (),
) -> Selection:
    """Choose the entries of a dump that are restored into a database of its own.

    :param available: names of the extensions that the target server can create.
    :param allow_missing: extensions that may be missing there. They stay behind also where the server has them: a
        drill must not depend on which server it happens on.
    :param configured: schema and name of the tables and sequences that the extensions which stay bring along, where
        that matters: the rows of others stay behind with theirs.
    :param keep: kinds that are restored although they act by themselves, with what belongs to them.
    :raises DbExtensionMissing: with every extension that is neither available nor allowed to be missing.
    """
    allowed, had = set(allow_missing), set(available)
    chosen: List[Entry] = []
    left: List[LeftOut] = []
    missing: List[str] = []
    wanted = set(keep)
    extensions_out = [entry.tag for entry in entries if entry.description == EXTENSION and entry.tag in allowed]
    brought = None if configured is None or not extensions_out else set(configured)
    orphans = {entry.number for entry in configuration(entries)}
    for entry in entries:
        if entry.description == EXTENSION and entry.tag not in allowed and entry.tag not in had:
            missing.append(entry.tag)
        reason = _why_not(entry, allowed, wanted)
        if brought is not None and entry.number in orphans and (entry.schema, entry.tag) not in brought:
            reason = "its extension is left out"
        if reason is None:
            chosen.append(entry)
        else:
            left.append(LeftOut(entry, reason))
    if missing:
        raise DbExtensionMissing(f"the target server lacks the extensions {shorten(missing)}", extensions=missing)
    return Selection(chosen, left)


def configuration(entries: Sequence[Entry]) -> List[Entry]:
    """Rows and values for what the dump does not define: extensions bring that along."""
    defined = {(entry.schema, entry.tag) for entry in entries if entry.description in (*RELATIONS, "SEQUENCE")}
    data = (TABLE_DATA, SEQUENCE_SET)
    return [entry for entry in entries if entry.description in data and (entry.schema, entry.tag) not in defined]


def _why_not(entry: Entry, allowed: Set[str], wanted: Set[str]) -> Optional[str]:
    acting = {kind: reason for kind, reason in _ACTING.items() if kind not in wanted}
    if entry.description in acting:
        return acting[entry.description]
    if entry.description == EXTENSION and entry.tag in allowed:
        return "it may be missing"
    if entry.description in _OWNED:
        # Of an extension only its owner may comment, and of what stays behind there is nothing to comment.
        if entry.tag.startswith("EXTENSION "):
            return "its owner is the server's"
        kind = next((kind for kind in sorted(acting, key=len, reverse=True) if entry.tag.startswith(kind + " ")), None)
        if kind is not None:
            return "it belongs to a " + kind.lower()
    return None


def use_list(entries: Iterable[Entry]) -> bytes:
    """The file for ``pg_restore --use-list``: the numbers alone decide, the rest of each line is for people."""
    return "".join(f"{entry.number}; {entry.description}\n" for entry in entries).encode("ascii", "replace")


def in_passes(entries: Sequence[Entry], *, owners: bool) -> List[List[Entry]]:
    """The entries by the calls of pg_restore that restore them.

    With owners, schemas and the grants on them come first: who is to own something in a schema must be allowed to
    create there when it is given to them, unless a superuser gives it.
    """
    first = [entry for entry in entries if owners and _is_of_schema(entry)]
    taken = {entry.number for entry in first}
    rest = [entry for entry in entries if entry.number not in taken]
    return [first, rest] if first else [rest]


def _is_of_schema(entry: Entry) -> bool:
    return entry.description == "SCHEMA" or (entry.description == "ACL" and entry.tag.startswith("SCHEMA "))


def policy_roles(entries: Iterable[Entry]) -> List[str]:
    """The roles that row security policies name: they must exist, whoever owns what.

    :raises DumpDamaged: a policy's statement is not what pg_dump writes.
    """
    found: Set[str] = set()
    for entry in entries:
        if entry.description == POLICY:
            found.update(_roles_of(entry))
    return sorted(found)


def _roles_of(entry: Entry) -> Iterator[str]:
    """Of ``CREATE POLICY name ON [schema.]table [AS RESTRICTIVE] [FOR command] [TO role, ...] [USING ...] ...``."""
    words = (match[1].decode("utf-8", "surrogateescape") for match in _WORDS.finditer(entry.definition))
    create, policy, _name, on = (next(words, "") for _word in range(4))
    if (create, policy, on) != ("CREATE", "POLICY", "ON"):
        raise DumpDamaged(f"the dump has a policy that is none: {entry.tag}", policy=entry.tag)
    listed = False
    for word in words:
        if word in ("USING", "WITH", ";"):
            return
        if listed and word != "," and word.upper() not in _NO_ROLE:
            yield word[1:-1].replace('""', '"') if word.startswith('"') else word
        listed = listed or word == "TO"
