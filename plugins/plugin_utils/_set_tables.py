# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets as people read them: what ``backup_info`` and ``backup_verify`` returned, as tables. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.wst.backup.plugins.plugin_utils._clock import parse_time
from ansible_collections.wst.backup.plugins.plugin_utils._outcome import carried, failure
from ansible_collections.wst.backup.plugins.plugin_utils._tables import age_text, count_text, size_text, table

_SETS = ("LAYER", "SET", "STATE", "COUNTS", "LEVEL", "SIZE", "AGE", "WHY")
_REPAIRS = ("LAYER", "SET", "FROM", "SIZE", "DAMAGE", "OUTCOME")
_PROOFS = ("ZIP", "RESULT", "STATE", "LEVEL", "FILES", "ROWS", "WHY")


def sets_table(layers: Iterable[Mapping[str, Any]]) -> list[str]:
    """The sets of all layers, and for each layer what else there is to know."""
    layers = list(layers)
    rows = [_set_row(layer["name"], each) for layer in layers for each in layer.get("sets") or ()]
    return [*(table(_SETS, rows) if rows else ["no sets"]), *(line for layer in layers for line in _layer_lines(layer))]


WHICH = ("newest", "all", "due")


def set_paths(layers: Iterable[Mapping[str, Any]], *, which: str, every_days: float = 7) -> list[dict[str, str]]:
    """The ZIPs (``path``, ``layer``) of whole sets, layer by layer.

    :param which: ``newest`` for the newest one of each layer that is not suspect, ``all`` for all of them, newest
        first, ``due`` for those to read again now, for all to be read in ``every_days``.
    :raises ValueError: something else.
    """
    if which not in WHICH:
        raise ValueError(f"backup_verify_sets is one of {', '.join(WHICH)}, not {which!r}")
    paths = []
    for layer in layers:
        separator = "\\" if "\\" in layer["path"] else "/"
        states = ("complete",) if which == "newest" else ("complete", "suspect", "safety")
        sets = [each for each in layer.get("sets") or () if each["state"] in states]
        if which == "due":
            sets = _due(sets, every_days)
        for each in sets[:1] if which == "newest" else sets:
            path = layer["path"].rstrip("\\/") + separator + each["artifact"] + ".zip"
            paths.append({"path": path, "layer": layer["name"]})
    return paths


def _due(sets: list[Mapping[str, Any]], every_days: float) -> list[Mapping[str, Any]]:
    """Every set that comes within a day of the limit, and before that, one at a time from half of the time on.

    So all are read in time when this is asked daily, few at once, and none much more often than that when hourly.
    """
    unread = sorted(((_unread_for(each), each["artifact"], each) for each in sets), reverse=True)
    late = (every_days - 1) * 86400
    first = min(late, every_days * 86400 / 2)
    return [each for place, (seconds, _name, each) in enumerate(unread) if seconds >= (late if place else first)]


def _unread_for(item: Mapping[str, Any]) -> float:
    """Seconds since its last full read, by the host's clock, from which its age is."""
    if not item.get("verified_at"):
        return float("inf")
    made, read = (parse_time(item[key]) for key in ("time", "verified_at"))
    return float(item["age"]) - (read - made).total_seconds()


def repair_table(result: Mapping[str, Any]) -> list[str]:
    """What ``backup_repair`` did, or would do, and what it cannot do."""
    rows = [_repair_row(each, "repaired") for each in result.get("repaired") or ()]
    rows += [_repair_row(each, str(each["reason"])) for each in result.get("hopeless") or ()]
    return table(_REPAIRS, rows) if rows else ["no set is damaged"]


def _repair_row(each: Mapping[str, Any], outcome: str) -> list[str]:
    named = [str(each.get(name) or "") for name in ("layer", "artifact", "source")]
    return [*named, size_text(each.get("size") or None), str(each.get("damage") or ""), outcome]


def verify_table(results: Iterable[Mapping[str, Any]]) -> list[str]:
    """What the verification of each ZIP found."""
    rows = [_proof_row(result) for result in results]
    return table(_PROOFS, rows) if rows else ["no complete set to verify"]


def verify_failures(
    results: Iterable[Mapping[str, Any]],
    *,
    level: int,
    layers: Iterable[Mapping[str, Any]],
    recorded: Mapping[str, Any] | None = None,
) -> list[str]:
    """Everything for which a verification is no success; empty when all was proved.

    :param level: what was asked for. A result that does not say that it was reached is a failure.
    :param layers: what ``backup_info`` said, where sets of layers were verified: a layer that cannot be read, or has
        nothing to verify, is a failure too.
    :param recorded: what ``audit_log`` said to the record of it; an audit log that does not hold, or could not be
        written, is a failure.
    """
    told = _failures(results, level=level, layers=layers)
    return [each["msg"] for each in (*told, *_record_failures(recorded or {}))]


def verify_record(
    results: Iterable[Mapping[str, Any]], *, level: int, layers: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """A verification as the audit log gets it: ``result``, ``code``, ``text`` and ``details``; the rest as above."""
    results = list(results)
    failed = _failures(results, level=level, layers=layers)
    proved = [
        {"file": _file_of(each), "level": each["level"], "sha256": each.get("sha256")}
        for each in results
        if _is_proved(each, level)
    ]
    return {
        "result": "failure" if failed else "success",
        "code": failed[0]["code"] if failed else "",
        "text": failed[0]["msg"] if failed else "",
        "details": {"level": int(level), "proved": proved, "failures": len(failed)},
    }


def _failures(
    results: Iterable[Mapping[str, Any]], *, level: int, layers: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    told = [_failed_proof(result) for result in results if not _is_proved(result, level)]
    return [*told, *(each for layer in layers for each in _layer_failures(layer))]


def _file_of(result: Mapping[str, Any]) -> str:
    item = result.get("item") or result.get("file") or ""
    return str(item.get("path") or "") if isinstance(item, Mapping) else str(item)


def _is_proved(result: Mapping[str, Any], level: int) -> bool:
    reached = result.get("level")
    return not result.get("code") and not result.get("failed") and isinstance(reached, int) and reached >= int(level)


def _failed_proof(result: Mapping[str, Any]) -> dict[str, Any]:
    told = failure(result, step="Verify")
    item = _file_of(result)
    return told if not item or item in told["msg"] else {**told, "msg": f"{item}: {told['msg']}"}


def _record_failures(recorded: Mapping[str, Any]) -> list[dict[str, Any]]:
    if recorded.get("problem"):
        return [carried({"Record the verification": recorded})]
    return [failure(recorded, step="Record the verification")] if recorded.get("code") or recorded.get("failed") else []


def _layer_failures(layer: Mapping[str, Any]) -> list[dict[str, Any]]:
    name = f"layer {layer['name']} at {layer['path']}"
    problem = layer.get("problem")
    if problem:
        return [{"code": problem["code"], "msg": f"{name}: {problem['code']}: {problem['message']}"}]
    sets = layer.get("sets") or ()
    damaged = [_damage(name, each) for each in sets if each["state"] == "damaged"]
    unfinished = [f"{each['artifact']} ({each.get('reason')})" for each in sets if each["state"] != "complete"]
    if damaged or len(unfinished) < len(sets):
        return damaged
    message = f"there is no complete set to verify{''.join(f'; {each}' for each in unfinished)}"
    return [{"code": "not_proved", "msg": f"{name}: not_proved: {message}"}]


def _damage(layer: str, each: Mapping[str, Any]) -> dict[str, Any]:
    """A set that an earlier read found damaged: verifying another one must not hide it."""
    message = (
        f"{layer}: artifact_damaged: {each['artifact']} is damaged: {each.get('reason')}. Run playbook repair.yml."
    )
    return {"code": "artifact_damaged", "msg": message}


def _set_row(layer: str, each: Mapping[str, Any]) -> list[str]:
    return [
        layer,
        str(each["artifact"]),
        str(each["state"]),
        "yes" if each.get("counts") else "no",
        str(each.get("level") or ""),
        size_text(each.get("size")),
        age_text(each.get("age")),
        "; ".join(text for text in (str(each.get("reason") or ""), _pin(each), _drill(each)) if text),
    ]


def _drill(each: Mapping[str, Any]) -> str:
    at = each.get("drilled_at")
    return f"drilled {at[:10]}" if at else ""


def _pin(each: Mapping[str, Any]) -> str:
    pinned = each.get("pinned")
    return f"pinned: {pinned['reason']}" if pinned else ""


def _layer_lines(layer: Mapping[str, Any]) -> list[str]:
    name = f"{layer['name']} {layer['path']}"
    if layer.get("problem"):
        return [f"{name}: {layer['problem']['code']}, {layer['problem']['message']}"]
    days = layer.get("days_until_full")
    full = f"full in {days:.0f} days" if isinstance(days, (int, float)) else "no forecast"
    free = size_text(layer.get("free")) or "unknown"
    why = layer.get("forecast") or "no reason given"
    lines = [f"{name}: {layer.get('counting') or 0} count, free {free}, {full} ({why})"]
    for file in layer.get("foreign") or ():
        what = "foreign ZIP" if file.get("zip") else "foreign file"
        lines.append(
            f"{name}: {what} {file['name']}, {size_text(file.get('size'))} ({file.get('reason') or 'not ours'})"
        )
    return lines


def _proof_row(result: Mapping[str, Any]) -> list[str]:
    told = {} if _is_proved(result, 1) else _failed_proof(result)
    remarks = "; ".join(map(str, result.get("remarks") or ()))
    return [
        _file_of(result),
        str(told.get("code") or "ok"),
        str(result.get("state") or ""),
        str(result.get("level") or ""),
        count_text(result.get("files")),
        count_text(result.get("rows")),
        str(told.get("msg") or remarks),
    ]
