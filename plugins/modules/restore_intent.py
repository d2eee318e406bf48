#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: restore_intent
short_description: Keep on record what a restore replaces, until all of it stands together
version_added: 0.1.0
description:
  - M(wst.backup.files_swap) and M(wst.backup.pg_swap) have a journal each. Neither says that the other was wanted. The
    record of this module does. It is on the disk before anything is made, stopped or swapped, so that a restore of
    trees and a database that died between the two is found and brought to an end in which both are new or both are old.
  - While trees are new and the database is old, or the other way round, no backup is made of them and no other restore
    is begun (C(restore_unfinished)).
  - It also says which services and application pools ran and are to be started again, and which directories were made
    beside the trees.
  - It replaces nothing, stops nothing and starts nothing.
author:
  - wst.backup contributors (@wst-backup)
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.attributes.job
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
notes:
  - It needs no authority. What it records is replaced by other modules, which do.
  - V(open) and V(ended) work under the lease of a run, which M(wst.backup.run_lock) takes.
options:
  root:
    description: Directory of the host's own records (lock, audit log, journals of swaps).
    type: path
    default: C:\wst-control
  state:
    description:
      - V(open) records what this run replaces; the same run can say more later. With O(swap) it opens the record of an
        ended restore of trees and a database again, before both are taken back.
      - V(pending) tells which restores have not come to their end.
      - V(ended) removes the directories that were made beside trees and never became production, and ends the record
        where the swaps stand together and what was stopped runs again. It fails with C(restore_unfinished) where they
        do not stand together.
    type: str
    choices: [open, pending, ended]
    required: true
  trees:
    description: The trees that are replaced, for O(state=open).
    type: list
    elements: dict
    default: []
    suboptions:
      target:
        description: The tree.
        type: path
        required: true
      extract:
        description: The directory beside it in which its new tree is made, as M(wst.backup.restore_begin) names it.
        type: path
        required: true
  database:
    description: The database that is replaced, as C(host:port/name), for O(state=open).
    type: str
    default: ""
  services:
    description: Services that are about to be stopped, for O(state=open). Those that run are recorded.
    type: list
    elements: str
    default: []
  app_pools:
    description: Application pools of IIS, likewise.
    type: list
    elements: str
    default: []
  swap:
    description: The restore of that run. By default V(pending) and V(ended) mean every one that has not ended.
    type: str
  decided:
    description: With O(state=ended), a person has decided what becomes of it, and it ends as it stands.
    type: bool
    default: false
seealso:
  - module: wst.backup.files_swap
  - module: wst.backup.pg_swap
  - module: wst.backup.host_services
"""

EXAMPLES = r"""
- name: Record what is about to be replaced
  wst.backup.restore_intent:
    state: open
    trees:
      - target: C:\wst\wst
        extract: C:\wst\wst.restore-20261130-101500-1f2e3d4c
    database: wst-dev.postgres.database.azure.com:5432/wst_dev_database
    services: [wst-worker]
  register: intent

- name: End it, once both are swapped and the services run
  wst.backup.restore_intent:
    state: ended
    swap: "{{ intent.restores[0].swap }}"
"""

RETURN = r"""
restores:
  description: The restores that were meant.
  returned: success
  type: list
  elements: dict
  contains:
    swap:
      description: The run id that it is known by.
      type: str
    trees:
      description: The trees that it replaces.
      type: list
      elements: str
    trees_status:
      description: How far their swap has come; null where it was not begun.
      type: str
    database:
      description: The database that it replaces; empty where it replaces none.
      type: str
    database_status:
      description: How far its swap has come; null where it was not begun.
      type: str
services:
  description: The services that ran before, and are to be started again.
  returned: success
  type: list
  elements: str
app_pools:
  description: The application pools, likewise.
  returned: success
  type: list
  elements: str
removed:
  description: Directories that were made beside trees and were removed.
  returned: with O(state=ended)
  type: list
  elements: str
down:
  description:
    - What was stopped for them, ran before and does not run now, in words such as C(service wst-worker). Their records
      do not end.
  returned: with O(state=ended)
  type: list
  elements: str
left:
  description: Trees that were swapped in and taken back, and still stand beside production.
  returned: success
  type: list
  elements: str
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._restore.intent_step import STATES, Request, run
from ansible_collections.wst.backup.plugins.module_utils._sets.options import ROOT


def main() -> None:
    """Entry point."""
    names: Dict[str, Any] = {"type": "list", "elements": "str", "default": []}
    tree = {"target": {"type": "path", "required": True}, "extract": {"type": "path", "required": True}}
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "default": ROOT},
            "state": {"type": "str", "choices": list(STATES), "required": True},
            "trees": {"type": "list", "elements": "dict", "options": tree, "default": []},
            "database": {"type": "str", "default": ""},
            "services": names,
            "app_pools": names,
            "swap": {"type": "str"},
            "decided": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )

    def work() -> Dict[str, Any]:
        params = module.params
        request = Request(
            layout=HostLayout(params["root"]),
            state=params["state"],
            trees=[(each["target"], each["extract"]) for each in params["trees"]],
            database=params["database"],
            services=params["services"],
            app_pools=params["app_pools"],
            swap=params["swap"],
            decided=params["decided"],
        )
        return run(request, dry_run=module.check_mode)

    _edge.run(module, work)


if __name__ == "__main__":
    main()
