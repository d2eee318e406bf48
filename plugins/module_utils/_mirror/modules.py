# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules ``backup_mirror`` and ``mirror_init``, without Ansible: judge the volume, then work under the lease."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Sequence

from ansible_collections.wst.backup.plugins.module_utils import _context, _jobs
from ansible_collections.wst.backup.plugins.module_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    BackupError,
    Cancelled,
    LeaseLost,
    MirrorMismatch,
    MirrorWrongVolume,
    RecordDamaged,
)
from ansible_collections.wst.backup.plugins.module_utils._fs import ensure_private_directory
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import held
from ansible_collections.wst.backup.plugins.module_utils._mirror.copy import forget_begun
from ansible_collections.wst.backup.plugins.module_utils._mirror.inspect import (
    has_temporary_readme,
    inspect_mirror,
    volume_of,
)
from ansible_collections.wst.backup.plugins.module_utils._mirror.marker import (
    Marker,
    marker_path,
    read_marker,
    write_marker,
)
from ansible_collections.wst.backup.plugins.module_utils._mirror.options import tolerance_of
from ansible_collections.wst.backup.plugins.module_utils._mirror.selection import Selection
from ansible_collections.wst.backup.plugins.module_utils._mirror.step import Mirrored, choose, mirror_sets
from ansible_collections.wst.backup.plugins.module_utils._mirror.volume import Judgement, Tolerance, judge_volume
from ansible_collections.wst.backup.plugins.module_utils._names import artifact_of_run, check_prefix
from ansible_collections.wst.backup.plugins.module_utils._platform import api as platform
from ansible_collections.wst.backup.plugins.module_utils._retention.plan import Policy
from ansible_collections.wst.backup.plugins.module_utils._sets.checker import place_checker
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, MIRROR, Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.problems import gathered

Warn = Callable[[str], None]

_MEND = "Look at the mirror's disk, then run playbook repair.yml, which brings good copies back from the local layer."
_NO_RUN = "00010101-000000-00000000"  # in check mode outside of a run, no set is this run's


@dataclass(frozen=True)
class Request:
    """Where the mirror is, and what is accepted of it."""

    layout: HostLayout
    local_dir: str
    mirror_dir: str
    prefix: str
    tolerance: Tolerance
    warn: Warn

    @property
    def source(self) -> Layer:
        """The layer that is mirrored."""
        return Layer(LOCAL, self.local_dir)

    @property
    def mirror(self) -> Layer:
        """The layer that is written."""
        return Layer(MIRROR, self.mirror_dir)


def request_of(params: Mapping[str, Any], *, warn: Warn) -> Request:
    """What ``volume_options``, ``directory_options`` and ``set_options`` gave."""
    return Request(
        layout=HostLayout(params["root"]),
        local_dir=params["local_dir"],
        mirror_dir=params["mirror_dir"],
        prefix=params["prefix"],
        tolerance=tolerance_of(params),
        warn=warn,
    )


def mirror(request: Request, *, volume_id: str, policy: Policy, dry_run: bool) -> Dict[str, Any]:
    """Copy what the mirror lacks. Raises the first problem of the volume, or of this run's set, or of an older one."""
    check_prefix(request.prefix)
    if dry_run:
        require_volume(request, volume_id)
        return _preview(_choose(request, policy, _context.current().run_id or _NO_RUN), request.warn)
    run_id = _context.require_run_id()
    with held(request.layout, run_id) as lease:
        require_volume(request, volume_id)
        placed = place_checker(request.mirror, warn=request.warn)
        selection = _choose(request, policy, run_id)
        own = artifact_of_run(run_id, request.prefix)
        _jobs.step("mirror")
        try:
            if all(item.artifact != own for item in selection.copy):
                forget_begun(request.mirror, own, run_id)
            done = mirror_sets(
                request.source, request.mirror, selection, run_id=run_id, prefix=request.prefix, check=lease.check
            )
        except (Cancelled, LeaseLost):
            raise
        except BackupError as error:
            gone = _gone_since(request, volume_id)
            if not gone:
                raise
            raise gathered([*gone, error]) from error
    result = _result(done, request.warn, placed=placed)
    if done.problems:
        raise gathered([*_gone_since(request, volume_id), *done.problems], mirrored=done.mirrored)
    return result


def _gone_since(request: Request, volume_id: str) -> Sequence[BackupError]:
    """What is wrong with the volume now: a drive that went away in mid-copy is told as that, and not as bad paths."""
    return _judged(request, volume_id).problems


def _choose(request: Request, policy: Policy, run_id: str) -> Selection:
    return choose(request.source, request.mirror, prefix=request.prefix, policy=policy, now=utc_now(), run_id=run_id)


def require_volume(request: Request, volume_id: str) -> None:
    """Raises the first problem of the mirror's volume, all of them among its facts; nothing was touched then."""
    _raise_first(_judged(request, volume_id), request.warn)


def _judged(request: Request, volume_id: str) -> Judgement:
    return inspect_mirror(
        request.mirror_dir,
        source_dir=request.local_dir,
        expected_id=volume_id,
        prefix=request.prefix,
        tolerance=request.tolerance,
    )


def _raise_first(judgement: Judgement, warn: Warn) -> None:
    """All problems at once: the first as the failure, every one among its facts."""
    for warning in judgement.warnings:
        warn(warning)
    if judgement.problems:
        raise gathered(judgement.problems)


def _preview(selection: Selection, warn: Warn) -> Dict[str, Any]:
    if selection.conflicts:
        raise gathered(selection.conflicts)
    would = Mirrored(
        mirrored=[item.artifact.stem for item in selection.copy],
        reread=[item.artifact.stem for item in selection.reread],
        present=[item.artifact.stem for item in selection.present],
        skipped=dict(selection.skipped),
        damaged=[item.artifact.stem for item in selection.damaged],
        bytes=sum(item.size or 0 for item in selection.copy),
    )
    return _result(would, warn)


def _result(done: Mirrored, warn: Warn, *, placed: bool = False) -> Dict[str, Any]:
    for stem in done.damaged:
        warn(f"the mirror's copy of {stem} is damaged: playbook repair.yml brings a good one back")
    skipped: List[Dict[str, str]] = [{"artifact": stem, "reason": why} for stem, why in done.skipped.items()]
    return {
        "changed": done.changed or placed,
        "checker_placed": placed,
        "mirrored": done.mirrored,
        "reread": done.reread,
        "present": done.present,
        "skipped": skipped,
        "damaged": done.damaged,
        "bytes": done.bytes,
        **({"problem": _known_damage(done.damaged)} if done.damaged else {}),
    }


def _known_damage(stems: Sequence[str]) -> Dict[str, Any]:
    """What every run ends with while the copies are there; not raised, so that retention still runs."""
    names = ", ".join(stems)
    error = MirrorMismatch(f"copies on the mirror are damaged, as an earlier run found: {names}", damaged=list(stems))
    return {**error.as_problem(), "remedy": _MEND}


def initialise(request: Request, *, replace: bool, dry_run: bool) -> Dict[str, Any]:
    """Make the directory's volume the mirror: judge it, make the directory, put the marker on it.

    Idempotent for the same volume and prefix. Raises ``MirrorWrongVolume`` for a volume that must not be a mirror,
    and where another marker is there and ``replace`` was not given.
    """
    check_prefix(request.prefix)
    if dry_run:
        return _initialise(request, replace=replace, dry_run=True)
    with held(request.layout):
        return _initialise(request, replace=replace, dry_run=False)


def _initialise(request: Request, *, replace: bool, dry_run: bool) -> Dict[str, Any]:
    facts = volume_of(_existing(request.mirror_dir))
    judgement = judge_volume(
        facts,
        expected_id=None,
        marker=None,
        source_volume=volume_of(_existing(request.local_dir)),
        tolerance=request.tolerance,
        temporary_readme=has_temporary_readme(request.mirror_dir),
    )
    _raise_first(judgement, request.warn)
    marker = Marker(str(facts.id), utc_now(), socket.gethostname(), request.prefix)
    changed = _must_mark(request.mirror_dir, marker, replace=replace)
    if changed and not dry_run:
        ensure_private_directory(request.mirror_dir)
        write_marker(request.mirror_dir, marker)
    return {"changed": changed, "volume_id": facts.id, "marker": marker_path(request.mirror_dir)}


def _must_mark(mirror_dir: str, marker: Marker, *, replace: bool) -> bool:
    """Whether a marker is to be written; raises ``MirrorWrongVolume`` where that takes ``replace``."""
    try:
        found = read_marker(mirror_dir)
    except RecordDamaged as error:
        if not replace:
            raise _refusal(mirror_dir, "it cannot be read") from error
        return True
    if found is None:
        return True
    if (found.volume_id.lower(), found.prefix) == (marker.volume_id.lower(), marker.prefix):
        return False
    if not replace:
        raise _refusal(mirror_dir, f"it is of volume {found.volume_id} and prefix {found.prefix}")
    return True


def _refusal(mirror_dir: str, what: str) -> MirrorWrongVolume:
    path = marker_path(mirror_dir)
    return MirrorWrongVolume(f"{path} is there already: {what} (replace=true overwrites it)", path=path)


def _existing(path: str) -> str:
    """The path, or the nearest directory above it that is there; its volume is the same."""
    current = platform.absolute_path(path)
    while not os.path.isdir(platform.long_path(current)):
        above = os.path.dirname(current)
        if above == current:
            break
        current = above
    return current
