#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mirror_init
short_description: Make a volume the mirror
version_added: 0.1.0
description:
  - Puts the marker C(wst-mirror.json) on the volume that shall be the mirror, and returns the volume's id for the
    inventory. Nothing else ever makes a marker, so another disk under the same drive letter is found out.
  - The volume must be fit. It must be a fixed drive on another physical disk than O(local_dir), writable, unlocked,
    neither compressed nor FAT nor a temporary disk.
  - A missing directory is made, closed to others. Sets that are there stay.
author:
  - wst.backup contributors (@wst-backup)
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.sets
  - wst.backup.mirror
  - wst.backup.mirror.directories
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  replace:
    description:
      - Overwrite the marker of another volume or prefix, or a damaged one. For a disk that was replaced on purpose.
    type: bool
    default: false
seealso:
  - module: wst.backup.backup_mirror
"""

EXAMPLES = r"""
- name: Make the external drive the mirror
  wst.backup.mirror_init:
    mirror_dir: D:\wst-backups
  register: mirror

- name: Show the id for the inventory
  ansible.builtin.debug:
    var: mirror.volume_id
"""

RETURN = r"""
volume_id:
  description: Id of the volume.
  returned: success
  type: str
  sample: '\\?\Volume{3f8a9c1e-0000-0000-0000-100000000000}\'
marker:
  description: Where the marker is.
  returned: success
  type: str
  sample: D:\wst-backups\wst-mirror.json
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._mirror.modules import initialise, request_of
from ansible_collections.wst.backup.plugins.module_utils._mirror.options import (
    directory_options,
    volume_options,
)
from ansible_collections.wst.backup.plugins.module_utils._sets.options import set_options


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            **set_options(),
            **volume_options(),
            **directory_options(),
            "replace": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )

    def work() -> Dict[str, Any]:
        params, request = module.params, request_of(module.params, warn=module.warn)
        return initialise(request, replace=params["replace"], dry_run=module.check_mode)

    _edge.run(module, work)


if __name__ == "__main__":
    main()
