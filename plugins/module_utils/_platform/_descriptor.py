# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security descriptors, read from their bytes. Runs anywhere.

Layout: [MS-DTYP] 2.4.2 (SID), 2.4.4 (ACE), 2.4.5 (ACL), 2.4.6 (self-relative SECURITY_DESCRIPTOR).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Collection, Dict, List, Optional, Sequence, Tuple

from ansible_collections.wst.backup.plugins.module_utils._platform._types import ADMINISTRATORS

SYSTEM = "S-1-5-18"
_CREATOR_OWNER = "S-1-3-0"  # gives to whoever makes something inside; they need the right to do so first
_OWNER_RIGHTS = "S-1-3-4"  # the owner, who is judged by itself

_DACL_PRESENT = 0x0004
_DACL_PROTECTED = 0x1000
_ALLOW_TYPES = (0, 5, 9, 11)  # allowed; with object; with condition; with both
_DENY_TYPES = (1, 6, 10, 12)
_OBJECT_TYPES = (5, 6, 11, 12)
_INHERITED, _ONLY_BELOW = 0x10, 0x08
_ALL = 0x1F01FF  # what a file can be given

# Generic rights stand for sets of the others. Execute, synchronize, read attributes and read permissions harm nobody.
_READ = 0x80000000 | 0x10000000 | 0x0001  # generic read, generic all, read data or list directory
_WRITE = 0x40000000 | 0x10000000 | 0x0002 | 0x0004 | 0x0010 | 0x0040 | 0x0100  # data, append, EAs, child, attributes
_CONTROL = 0x10000000 | 0x00010000 | 0x00040000 | 0x00080000  # delete, change permissions, take ownership


@dataclass(frozen=True)
class Ace:
    """One entry of an access list."""

    kind: int
    flags: int
    mask: int
    sid: str

    @property
    def inherited(self) -> bool:
        """Whether it came from the directory above."""
        return bool(self.flags & _INHERITED)


@dataclass(frozen=True)
class Descriptor:
    """Owner and access list. ``aces`` is None when there is no list at all: then everyone may do everything."""

    owner: Optional[str]
    protected: bool
    aces: Optional[Tuple[Ace, ...]]


def sid_text(data: bytes, offset: int = 0) -> str:
    """A SID's usual form. Raises ValueError for bytes that are none."""
    try:
        revision, count = struct.unpack_from("<BB", data, offset)
        authority = int.from_bytes(data[offset + 2 : offset + 8], "big")
        parts = struct.unpack_from(f"<{count}I", data, offset + 8)
    except struct.error as error:
        raise ValueError("a SID that ends too early") from error
    return "-".join(["S", str(revision), str(authority), *map(str, parts)])


def parse_descriptor(data: bytes) -> Descriptor:
    """A self-relative security descriptor. Raises ValueError for bytes that are none."""
    try:
        control, owner_at, dacl_at = struct.unpack_from("<2xHI8xI", data)
        aces = _aces(data, dacl_at) if control & _DACL_PRESENT and dacl_at else None
    except struct.error as error:
        raise ValueError("a security descriptor that ends too early") from error
    owner = sid_text(data, owner_at) if owner_at else None
    return Descriptor(owner=owner, protected=bool(control & _DACL_PROTECTED), aces=aces)


def _aces(data: bytes, offset: int) -> Tuple[Ace, ...]:
    count = struct.unpack_from("<BBHHH", data, offset)[3]
    offset += 8
    found: List[Ace] = []
    for _entry in range(count):
        kind, flags, size, mask = struct.unpack_from("<BBHI", data, offset)
        sid_at = offset + 8
        if kind in _OBJECT_TYPES:
            present = struct.unpack_from("<I", data, sid_at)[0]
            sid_at += 4 + 16 * ((present & 1) + (present >> 1 & 1))
        found.append(Ace(kind=kind, flags=flags, mask=mask, sid=sid_text(data, sid_at)))
        if size < 8:
            raise ValueError("an access list that does not advance")
        offset += size
    return tuple(found)


def is_its_own(descriptor: Descriptor) -> bool:
    """Whether a new file in the same directory would get another list: then it is worth recording.

    No list at all (everyone may do everything) and an empty one (nobody may do anything) are never inherited.
    """
    return descriptor.protected or not descriptor.aces or any(not ace.inherited for ace in descriptor.aces)


def strangers(descriptor: Descriptor, allowed: Collection[str]) -> Dict[str, List[str]]:
    """Who else may do what, by SID: ``read``, ``write``, ``control`` (delete, change permissions) and ``own``.

    Denials are not weighed against grants: an entry that says more than it gives is worth a look too.
    """
    harmless = {SYSTEM, ADMINISTRATORS, _CREATOR_OWNER, _OWNER_RIGHTS, *allowed}
    found: Dict[str, List[str]] = {}
    if descriptor.owner is not None and descriptor.owner not in harmless:
        found[descriptor.owner] = ["own"]
    if descriptor.aces is None:
        found.setdefault("S-1-1-0", []).extend(["read", "write", "control"])
    for ace in descriptor.aces or ():
        if ace.kind in _ALLOW_TYPES and ace.sid not in harmless:
            for verb, mask in (("read", _READ), ("write", _WRITE), ("control", _CONTROL)):
                if ace.mask & mask and verb not in found.get(ace.sid, []):
                    found.setdefault(ace.sid, []).append(verb)
    return found


def gives_all(descriptor: Descriptor, sid: str) -> bool:
    """Whether the list gives that SID itself everything, here and not only below. Groups are not looked into."""
    return descriptor.aces is not None and any(
        ace.kind in _ALLOW_TYPES and ace.sid == sid and ace.mask & _ALL == _ALL and not ace.flags & _ONLY_BELOW
        for ace in descriptor.aces
    )


def closing_commands(
    path: str, descriptor: Optional[Descriptor], mine: Sequence[str], *, directory: bool = False
) -> List[str]:
    """What leaves SYSTEM, Administrators and these SIDs, when an elevated administrator pastes it into PowerShell.

    ``/grant:r`` replaces the entries of whom it names and leaves all others, so those are removed by name. Names of
    groups are translated on localised Windows, SIDs are not. Never opens the file on the way.

    :param descriptor: what the file has now; None where that cannot be read, and then nobody is removed.
    """
    keep = list(dict.fromkeys((SYSTEM, ADMINISTRATORS, *mine)))
    rights = "(OI)(CI)F" if directory else "F"
    file = "'" + path.replace("'", "''") + "'"  # PowerShell looks for $variables between double quotes
    command = f"icacls {file} /inheritance:r /grant:r " + " ".join(f'"*{sid}:{rights}"' for sid in keep)
    if descriptor is None:
        return [command]
    found = strangers(descriptor, keep)
    granted = [sid for sid, verbs in found.items() if verbs != ["own"]]
    denied = [ace.sid for ace in descriptor.aces or () if ace.kind in _DENY_TYPES and ace.sid in keep]
    for option, sids in (("/remove:g", granted), ("/remove:d", denied)):
        if sids:
            command += f" {option} " + " ".join(f'"*{sid}"' for sid in dict.fromkeys(sids))
    owned = descriptor.owner in found and "own" in found[descriptor.owner]
    return [f'icacls {file} /setowner "*{ADMINISTRATORS}"', command] if owned else [command]
