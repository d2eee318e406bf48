# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands mutated archives to the verification: whatever is neither proved nor refused by name is a finding.

So is a case that takes long or much memory, one that we let pass and another program reads differently, and one that
the independent check judges otherwise. A mutant
that was answered as no other before is mutated further. The same seed is the same run.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tools.proof import checker, corpus, hostile_ours, hostile_zip, mutate, programs
from tools.proof.artifact import STEM, Artifact, small
from tools.proof.case import PROVED
from tools.proof.zipbytes import Zip, parse

SECONDS = 5.0  # of processor time, for a file of a few KiB
MEMORY = 64 << 20
LARGEST_SEED = 64 << 10
PROGRAMS_EVERY = 20  # of the files that pass: starting three programs takes as long as a hundred cases


@dataclass
class Report:
    """What came of a run."""

    cases: int = 0
    compared: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    answers: set[str] = field(default_factory=set)
    findings: list[str] = field(default_factory=list)


class Fuzzer:
    """One run. Findings are left in ``keep``."""

    def __init__(self, seed: int, *, scratch: Path, keep: Path, programs_every: int = PROGRAMS_EVERY) -> None:
        self.report = Report()
        self._chance = Random(seed)
        self._seed = seed
        self._path = scratch / f"{STEM}.zip"
        self._sidecar = scratch / f"{STEM}.manifest.json"
        self._keep = keep
        self._programs_every = programs_every
        self._artifacts = [small(), small(streamed=False)]
        self._archives: list[Zip] = [parse(artifact.zip) for artifact in self._artifacts]
        self._archives += [hostile_zip.two(), hostile_zip.packed(), hostile_zip.later(), Zip()]
        self._archives.append(Zip(hostile_zip.two().parts, end64={}, locator={}))
        self._raw = _small_cases()

    def run(self, seconds: float) -> Report:
        """For so long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.step()
        return self.report

    def step(self) -> None:
        """One case."""
        chance = self._chance
        kind = chance.random()
        self._sidecar.unlink(missing_ok=True)
        if kind < 0.6:
            # Artifacts of ours have most to go wrong.
            data = mutate.mutated(chance.choice((*self._archives, *self._archives[:2] * 3)), chance)
        elif kind < 0.9:
            data = mutate.raw(chance.choice(self._raw), chance)
        else:
            artifact = chance.choice(self._artifacts)
            data = artifact.zip
            self._sidecar.write_bytes(_sidecar(artifact, chance))
        self._judge(data)

    def _judge(self, data: bytes) -> None:
        self._path.write_bytes(data)
        self.report.cases += 1
        for level in (1, 2):
            try:
                outcome = corpus.watched(str(self._path), level=level)
            except Exception as error:
                self._found(f"{type(error).__name__}: {error}")
                return
            if outcome.code == "internal_error" or outcome.seconds > SECONDS or (outcome.grown or 0) > MEMORY:
                self._found(f"{outcome}")
        difference = checker.disagreement(str(self._path), outcome)
        if difference:
            self._found(difference)
        self.report.codes[outcome.code or "proved"] += 1
        answer = re.sub(r"[0-9]+|member \S+", "#", outcome.message.partition(": ")[2])[:60] or outcome.code
        if answer not in self.report.answers:
            self.report.answers.add(answer)
            if len(data) < LARGEST_SEED:
                self._raw.append(data)
        if outcome.code == PROVED:
            self._compare()

    def _compare(self) -> None:
        self.report.compared += 1
        every = self._programs_every
        try:
            for difference in programs.differences(self._path, programs=self.report.compared % every == 0):
                self._found(difference)
        except Exception as error:
            self._found(f"what we let pass: {type(error).__name__}: {error}")

    def _found(self, what: str) -> None:
        self._keep.mkdir(parents=True, exist_ok=True)
        name = self._keep / f"{self._seed}-{self.report.cases}"
        name.with_suffix(".zip").write_bytes(self._path.read_bytes())
        if self._sidecar.exists():
            name.with_suffix(".manifest.json").write_bytes(self._sidecar.read_bytes())
        self.report.findings.append(f"{name}.zip: {what}")


def _small_cases() -> list[bytes]:
    made = (case.make() for case in corpus.cases() if not case.hole and not case.name.startswith(("bombs/", "json/")))
    return [data for data in made if len(data) < LARGEST_SEED]


def _sidecar(artifact: Artifact, chance: Random) -> bytes:
    if chance.random() < 0.5:
        return mutate.raw(artifact.sidecar, chance)
    body: Any = json.loads(artifact.sidecar)["body"]
    mutate.twist(body, chance)
    return hostile_ours.seal(body)
