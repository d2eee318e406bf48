# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs that fleets need, and the command of each. Decides only.

Backups and restore tests belong to a fleet. Compliance belongs to the schedule as a whole, because each evaluation
writes the one document of all hosts: one for each fleet would leave the hosts of the last one in it, and no others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.wst.backup.plugins.plugin_utils._errors import ScheduleInvalid
from ansible_collections.wst.backup.plugins.plugin_utils._schedule import Start, Wanted, plan

ALL = "all"  # the fleet of what is done for all of them
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
# Names of hosts and groups alone: an exclusion of one fleet would exclude hosts of another where all are named.
_HOSTS = re.compile(r"[A-Za-z0-9_*][A-Za-z0-9_.*-]*")
_VAULT = re.compile(r"[A-Za-z0-9_.-]+@/.+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Job:
    """One job with its time and what it is given."""

    start: Start
    playbook: str
    hosts: tuple[str, ...]
    vault_ids: tuple[str, ...]
    vars_files: tuple[str, ...]

    @property
    def key(self) -> str:
        """Its name within the schedule."""
        job = self.start.wanted.job.replace("_", "-")
        return job if self.is_of_all else f"{self.start.wanted.fleet}-{job}"

    @property
    def needs(self) -> tuple[str, ...]:
        """The files with secrets that it reads, by their paths."""
        return tuple(vault.partition("@")[2] for vault in self.vault_ids) + self.vars_files

    @property
    def is_of_all(self) -> bool:
        """Whether it is for all fleets: its runs must not be limited, or they take themselves for those of a part."""
        return self.start.wanted.fleet == ALL

    def arguments(self, program: str, inventory: str) -> list[str]:
        """The command. It has the paths of secrets, and no secret."""
        hosts = ",".join(self.hosts)
        chosen = ["-e", f"wst_backup_hosts={hosts}"] if self.is_of_all else ["--limit", hosts]
        vaults = [word for vault in self.vault_ids for word in ("--vault-id", vault)]
        files = [word for path in self.vars_files for word in ("-e", f"@{path}")]
        return [program, self.playbook, "-i", inventory, *chosen, *vaults, *files]


def jobs(
    fleets: Sequence[Mapping[str, Any]],
    zones: Mapping[str, frozenset[int]],
    *,
    delay: int,
    spacing: int,
    token_in_files: bool = True,
) -> list[Job]:
    """All jobs of the fleets with their times.

    :param fleets: as module ``schedule_info`` documents them.
    :param zones: the offsets of each zone that a fleet names.
    :param token_in_files: whether the token of L5 comes from a file of the fleet, and not from a credential of AWX.

    Raises ScheduleInvalid and ScheduleImpossible.
    """
    _check(fleets, token_in_files)
    _not_negative(delay=delay, spacing=spacing)
    wanted = [(fleet, each) for fleet in fleets for each in _of_fleet(fleet, zones)]
    compliance = Wanted(ALL, "compliance", "hourly")
    starts = plan([*(each for _fleet, each in wanted), compliance], delay=delay, spacing=spacing)
    found = [_job(start, fleet) for start, (fleet, _each) in zip(starts, wanted)]
    return [*found, _compliance(starts[-1], fleets)]


def _of_fleet(fleet: Mapping[str, Any], zones: Mapping[str, frozenset[int]]) -> list[Wanted]:
    own = tuple((zone, zones[zone]) for zone in fleet["zones"])
    backup = Wanted(fleet["name"], "backup", fleet["backup"], own, at=fleet["backup_at"])
    if not fleet["restore_test"]:
        return [backup]
    day, time = fleet["restore_test_day"], fleet["restore_test_at"]
    return [backup, Wanted(fleet["name"], "restore_test", "weekly", own, at=time, weekday=day)]


def _job(start: Start, fleet: Mapping[str, Any]) -> Job:
    drill = start.wanted.job == "restore_test"
    return Job(
        start,
        f"wst.backup.{start.wanted.job}",
        tuple(fleet["hosts"]),
        _once([*fleet["vault_ids"], *(fleet["restore_test_vault_ids"] if drill else ())]),
        _once(fleet["restore_test_vars"] if drill else ()),
    )


def _compliance(start: Start, fleets: Sequence[Mapping[str, Any]]) -> Job:
    hosts = _once(host for fleet in fleets for host in fleet["hosts"])
    vaults = _once(vault for fleet in fleets for vault in fleet["vault_ids"])
    return Job(start, "wst.backup.compliance", hosts, vaults, ())


def _once(words: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def _check(fleets: Sequence[Mapping[str, Any]], token_in_files: bool) -> None:
    """Raise ScheduleInvalid for what cannot be meant."""
    names = [fleet["name"] for fleet in fleets]
    if not names:
        raise ScheduleInvalid("there is no fleet: a schedule without hosts would look like one that works.")
    for name in names:
        if not NAME.fullmatch(name) or name == ALL:
            raise ScheduleInvalid(f"{name!r} is no name for a fleet: lower case letters, digits and dashes, not 'all'.")
        if names.count(name) > 1:
            raise ScheduleInvalid(f"two fleets are called {name!r}.")
    for fleet in fleets:
        _check_fleet(fleet)
        if token_in_files and fleet["restore_test"] and not fleet["restore_test_vars"]:
            raise ScheduleInvalid(
                f"fleet {fleet['name']}: a restore test needs the token of L5. Name the encrypted file that has it in "
                "restore_test_vars and its vault in restore_test_vault_ids, or set restore_test to false; R7 is then "
                "not met unless something else runs the test."
            )


def _check_fleet(fleet: Mapping[str, Any]) -> None:
    name = fleet["name"]
    if not fleet["zones"]:
        raise ScheduleInvalid(f"fleet {name} has no zones: the local time of its hosts is not known.")
    if not fleet["hosts"]:
        raise ScheduleInvalid(f"fleet {name} has no hosts.")
    for host in fleet["hosts"]:
        if not _HOSTS.fullmatch(host):
            raise ScheduleInvalid(
                f"fleet {name}: {host!r} is no name of a host or group. Make a group of what you mean in the inventory."
            )
    for vault in [*fleet["vault_ids"], *fleet["restore_test_vault_ids"]]:
        if not _VAULT.fullmatch(vault) or _CONTROL.search(vault):
            raise ScheduleInvalid(
                f"fleet {name}: {vault!r} is no vault id of the form label@/path/of/its/password. Nobody is there to "
                "type one, and a password itself has no place in a schedule."
            )
    for path in fleet["restore_test_vars"]:
        if not path.startswith("/") or _CONTROL.search(path):
            raise ScheduleInvalid(f"fleet {name}: {path!r} is no absolute path of a file with variables.")


def _not_negative(**numbers: int) -> None:
    for name, number in numbers.items():
        if not 0 <= number <= 3600:
            raise ScheduleInvalid(f"{name} is {number}: it must be from 0 to 3600.")
