# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The negative control of a drill's artifact: a copy with one flipped bit must be refused."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from typing import Any, BinaryIO, Dict, Optional

from ansible_collections.wst.backup.plugins.module_utils import _context, _fs, _hashing, _jobs
from ansible_collections.wst.backup.plugins.module_utils._archive import verify as levels
from ansible_collections.wst.backup.plugins.module_utils._archive.verify_step import Request as Verification
from ansible_collections.wst.backup.plugins.module_utils._archive.verify_step import verify_path
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactDamaged,
    ArtifactIncomplete,
    ArtifactUnsafePath,
    ArtifactUnsupported,
    DrillControlFailed,
    NoSpace,
)
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import held
from ansible_collections.wst.backup.plugins.module_utils._lock.lane import layout_of_run
from ansible_collections.wst.backup.plugins.module_utils._names import SIDECAR, ZIP
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._sets.holds import holding

COPY = "control.zip"
# What a verification says of an artifact; anything else is no verdict about it.
REFUSALS = (ArtifactDamaged, ArtifactIncomplete, ArtifactUnsafePath, ArtifactUnsupported)


@dataclass(frozen=True)
class Flip:
    """Where the copy was damaged."""

    offset: int
    bit: int

    @property
    def text(self) -> str:
        """As a person reads it."""
        return f"bit {self.bit} of byte {self.offset}"


def require_refused(layout: HostLayout, path: str, *, dice: Optional[random.Random] = None) -> Dict[str, Any]:
    """Damage a copy of the artifact in a random place, and let it be verified as the artifact was.

    :param path: the ZIP of a published set.
    :raises DrillControlFailed: the damaged copy passes. NoSpace, PathUnusable and its like; NotProved, LeaseLost,
        Cancelled.
    """
    run_id = _context.require_run_id()
    lane = layout_of_run(layout, run_id)
    copy = os.path.join(lane.workspace(run_id), COPY)
    with held(lane, run_id), holding(layout, os.path.basename(path).removesuffix(ZIP)):
        try:
            flip = _copy_damaged(path, copy, dice or random.SystemRandom())
            found = _refusal(layout, copy, path.removesuffix(ZIP) + SIDECAR, flip)
        finally:
            _fs.remove_file(copy)
    return {"changed": False, "offset": flip.offset, "bit": flip.bit, "refused_as": found}


def _refusal(layout: HostLayout, copy: str, sidecar: str, flip: Flip) -> str:
    """The code with which the copy is refused."""
    try:
        verify_path(Verification(layout=layout, level=levels.CONTENT, sidecar=sidecar), copy)
    except REFUSALS as error:
        return error.code
    raise DrillControlFailed(f"a copy with {flip.text} flipped was not refused", offset=flip.offset, bit=flip.bit)


def _copy_damaged(path: str, copy: str, dice: random.Random) -> Flip:
    try:
        with api.open_source(path) as source:
            size = api.facts_of(source).size
            _require_room(copy, size)
            flip = Flip(dice.randrange(size), dice.randrange(8))
            with api.create_new(copy) as target:
                _write_flipped(source, target, flip, size)
    except OSError as error:
        raise _fs.translate_oserror(error, copy) from error
    return flip


def _require_room(copy: str, size: int) -> None:
    free = _fs.free_bytes(os.path.dirname(copy))
    if free < size:
        raise NoSpace(f"{copy} needs {size} bytes, and {free} are free", path=copy, needed=size, free=free)


def _write_flipped(source: BinaryIO, target: BinaryIO, flip: Flip, size: int) -> None:
    _jobs.step("damage a copy, which must be refused")
    done = 0
    for chunk in _hashing.chunks_of(source):
        place = flip.offset - done
        if 0 <= place < len(chunk):
            altered = bytearray(chunk)
            altered[place] ^= 1 << flip.bit
            chunk = bytes(altered)
        target.write(chunk)
        done += len(chunk)
        _jobs.progress(done, size, os.path.basename(target.name))
