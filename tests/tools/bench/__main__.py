# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``make bench``: all groups, and the page ``docs/benchmarks.md`` with its pictures. ``--quick`` answers in minutes."""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

from tools.bench import corpus as corpora
from tools.bench import page, scale
from tools.bench.builds import Builds
from tools.bench.copies import Copies
from tools.bench.dumps import Dumps
from tools.bench.measure import BenchError, rounds, to_screen
from tools.paths import CACHE, COLLECTIONS, ROOT

if str(COLLECTIONS) not in sys.path:
    sys.path.insert(0, str(COLLECTIONS))

LEAST_ROUNDS = 5


def main() -> int:
    """Measure; 1 where something that was measured made a wrong archive, or does not work."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("groups", nargs="*", help="only these")
    parser.add_argument("--quick", action="store_true", help="a small corpus and fewer rounds; writes no page")
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    options = parser.parse_args()
    count = options.rounds or (3 if options.quick else LEAST_ROUNDS)
    work = CACHE / "bench" / ("work-quick" if options.quick else "work")
    shutil.rmtree(work, ignore_errors=True)
    shape, far = (corpora.QUICK, scale.QUICK) if options.quick else (corpora.FULL, scale.FULL)
    results: list[page.Result] = []
    try:
        measured_on = corpora.corpus(shape)
        work.mkdir(parents=True)
        with corpora.serving(shape.dump_rows) as server:
            groups = [
                *Builds(measured_on, work).groups(),
                *Copies(measured_on, work).groups(),
                *Dumps(server, work).groups(),
                *scale.Growth(far, work).groups(),
            ]
            for name, make in groups:
                if options.groups and name not in options.groups:
                    continue
                group = make()
                turns = min(count, group.rounds or count)
                series = rounds(group.commands, count=turns, chance=random.Random(name), say=to_screen)
                results.append(page.Result(group, series))
                print(page.table(results[-1]), flush=True)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(work, ignore_errors=True)
    _keep(results, CACHE / "bench" / f"{shape.name}.json")
    if options.write:
        machine = (
            f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
        )
        page.write(ROOT / "docs", results, about=measured_on.told(), machine=machine, count=count)
    return 0


def _keep(results: list[page.Result], path: Path) -> None:
    """The samples, for whoever wants other numbers out of them."""
    body = {each.group.name: {one.name: [asdict(s) for s in one.samples] for one in each.series} for each in results}
    path.write_text(json.dumps(body, indent=1))


if __name__ == "__main__":
    sys.exit(main())
