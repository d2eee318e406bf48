# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet as a person reads it at the end of a play."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ansible_collections.wst.backup.plugins.plugin_utils._clock import age_of
from ansible_collections.wst.backup.plugins.plugin_utils._fleet import newest, overall
from ansible_collections.wst.backup.plugins.plugin_utils._tables import age_text, table
from ansible_collections.wst.backup.plugins.plugin_utils._verdicts import COMPLIANT, EXEMPT

_HEAD = ("HOST", "ENVIRONMENT", "VERDICT", "BACKUP", "DRILL", "TURNS IN", "NOT MET")


def fleet_table(document: Mapping[str, Any], now: datetime) -> list[str]:
    """One line a host, then why each that is not compliant is not, then what is exempt and what is warned of."""
    lines = table(_HEAD, [_row(host, now) for host in document["hosts"]]) if document["hosts"] else []
    for host in document["hosts"]:
        lines += _reasons(host, now)
    count = sum(host["verdict"] == COMPLIANT for host in document["hosts"])
    told = f"{count} of {len(document['hosts'])} hosts compliant"
    if document["limit"]:
        told += (
            f"; limited to {document['limit']}, so nothing is said of others and the fleet's own page and metrics stay"
        )
        return [*lines, told]
    return [*lines, f"{told}: the fleet is {overall(document)}"]


def _row(host: Mapping[str, Any], now: datetime) -> list[str]:
    failing = [each["id"] for each in host["requirements"] if each["verdict"] not in (COMPLIANT, EXEMPT)]
    backup, drill = newest(host["runs"], "success"), newest(host["drills"], "success")
    turns = age_of(host["turns_at"], now)
    return [
        host["name"],
        str(host["environment"] or ""),
        host["verdict"],
        age_text(age_of(backup["at"], now)) if backup else "never",
        age_text(age_of(drill["at"], now)) if drill else "never",
        age_text(-turns) if turns is not None else "",
        " ".join(failing),
    ]


def _reasons(host: Mapping[str, Any], now: datetime) -> list[str]:
    name = host["name"]
    lines = []
    if host["error"]:
        age = age_text(age_of(host["known_at"], now))
        known = f"last known {age} ago" if age else "nothing was ever known of it"
        lines.append(f"{name}: {host['error']['code']}: {host['error']['message']} ({known})")
    for each in host["requirements"]:
        if each["verdict"] != COMPLIANT:
            command = f" [{each['command']}]" if each["command"] else ""
            lines.append(f"{name}: {each['id']} {each['verdict']}: {each['summary']}{command}")
        lines += [f"{name}: {each['id']} warns: {warning}" for warning in each["warnings"]]
    return lines
