#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_accept
short_description: Let a suspect set count
version_added: 0.1.0
description:
  - A set whose content was far from what it had been is suspect and does not count. When the change is right, this
    makes it count on every layer that has it, and later sets are compared with it.
  - A mirror that is away or takes no writes is a warning, and is told by M(wst.backup.backup_mirror) of a later run.
  - It fails for a set that was never suspect.
  - It needs L5, proven by the token in the variable C(wst_backup_authority_token), see M(wst.backup.authority).
  - It works under the lease of a run, which M(wst.backup.run_lock) takes.
author:
  - wst.backup contributors (@wst-backup)
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.attributes.job
  - wst.backup.sets
  - wst.backup.sets.layers
  - wst.backup.sets.ruling
attributes:
  check_mode:
    support: full
    details: L5 must be proven, and that goes on record, too.
  diff_mode:
    support: none
  idempotent:
    support: full
seealso:
  - module: wst.backup.authority
  - module: wst.backup.backup_info
  - module: wst.backup.backup_retention
"""

EXAMPLES = r"""
- name: The old uploads were moved to blob storage on purpose
  wst.backup.backup_accept:
    layers:
      - name: local
        path: C:\wst-backups
      - name: mirror
        path: D:\wst-backups
    artifact: wst-backup-20261123-120000
    reason: uploads were moved to blob storage, change 4711
"""

RETURN = r"""
artifact:
  description: Name of the set.
  returned: success
  type: str
  sample: wst-backup-20261123-120000
layers:
  description: The layers that have the set.
  returned: success
  type: list
  elements: str
changed_layers:
  description: The layers on which its state changed.
  returned: success
  type: list
  elements: str
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._sets.options import layer_options, set_options
from ansible_collections.wst.backup.plugins.module_utils._sets.rulings import accept, request_of, ruling_options


def main() -> None:
    """Entry point."""
    spec = {
        **set_options(),
        **layer_options(),
        **ruling_options(),
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)

    def work() -> Dict[str, Any]:
        request = request_of(module.params, warn=module.warn, dry_run=module.check_mode)
        return accept(request)

    _edge.run(module, work)


if __name__ == "__main__":
    main()
