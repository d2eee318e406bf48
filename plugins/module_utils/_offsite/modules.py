# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules ``backup_offsite`` and ``offsite_fetch``, without Ansible."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any, Callable, Dict, Mapping

from ansible_collections.wst.backup.plugins.module_utils import _jobs
from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._names import check_prefix
from ansible_collections.wst.backup.plugins.module_utils._offsite import fetch as fetching
from ansible_collections.wst.backup.plugins.module_utils._offsite.options import place_from, store_from
from ansible_collections.wst.backup.plugins.module_utils._offsite.step import Offsite, Request, keep_offsite, preview
from ansible_collections.wst.backup.plugins.module_utils._platform import api as platform
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer, progress_meter
from ansible_collections.wst.backup.plugins.module_utils._sets.problems import gathered

Warn = Callable[[str], None]


def offsite(params: Mapping[str, Any], *, dry_run: bool, warn: Warn) -> Dict[str, Any]:
    """Keep the sets offsite; the module's result. Raises the first problem, all of them among its facts."""
    check_prefix(params["prefix"])
    if params["reread_days"] < 0:
        raise InputInvalid("reread_days must not be negative", reread_days=params["reread_days"])
    request = Request(
        layout=HostLayout(params["root"]),
        layer=Layer(params["layer"]["name"], params["layer"]["path"]),
        prefix=params["prefix"],
        place=place_from(params),
        which=params["sets"],
        reread_every=timedelta(days=params["reread_days"]),
    )
    _jobs.step("offsite")
    with store_from(params, warn=warn) as store:
        done = preview(request, store) if dry_run else keep_offsite(request, store)
    for warning in done.warnings:
        warn(warning)
    result = _result(done, request)
    if done.problems:
        told = {name: result[name] for name in ("uploaded", "verified", "damaged")}
        raise gathered(done.problems, **told)
    return result


def _result(done: Offsite, request: Request) -> Dict[str, Any]:
    return {
        "changed": done.changed,
        "place": request.place.told,
        "uploaded": done.uploaded,
        "verified": done.verified,
        "present": done.present,
        "gone": done.gone,
        "damaged": done.damaged,
        "bytes": done.bytes,
        "bytes_kept": done.kept,
        "protection": done.protection,
    }


def fetch(params: Mapping[str, Any], *, dry_run: bool, warn: Warn) -> Dict[str, Any]:
    """Bring a set back; the module's result. Raises as ``fetch.fetch``."""
    check_prefix(params["prefix"])
    place = place_from(params)
    _jobs.step("fetch")
    with store_from(params, warn=warn) as store:
        found = fetching.sets_there(store, place, params["prefix"])
        listed = [{"artifact": each.artifact.stem, "size": each.zip.size} for each in found]
        if params["target"] is None:
            return {"changed": False, "sets": listed}
        chosen = fetching.choose(found, params["artifact"], params["prefix"], place)
        path = Layer("fetched", params["target"]).file(chosen.artifact.zip)
        if dry_run:
            _data, sidecar = fetching.read_sidecar_there(store, chosen)
            there = os.path.lexists(platform.long_path(path))
            return _fetched(chosen.artifact.stem, path, sidecar.sha256, 0 if there else sidecar.size, listed)
        meter = progress_meter(chosen.zip.size * 2, place.told)
        done = fetching.fetch(store, chosen, params["target"], meter=meter)
    result = _fetched(done.artifact, done.path, done.sidecar.sha256, done.bytes, listed)
    return {**result, "changed": not done.was_there}


def _fetched(artifact: str, path: str, sha256: str, size: int, listed: Any) -> Dict[str, Any]:
    return {
        "changed": size > 0,
        "artifact": artifact,
        "path": path,
        "sha256": sha256,
        "bytes": size,
        "sets": listed,
    }
