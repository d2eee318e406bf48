# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rounds of a fault and a recovery, world after world, each world with a history that grows."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random

from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._records import encode_record
from ansible_collections.wst.backup.plugins.module_utils._sets.holds import holding
from tools.torture import clock, fault, power
from tools.torture.fault import Fault, draw
from tools.torture.invariants import LAYERS, Ledger, after_fault, after_recovery, all_read, chain_holds
from tools.torture.server import Database
from tools.torture.world import STALE, Ran, World

ROUNDS = 25  # faults for each world
BEFORE = 4  # good runs that a world begins with, so that there is something to lose and to remove
NONE = Fault(fault.NONE)


@dataclass
class Report:
    """What came of some rounds."""

    rounds: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    findings: list[str] = field(default_factory=list)

    def add(self, other: Report) -> None:
        """Sum up."""
        self.rounds += other.rounds
        self.runs += other.runs
        self.struck += other.struck
        self.ended += other.ended
        self.findings += other.findings


@dataclass(frozen=True)
class Order:
    """One world to torture.

    :ivar seed: with ``number``, the same world again (but for what the clock decides).
    :ivar kinds: of faults; all when empty.
    :ivar show: print a line for each fault.
    """

    home: Path
    seed: int
    number: int
    rounds: int
    kinds: Sequence[str] = ()
    show: bool = False


def torture(order: Order) -> Report:
    """The rounds of one world. It is left at its first finding, for what follows could rest on that."""
    report, chance = Report(), Random(f"{order.seed}/{order.number}")
    place = Path(tempfile.mkdtemp(prefix=f"world{order.number}-", dir=order.home))
    database = Database(order.home, f"torture_{order.number}")
    clock.ahead = timedelta(0)
    world = World(place, database, chance)
    try:
        world.build()
        rounds = _Rounds(world, chance, report, order)
        rounds.begin(f"seed {order.seed} world {order.number}")
        while report.rounds < order.rounds and not report.findings:
            rounds.round(f"seed {order.seed} world {order.number} round {report.rounds + 1}")
    finally:
        database.drop()
        if not report.findings:
            shutil.rmtree(place, ignore_errors=True)
    return report


class _Rounds:
    def __init__(self, world: World, chance: Random, report: Report, order: Order) -> None:
        self.world, self.chance, self.report, self.order = world, chance, report, order
        self.ledger = Ledger()
        self.changes = 0

    def begin(self, name: str) -> None:
        """Good runs, and what they must leave."""
        for _number in range(BEFORE):
            problems = self._clean("a run that nothing disturbs")
            if problems:
                self.report.findings.append("\n  ".join([f"{name}: in {self.world.home}", *problems]))
                return

    def round(self, name: str) -> None:
        """One fault, what must hold then, and the recovery."""
        self._rest()
        what = draw(self.chance, changes=self.changes, steps=len(self.world.steps), kinds=self.order.kinds)
        ran = Ran("")
        try:
            problems, ran = self._disturbed(what)
            problems += self._recover(ran)
        except Exception:  # what the world does not expect is a finding, and must not end the other worlds
            problems = [traceback.format_exc()]
        self.report.rounds += 1
        self.report.struck[what.kind] += ran.struck
        ended = "controller died" if ran.controller_died else ran.code or "ended well"
        self.report.ended[ended] += 1
        if self.order.show:
            print(f"{name}: {what}: {ended}", flush=True)
        if problems:
            told = [f"{name}: {what}", f"  the run: {ended} {ran.message} {ran.notes}", f"  in {self.world.home}"]
            self.report.findings.append("\n".join([*told, *(f"  {problem}" for problem in problems)]))

    def _rest(self) -> None:
        clock.move(timedelta(minutes=self.chance.randint(4 * 60, 20 * 60)))
        self.world.work()

    def _disturbed(self, what: Fault) -> tuple[list[str], Ran]:
        before, offset = clock.now(), clock.ahead
        with self._around(what) as held:
            ran = self._run(what)
            if ran.controller_died and what.kind == fault.POWER:
                self._power_fails(what)
        if what.kind in (fault.MIRROR_GONE, fault.MIRROR_VANISHES, fault.MIRROR_WRONG, fault.ROT, fault.READER):
            ran.struck = True
        problems = after_fault(self.world, self.ledger, ran, held=held, before=before)
        if what.kind == fault.TAKEOVER and what.at < len(self.world.steps) and ran.code != "lease_lost":
            problems.append("the run did not notice that it had lost the host")  # its last step only records
        if what.kind == fault.CLOCK:
            clock.ahead = offset + timedelta(minutes=1)
        return problems, ran

    def _run(self, what: Fault) -> Ran:
        ran = self.world.run(what)
        self.report.runs += 1
        stem = f"wst-backup-{ran.run_id[:15]}"
        self.ledger.rows[stem] = 400 + 3 * self.world.runs
        return ran

    def _power_fails(self, what: Fault) -> None:
        power.fail(self.world.processes.changes(), Random(what.luck))
        self.world.boots += 1

    @contextlib.contextmanager
    def _around(self, what: Fault) -> Iterator[str]:
        """What is wrong before the run begins, and is put right after it. Yields the set that somebody reads."""
        mirror = self.world.places["mirror"]
        away, marker = mirror.with_name("unplugged"), mirror / "wst-mirror.json"
        if what.kind == fault.MIRROR_GONE:
            mirror.rename(away)
        elif what.kind == fault.MIRROR_WRONG:
            kept = marker.read_bytes()
            marker.write_bytes(_of_another_mirror(kept))
        elif what.kind == fault.ROT:
            self._rot(Random(what.luck))
        with self._reader(what) as held:
            yield held
        if away.exists():
            if mirror.exists():
                shutil.rmtree(mirror)
            away.rename(mirror)
        if what.kind == fault.MIRROR_WRONG:
            marker.write_bytes(kept)

    @contextlib.contextmanager
    def _reader(self, what: Fault) -> Iterator[str]:
        stems = sorted(self.ledger.good["local"])
        if what.kind != fault.READER or not stems:
            yield ""
            return
        stem = stems[0]  # the next to go
        with holding(HostLayout(str(self.world.control)), stem):
            yield stem

    def _rot(self, chance: Random) -> None:
        """A bit of a good set turns over; from then on that set is not good on that layer."""
        name = chance.choice(LAYERS)
        stem = chance.choice(sorted(self.ledger.good[name]))
        path = self.world.places[name] / (stem + chance.choice((".zip", ".zip", ".manifest.json", ".state.json")))
        data = bytearray(path.read_bytes())
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        status = path.stat()
        path.write_bytes(data)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        del self.ledger.good[name][stem]
        self.ledger.rotten.add((name, stem))

    def _recover(self, ran: Ran) -> list[str]:
        """The next run, at once where the lease allows that, else when it is dead; then the host is tidy."""
        if ran.controller_died and self.chance.random() < 0.3:
            problems = self._too_early()
            if problems:
                return problems
        clock.move(STALE)
        problems = all_read(self.world, self.ledger) if self.ledger.rotten else []
        return problems + self._clean("the next run")

    def _too_early(self) -> list[str]:
        clock.move(timedelta(seconds=2))
        early = self._run(NONE)
        problems = after_fault(self.world, self.ledger, early, before=clock.now())
        if early.code not in ("", "locked"):
            problems.append(f"a run right after the crash ended with {early.message}")
        return problems

    def _clean(self, name: str) -> list[str]:
        self._rest()
        before = clock.now()
        ran = self._run(NONE)
        self.changes = ran.changes
        problems = after_fault(self.world, self.ledger, ran, before=before)
        problems += after_recovery(self.world, ran)
        problems += chain_holds(self.world)
        return [f"{name}: {problem}" for problem in problems]


def _of_another_mirror(marker: bytes) -> bytes:
    body = json.loads(marker)["body"]
    return encode_record({**body, "volume_id": "another"})
