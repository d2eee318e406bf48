# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands on a layer: complete sets, unfinished ones, and foreign files. A pure decision over what was read.

A set is complete only when its sidecar is there, readable and names the ZIP, and the ZIP has the sidecar's size. It
counts only when its last full read on this layer gave the sidecar's SHA-256. Names are compared to the letter;
whatever is not exactly ours is foreign: listed, never counted, never removed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, Iterable, List, Mapping, Optional, Tuple, Union

from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError
from ansible_collections.wst.backup.plugins.module_utils._names import (
    SIDECAR,
    STATE,
    ZIP,
    ArtifactName,
    LayerFile,
    parse_layer_file,
)
from ansible_collections.wst.backup.plugins.module_utils._platform.api import FILE
from ansible_collections.wst.backup.plugins.module_utils._sets.sidecar import Sidecar
from ansible_collections.wst.backup.plugins.module_utils._sets.state import SetState

COMPLETE = "complete"
UNFINISHED = "unfinished"
FOREIGN = "foreign"

Sidecars = Mapping[str, Union[Sidecar, BackupError]]  # by stem; an error where it could not be read
States = Mapping[str, Union[SetState, BackupError]]


@dataclass(frozen=True)
class FileFact:
    """One name in the layer's directory."""

    name: str
    kind: str
    size: int


@dataclass(frozen=True)
class BackupSet:
    """One of our sets. ``reason`` says why it is unfinished or does not count; empty when it counts."""

    artifact: ArtifactName
    status: str  # COMPLETE or UNFINISHED
    counts: bool
    reason: str
    size: Optional[int] = None  # of the ZIP under its final name, bytes
    sidecar: Optional[Sidecar] = None
    state: Optional[SetState] = None

    @property
    def proof(self) -> Sidecar:
        """The sidecar of a complete set; there is none to ask for otherwise."""
        if self.sidecar is None:
            raise ValueError(f"{self.artifact.stem} has no sidecar")
        return self.sidecar

    @property
    def level(self) -> int:
        """The verification level that holds on this layer; 0 when the set does not count."""
        verified = self.state.verified if self.state is not None else None
        return verified.level if self.counts and verified is not None else 0


@dataclass(frozen=True)
class Foreign:
    """A file that is not ours."""

    name: str
    size: int
    reason: str


@dataclass(frozen=True)
class Catalog:
    """A layer's content: sets newest first, foreign files by name."""

    sets: Tuple[BackupSet, ...]
    foreign: Tuple[Foreign, ...]

    def find(self, artifact: ArtifactName) -> Optional[BackupSet]:
        """The set of that name."""
        return next((s for s in self.sets if s.artifact == artifact), None)

    @property
    def counting(self) -> List[BackupSet]:
        """The sets that count, newest first."""
        return [s for s in self.sets if s.counts]


@dataclass
class Group:
    """The files of one stem: those under final names by part, and those that some run is or was building."""

    final: Dict[str, FileFact] = field(default_factory=dict)
    partial: List[Tuple[LayerFile, FileFact]] = field(default_factory=list)


def group_files(files: Iterable[FileFact], prefix: str) -> Tuple[Dict[ArtifactName, Group], List[Foreign]]:
    """Our regular files by set, and the rest as foreign."""
    groups: Dict[ArtifactName, Group] = {}
    foreign = []
    for fact in files:
        parsed = parse_layer_file(fact.name, prefix)
        if parsed is None:
            foreign.append(Foreign(fact.name, fact.size, _why_foreign(fact.name, prefix)))
        elif fact.kind != FILE:
            foreign.append(Foreign(fact.name, fact.size, f"a {fact.kind}, not a regular file"))
        elif parsed.run_id is None:
            groups.setdefault(parsed.artifact, Group()).final[parsed.part] = fact
        else:
            groups.setdefault(parsed.artifact, Group()).partial.append((parsed, fact))
    return groups, foreign


def classify(files: Iterable[FileFact], *, sidecars: Sidecars, states: States, prefix: str, layer: str) -> Catalog:
    """The layer's content.

    :param files: every name in its directory.
    :param sidecars: what the final sidecars hold, for every stem that has one.
    :param states: what the state files hold, for every stem that has one.
    :param layer: the layer's name; a state file of another layer proves nothing here.
    """
    groups, foreign = group_files(files, prefix)
    sets = []
    for artifact, group in groups.items():
        if _is_lone_zip(group):
            foreign.append(Foreign(artifact.zip, group.final[ZIP].size, "it has no sidecar of ours"))
            if not (group.partial or STATE in group.final):
                continue
            group.final.pop(ZIP)
        sidecar, state = sidecars.get(artifact.stem), states.get(artifact.stem)
        sets.append(_judge(artifact, group, sidecar, state, layer))
    return Catalog(
        tuple(sorted(sets, key=lambda s: s.artifact, reverse=True)), tuple(sorted(foreign, key=lambda f: f.name))
    )


def _is_lone_zip(group: Group) -> bool:
    """A ZIP under a final name that no sidecar of ours vouches for, not even one that waits for its own name."""
    return (
        ZIP in group.final
        and SIDECAR not in group.final
        and not any(parsed.part == SIDECAR for parsed, _fact in group.partial)
    )


def _judge(
    artifact: ArtifactName,
    group: Group,
    sidecar: Union[Sidecar, BackupError, None],
    state: Union[SetState, BackupError, None],
    layer: str,
) -> BackupSet:
    """Complete or not, counting or not, and why not."""
    zip_size = group.final[ZIP].size if ZIP in group.final else None
    lacks = _why_unfinished(artifact, group, zip_size, sidecar)
    known_sidecar = sidecar if isinstance(sidecar, Sidecar) else None
    known_state = state if isinstance(state, SetState) else None
    if lacks or known_sidecar is None:
        return BackupSet(artifact, UNFINISHED, False, lacks, zip_size, known_sidecar, known_state)
    doubt = _why_not_counted(artifact, known_sidecar, state, layer)
    return BackupSet(artifact, COMPLETE, not doubt, doubt, zip_size, known_sidecar, known_state)


def _why_unfinished(
    artifact: ArtifactName, group: Group, zip_size: Optional[int], sidecar: Union[Sidecar, BackupError, None]
) -> str:
    """What a complete set has and this one lacks; empty when nothing."""
    if sidecar is None:
        if zip_size is not None:
            return "its sidecar was not published"
        runs = sorted({parsed.run_id for parsed, _fact in group.partial if parsed.run_id})
        return "being built by run {}".format(", ".join(runs)) if runs else "only its state file is left"
    if zip_size is None:
        return "its ZIP is missing"
    if isinstance(sidecar, BackupError):
        return f"its sidecar cannot be used ({sidecar.code})"
    if sidecar.artifact != artifact.zip:
        return f"its sidecar is that of {sidecar.artifact}"
    if sidecar.size != zip_size:
        return f"its ZIP has {zip_size} bytes instead of {sidecar.size}"
    return ""


def _why_not_counted(
    artifact: ArtifactName, sidecar: Sidecar, state: Union[SetState, BackupError, None], layer: str
) -> str:
    """Why a complete set is not proved on this layer; empty when it is."""
    if state is None:
        return "it was not verified on this layer"
    if isinstance(state, BackupError):
        return f"its state file cannot be used ({state.code}): verify it again"
    if state.layer != layer or state.artifact != artifact.stem:
        return f"its state file is that of {state.artifact} on layer {state.layer}"
    if state.verified is None:
        return "it was not verified on this layer"
    if state.verified.zip_sha256 != sidecar.sha256:
        return "its last verification on this layer failed"
    return ""


def _why_foreign(name: str, prefix: str) -> str:
    if parse_layer_file(name.lower(), prefix.lower()) is not None:
        return "its name differs from ours in case"
    return "its name is not one of ours"
