# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a tree is not what the member list says. Decides only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Collection, Dict, Iterator, List, Optional, Tuple, TypeVar

from ansible_collections.wst.backup.plugins.module_utils._archive.membernames import fold, printable
from ansible_collections.wst.backup.plugins.module_utils._archive.members import FILE, LINK, Member, mtime_text
from ansible_collections.wst.backup.plugins.module_utils._errors import ArtifactDamaged
from ansible_collections.wst.backup.plugins.module_utils._platform._types import Kept

MISSING = "missing"
EXTRA = "extra"
KIND = "kind"
SIZE = "size"
CONTENT = "content"
TARGET = "target"
UNREADABLE = "unreadable"
TIME = "time"
ATTRIBUTES = "attributes"
PERMISSIONS = "permissions"
OWNER = "owner"
METADATA = (TIME, ATTRIBUTES, PERMISSIONS, OWNER)  # what a tree may differ in and still have all of its content

T = TypeVar("T")
Key = List[Tuple[str, str]]


@dataclass(frozen=True)
class Seen:
    """An entry of the tree. ``sha256`` is None where it was not read, ``sddl`` where it was not asked for."""

    kind: str
    size: int
    mtime_ns: int
    attributes: int = 0
    target: Optional[str] = None
    sha256: Optional[str] = None
    sddl: Optional[str] = None


@dataclass(frozen=True)
class Difference:
    """One of them, with what should be and what is there, as texts."""

    kind: str
    path: str
    expected: str = ""
    found: str = ""

    def body(self) -> Dict[str, str]:
        """As data."""
        told = {"kind": self.kind, "path": printable(self.path)}
        more = {key: printable(text) for key, text in (("expected", self.expected), ("found", self.found)) if text}
        return {**told, **more}


def order(path: str) -> Key:
    """Sorts paths as the member list has them: each directory before what is in it, names as Windows compares them."""
    return [(fold(name), name) for name in path.split("/")]


def joined(
    members: Iterator[Member], entries: Iterator[Tuple[str, T]]
) -> Iterator[Tuple[Optional[Member], Optional[T], str]]:
    """Both streams side by side, each path once; None where one of them lacks it.

    :param entries: paths in that order, with anything.
    :raises ArtifactDamaged: the members are in another order, so that what is missing could not be told.
    """
    last: Key = []
    entry = next(entries, None)
    for member in members:
        here = order(member.path)
        if here <= last:
            raise ArtifactDamaged("its members.jsonl is not in order", path=printable(member.path))
        last = here
        while entry is not None and order(entry[0]) < here:
            yield None, entry[1], entry[0]
            entry = next(entries, None)
        if entry is not None and order(entry[0]) == here:
            yield member, entry[1], member.path
            entry = next(entries, None)
        else:
            yield member, None, member.path
    while entry is not None:
        yield None, entry[1], entry[0]
        entry = next(entries, None)


def is_worth_reading(member: Member, seen: Seen) -> bool:
    """Whether only its content can tell."""
    return member.kind == seen.kind == FILE and member.size == seen.size


def differences(member: Member, seen: Seen, kept: Kept) -> List[Difference]:
    """Everything in which an entry is not its member.

    :param kept: what the tree's system has at all.
    """
    if member.kind != seen.kind:
        return [Difference(KIND, member.path, member.kind, seen.kind)]
    found = [*_content(member, seen), *_time(member, seen, kept)]
    if kept.attributes and member.attributes:
        mine, its = member.attributes & kept.attributes, seen.attributes & kept.attributes
        if mine != its:
            found.append(Difference(ATTRIBUTES, member.path, f"{mine:#x}", f"{its:#x}"))
    if kept.access_lists and member.sddl is not None:
        found += _access(member, member.sddl, seen.sddl or "")
    return found


def _content(member: Member, seen: Seen) -> Iterator[Difference]:
    if member.kind == LINK and member.target != seen.target:
        yield Difference(TARGET, member.path, member.target or "", seen.target or "")
    if member.kind != FILE:
        return
    if member.size != seen.size:
        yield Difference(SIZE, member.path, str(member.size), str(seen.size))
    elif member.sha256 != seen.sha256:
        yield Difference(CONTENT, member.path, member.sha256 or "", seen.sha256 or "")


def _time(member: Member, seen: Seen, kept: Kept) -> Iterator[Difference]:
    if member.mtime_ns // kept.time_ns != seen.mtime_ns // kept.time_ns:
        yield Difference(TIME, member.path, _moment(member.mtime_ns), _moment(seen.mtime_ns))


def _moment(mtime_ns: int) -> str:
    return f"{mtime_text(mtime_ns)} ({mtime_ns} ns)"


def _access(member: Member, expected: str, found: str) -> Iterator[Difference]:
    if own_list(expected) != own_list(found):
        yield Difference(PERMISSIONS, member.path, expected, found)
    elif owner(expected) != owner(found):
        yield Difference(OWNER, member.path, owner(expected), owner(found))


def owner(sddl: str) -> str:
    """The owner in an SDDL text; empty where it tells none."""
    if not sddl.startswith("O:"):
        return ""
    ends = [at for at in (sddl.find(mark, 2) for mark in ("G:", "D:", "S:")) if at > 0]
    return sddl[2 : min(ends, default=len(sddl))]


def own_list(sddl: str) -> Tuple[bool, Tuple[str, ...]]:
    """Whether an SDDL's access list is protected, and its entries that are not inherited, in their order.

    What is inherited comes from where the entry is, and is no property of the entry.
    """
    flags, aces = "", []
    mark, _colon, rest = sddl.partition("D:")
    if len(mark) < len(sddl):
        flags = rest.partition("(")[0]
        aces = [ace for ace in _aces(rest[len(flags) :]) if "ID" not in _pairs(ace)]
    for other in ("NO_ACCESS_CONTROL", "AI", "AR"):
        flags = flags.replace(other, "")
    return flags.startswith("P"), tuple(aces)


def _aces(text: str) -> Iterator[str]:
    """The entries, each in its parentheses; those of conditions lie in them."""
    depth = begin = 0
    for at, character in enumerate(text):
        if character == "(":
            begin = at if depth == 0 else begin
            depth += 1
        elif character == ")":
            depth -= 1
            if depth == 0:
                yield text[begin : at + 1]
        elif depth == 0:
            return  # the next part of the descriptor


def _pairs(ace: str) -> List[str]:
    """The flags of an entry: its second field, two letters each."""
    fields = ace.split(";", 2)
    flags = fields[1] if len(fields) > 1 else ""
    return [flags[at : at + 2] for at in range(0, len(flags), 2)]


class Tally:
    """Differences, all counted and the first of each kind kept.

    :param show: how many of a kind are kept.
    :param ignored: kinds that are counted apart and are no failure.
    """

    def __init__(self, *, show: int, ignored: Collection[str] = ()) -> None:
        self._show = show
        self._ignored = frozenset(ignored)
        self._counts: Dict[str, int] = {}
        self._first: List[Dict[str, str]] = []

    def add(self, difference: Difference) -> None:
        """One more."""
        count = self._counts[difference.kind] = self._counts.get(difference.kind, 0) + 1
        if count <= self._show and difference.kind not in self._ignored:
            self._first.append(difference.body())

    @property
    def equal(self) -> bool:
        """Whether there is none but of those that are ignored."""
        return not self.counts()

    def counts(self, *, ignored: bool = False) -> Dict[str, int]:
        """The number of each kind that is, or is not, ignored."""
        return {kind: count for kind, count in sorted(self._counts.items()) if (kind in self._ignored) is ignored}

    def body(self) -> Dict[str, Any]:
        """As data."""
        return {"counts": self.counts(), "first": list(self._first), "ignored": self.counts(ignored=True)}
