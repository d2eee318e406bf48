# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a long step tells about itself while it runs, and how it hears that it shall stop.

The transport starts long steps as jobs and reads ``progress.json`` of the job's directory; it asks a job to stop by
making the file ``cancel`` there. Outside of a job everything here does nothing.
"""

from __future__ import annotations

import os
import time
from typing import Any, Callable, Dict, Optional

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._clock import format_time, utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import Cancelled
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._records import canonical

REPORT_EVERY = 1.0  # seconds
CHECK_EVERY = 0.5  # seconds


class Reporter:
    """The progress of one job. ``clock`` counts seconds from anywhere, like ``time.monotonic``."""

    def __init__(
        self,
        *,
        progress_file: Optional[str],
        cancel_file: Optional[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._progress_file = progress_file
        self._cancel_file = cancel_file
        self._clock = clock
        self._reported: Optional[float] = None
        self._checked: Optional[float] = None
        self.step("")

    def step(self, name: str, *, unit: str = "bytes") -> None:
        """What is counted from now on begins at 0."""
        self._name = name
        self._unit = unit
        self._began = self._clock()
        self._reported = None

    def progress(self, done: int, total: Optional[int] = None, item: str = "") -> None:
        """So much is done. Cheap enough for every chunk. Raises Cancelled."""
        self.check()
        now = self._clock()
        if self._progress_file is None or (self._reported is not None and now - self._reported < REPORT_EVERY):
            return
        self._reported = now
        elapsed = now - self._began
        self._write(
            self._progress_file,
            {
                "step": self._name,
                "done": done,
                "total": total,
                "unit": self._unit,
                "rate": int(done / elapsed) if elapsed > 0 else None,  # units per second
                "item": item,
                "at": format_time(utc_now()),
            },
        )

    def check(self) -> None:
        """Raises Cancelled when the controller asked the job to stop."""
        now = self._clock()
        if self._cancel_file is None or (self._checked is not None and now - self._checked < CHECK_EVERY):
            return
        self._checked = now
        if os.path.exists(api.long_path(self._cancel_file)):
            raise Cancelled("the job was asked to stop", step=self._name)

    def _write(self, path: str, state: Dict[str, Any]) -> None:
        """Nobody's work fails because its progress could not be shown."""
        temporary = path + ".new"
        try:
            with open(api.long_path(temporary), "wb") as file:
                file.write(canonical(state))
            os.replace(api.long_path(temporary), api.long_path(path))
        except OSError:
            pass


_reporter: Optional[Reporter] = None


def reporter() -> Reporter:
    """The reporter of this process' job."""
    global _reporter  # noqa: PLW0603 - one process is one job
    if _reporter is None:
        context = _context.current()
        _reporter = Reporter(progress_file=context.progress_file, cancel_file=context.cancel_file)
    return _reporter


def step(name: str, *, unit: str = "bytes") -> None:
    """Name what is counted from now on."""
    reporter().step(name, unit=unit)


def progress(done: int, total: Optional[int] = None, item: str = "") -> None:
    """Report ``done`` of ``total`` units, and what is worked on. Raises Cancelled."""
    reporter().progress(done, total, item)


def check() -> None:
    """Raises Cancelled when the controller asked the job to stop."""
    reporter().check()
