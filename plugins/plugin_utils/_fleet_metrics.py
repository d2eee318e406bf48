# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet as a Prometheus textfile. Names follow Velero's where it has one for the same thing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Optional

from ansible_collections.wst.backup.plugins.plugin_utils._clock import parse_time
from ansible_collections.wst.backup.plugins.plugin_utils._fleet import newest
from ansible_collections.wst.backup.plugins.plugin_utils._verdicts import COMPLIANT, EXEMPT

METRICS = {
    "wst_backup_compliant": "Whether the host complies with the doctrine (1) or not, or is not known to (0).",
    "wst_backup_requirement_met": "Whether a requirement is met or exempt (1) or not, or is not known to be (0).",
    "wst_backup_requirement_exempt": "Whether a requirement is exempt (1) or not (0).",
    "wst_backup_host_reached": "Whether the host could be judged by the last evaluation (1) or not (0).",
    "wst_backup_evaluation_timestamp_seconds": "When the host was last judged, or last could be.",
    "wst_backup_last_successful_timestamp_seconds": "When the last backup that succeeded began.",
    "wst_backup_last_status": "Whether the last backup succeeded (1) or not (0).",
    "wst_backup_last_duration_seconds": "How long the last backup that succeeded took.",
    "wst_backup_last_artifact_size_bytes": "The size of the last successful backup's artifact.",
    "wst_backup_restore_test_last_successful_timestamp_seconds": "When the last restore test that succeeded ended.",
    "wst_backup_restore_test_last_status": "Whether the last restore test succeeded (1) or not (0).",
    "wst_backup_restore_test_rto_seconds": "How long the last successful restore test took to get the data back.",
    "wst_backup_restore_test_rpo_seconds": "How old the data was that the last successful restore test brought back.",
    "wst_backup_sets": "Sets on a layer.",
    "wst_backup_counting_sets": "Sets on a layer that count as good backups.",
    "wst_backup_layer_used_bytes": "The size of all sets on a layer.",
    "wst_backup_layer_free_bytes": "Free space on a layer's disk.",
    "wst_backup_layer_capacity_bytes": "The size of a layer's disk.",
    "wst_backup_layer_full_seconds": "How long a layer's disk will last at the rate of the last sets.",
    "wst_backup_due_timestamp_seconds": "When the next backup or restore test is due.",
}
_DAY = 86400
Sample = tuple[str, dict[str, str], Optional[float]]


def metrics(document: Mapping[str, Any]) -> str:
    """The textfile; what is not known has no sample."""
    samples = [sample for host in document["hosts"] for sample in _samples(host)]
    lines: list[str] = []
    for name, text in METRICS.items():
        told = [_line(name, labels, value) for each, labels, value in samples if each == name and value is not None]
        if told:
            lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge", *told]
    return "\n".join(lines) + "\n"


def _line(name: str, labels: Mapping[str, str], value: float) -> str:
    told = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{name}{{{told}}} {value:.15g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _samples(host: Mapping[str, Any]) -> Iterable[Sample]:
    labels = {"host": str(host["name"]), "environment": str(host["environment"] or "")}
    yield "wst_backup_compliant", labels, float(host["verdict"] == COMPLIANT)
    yield "wst_backup_host_reached", labels, float(host["reached"] and not host["error"])
    yield "wst_backup_evaluation_timestamp_seconds", labels, _time(host["known_at"])
    for each in host["requirements"]:
        own = {**labels, "requirement": str(each["id"])}
        yield "wst_backup_requirement_met", own, float(each["verdict"] in (COMPLIANT, EXEMPT))
        yield "wst_backup_requirement_exempt", own, float(each["verdict"] == EXEMPT)
    yield from _backups(host["runs"], labels)
    yield from _drills(host["drills"], labels)
    for layer in host["layers"]:
        yield from _layer(layer, {**labels, "layer": str(layer["layer"])})
    for due in host["next"]:
        yield "wst_backup_due_timestamp_seconds", {**labels, "what": str(due["what"])}, _time(due["due_at"])


def _backups(runs: Iterable[Mapping[str, Any]], labels: dict[str, str]) -> Iterable[Sample]:
    runs = list(runs)
    last, good = newest(runs), newest(runs, "success")
    if last is not None:
        yield "wst_backup_last_status", labels, float(last["result"] == "success")
    if good is not None:
        yield "wst_backup_last_successful_timestamp_seconds", labels, _time(good["at"])
        yield "wst_backup_last_duration_seconds", labels, good["seconds"]
        yield "wst_backup_last_artifact_size_bytes", labels, good["bytes"]


def _drills(drills: Iterable[Mapping[str, Any]], labels: dict[str, str]) -> Iterable[Sample]:
    drills = list(drills)
    last, good = newest(drills), newest(drills, "success")
    if last is not None:
        yield "wst_backup_restore_test_last_status", labels, float(last["result"] == "success")
    if good is not None:
        yield "wst_backup_restore_test_last_successful_timestamp_seconds", labels, _time(good["at"])
        yield "wst_backup_restore_test_rto_seconds", labels, good["rto_seconds"]
        yield "wst_backup_restore_test_rpo_seconds", labels, good["rpo_seconds"]


def _layer(layer: Mapping[str, Any], labels: dict[str, str]) -> Iterable[Sample]:
    days = layer["full_in_days"]
    yield "wst_backup_sets", labels, layer["sets"]
    yield "wst_backup_counting_sets", labels, layer["counting"]
    yield "wst_backup_layer_used_bytes", labels, layer["bytes"]
    yield "wst_backup_layer_free_bytes", labels, layer["free_bytes"]
    yield "wst_backup_layer_capacity_bytes", labels, layer["total_bytes"]
    yield "wst_backup_layer_full_seconds", labels, None if days is None else days * _DAY


def _time(text: Optional[str]) -> Optional[float]:
    return parse_time(text).timestamp() if text else None
