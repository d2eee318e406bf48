# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter ``verify_record``."""

from __future__ import annotations

DOCUMENTATION = r"""
name: verify_record
short_description: A verification as the audit log gets it
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - What was proved, and the first failure, as the options of M(wst.backup.audit_log).
  - What counts as a failure is what P(wst.backup.verify_failures#filter) lists.
positional: _input
options:
  _input:
    description: The C(results) of a loop over M(wst.backup.backup_verify).
    type: list
    elements: dict
    required: true
  level:
    description: The level that was asked for.
    type: int
    required: true
  layers:
    description: >-
      The RV(wst.backup.backup_info#module:layers) whose sets were verified; empty where it was a ZIP of the operator's
      choice.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Record the verification
  wst.backup.audit_log:
    event: verify
    result: "{{ record.result }}"
    code: "{{ record.code }}"
    text: "{{ record.text }}"
    details: "{{ record.details }}"
  vars:
    record: "{{ proofs.results | wst.backup.verify_record(level=3, layers=info.layers) }}"
"""

RETURN = r"""
_value:
  description: C(result), C(code), C(text), and C(details) with C(level), C(proved) and the number of C(failures).
  type: dict
"""

from typing import Any, Callable

from ansible_collections.wst.backup.plugins.plugin_utils._set_tables import verify_record


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter of this file."""
        return {"verify_record": verify_record}
