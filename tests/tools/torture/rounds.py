# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rounds of a fault and a recovery, world after world, each world with a history that grows."""

from __future__ import annotations

import shutil
import tempfile
import traceback
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from tools.torture import clock, fault, lock, power
from tools.torture.around import around
from tools.torture.fault import Fault
from tools.torture.invariants import after_fault
from tools.torture.ledger import Ledger, look
from tools.torture.logbook import chain_holds
from tools.torture.names import tidy
from tools.torture.order import Faults, Order, Report
from tools.torture.repaired import all_read
from tools.torture.run import Ran, run
from tools.torture.server import Database
from tools.torture.world import STALE, World

BEFORE = 4  # good runs that a world begins with, so that there is something to lose and to remove
NONE = Fault(fault.NONE)


def torture(order: Order) -> Report:
    """The rounds of one world. It is left at its first finding, for what follows could rest on that."""
    report, chance = Report(), Random(order.luck)
    place = Path(tempfile.mkdtemp(prefix=f"world{order.number}-", dir=order.home))
    database = Database(order.home, f"torture_{order.number}")
    clock.ahead = timedelta(0)
    world = World(place, database, chance, deep=order.deep)
    try:
        world.build()
        rounds = _Rounds(world, chance, report, order)
        rounds.begin()
        while not report.findings and (what := rounds.next()) is not None:
            rounds.round(what)
    finally:
        database.drop()
        if not report.findings:
            shutil.rmtree(place, ignore_errors=True)
    return report


class _Rounds:
    def __init__(self, world: World, chance: Random, report: Report, order: Order) -> None:
        self.world, self.chance, self.report, self.order = world, chance, report, order
        self.ledger = Ledger()
        self.faults = Faults(order, chance, steps=len(world.steps))
        self.changes = 0

    def begin(self) -> None:
        """Good runs, and what they must leave; the oldest set is pinned."""
        for _number in range(BEFORE):
            self._rest()
            problems = self._clean("a run that nothing disturbs")
            if problems:
                self.report.findings.append("\n  ".join([f"{self.order}: in {self.world.home}", *problems]))
                return
        self.ledger.pinned.add(min(self.ledger.good["local"]))
        self.world.pin(*self.ledger.pinned)

    def next(self) -> Fault | None:
        """The next fault, None when this world had its share."""
        return self.faults.next(self.report.rounds, changes=self.changes)

    def round(self, what: Fault) -> None:
        """One fault, what must hold then, and the recovery."""
        ran, struck = Ran(""), False
        try:
            problems, ran, struck = self._disturbed(what)
            problems += self._recover(ran, what)
        except Exception:  # what the world does not expect is a finding, and must not end the other worlds
            problems = [traceback.format_exc()]
        name = f"{self.order} round {self.report.rounds + 1}"
        ended = "controller died" if ran.controller_died else ran.code or "ended well"
        self.report.note(what, ended=ended, struck=struck, hits=ran.hits)
        if self.order.show:
            print(f"{name}: {what}: {ended}", flush=True)
        if problems:
            told = [f"{name}: {what}", f"  the run: {ended} {ran.message} {ran.notes}", f"  in {self.world.home}"]
            self.report.findings.append("\n".join([*told, *(f"  {problem}" for problem in problems)]))

    def _rest(self) -> None:
        clock.move(self.order.rest(self.chance))
        self.world.work()

    def _disturbed(self, what: Fault) -> tuple[list[str], Ran, bool]:
        self._rest()
        before, offset = clock.now(), clock.ahead
        with around(self.world, self.ledger, what) as found:
            ran = self._run(what)
            if ran.controller_died and what.kind == fault.POWER:
                self._power_fails(what)
            problems = self._after(ran, held=found.held, before=before)
        if what.kind == fault.TAKEOVER and what.at < len(self.world.steps) and ran.code != "lease_lost":
            problems.append("the run did not notice that it had lost the host")  # its last step only records
        if what.kind == fault.CLOCK:
            clock.ahead = offset + timedelta(minutes=1)
        return problems, ran, found.struck or bool(ran.hits)

    def _run(self, what: Fault) -> Ran:
        ran = run(self.world, what)
        self.report.runs += 1
        for one in (ran, ran.other):
            if one is not None:
                self.ledger.rows[one.stem] = 400 + 3 * self.world.runs
        return ran

    def _after(self, ran: Ran, *, held: str = "", before: datetime) -> list[str]:
        return after_fault(self.world, self.ledger, ran, look(self.world), held=held, before=before)

    def _power_fails(self, what: Fault) -> None:
        power.fail(self.world.processes.changes(), Random(what.luck))
        self.world.boots += 1

    def _recover(self, ran: Ran, what: Fault) -> list[str]:
        """The next run, at once where the lease allows that, else when it is dead; then the host is tidy."""
        problems = []
        at_once = ran.controller_died and what.kind == fault.POWER  # no lease holds beyond the host's next start
        if ran.controller_died and not at_once and self.chance.random() < 0.3:
            problems = self._too_early()
        if problems:
            return problems
        clock.move(timedelta(seconds=2) if at_once else STALE)
        problems = all_read(self.world, self.ledger) if self.ledger.rotten else []
        if not at_once:
            self._rest()
        return problems + self._clean("the next run")

    def _too_early(self) -> list[str]:
        """Right after the control node died, the lease that it left is not dead yet."""
        clock.move(timedelta(seconds=2))
        due = "locked" if lock.owner(self.world.control) else ""
        early = self._run(NONE)
        problems = self._after(early, before=clock.now())
        if early.code != due:
            problems.append(f"a run right after the crash should end with {due!r} and ended with {early.message!r}")
        return problems

    def _clean(self, name: str) -> list[str]:
        before = clock.now()
        ran = self._run(NONE)
        self.changes = ran.changes
        self.report.changes.append(ran.changes)
        looked = look(self.world)
        problems = [f"it ended with {ran.message}"] if ran.code else []
        problems += after_fault(self.world, self.ledger, ran, looked, before=before)
        problems += tidy(self.world, self.ledger, looked)
        problems += chain_holds(self.world)
        return [f"{name}: {problem}" for problem in problems]
