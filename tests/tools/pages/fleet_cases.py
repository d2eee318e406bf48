# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports of fleets: a small one of every kind of host, one where all is well, none at all, and a hostile one."""

from __future__ import annotations

from typing import Any

from ansible_collections.wst.backup.plugins.plugin_utils._report_page import page
from tools.pages.fleet import fleet
from tools.pages.hostile import EVIL, NASTY

_KEPT = frozenset(
    {"made", "at", "verdict", "result", "layer", "turns_at", "known_at", "due_at", "newest_at", "oldest_at"}
)


def fleet_pages() -> dict[str, str]:
    """HTML by name."""
    mixed = fleet(seed=1, hosts=11, days=120)
    good = fleet(seed=2, hosts=3, days=30)
    special = fleet(seed=3, hosts=11, days=14, runs_a_day=1)
    special["hosts"] = special["hosts"][6:]  # those that have more to say than that all is well
    documents = {
        "mixed": mixed,
        "good": good,
        "empty": {**mixed, "hosts": []},
        "bare": {**mixed, "hosts": [bare(mixed["hosts"][0])]},
        "hostile": spoilt(special, text=EVIL, name=NASTY),
    }
    return {f"fleet-{name}": page(document) for name, document in documents.items()}


def bare(host: dict[str, Any]) -> dict[str, Any]:
    """A host of which nothing is known but its name."""
    nothing: dict[str, Any] = {name: [] for name in ("requirements", "runs", "drills", "layers", "next")}
    unknown = dict.fromkeys(("environment", "known_at", "turns_at", "error"))
    return {**host, **nothing, **unknown, "verdict": "unknown", "reached": False}


def spoilt(value: Any, key: str = "", *, text: str, name: str) -> Any:
    """The same document with every free text replaced by the one, and every name by the other."""
    if isinstance(value, dict):
        return {field: spoilt(each, field, text=text, name=name) for field, each in value.items()}
    if isinstance(value, list):
        return [spoilt(each, key, text=text, name=name) for each in value]
    if isinstance(value, str) and key not in _KEPT:
        return name if key == "name" else text
    return value
