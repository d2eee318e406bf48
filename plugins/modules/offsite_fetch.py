#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: offsite_fetch
short_description: Bring a set back from offsite
version_added: 0.1.0
description:
  - Fetches a set that M(wst.backup.backup_offsite) put into a container of Azure Blob. It comes under a partial name,
    is flushed, read again from the disk, compared with its sidecar's SHA-256, and only then gets its name. The sidecar
    comes last. Nothing that is there is written over.
  - The ZIP can then be restored like any other, see C(restore_path) of the role P(wst.backup.restore#role).
  - Without O(target) it only lists what is there. That works on any host with the container's SAS, also on one that
    has no records of ours.
author:
  - wst.backup contributors (@wst-backup)
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.attributes.job
  - wst.backup.offsite
attributes:
  check_mode:
    support: full
    details: Lists the container and reads the set's sidecar there. Nothing is written.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  prefix:
    description: What the names of artifacts begin with.
    type: str
    default: wst-backup
  artifact:
    description: Name of the set, or V(newest).
    type: str
    default: newest
  target:
    description:
      - The directory for the set, which is made where it is missing, closed to others. Not one of the layers'
        directories.
    type: path
seealso:
  - module: wst.backup.backup_offsite
"""

EXAMPLES = r"""
- name: See what is there
  wst.backup.offsite_fetch:
    account_url: https://wstbackups.blob.core.windows.net
    container: wst-backups
    blob_prefix: prod/host1

- name: Bring the newest set back
  wst.backup.offsite_fetch:
    account_url: https://wstbackups.blob.core.windows.net
    container: wst-backups
    blob_prefix: prod/host1
    target: D:\wst-fetched
"""

RETURN = r"""
sets:
  description: The complete sets there, newest first, each with C(artifact) and C(size).
  returned: success
  type: list
  elements: dict
artifact:
  description: Name of the set.
  returned: with O(target)
  type: str
path:
  description: The ZIP on this host.
  returned: with O(target)
  type: str
  sample: D:\wst-fetched\wst-backup-20261123-120000.zip
sha256:
  description: Its SHA-256.
  returned: with O(target)
  type: str
bytes:
  description: How much was fetched, or would be.
  returned: with O(target)
  type: int
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._offsite.fetch import NEWEST
from ansible_collections.wst.backup.plugins.module_utils._offsite.modules import fetch
from ansible_collections.wst.backup.plugins.module_utils._offsite.options import container_options
from ansible_collections.wst.backup.plugins.module_utils._sets.options import set_options


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            **set_options(),
            **container_options(),
            "artifact": {"type": "str", "default": NEWEST},
            "target": {"type": "path"},
        },
        supports_check_mode=True,
    )
    _edge.run(module, lambda: fetch(module.params, dry_run=module.check_mode, warn=module.warn))


if __name__ == "__main__":
    main()
