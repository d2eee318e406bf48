# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Can the run write where it must, and can nobody else?"""

from __future__ import annotations

import os
import secrets
from functools import partial
from typing import List, Optional

from ansible_collections.wst.backup.plugins.module_utils import _fs
from ansible_collections.wst.backup.plugins.module_utils._access import explain
from ansible_collections.wst.backup.plugins.module_utils._errors import PathPermissions, PathUnusable
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._names import probe_name
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._preflight.report import Report, Request

PROBE_SIZE = 4096  # bytes; enough to need a block of its own


def check_targets(request: Request, report: Report) -> None:
    """Every directory of ours but the mirror: there, private, and (with a probe) writable.

    Those of the lock, the audit log, jobs and readers have been written by the time a run comes here, or will be
    made by it, closed; they are not probed.
    """
    layout = HostLayout(request.root)
    for path in (request.root, layout.scratch_dir, request.local_dir):
        if report.attempt(partial(check_private_directory, path, request.operator)) and request.probe:
            report.attempt(partial(probe, path))
    for path in (layout.lock_dir, layout.audit_dir, layout.runs_dir, layout.holds_dir):
        if os.path.isdir(api.long_path(path)):  # before the first run they may be missing: it makes them
            report.attempt(partial(check_private_directory, path, request.operator))


def check_private_directory(path: str, operator: Optional[str]) -> None:
    """Raises ``PathUnusable`` when it is no directory, ``PathPermissions`` when others may read or write it."""
    if not os.path.isdir(api.long_path(path)):
        raise PathUnusable(f"{path} is not there, or is not a directory", path=path)
    open_to = access_of(path, operator)
    if open_to:
        message, told = explain("{} is open: {}".format(path, "; ".join(open_to)), path, operator=operator)
        raise PathPermissions(message, **told, open_to=open_to)


def access_of(path: str, operator: Optional[str]) -> List[str]:
    """Who else may read or change it. Raises the named failure when that cannot be told, ``PathUnusable`` for an
    operator account that does not exist."""
    try:
        return api.access_problems(path, operator)
    except OSError as error:
        raise _fs.translate_oserror(error, path) from error
    except LookupError as error:
        raise PathUnusable(f"the operator account {operator} is not known here", operator=operator) from error


def probe(path: str) -> None:
    """Write a file, flush it, read it back and remove it: what a full, protected or failing volume refuses.

    Raises ``NoSpace``, ``PathPermissions`` or ``PathUnusable``.
    """
    content = secrets.token_bytes(PROBE_SIZE)
    name = os.path.join(path, probe_name(secrets.token_hex(8)))
    try:
        with api.create_new(name) as file:
            file.write(content)
            api.flush_file(file)
        with api.open_source(name) as file:
            same = file.read() == content
    except OSError as error:
        raise _fs.translate_oserror(error, path) from error
    finally:
        _remove(name)
    if not same:
        raise PathUnusable(f"what was written to {path} is not what was read back", path=path)


def _remove(name: str) -> None:
    try:
        os.unlink(api.long_path(name))
    except OSError:
        pass  # it was never made, or the failure that is on its way says why
