# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``make torture N= SEED=``: random faults over whole runs, and what must hold after each.

The same seed draws the same faults; what is decided by the clock (processes killed at a moment) may fall elsewhere.
"""

from __future__ import annotations

import argparse
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

from tools.torture import fault, server
from tools.torture.rounds import ROUNDS, Order, Report, torture


def main(argv: list[str] | None = None) -> int:
    """Run; 1 for findings, whose worlds stay where they are."""
    parser = argparse.ArgumentParser(prog="python -m tools.torture", description=__doc__)
    parser.add_argument("-n", type=int, default=100, help="faults")
    parser.add_argument("--seed", type=int, default=None, help="of an earlier run, to have the same faults again")
    parser.add_argument("--world", type=int, default=None, help="only that world")
    parser.add_argument("--kind", action="append", default=[], choices=sorted(fault.WEIGHTS), help="only these")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--major", type=int, default=17, help="of PostgreSQL")
    parser.add_argument("--show", action="store_true", help="a line for each fault")
    options = parser.parse_args(argv)
    seed = options.seed if options.seed is not None else secrets.randbelow(1 << 32)
    worlds = [(number, min(ROUNDS, options.n - start)) for number, start in enumerate(range(0, options.n, ROUNDS), 1)]
    if options.world is not None:
        worlds = [each for each in worlds if each[0] == options.world]
    print(f"seed {seed}, {options.n} faults in {len(worlds)} worlds", flush=True)
    began, report = time.monotonic(), Report()
    home = Path(tempfile.mkdtemp(prefix="torture-"))
    home.chmod(0o755)
    with server.running(options.major, home):
        jobs = [Order(home, seed, number, rounds, tuple(options.kind), options.show) for number, rounds in worlds]
        for one in _results(jobs, options.workers):
            report.add(one)
            print(*one.findings, sep="\n", end="\n" if one.findings else "", flush=True)
    _tell(report, time.monotonic() - began, home)
    return 1 if report.findings or not report.rounds else 0


def _results(jobs: list[Order], workers: int) -> Iterator[Report]:
    if workers < 2 or len(jobs) < 2:
        yield from map(torture, jobs)
        return
    context = multiprocessing.get_context("spawn")  # each world forks its steps, so it has a process without threads
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=context) as pool:
        for done in as_completed([pool.submit(torture, job) for job in jobs]):
            yield done.result()


def _tell(report: Report, seconds: float, home: Path) -> None:
    for kind in fault.WEIGHTS:
        print(f"{kind:<24} {report.struck[kind]:6}")
    print("how the disturbed runs ended:")
    for code, count in report.ended.most_common():
        print(f"  {code:<22} {count:6}")
    print(
        f"{report.rounds} faults drawn, {report.struck.total()} struck, {report.runs} runs in {seconds / 60:.1f} min, "
        f"{len(report.findings)} findings"
    )
    if not report.findings:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
