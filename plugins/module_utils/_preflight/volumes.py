# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the mirror the disk it claims to be, and is there room everywhere?"""

from __future__ import annotations

import os
from functools import partial
from typing import Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError
from ansible_collections.wst.backup.plugins.module_utils._fs import read_record
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._mirror.inspect import inspect_mirror
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._preflight.report import Report, Request
from ansible_collections.wst.backup.plugins.module_utils._preflight.space import Demand, Target, estimate, shortages
from ansible_collections.wst.backup.plugins.module_utils._preflight.targets import check_private_directory, probe
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import read_layer


def check_mirror(request: Request, report: Report) -> None:
    """Everything that speaks against writing to the mirror. Only where nothing does, a probe is written to it."""
    private = os.path.isdir(api.long_path(request.mirror_dir)) and report.attempt(
        partial(check_private_directory, request.mirror_dir, request.operator)
    )  # its absence is mirror_missing, found with the volume
    judgement = inspect_mirror(
        request.mirror_dir,
        source_dir=request.local_dir,
        expected_id=request.mirror_volume_id,
        prefix=request.prefix,
        tolerance=request.mirror_tolerance,
    )
    report.problems.extend(judgement.problems)
    report.warnings.extend(judgement.warnings)
    if private and request.probe and not judgement.problems:
        report.attempt(partial(probe, request.mirror_dir))


def check_space(request: Request, report: Report) -> None:
    """Volumes too small for what the run will write; those that cannot be asked were named by other checks."""
    scratch = target_of(HostLayout(request.root).scratch_dir)
    local = target_of(request.local_dir)
    if scratch is None or local is None:
        return
    demand = _demand(request, report)
    report.facts["demand"] = {"dump": demand.dump, "zip": demand.zip}
    report.problems.extend(
        shortages(demand, scratch=scratch, local=local, mirror=target_of(request.mirror_dir), min_free=request.min_free)
    )


def target_of(path: str) -> Optional[Target]:
    """The directory's volume and free space; None where that cannot be told."""
    try:
        volume = api.volume(path)
    except OSError:
        return None
    if volume.free is None:
        return None
    return Target(path=path, volume=volume.id or volume.root, free=volume.free)


def _demand(request: Request, report: Report) -> Demand:
    last_zip, last_dump = _last_sizes(request)
    return estimate(
        last_zip=last_zip,
        last_dump=last_dump,
        sources=report.facts.get("sources", {}).get("bytes", 0),
        database=report.facts.get("database", {}).get("database_size"),
    )


def _last_sizes(request: Request) -> Tuple[Optional[int], Optional[int]]:
    """The newest counting set's ZIP and dump in bytes, as its sidecar tells."""
    layer = Layer(LOCAL, request.local_dir)
    try:
        newest = next(iter(read_layer(layer, prefix=request.prefix).counting), None)
        if newest is None:
            return None, None
        body = read_record(layer.file(newest.artifact.sidecar)) or {}
        return newest.size, int(body["manifest"]["database"]["dump"]["size"])
    except (BackupError, KeyError, TypeError, ValueError):
        return None, None  # an estimate may do without it; the set's own verification names what is wrong with it
