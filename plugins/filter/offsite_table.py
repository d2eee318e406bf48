# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter ``offsite_table``."""

from __future__ import annotations

DOCUMENTATION = r"""
name: offsite_table
short_description: What became of the copies offsite, as a table
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - Shows each copy and what was done about it, or the sets that are there and where one was brought to.
positional: _input
options:
  _input:
    description: The result of M(wst.backup.backup_offsite) or M(wst.backup.offsite_fetch).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show it
  ansible.builtin.debug:
    msg: "{{ offsite | wst.backup.offsite_table }}"
"""

RETURN = r"""
_value:
  description: The lines of the table.
  type: list
  elements: str
"""

from typing import Any, Callable

from ansible_collections.wst.backup.plugins.plugin_utils._offsite_table import offsite_table


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter of this file."""
        return {"offsite_table": offsite_table}
