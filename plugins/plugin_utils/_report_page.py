# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet's report as one page of its own: it opens from a file and asks for nothing.

The answer comes first, then what is in its way, then every host, the worst first. A year of runs is drawn as days.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Optional

from ansible_collections.wst.backup.plugins.plugin_utils import _report_assets as assets
from ansible_collections.wst.backup.plugins.plugin_utils import _report_summary as summary
from ansible_collections.wst.backup.plugins.plugin_utils._fleet import OLD_HOURS
from ansible_collections.wst.backup.plugins.plugin_utils._page_style import environment
from ansible_collections.wst.backup.plugins.plugin_utils._report_host import RECENT, host_view
from ansible_collections.wst.backup.plugins.plugin_utils._report_pictures import Picture, bars, proportion
from ansible_collections.wst.backup.plugins.plugin_utils._report_schema import Fleet, Host, fleet_from
from ansible_collections.wst.backup.plugins.plugin_utils._report_series import Days, without_backup
from ansible_collections.wst.backup.plugins.plugin_utils._report_template import HOST, TEMPLATE
from ansible_collections.wst.backup.plugins.plugin_utils._report_words import (
    LIMIT,
    Listing,
    away,
    in_days,
    listing,
    short,
    stamp,
)
from ansible_collections.wst.backup.plugins.plugin_utils._tables import age_text, size_text
from ansible_collections.wst.backup.plugins.plugin_utils._verdicts import COMPLIANT, EXEMPT, NON_COMPLIANT, UNKNOWN

SIGNS = {COMPLIANT: "✓", NON_COMPLIANT: "✗", UNKNOWN: "?", EXEMPT: "◇"}
KINDS = {COMPLIANT: "good", NON_COMPLIANT: "bad", UNKNOWN: "unsure", EXEMPT: "other"}
FEW = 8  # hosts or pieces of evidence that are named in one cell
ROWS = 10  # of a list of the fleet
FULL_SOON = 90.0  # days


def page(document: Mapping[str, Any]) -> str:
    """The page of that document (``docs/report.md``). Whatever is in it is shown as text. Raises ReportInvalid."""
    fleet = fleet_from(document)
    hosts = summary.worst_first(fleet.hosts)
    numbers = {id(host): number for number, host in enumerate(hosts)}
    return (
        environment({"page": TEMPLATE, "host": HOST})
        .get_template("page")
        .render(
            it=_view(fleet, hosts),
            policy=assets.POLICY,
            own_style=assets.STYLE,
            script=assets.SCRIPT,
            signs=SIGNS,
            kinds=KINDS,
            few=FEW,
            limit=LIMIT,
            old_hours=OLD_HOURS,
            short=short,
            stamp=stamp,
            age=age_text,
            away=partial(away, made=fleet.made),
            number_of=lambda host: numbers[id(host)],
        )
    )


def _view(fleet: Fleet, hosts: Sequence[Host]) -> dict[str, Any]:
    views = [host_view(host, fleet, number=number) for number, host in enumerate(hosts)]
    counts = summary.tally(hosts)
    verdict = summary.fleet_verdict(hosts)
    return {
        "fleet": fleet,
        "verdict": verdict,
        "answer": _answer(verdict, counts, len(hosts)),
        "share": proportion([("b", counts[NON_COMPLIANT]), ("u", counts[UNKNOWN]), ("g", counts[COMPLIANT])]),
        "tally": counts,
        "tiles": _tiles(fleet, hosts),
        "missing": _missing(fleet, [view["days"] for view in views]),
        "requirements": summary.requirement_rows(hosts),
        "lists": _lists(fleet, hosts),
        "recent": min(RECENT, fleet.period_days),
        "hosts": views,
    }


def _answer(verdict: str, counts: Mapping[str, int], hosts: int) -> str:
    """The whole page in a sentence."""
    if verdict == COMPLIANT:
        return "Yes: the host is compliant" if hosts == 1 else f"Yes: all {hosts} hosts are compliant"
    if verdict == UNKNOWN:
        return f"Not known: nothing is proved of {counts[UNKNOWN]} of {hosts} hosts"
    if hosts == 1:
        return "No: the host is not compliant"
    unknown = f", and nothing is proved of {counts[UNKNOWN]}" if counts[UNKNOWN] else ""
    if counts[COMPLIANT] == 0:
        return f"No: none of {hosts} hosts is compliant"
    are = "is" if counts[NON_COMPLIANT] == 1 else "are"
    return f"Not everywhere: {counts[NON_COMPLIANT]} of {hosts} hosts {are} not compliant{unknown}"


def _tiles(fleet: Fleet, hosts: Sequence[Host]) -> list[dict[str, str]]:
    """The one number of each kind that is worst, and where."""
    due = summary.coming(hosts)
    overdue = sum(each.overdue for _host, each in due)
    ahead = [each for each in due if not each[1].overdue]
    full = summary.filling(hosts, within=float("inf"))
    exempt = summary.exemptions(hosts)
    return [
        _oldest("Oldest last backup", [(summary.newest_set(host), host) for host in hosts], fleet),
        _oldest("Longest without a good drill", [(summary.last_drill(host), host) for host in hosts], fleet),
        {
            "name": "First disk full",
            "value": in_days(full[0][1].full_in_days) if full else "not foreseen",
            "where": f"{_brief(full[0][0].name)}, {full[0][1].layer} layer" if full else "",
        },
        {
            "name": "Next due",
            "value": away(ahead[0][1].due_at, made=fleet.made) if ahead else "nothing",
            "where": f"{_brief(ahead[0][1].what)} of {_brief(ahead[0][0].name)}" if ahead else "",
        },
        {"name": "Overdue", "value": str(overdue), "where": _brief(due[0][0].name) if overdue else ""},
        {
            "name": "Exemptions",
            "value": str(len(exempt)),
            "where": f"the first ends {_brief(exempt[0][2].until)}" if exempt else "",
        },
    ]


def _oldest(name: str, times: Sequence[tuple[Any, Host]], fleet: Fleet) -> dict[str, str]:
    if not times:
        return {"name": name, "value": "none", "where": ""}
    # What never was is older than everything.
    at, host = min(times, key=lambda each: (each[0] is not None, each[0] or fleet.made))
    return {"name": name, "value": away(at, made=fleet.made), "where": _brief(host.name)}


def _brief(value: object) -> str:
    return short(value, 60)


def _missing(fleet: Fleet, days: Sequence[Days]) -> Optional[Picture]:
    """How many hosts had no backup on which day; None where there was none at all to miss."""
    counts = without_backup(days, period=fleet.period_days)
    if not days or not counts:
        return None
    worst = max(counts)
    if not worst:
        return bars(counts, words=f"None on any of the last {len(counts)} whole days, from each host's first run on")
    some = sum(count > 0 for count in counts)
    return bars(counts, words=f"{some} of the last {len(counts)} whole days had such a host, at most {worst} at once")


def _lists(fleet: Fleet, hosts: Sequence[Host]) -> list[Listing]:
    """What an owner of the fleet acts on; the first cell of a row is a host."""
    made = fleet.made
    return [
        listing(
            "Exemptions",
            ("Host", "Requirement", "Until", "By", "Reason"),
            [(host, each.id, it.until, it.by, it.reason) for host, each, it in summary.exemptions(hosts)],
            limit=sys.maxsize,  # none is left out: each is a decision that somebody answers for
        ),
        listing(
            "What comes next",
            ("Host", "What", "When"),
            [
                (
                    host,
                    due.what,
                    f"{stamp(due.due_at)}, {away(due.due_at, made=made)}{', overdue' if due.overdue else ''}",
                )
                for host, due in summary.coming(hosts)
            ],
            limit=ROWS,
        ),
        listing(
            "What turns, if nothing happens",
            ("Host", "Requirement", "When", "Why"),
            [
                (
                    turn.host,
                    turn.requirement.id,
                    f"{stamp(turn.at)}, {away(turn.at, made=made)}",
                    turn.requirement.turns_why,
                )
                for turn in summary.turning(fleet)
            ],
            limit=ROWS,
        ),
        listing(
            f"Disks that are full within {FULL_SOON:.0f} days",
            ("Host", "Layer", "Full", "Free"),
            [
                (
                    host,
                    f"{layer.layer}, {layer.path}",
                    in_days(layer.full_in_days),
                    size_text(layer.free_bytes) or "unknown",
                )
                for host, layer in summary.filling(hosts, within=FULL_SOON)
            ],
            limit=ROWS,
        ),
    ]
