# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fleet's report shows of one host. Decides only."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Optional, Union

from ansible_collections.wst.backup.plugins.plugin_utils import _report_summary as summary
from ansible_collections.wst.backup.plugins.plugin_utils._report_pictures import Picture, line, strip
from ansible_collections.wst.backup.plugins.plugin_utils._report_schema import SUCCESS, Drill, Fleet, Host, Layer, Run
from ansible_collections.wst.backup.plugins.plugin_utils._report_series import curve, days_of
from ansible_collections.wst.backup.plugins.plugin_utils._report_words import (
    Link,
    Listing,
    away,
    drill_page,
    in_days,
    listing,
    stamp,
)
from ansible_collections.wst.backup.plugins.plugin_utils._tables import age_text, duration_text, size_text

RECENT = 30  # days in the picture beside a host's name
LAST = 8  # runs, drills
POINTS = 60  # at most so many in a curve


def host_view(host: Host, fleet: Fleet, *, number: int) -> dict[str, Any]:
    """Everything that the template needs of it."""
    made, period = fleet.made, fleet.period_days
    days = days_of(host.runs, made=made, period=period)
    first = made.toordinal() - period + 1
    drills = [(drill.at.toordinal() - first, drill.result == SUCCESS) for drill in host.drills]
    return {
        "it": host,
        "number": number,
        "trouble": summary.trouble(host),
        "backup": away(summary.newest_set(host), made=made),
        "drill": away(summary.last_drill(host), made=made),
        "days": days,
        "recent": strip(days.kinds[-RECENT:]),
        "year": strip(days.kinds, drills=[(day, good) for day, good in drills if 0 <= day < period]),
        "curves": _curves(host, made=made, period=period),
        "lists": _lists(host, made=made),
    }


def _curves(host: Host, *, made: datetime, period: int) -> list[Picture]:
    good = sorted((run for run in host.runs if run.result == SUCCESS), key=lambda run: run.at)
    drilled = sorted((drill for drill in host.drills if drill.result == SUCCESS), key=lambda drill: drill.at)
    often, weekly = min(POINTS, period), max(1, min(POINTS, period // 7))  # a stretch without a value is a gap
    measured: list[tuple[str, list[tuple[datetime, Optional[float]]], Any, int]] = [
        ("Size of an artifact", [(run.at, run.bytes) for run in good], size_text, often),
        ("Duration of a backup", [(run.at, run.seconds) for run in good], duration_text, often),
        ("Time to get all of it back", [(drill.at, drill.rto_seconds) for drill in drilled], duration_text, weekly),
    ]
    return [
        line(curve(points, made=made, period=period, count=count), words=f"{what}: {_spread(points, shown)}")
        for what, points, shown, count in measured
    ]


def _spread(points: list[tuple[datetime, Optional[float]]], shown: Any) -> str:
    """The newest value, and between which all of them were."""
    values = [value for _at, value in points if value is not None]
    if not values:
        return "not known"
    return f"{shown(values[-1])} now, {shown(min(values))} to {shown(max(values))}"


def _lists(host: Host, *, made: datetime) -> list[Listing]:
    wrong = sorted((run for run in host.runs if run.result != SUCCESS), key=lambda run: run.at, reverse=True)
    drills = sorted(host.drills, key=lambda drill: drill.at, reverse=True)
    return [
        listing(
            "Layers",
            ("Layer", "Sets that count", "Newest", "Oldest", "Size", "Free", "Full"),
            [_layer(layer, made=made) for layer in host.layers],
            limit=LAST,
        ),
        listing(
            "Runs that were not good",
            ("When", "Result", "Code", "Run"),
            [_run(run) for run in wrong],
            limit=LAST,
        ),
        listing(
            "Drills",
            ("When", "Result", "Set", "Back within", "Loss", "Evidence"),
            [_drill(drill) for drill in drills],
            limit=LAST,
        ),
        listing(
            "What comes next",
            ("What", "When"),
            [
                (due.what, f"{stamp(due.due_at)}, {away(due.due_at, made=made)}{', overdue' if due.overdue else ''}")
                for _host, due in summary.coming([host])
            ],
            limit=LAST,
        ),
    ]


def _layer(layer: Layer, *, made: datetime) -> tuple[str, ...]:
    free = size_text(layer.free_bytes) or "unknown"
    return (
        f"{layer.layer}, {layer.path}",
        f"{layer.counting} of {layer.sets}",
        away(layer.newest_at, made=made),
        away(layer.oldest_at, made=made),
        size_text(layer.bytes),
        f"{free} of {size_text(layer.total_bytes)}" if layer.total_bytes is not None else free,
        in_days(layer.full_in_days),
    )


def _run(run: Run) -> tuple[str, ...]:
    return stamp(run.at), run.result, run.code or "none", run.run_id


def _drill(drill: Drill) -> tuple[Union[Link, str], ...]:
    return (
        stamp(drill.at),
        f"{drill.result} ({drill.code})" if drill.code else drill.result,
        f"{drill.artifact or 'none'}{', ' + drill.layer if drill.layer else ''}",
        duration_text(drill.rto_seconds) or "not measured",
        age_text(drill.rpo_seconds) or "not measured",
        drill_page(drill.evidence),
    )
