#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_offsite
short_description: Keep sets in a container of Azure Blob, and prove the copies
version_added: 0.1.0
description:
  - Sends every set that counts on O(layer) and is not offsite yet, the newest first. The sidecar goes last. A set is
    complete there once its sidecar is.
  - A file goes in blocks whose names have their SHA-256. After a connection that broke, blocks that arrived are not
    sent again. The blob gets its name by one commit, which writes over nothing.
  - Then the whole blob is read back and its SHA-256 compared with the sidecar's. A checksum that Azure stores is only
    what the uploader said.
  - Copies that it knows are looked at in each run. One that was touched since, or was not read back for
    O(reread_days), is read back again, also when the set is no longer on the host.
  - It never deletes a blob and writes over none. How long copies are kept is up to a policy of the container. What
    protects a copy (immutability, legal hold) is read and told; where nothing does, that is a warning.
  - It changes nothing on the layers. It needs no lock of the host and may run beside a backup. Sets that it reads are
    held, and two of it do not run at once.
  - When Azure is busy or the line breaks, a request is tried for some minutes, as C(Retry-After) asks.
author:
  - wst.backup contributors (@wst-backup)
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.attributes.job
  - wst.backup.offsite
attributes:
  check_mode:
    support: full
    details: Lists the container and tells what would be sent or read back. Nothing is written, here or there.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  layer:
    description: The layer that is read.
    type: dict
    required: true
    suboptions:
      name:
        description: Which layer this is.
        type: str
        required: true
        choices: [local, mirror]
      path:
        description: Its directory on the host.
        type: path
        required: true
  prefix:
    description: What the names of artifacts begin with.
    type: str
    default: wst-backup
  sets:
    description: Which of the sets that count are to be offsite.
    type: str
    choices: [all, newest]
    default: all
  reread_days:
    description:
      - After how many days a copy is read back although nobody seems to have touched it. With V(0) in each run.
      - Reading within an Azure region costs next to nothing; out of Azure, the traffic is charged.
    type: int
    default: 30
seealso:
  - module: wst.backup.offsite_fetch
  - module: wst.backup.offsite_key
"""

EXAMPLES = r"""
- name: Keep the sets offsite
  wst.backup.backup_offsite:
    account_url: https://wstbackups.blob.core.windows.net
    container: wst-backups
    blob_prefix: prod/host1
    layer:
      name: local
      path: C:\wst-backups

- name: The newest set alone, as the host's own identity
  wst.backup.backup_offsite:
    account_url: https://wstbackups.blob.core.windows.net
    container: wst-backups
    blob_prefix: prod/host1
    identity: managed
    sets: newest
    layer:
      name: local
      path: C:\wst-backups
"""

RETURN = r"""
place:
  description: Where the copies are.
  returned: success
  type: str
  sample: https://wstbackups.blob.core.windows.net/wst-backups/prod/host1
uploaded:
  description: Names of the sets that were sent and proved, or would be.
  returned: success
  type: list
  elements: str
verified:
  description: Names of the sets whose copy was there and was read back, or would be.
  returned: success
  type: list
  elements: str
present:
  description: Names of the sets whose copy is there, untouched since it was last read back.
  returned: success
  type: list
  elements: str
gone:
  description: Names of the sets whose copy was there and is not any longer. Told once.
  returned: success
  type: list
  elements: str
damaged:
  description: Names of the sets whose copy is not what it must be; empty where the module succeeds.
  returned: success
  type: list
  elements: str
bytes:
  description: How much was sent.
  returned: success
  type: int
bytes_kept:
  description: How much of that an earlier try had sent.
  returned: success
  type: int
protection:
  description: What keeps the copy that was treated first from being changed or deleted. Empty where nothing is seen.
  returned: success
  type: str
  sample: immutable until 2027-01-31 (locked)
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._offsite.modules import offsite
from ansible_collections.wst.backup.plugins.module_utils._offsite.options import container_options
from ansible_collections.wst.backup.plugins.module_utils._offsite.plan import ALL, WHICH
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, MIRROR
from ansible_collections.wst.backup.plugins.module_utils._sets.options import set_options


def main() -> None:
    """Entry point."""
    layer: Dict[str, Any] = {
        "name": {"type": "str", "required": True, "choices": [LOCAL, MIRROR]},
        "path": {"type": "path", "required": True},
    }
    module = AnsibleModule(
        argument_spec={
            **set_options(),
            **container_options(),
            "layer": {"type": "dict", "required": True, "options": layer},
            "sets": {"type": "str", "choices": list(WHICH), "default": ALL},
            "reread_days": {"type": "int", "default": 30},
        },
        supports_check_mode=True,
    )
    _edge.run(module, lambda: offsite(module.params, dry_run=module.check_mode, warn=module.warn))


if __name__ == "__main__":
    main()
