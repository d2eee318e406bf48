# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages for auditors and for those who watch: their words, and tables and numbers from the code."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

WORDS = Path(__file__).parent / "words"
PLUGINS = "ansible_collections.wst.backup.plugins"
COMPLIANCE = f"{PLUGINS}.module_utils._compliance"

# What makes a requirement hold, and where it can be looked up; the rule's docstring says what is judged.
CONTROLS = {
    "R1": ("`backup.yml`, run daily or every four hours", "names of the sets on both layers"),
    "R2": ("`backup_archive` takes every source and the dump, or fails", "the set's sidecar"),
    "R3": ("Azure's backups, `backup_publish`, `backup_mirror`", "both directories; Azure's answer"),
    "R4": ("`backup_retention`, with a floor that no setting lowers", "audit log against both directories"),
    "R5": ("`backup_verify` at level 3 before a set gets its name, and again by `compliance.yml`", "state files"),
    "R6": ("`preflight_info` before each run", "the DACL of key and records, by SID"),
    "R7": ("`restore_test.yml`, run weekly", "audit log; `verification.jsonl`, `drills/` on the control node"),
    "F1": ("`preflight_info` logs in with the dump's key; `rotate_db_key.yml`", "the server's answer"),
    "F2": ("`preflight_info`; a run stops before it writes", "the sources"),
    "F3": ("a set without its dump is never published", "the set's sidecar"),
    "roles": ("`authority_provision.yml`; L5 and L6 are proven by tokens", "`authority.json`; audit log"),
    "logging": ("the hash-chained audit log, its head kept in manifests and on the control node", "`audit_verify.yml`"),
    "statement": ("R1, R5 and R7 together", "this verdict"),
}


def filled(name: str, **parts: str) -> str:
    """The page's words from ``words/``, with the parts in the places that name them."""
    text = (WORDS / f"{name}.md").read_text(encoding="utf-8")
    for place, part in parts.items():
        text = text.replace(f"@{place}@", part.rstrip("\n"))
    return text


def auditor_page() -> str:
    """``docs/auditor.md``."""
    environments = _module(f"{COMPLIANCE}.policy").NOT_PRODUCTION
    return filled(
        "auditor",
        requirements=table(_HEAD, requirement_rows()),
        thresholds=table(_LIMITS, threshold_rows()),
        environments=", ".join(f"`{name}`" for name in environments),
    )


def monitoring_page() -> str:
    """``docs/monitoring.md``."""
    metrics = _module(f"{PLUGINS}.plugin_utils._fleet_metrics").METRICS
    day = 86400
    old_hours = _module(f"{PLUGINS}.plugin_utils._fleet").OLD_HOURS
    soon = _module(f"{COMPLIANCE}.layers").SOON_FULL
    return filled(
        "monitoring",
        metrics=table(("metric", "meaning"), [(f"`{name}`", text) for name, text in metrics.items()]),
        evaluation=str(old_hours * 3600),
        evaluation_hours=str(old_hours),
        full=str(soon * day),
        full_days=str(soon),
        schema=str(_module(f"{PLUGINS}.plugin_utils._fleet").SCHEMA_VERSION),
    )


_HEAD = ("requirement", "what is judged", "control", "evidence")
_LIMITS = ("threshold", "value", "where it comes from")


def requirement_rows() -> Iterable[Sequence[str]]:
    """One for each requirement: its name, the rule's docstring, control and evidence."""
    titles = _module(f"{COMPLIANCE}.policy").REQUIREMENTS
    rules = [*_module(f"{COMPLIANCE}.verdict").RULES, _module(f"{COMPLIANCE}.people").statement]
    for name, rule in zip(titles, rules):
        control, evidence = CONTROLS[name]
        yield f"{name} {titles[name]}" if name != titles[name] else name, judged(rule), control, evidence


def judged(rule: Callable[..., Any]) -> str:
    """What a rule's docstring says it judges."""
    first = (rule.__doc__ or "").strip().split("\n", 1)[0]
    return first.partition(": ")[2]


def threshold_rows() -> Iterable[Sequence[str]]:
    """The doctrine's numbers as the code has them."""
    policy = _module(f"{COMPLIANCE}.policy")
    limits = policy.Thresholds()
    production = policy.policy_from("production", {}, []).thresholds
    yield "longest gap between sets that count", hours(limits.max_gap), "R1: daily, and two hours"
    yield (
        "gap that is warned of in production",
        hours(production.warn_gap),
        "R1: four hours, and a quarter for the start",
    )
    yield "what frequency and retention look back on", hours(limits.window), "R4: 7 days"
    yield "longest time between restore tests", hours(limits.drill_every), "R7: weekly"
    yield "longest time in which a copy is not read", hours(limits.reread_every), "R5, held to the same week"
    yield "sets that are kept whatever their age", str(limits.min_sets), "R4: 7 artifacts"
    yield (
        "how far Azure's restore must reach back",
        hours(limits.min_restorable),
        "R4, held to layer 1 as well; up to a day less is warned of",
    )
    azure = _module(f"{COMPLIANCE}.pitr").LONGEST_WITHOUT
    yield (
        "longest time since Azure's last automatic backup",
        hours(azure),
        "R3: Azure takes a snapshot daily",
    )


def hours(span: timedelta) -> str:
    """In hours, or in days where it is whole ones."""
    seconds = span.total_seconds()
    return f"{seconds / 86400:.0f} days" if seconds % 86400 == 0 else f"{seconds / 3600:g} hours"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _module(name: str) -> Any:
    return importlib.import_module(name)
