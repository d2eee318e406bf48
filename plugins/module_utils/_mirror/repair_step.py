# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module ``backup_repair``, without Ansible."""

from __future__ import annotations

from typing import Any, Dict, List

from ansible_collections.wst.backup.plugins.module_utils import _context, _jobs
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import held
from ansible_collections.wst.backup.plugins.module_utils._mirror.copy import READS_AND_WRITES
from ansible_collections.wst.backup.plugins.module_utils._mirror.modules import Request, require_volume
from ansible_collections.wst.backup.plugins.module_utils._mirror.repair import Case, find_cases, repair
from ansible_collections.wst.backup.plugins.module_utils._names import check_prefix
from ansible_collections.wst.backup.plugins.module_utils._sets.files import progress_meter
from ansible_collections.wst.backup.plugins.module_utils._sets.problems import gathered
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import read_layer


def repair_layers(request: Request, *, volume_id: str, dry_run: bool) -> Dict[str, Any]:
    """Repair each layer's damaged sets from the other. Raises what the volume has, and at the end what failed."""
    check_prefix(request.prefix)
    if dry_run:
        require_volume(request, volume_id)
        cases = _cases(request)
        return _result([case for case in cases if not case.hopeless], cases)
    run_id = _context.require_run_id()
    with held(request.layout, run_id) as lease:
        require_volume(request, volume_id)
        cases = _cases(request)
        _jobs.step("repair")
        # The source is read once for its proof, then once more while it is copied; the copy is read back.
        meter = progress_meter(sum(case.size for case in cases) * (1 + READS_AND_WRITES), request.local_dir)
        done = repair(cases, run_id=run_id, check=lease.check, meter=meter)
    result = _result(done.done, cases)
    if done.problems:
        raise gathered(done.problems, repaired=result["repaired"])
    return result


def _cases(request: Request) -> List[Case]:
    local = read_layer(request.source, prefix=request.prefix)
    mirror = read_layer(request.mirror, prefix=request.prefix)
    return [
        *find_cases(request.source, local, request.mirror, mirror),
        *find_cases(request.mirror, mirror, request.source, local),
    ]


def _result(repaired: List[Case], cases: List[Case]) -> Dict[str, Any]:
    return {
        "changed": bool(repaired),
        "repaired": [_told(case) for case in repaired],
        "hopeless": [{**_told(case), "reason": case.hopeless} for case in cases if case.hopeless],
    }


def _told(case: Case) -> Dict[str, Any]:
    source = case.source.name if case.source is not None else None
    return {
        "artifact": case.artifact.stem,
        "layer": case.target.name,
        "source": source,
        "damage": case.damage,
        "size": case.size,
    }
