# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finishes or sweeps what runs that died have left on a layer.

Only files under our partial names, of runs other than the live one, are ever removed (and state files without a
set, and what ``_leftovers`` tells). A ZIP under a final name is never removed here: it is finished when its sidecar
proves it, and named otherwise. The caller holds the host's lock, so no other run is alive.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Callable, List, Optional

from ansible_collections.wst.backup.plugins.module_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactDamaged,
    BackupError,
    Cancelled,
    LeaseLost,
    RecordDamaged,
)
from ansible_collections.wst.backup.plugins.module_utils._fs import remove_file
from ansible_collections.wst.backup.plugins.module_utils._leftovers import leftovers
from ansible_collections.wst.backup.plugins.module_utils._names import (
    PARTIAL,
    SIDECAR,
    STATE,
    ZIP,
    ArtifactName,
    LayerFile,
)
from ansible_collections.wst.backup.plugins.module_utils._sets.catalog import Group, group_files
from ansible_collections.wst.backup.plugins.module_utils._sets.files import MIRROR, Layer, progress_meter, take_name
from ansible_collections.wst.backup.plugins.module_utils._sets.prove import prove, reverify
from ansible_collections.wst.backup.plugins.module_utils._sets.publish import Check
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import list_files
from ansible_collections.wst.backup.plugins.module_utils._sets.sidecar import Sidecar, read_sidecar
from ansible_collections.wst.backup.plugins.module_utils._sets.state import (
    Event,
    SetState,
    fresh_state,
    read_state,
    write_state,
)


@dataclass
class Recovery:
    """What was found and done on one layer; ``problems`` are for people, the run goes on."""

    finished: List[str] = field(default_factory=list)  # stems of sets that are complete and count now
    swept: List[str] = field(default_factory=list)  # file names
    problems: List[BackupError] = field(default_factory=list)


def recover(layer: Layer, *, prefix: str, run_id: str, check: Check, dry_run: bool = False) -> Recovery:
    """Finish and sweep. Raises ``BackupError`` where the layer cannot be listed, ``LeaseLost``, ``Cancelled``.

    :param run_id: the live run, whose own partials are left alone.
    :param dry_run: change nothing and read no ZIP; a set is then told as finished without its proof.
    """
    worker = _Recoverer(layer, run_id=run_id, check=check, dry_run=dry_run)
    groups, _foreign = group_files(list_files(layer), prefix)
    for artifact in sorted(groups):
        worker.attempt(partial(worker.visit, artifact, groups[artifact]))
    worker.attempt(worker.sweep_leftovers)
    return worker.result


class _Recoverer:
    """One pass over a layer."""

    def __init__(self, layer: Layer, *, run_id: str, check: Check, dry_run: bool) -> None:
        self.result = Recovery()
        self._layer = layer
        self._run_id = run_id
        self._check = check
        self._dry_run = dry_run

    def attempt(self, work: Callable[[], None]) -> None:
        """Do it; one bad leftover must not keep the next backup from being made."""
        try:
            work()
        except (Cancelled, LeaseLost):
            raise
        except BackupError as error:
            self.result.problems.append(error)

    def sweep_leftovers(self) -> None:
        """What is ours and of no set."""
        for name in leftovers(self._layer.path, own=self._run_id, now=utc_now()):
            self._remove(name)

    def visit(self, artifact: ArtifactName, group: Group) -> None:
        """Everything of one stem."""
        dead = [parsed for parsed, _fact in group.partial if parsed.run_id != self._run_id]
        if ZIP in group.final and SIDECAR not in group.final:
            dead = self._finish(artifact, dead)
        elif ZIP in group.final and not self._has_good_state(artifact, group):
            self._finish_state(artifact)
        for parsed in sorted(dead, key=lambda one: one.part != SIDECAR):
            # Sidecars first: one that is left alone beside a ZIP would claim it.
            self._remove(_partial_name(parsed))
        if set(group.final) == {STATE} and len(dead) == len(group.partial) and not group.damaged:
            self._remove(artifact.state)

    def _has_good_state(self, artifact: ArtifactName, group: Group) -> bool:
        """Whether there is a state file that can be read; a damaged one is a problem.

        One that says that the ZIP is damaged is not good either where a ZIP has the name: it waits for its
        quarantine, or somebody has put a good copy in its place.
        """
        try:
            state = read_state(self._layer, artifact) if STATE in group.final else None
        except RecordDamaged as error:
            self.result.problems.append(error)
            return False
        return state is not None and state.damaged is None

    def _finish(self, artifact: ArtifactName, dead: List[LayerFile]) -> List[LayerFile]:
        """Give the sidecar that proves the ZIP its final name; returns the partials that are to be swept."""
        for waiting in [parsed for parsed in dead if parsed.part == SIDECAR]:
            problem = self._finish_with(artifact, waiting)
            if problem is None:
                return [parsed for parsed in dead if parsed is not waiting]
            if not any(parsed.part == ZIP and parsed.run_id == waiting.run_id for parsed in dead):
                # Not swept: the ZIP may be good and the sidecar damaged, or the other way round. A person decides.
                self.result.problems.append(problem)
                dead = [parsed for parsed in dead if parsed is not waiting]
            # Otherwise that run's own ZIP never got the name, and somebody else's has it: theirs stays, ours goes.
        return dead

    def _finish_with(self, artifact: ArtifactName, waiting: LayerFile) -> Optional[BackupError]:
        """None when the set is complete now, else why it is not."""
        path = self._layer.file(_partial_name(waiting))
        try:
            sidecar = read_sidecar(path)
            if sidecar is None:
                return RecordDamaged(f"{path} went away", path=path)
            if not self._dry_run:
                prove(self._layer, artifact, sidecar, meter=progress_meter(sidecar.size, artifact.zip))
        except (ArtifactDamaged, RecordDamaged) as error:
            return error
        if not self._dry_run:
            state = fresh_state(self._layer, artifact)  # before the name, beside which a missing one would be a loss
            self._check()
            take_name(path, self._layer.file(artifact.sidecar))
            self._record(artifact, sidecar, state)
        self.result.finished.append(artifact.stem)
        return None

    def _record(self, artifact: ArtifactName, sidecar: Sidecar, state: SetState) -> None:
        """The state file of a set that was just finished; what an older one says of it stays."""
        now = Event(at=utc_now(), run_id=self._run_id)
        state = state.with_reread(at=now.at, run_id=now.run_id, level=sidecar.level, zip_sha256=sidecar.sha256)
        mirrored = now if self._layer.name == MIRROR else None
        state = replace(state, published=state.published or now, mirrored=state.mirrored or mirrored)
        write_state(self._layer, artifact, state)

    def _finish_state(self, artifact: ArtifactName) -> None:
        """A complete set without a usable state file: it is read again, and what was found is recorded.

        One that is damaged is quarantined.
        A damaged state file is kept beside it as evidence.
        """
        try:
            sidecar = read_sidecar(self._layer.file(artifact.sidecar))
            if sidecar is not None and not self._dry_run:
                self._check()
                meter = progress_meter(sidecar.size, artifact.zip)
                reverify(self._layer, artifact, sidecar, run_id=self._run_id, meter=meter)
                self._record(artifact, sidecar, fresh_state(self._layer, artifact))
        except (ArtifactDamaged, RecordDamaged) as error:
            self.result.problems.append(error)
            return
        self.result.finished.append(artifact.stem)

    def _remove(self, name: str) -> None:
        if not self._dry_run:
            self._check()
            remove_file(self._layer.file(name))
        self.result.swept.append(name)


def _partial_name(parsed: LayerFile) -> str:
    """The file name that was parsed into this."""
    return f"{parsed.artifact.stem}{parsed.part}.{parsed.run_id}{PARTIAL}"
