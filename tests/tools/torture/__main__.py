# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``make torture N= SEED=``: random faults over whole runs, and what must hold after each.

The same seed draws the same faults; what is decided by the clock (processes killed at a moment) may fall elsewhere.
With ``--every`` nothing is left to chance: that fault before each change of the disk that a run makes.
"""

from __future__ import annotations

import argparse
import errno
import multiprocessing
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tools.torture import fault, server, verdict
from tools.torture.fault import Fault
from tools.torture.order import Order, Report
from tools.torture.rounds import torture

ROUNDS = 25  # faults for each world
WORLDS = 8  # among which all places of a run are shared out


def main(argv: list[str] | None = None) -> int:
    """Run; 1 for findings, whose worlds stay where they are, and for faults that did not strike."""
    options = _options(argv)
    began, report = time.monotonic(), Report()
    home = Path(tempfile.mkdtemp(prefix="torture-"))
    home.chmod(0o755)
    orders = _orders(options, home)
    print(f"{orders[0].name}: {len(orders)} worlds", flush=True)
    with server.running(options.major, home):
        for one in _results(orders, options.workers):
            report.add(one)
            print(*one.findings, sep="\n", end="\n" if one.findings else "", flush=True)
    for line in verdict.told(report, time.monotonic() - began):
        print(line)
    if not report.findings:
        shutil.rmtree(home, ignore_errors=True)
    objections = verdict.objections(report, every=orders[0].every, each_kind=options.each_kind)
    print(*objections, sep="\n", end="\n" if objections else "")
    return 1 if report.findings or objections else 0


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.torture", description=__doc__)
    parser.add_argument("-n", type=int, default=100, help="faults")
    parser.add_argument("--seed", type=int, default=None, help="of an earlier run, to have the same faults again")
    parser.add_argument("--world", type=int, default=None, help="only that world")
    parser.add_argument("--kind", action="append", default=[], choices=sorted(fault.WEIGHTS), help="only these")
    parser.add_argument("--each-kind", action="store_true", help="fail where a kind that was drawn never struck")
    parser.add_argument("--every", choices=fault.AT_CHANGES, help="that fault before each change, instead of -n")
    parser.add_argument("--errno", choices=[errno.errorcode[one] for one in fault.ERRORS], default="ENOSPC")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--major", type=int, default=17, help="of PostgreSQL")
    parser.add_argument("--show", action="store_true", help="a line for each fault")
    options = parser.parse_args(argv)
    if options.seed is None:
        options.seed = secrets.randbelow(1 << 32)
    return options


def _orders(options: argparse.Namespace, home: Path) -> list[Order]:
    orders = _every(options, home) if options.every else _random(options, home)
    return [each for each in orders if options.world in (None, each.number)]


def _random(options: argparse.Namespace, home: Path) -> list[Order]:
    worlds = -(-options.n // ROUNDS)
    name = f"seed {options.seed}, {options.n} faults"
    return [
        Order(
            home,
            name=name,
            luck=f"{options.seed}/{number}",
            number=number,
            rounds=options.n // worlds + (number <= options.n % worlds),
            kinds=tuple(options.kind),
            show=options.show,
        )
        for number in range(1, worlds + 1)
    ]


def _every(options: argparse.Namespace, home: Path) -> list[Order]:
    """Worlds with one and the same history, each with its share of the places."""
    refused = options.every in (fault.REFUSED, fault.REFUSED_ON)
    what = Fault(options.every, number=getattr(errno, options.errno) if refused else 0, luck=options.seed)
    name = f"seed {options.seed}, {options.every} {options.errno if refused else ''}".rstrip() + " everywhere"
    return [
        Order(
            home,
            name=name,
            luck=str(options.seed),
            number=number,
            every=what,
            first=number,
            stride=WORLDS,
            show=options.show,
        )
        for number in range(1, WORLDS + 1)
    ]


def _results(orders: list[Order], workers: int) -> Iterator[Report]:
    if workers < 2 or len(orders) < 2:
        yield from map(torture, orders)
        return
    context = multiprocessing.get_context("spawn")  # each world forks its steps, so it has a process without threads
    with ProcessPoolExecutor(min(workers, len(orders)), mp_context=context) as pool:
        for done in as_completed([pool.submit(torture, order) for order in orders]):
            yield done.result()


if __name__ == "__main__":
    sys.exit(main())
