#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: show
short_description: Show lines to the operator as they are
version_added: 0.1.0
description:
  - Puts lines of text on the screen of the control node, unfolded and unquoted, whatever result format is set.
  - Works on the control node only; the host is not contacted.
author:
  - wst.backup contributors (@wst-backup)
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - ansible.builtin.action_common_attributes.conn
attributes:
  action:
    support: full
  async:
    support: none
  become:
    support: none
  bypass_host_loop:
    support: none
  check_mode:
    support: full
  connection:
    support: none
  delegation:
    support: none
    details: Nothing is done on any host.
  diff_mode:
    support: none
  platform:
    support: full
    platforms: all
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
- name: Show a table
  wst.backup.show:
    lines:
      - HOST       RESULT
      - wst-prod   ok
"""

RETURN = r"""
lines:
  description: The lines that were shown.
  returned: success
  type: list
  elements: str
"""
