# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module ``db_key`` does: reads what it was given, proves the authority, and lets the rotation run."""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, List, Mapping, Optional

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._authority.check import require
from ansible_collections.wst.backup.plugins.module_utils._authority.levels import L5
from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid
from ansible_collections.wst.backup.plugins.module_utils._keychange.files import KeyFiles
from ansible_collections.wst.backup.plugins.module_utils._keychange.rotate import PSQL, Order, Rotation
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import held
from ansible_collections.wst.backup.plugins.module_utils._pg import options as options_of
from ansible_collections.wst.backup.plugins.module_utils._pg.key import parse_key
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import find_optional_tool
from ansible_collections.wst.backup.plugins.module_utils._preflight.targets import check_private_directory

CARRIED = "db_password_new"  # the new key's name among the context's secrets
PURPOSE = "rotate_db_key"
BACKUP, RESTORE = KEYS = ("backup", "restore")  # whose key: of the role that takes backups, or of the one that restores


def work(params: Mapping[str, Any], *, check_mode: bool, warn: Callable[[str], None]) -> Dict[str, Any]:
    """Rotate, end an earlier rotation, or hand the key over; the module's result.

    :raises NotAuthorized: and as ``_authority.check.require``: L5 was not proven.
    :raises InputInvalid: the options contradict each other.
    :raises KeyMalformed: the new password can be no key. PathPermissions: others may write where the key stands.
    :raises BackupError: as ``Rotation.run``.
    """
    if params["change_server"] and params["await_server"]:
        raise InputInvalid("change_server and await_server are two ways: choose one")
    layout = HostLayout(params["root"])
    options = options_of.from_params(params["database"])
    key_file = params["key_file"] or _place(layout, params["key"])
    new = _new_key()
    check_private_directory(os.path.dirname(key_file), params["operator"])
    details = {"key_file": key_file, "server": options.place, "user": options.user, "operator": params["operator"]}
    details.update({name: params[name] for name in ("key", "change_server", "await_server")})
    require(layout, L5, PURPOSE, details, dry_run=check_mode)
    psql = find_optional_tool(params["tools_dir"], PSQL)
    if psql is None:
        warn(f"the login was not tried with psql: there is none in {params['tools_dir']}")
    order = Order(
        options=options,
        files=KeyFiles(key_file, params["operator"]),
        new=new,
        psql=psql.path if psql else None,
        change_server=params["change_server"],
        await_server=params["await_server"],
        hand_over=params["operator"] is not None,
        along=_others(layout, key_file, params["operator"]),
    )
    if check_mode:
        return _run(Rotation(order, None))
    with held(layout) as lease:
        return _run(Rotation(order, lease))


def _run(rotation: Rotation) -> Dict[str, Any]:
    rotation.run()
    return rotation.result()


def _place(layout: HostLayout, key: str) -> str:
    return layout.restore_key_file if key == RESTORE else layout.key_file


def _others(layout: HostLayout, key_file: str, operator: Optional[str]) -> List[KeyFiles]:
    """The host's other key, where there is one: left with the old account, it would stop the next backup."""
    paths = [path for path in (_place(layout, key) for key in KEYS) if path != key_file]
    return [files for files in (KeyFiles(path, operator) for path in paths) if files.exists()]


def _new_key() -> Optional[str]:
    came = _context.secret(CARRIED)
    return None if came is None else parse_key(came.encode("utf-8", "surrogatepass"), path="the new password")
