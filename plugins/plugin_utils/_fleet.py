# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdicts of all hosts as one document, also of those that could not be reached. Pure; ``docs/report.md``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Optional

from ansible_collections.wst.backup.plugins.plugin_utils._clock import format_time
from ansible_collections.wst.backup.plugins.plugin_utils._verdicts import (
    COMPLIANT,
    NON_COMPLIANT,
    OF_HOSTS,
    UNKNOWN,
    WORST_FIRST,
    of_all,
)

SCHEMA_VERSION = 1
OLD_HOURS = 3  # after which a verdict that is made hourly says nothing of now: an alert fires, and the page says so
LOGGING = "logging"  # the requirement
NOTICE = "on the control node: "
_HOST = ("environment", "verdict", "known_at", "turns_at", "requirements", "runs", "drills", "layers", "next")


def fleet(
    results: Mapping[str, Mapping[str, Any]],
    *,
    known: Mapping[str, Mapping[str, Any]],
    evidence: Mapping[str, Mapping[str, str]],
    made: datetime,
    controller: str,
    period_days: int,
    limit: str = "",
    notices: Optional[Mapping[str, Sequence[str]]] = None,
) -> dict[str, Any]:
    """The document, hosts with trouble first.

    :param results: what ``compliance_info`` returned, by host; empty, failed or unreachable is a verdict too.
    :param known: what was last known of hosts, as ``host_part`` made it.
    :param evidence: the pages of each host's drills, by the end of the drill's run id.
    :param made: UTC.
    :param limit: what the play was limited to; empty where it was for the whole fleet.
    :param notices: what the control node has to say of each host's logging; it stands there as warnings.
    """
    hosts = [host_part(name, result, known.get(name), evidence.get(name, {})) for name, result in results.items()]
    hosts = [_with_notices(host, (notices or {}).get(host["name"], ())) for host in hosts]
    return {
        "schema": SCHEMA_VERSION,
        "made": format_time(made),
        "collection": next((str(each["collection"]) for each in results.values() if each.get("collection")), ""),
        "controller": controller,
        "period_days": period_days,
        "limit": limit or None,
        "hosts": sorted(hosts, key=lambda host: (WORST_FIRST[host["verdict"]], host["name"])),
    }


def telling(results: Sequence[Any]) -> Mapping[str, Any]:
    """Of what a host gave one after the other, what tells most: a verdict, else why there is none, else anything."""
    given = [each for each in results if isinstance(each, Mapping) and each]
    judged = [each for each in given if each.get("verdict") in OF_HOSTS and not each.get("failed")]
    refused = [each for each in given if each.get("failed") or each.get("unreachable")]
    return next(iter([*judged, *refused, *given]), {})


def host_part(
    name: str, result: Mapping[str, Any], known: Optional[Mapping[str, Any]], evidence: Mapping[str, str]
) -> dict[str, Any]:
    """A host's part. One that was not judged now is non-compliant, with what was last known of it."""
    if result.get("verdict") in OF_HOSTS and not result.get("failed"):
        judged = {key: result.get(key) for key in _HOST}
        drills = [{**drill, "evidence": _page(drill, evidence)} for drill in judged["drills"] or ()]
        return {"name": name, "reached": True, "error": None, **judged, "drills": drills}
    reached = bool(result) and not result.get("unreachable")
    return {"name": name, "reached": reached, "error": _error(result), **_last_known(known)}


def _with_notices(host: dict[str, Any], notices: Sequence[str]) -> dict[str, Any]:
    """Beside the requirement that what happens is known to people. Those of an earlier evaluation are over."""

    def warned(requirement: Mapping[str, Any]) -> dict[str, Any]:
        own = [each for each in requirement["warnings"] or () if not str(each).startswith(NOTICE)]
        return {**requirement, "warnings": [*own, *(NOTICE + each for each in notices)]}

    return {
        **host,
        "requirements": [warned(each) if each.get("id") == LOGGING else each for each in host["requirements"] or ()],
    }


def ending(host: Mapping[str, Any]) -> dict[str, str]:
    """What the evaluation of that host ended with, for notifications: ``code`` is empty where it complies.

    ``proof`` is what shows that it does; where it does not, what is not met.
    """
    if host["error"]:
        return {**host["error"], "proof": ""}
    if host["verdict"] == COMPLIANT:
        return {"code": "", "message": "", "remedy": "", "proof": f"compliant at {host['known_at']}"}
    failing = [each for each in host["requirements"] if each["verdict"] in (NON_COMPLIANT, UNKNOWN)]
    commands = sorted({str(each["command"]) for each in failing if each["command"]})
    return {
        "code": "non_compliant" if host["verdict"] == NON_COMPLIANT else "compliance_unknown",
        "message": "\n".join(f"{each['id']} {each['verdict']}: {each['summary']}" for each in failing),
        "remedy": f"Look at the report; these playbooks mend it or show more: {', '.join(commands)}."
        if commands
        else "",
        "proof": " ".join(str(each["id"]) for each in failing),
    }


def _page(drill: Mapping[str, Any], evidence: Mapping[str, str]) -> str:
    return evidence.get(str(drill.get("run_id") or "").rpartition("-")[2], "")


def _error(result: Mapping[str, Any]) -> dict[str, str]:
    default = "unreachable" if result.get("unreachable") or not result else "not_judged"
    return {
        "code": str(result.get("code") or default),
        "message": str(result.get("msg") or "nothing came from this host in this play"),
        "remedy": str(result.get("remedy") or "Mend what is named, then run compliance.yml again."),
    }


def _last_known(known: Optional[Mapping[str, Any]]) -> dict[str, Any]:
    """What was last known, with nothing of it counted: a verdict of yesterday proves nothing today."""
    part = {key: (known or {}).get(key) for key in _HOST}
    lists = {key: list(part[key] or ()) for key in ("runs", "drills", "layers", "next")}
    requirements = [_aged(each, str(part["known_at"])) for each in part["requirements"] or ()]
    return {**part, **lists, "verdict": NON_COMPLIANT, "turns_at": None, "requirements": requirements}


def _aged(requirement: Mapping[str, Any], known_at: str) -> dict[str, Any]:
    told = f"{requirement['verdict']} on {known_at}: {requirement['summary']}"
    return {**requirement, "verdict": UNKNOWN, "summary": told, "turns_at": None, "turns_why": ""}


def overall(document: Mapping[str, Any]) -> str:
    """The fleet's verdict."""
    return of_all(host["verdict"] for host in document["hosts"])


def newest(items: Iterable[Mapping[str, Any]], result: Optional[str] = None) -> Optional[Mapping[str, Any]]:
    """The last of runs or drills, or the last one with that result."""
    found = [each for each in items if result is None or each.get("result") == result]
    return found[-1] if found else None
