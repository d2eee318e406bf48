# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter ``set_paths``."""

from __future__ import annotations

DOCUMENTATION = r"""
name: set_paths
short_description: The paths of complete sets
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - Lists the ZIPs that can be verified, newest first, layer by layer. Damaged sets are not among them.
positional: _input
options:
  _input:
    description: The RV(wst.backup.backup_info#module:layers) of M(wst.backup.backup_info).
    type: list
    elements: dict
    required: true
  which:
    description: >-
      The newest set of each layer, all of them, or those that are due, which are every one whose last full read will be
      older than O(every_days) within a day, and the one that was read longest ago when half of that time is over.
    type: str
    choices: [newest, all, due]
    required: true
  every_days:
    description: In how many days every set is to be read again.
    type: float
    default: 7
"""

EXAMPLES = r"""
- name: Show it
  ansible.builtin.debug:
    msg: "{{ info.layers | wst.backup.set_paths(which='newest') }}"
"""

RETURN = r"""
_value:
  description: A dictionary for each ZIP, with C(path) on the host and C(layer).
  type: list
  elements: dict
"""

from typing import Any, Callable

from ansible_collections.wst.backup.plugins.plugin_utils._set_tables import set_paths


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter of this file."""
        return {"set_paths": set_paths}
