# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter ``audit_table``."""

from __future__ import annotations

DOCUMENTATION = r"""
name: audit_table
short_description: What was done to an audit log as a table
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - Shows each flaw with its segment, line and records, then those that were known, and what the log was held against.
positional: _input
options:
  _input:
    description: What M(wst.backup.audit_verify) returned.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show it
  ansible.builtin.debug:
    msg: "{{ audit | wst.backup.audit_table }}"
"""

RETURN = r"""
_value:
  description: The lines of the table.
  type: list
  elements: str
"""

from typing import Any, Callable

from ansible_collections.wst.backup.plugins.plugin_utils._audit_table import audit_table


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter of this file."""
        return {"audit_table": audit_table}
