# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A drill as a person reads it at the end of a play."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.wst.backup.plugins.plugin_utils._tables import age_text, count_text, duration_text, table

_HEAD = ("STEP", "RESULT", "FACTS")
_SHOWN = ("files", "tables", "rows", "large_objects", "control", "refused_as", "server")


def drill_table(result: Mapping[str, Any]) -> list[str]:
    """What ``drill_evidence`` returned, step by step, and where the evidence is."""
    document = result.get("evidence") or {}
    chosen = document.get("set") or {}
    name, layer = chosen.get("artifact") or "none", chosen.get("layer") or "unknown"
    lines = [
        f"set {name} of the {layer} layer, {age_text(chosen.get('age')) or 'unknown'} old",
        *table(_HEAD, [_row(step) for step in document.get("steps") or ()]),
    ]
    lines += [f"differs: {each}" for each in document.get("differences") or ()]
    rto = document.get("rto_seconds")
    if rto:
        lines.append(
            f"RTO {duration_text(rto['total'])} (files {duration_text(rto['files'])}, "
            f"database {duration_text(rto['database'])}), RPO {age_text(document.get('rpo_seconds'))}"
        )
    lines += [f"evidence: {result[kind]}" for kind in ("json", "html") if result.get(kind)]
    return lines


def _row(step: Mapping[str, Any]) -> list[str]:
    facts = step.get("facts") or {}
    told = [f"{_fact(facts[name])} {name.replace('_', ' ')}" for name in _SHOWN[:4] if name in facts]
    told += [str(facts[name]) for name in _SHOWN[4:] if facts.get(name)]
    return [str(step["proves"]), str(step["result"]), ", ".join(told)]


def _fact(value: Any) -> str:
    return count_text(value) or str(value)
