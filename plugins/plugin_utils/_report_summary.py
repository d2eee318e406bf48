# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a fleet is said first: who is in trouble, what fails where, what comes next. Decides only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Optional

from ansible_collections.wst.backup.plugins.plugin_utils._report_schema import (
    SUCCESS,
    Due,
    Exemption,
    Fleet,
    Host,
    Layer,
    Requirement,
)
from ansible_collections.wst.backup.plugins.plugin_utils._verdicts import (
    COMPLIANT,
    NON_COMPLIANT,
    UNKNOWN,
    WORST_FIRST,
    of_all,
)


@dataclass(frozen=True)
class RequirementRow:
    """A requirement over the whole fleet: how many hosts stand how, and which fail it, the worst first."""

    id: str
    title: str
    counts: dict[str, int]
    failing: tuple[Host, ...]


@dataclass(frozen=True)
class Turn:
    """A requirement that is met now and will not be met any more, should nothing happen before."""

    at: datetime
    host: Host
    requirement: Requirement


def worst_first(hosts: Sequence[Host]) -> list[Host]:
    """By verdict, then by how much is wrong, then by name."""
    return sorted(hosts, key=lambda host: (WORST_FIRST[host.verdict], *_weight(host), host.name.casefold(), host.name))


def _weight(host: Host) -> tuple[int, int, int]:
    verdicts = [each.verdict for each in host.requirements]
    warnings = sum(len(each.warnings) for each in host.requirements)
    return -verdicts.count(NON_COMPLIANT), -verdicts.count(UNKNOWN), -warnings


def tally(hosts: Sequence[Host]) -> dict[str, int]:
    """How many hosts have which verdict."""
    return {verdict: sum(host.verdict == verdict for host in hosts) for verdict in (NON_COMPLIANT, UNKNOWN, COMPLIANT)}


def fleet_verdict(hosts: Sequence[Host]) -> str:
    """The whole fleet's."""
    return of_all(host.verdict for host in hosts)


def requirement_rows(hosts: Sequence[Host]) -> list[RequirementRow]:
    """One row for each requirement, in the order in which the hosts name them."""
    titles: dict[str, str] = {}
    held: dict[str, list[tuple[str, Host]]] = {}
    for host in hosts:
        for each in host.requirements:
            titles.setdefault(each.id, each.title)
            held.setdefault(each.id, []).append((each.verdict, host))
    rows = []
    for name, title in titles.items():
        counts = {verdict: sum(found == verdict for found, _host in held[name]) for verdict in WORST_FIRST}
        failing = [host for wanted in (NON_COMPLIANT, UNKNOWN) for verdict, host in held[name] if verdict == wanted]
        rows.append(RequirementRow(name, title, counts, tuple(failing)))
    return rows


def trouble(host: Host) -> str:
    """In a sentence what is wrong with a host, the worst of it; empty where nothing is."""
    wrong = [each for each in host.requirements if each.verdict in (NON_COMPLIANT, UNKNOWN)]
    wrong.sort(key=lambda each: WORST_FIRST[each.verdict])
    if not host.reached:
        return f"not reached ({host.error.code})" if host.error else "not reached"
    if wrong:
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        return f"{wrong[0].id}: {wrong[0].summary}{more}"
    if host.error:
        return f"{host.error.code}: {host.error.message}"
    warnings = [f"{each.id}: {warning}" for each in host.requirements for warning in each.warnings]
    more = f" and {len(warnings) - 1} more" if len(warnings) > 1 else ""
    return f"warning, {warnings[0]}{more}" if warnings else ""


def newest_set(host: Host) -> Optional[datetime]:
    """When the newest set on any layer was made, or None."""
    return max((layer.newest_at for layer in host.layers if layer.newest_at), default=None)


def last_drill(host: Host) -> Optional[datetime]:
    """When a drill succeeded last, or None."""
    return max((drill.at for drill in host.drills if drill.result == SUCCESS), default=None)


def coming(hosts: Sequence[Host]) -> list[tuple[Host, Due]]:
    """What is due, the overdue first, then by time."""
    return sorted(
        ((host, due) for host in hosts for due in host.next),
        key=lambda each: (not each[1].overdue, each[1].due_at, each[0].name),
    )


def turning(fleet: Fleet) -> list[Turn]:
    """What will turn, the first of it first."""
    turns = [
        Turn(each.turns_at, host, each)
        for host, each in _requirements(fleet.hosts)
        if each.verdict == COMPLIANT and each.turns_at is not None
    ]
    return sorted(turns, key=lambda turn: (turn.at, turn.host.name, turn.requirement.id))


def filling(hosts: Sequence[Host], *, within: float) -> list[tuple[Host, Layer]]:
    """Layers that will be full within so many days, the first of them first."""
    found = [
        (layer.full_in_days, host, layer)
        for host in hosts
        for layer in host.layers
        if layer.full_in_days is not None and layer.full_in_days <= within
    ]
    return [(host, layer) for _days, host, layer in sorted(found, key=lambda each: (each[0], each[1].name))]


def exemptions(hosts: Sequence[Host]) -> list[tuple[Host, Requirement, Exemption]]:
    """All of them, the one that ends first first."""
    found = [(host, each, each.exemption) for host, each in _requirements(hosts) if each.exemption is not None]
    return sorted(found, key=lambda each: (each[2].until, each[0].name, each[1].id))


def _requirements(hosts: Sequence[Host]) -> Iterator[tuple[Host, Requirement]]:
    return ((host, each) for host in hosts for each in host.requirements)
