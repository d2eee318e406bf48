# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter ``drill_table``."""

from __future__ import annotations

DOCUMENTATION = r"""
name: drill_table
short_description: What a drill has proved, as a table
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - A line for each step of the drill, the differences that were found, the times that were measured, and where the
    evidence is.
positional: _input
options:
  _input:
    description: The result of M(wst.backup.drill_evidence).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what was proved
  wst.backup.show_lines:
    lines: "{{ evidence | wst.backup.drill_table }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

from typing import Any, Callable

from ansible_collections.wst.backup.plugins.plugin_utils._drill_table import drill_table


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter of this file."""
        return {"drill_table": drill_table}
