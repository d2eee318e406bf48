#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_publish
short_description: Give this run's verified artifact its final name
version_added: 0.1.0
description:
  - Publishes the artifact that M(wst.backup.backup_archive) of this run made, as a complete set in O(local_dir).
  - It demands the proof that M(wst.backup.backup_verify) left for level 3, of the very file that is there now (same
    size, time and identity), and a lease that is still this run's.
  - The sidecar is written first under a partial name, then the ZIP gets its final name, then the sidecar. A crash in
    between leaves a set that does not count and that M(wst.backup.backup_sweep) of the next run finishes.
  - No file is ever overwritten.
  - The content is compared with that of the last accepted set, the newest one that counts. What fell by more than
    O(anomaly_shrink_percent), files that no longer compress (they may be encrypted), and anything required that is
    missing make the set suspect. It is published and to be mirrored all the same, does not count before somebody
    accepts it (M(wst.backup.backup_accept)), and the run is to skip retention and to end with RV(problem).
author:
  - wst.backup contributors (@wst-backup)
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.attributes.job
  - wst.backup.sets
  - wst.backup.checker
attributes:
  check_mode:
    support: full
    details: In a run whose earlier steps were in check mode too, there is no proof to look at and none is demanded.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  local_dir:
    description: Directory of the local layer.
    type: path
    default: C:\wst-backups
  mirror_dir:
    description: Directory of the mirror, which is only read, for the last accepted set when O(local_dir) has none.
    type: path
    default: D:\wst-backups
  anomaly_shrink_percent:
    description:
      - By how many per cent the number of files, their bytes, the tables or the rows may fall below the last accepted
        set. V(100) lets anything pass.
    type: int
    default: 50
  required_tables:
    description: Tables that must be in the dump, each as C(schema.name).
    type: list
    elements: str
    default: []
  safety_before:
    description:
      - What the set is made before, such as V(a restore). Such a set is pinned and mirrored like others, can be
        restored, and never counts. It is no reason for retention to remove anything, no baseline, and nobody can
        accept it.
    type: str
seealso:
  - module: wst.backup.backup_verify
  - module: wst.backup.backup_mirror
  - module: wst.backup.backup_sweep
"""

EXAMPLES = r"""
- name: Publish what this run has proved
  wst.backup.backup_publish:
    local_dir: C:\wst-backups
    checker: "{{ role_path }}/files/check_artifact.py"
"""

RETURN = r"""
artifact:
  description: Name of the set, without suffix; null in check mode outside of a run.
  returned: success
  type: str
  sample: wst-backup-20261123-120000
zip:
  description: The ZIP; null in check mode outside of a run.
  returned: success
  type: str
  sample: C:\wst-backups\wst-backup-20261123-120000.zip
suspect:
  description: Why the content is suspect; empty when it is not.
  returned: success
  type: list
  elements: str
baseline:
  description: The last accepted set, with which it was compared; null where there is none.
  returned: success
  type: str
checker_placed:
  description: Whether the program of O(checker) was put beside the sets, or replaced there.
  returned: success
  type: bool
problem:
  description: The failure C(content_anomaly), with C(code), C(message), C(remedy) and C(facts).
  returned: when the content is suspect
  type: dict
sidecar:
  description: The sidecar, which makes the set complete; null in check mode outside of a run.
  returned: success
  type: str
  sample: C:\wst-backups\wst-backup-20261123-120000.manifest.json
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._sets.anomaly import Thresholds
from ansible_collections.wst.backup.plugins.module_utils._sets.checker import checker_option
from ansible_collections.wst.backup.plugins.module_utils._sets.options import LOCAL_DIR, MIRROR_DIR, set_options
from ansible_collections.wst.backup.plugins.module_utils._sets.publish_step import Request, preview, publish_run


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            **set_options(),
            **checker_option(),
            "local_dir": {"type": "path", "default": LOCAL_DIR},
            "mirror_dir": {"type": "path", "default": MIRROR_DIR},
            "anomaly_shrink_percent": {"type": "int", "default": 50},
            "required_tables": {"type": "list", "elements": "str", "default": []},
            "safety_before": {"type": "str"},
        },
        supports_check_mode=True,
    )

    def work() -> Dict[str, Any]:
        params = module.params
        request = Request(
            layout=HostLayout(params["root"]),
            local_dir=params["local_dir"],
            mirror_dir=params["mirror_dir"],
            prefix=params["prefix"],
            thresholds=Thresholds(params["anomaly_shrink_percent"]),
            required_tables=params["required_tables"],
            safety=params["safety_before"] or "",
            warn=module.warn,
        )
        result = preview(request) if module.check_mode else publish_run(request)
        if result.get("problem"):
            module.warn("{} {}".format(result["problem"]["message"], result["problem"]["remedy"]))
        return result

    _edge.run(module, work)


if __name__ == "__main__":
    main()
