# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: show_lines
short_description: Show text to the person who runs a playbook
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - Prints lines as they are. M(ansible.builtin.debug) prints them as JSON or YAML, which breaks tables.
  - The host is not contacted.
extends_documentation_fragment:
  - wst.backup.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
  action:
    details: Runs on the control node alone.
options:
  lines:
    description: The lines.
    type: list
    elements: str
    required: true
seealso:
  - module: ansible.builtin.debug
"""

EXAMPLES = r"""
- name: Show the sets of a host
  wst.backup.show_lines:
    lines: "{{ info.layers | wst.backup.sets_table }}"
"""

RETURN = r"""
lines:
  description: The lines that were shown.
  returned: success
  type: list
  elements: str
"""
