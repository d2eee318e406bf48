# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter ``verify_failures``."""

from __future__ import annotations

DOCUMENTATION = r"""
name: verify_failures
short_description: Why a verification is no success
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - Lists every ZIP that was not proved to the level that was asked for, failures without a code of ours included.
  - Lists every layer that could not be read, or had no complete set to verify.
  - Lists why the verification could not be recorded in the host's audit log.
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
  recorded:
    description: What M(wst.backup.audit_log) returned when the verification was recorded.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Fail where something was not proved
  ansible.builtin.fail:
    msg: "{{ failures | join('\\n') }}"
  vars:
    failures: "{{ proofs.results | wst.backup.verify_failures(level=3, layers=info.layers) }}"
  when: failures | length > 0
"""

RETURN = r"""
_value:
  description: A sentence for each failure; empty when all was proved.
  type: list
  elements: str
"""

from typing import Any, Callable

from ansible_collections.wst.backup.plugins.plugin_utils._set_tables import verify_failures


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter of this file."""
        return {"verify_failures": verify_failures}
