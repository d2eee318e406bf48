# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints the numbers of ``docs/proof.md``: ``python -m tools.proof corpus | bits | fuzz``."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tools.proof import corpus
from tools.proof.case import Case


def main(argv: list[str] | None = None) -> int:
    """Do what the arguments say; 1 when something did not come out as it must."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.proof", description="How far the verification can be trusted."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("corpus", help="verify every hostile file, with the time and memory that each took")
    one.add_argument("--write", type=Path, metavar="DIRECTORY", help="only leave the files there, with index.json")
    one.add_argument("--list", action="store_true", help="a line for each file")
    one.add_argument("only", nargs="*", help="parts of names")
    options = parser.parse_args(argv)
    chosen = [case for case in corpus.cases() if not options.only or any(part in case.name for part in options.only)]
    return write(chosen, options.write) if options.write else judge(chosen, each=options.list)


def judge(chosen: list[Case], *, each: bool) -> int:
    """Verify the chosen ones and say what came of them."""
    codes: Counter[str] = Counter()
    wrong, longest, largest = 0, 0.0, 0
    with tempfile.TemporaryDirectory() as directory:
        for case in chosen:
            outcome = corpus.measured(case, Path(directory))
            codes[outcome.code or "proved"] += 1
            longest, largest = max(longest, outcome.seconds), max(largest, outcome.grown or 0)
            problem = corpus.complaint(case, outcome)
            wrong += bool(problem)
            if each or problem:
                told = f"{outcome.code or 'proved':<20} {outcome.seconds:6.2f} s {(outcome.grown or 0) >> 20:4} MiB"
                print(f"{case.name:<40} {told} {problem}", flush=True)
    for code, count in sorted(codes.items()):
        print(f"{code:<20} {count:5}")
    print(f"{len(chosen)} files, at most {longest:.1f} s and {largest >> 20} MiB for one, {wrong} not as they must be")
    return 1 if wrong or not chosen else 0


def write(chosen: list[Case], directory: Path) -> int:
    """Leave the files in a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    index = [{"file": corpus.place(case, directory).name, "case": case.name, "code": case.code} for case in chosen]
    (directory / "index.json").write_text(json.dumps(index, indent=1) + "\n", encoding="ascii")
    print(f"{len(index)} files in {directory}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
