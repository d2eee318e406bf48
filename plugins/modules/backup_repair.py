#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_repair
short_description: Bring damaged sets back from the other layer
version_added: 0.1.0
description:
  - A set that a later read found damaged is quarantined. Its ZIP is kept under the suffix C(.damaged) and it does not
    count. Where the other layer has the same set, by its sidecar, and that one is read in full and proves good, this
    copies it back, reads the copy from the disk, and lets it count again.
  - A sidecar or a state file that is damaged is mended in the same way. What was damaged stays as evidence; nothing is
    deleted.
  - The mirror's volume is judged first, as M(wst.backup.backup_mirror) does it.
  - What cannot be repaired is told, and is the failure at the end.
  - It works under the lease of a run, which M(wst.backup.run_lock) takes.
author:
  - wst.backup contributors (@wst-backup)
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.attributes.job
  - wst.backup.sets
  - wst.backup.mirror
  - wst.backup.mirror.directories
attributes:
  check_mode:
    support: full
    details: Tells what would be repaired. No ZIP is read, so the other layer's may turn out to be damaged too.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  volume_id:
    description: The id of the volume that must be the mirror, as M(wst.backup.mirror_init) returned it.
    type: str
    required: true
seealso:
  - module: wst.backup.backup_verify
  - module: wst.backup.backup_info
"""

EXAMPLES = r"""
- name: See what a repair would do
  wst.backup.backup_repair:
    volume_id: '{6f1f2c3a-0000-0000-0000-100000000000}'
  check_mode: true
"""

RETURN = r"""
repaired:
  description: The sets that were brought back; in check mode, those that would be.
  returned: success
  type: list
  elements: dict
  contains:
    artifact:
      description: Name of the set.
      type: str
    layer:
      description: The layer on which it was damaged.
      type: str
    source:
      description: The layer that it was brought back from.
      type: str
    damage:
      description: What was wrong with it.
      type: str
    size:
      description: Size of its ZIP in bytes.
      type: int
hopeless:
  description: The same of the sets that cannot be repaired, with C(reason).
  returned: success
  type: list
  elements: dict
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._mirror.modules import request_of
from ansible_collections.wst.backup.plugins.module_utils._mirror.options import (
    directory_options,
    volume_options,
)
from ansible_collections.wst.backup.plugins.module_utils._mirror.repair_step import repair_layers
from ansible_collections.wst.backup.plugins.module_utils._sets.options import set_options


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            **set_options(),
            **volume_options(),
            **directory_options(),
            "volume_id": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )

    def work() -> Dict[str, Any]:
        params, request = module.params, request_of(module.params, warn=module.warn)
        return repair_layers(request, volume_id=params["volume_id"], dry_run=module.check_mode)

    _edge.run(module, work)


if __name__ == "__main__":
    main()
