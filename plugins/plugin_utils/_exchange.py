# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request, one answer, however often the connection breaks in between.

All requests are safe to repeat: attached modules are read-only or idempotent, a second ``start`` attaches to the job
of the first. So a lost connection is handled in one way everywhere: forget it, wait a little, ask again.

What ends our process on the host with its shell may do so before it has said a word, which looks like a Python that is
missing or wrong. The first request of a task believes that; a later one asks again, because a job may live by then.
"""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable

from . import _connection, _errors, _payload, _reply

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds between attempts

_SILENT = (_errors.PythonMissing, _errors.PythonWrong, _errors.PayloadDamaged)  # also: ended before it said a word


class FirstContactFailed(Exception):
    """The host was never reached; Ansible calls it unreachable."""


class _Lost(Exception):
    """The connection broke, or the process that should have answered went with it."""


@dataclass
class Exchange:
    """Asks the host's runner.

    :ivar execute: runs the host's Python on a line of input; returns ``rc``, ``stdout`` and ``stderr``.
    :ivar reset: forgets the connection.
    :ivar python: the interpreter, for messages.
    :ivar patience: seconds without a connection after which it counts as lost for good.
    :ivar say: shows a line to the user.
    :ivar contacted: the host has answered before, in this task or in this run.
    :ivar reached: whether there was a connection when it failed; then it was not the first contact that failed.
    :ivar heed: called before each attempt; raises what must end the waiting.
    """

    execute: Callable[[bytes], Mapping[str, Any]]
    reset: Callable[[], object]
    python: str
    patience: float
    say: Callable[[str], None]
    contacted: bool = False
    reached: Callable[[], bool] = lambda: False
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    heed: Callable[[], None] = lambda: None
    _asked: bool = False  # a request has been sent, whatever became of it

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The runner's answer.

        :raises FirstContactFailed: the connection failed and the host has never answered.
        :raises TransportError: ``connection_lost`` after ``patience`` seconds, or what ``_reply.read`` raises: at once
            where this is the first request, else after ``patience`` seconds.
        """
        lost_since = None
        pause = FIRST_PAUSE
        while True:
            self.heed()
            try:
                return self._ask_once(request)
            except _Lost as lost:
                cause = lost.__cause__ or lost
            now = self.clock()
            lost_since = now if lost_since is None else lost_since
            self._give_up_or_not(cause, gone=now - lost_since)
            self.say(f"connection lost ({_first_line(cause)}); asking again in {pause:.0f} s")
            self.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            self.reset()

    def _ask_once(self, request: Mapping[str, Any]) -> dict[str, Any]:
        nonce = secrets.token_hex(8)
        line = _payload.pack({**request, "reply": nonce})
        first, self._asked = not self._asked, True
        outside = sys.exc_info()[1]
        try:
            raw = self.execute(line)
        except Exception as error:
            stop = _connection.covered(error, outside)
            if stop is not None:
                raise stop from None
            if _connection.is_trouble(error):
                self.contacted = self.contacted or self.reached()
                raise _Lost from error
            raise
        self.contacted = True
        try:
            return _reply.read(raw["stdout"], raw["stderr"], raw["rc"], nonce=nonce, python=self.python)
        except (_errors.ReplyDamaged, _errors.ModuleKilled) as error:
            if request["mode"] == "attached":
                raise
            # Our runner, not the job, was ended with the shell; the job may well live.
            raise _Lost from error
        except _SILENT as error:
            if first:
                raise
            raise _Lost from error

    def _give_up_or_not(self, cause: BaseException, *, gone: float) -> None:
        if not self.contacted:
            raise FirstContactFailed(_first_line(cause)) from cause
        answered = isinstance(cause, _errors.TransportError)  # its text quotes the host, not the connection
        if not answered and _connection.is_rejection(cause):
            raise _errors.ConnectionLost(
                f"The host refused the credentials that it took before: {_first_line(cause)}", reason="rejected"
            ) from cause
        if gone >= self.patience and isinstance(cause, _SILENT):
            raise type(cause)(
                f"{cause.message} It was so for {self.patience:.0f} s, after an earlier request of this task; what "
                "that one started may still run on the host.",
                **cause.facts,
            ) from cause
        if gone >= self.patience:
            raise _errors.ConnectionLost(
                f"The connection broke and did not come back within {self.patience:.0f} s: {_first_line(cause)}",
                reason="timeout",
                waited_seconds=round(gone),
            ) from cause


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300]
