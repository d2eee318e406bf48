# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter ``restore_plan``."""

from __future__ import annotations

DOCUMENTATION = r"""
name: restore_plan
short_description: What a restore is going to do, as lines
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - The set with its sizes, what is extracted where and what it takes the place of, and whether production is replaced.
positional: _input
options:
  _input:
    description: The result of M(wst.backup.restore_begin).
    type: dict
    required: true
  waived:
    description: Whether the restore goes on where no safety backup can be made.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show the plan
  wst.backup.show_lines:
    lines: "{{ plan | wst.backup.restore_plan(waived=true) }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

from typing import Any, Callable

from ansible_collections.wst.backup.plugins.plugin_utils._restore_plan import restore_plan


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter of this file."""
        return {"restore_plan": restore_plan}
