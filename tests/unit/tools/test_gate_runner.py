# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runner of the gates: what counts as a failure, what the summary says, and that nothing outlives it."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest
from tools.gate_runner import Children, Gate, Result, judge, run_gate, run_gates, summarise


def gate(code: str, **settings: object) -> Gate:
    """A gate that runs a line of Python."""
    return Gate("probe", (sys.executable, "-c", code), "a probe", **settings)  # type: ignore[arg-type]


def run_one(one: Gate, logs: Path) -> Result:
    return run_gates([one], logs=logs, say=lambda text: None)[0]


@pytest.mark.parametrize(
    ("text", "exit_code", "ok", "passed", "failed"),
    [
        ("==== 12 passed in 0.30s ====", 0, True, 12, 0),
        ("12 passed, 1 skipped in 0.30s", 0, True, 12, 0),
        ("==== 2 failed, 10 passed, 1 error in 61.00s (0:01:01) ====", 1, False, 10, 3),
        ("==== 3 passed in 0.30s ====\n==== 4 passed in 1.00s ====", 0, True, 7, 0),
        ("==== 3 passed in 0.30s ====\r\n", 0, True, 3, 0),
        ("==== 3 passed in 0.30s ====", 2, False, 3, 1),
        ("==== no tests ran in 0.00s ====", 5, False, 0, 0),
        ("==== 4 skipped in 0.10s ====", 0, False, 0, 0),
        ("a test printed: 99 passed", 0, False, 0, 0),
        ("", 0, False, 0, 0),
    ],
)
def test_pytest_is_judged_by_its_closing_lines(text: str, exit_code: int, ok: bool, passed: int, failed: int) -> None:
    result = judge(gate("", kind="pytest"), exit_code=exit_code, text=text)
    assert (result.ok, result.passed, result.failed) == (ok, passed, failed)


def test_a_skipped_test_is_told_loudly() -> None:
    text = "SKIPPED [3] tests/unit/test_x.py:7: no wine here\n==== 1 passed, 3 skipped in 0.30s ===="
    result = judge(gate("", kind="pytest"), exit_code=0, text=text)
    assert result.unexercised == ["probe: 3 skipped, tests/unit/test_x.py:7: no wine here"]


def test_steps_without_a_step_are_a_failure() -> None:
    steps = gate("", kind="steps", step=r"^did \w+")
    assert judge(steps, exit_code=0, text="did one\ndid two\n").passed == 2
    assert judge(steps, exit_code=0, text="nothing").complaint == "ran no test"


def test_failure_success_and_what_they_say(tmp_path: Path) -> None:
    good = run_one(gate("print('LANE: wine'); print('NOT EXERCISED: quotas, no NTFS')"), tmp_path)
    bad = run_one(gate("import sys; print('the reason'); sys.exit(3)"), tmp_path)
    assert good.ok
    assert not bad.ok
    text = summarise([good, bad], logs=tmp_path, seconds=1.0)
    assert "the reason" in text
    assert "lane: wine" in text
    assert "!!! NOT EXERCISED: quotas, no NTFS" in text
    assert text.splitlines()[-2].startswith("gates: 1 passed, 1 failed")
    assert text.splitlines()[-1] == "1 passed, 1 failed"


def test_a_command_that_is_not_there_fails_by_name(tmp_path: Path) -> None:
    result = run_one(Gate("probe", ("/nonexistent/tool",), ""), tmp_path)
    assert not result.ok
    assert "/nonexistent/tool" in result.complaint


def test_a_gate_gets_no_input(tmp_path: Path) -> None:
    assert run_one(gate("import sys; sys.exit(len(sys.stdin.read()))"), tmp_path).ok


def test_a_gate_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    started = time.monotonic()
    result = run_one(gate("import time; time.sleep(60)", seconds=1), tmp_path)
    assert result.complaint == "stopped after its 1 s"
    assert not result.ok
    assert time.monotonic() - started < 30


def test_a_stop_ends_a_gate_and_its_children_and_lets_no_other_begin(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(tmp_path / 'new')!r}, 'w').write(str(child.pid))\n"
        f"os.rename({str(tmp_path / 'new')!r}, {str(note)!r})\n"
        "time.sleep(60)"
    )
    children = Children()
    results: list[Result] = []
    runner = threading.Thread(
        target=lambda: results.append(run_gate(gate(code), log=tmp_path / "log", children=children))
    )
    runner.start()
    while not note.exists() and runner.is_alive():
        time.sleep(0.05)
    children.stop()
    runner.join(timeout=30)
    assert not results[0].ok
    assert ended(int(note.read_text()))
    late = run_gate(gate("import time; time.sleep(60)"), log=tmp_path / "late", children=children)
    assert not late.ok
    assert late.seconds < 30


def ended(pid: int) -> bool:
    """Whether a process is gone, or dead and only waits for init; a killed one is given a moment."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_lanes_run_beside_each_other_and_results_keep_their_order(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    wait = (
        "import pathlib, time\n"
        f"mark = pathlib.Path({str(mark)!r})\n"
        "end = time.monotonic() + 30\n"
        "while not mark.exists() and time.monotonic() < end: time.sleep(0.05)\n"
        "assert mark.exists()"
    )
    first = Gate("waits", (sys.executable, "-c", wait), "")
    second = Gate("marks", (sys.executable, "-c", f"open({str(mark)!r}, 'w')"), "", lane="lab")
    results = run_gates([first, second], logs=tmp_path, say=lambda text: None)
    assert [(result.gate.name, result.ok) for result in results] == [("waits", True), ("marks", True)]
