# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter ``restore_failure``."""

from __future__ import annotations

DOCUMENTATION = r"""
name: restore_failure
short_description: Why a restore failed, and what production is now
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - A restore can fail after production was replaced, as when a service does not start. Whoever reads the failure must
    not take production for untouched, so it ends with how things stand and the way from there.
positional: _input
options:
  _input:
    description: The failures, as P(wst.backup.failure#filter) made them, the first one first.
    type: list
    elements: dict
    required: true
  ended:
    description: The result of M(wst.backup.restore_intent) with O(wst.backup.restore_intent#module:state=ended).
    type: dict
    required: true
  safety:
    description: The result of the safety backup; empty where none was made.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Fail, and say what became of production
  ansible.builtin.fail:
    msg: "{{ failures | wst.backup.restore_failure(ended=ended, safety=safety) }}"
"""

RETURN = r"""
_value:
  description: The message.
  type: str
"""

from typing import Any, Callable

from ansible_collections.wst.backup.plugins.plugin_utils._restore_failure import restore_failure


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter of this file."""
        return {"restore_failure": restore_failure}
