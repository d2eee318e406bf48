#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_directories
short_description: Make directories that only the operator can reach
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - >-
    Makes O(root) with its directories for the lock, readers, the audit log, jobs and workspaces, and O(directories),
    and closes those that stand open to others.
  - >-
    On Windows they get a protected DACL for SYSTEM, Administrators and the operator, elsewhere mode 0700.
    A new directory is closed from its first moment on.
extends_documentation_fragment:
  - wst.backup.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  root:
    description: The directory on the host that holds the key, the lock, the audit log and the runs' workspaces.
    type: path
    default: C:\wst-control
  directories:
    description: More directories, such as the layers.
    type: list
    elements: path
    default: []
  operator:
    description:
      - The account that runs backups, by name or SID. By default, the one that runs this module.
      - What is another account's is handed over to it, with what is in the directories of journals and workspaces. Who
        does that must be an administrator, C(path_permissions) else.
    type: str
seealso:
  - module: wst.backup.runtime_install
"""

EXAMPLES = r"""
- name: Make the directories of a host
  wst.backup.host_directories:
    directories:
      - C:\wst-backups
      - D:\wst-backups
"""

RETURN = r"""
directories:
  description:
    - What each directory was before. V(absent), V(private), V(open), or V(others) for one that is closed and not the
      operator's.
  returned: success
  type: dict
  sample:
    C:\wst-control: private
problems:
  description: Who could reach the directories that stood open, one sentence each.
  returned: success
  type: dict
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._host.directories import handed_along, prepare
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout


def main() -> None:
    """Read the parameters, do the one thing, end the module."""
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "default": "C:\\wst-control"},
            "directories": {"type": "list", "elements": "path", "default": []},
            "operator": {"type": "str"},
        },
        supports_check_mode=True,
    )
    layout = HostLayout(module.params["root"])
    own = [layout.root, layout.lock_dir, layout.holds_dir, layout.audit_dir, layout.runs_dir, layout.scratch_dir]
    drills = HostLayout(layout.root, drills=True)
    parents = [layout.swaps_dir, layout.holds_dir, layout.runs_dir, layout.scratch_dir]
    parents += [drills.lock_dir, drills.scratch_dir]

    def work() -> Dict[str, Any]:
        operator = module.params["operator"]
        paths = [*own, *module.params["directories"]]
        along = [] if operator is None else handed_along(parents)
        return prepare(paths, operator=operator, dry_run=module.check_mode, along=along)

    _edge.run(module, work)


if __name__ == "__main__":
    main()
