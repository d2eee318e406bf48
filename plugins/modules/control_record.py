# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: control_record
short_description: Record an event of a host on the control node
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - Appends one line of JSON to the control node's own log of the host.
  - For what keeps the host from writing its audit log, such as a lock that another run holds, a full disk or a lost connection.
  - The host is not contacted.
  - >-
    The log is C(hosts/<inventory name>/events.jsonl) in the directory that the variable C(wst_backup_control_dir) names, by default
    C(~/.wst-backup). Containers must mount it.
options:
  event:
    description: What happened, in one word.
    type: str
    required: true
  result:
    description: How it ended.
    type: str
    choices: [success, failure, none]
    default: none
  code:
    description: The failure's code.
    type: str
    default: ""
  message:
    description: The failure's message. Must hold no secrets.
    type: str
    default: ""
  details:
    description: Further facts. Must hold no secrets.
    type: dict
    default: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: none
  action:
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
    support: full
seealso:
  - module: wst.backup.audit_log
"""

EXAMPLES = r"""
- name: Record on the control node that the host is held by another run
  wst.backup.control_record:
    event: backup_end
    result: failure
    code: locked
    message: Another run holds the host.
"""

RETURN = r"""
path:
  description: The file that was written.
  returned: success, outside of check mode
  type: str
  sample: /home/awx/.wst-backup/hosts/win1/events.jsonl
"""
