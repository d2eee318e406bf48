#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_mirror
short_description: Copy sets to the mirror, and prove the copies
version_added: 0.1.0
description:
  - Copies every set that counts on the local layer, is missing on the mirror, and would be kept by the mirror's own
    retention. This run's set comes first.
  - A copy is written under a partial name, flushed, read back past the system's cache, compared with the sidecar's
    SHA-256, and only then given its names, the sidecar last.
  - It only adds. Nothing is overwritten or deleted. What else has a set's name on the mirror is named and left alone.
  - The mirror must be the volume that it claims to be. It must be a fixed drive on another physical disk than
    O(local_dir), with the id O(volume_id) and the marker of M(wst.backup.mirror_init), writable, unlocked, neither
    compressed nor FAT nor a temporary disk. Otherwise not a byte is written.
  - When it fails, the sets in O(local_dir) are as they were, and the next run mirrors what is missing.
  - A copy that an earlier run found damaged is not read again. While it is there, the task succeeds with RV(problem)
    set, and the run is to go on to its end and to fail then.
  - A set that turns out to be damaged on the local layer does not count there from then on.
author:
  - wst.backup contributors (@wst-backup)
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.attributes.job
  - wst.backup.sets
  - wst.backup.checker
  - wst.backup.policy
  - wst.backup.mirror
  - wst.backup.mirror.directories
attributes:
  check_mode:
    support: full
    details: Judges the volume, and tells what would be copied without reading it.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  volume_id:
    description: Id of the mirror's volume, as M(wst.backup.mirror_init) returned it.
    type: str
    required: true
seealso:
  - module: wst.backup.mirror_init
  - module: wst.backup.backup_retention
"""

EXAMPLES = r"""
- name: Mirror what is missing
  wst.backup.backup_mirror:
    local_dir: C:\wst-backups
    mirror_dir: D:\wst-backups
    volume_id: '\\?\Volume{3f8a9c1e-0000-0000-0000-100000000000}\'
"""

RETURN = r"""
mirrored:
  description: Names of the sets that were copied and proved.
  returned: success
  type: list
  elements: str
reread:
  description: Names of the sets whose copy was there without proof, and was read again and found good.
  returned: success
  type: list
  elements: str
present:
  description: Names of the sets whose copy was there and counted.
  returned: success
  type: list
  elements: str
skipped:
  description: Sets that were not copied, each with C(artifact) and C(reason).
  returned: success
  type: list
  elements: dict
damaged:
  description: Names of the sets whose copy on the mirror is known to be bad.
  returned: success
  type: list
  elements: str
problem:
  description: The failure C(mirror_mismatch) with C(code), C(message), C(remedy) and C(facts), which name those copies.
  returned: when RV(damaged) is not empty
  type: dict
checker_placed:
  description: Whether the program of O(checker) was put beside the sets, or replaced there.
  returned: success
  type: bool
bytes:
  description: Size of what was copied.
  returned: success
  type: int
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._mirror.modules import mirror, request_of
from ansible_collections.wst.backup.plugins.module_utils._mirror.options import (
    directory_options,
    volume_options,
)
from ansible_collections.wst.backup.plugins.module_utils._retention.options import policy_of, policy_options
from ansible_collections.wst.backup.plugins.module_utils._sets.checker import checker_option
from ansible_collections.wst.backup.plugins.module_utils._sets.options import set_options


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            **set_options(),
            **policy_options(),
            **volume_options(),
            **directory_options(),
            **checker_option(),
            "volume_id": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )

    def work() -> Dict[str, Any]:
        params, request = module.params, request_of(module.params, warn=module.warn)
        return mirror(request, volume_id=params["volume_id"], policy=policy_of(params), dry_run=module.check_mode)

    _edge.run(module, work)


if __name__ == "__main__":
    main()
