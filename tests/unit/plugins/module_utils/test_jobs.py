# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress is told seldom, cancelling is heard soon, and neither ever harms the work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict

import pytest

from ansible_collections.wst.backup.plugins.module_utils import _jobs
from ansible_collections.wst.backup.plugins.module_utils._errors import Cancelled
from ansible_collections.wst.backup.plugins.module_utils._jobs import Reporter


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def reporter(tmp_path: Path, clock: Clock) -> Reporter:
    return Reporter(progress_file=str(tmp_path / "progress.json"), cancel_file=str(tmp_path / "cancel"), clock=clock)


def told(tmp_path: Path) -> Dict[str, Any]:
    body = json.loads((tmp_path / "progress.json").read_bytes())
    assert isinstance(body, dict)
    return body


def test_what_is_told(tmp_path: Path) -> None:
    clock = Clock()
    job = reporter(tmp_path, clock)
    job.step("dump", unit="bytes")
    clock.now += 2
    job.progress(500, 2000, "public.orders")
    body = told(tmp_path)
    assert body.pop("at").endswith("Z")
    assert body == {"step": "dump", "done": 500, "total": 2000, "unit": "bytes", "rate": 250, "item": "public.orders"}
    assert [path.name for path in tmp_path.iterdir()] == ["progress.json"]


def test_it_is_told_once_a_second_and_at_once_for_a_new_step(tmp_path: Path) -> None:
    clock = Clock()
    job = reporter(tmp_path, clock)
    seen = []
    for done in range(100):
        job.progress(done)
        seen.append(told(tmp_path)["done"])
        clock.now += 0.1
    assert len(set(seen)) == 10
    job.step("next", unit="files")
    job.progress(0)
    assert (told(tmp_path)["step"], told(tmp_path)["unit"], told(tmp_path)["rate"]) == ("next", "files", None)


def test_cancelling_is_heard_within_half_a_second(tmp_path: Path) -> None:
    clock = Clock()
    job = reporter(tmp_path, clock)
    job.progress(1)
    (tmp_path / "cancel").write_bytes(b"")
    job.progress(2)  # asked just now
    clock.now += 0.5
    with pytest.raises(Cancelled):
        job.progress(3)
    clock.now += 0.5
    with pytest.raises(Cancelled):
        job.check()


def test_progress_that_cannot_be_told_harms_nobody(tmp_path: Path) -> None:
    (tmp_path / "progress.json").mkdir()
    (tmp_path / "progress.json" / "x").write_bytes(b"")
    job = reporter(tmp_path, Clock())
    job.progress(1)


def test_without_a_job_nothing_happens() -> None:
    _jobs.step("anything")
    _jobs.progress(1, 2, "x")
    _jobs.check()
