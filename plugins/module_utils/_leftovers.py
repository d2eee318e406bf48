# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small files of ours, of no set, that a process which was killed has left: write probes, and markers of a mirror,
independent checks and records of the host that never got their name.

Such a file lives for seconds. One is removed when everything says that it is ours and nobody's any more: its name to
the letter, a regular file, small, not the live run's, and an hour old. Whatever lacks one of these stays.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Callable, List, Optional

from ansible_collections.wst.backup.plugins.module_utils._fs import translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._names import parse_leftover, parse_record_partial
from ansible_collections.wst.backup.plugins.module_utils._platform import api

AGE = timedelta(hours=1)
LARGEST = 64 * 1024  # bytes; a probe has 4096, a marker a few hundred, the check half of it


def is_leftover(entry: api.Entry) -> bool:
    """Whether this name in a directory is such a file, of a living process or a dead one."""
    return parse_leftover(entry.name) is not None and entry.kind == api.FILE and entry.size <= LARGEST


def leftovers(directory: str, *, own: str, now: datetime) -> List[str]:
    """The names that may be removed, sorted; raises ``BackupError`` where the directory cannot be listed.

    :param own: the live run.
    """
    return _old([entry for entry in _entries(directory) if is_leftover(entry)], parse_leftover, own=own, now=now)


def record_partials(directory: str, *, own: str, now: datetime) -> List[str]:
    """The same of the unfinished records in a directory below the host root, where only we write."""
    found = [entry for entry in _entries(directory) if entry.kind == api.FILE]
    return _old(found, parse_record_partial, own=own, now=now)


def _entries(directory: str) -> List[api.Entry]:
    try:
        return list(api.scan(directory))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise translate_oserror(error, directory) from error


def _old(found: List[api.Entry], owner: Callable[[str], Optional[str]], *, own: str, now: datetime) -> List[str]:
    latest = (now - AGE).timestamp()
    old = [entry.name for entry in found if entry.mtime_ns / 10**9 <= latest]
    return sorted(name for name in old if owner(name) not in (None, own))
