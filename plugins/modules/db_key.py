#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: db_key
short_description: Replace the database password on a host
version_added: 0.1.0
description:
  - >-
    Puts another password into the key file, after it has been proven. The new one is staged beside the key file, closed
    to others before its first byte, read back, and tried on the server with psycopg and, where the tools directory has
    it, with C(psql). Then it takes the old one's name in one step, and content and permissions are read back.
  - >-
    A password that the server refuses leaves the key file as it is, and the task fails with C(db_auth_failed).
  - >-
    With O(change_server=true) the role's password is changed on the server, too, by the role itself. The server is
    given what it would keep of the password (a SCRAM-SHA-256 verifier) and never the password, which so cannot get into
    its log. Where the new one then does not work, the old one is put back.
  - >-
    It may be killed at any point. Run again, it tries the staged password and the current one, and ends with the one
    that works and nothing staged. Without a new password it does just that.
  - >-
    The new password comes from the variable C(wst_backup_db_password_new), from a vault or an AWX credential. It
    travels beside the module and is no option of it. It is printable ASCII without quotes and white space, as the key
    file wants it.
  - >-
    The host may have a second key, of a role that restores and may create databases (O(key=restore)). It is rotated by
    the same steps, with that role and a database that it may log in to in O(database).
  - It needs L5, proven by the token in the variable C(wst_backup_authority_token), see M(wst.backup.authority).
  - It works under the lease of a run, which M(wst.backup.run_lock) takes.
author:
  - wst.backup contributors (@wst-backup)
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.attributes.job
  - wst.backup.database
attributes:
  check_mode:
    support: full
    details: >-
      L5 is proven and the passwords are tried on the server; nothing is changed. What a handover alone would change of
      an access list is told only where others stand in it.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  root:
    description: Directory of the host's own records.
    type: path
    default: C:\wst-control
  key:
    description:
      - Which key. V(backup) is that of the role that takes backups, C(db.key) below O(root).
      - >-
        V(restore) is that of the role that restores, C(restore.key) below O(root). Where there is none yet, it is made
        from the new password.
      - O(key_file) takes the place of either.
    type: str
    choices: [backup, restore]
    default: backup
  change_server:
    description:
      - Whether the role gets the new password on the server, too. The old key must work for that.
      - Otherwise it must have it already, from the portal or an administrator.
    type: bool
    default: false
  await_server:
    description:
      - >-
        Whether a new password that the server does not take yet stays staged, because somebody else gives it to the
        server, the administrator or M(wst.backup.azure_db_password). Run again after that, with the same password, the
        module puts it into its place. The old password need not work for that.
      - >-
        As long as the server does not have it, the module may be run again as often as needed with this option, and the
        staged password stays. Without it the staged one is taken away.
      - Not together with O(change_server=true).
    type: bool
    default: false
  operator:
    description:
      - >-
        The account that runs backups from now on, by name or SID. The key file is closed to everyone but this account,
        SYSTEM and Administrators, also where the password stays the same. So is the host's other key, where there is
        one.
      - By default, the account that runs this module.
    type: str
seealso:
  - module: wst.backup.authority
  - module: wst.backup.host_directories
"""

EXAMPLES = r"""
- name: Take a password into use that was set in the portal
  wst.backup.db_key:
    database:
      host: wst.postgres.database.azure.com
      name: wst_dev
      user: wst_backup
      sslrootcert: C:\wst-control\azure-roots.pem
    tools_dir: C:\wst-control\runtime\pg17\bin

- name: Change it here and on the server
  wst.backup.db_key:
    database:
      host: wst.postgres.database.azure.com
      name: wst_dev
      user: wst_backup
      sslrootcert: C:\wst-control\azure-roots.pem
    tools_dir: C:\wst-control\runtime\pg17\bin
    change_server: true

- name: Change the password of the role that restores
  wst.backup.db_key:
    key: restore
    database:
      host: wst.postgres.database.azure.com
      name: postgres
      user: wst_restore
      sslrootcert: C:\wst-control\azure-roots.pem
    tools_dir: C:\wst-control\runtime\pg17\bin
    change_server: true
"""

RETURN = r"""
changes:
  description: What was done, or would be, one sentence each.
  returned: success
  type: list
  elements: str
  sample: [the key file holds the new password]
proven:
  description: With what a login worked, V(psycopg) and V(psql).
  returned: success
  type: list
  elements: str
awaits_server:
  description: Whether the new password is staged, and the server does not take it yet. With O(await_server=true) only.
  returned: success
  type: bool
key_file:
  description: The key file.
  returned: success
  type: str
  sample: C:\wst-control\db.key
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._keychange.step import BACKUP, KEYS, work
from ansible_collections.wst.backup.plugins.module_utils._pg import options as options_of


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "default": "C:\\wst-control"},
            "database": options_of.argument_spec(),
            "key": {"type": "str", "choices": list(KEYS), "default": BACKUP, "no_log": False},
            "key_file": {"type": "path", "no_log": False},
            "tools_dir": {"type": "path", "required": True},
            "change_server": {"type": "bool", "default": False},
            "await_server": {"type": "bool", "default": False},
            "operator": {"type": "str"},
        },
        supports_check_mode=True,
    )
    _edge.run(module, lambda: work(module.params, check_mode=module.check_mode, warn=module.warn))


if __name__ == "__main__":
    main()
