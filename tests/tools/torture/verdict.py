# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a torture proved: in numbers, and whether it proved anything."""

from __future__ import annotations

import errno

from tools.torture import fault
from tools.torture.fault import Fault
from tools.torture.order import Report

MOST = 0.7  # of the faults that were drawn must have struck


def told(report: Report, seconds: float) -> list[str]:
    """For people."""
    kinds = [kind for kind in fault.WEIGHTS if report.drawn[kind]]
    lines = [f"{kind:<24} {report.struck[kind]:6} of {report.drawn[kind]}" for kind in kinds]
    lines += ["how the disturbed runs ended:"]
    lines += [f"  {code:<22} {count:6}" for code, count in report.ended.most_common()]
    if report.changes:
        least, most = min(report.changes), max(report.changes)
        lines.append(f"a run that nothing disturbs changes the disk {least} to {most} times")
        lines.append(f"faults struck first before {len(report.hits)} different ones of these changes")
    lines.append(
        f"{report.rounds} faults drawn, {report.struck.total()} struck, {report.runs} runs in {seconds / 60:.1f} min, "
        f"{len(report.findings)} findings"
    )
    return lines


def objections(report: Report, *, every: Fault | None, each_kind: bool) -> list[str]:
    """Why it proved too little, whatever it found; empty when it proved what it should.

    :param every: the fault that was to strike before each change.
    :param each_kind: every kind that was drawn must have struck, but for those where the clock decides.
    """
    found = []
    if report.struck.total() < MOST * report.rounds or not report.rounds:
        found.append(f"only {report.struck.total()} of {report.rounds} faults struck")
    if each_kind:
        idle = [kind for kind in report.drawn if not report.struck[kind] and kind not in fault.BY_CLOCK]
        found += [f"no {kind} struck" for kind in idle]
    if every is not None and every.number != errno.ENOSPC and report.changes:  # a full disk refuses writes only
        missed = sorted(set(range(1, min(report.changes) + 1)) - report.hits)
        found += [f"it did not strike before change {', '.join(map(str, missed))}"] if missed else []
    return found
