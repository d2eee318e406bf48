# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: awx_access_info
short_description: Judge who may launch breakglass in AWX, and name what AWX refused
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - >-
    Fails with a code and a remedy where somebody else than one team may launch or change a template of breakglass, or,
    with O(failed), where a task of collection C(awx.awx) failed.
  - It asks nobody. Role P(wst.backup.awx#role) gives it AWX's answers.
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
  failed:
    description: The result of a task that failed; it is named, and the task fails.
    type: dict
    default: {}
  step:
    description: The name of that task.
    type: str
    default: ""
  grants:
    description: Who holds which role.
    type: list
    elements: dict
    default: []
    suboptions:
      'on':
        description: The template, or the organization above it.
        type: str
        required: true
      role:
        description: The role's name.
        type: str
        required: true
      teams:
        description: Teams that hold it.
        type: list
        elements: str
        required: true
      users:
        description: Users that hold it.
        type: list
        elements: str
        required: true
  team:
    description: The one team that may.
    type: str
    default: ""
  admins:
    description: Users who administer AWX, and may all the same.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Nobody but the team of L6 may launch breakglass
  wst.backup.awx_access_info:
    team: wst.backup L6
    grants:
      - 'on': wst.backup restore (breakglass)
        role: execute_role
        teams: [wst.backup L6]
        users: []
"""

RETURN = r"""
code:
  description: What is wrong, such as V(awx_access_open) or V(awx_denied).
  returned: failure
  type: str
"""
