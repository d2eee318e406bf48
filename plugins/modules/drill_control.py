#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: drill_control
short_description: Prove that a damaged copy of an artifact is refused
version_added: 0.1.0
description:
  - Copies an artifact into the drill's directory, flips one bit of the copy in a random place, and has the copy
    verified against the set's sidecar as the set itself was. It must be refused; else what verifies sets is worth
    nothing, which is the failure C(drill_control_failed). The copy is removed.
  - Belongs to a run that holds the lock of drills, see M(wst.backup.run_lock).
options:
  root:
    description: Directory of the backup's own files on the host.
    type: path
    default: C:\wst-control
  path:
    description: The ZIP of a published set; its sidecar stands beside it.
    type: path
    required: true
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.attributes.job
attributes:
  check_mode:
    support: full
    details: Does nothing then, for the copy would be a change.
  diff_mode:
    support: none
  idempotent:
    support: full
author:
  - wst.backup contributors (@wst-backup)
seealso:
  - module: wst.backup.drill_begin
  - module: wst.backup.backup_verify
"""

EXAMPLES = r"""
- name: A damaged copy must be refused
  wst.backup.drill_control:
    path: C:\wst-backups\wst-backup-20261123-150000.zip
"""

RETURN = r"""
offset:
  description: The byte of the copy that was damaged, from 0.
  returned: success, not in check mode
  type: int
bit:
  description: The bit of it that was flipped, 0 to 7.
  returned: success, not in check mode
  type: int
refused_as:
  description: The code with which the copy was refused.
  returned: success, not in check mode
  type: str
  sample: artifact_damaged
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._drill.control import require_refused
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout


def work(params: Dict[str, Any], *, check_mode: bool) -> Dict[str, Any]:
    """Damage a copy and have it refused; returns the module's result."""
    if check_mode:
        return {"changed": False}
    return require_refused(HostLayout(params["root"]), params["path"])


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "default": r"C:\wst-control"},
            "path": {"type": "path", "required": True},
        },
        supports_check_mode=True,
    )
    _edge.run(module, lambda: work(module.params, check_mode=module.check_mode))


if __name__ == "__main__":
    main()
