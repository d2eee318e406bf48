# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a volume may be the mirror: a pure judgement over what the platform tells about it.

Strict by default: what the platform cannot tell counts as wrong. A lab, or a system that lacks a fact, may accept
unknown facts by name; every acceptance is a warning in every result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import FrozenSet, List, Optional, Set, Tuple

from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError, MirrorWrongVolume, NoSpace
from ansible_collections.wst.backup.plugins.module_utils._mirror.marker import Marker
from ansible_collections.wst.backup.plugins.module_utils._platform.api import Volume

# Facts that ``accept_unknown_volume_facts`` may name.
ACCEPTABLE = ("compressed", "disk", "filesystem", "kind", "label", "read_only")

# No file of 4 GiB or more, no access control.
_SMALL_FILESYSTEMS = frozenset(("fat", "fat12", "fat16", "fat32", "vfat", "msdos"))

# The temporary disk of an Azure virtual machine, lost whenever the machine is moved:
# https://learn.microsoft.com/azure/virtual-machines/managed-disks-overview#temporary-disk
_TEMPORARY_LABEL = "temporary storage"
TEMPORARY_README = "DATALOSS_WARNING_README.txt"


@dataclass(frozen=True)
class Tolerance:
    """What the inventory takes upon itself."""

    unknown: FrozenSet[str] = frozenset()  # names out of ACCEPTABLE
    same_disk: bool = False


@dataclass(frozen=True)
class Judgement:
    """No problems: the volume may be written to. The warnings go into every result."""

    problems: Tuple[BackupError, ...]
    warnings: Tuple[str, ...] = ()


def judge_volume(
    facts: Volume,
    *,
    expected_id: Optional[str],
    marker: Optional[Marker],
    source_volume: Volume,
    tolerance: Tolerance = Tolerance(),
    temporary_readme: bool = False,
    needed: int = 0,
) -> Judgement:
    """Every reason why this volume must not be the mirror.

    :param expected_id: the inventory's id of the mirror's volume; None before there is a mirror (``mirror_init``).
    :param marker: what stands on it; None likewise (that it is missing is for the caller to say).
    :param source_volume: the volume of the layer that is mirrored.
    :param temporary_readme: whether ``TEMPORARY_README`` was found on it.
    :param needed: bytes that are to be written.
    """
    judge = _Judge(facts, tolerance)
    judge.identity(expected_id, marker)
    judge.disk(source_volume)
    judge.nature(temporary_readme)
    judge.space(needed)
    return Judgement(tuple(judge.problems), tuple(judge.warnings))


class _Judge:
    """Collects what speaks against one volume."""

    def __init__(self, facts: Volume, tolerance: Tolerance) -> None:
        self.problems: List[BackupError] = []
        self.warnings: List[str] = []
        self._facts = facts
        self._tolerance = tolerance

    def identity(self, expected_id: Optional[str], marker: Optional[Marker]) -> None:
        """It is the volume that the inventory and its own marker name."""
        found = self._facts.id
        if found is None:
            self._wrong(f"the id of the volume at {self._facts.root} cannot be read")
            return
        for whose, wanted in (("the inventory", expected_id), ("its marker", marker.volume_id if marker else None)):
            if wanted is not None and wanted.lower() != found.lower():
                self._wrong(
                    f"the volume at {self._facts.root} is {found}, and {whose} says {wanted}",
                    found=found,
                    expected=wanted,
                )

    def disk(self, source: Volume) -> None:
        """It is on another physical disk than what it mirrors."""
        mine, theirs = _disks(self._facts), _disks(source)
        same_volume = self._facts.id is not None and self._facts.id == source.id
        if same_volume or (mine & theirs):
            if self._tolerance.same_disk:
                self.warnings.append("mirror and source are on the same disk, which allow_same_disk accepts")
            else:
                self._wrong(f"{self._facts.root} is on the same disk as {source.root}", disk=self._facts.disk)
        elif not (mine and theirs):
            self._unknown("disk")

    def nature(self, temporary_readme: bool) -> None:
        """It keeps what is written to it, whole."""
        facts = self._facts
        if facts.locked:
            self._wrong(f"the volume at {facts.root} is locked by BitLocker")
        self._demand("kind", facts.kind, facts.kind == "fixed", f"is {facts.kind}, not a fixed drive")
        self._demand("read_only", facts.read_only, not facts.read_only, "is read-only")
        self._demand("compressed", facts.compressed, not facts.compressed, "is compressed, which giant files break")
        filesystem = (facts.filesystem or "").lower()
        small = f"is {facts.filesystem}, which holds no file of 4 GiB"
        self._demand("filesystem", facts.filesystem, filesystem not in _SMALL_FILESYSTEMS, small)
        temporary = (facts.label or "").strip().lower() == _TEMPORARY_LABEL
        self._demand("label", facts.label, not temporary, f"is labelled {facts.label!r}")
        if temporary_readme:
            self._wrong(f"the volume at {facts.root} holds {TEMPORARY_README}: a temporary disk")

    def space(self, needed: int) -> None:
        """There is room."""
        free = self._facts.free
        if free is not None and free < needed:
            self.problems.append(
                NoSpace(
                    f"{self._facts.root} has {free} bytes free and {needed} are needed",
                    path=self._facts.root,
                    free=free,
                    needed=needed,
                )
            )

    def _demand(self, name: str, value: object, good: bool, complaint: str) -> None:
        """A fact that must be known and good."""
        if value is None:
            self._unknown(name)
        elif not good:
            self._wrong(f"the volume at {self._facts.root} {complaint}", fact=name, found=value)

    def _unknown(self, name: str) -> None:
        if name in self._tolerance.unknown:
            self.warnings.append(f"the mirror's {name} is unknown, which accept_unknown_volume_facts accepts")
        else:
            self._wrong(
                f"the host cannot tell the {name} of the volume at {self._facts.root}, and unknown is not good",
                fact=name,
            )

    def _wrong(self, message: str, **facts: object) -> None:
        self.problems.append(MirrorWrongVolume(message, root=self._facts.root, **facts))


def _disks(volume: Volume) -> Set[str]:
    """The physical disks below a volume; a spanned one has several ("0+1")."""
    return set(volume.disk.split("+")) if volume.disk else set()
