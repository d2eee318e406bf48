# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Are the limits of the WinRM shell wide enough for what the transport sends and starts? Only warnings come of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List

from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._preflight.report import Report, Request


@dataclass(frozen=True)
class Need:
    """The least that a limit must be, what is usual, where it is set, and whether 0 lifts it."""

    least: int
    usual: int
    path: str
    zero_is_unlimited: bool = True


NEEDS = {
    # An estimate, not measured on a real host: PowerShell, Python with psycopg, and one PostgreSQL program, twice over.
    # A host that forbids leaving the shell's job object runs the dump in there too.
    "MaxMemoryPerShellMB": Need(512, 1024, "Shell\\MaxMemoryPerShellMB"),
    # cmd, its console host, PowerShell, Python, a program of Python's: twice, because an ended child may linger.
    "MaxProcessesPerShell": Need(10, 25, "Shell\\MaxProcessesPerShell"),
    # Ansible's winrm plugin sends input in pieces of 200,000 bytes, 266,668 as base64, and the message around it.
    "MaxEnvelopeSizekb": Need(270, 500, "MaxEnvelopeSizekb", zero_is_unlimited=False),
}


def check_quotas(_request: Request, report: Report) -> None:
    """Tell the limits, null for one that nobody tells; warn of those that are too low.

    Windows documents no place but the policy's, so that most hosts tell none. A warning of that in every run would
    teach people to overlook warnings: ``prove_host.yml`` asks PowerShell instead.
    """
    found = api.shell_quotas()
    if found is None:
        return
    report.facts["shell_quotas"] = {name: found.get(name) for name in NEEDS}
    report.warnings.extend(_too_low(found))


def _too_low(found: Dict[str, int]) -> List[str]:
    return [
        f"{name} of WinRM is {found[name]}, less than the {need.least} that the transport needs: steps can be killed "
        "or their input cut. Raise it in the policy or, without one: "
        f"Set-Item WSMan:\\localhost\\{need.path} {need.usual}"
        for name, need in NEEDS.items()
        if name in found and found[name] < need.least and not (found[name] == 0 and need.zero_is_unlimited)
    ]
