# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single tables out of a dump: whose rows are meant, and what of the rest cannot hold without the others' rows.

The schema comes back as a whole, because no name says what of it a table needs: its types, its functions and the views
that read it. Rows come back of the tables that were asked for and of what is part of them. Decides only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Dict, FrozenSet, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.wst.backup.plugins.module_utils._pg.selection import LeftOut, Selection
from ansible_collections.wst.backup.plugins.module_utils._pg.singlenames import Name, require_known
from ansible_collections.wst.backup.plugins.module_utils._pg.toc import (
    INHERITS,
    POLICY,
    TABLE,
    TABLE_ATTACH,
    TABLE_DATA,
    Entry,
)

_FOREIGN_KEY = "FK CONSTRAINT"
_NOT_ASKED = "it was not asked for"
# By kind: what is not a table's, or would read the rows of others.
_KINDS = {
    "BLOB": "large objects are no table's",
    "BLOBS": "large objects are no table's",
    "BLOB METADATA": "large objects are no table's",
    "MATERIALIZED VIEW DATA": "its query may read tables that were not asked for",
    "ROW SECURITY": "nobody but the owner can connect",
    POLICY: "nobody but the owner can connect",
}


@dataclass(frozen=True)
class Singles:
    """The tables whose rows are restored.

    :ivar asked: as they were named.
    :ivar parts: with their partitions and the tables that inherit from them, of which the dump has rows.
    :ivar whole: numbers of the tables all of whose rows come back.
    :ivar touched: numbers of those that then have any row, the ancestors of the others among them.
    """

    asked: Tuple[Name, ...]
    parts: FrozenSet[Name]
    whole: FrozenSet[int]
    touched: FrozenSet[int]

    @property
    def more(self) -> List[Name]:
        """What comes with them without having been named."""
        return sorted(self.parts - set(self.asked))


def singles_of(entries: Sequence[Entry], asked: Sequence[Name]) -> Singles:
    """Those tables of the dump with what is part of them.

    :raises InputInvalid: the dump has no rows of one of them, under that very name.
    """
    numbers = {(entry.schema, entry.tag): entry.number for entry in entries if entry.description == TABLE}
    children = _children(entries, numbers)
    with_rows = {(entry.schema, entry.tag) for entry in entries if entry.description == TABLE_DATA}
    names = {number: name for name, number in numbers.items()}
    below = {name: _reached([numbers[name]], children) if name in numbers else set() for name in asked}
    parts = {name: ({name} | {names[each] for each in below[name]}) & with_rows for name in asked}
    known = with_rows | {name for name, own in numbers.items() if _has_rows(own, children, names, with_rows)}
    require_known(asked, known)
    whole = set().union(*below.values())
    parents: Dict[int, Set[int]] = {}
    for parent, own in children.items():
        for child in own:
            parents.setdefault(child, set()).add(parent)
    return Singles(
        asked=tuple(asked),
        parts=frozenset(set().union(*parts.values())),
        whole=frozenset(whole),
        touched=frozenset(_reached(whole, parents)),
    )


def _has_rows(number: int, children: Mapping[int, Set[int]], names: Mapping[int, Name], rows: Set[Name]) -> bool:
    return any(names[each] in rows for each in _reached([number], children))


def _children(entries: Sequence[Entry], numbers: Mapping[Name, int]) -> Dict[int, Set[int]]:
    """Partitions, and tables that inherit, by the number of each table.

    A table that inherits may depend on another for the type of a column, too. That one then counts as its parent: more
    rows come back than were asked for, and never fewer.
    """
    tables = set(numbers.values())
    found: Dict[int, Set[int]] = {}
    for entry in entries:
        child: Optional[int] = None
        if entry.description == TABLE_ATTACH:
            child = numbers.get((entry.schema, entry.tag))
        elif entry.description == TABLE and INHERITS in entry.definition:
            child = entry.number
        if child is not None:
            for parent in tables.intersection(entry.needs) - {child}:
                found.setdefault(parent, set()).add(child)
    return found


def _reached(begin: Iterable[int], edges: Mapping[int, Set[int]]) -> Set[int]:
    """Those, and all that the edges lead to from them."""
    found, ahead = set(begin), list(begin)
    while ahead:
        for each in edges.get(ahead.pop(), set()) - found:
            found.add(each)
            ahead.append(each)
    return found


def narrow(chosen: Selection, singles: Singles) -> Selection:
    """The same less the rows of other tables, and less what cannot hold, or has no sense, without them."""
    tables = {entry.number for entry in chosen.entries if entry.description == TABLE}
    kept: List[Entry] = []
    left: List[LeftOut] = []
    gone: Set[int] = set()
    for entry in chosen.entries:
        reason = _why_not(entry, singles, tables)
        if reason is None and gone.intersection(entry.needs):
            reason = "it belongs to what stays behind"
        if reason is None:
            kept.append(entry)
            continue
        left.append(LeftOut(entry, reason))
        if entry.description != TABLE_DATA:  # a table's definition stays, whatever becomes of its rows
            gone.add(entry.number)
    return replace(chosen, entries=kept, left_out=[*chosen.left_out, *left])


def _why_not(entry: Entry, singles: Singles, tables: Set[int]) -> Optional[str]:
    if entry.description == TABLE_DATA:
        return None if (entry.schema, entry.tag) in singles.parts else _NOT_ASKED
    if entry.description == _FOREIGN_KEY:
        bound = tables.intersection(entry.needs)
        if bound & singles.touched and not bound <= singles.whole:
            return "it binds tables of which one was not asked for"
    return _KINDS.get(entry.description)
