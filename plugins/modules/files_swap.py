#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: files_swap
short_description: Put restored trees in the place of old ones, all or none
version_added: 0.1.0
description:
  - Renames each old tree to C(<target>.before-<run id>) and the new one to the target. The new trees are made with
    M(wst.backup.backup_extract) before; nothing is copied here, and nothing is written over.
  - All renames stand in a journal on the disk before the first one. Whenever it is interrupted, V(resumed) goes on from
    where things stand, forward or back as it was going, and V(undone) takes everything back. Trees are known by their
    file numbers, so that what came into being meanwhile under one of the names is never taken for one of them.
  - While one is unfinished, no other is begun (C(restore_unfinished)), and no backup is made of the trees.
  - A rename that fails takes those before it back. Who has something open is named where the system tells, as
    C(restore_target_busy).
  - The old trees stay until V(absent) is asked for.
  - It works under the lease of a run, which M(wst.backup.run_lock) takes.
author:
  - wst.backup contributors (@wst-backup)
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.attributes.job
  - wst.backup.restore.authority
attributes:
  check_mode:
    support: full
    details: Checks everything, the authority and open files too, and returns the renames.
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
    description:
      - V(swapped) swaps the O(pairs). V(resumed) finishes what was interrupted. V(undone) gives the old trees their
        names back, also those of a swap that was finished; the new ones go back to where they were made. V(absent)
        removes the old trees of a finished swap, after which there is no way back, or the new ones of a swap that was
        taken back.
      - Where M(wst.backup.restore_intent) has on record that a database belongs to the trees, V(resumed) takes the
        trees back if the database was not swapped, and waits (C(swap_unfinished)) while that is not known.
    type: str
    choices: [swapped, resumed, undone, absent]
    default: swapped
  pairs:
    description: The trees, for O(state=swapped).
    type: list
    elements: dict
    suboptions:
      new:
        description:
          - The new tree, a directory on the volume of the target. Not below O(root), where everything keeps a closed
            access list.
        type: path
        required: true
      target:
        description: The name that it shall have. A directory of that name steps aside; there may be none.
        type: path
        required: true
  swap:
    description:
      - The run id of an earlier swap, as RV(swap) returned it, for the other states. By default every one that was
        interrupted; V(absent) needs it.
    type: str
  check_open:
    description:
      - Whether something that is open in an old tree stops the swap before it begins. Windows refuses such a rename
        anyway. Elsewhere who has a file open would go on writing into the old tree.
    type: bool
    default: true
seealso:
  - module: wst.backup.backup_extract
  - module: wst.backup.run_lock
"""

EXAMPLES = r"""
- name: Put both trees back
  wst.backup.files_swap:
    pairs:
      - new: C:\wst\restored\wst
        target: C:\wst\wst
      - new: C:\wst\restored\wst-api
        target: C:\wst\wst-api

- name: Go on after an interruption
  wst.backup.files_swap:
    state: resumed

- name: Remove the old trees, once nobody misses anything
  wst.backup.files_swap:
    state: absent
    swap: 20261123-150000-0123abcd
"""

RETURN = r"""
swap:
  description: The run id that the swap is known by; null where there was none to resume.
  returned: success
  type: str
status:
  description: V(swapped), V(undone) or V(removed); null where there was nothing to resume.
  returned: success
  type: str
trees:
  description: The trees of the swap, with C(target), C(new), and C(old), which is null where there was none.
  returned: success
  type: list
  elements: dict
renames:
  description: What is renamed, with C(from) and C(to), for O(state=swapped).
  returned: success
  type: list
  elements: dict
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._restore.swap_step import (
    STATE_ABSENT,
    STATE_SWAPPED,
    STATES,
    Request,
    run,
)
from ansible_collections.wst.backup.plugins.module_utils._sets.options import ROOT


def main() -> None:
    """Entry point."""
    pair = {"new": {"type": "path", "required": True}, "target": {"type": "path", "required": True}}
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "default": ROOT},
            "state": {"type": "str", "choices": list(STATES), "default": STATE_SWAPPED},
            "pairs": {"type": "list", "elements": "dict", "options": pair},
            "swap": {"type": "str"},
            "check_open": {"type": "bool", "default": True},
        },
        required_if=[("state", STATE_SWAPPED, ["pairs"]), ("state", STATE_ABSENT, ["swap"])],
        supports_check_mode=True,
    )

    def work() -> Dict[str, Any]:
        params = module.params
        request = Request(
            layout=HostLayout(params["root"]),
            state=params["state"],
            pairs=[(each["new"], each["target"]) for each in params["pairs"] or ()],
            swap=params["swap"],
            check_open=params["check_open"],
        )
        return run(request, dry_run=module.check_mode)

    _edge.run(module, work)


if __name__ == "__main__":
    main()
