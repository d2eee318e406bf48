# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter ``verify_table``."""

from __future__ import annotations

DOCUMENTATION = r"""
name: verify_table
short_description: What the verification of several ZIPs found, as a table
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - Shows a row for each result, failed ones included.
positional: _input
options:
  _input:
    description: The C(results) of a loop over M(wst.backup.backup_verify).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show it
  ansible.builtin.debug:
    msg: "{{ proofs.results | wst.backup.verify_table }}"
"""

RETURN = r"""
_value:
  description: The lines of the table.
  type: list
  elements: str
"""

from typing import Any, Callable

from ansible_collections.wst.backup.plugins.plugin_utils._set_tables import verify_table


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter of this file."""
        return {"verify_table": verify_table}
