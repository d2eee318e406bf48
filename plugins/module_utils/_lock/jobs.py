# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs of a run, as their directories show them, and ending them.

A job's directory is ``runs/<run id>/<step>-<nonce>/``. ``alive.lock`` is locked by the job's process for all its life
and ``start.lock`` while it is being started; the file ``cancel`` asks it to stop, also before it has begun; ``pid`` is
JSON with its process id; ``result.json`` is its outcome.
"""

from __future__ import annotations

import json
import os
import time
from typing import Callable, List, Optional

from ansible_collections.wst.backup.plugins.module_utils import _fs
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._names import check_run_id
from ansible_collections.wst.backup.plugins.module_utils._platform import _retry, api

PATIENCE = 60.0  # seconds that a job has to stop by itself
BUSY_PATIENCE = 10.0  # seconds to wait for antivirus and others to let go of a job's file
_PAUSE = 0.1


def live_jobs(layout: HostLayout, run_id: str) -> List[str]:
    """The names of the run's jobs that work or are being started. Raises PathPermissions or PathUnusable."""
    directory = os.path.join(layout.runs_dir, check_run_id(run_id))
    try:
        entries = [entry for entry in api.scan(directory) if entry.kind == api.DIRECTORY]
        return sorted(entry.name for entry in entries if _lives(entry.path))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _fs.translate_oserror(error, directory) from error


def _lives(directory: str) -> bool:
    return any(_locked(os.path.join(directory, name)) for name in ("alive.lock", "start.lock"))


def _locked(path: str) -> bool:
    """Whether a living process has that lock. It is given back at once: a starting job tries for two seconds."""
    if not os.path.exists(api.long_path(path)):
        return False
    lock = api.FileLock(path, first_byte=True)
    try:
        return not _retry.while_busy(lock.try_acquire, patience=BUSY_PATIENCE)
    finally:
        lock.release()


def cancel_jobs(
    layout: HostLayout,
    run_id: str,
    *,
    patience: float = PATIENCE,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> List[str]:
    """End the run's jobs: ask, wait, and after ``patience`` seconds kill. Returns the names of those that lived.

    Raises NoSpace, PathPermissions or PathUnusable.
    """
    directory = os.path.join(layout.runs_dir, check_run_id(run_id))
    asked = live_jobs(layout, run_id)
    for name in asked:
        _ask(os.path.join(directory, name))
    end = clock() + patience
    waiting = asked
    while waiting and clock() < end:
        sleep(_PAUSE)
        waiting = [name for name in waiting if _lives(os.path.join(directory, name))]
    for name in waiting:
        _kill(os.path.join(directory, name))
    return asked


def _ask(directory: str) -> None:
    path = os.path.join(directory, "cancel")
    if os.path.exists(api.long_path(path)):
        return
    try:
        with open(api.long_path(path), "ab"):
            pass
    except OSError as error:
        raise _fs.translate_oserror(error, path) from error


def _kill(directory: str) -> None:
    """The lock is held, so the process id is the job's and nobody else's."""
    try:
        pid = _pid(os.path.join(directory, "pid"))
        if pid is not None and _locked(os.path.join(directory, "alive.lock")):
            api.end_process(pid)
    except OSError as error:
        raise _fs.translate_oserror(error, directory) from error


def _pid(path: str) -> Optional[int]:
    """The job's process; None where it has not begun. Raises OSError when the file is there and cannot be read."""
    try:
        pid = json.loads(_retry.while_busy(lambda: _content(path), patience=BUSY_PATIENCE).decode("utf-8"))["pid"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return pid if isinstance(pid, int) else None


def _content(path: str) -> bytes:
    with api.open_source(path) as file:  # its errors tell who holds the file from who may not read it
        return file.read()
