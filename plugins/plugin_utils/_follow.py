# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job on the host, followed from the control node: start it, show its progress, take its result, or stop it."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from . import _errors
from ._exchange import Exchange, FirstContactFailed

START_WAIT = 5.0  # seconds that the host waits for a short job's end before it answers
LONGEST_WAIT = 8.0  # the same for a poll: well below WinRM's operation timeout of 20 s
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds between polls
CANCEL_PATIENCE = 60.0  # seconds for a connection to tell the job to stop
CANCEL_GRACE = 30.0  # seconds that a job gets to stop by itself
UNREADABLE_PATIENCE = 300.0  # seconds for others on the host, antivirus as a rule, to let go of the job's files

_LIVES = ("running", "starting", "unreadable")  # states after which it makes sense to ask again
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_REFUSED = {cls.code: cls for cls in (_errors.RootMissing, _errors.NoSpace, _errors.JobStartFailed)}


class Interrupted(BaseException):
    """SIGINT or SIGTERM came while the job was running."""

    def __init__(self, number: int) -> None:
        super().__init__(f"signal {number}")
        self.number = number


@dataclass
class Follower:
    """Runs one job to its end.

    :ivar request: what every request about this job has in common (``root``, ``job``).
    :ivar show: called with each new state of the job's progress.
    :ivar warnings: what the user should know beyond the result.
    """

    exchange: Exchange
    request: Mapping[str, Any]
    show: Callable[[Mapping[str, Any]], None]
    warnings: list[str] = field(default_factory=list)

    def run(self, module: Mapping[str, Any]) -> dict[str, Any]:
        """Start the module as a job and return its outcome: ``rc``, ``stdout``, ``stderr``.

        Whatever ends the waiting here (``timeout``, an interrupt, an error) also ends the job there.

        :raises TransportError: ``module_killed``, ``cancelled``, ``connection_lost``, ``root_missing`` ...
        """
        with _signals_as_exceptions() as signals:
            self.exchange.heed = signals.heed
            try:
                try:
                    return self._follow({**self.request, **module, "mode": "start", "wait": START_WAIT})
                finally:
                    signals.hush()
            except (_errors.TransportError, FirstContactFailed):
                raise  # there is no job, or no way to it
            except BaseException:
                signals.hush()  # again: a signal may have come before the first one was over, and brought us here
                self.cancel()
                raise

    def _follow(self, request: Mapping[str, Any]) -> dict[str, Any]:
        pause, wait = FIRST_PAUSE, 2.0
        reply = self.exchange.ask(request)
        if reply.get("warning"):
            self.warnings.append(
                f"{reply['warning']}: the host forbids processes to leave the shell's job object, "
                "so this step ran inside the connection and would not have survived its loss"
            )
        readable = self.exchange.clock()
        while reply["state"] in _LIVES:
            self._progress(reply)
            if reply["state"] != "unreadable":
                readable = self.exchange.clock()
            elif self.exchange.clock() - readable >= UNREADABLE_PATIENCE:
                break
            self.exchange.sleep(pause)
            pause, wait = min(pause * 1.6, LONGEST_PAUSE), min(wait * 1.6, LONGEST_WAIT)
            reply = self.exchange.ask({**self.request, "mode": "poll", "wait": wait})
        self._progress(reply)
        return self._outcome(reply)

    def _progress(self, reply: Mapping[str, Any]) -> None:
        if reply.get("progress"):
            self.show(reply["progress"])

    def _outcome(self, reply: Mapping[str, Any]) -> dict[str, Any]:
        state = reply["state"]
        if state == "done":
            outcome: dict[str, Any] = reply["result"]
            return outcome
        if state == "refused":
            cls = _REFUSED.get(reply["code"], _errors.JobStartFailed)
            facts = reply.get("facts") or {}
            told = ", ".join(f"{name}: {value}" for name, value in facts.items())
            raise cls(f"The step could not be started on the host ({told}).", **facts)
        if state == "cancelled":
            raise _errors.ModuleCancelled("The step was cancelled before it began.")
        if state == "unreadable":
            raise _errors.ResultUnreadable(
                f"What became of the step on the host could not be read for {UNREADABLE_PATIENCE:.0f} s: "
                f"{reply.get('error')}",
                job="/".join(self.request["job"]),
                error=reply.get("error"),
            )
        progress, noise = reply.get("progress") or {}, (reply.get("stderr") or "").strip()
        gone = "vanished with its directory" if state == "absent" else "ended without a result"
        raise _errors.ModuleKilled(
            f"The step's process on the host {gone}." + (f" It said: {noise[-500:]}" if noise else ""),
            job="/".join(self.request["job"]),
            progress=progress,
            stderr=noise,
        )

    def cancel(self) -> None:
        """Ask the job to stop, wait for that, and end it if it does not; say so where that did not work."""
        exchange = self.exchange
        exchange.patience, exchange.contacted = CANCEL_PATIENCE, True
        # The host is told first: what is said goes by a queue, whose lock an interrupted worker may have died with.
        said: list[str] = []
        say, exchange.say = exchange.say, said.append
        try:
            exchange.reset()  # what we were waiting for may still be on its way
            self._end_job()
        except Exception as error:  # noqa: BLE001  the reason why we stop must not be covered by this
            self._say_it_lives(error)
        for text in said:
            say(text)

    def _end_job(self) -> None:
        deadline = self.exchange.clock() + CANCEL_GRACE
        state, last = "", False
        while not last:
            last = state == "refused" or self.exchange.clock() >= deadline  # what cannot even be asked is ended
            reply = self.exchange.ask({**self.request, "mode": "cancel", "wait": LONGEST_WAIT, "kill": last})
            state = reply["state"]
            if state not in (*_LIVES, "refused"):
                return
        self._say_it_lives(f"{state} {reply.get('facts') or reply.get('error') or ''}")

    def _say_it_lives(self, why: object) -> None:
        self.exchange.say(f"the step could not be told to stop and may still run on the host: {why}".rstrip())


class _Signals:
    """The first signal unwinds the stack, once. Its exception can get lost on the way (in a destructor, in a
    ``finally`` that fails), so the number is kept, and ``heed`` raises again."""

    def __init__(self) -> None:
        self.number: Optional[int] = None
        self._hushed = False

    def came(self, number: int, _frame: object) -> None:
        """The signal handler."""
        first, self.number = self.number is None, self.number or number
        if first:
            self.heed()

    def heed(self) -> None:
        """Raise ``Interrupted`` when a signal has come and the clean-up has not begun."""
        if self.number is not None and not self._hushed:
            raise Interrupted(self.number)

    def hush(self) -> None:
        """Let no signal stop the clean-up, nor the alarm of the task's ``timeout``; the clean-up has limits of its own.

        A signal that comes now does its work when the clean-up is over.
        """
        self._hushed = True
        if _in_main_thread():
            signal.alarm(0)


@contextlib.contextmanager
def _signals_as_exceptions() -> Iterator[_Signals]:
    """Let SIGINT and SIGTERM unwind the stack; afterwards they do what they would have done.

    Ansible's worker processes die of these signals on the spot, which would leave the job running.
    """
    signals = _Signals()
    if not _in_main_thread():
        yield signals
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        for number in _SIGNALS:
            signal.signal(number, signals.came)
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if signals.number is not None:
            os.kill(os.getpid(), signals.number)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
