# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints the numbers of ``docs/proof.md``: ``python -m tools.proof corpus | bits | fuzz``."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tools.paths import CACHE
from tools.proof import bits, corpus, programs
from tools.proof import fuzz as fuzzer
from tools.proof.artifact import small
from tools.proof.case import Case

FINDINGS = CACHE / "fuzz"
MEMORY = "/dev/shm"  # a file for each flip: no disk need hold them


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
    two = commands.add_parser("bits", help="flip every bit of a small artifact, its sidecar and its state")
    two.add_argument("--explain", action="store_true", help="say what the bits were that no one noticed")
    three = commands.add_parser("fuzz", help="hand mutated files to the verification, for a while")
    three.add_argument("--seconds", type=float, default=300)
    three.add_argument("--seed", type=int, default=None, help="of an earlier run, to have the same cases again")
    three.add_argument("--programs-every", type=int, default=fuzzer.PROGRAMS_EVERY, metavar="N")
    options = parser.parse_args(argv)
    if options.command == "fuzz":
        return fuzz(options)
    if options.command == "bits":
        return flip(explain=options.explain)
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


def flip(*, explain: bool) -> int:
    """Flip every bit and say who noticed."""
    artifact = small(streamed=False)  # with a streamed member each flip would inflate a MiB
    with tempfile.TemporaryDirectory(dir=MEMORY if os.path.isdir(MEMORY) else None) as name:
        directory = Path(name)
        alone = bits.flip_zip(artifact, directory, bits.every_bit(artifact.zip), sidecar=False)
        beside = bits.flip_zip(artifact, directory, bits.every_bit(artifact.zip), sidecar=True)
        sidecar = bits.flip_sidecar(artifact, directory, bits.every_bit(artifact.sidecar))
        state = bits.flip_state(artifact, directory, bits.every_bit(artifact.state))
    tallies = {"the ZIP, with its sidecar": beside, "the sidecar": sidecar, "the state file": state}
    for what, tally in {**tallies, "the ZIP alone": alone}.items():
        missed = tally.missed.total()
        print(f"{what:<26} {tally.flipped:6} bits flipped, {tally.flipped - missed:6} found, {missed:5} not")
    if explain:
        print("of the ZIP alone, nobody noticed:")
        for meaning, count in sorted(alone.missed.items()):
            print(f"  {count:5}  {meaning}")
    return 1 if any(tally.missed or not tally.flipped for tally in tallies.values()) else 0


def fuzz(options: argparse.Namespace) -> int:
    """Fuzz for so many seconds; 1 for findings, which stay in ``.cache/fuzz``."""
    seed = options.seed if options.seed is not None else secrets.randbelow(1 << 32)
    print(f"seed {seed}, {options.seconds:.0f} s; compared with zipfile and {programs.installed()}", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=MEMORY if os.path.isdir(MEMORY) else None) as name:
        run = fuzzer.Fuzzer(seed, scratch=Path(name), keep=FINDINGS, programs_every=options.programs_every)
        report = run.run(options.seconds)
    minutes = (time.monotonic() - started) / 60
    for code, count in sorted(report.codes.items()):
        print(f"{code:<20} {count:8}")
    rate = report.cases / minutes
    print(
        f"{report.cases} cases, {rate:.0f} a minute, {len(report.answers)} different answers, "
        f"{report.compared} compared, {len(report.findings)} findings"
    )
    print(*report.findings, sep="\n")
    return 1 if report.findings or not report.cases else 0


def write(chosen: list[Case], directory: Path) -> int:
    """Leave the files in a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    index = [{"file": corpus.place(case, directory).name, "case": case.name, "code": case.code} for case in chosen]
    (directory / "index.json").write_text(json.dumps(index, indent=1) + "\n", encoding="ascii")
    print(f"{len(index)} files in {directory}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
