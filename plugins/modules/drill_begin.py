#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: drill_begin
short_description: Choose the set that a drill restores
version_added: 0.1.0
description:
  - Chooses a set of a layer, and makes the directory that the drill works in, C(drills) and the run's id below O(root).
  - Sets that do not count, suspect ones among them, are passed over.
  - Belongs to a run that holds the lock of drills, see M(wst.backup.run_lock).
options:
  layer:
    description:
      - The layer to restore from. V(alternate) is the mirror and the local layer in turns, a week (Monday to Sunday,
        UTC) each, so that a weekly drill proves both.
    type: str
    choices: [alternate, local, mirror]
    default: alternate
  artifact:
    description:
      - V(newest), or the name of a set. One that is named may be suspect, and as old as it is.
    type: str
    default: newest
  max_age_hours:
    description:
      - The age beyond which the newest set fails the drill with C(set_too_old). V(0) sets no limit.
    type: float
    default: 26
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.sets
  - wst.backup.sets.layers
attributes:
  check_mode:
    support: full
    details: Chooses, and makes no directory.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: A set that was published meanwhile is the newest.
author:
  - wst.backup contributors (@wst-backup)
seealso:
  - module: wst.backup.backup_extract
  - module: wst.backup.drill_control
  - module: wst.backup.drill_end
"""

EXAMPLES = r"""
- name: Choose the set
  wst.backup.drill_begin:
    layers:
      - name: local
        path: C:\wst-backups
      - name: mirror
        path: D:\wst-backups
  register: set
"""

RETURN = r"""
artifact:
  description: Name of the set.
  returned: success
  type: str
  sample: wst-backup-20261123-150000
layer:
  description: The layer that it is restored from.
  returned: success
  type: str
file:
  description: Path of its ZIP.
  returned: success
  type: str
size:
  description: Size of its ZIP in bytes.
  returned: success
  type: int
database_size:
  description: Bytes that its database had on the server; null where its manifest does not say.
  returned: success
  type: int
sha256:
  description: SHA-256 of its ZIP, as its sidecar says.
  returned: success
  type: str
made_at:
  description: When the run that made it began, UTC.
  returned: success
  type: str
age:
  description: Seconds since then. What has changed in this time is what a loss at this moment would cost (RPO).
  returned: success
  type: int
workspace:
  description: The drill's directory; empty in check mode.
  returned: success
  type: str
tree:
  description: Where in it the set is to be extracted; empty in check mode.
  returned: success
  type: str
"""

from datetime import timedelta
from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._drill.begin_step import Request, begin
from ansible_collections.wst.backup.plugins.module_utils._drill.choice import ALTERNATE, NEWEST
from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, MIRROR
from ansible_collections.wst.backup.plugins.module_utils._sets.options import layer_options, layers_of, set_options


def work(params: Dict[str, Any], *, check_mode: bool) -> Dict[str, Any]:
    """Choose; returns the module's result."""
    hours = params["max_age_hours"]
    if hours < 0:
        raise InputInvalid("max_age_hours must not be negative", max_age_hours=hours)
    request = Request(
        layout=HostLayout(params["root"]),
        layers=layers_of(params),
        prefix=params["prefix"],
        layer=params["layer"],
        artifact=params["artifact"],
        max_age=timedelta(hours=hours) if hours else None,
    )
    return begin(request, dry_run=check_mode)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **set_options(),
            **layer_options(),
            "layer": {"type": "str", "choices": [ALTERNATE, LOCAL, MIRROR], "default": ALTERNATE},
            "artifact": {"type": "str", "default": NEWEST},
            "max_age_hours": {"type": "float", "default": 26},
        },
        supports_check_mode=True,
    )
    _edge.run(module, lambda: work(module.params, check_mode=module.check_mode))


if __name__ == "__main__":
    main()
