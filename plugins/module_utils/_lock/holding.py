# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Working under the run's lease: for every module that changes something."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import Iterator, Optional

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError, LeaseLost, Locked, RecordDamaged
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.lease import Lease
from ansible_collections.wst.backup.plugins.module_utils._lock.runlock import PATIENCE, RunLock
from ansible_collections.wst.backup.plugins.module_utils._platform import api

HEARTBEAT_EVERY = 30.0  # seconds


class Held:
    """The lease, held by this process until the block of ``held`` ends."""

    def __init__(self, lock: RunLock, run_id: str) -> None:
        self._lock = lock
        self.run_id = run_id
        self._guard = threading.Lock()  # the heartbeat and the work use the same file
        self._ended = threading.Event()

    def check(self) -> None:
        """Right before anything is published or deleted. Raises LeaseLost when the lease is no longer this run's."""
        with self._guard:
            self._read()

    def beat(self) -> None:
        """Say that the run is alive. Raises LeaseLost; NoSpace and its like when it could not be written."""
        with self._guard:
            self._lock.write(self._read().beaten(utc_now(), os.getpid(), api.boot_id()))

    def _read(self) -> Lease:
        try:
            lease = self._lock.read()
        except RecordDamaged as error:
            raise LeaseLost(f"the lease of run {self.run_id} was damaged while it ran", run_id=self.run_id) from error
        if lease is None:
            raise LeaseLost(f"run {self.run_id} has no lease on this host", run_id=self.run_id)
        if lease.run_id != self.run_id:
            raise LeaseLost(
                f"run {self.run_id} has lost the host to run {lease.run_id}",
                run_id=self.run_id,
                holder=lease.as_body(),
            )
        return lease

    def keep_beating(self, every: float) -> None:
        """Until ``stop``. A beat that fails is tried again: nobody can take the host while we hold the lock."""
        while not self._ended.wait(every):
            try:
                self.beat()
            except LeaseLost:
                return  # the work's own check will say so
            except BackupError:
                pass

    def stop(self) -> None:
        """No beat after this."""
        self._ended.set()


@contextlib.contextmanager
def held(
    layout: HostLayout,
    run_id: Optional[str] = None,
    *,
    patience: float = PATIENCE,
    heartbeat_every: float = HEARTBEAT_EVERY,
) -> Iterator[Held]:
    """Hold the host's lock for the block, under the lease of the run (by default, of the current one).

    :param patience: seconds to wait for the previous module's process to end.
    :raises NotProved: outside of a run. LeaseLost: the lease is another's or gone. Locked: a process of this run
        still works. NoSpace, PathPermissions, PathUnusable: the lease cannot be renewed.
    """
    lock = RunLock(layout)
    holding = Held(lock, run_id or _context.require_run_id())
    if not os.path.isdir(api.long_path(layout.lock_dir)):
        raise LeaseLost(f"run {holding.run_id} has no lease on this host", run_id=holding.run_id)
    if not lock.take_os_lock(patience):
        holding.check()
        raise Locked(f"another process works on this host under the lease of run {holding.run_id}")
    beats = threading.Thread(target=holding.keep_beating, args=(heartbeat_every,), daemon=True)
    try:
        holding.beat()
        beats.start()
        yield holding
    finally:
        holding.stop()
        if beats.is_alive():
            beats.join()
        with contextlib.suppress(BackupError):
            holding.beat()
        lock.os_lock.release()
