#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_pin
short_description: Keep a set for ever, or no longer
version_added: 0.1.0
description:
  - M(wst.backup.backup_retention) never removes a pinned set. Whether it counts is another matter.
  - The pin is written on every layer that has the set. A mirror that is away or takes no writes is a warning, and is
    told by M(wst.backup.backup_mirror) of a later run; a pin that was taken away while the mirror was gone stays there.
  - >-
    With O(state=absent) it needs L5, proven by the token in the variable C(wst_backup_authority_token), see
    M(wst.backup.authority). Everybody may pin.
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
    details: Where L5 is needed it must be proven, and that goes on record, too.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  state:
    description: Whether the set is to be pinned.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: wst.backup.authority
  - module: wst.backup.backup_info
  - module: wst.backup.backup_retention
"""

EXAMPLES = r"""
- name: Keep the last set before the migration
  wst.backup.backup_pin:
    layers:
      - name: local
        path: C:\wst-backups
      - name: mirror
        path: D:\wst-backups
    artifact: wst-backup-20261123-120000
    reason: the last one before the migration to version 5
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
from ansible_collections.wst.backup.plugins.module_utils._sets.rulings import (
    pin,
    request_of,
    ruling_options,
    unpin,
)


def main() -> None:
    """Entry point."""
    spec = {
        **set_options(),
        **layer_options(),
        **ruling_options(),
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)

    def work() -> Dict[str, Any]:
        request = request_of(module.params, warn=module.warn, dry_run=module.check_mode)
        return pin(request) if module.params["state"] == "present" else unpin(request)

    _edge.run(module, work)


if __name__ == "__main__":
    main()
