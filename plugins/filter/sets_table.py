# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter ``sets_table``."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sets_table
short_description: The sets of all layers as a table
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - Shows sets with state, age and whether they count; foreign files; free space and when a layer will be full.
positional: _input
options:
  _input:
    description: The RV(wst.backup.backup_info#module:layers) of M(wst.backup.backup_info).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show it
  ansible.builtin.debug:
    msg: "{{ info.layers | wst.backup.sets_table }}"
"""

RETURN = r"""
_value:
  description: The lines of the table.
  type: list
  elements: str
"""

from typing import Any, Callable

from ansible_collections.wst.backup.plugins.plugin_utils._set_tables import sets_table


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter of this file."""
        return {"sets_table": sets_table}
