# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run came to, from the results of its steps. Pure functions: role ``backup`` shows what they say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.wst.backup.plugins.plugin_utils._tables import count_text, duration_text, size_text, table

# A failure without a code comes from Ansible itself: an option it refuses, a template that does not resolve.
_UNNAMED = "input_invalid"
_UNNAMED_REMEDY = "Ansible refused the task itself: correct the variable or option that the message names."

_PAUSED = "host_paused"  # ends a run that was not to be; nothing has failed

_TOLD = re.compile(r"([a-z][a-z0-9]*(?:_[a-z0-9]+)*): ")

_HEAD = ("HOST", "RESULT", "ARTIFACT", "SIZE", "FILES", "ROWS", "LEVEL", "MIRROR", "RETENTION", "DURATION")


def failure(result: Mapping[str, Any], *, step: str) -> dict[str, Any]:
    """A failed task's result as the record that the audit log and the last task of the role get.

    :param step: the name of the task that failed.
    """
    message = str(result.get("msg") or result.get("message") or "the task failed and gave no reason")
    told = _TOLD.match(message)  # a role that tidied up first fails with the words of what had failed
    code = result.get("code") or (told[1] if told else None)
    remedy = str(result.get("remedy") or (_UNNAMED_REMEDY if not code else ""))
    code = str(code or _UNNAMED)
    if code not in message:
        message = f"{code}: {message}"
    if remedy and remedy not in message:
        message = f"{message} {remedy}"
    return {"code": code, "msg": message, "remedy": remedy, "step": step, "facts": dict(result.get("facts") or {})}


def carried(results: Mapping[str, Any]) -> dict[str, Any]:
    """The first failure that a step named and went on with (``problem`` in its result); empty when there is none."""
    for step, result in results.items():
        problem = result.get("problem") if isinstance(result, Mapping) else None
        if problem:
            return failure({**problem, "msg": problem.get("message", "")}, step=step)
    return {}


def outcome(
    results: Mapping[str, Any],
    *,
    failed: Mapping[str, Any],
    began: float,
    ended: float,
    check: bool,
    stands: str = "",
) -> dict[str, Any]:
    """One host's run in a few facts.

    What stopped the run comes first; then what a step carried to the end; then a lock that could not be released.

    :param results: the registered results of the steps, by the step's name; missing and failed ones are fine.
        ``unlock`` is what ``failure`` made of a release that failed, or nothing.
    :param failed: what ``failure`` made of the failure that stopped the run, or an empty mapping.
    :param stands: what was done and stands, whatever failed after it: a message that does not say it is taken for
        "nothing was done".
    """
    end = dict(failed) or carried(results) or dict(results.get("unlock") or {})
    dump, archive, verify = (_done(results.get(name)) for name in ("dump", "archive", "verify"))
    publish, mirror, retention = (_done(results.get(name)) for name in ("publish", "mirror", "retention"))
    return {
        "code": end.get("code", ""),
        "failed": end.get("code", "") not in ("", _PAUSED),
        "proof": _proof(results) if not end and not check else "",
        "msg": " ".join(filter(None, (end.get("msg", ""), stands))) if end else "",
        "remedy": end.get("remedy", ""),
        "step": end.get("step", ""),
        "check": check,
        "run_id": _done(results.get("lock")).get("run_id", ""),
        "artifact": publish.get("artifact") or "",
        "size": archive.get("size"),
        "files": archive.get("files"),
        "rows": dump.get("rows"),
        "level": verify.get("level"),
        "mirror": _mirror_text(mirror, check=check),
        "retention": _retention_text(retention, check=check),
        "duration": round(ended - began, 1),
    }


def summary(hosts: Iterable[str], *, outcomes: Mapping[str, Any], active: Iterable[str]) -> list[str]:
    """The lines that end a play: a row for each host, and below them why hosts failed.

    :param hosts: all hosts of the play.
    :param outcomes: what ``outcome`` said, by host; a host that is missing there never answered or is yet to come.
    :param active: the hosts that are still in the play. One without an outcome waits for its batch (``serial``).
    """
    waiting = set(active)
    rows, reasons = [], []
    for host in hosts:
        end = outcomes.get(host)
        if not end and host in waiting:
            continue
        rows.append(_row(host, end or {"code": "unreachable"}))
        if end and end.get("code") == _PAUSED:
            reasons.append(f"{host}: {end.get('msg')}")
        elif end and end.get("code"):
            reasons.append(f"{host}: failed at '{end.get('step')}'. {end.get('msg')}")
        elif not end:
            reasons.append(
                f"{host}: could not be reached, or was lost before its run ended. Nothing was recorded on the host."
            )
    return [*table(_HEAD, rows), *reasons]


def _row(host: str, end: Mapping[str, Any]) -> list[str]:
    level = end.get("level")
    done = "checked" if end.get("check") else "ok"
    return [
        host,
        str(end.get("code") or done),
        str(end.get("artifact") or ""),
        size_text(end.get("size")),
        count_text(end.get("files")),
        count_text(end.get("rows")),
        str(level or ""),
        str(end.get("mirror") or ""),
        str(end.get("retention") or ""),
        duration_text(end.get("duration")),
    ]


def _done(result: Any) -> Mapping[str, Any]:
    """The result of a step that was done; an empty mapping for one that failed, was skipped or never ran."""
    if not isinstance(result, Mapping) or result.get("failed") or result.get("skipped") or result.get("code"):
        return {}
    return result


def _proof(results: Mapping[str, Any]) -> str:
    """The set that this run published, where it was verified and its end is on record; empty otherwise."""
    published, verified, recorded = (_done(results.get(name)) for name in ("publish", "verify", "end"))
    return str(published.get("artifact") or "") if verified.get("level") and "seq" in recorded else ""


def _mirror_text(mirror: Mapping[str, Any], *, check: bool) -> str:
    if not mirror:
        return ""
    copied = len(mirror.get("mirrored") or ())
    if not copied:
        return "up to date"
    return f"would copy {copied}" if check else f"{copied} copied"


def _retention_text(retention: Mapping[str, Any], *, check: bool) -> str:
    """``kept 9+9, removed 1+0``: one number for each layer."""
    plan = retention.get("plan")
    if not plan:
        return ""
    layers = plan.values() if isinstance(plan, Mapping) else plan
    sets = [layer.get("plan", layer.get("sets", [])) if isinstance(layer, Mapping) else layer for layer in layers]
    kept = "+".join(str(sum(1 for each in layer if each.get("action") == "keep")) for layer in sets)
    gone = "+".join(str(sum(1 for each in layer if each.get("action") == "remove")) for layer in sets)
    return f"keep {kept}, {'would remove' if check else 'removed'} {gone}"
