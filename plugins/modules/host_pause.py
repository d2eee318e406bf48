#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_pause
short_description: Pause a host's backups until a day, or resume them
version_added: 0.1.0
description:
  - >-
    While a host is paused, M(wst.backup.run_lock) gives it to no backup (C(host_paused)). Restores, restore tests and
    verifications go on. A paused host does not comply (R1), however fresh its sets are.
  - A pause ends by itself. It says until when and why, and who said so.
  - >-
    Pausing needs L5, proven by the token in the variable C(wst_backup_authority_token), see M(wst.backup.authority).
    Everybody may resume.
  - It works under the lease of a run, which M(wst.backup.run_lock) takes.
author:
  - wst.backup contributors (@wst-backup)
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.attributes.job
attributes:
  check_mode:
    support: full
    details: L5 must be proven all the same, and that goes on record, too.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  root:
    description: Directory of the host's own records (lock, audit log, journals of swaps).
    type: path
    default: C:\wst-control
  state:
    description: Whether backups are to be paused.
    type: str
    choices: [present, absent]
    default: present
  until:
    description:
      - The day, in UTC, from whose beginning on backups are made again, such as V(2027-01-31). At most 92 days away.
      - Required for O(state=present).
    type: str
  reason:
    description: Why, in at least five characters. Required for O(state=present).
    type: str
seealso:
  - module: wst.backup.authority
  - module: wst.backup.run_lock
"""

EXAMPLES = r"""
- name: No backups while the disk is replaced
  wst.backup.host_pause:
    until: "2027-01-31"
    reason: the second disk is replaced, ticket 4711

- name: Go on
  wst.backup.host_pause:
    state: absent
"""

RETURN = r"""
pause:
  description: The pause that holds, or was taken away; null where there was none.
  returned: success
  type: dict
  contains:
    since:
      description: When it was asked for.
      type: str
      sample: "2027-01-12T09:30:00Z"
    until:
      description: When it ends.
      type: str
      sample: "2027-01-31T00:00:00Z"
    reason:
      description: Why.
      type: str
      sample: the second disk is replaced, ticket 4711
    by:
      description: Who asked for it, and on which control node.
      type: str
      sample: ada@control
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._host.pausing import pause, resume
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "default": "C:\\wst-control"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "until": {"type": "str"},
            "reason": {"type": "str"},
        },
        required_if=[("state", "present", ["until", "reason"])],
        supports_check_mode=True,
    )

    def work() -> Dict[str, Any]:
        params, layout = module.params, HostLayout(module.params["root"])
        if params["state"] == "absent":
            return resume(layout, dry_run=module.check_mode)
        return pause(layout, until=params["until"], reason=params["reason"], dry_run=module.check_mode)

    _edge.run(module, work)


if __name__ == "__main__":
    main()
