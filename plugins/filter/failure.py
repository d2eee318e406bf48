# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter ``failure``."""

from __future__ import annotations

DOCUMENTATION = r"""
name: failure
short_description: A failed task's result as code, message and remedy
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - Makes one record of whatever a failed task left, for the audit log and for the task that fails the host in the end.
  - A result without a code comes from Ansible itself and is named V(input_invalid).
positional: _input
options:
  _input:
    description: The failed result, such as C(ansible_failed_result).
    type: dict
    required: true
  step:
    description: The name of the task that failed.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Keep the failure
  ansible.builtin.set_fact:
    problem: "{{ ansible_failed_result | wst.backup.failure(step=ansible_failed_task.name) }}"
"""

RETURN = r"""
_value:
  description: The record, with the keys C(code), C(msg), C(remedy), C(step) and C(facts).
  type: dict
"""

from typing import Any, Callable

from ansible_collections.wst.backup.plugins.plugin_utils._outcome import failure


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter of this file."""
        return {"failure": failure}
