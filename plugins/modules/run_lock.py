#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: run_lock
short_description: Take and give back a host for one run
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - Everything that changes sets, production or keys on a host happens under its lock, so that two runs never meet.
  - >-
    Each later module of the run holds a lock of the operating system for as long as its process lives. Between them a
    lease says whose the host is. A run that died does not block the host for ever: once no process holds the lock, its
    lease is dead when the last heartbeat is older than O(stale_after) or comes from before the host's last start.
  - The run's id is made on the control node by this module's action and goes with every later task of the play.
  - >-
    Where the host cannot be reached at all, the action tells it as M(wst.backup.notify) does, when O(purpose) is given
    as V(backup) or V(restore_test): Ansible runs no later task for such a host.
extends_documentation_fragment:
  - wst.backup.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  root:
    description: The directory on the host that holds the lock, the jobs and the workspaces.
    type: path
    default: C:\wst-control
  state:
    description:
      - V(present) takes the host for this run. It fails with code C(locked), and tells who has it, when another run
        does. It removes the workspaces of all other runs, which are dead by then, unless one still names a scratch
        database (M(wst.backup.pg_scratch) removes that first), and job directories that are older
        than 30 days and not of the 20 newest runs. What a living process still uses is left alone.
      - V(absent) ends the run's jobs that still work on the host, removes its workspace and gives the host back. What
        belongs to another run is left alone.
    type: str
    choices: [present, absent]
    default: present
  purpose:
    description: What the run is for, for those who find the host taken.
    type: str
    default: backup
  drills:
    description:
      - Takes or gives back the lock of drills instead. A drill reads sets and writes beside them, so it may run beside
        a backup, but not beside another drill. Its workspaces are in C(drills) below O(root).
    type: bool
    default: false
  stale_after:
    description: >-
      The number of seconds without a heartbeat after which the lease of a run that has no living process is dead.
    type: int
    default: 900
notes:
  - >-
    With O(state=present) the host's clock is compared with the control node's. Where they are more than 300 seconds
    apart the module fails with code C(clock_suspect), because nothing could be judged by age.
"""

EXAMPLES = r"""
- name: Back up under the host's lock
  block:
    - name: Take the host
      wst.backup.run_lock:
        purpose: backup

    - name: Record the start
      wst.backup.audit_log:
        event: backup_start
  always:
    - name: Give the host back
      wst.backup.run_lock:
        state: absent
"""

RETURN = r"""
run_id:
  description: The run that the task belongs to; empty when there is none to release.
  returned: always
  type: str
  sample: 20261123-150000-1f2e3d4c
taken_over:
  description: The dead run whose place was taken, or nothing.
  returned: success
  type: dict
  contains:
    run_id:
      description: Its id; nothing when its lease file was damaged.
      type: str
    reason:
      description: Why it is dead.
      type: str
    heartbeat:
      description: When it was last alive, in UTC.
      type: str
    controller:
      description: Who had started it.
      type: str
cancelled_jobs:
  description: The jobs of this run that were still working and were ended, by the names of their directories.
  returned: success
  type: list
  elements: str
swept:
  description: The directories that were removed, and the files that killed write probes had left.
  returned: success
  type: list
  elements: str
not_swept:
  description: What should have been removed and could not be, with code, message and remedy. The next run tries again.
  returned: success
  type: list
  elements: dict
note:
  description: Why nothing was given back, or an empty text.
  returned: success
  type: str
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock import step


def main() -> None:
    """Read the parameters, do the one thing, end the module."""
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "default": "C:\\wst-control"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "purpose": {"type": "str", "default": "backup"},
            "drills": {"type": "bool", "default": False},
            "stale_after": {"type": "int", "default": 900},
        },
        supports_check_mode=True,
    )

    def work() -> Dict[str, Any]:
        layout = HostLayout(module.params["root"], drills=module.params["drills"])
        if module.params["state"] == "absent":
            return step.give_back(layout, dry_run=module.check_mode)
        result = step.take(
            layout,
            purpose=module.params["purpose"],
            stale_after=module.params["stale_after"],
            dry_run=module.check_mode,
        )
        dead = result["taken_over"]
        if dead is not None:
            module.warn("this run takes the place of run {run_id}, which died: {reason}".format(**dead))
        return result

    _edge.run(module, work)


if __name__ == "__main__":
    main()
