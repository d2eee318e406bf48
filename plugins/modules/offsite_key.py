#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: offsite_key
short_description: Put the SAS of the offsite container on a host
version_added: 0.1.0
description:
  - Tries the new SAS by listing the container with it, and then puts it into its file. It is staged beside it, closed
    to others before its first byte, read back, and takes the old one's name in one step. One that Azure refuses leaves
    the file as it is.
  - The SAS comes from the variable C(wst_backup_offsite_sas_new), from a vault or an AWX credential. It travels beside
    the module and is no option of it.
  - It must allow to read, write and list. One that may delete is taken, with a warning. An account's key is refused.
  - O(identity) and O(client_id) make no difference to it.
  - It needs L5, proven by the token in the variable C(wst_backup_authority_token), see M(wst.backup.authority).
  - It works under the lease of a run, which M(wst.backup.run_lock) takes.
author:
  - wst.backup contributors (@wst-backup)
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.attributes.job
  - wst.backup.offsite
attributes:
  check_mode:
    support: full
    details: L5 is proven and the SAS is tried. Nothing is written.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  operator:
    description:
      - The account that may read the file besides SYSTEM and Administrators, by name or SID. By default, the account
        that runs this module.
    type: str
seealso:
  - module: wst.backup.authority
  - module: wst.backup.backup_offsite
"""

EXAMPLES = r"""
- name: Take a new SAS into use
  wst.backup.offsite_key:
    account_url: https://wstbackups.blob.core.windows.net
    container: wst-backups
    blob_prefix: prod/host1
"""

RETURN = r"""
key_file:
  description: The file.
  returned: success
  type: str
  sample: C:\wst-control\offsite.key
expires:
  description: When the SAS ends, in UTC. Null where a stored access policy says it.
  returned: success
  type: str
  sample: '2027-01-31T00:00:00Z'
permissions:
  description: The letters of what it allows. Null where a stored access policy says it.
  returned: success
  type: str
  sample: rcwl
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._offsite.key_step import put_key
from ansible_collections.wst.backup.plugins.module_utils._offsite.options import container_options
from ansible_collections.wst.backup.plugins.module_utils._sets.options import ROOT


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            **container_options(),
            "root": {"type": "path", "default": ROOT},
            "operator": {"type": "str"},
        },
        supports_check_mode=True,
    )
    _edge.run(module, lambda: put_key(module.params, dry_run=module.check_mode, warn=module.warn))


if __name__ == "__main__":
    main()
