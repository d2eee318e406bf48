# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter ``summary``."""

from __future__ import annotations

DOCUMENTATION = r"""
name: summary
short_description: The table that ends a play of backups
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - One row for each host, and below the table why hosts failed.
positional: _input
options:
  _input:
    description: All hosts of the play, C(ansible_play_hosts_all).
    type: list
    elements: str
    required: true
  hostvars:
    description: The variables of all hosts. Read is only what role P(wst.backup.backup#role) left there.
    type: dict
    required: true
  active:
    description: The hosts still in the play, C(ansible_play_hosts). One without an outcome waits for its batch.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show what every host has
  ansible.builtin.debug:
    msg: "{{ ansible_play_hosts_all | wst.backup.summary(hostvars=hostvars, active=ansible_play_hosts) }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: The lines of the table.
  type: list
  elements: str
"""

from collections.abc import Iterable, Mapping
from typing import Any, Callable

from ansible_collections.wst.backup.plugins.plugin_utils._outcome import summary

OUTCOME = "__backup_outcome"  # the fact that role backup leaves


def summary_of_hosts(hosts: Iterable[str], *, hostvars: Mapping[str, Any], active: Iterable[str]) -> list[str]:
    """The lines of the table for these hosts."""
    names = [str(host) for host in hosts]
    return summary(names, outcomes={name: hostvars[name].get(OUTCOME) or {} for name in names}, active=active)


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter of this file."""
        return {"summary": summary_of_hosts}
