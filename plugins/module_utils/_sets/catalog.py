# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands on a layer: our sets in their states, and foreign files. A pure decision over what was read.

A set without a sidecar is unfinished: the sidecar comes last. With one it is complete, unless something contradicts
it: the sidecar cannot be read or names another ZIP, the ZIP is gone or has another size, or a read found it damaged.
Then the set is damaged. It counts only when its last full read on this layer gave the sidecar's SHA-256 and its content
is not suspect, or was accepted. Names are compared to the letter; whatever is not exactly ours is foreign: listed,
never counted, never removed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, Iterable, List, Mapping, Optional, Tuple, Union

from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError
from ansible_collections.wst.backup.plugins.module_utils._names import DAMAGED as EVIDENCE
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
SUSPECT = "suspect"
SAFETY = "safety"  # made before a restore into production: kept, restorable, and never one of those that count
DAMAGED = "damaged"
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
    """One of our sets. ``reason`` says why it does not count; empty when it counts."""

    artifact: ArtifactName
    status: str  # COMPLETE, SUSPECT, SAFETY, DAMAGED or UNFINISHED
    sound: bool  # its files are whole and its last full read on this layer was good
    reason: str
    size: Optional[int] = None  # of the ZIP under its final name, bytes
    sidecar: Optional[Sidecar] = None
    state: Optional[SetState] = None

    @property
    def counts(self) -> bool:
        """Whether it is a good backup by all that is known."""
        return self.sound and self.status == COMPLETE

    @property
    def proof(self) -> Sidecar:
        """The sidecar of a set that has one; there is none to ask for otherwise."""
        if self.sidecar is None:
            raise ValueError(f"{self.artifact.stem} has no sidecar")
        return self.sidecar

    @property
    def level(self) -> int:
        """The verification level that holds on this layer; 0 when none does."""
        verified = self.state.verified if self.state is not None else None
        return verified.level if self.sound and verified is not None else 0


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
    """The files of one stem: those under final names by part, those that some run is or was building, and evidence."""

    final: Dict[str, FileFact] = field(default_factory=dict)
    partial: List[Tuple[LayerFile, FileFact]] = field(default_factory=list)
    damaged: List[FileFact] = field(default_factory=list)


def group_files(files: Iterable[FileFact], prefix: str) -> Tuple[Dict[ArtifactName, Group], List[Foreign]]:
    """Our regular files by set, and the rest as foreign; evidence of damage is in both: nobody counts or removes it."""
    groups: Dict[ArtifactName, Group] = {}
    foreign = []
    for fact in files:
        parsed = parse_layer_file(fact.name, prefix)
        if parsed is None:
            foreign.append(Foreign(fact.name, fact.size, _why_foreign(fact.name, prefix)))
        elif fact.kind != FILE:
            foreign.append(Foreign(fact.name, fact.size, f"a {fact.kind}, not a regular file"))
        elif parsed.damaged:
            groups.setdefault(parsed.artifact, Group()).damaged.append(fact)
            foreign.append(Foreign(fact.name, fact.size, "kept as evidence: it was found damaged"))
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
        if not (group.final or group.partial):
            continue  # evidence of a set that is gone
        if _is_lone_zip(group):
            foreign.append(Foreign(artifact.zip, group.final[ZIP].size, "it has no sidecar of ours"))
            if not (group.partial or STATE in group.final or _has_evidence(group, SIDECAR)):
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


def _has_evidence(group: Group, part: str) -> bool:
    """Whether a file of that part was found damaged and is kept."""
    return any(f"{part}{EVIDENCE}" in fact.name for fact in group.damaged)


def _judge(
    artifact: ArtifactName,
    group: Group,
    sidecar: Union[Sidecar, BackupError, None],
    state: Union[SetState, BackupError, None],
    layer: str,
) -> BackupSet:
    """The set's status, whether it is sound, and why it does not count."""
    zip_size = group.final[ZIP].size if ZIP in group.final else None
    known_sidecar = sidecar if isinstance(sidecar, Sidecar) else None
    known_state = state if isinstance(state, SetState) else None

    def judged(status: str, reason: str, *, sound: bool = False) -> BackupSet:
        return BackupSet(artifact, status, sound, reason, zip_size, known_sidecar, known_state)

    if sidecar is None:
        lost = _has_evidence(group, SIDECAR) and not group.partial  # a repair was interrupted
        return judged(DAMAGED if lost else UNFINISHED, _why_unfinished(group, zip_size))
    damage = _why_damaged(artifact, group, zip_size, sidecar, known_state)
    if damage or known_sidecar is None:
        return judged(DAMAGED, damage)
    doubt = _why_not_sound(artifact, known_sidecar, state, layer)
    if doubt:
        return judged(COMPLETE, doubt)
    if known_sidecar.safety:
        return judged(SAFETY, f"made for safety before {known_sidecar.safety}", sound=True)
    if known_sidecar.suspect and (known_state is None or known_state.accepted is None):
        return judged(SUSPECT, "; ".join(known_sidecar.suspect), sound=True)
    return judged(COMPLETE, "", sound=True)


def _why_unfinished(group: Group, zip_size: Optional[int]) -> str:
    """What a set without a sidecar is."""
    if zip_size is not None:
        return "its sidecar was not published"
    runs = sorted({parsed.run_id for parsed, _fact in group.partial if parsed.run_id})
    if runs:
        return "being built by run {}".format(", ".join(runs))
    return "its sidecar was found damaged" if _has_evidence(group, SIDECAR) else "only its state file is left"


def _why_damaged(
    artifact: ArtifactName,
    group: Group,
    zip_size: Optional[int],
    sidecar: Union[Sidecar, BackupError],
    state: Optional[SetState],
) -> str:
    """What contradicts the sidecar; empty when nothing does."""
    if isinstance(sidecar, BackupError):
        return f"its sidecar cannot be used ({sidecar.code})"
    if sidecar.artifact != artifact.zip:
        return f"its sidecar is that of {sidecar.artifact}"
    if state is not None and state.damaged is not None:
        return state.damaged.reason
    if zip_size is None:
        return "its ZIP was found damaged" if _has_evidence(group, ZIP) else "its ZIP is missing"
    if sidecar.size != zip_size:
        return f"its ZIP has {zip_size} bytes instead of {sidecar.size}"
    return ""


def _why_not_sound(
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
        return "what was verified on this layer is not what its sidecar says"
    return ""


def _why_foreign(name: str, prefix: str) -> str:
    if parse_layer_file(name.lower(), prefix.lower()) is not None:
        return "its name differs from ours in case"
    return "its name is not one of ours"
