#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_swap
short_description: Put a restored database in the place of another
version_added: 0.1.0
description:
  - Renames the old database to C(<name>_before_<time of the run>) and the restored one to the name, in one transaction,
    together with the grants, the connection limit and the comment that the dump has of it. There may be no old
    database.
  - Nothing is swapped in that M(wst.backup.pg_compare) has not found equal to its dump in this run.
  - Before, the old database is closed and everybody in it sent away. What would keep it from being renamed is looked
    for first, and refused as C(restore_target_busy) while it is open and untouched. That is a prepared transaction, or
    a session that the role may not end. All statements about the new database are tried in a transaction that is taken
    back.
  - A failure opens the old database again. A journal is on the disk before the first statement, so that V(resumed) ends
    a swap that was interrupted at any of them. After the renames the new database is production. Before them the old
    one is, and is opened again.
  - The old database stays, closed, until V(absent) is asked for. Its replication slots stay with it.
  - It works under the lease of a run, which M(wst.backup.run_lock) takes.
author:
  - wst.backup contributors (@wst-backup)
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.attributes.job
attributes:
  check_mode:
    support: partial
    details: Proves the authority and compares what was typed. There is no restored database then that could be checked.
  diff_mode:
    support: none
  idempotent:
    support: full
notes:
  - It needs proven authority. L5 is enough for a database that the host's authority record says is not production;
    everything else is production and needs L6, and so does V(absent). The token comes from variable
    C(wst_backup_authority_token), which is best kept in a vault of its level, and never stands in a parameter. Every
    grant and refusal is in the audit log.
options:
  root:
    description: Directory of the host's own records (lock, audit log, journals of swaps).
    type: path
    default: C:\wst-control
  state:
    description:
      - V(swapped) swaps. The same run can be told so again after an interruption.
      - V(resumed) ends what was interrupted, and renames nothing.
      - V(undone) gives the old database its name back, and the restored one that which it had before. What was written
        since the swap is in the restored one, which stays closed and is not swapped in again.
      - V(absent) drops the old database of a finished swap, after which there is no way back, or the restored one of a
        swap that was taken back.
    type: str
    choices: [swapped, resumed, undone, absent]
    default: swapped
  reason:
    description: Why, for the audit log.
    type: str
    required: true
  target:
    description: The database that is replaced, as C(host:port/name). Needed with O(state=swapped).
    type: str
  confirm:
    description: The same, typed once more by whoever wants it.
    type: str
  swap:
    description:
      - The run id of an earlier swap, as RV(swap) returned it. V(resumed) ends every one that was interrupted without
        it; V(undone) and V(absent) need it.
    type: str
seealso:
  - module: wst.backup.pg_scratch
  - module: wst.backup.pg_restore
  - module: wst.backup.pg_compare
"""

EXAMPLES = r"""
- name: Put the restored database in its place
  wst.backup.pg_swap:
    reason: table orders was emptied by release 4711
    target: wst-dev.postgres.database.azure.com:5432/wst_dev_database
    confirm: "{{ typed_again }}"

- name: Go on after an interruption
  wst.backup.pg_swap:
    state: resumed
    reason: the host was restarted during the restore

- name: Drop the old database, once nobody misses anything
  wst.backup.pg_swap:
    state: absent
    swap: 20261130-101500-1f2e3d4c
    reason: the restored database was accepted
"""

RETURN = r"""
swap:
  description: The run id that the swap is known by; null where there was none to resume, and in check mode.
  returned: success
  type: str
  sample: 20261130-101500-1f2e3d4c
status:
  description:
    - V(swapped), V(removed), or V(undone), also where an interruption came before the renames; null where there was
      nothing to resume, and in check mode.
  returned: success
  type: str
target:
  description: The database that was replaced, in words.
  returned: success
  type: str
old:
  description: What the old database is called now; null where there was none.
  returned: success
  type: str
  sample: wst_dev_database_before_20261130_101500
closed_seconds:
  description: How long it took from the closing of the old database to the opening of the new one.
  returned: when a database was swapped in
  type: float
remarks:
  description: What stays with the old database and somebody may miss, such as its replication slots.
  returned: when a database was swapped in
  type: list
  elements: str
"""

from typing import Any, Callable, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._pg.swap_step import (
    STATE_ABSENT,
    STATE_SWAPPED,
    STATE_UNDONE,
    STATES,
    Request,
    run,
)


def argument_spec() -> Dict[str, Any]:
    """The module's options."""
    return {
        "root": {"type": "path", "default": r"C:\wst-control"},
        "state": {"type": "str", "choices": list(STATES), "default": STATE_SWAPPED},
        "reason": {"type": "str", "required": True},
        "target": {"type": "str"},
        "confirm": {"type": "str"},
        "swap": {"type": "str"},
    }


def work(params: Dict[str, Any], *, check_mode: bool, warn: Callable[[str], None]) -> Dict[str, Any]:
    """Do it; returns the module's result."""
    request = Request(
        layout=HostLayout(params["root"]),
        state=params["state"],
        reason=params["reason"],
        target=params["target"] or "",
        confirm=params["confirm"] or "",
        swap=params["swap"],
    )
    result = run(request, dry_run=check_mode)
    for remark in result.get("remarks", ()):
        warn(remark)
    return result


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=argument_spec(),
        required_if=[
            ("state", STATE_SWAPPED, ["target", "confirm"]),
            ("state", STATE_UNDONE, ["swap"]),
            ("state", STATE_ABSENT, ["swap"]),
        ],
        supports_check_mode=True,
    )
    _edge.run(module, lambda: work(module.params, check_mode=module.check_mode, warn=module.warn))


if __name__ == "__main__":
    main()
