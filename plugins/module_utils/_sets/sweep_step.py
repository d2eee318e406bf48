# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step ``backup_sweep``: what dead runs have left on the layers is finished or swept.

It comes before preflight, so it judges the mirror itself: on a disk that is not the mirror nothing is touched.
"""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import held
from ansible_collections.wst.backup.plugins.module_utils._platform import api as platform
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, MIRROR, Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.publish import Check
from ansible_collections.wst.backup.plugins.module_utils._sets.recover import Recovery, recover

Warn = Callable[[str], None]
Objections = Callable[[Layer, Optional[Layer]], Sequence[BackupError]]  # to writing to the mirror (of that local layer)

_NO_RUN = "00010101-000000-00000000"  # older than every run: in check mode without a run, every partial is a dead one's


def sweep_layers(
    layout: HostLayout, layers: Sequence[Layer], *, prefix: str, objections: Objections, warn: Warn
) -> Dict[str, Any]:
    """Finish or sweep on every layer that is there.

    A mirror that there are objections to is left alone and told as skipped: preflight names what is wrong with it.

    Problems must not stop the next backup: they are warnings, and the first is the result's ``problem``, with which
    the run ends.
    """
    run_id = _context.require_run_id()
    with held(layout, run_id) as lease:
        skipped = _skipped(layers, objections)
        return _sweep(layers, skipped, prefix=prefix, run_id=run_id, check=lease.check, warn=warn, dry_run=False)


def preview(layers: Sequence[Layer], *, prefix: str, objections: Objections, warn: Warn) -> Dict[str, Any]:
    """Check mode: tell what would be done."""
    run_id = _context.current().run_id or _NO_RUN
    skipped = _skipped(layers, objections)
    return _sweep(layers, skipped, prefix=prefix, run_id=run_id, check=lambda: None, warn=warn, dry_run=True)


def _skipped(layers: Sequence[Layer], objections: Objections) -> Dict[str, str]:
    """Why which layer is left alone, by its name."""
    by_name = {layer.name: layer for layer in layers}
    mirror = by_name.get(MIRROR)
    against = [] if mirror is None else objections(mirror, by_name.get(LOCAL))
    return {MIRROR: "; ".join(f"{one.code}: {one.message}" for one in against)} if against else {}


def _sweep(
    layers: Sequence[Layer],
    skipped: Mapping[str, str],
    *,
    prefix: str,
    run_id: str,
    check: Check,
    warn: Warn,
    dry_run: bool,
) -> Dict[str, Any]:
    told: List[Dict[str, Any]] = []
    for layer in layers:
        there = os.path.isdir(platform.long_path(layer.path))
        done = Recovery()
        if there and layer.name not in skipped:
            done = recover(layer, prefix=prefix, run_id=run_id, check=check, dry_run=dry_run)
        for problem in done.problems:
            warn(f"{problem.code}: {problem.message} {problem.remedy}")
        told.append(
            {
                "name": layer.name,
                "path": layer.path,
                "present": there,
                "skipped": skipped.get(layer.name, ""),
                "finished": done.finished,
                "swept": done.swept,
                "problems": [problem.as_problem() for problem in done.problems],
            }
        )
    changed = any(one["finished"] or one["swept"] for one in told)
    problems = [problem for one in told for problem in one["problems"]]
    return {"changed": changed, "layers": told, **({"problem": problems[0]} if problems else {})}
