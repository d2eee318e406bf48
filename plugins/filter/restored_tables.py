# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter ``restored_tables``."""

from __future__ import annotations

DOCUMENTATION = r"""
name: restored_tables
short_description: Where single tables were restored to, and how their rows go on from there, as lines
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - The database that stays, who can connect to it, which tables have rows there, what was left out, and commands that
    copy the rows or remove the database.
positional: _input
options:
  _input:
    description: The result of M(wst.backup.pg_scratch) with C(state=kept).
    type: dict
    required: true
  restored:
    description: The result of M(wst.backup.pg_restore).
    type: dict
    required: true
  compared:
    description: The result of M(wst.backup.pg_compare).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show where the tables are
  wst.backup.show_lines:
    lines: "{{ kept | wst.backup.restored_tables(restored=restored, compared=compared) }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

from typing import Any, Callable

from ansible_collections.wst.backup.plugins.plugin_utils._restored_tables import restored_tables


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter of this file."""
        return {"restored_tables": restored_tables}
