#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: drill_end
short_description: Put a drill that succeeded on the set's record
version_added: 0.1.0
description:
  - Notes in the set's state file, on the layer that it was restored from, that a drill has restored it and found all as
    promised. Retention never removes the newest such set of a layer.
  - Call it when every comparison of the drill was good, and at no other time.
  - Belongs to a run that holds the lock of drills, see M(wst.backup.run_lock). Where a backup works on the host at that
    moment, it waits for its step to end, for up to six hours.
options:
  layer:
    description: The layer that the set was restored from.
    type: dict
    required: true
    suboptions:
      name:
        description: Which layer it is.
        type: str
        choices: [local, mirror]
        required: true
      path:
        description: Its directory.
        type: path
        required: true
  artifact:
    description: Name of the set.
    type: str
    required: true
  sha256:
    description: SHA-256 of the ZIP that was restored, as M(wst.backup.drill_begin) returned it.
    type: str
    required: true
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.attributes.job
  - wst.backup.sets
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: partial
    details: The time of the drill is noted anew.
author:
  - wst.backup contributors (@wst-backup)
seealso:
  - module: wst.backup.drill_begin
"""

EXAMPLES = r"""
- name: Note that the set was drilled
  wst.backup.drill_end:
    layer:
      name: local
      path: C:\wst-backups
    artifact: "{{ set.artifact }}"
    sha256: "{{ set.sha256 }}"
"""

RETURN = r"""
artifact:
  description: Name of the set.
  returned: success
  type: str
layer:
  description: The layer whose state file has it.
  returned: success
  type: str
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._drill.end_step import record_drilled
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._names import check_prefix
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, MIRROR, Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.options import set_options


def work(params: Dict[str, Any], *, check_mode: bool) -> Dict[str, Any]:
    """Record; returns the module's result."""
    return record_drilled(
        HostLayout(params["root"]),
        Layer(params["layer"]["name"], params["layer"]["path"]),
        params["artifact"],
        prefix=check_prefix(params["prefix"]),
        sha256=params["sha256"],
        dry_run=check_mode,
    )


def main() -> None:
    """Run the module."""
    layer = {
        "name": {"type": "str", "required": True, "choices": [LOCAL, MIRROR]},
        "path": {"type": "path", "required": True},
    }
    module = AnsibleModule(
        argument_spec={
            **set_options(),
            "layer": {"type": "dict", "required": True, "options": layer},
            "artifact": {"type": "str", "required": True},
            "sha256": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    _edge.run(module, lambda: work(module.params, check_mode=module.check_mode))


if __name__ == "__main__":
    main()
