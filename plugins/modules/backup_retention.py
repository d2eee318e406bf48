#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_retention
short_description: Remove sets that may go, and only those
version_added: 0.1.0
description:
  - Plans for each layer by itself, from the sets that count there, and executes that plan. A set goes only when it is
    older than O(min_age_days) and beyond the O(keep_max) newest while at least O(keep_min) stay. The newest set that
    counts never goes. Unfinished and foreign files are never removed and fill no place.
  - It refuses without a set of this run that is verified to level 3 and mirrored, on every layer given.
  - Before it removes anything on a layer it reads the O(keep_min) newest sets there again. When one of them is bad,
    nothing is removed.
  - A set that carries a time more than five minutes in the future stops it on all layers.
  - What stops it on one layer does not stop it on the other. It fails then at its end.
author:
  - wst.backup contributors (@wst-backup)
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.attributes.job
  - wst.backup.sets
  - wst.backup.sets.layers
  - wst.backup.policy
attributes:
  check_mode:
    support: full
    details:
      - Shows the plan that would be executed. Where this run's set is not there yet, because the steps before this one
        were in check mode too, the plan supposes it.
      - Sets are not read again, and a missing proof of this run is no failure then.
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: wst.backup.backup_mirror
  - module: wst.backup.backup_info
"""

EXAMPLES = r"""
- name: Keep 7 days, and 7 to 14 sets
  wst.backup.backup_retention:
    layers:
      - name: local
        path: C:\wst-backups
      - name: mirror
        path: D:\wst-backups
    keep_min: 7
    keep_max: 14
    min_age_days: 7

- name: Runs every four hours, thinned to one set a day for 30 days more
  wst.backup.backup_retention:
    layers:
      - name: local
        path: C:\wst-backups
      - name: mirror
        path: D:\wst-backups
    keep_daily: 30
"""

RETURN = r"""
plan:
  description:
    - By the name of the layer, a list with one decision for each set, newest first. Each has C(artifact), C(action)
      (V(keep) or V(remove)) and C(reason).
  returned: success
  type: dict
  sample:
    local:
      - artifact: wst-backup-20261123-120000
        action: keep
        reason: the newest set that counts
removed:
  description: By the name of the layer, the sets that were removed, oldest first; in check mode, those that would be.
  returned: success
  type: dict
kept:
  description: By the name of the layer, the sets that stay, newest first.
  returned: success
  type: dict
notes:
  description: By the name of the layer, what should be known about the plan, such as that the age floor won.
  returned: success
  type: dict
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._retention.options import policy_of, policy_options
from ansible_collections.wst.backup.plugins.module_utils._retention.step import preview, retain
from ansible_collections.wst.backup.plugins.module_utils._sets.options import layer_options, layers_of, set_options


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={**set_options(), **layer_options(), **policy_options()}, supports_check_mode=True
    )

    def work() -> Dict[str, Any]:
        params = module.params
        act = preview if module.check_mode else retain
        return act(
            HostLayout(params["root"]),
            layers_of(params),
            prefix=params["prefix"],
            policy=policy_of(params),
            warn=module.warn,
        )

    _edge.run(module, work)


if __name__ == "__main__":
    main()
