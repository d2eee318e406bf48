#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_sweep
short_description: Finish or sweep what runs that died have left
version_added: 0.1.0
description:
  - Comes early in a run, before space is needed.
  - A set whose ZIP has its final name while its sidecar still waits for its own is read again in full. When it is what
    the sidecar says, it is finished and counts; otherwise both files stay and are named.
  - A complete set whose state file is missing or damaged is read again in full, and what was found is recorded. A
    damaged state file is kept under the suffix C(.damaged).
  - Every other partial file of a run that is not the live one is removed, and after an hour what a killed
    M(wst.backup.preflight_info) or M(wst.backup.mirror_init) has left. Nothing else is, and never a ZIP that has a
    final name. Foreign files are left alone.
  - The mirror is left alone, without a failure, unless nothing speaks against its volume, in the judgement that
    M(wst.backup.backup_mirror) uses. M(wst.backup.preflight_info) fails with what is wrong with it.
  - What is wrong with a leftover is a warning, and the first such problem is RV(problem). It does not keep the next
    backup from being made; the run is to go on to its end and to fail then.
author:
  - wst.backup contributors (@wst-backup)
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.attributes.job
  - wst.backup.sets
  - wst.backup.sets.layers
  - wst.backup.mirror
attributes:
  check_mode:
    support: partial
    details: ZIPs are not read, so a set is told as finished that may turn out to be damaged.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  mirror_volume_id:
    description:
      - The id of the volume that must be the mirror, as M(wst.backup.mirror_init) returned it.
      - Without it, or without the V(local) layer beside it in O(layers), a V(mirror) layer is left alone.
    type: str
    default: ''
seealso:
  - module: wst.backup.preflight_info
  - module: wst.backup.backup_publish
  - module: wst.backup.run_lock
"""

EXAMPLES = r"""
- name: Clean up after runs that died
  wst.backup.backup_sweep:
    layers:
      - name: local
        path: C:\wst-backups
      - name: mirror
        path: D:\wst-backups
    mirror_volume_id: '{6f1f2c3a-0000-0000-0000-100000000000}'
"""

RETURN = r"""
layers:
  description: What was done on each layer.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Which layer.
      type: str
    path:
      description: Its directory.
      type: str
    present:
      description: Whether the directory is there. A missing one is for M(wst.backup.preflight_info) to complain about.
      type: bool
    skipped:
      description: Why the layer was left alone; empty when it was not. Only a V(mirror) layer ever is.
      type: str
      sample: "mirror_missing: there is no directory D:\\wst-backups"
    finished:
      description: Names of sets that count now.
      type: list
      elements: str
    swept:
      description: Names of files that were removed.
      type: list
      elements: str
    problems:
      description: What a person should look at, with C(code), C(message), C(remedy) and C(facts).
      type: list
      elements: dict
problem:
  description: The first problem of all layers, with C(code), C(message), C(remedy) and C(facts).
  returned: when there are problems
  type: dict
"""

from functools import partial
from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._mirror.inspect import objections
from ansible_collections.wst.backup.plugins.module_utils._mirror.options import tolerance_of, volume_options
from ansible_collections.wst.backup.plugins.module_utils._sets.options import layer_options, layers_of, set_options
from ansible_collections.wst.backup.plugins.module_utils._sets.sweep_step import preview, sweep_layers


def main() -> None:
    """Entry point."""
    spec = {
        **set_options(),
        **layer_options(),
        **volume_options(),
        "mirror_volume_id": {"type": "str", "default": ""},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)

    def work() -> Dict[str, Any]:
        layers, prefix = layers_of(module.params), module.params["prefix"]
        against = partial(
            objections,
            expected_id=module.params["mirror_volume_id"],
            prefix=prefix,
            tolerance=tolerance_of(module.params),
            warn=module.warn,
        )
        if module.check_mode:
            return preview(layers, prefix=prefix, objections=against, warn=module.warn)
        layout = HostLayout(module.params["root"])
        return sweep_layers(layout, layers, prefix=prefix, objections=against, warn=module.warn)

    _edge.run(module, work)


if __name__ == "__main__":
    main()
