# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``audit_verify`` found, as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.wst.backup.plugins.plugin_utils._tables import count_text, table

_HEAD = ("SEGMENT", "LINE", "WHAT", "RECORDS", "MEANING")


def audit_table(result: Mapping[str, Any]) -> list[str]:
    """The flaws of the log, then those that were known, and what the log was held against."""
    flaws, known = list(result.get("flaws") or ()), list(result.get("known") or ())
    lines = table(_HEAD, [_row(flaw) for flaw in flaws]) if flaws else []
    lines += ["found and closed before:", *table(_HEAD, [_row(flaw) for flaw in known])] if known else []
    if result.get("torn"):
        lines.append(f"a crash has torn the last line ({result['torn']} bytes); the next record heals it")
    records, anchors = count_text(result.get("records")), count_text(result.get("anchors"))
    told = f"{records} records since {result.get('since')}, held against {anchors} heads that were kept elsewhere"
    return [*lines, f"{told}: {'they do not hold' if flaws else 'they hold'}"]


def _row(flaw: Mapping[str, Any]) -> list[str]:
    first, last = flaw.get("first") or 0, flaw.get("last") or 0
    numbers = "" if not first else str(first) if first == last else f"{first} to {last}"
    line = str(flaw["line"]) if flaw.get("line") else ""
    return [str(flaw["segment"]), line, str(flaw["kind"]).replace("_", " "), numbers, str(flaw["text"])]
