# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fuzzer itself, for a moment; ``make fuzz`` and the gate of that name run it for longer."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tools.proof import corpus, fuzz, hostile_zip, mutate
from tools.proof.artifact import small
from tools.proof.zipbytes import parse

from ansible_collections.wst.backup.plugins.module_utils._archive import zipcontent

ARCHIVES = [parse(small(streamed=False).zip), hostile_zip.two(), hostile_zip.later()]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(which=st.integers(0, len(ARCHIVES) - 1), chance=st.randoms(use_true_random=False))
def test_a_mutant_is_proved_or_refused_by_name(tmp_path: Path, which: int, chance: object) -> None:
    (tmp_path / "x.zip").write_bytes(mutate.mutated(ARCHIVES[which], chance))  # type: ignore[arg-type]
    outcome = corpus.verified(str(tmp_path / "x.zip"))
    assert outcome.code != "internal_error"
    assert outcome.seconds < fuzz.SECONDS


@pytest.mark.posix
def test_equal_seeds_are_equal_runs_without_findings(tmp_path: Path) -> None:
    reports = []
    for _ in range(2):
        run = fuzz.Fuzzer(7, scratch=tmp_path, keep=tmp_path / "found", programs_every=50)
        for _ in range(300):
            run.step()
        reports.append(run.report)
    assert reports[0].findings == []
    assert reports[0].codes == reports[1].codes
    assert reports[0].compared > 10
    assert len(reports[0].codes) > 4


def test_a_failure_without_a_name_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object, **more: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(zipcontent, "_check_tail", broken)
    run = fuzz.Fuzzer(7, scratch=tmp_path, keep=tmp_path / "found", programs_every=50)
    for _ in range(30):
        run.step()
    assert any("KeyError" in finding for finding in run.report.findings)
    assert list((tmp_path / "found").glob("7-*.zip"))
