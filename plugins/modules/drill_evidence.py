# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: drill_evidence
short_description: Keep the evidence of a drill on the control node
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - Makes one document of what the steps of a drill have found, whether it succeeded or not, and keeps it as JSON and as
    a page that opens from a file. Both are in C(hosts), the host's name in the inventory and C(drills), below
    C(wst_backup_control_dir).
  - A step that was not reached proves nothing; a drill of which a step is missing has failed.
  - Evidence that is older than 400 days is removed when new evidence comes.
  - C(verification.jsonl), beside them, gets one line for each drill and is only added to. One that died wrote none; the
    next drill, which took over its lock, adds it.
  - Evidence that cannot be written is no success, whatever the steps have found.
  - The host is not contacted.
extends_documentation_fragment:
  - wst.backup.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Every call is the evidence of a drill.
  action:
    details: Runs on the control node alone.
options:
  results:
    description:
      - The registered results of the drill's steps, as role P(wst.backup.restore_test#role) names them. What is missing
        or empty was not reached.
    type: dict
    required: true
  failed:
    description: What the filter P(wst.backup.failure#filter) made of what stopped the drill, or an empty mapping.
    type: dict
    required: true
  began:
    description: When the drill began, in seconds since 1970.
    type: float
    required: true
seealso:
  - module: wst.backup.drill_begin
"""

EXAMPLES = r"""
- name: Keep the evidence
  wst.backup.drill_evidence:
    results:
      lock: "{{ lock }}"
      set: "{{ set }}"
    failed: "{{ ansible_failed_result | wst.backup.failure(step=ansible_failed_task.name) }}"
    began: "{{ began }}"
"""

RETURN = r"""
evidence:
  description: The document. C(docs/evidence.md) of the collection describes it.
  returned: always
  type: dict
json:
  description: Where it is.
  returned: success, not in check mode
  type: str
html:
  description: Where its page is.
  returned: success, not in check mode
  type: str
log:
  description: The verification log, which has one line for each drill of the host.
  returned: success, not in check mode
  type: str
removed:
  description: Names of files that were older than 400 days.
  returned: success, not in check mode
  type: list
  elements: str
"""
