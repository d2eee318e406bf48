# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step ``backup_info``: what stands on the layers. Changes nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Dict, Optional, Sequence

from ansible_collections.wst.backup.plugins.module_utils._clock import format_time
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError
from ansible_collections.wst.backup.plugins.module_utils._fs import translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._names import ZIP
from ansible_collections.wst.backup.plugins.module_utils._platform import api as platform
from ansible_collections.wst.backup.plugins.module_utils._retention.forecast import forecast
from ansible_collections.wst.backup.plugins.module_utils._retention.plan import Policy
from ansible_collections.wst.backup.plugins.module_utils._sets.catalog import BackupSet, Foreign
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import read_layer
from ansible_collections.wst.backup.plugins.module_utils._sets.state import Event, Ruling


def report_layers(layers: Sequence[Layer], *, prefix: str, policy: Policy, now: datetime) -> Dict[str, Any]:
    """Every layer's report; a layer that cannot be read is reported with its problem, and the others all the same."""
    return {"changed": False, "layers": [_report(layer, prefix=prefix, policy=policy, now=now) for layer in layers]}


def _report(layer: Layer, *, prefix: str, policy: Policy, now: datetime) -> Dict[str, Any]:
    report: Dict[str, Any] = {"name": layer.name, "path": layer.path, "problem": None}
    try:
        catalog = read_layer(layer, prefix=prefix)
        volume = platform.volume(layer.path)
    except BackupError as error:
        return {**report, **_nothing(), "problem": error.as_problem()}
    except OSError as error:
        return {**report, **_nothing(), "problem": translate_oserror(error, layer.path).as_problem()}
    outlook = forecast(catalog.counting, policy, volume.free)
    return {
        **report,
        "sets": [_describe(item, now) for item in catalog.sets],
        "counting": len(catalog.counting),
        "newest": catalog.counting[0].artifact.stem if catalog.counting else None,
        "foreign": [_describe_foreign(one) for one in catalog.foreign],
        "free": volume.free,
        "total": volume.total,
        "days_until_full": outlook.days,
        "forecast": outlook.reason,
    }


def _nothing() -> Dict[str, Any]:
    """The keys of a layer that cannot be read."""
    return {
        "sets": [],
        "counting": 0,
        "newest": None,
        "foreign": [],
        "free": None,
        "total": None,
        "days_until_full": None,
        "forecast": "unknown: the layer cannot be read",
    }


def _describe(item: BackupSet, now: datetime) -> Dict[str, Any]:
    state = item.state
    verified = state.verified if state else None
    return {
        "artifact": item.artifact.stem,
        "state": item.status,
        "counts": item.counts,
        "reason": item.reason,
        "size": item.size,
        "time": format_time(item.artifact.time),
        "age": int((now - item.artifact.time).total_seconds()),
        "level": item.level,
        "sha256": item.sidecar.sha256 if item.sidecar else None,
        "run_id": item.sidecar.run_id if item.sidecar else None,
        "verified_at": format_time(verified.at) if verified else None,
        "published_at": _at(state.published) if state else None,
        "mirrored_at": _at(state.mirrored) if state else None,
        "repaired_at": _at(state.repaired) if state else None,
        "drilled_at": _at(state.drilled) if state else None,
        "suspect": list(item.sidecar.suspect) if item.sidecar else [],
        "accepted": _ruling(state.accepted) if state else None,
        "pinned": _ruling(state.pinned) if state else None,
    }


def _at(event: Optional[Event]) -> Optional[str]:
    return format_time(event.at) if event else None


def _ruling(ruling: Optional[Ruling]) -> Optional[Dict[str, str]]:
    return {"at": format_time(ruling.at), "by": ruling.by, "reason": ruling.reason} if ruling else None


def _describe_foreign(one: Foreign) -> Dict[str, Any]:
    return {"name": one.name, "size": one.size, "reason": one.reason, "zip": one.name.lower().endswith(ZIP)}
