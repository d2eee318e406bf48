# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stops what uses production before a restore, and starts it again after it: services, and application pools of IIS.

What was not running before is nobody's to be started.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence

from ansible_collections.wst.backup.plugins.module_utils import _jobs
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    BackupError,
    InputInvalid,
    RestoreTargetRefused,
    ServiceFailed,
)
from ansible_collections.wst.backup.plugins.module_utils._host import pools
from ansible_collections.wst.backup.plugins.module_utils._platform import api

SERVICE, POOL = "service", "application pool"
STOPPED, RUNNING = "stopped", "running"
_UP = (RUNNING, "paused")
_PAUSE = 0.25  # seconds between two looks
_NOT_NOW = 1061  # it takes no such request at this moment
_DEPENDENTS_RUN = 1051


@dataclass(frozen=True)
class Unit:
    """Something that can be stopped and started."""

    kind: str
    name: str

    def in_words(self) -> str:
        """For messages."""
        return f"{self.kind} {self.name}"

    def state(self) -> Optional[str]:
        """What it is doing; None where there is none of that name. Raises OSError, ToolFailed, ToolMissing."""
        return pools.state(self.name) if self.kind == POOL else api.service_state(self.name)

    def stop(self) -> None:
        """Ask it to stop. Raises as ``state``."""
        (pools.stop if self.kind == POOL else api.stop_service)(self.name)

    def start(self) -> None:
        """Ask it to start. Raises as ``state``."""
        (pools.start if self.kind == POOL else api.start_service)(self.name)

    def dependents(self) -> List[str]:
        """What runs and needs it; empty where that cannot be told."""
        try:
            return list(api.dependent_services(self.name)) if self.kind == SERVICE else []
        except OSError:
            return []


def units_of(services: Sequence[str], app_pools: Sequence[str]) -> List[Unit]:
    """In the order in which they are stopped: pools, which use services, first. Raises InputInvalid."""
    units = [*(Unit(POOL, name) for name in app_pools), *(Unit(SERVICE, name) for name in services)]
    folded = [(unit.kind, unit.name.casefold()) for unit in units]
    if len(set(folded)) < len(folded) or not all(unit.name.strip() for unit in units):
        raise InputInvalid("a service or application pool is named twice, or not at all", units=[*services, *app_pools])
    return units


class Steward:
    """Stops and starts units.

    :param timeout: seconds that each of them has.
    """

    def __init__(
        self,
        *,
        timeout: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._timeout = timeout
        self._clock = clock
        self._sleep = sleep

    def look(self, units: Sequence[Unit]) -> Dict[Unit, str]:
        """What each is doing. Raises RestoreTargetRefused with all those that do not exist; ServiceFailed."""
        found = {unit: self._state(unit) for unit in units}
        missing = [unit.in_words() for unit, state in found.items() if state is None]
        if missing:
            raise RestoreTargetRefused("there is no {}".format(", no ".join(missing)), missing=missing)
        return {unit: state for unit, state in found.items() if state is not None}

    def stop(self, units: Sequence[Unit]) -> List[Unit]:
        """Stop those that run, in this order, and tell which did. Raises as ``look``.

        Where one does not stop, those before it are started again.
        """
        stopped: List[Unit] = []
        for unit, state in self.look(units).items():
            if state == STOPPED:
                continue
            try:
                self._stop(unit)
            except BackupError as error:
                raise self._restarted(error, unit, stopped) from error
            stopped.append(unit)
        return stopped

    def start(self, units: Sequence[Unit]) -> List[Unit]:
        """Start those that do not run, in the reverse order, and tell which; as many as can be, whatever fails.

        Raises as ``look``, and at the end ServiceFailed with all that did not start.
        """
        started: List[Unit] = []
        failed: List[BackupError] = []
        for unit, state in reversed(list(self.look(units).items())):
            if state in _UP:
                continue
            try:
                self._start(unit)
            except BackupError as error:
                failed.append(error)
            else:
                started.append(unit)
        if failed:
            raise ServiceFailed(
                "; ".join(error.message for error in failed),
                problems=[error.as_problem() for error in failed],
                started=[unit.in_words() for unit in started],
            )
        return started

    def _stop(self, unit: Unit) -> None:
        for state in self._looks(unit, STOPPED):
            if state == STOPPED:
                return
            if state in _UP:
                self._ask(unit, unit.stop)

    def _start(self, unit: Unit) -> None:
        asked = False
        for state in self._looks(unit, RUNNING):
            if state in _UP:
                return
            if state == STOPPED and asked:
                raise ServiceFailed(f"{unit.in_words()} stopped as soon as it was started", unit=unit.in_words())
            if state == STOPPED:
                asked = self._ask(unit, unit.start)

    def _looks(self, unit: Unit, wanted: str) -> Iterator[Optional[str]]:
        """Its state, again and again until its time is over. Raises ServiceFailed then."""
        end = self._clock() + self._timeout
        while True:
            state = self._state(unit)
            yield state
            if self._clock() >= end:
                raise ServiceFailed(
                    f"{unit.in_words()} is {state} and not {wanted} after {self._timeout:g} seconds",
                    unit=unit.in_words(),
                    state=state,
                )
            self._sleep(_PAUSE)

    def _ask(self, unit: Unit, request: Callable[[], None]) -> bool:
        """Whether the request was taken. Raises ServiceFailed."""
        try:
            request()
        except OSError as error:
            code = getattr(error, "winerror", None)
            if code == _NOT_NOW:
                return False
            more = f", for these need it: {', '.join(unit.dependents())}" if code == _DEPENDENTS_RUN else ""
            raise _failed(unit, error, more) from error
        return True

    def _state(self, unit: Unit) -> Optional[str]:
        try:
            return unit.state()
        except OSError as error:
            raise _failed(unit, error) from error

    def _restarted(self, error: BackupError, unit: Unit, stopped: List[Unit]) -> ServiceFailed:
        """The failure, once those that were stopped before run again."""
        left: List[str] = []
        for before in reversed(stopped):
            try:
                self._start(before)
            except BackupError:
                left.append(before.in_words())
        more = f". Stopped by us and not started again: {', '.join(left)}" if left else ""
        return ServiceFailed(f"{error.message}{more}", **{**error.facts, "unit": unit.in_words(), "left_stopped": left})


def _failed(unit: Unit, error: OSError, more: str = "") -> ServiceFailed:
    reason = error.strerror or type(error).__name__
    return ServiceFailed(
        f"{unit.in_words()}: {reason.rstrip('.')}{more}",
        unit=unit.in_words(),
        winerror=getattr(error, "winerror", None),
    )


def run(units: Sequence[Unit], *, stop: bool, timeout: float, dry_run: bool) -> Dict[str, Any]:
    """The result of module ``host_services``."""
    steward = Steward(timeout=timeout)
    _jobs.check()
    if dry_run:
        states = steward.look(units)
        changed = [unit for unit, state in states.items() if (state != STOPPED) is stop]
    else:
        changed = steward.stop(units) if stop else steward.start(units)
    return {
        "changed": bool(changed),
        "services": [unit.name for unit in changed if unit.kind == SERVICE],
        "app_pools": [unit.name for unit in changed if unit.kind == POOL],
    }
