# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module ``offsite_key``, without Ansible: another SAS on the host, tried before it replaces the old one."""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, Mapping

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._authority.check import require
from ansible_collections.wst.backup.plugins.module_utils._authority.levels import L5
from ansible_collections.wst.backup.plugins.module_utils._clock import format_time, utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import OffsiteKeyUnusable
from ansible_collections.wst.backup.plugins.module_utils._keychange.files import KeyFiles
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import held
from ansible_collections.wst.backup.plugins.module_utils._offsite.client import opened
from ansible_collections.wst.backup.plugins.module_utils._offsite.options import PATIENCE, place_from
from ansible_collections.wst.backup.plugins.module_utils._offsite.sas import Sas, check_sas, sas_from
from ansible_collections.wst.backup.plugins.module_utils._preflight.targets import check_private_directory

CARRIED = "offsite_sas_new"  # the new SAS's name among the context's secrets
PURPOSE = "offsite_key"


def put_key(params: Mapping[str, Any], *, dry_run: bool, warn: Callable[[str], None]) -> Dict[str, Any]:
    """Put the SAS that came with the payload into its file; the module's result.

    It is tried first: the container is listed with it. Raises ``NotAuthorized`` and as ``require``,
    ``OffsiteKeyUnusable``, ``OffsiteUnauthorised`` and as ``Store`` does (then the file is as it was), and as
    ``KeyFiles`` and ``held`` do.
    """
    layout = HostLayout(params["root"])
    path = params["key_file"] or layout.offsite_key_file
    sas = _carried()
    check_private_directory(os.path.dirname(path), params["operator"])
    place = place_from(params)
    require(layout, L5, PURPOSE, {"key_file": path, "place": place.told}, dry_run=dry_run)
    for warning in check_sas(sas, utc_now()):
        warn(warning)
    with opened(place, sas.token, PATIENCE) as store:
        store.list(place.blob(""))
    files = KeyFiles(path, params["operator"])
    changed = files.current() != sas.token or not files.is_closed()
    if changed and not dry_run:
        with held(layout):
            files.stage(sas.token)
            files.promote(sas.token)
    expires = None if sas.expires is None else format_time(sas.expires)
    return {"changed": changed, "key_file": path, "expires": expires, "permissions": sas.permissions}


def _carried() -> Sas:
    came = _context.secret(CARRIED)
    if came is None:
        raise OffsiteKeyUnusable("no new SAS came with the task (variable wst_backup_offsite_sas_new)")
    return sas_from(came.encode("utf-8", "surrogatepass"), name="the new SAS")
