# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run gates: a command each, its output in a log, its verdict in a table.

A gate fails when its command does, when it takes too long, and when it was to run tests and ran none. Its command
speaks to the summary through its output: a line ``NOT EXERCISED: what, why`` is repeated loudly at the end, a line
``LANE: which`` says what the tests ran against.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.paths import ROOT, environment

TAIL_LINES = 40
PYTEST_CLOSING = re.compile(
    r"^(?:=+ )?\d+ (?:passed|failed|errors?|skipped|deselected|xfailed|xpassed)\b.* in [0-9.]+s\b.*$", re.M
)
OUTCOME = re.compile(r"\b(\d+) (passed|failed|errors?|skipped|deselected|xfailed|xpassed)\b")
SKIP_REASON = re.compile(r"^SKIPPED \[(\d+)\] (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Gate:
    """One check of the whole.

    :param kind: ``pytest`` (its closing lines are counted), ``check`` (counts as one test), or ``steps`` (every match
        of ``step`` in its output counts as one, and there must be one).
    :param quick_arguments: what its command gets on top when it has to answer quickly.
    :param lane: gates of one lane run one after the other; lanes run beside each other.
    """

    name: str
    argv: tuple[str, ...]
    about: str
    kind: str = "check"
    step: str = ""
    lane: str = "light"
    quick: bool = False
    quick_arguments: tuple[str, ...] = ()
    seconds: int = 600


@dataclass
class Result:
    """What came of a gate."""

    gate: Gate
    exit_code: int
    seconds: float
    passed: int = 0
    failed: int = 0
    complaint: str = ""
    unexercised: list[str] = field(default_factory=list)
    lanes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether the gate lets through."""
        return self.exit_code == 0 and not self.complaint and self.failed == 0


def run_gates(gates: Sequence[Gate], *, logs: Path, say: Callable[[str], None]) -> list[Result]:
    """Run the gates, lanes beside each other; results in the order of the gates. Children do not outlive the call."""
    logs.mkdir(parents=True, exist_ok=True)
    results: dict[str, Result] = {}
    children = Children()

    def run_lane(members: Iterable[Gate]) -> None:
        for gate in members:
            if children.stopped:
                return
            result = run_gate(gate, log=logs / f"{gate.name}.log", children=children)
            results[gate.name] = result
            say(f"{'ok  ' if result.ok else 'FAIL'} {gate.name} ({result.seconds:.0f} s)")

    lanes = list(dict.fromkeys(gate.lane for gate in gates))
    threads = [
        threading.Thread(target=run_lane, args=([gate for gate in gates if gate.lane == lane],), name=lane, daemon=True)
        for lane in lanes
    ]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        children.stop()
    return [results[gate.name] for gate in gates]


class Children:
    """The gates that run now, each the leader of a process group, so that an interrupt ends them all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self.stopped = False

    def add(self, process: subprocess.Popen[bytes]) -> None:
        """Remember a group; one that starts after the stop is ended at once."""
        with self._lock:
            self._running.add(process)
        if self.stopped:
            end_group(process)

    def remove(self, process: subprocess.Popen[bytes]) -> None:
        """Forget a group: its leader has ended and was waited for."""
        with self._lock:
            self._running.discard(process)

    def stop(self) -> None:
        """End what still runs."""
        self.stopped = True
        with self._lock:
            running = list(self._running)
        for process in running:
            end_group(process)


def run_gate(gate: Gate, *, log: Path, children: Children) -> Result:
    """Run one gate to its end or its time limit, its output in ``log``."""
    started = time.monotonic()
    complaint = ""
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(
                gate.argv,
                cwd=ROOT,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as exc:
            return Result(gate, 127, 0.0, failed=1, complaint=f"cannot start {gate.argv[0]}: {exc.strerror}")
        children.add(process)
        try:
            exit_code = process.wait(timeout=gate.seconds)
        except subprocess.TimeoutExpired:
            complaint = f"stopped after its {gate.seconds} s"
            end_group(process)
            exit_code = process.wait()
        finally:
            children.remove(process)
    result = judge(gate, exit_code=exit_code, text=log.read_text(encoding="utf-8", errors="replace"))
    result.seconds = time.monotonic() - started
    result.complaint = complaint or result.complaint
    return result


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Ask a process group to end, give its leader ten seconds, then end what is left of the group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            continue


def judge(gate: Gate, *, exit_code: int, text: str) -> Result:
    """Count what ran and find what the output says to the summary."""
    text = text.replace("\r\n", "\n")
    result = Result(gate, exit_code, 0.0)
    if gate.kind == "pytest":
        count_pytest(result, text)
    elif gate.kind == "steps":
        result.passed = len(re.findall(gate.step, text, re.MULTILINE))
        result.failed = 0 if exit_code == 0 else 1
    else:
        result.passed, result.failed = (1, 0) if exit_code == 0 else (0, 1)
    if result.passed + result.failed == 0:
        result.complaint = "ran no test"
    elif exit_code != 0 and result.failed == 0:
        result.failed = 1
    result.unexercised += re.findall(r"^NOT EXERCISED: (.*)$", text, re.MULTILINE)
    result.lanes = list(dict.fromkeys(re.findall(r"^LANE: (.*)$", text, re.MULTILINE)))
    return result


def count_pytest(result: Result, text: str) -> None:
    """Add up the closing lines of every pytest run in the output; a skipped test is a thing not exercised."""
    for closing in PYTEST_CLOSING.findall(text):
        for number, outcome in OUTCOME.findall(closing):
            if outcome == "passed":
                result.passed += int(number)
            elif outcome in ("failed", "error", "errors", "xpassed"):
                result.failed += int(number)
    for number, reason in SKIP_REASON.findall(text):
        result.unexercised.append(f"{result.gate.name}: {number} skipped, {reason}")


def summarise(results: Sequence[Result], *, logs: Path, seconds: float, missing: Sequence[str] = ()) -> str:
    """The closing report: the tails of what failed, the table, what was not exercised, and one line of sums."""
    lines: list[str] = []
    for result in results:
        if not result.ok:
            lines += [
                f"===== {result.gate.name}: end of {logs / (result.gate.name + '.log')}",
                *tail(logs, result.gate),
                "",
            ]
    width = max([len(result.gate.name) for result in results], default=4)
    lines += [f"{'gate':<{width}}  result  tests  seconds"]
    for result in results:
        word = "ok" if result.ok else "FAILED"
        extra = f"  {result.complaint}" if result.complaint else ""
        lines += [f"{result.gate.name:<{width}}  {word:<6}  {result.passed:>5}  {result.seconds:>7.1f}{extra}"]
    lanes = dict.fromkeys(lane for result in results for lane in result.lanes)
    lines += [f"lane: {lane}" for lane in lanes]
    unexercised = [*missing, *(text for result in results for text in result.unexercised)]
    lines += [f"!!! NOT EXERCISED: {text}" for text in dict.fromkeys(unexercised)]
    good = sum(result.ok for result in results)
    lines += [f"gates: {good} passed, {len(results) - good} failed, {seconds:.0f} s in all"]
    failed = sum(max(result.failed, 0 if result.ok else 1) for result in results)
    lines += [f"{sum(result.passed for result in results)} passed, {failed} failed"]
    return "\n".join(lines)


def tail(logs: Path, gate: Gate) -> list[str]:
    """The last lines of a gate's log."""
    path = logs / f"{gate.name}.log"
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    return text.splitlines()[-TAIL_LINES:]


def say(text: str) -> None:
    """A line on the terminal, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
