# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that are there before a run begins, and what is put right after it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._records import encode_record
from ansible_collections.wst.backup.plugins.module_utils._sets.holds import holding
from tools.torture import fault
from tools.torture.fault import Fault
from tools.torture.ledger import LAYERS, Ledger
from tools.torture.world import World


@dataclass
class Around:
    """Whether something was wrong already when the run began, and which set somebody reads."""

    struck: bool = False
    held: str = ""


@contextlib.contextmanager
def around(world: World, ledger: Ledger, what: Fault) -> Iterator[Around]:
    """What is wrong for the time of a run."""
    mirror, found = world.places["mirror"], Around(what.kind in (fault.MIRROR_GONE, fault.MIRROR_WRONG))
    away, marker = mirror.with_name("unplugged"), mirror / "wst-mirror.json"
    kept = marker.read_bytes()
    if what.kind == fault.MIRROR_GONE:
        mirror.rename(away)
    elif what.kind == fault.MIRROR_WRONG:
        marker.write_bytes(_of_another_mirror(kept))
    elif what.kind == fault.ROT:
        found.struck = _rot(world, ledger, Random(what.luck))
    with _reader(world, ledger, what, found):
        yield found
    if away.exists():
        if mirror.exists():
            shutil.rmtree(mirror)
        away.rename(mirror)
    if what.kind == fault.MIRROR_WRONG:
        marker.write_bytes(kept)


@contextlib.contextmanager
def _reader(world: World, ledger: Ledger, what: Fault, found: Around) -> Iterator[None]:
    stems = sorted(set(ledger.good["local"]) - ledger.pinned)
    if what.kind != fault.READER or not stems:
        yield
        return
    found.struck, found.held = True, stems[0]  # the next to go
    with holding(HostLayout(str(world.control)), found.held):
        yield


def _rot(world: World, ledger: Ledger, chance: Random) -> bool:
    """A bit of a good set turns over; from then on that set is not good on that layer."""
    good = [(name, stem) for name in LAYERS for stem in sorted(ledger.good[name])]
    if not good:
        return False
    name, stem = chance.choice(good)
    path = world.places[name] / (stem + chance.choice((".zip", ".zip", ".manifest.json", ".state.json")))
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    status = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    del ledger.good[name][stem]
    ledger.rotten.add((name, stem))
    return True


def _of_another_mirror(marker: bytes) -> bytes:
    body = json.loads(marker)["body"]
    return encode_record({**body, "volume_id": "another"})
