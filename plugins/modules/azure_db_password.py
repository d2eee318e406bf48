# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: azure_db_password
short_description: Have Azure set the password of a database server's administrator
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - >-
    Tells Azure's resource manager the new password of a PostgreSQL flexible server's administrator and waits until it
    is set. The old password is not needed.
  - >-
    Azure sets this one password. For a user that is not the server's administrator, and for a O(host) that is not the
    server's, the task fails with C(azure_password_refused) before anything is changed.
  - >-
    The new password comes from the variable C(wst_backup_db_password_new), from a vault or an AWX credential, and is no
    option. No message has it, also where Azure's own words do.
  - >-
    Where the connection breaks or the time is over once Azure was told, nobody knows whether the password is set, and
    the task fails with C(azure_password_unsettled). Every other failure means that it is not.
  - >-
    Runs on the control node, in the Python of Ansible. The host is not contacted, and its key file not touched. That is
    what M(wst.backup.db_key) is for, before this and after it, and role P(wst.backup.key_rotation#role) puts the two
    together.
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.azure
attributes:
  check_mode:
    support: full
    details: Azure is asked whether it can set the password. It is not told it.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Azure does not tell which password the server has, so it is set each time.
  action:
    details: Runs on the control node alone.
options:
  user:
    description: The login whose password it is, as the key file's.
    type: str
    required: true
  host:
    description:
      - The name by which the key file's server is reached. It must be the one that Azure gives the server, or one of
        O(aliases), so that no other server's password is changed.
    type: str
    required: true
  aliases:
    description: Other names of that very server, such as a virtual endpoint's. Nobody checks them.
    type: list
    elements: str
    default: []
  state:
    description:
      - V(set) has the password set.
      - V(checked) asks whether Azure can, which is all that it does, and needs no password.
    type: str
    choices: [checked, set]
    default: set
  timeout:
    default: 300
notes:
  - >-
    The identity needs the actions C(Microsoft.DBforPostgreSQL/flexibleServers/read) and
    C(Microsoft.DBforPostgreSQL/flexibleServers/write) on the server. The second one lets it change all of the server,
    so give it to the identity that rotates and to no other.
seealso:
  - module: wst.backup.db_key
"""

EXAMPLES = r"""
- name: See whether Azure can set the password of the host's key
  wst.backup.azure_db_password:
    state: checked
    resource_group: wst-prod
    server: wst-prod-db
    host: wst-prod-db.postgres.database.azure.com
    user: wst_admin

- name: Have it set
  wst.backup.azure_db_password:
    resource_group: wst-prod
    server: wst-prod-db
    host: wst-prod-db.postgres.database.azure.com
    user: wst_admin
"""

RETURN = r"""
changes:
  description: What was done, or would be, one sentence each.
  returned: success
  type: list
  elements: str
  sample: [Azure sets the new password of wst_admin on wst-prod-db]
"""
