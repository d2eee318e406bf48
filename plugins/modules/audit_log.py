#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: audit_log
short_description: Add an event to a host's audit log
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - >-
    The log is JSON Lines, one record an event. Each record has a number and the hash of the one before, so that a
    record that was changed, removed or put in shows.
  - The last record is checked before each new one, and the whole segment before an event whose name ends in C(_start).
  - A last line that a crash has torn is cut off into a file beside the log, and that is recorded.
  - >-
    Where the chain does not hold, the file is left as it is and a new segment is begun that names it and its digest.
    The event is recorded there, the task succeeds with RV(broken) and RV(code) set, and the run is to go on to its end
    and to fail then.
  - >-
    What the host cannot record is recorded on the control node. The task succeeds then with RV(problem) set and
    RV(recorded_on) telling it, and the run is to go on to its end and to fail then.
extends_documentation_fragment:
  - wst.backup.attributes
attributes:
  check_mode:
    support: full
    details: The log is checked and nothing is written.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Every call is an event of its own.
options:
  root:
    description: The directory on the host that holds the log, in its directory C(audit).
    type: path
    default: C:\wst-control
  event:
    description: What happened, in lower case letters, digits and underscores, such as V(backup_start).
    type: str
    required: true
  result:
    description: How it went; V(none) for what has no result yet.
    type: str
    choices: [success, failure, none]
    default: none
  code:
    description: The code of the failure.
    type: str
    default: ""
  text:
    description: The same for people. Never a secret.
    type: str
    default: ""
  details:
    description: More facts. Never a secret.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Record the start of a backup
  wst.backup.audit_log:
    event: backup_start
    details:
      environment: production

- name: Record that it failed
  wst.backup.audit_log:
    event: backup_end
    result: failure
    code: "{{ failure.code }}"
    text: "{{ failure.msg }}"
"""

RETURN = r"""
seq:
  description: The number of the record; of the last one in check mode.
  returned: success
  type: int
  sample: 42
head:
  description: The hash of that record. Kept elsewhere, it shows when records are cut off the log's end.
  returned: success
  type: str
segment:
  description: The name of the file that holds the record.
  returned: success
  type: str
  sample: audit.jsonl
healed:
  description: Whether a torn last line was cut off; in check mode, whether it would be.
  returned: success
  type: bool
broken:
  description: Whether the chain did not hold.
  returned: success
  type: bool
code:
  description: C(audit_broken) when it did not, else empty.
  returned: success
  type: str
problem:
  description: The failure with its code, message, remedy and facts, with which the run is to end.
  returned: when the chain did not hold, or the host could not record the event
  type: dict
recorded_on:
  description: Where the event was recorded, V(host) or V(control_node).
  returned: success
  type: str
  sample: host
host_error:
  description: Why the host could not record the event, with C(code) and C(message).
  returned: when RV(recorded_on) is V(control_node)
  type: dict
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._audit import step
from ansible_collections.wst.backup.plugins.module_utils._audit.log import Event
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout


def main() -> None:
    """Read the parameters, do the one thing, end the module."""
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "default": "C:\\wst-control"},
            "event": {"type": "str", "required": True},
            "result": {"type": "str", "choices": ["success", "failure", "none"], "default": "none"},
            "code": {"type": "str", "default": ""},
            "text": {"type": "str", "default": ""},
            "details": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )

    def work() -> Dict[str, Any]:
        params = module.params
        event = Event(
            params["event"],
            params["result"],
            params["code"],
            params["text"],  # "message" is a name that Ansible keeps for itself
            params["details"],
        )
        result = step.record(HostLayout(module.params["root"]), event, dry_run=module.check_mode)
        if result["broken"]:
            module.warn("{} {}".format(result["problem"]["message"], result["problem"]["remedy"]))
        return result

    _edge.run(module, work)


if __name__ == "__main__":
    main()
