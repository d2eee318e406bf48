# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter ``repair_table``."""

from __future__ import annotations

DOCUMENTATION = r"""
name: repair_table
short_description: What a repair did, as a table
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - Shows each damaged set, what was wrong with it, and whether it was brought back or why not.
positional: _input
options:
  _input:
    description: The result of M(wst.backup.backup_repair).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show it
  ansible.builtin.debug:
    msg: "{{ repair | wst.backup.repair_table }}"
"""

RETURN = r"""
_value:
  description: The lines of the table.
  type: list
  elements: str
"""

from typing import Any, Callable

from ansible_collections.wst.backup.plugins.plugin_utils._set_tables import repair_table


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter of this file."""
        return {"repair_table": repair_table}
