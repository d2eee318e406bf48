#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: authority
short_description: Who may do what on a host, and what is production there
version_added: 0.1.0
description:
  - >-
    Protected operations ask for a level of authority. L5 lets suspect sets count, takes pins away, changes the database
    key and restores beside production. L6 restores production and says what production is. Who may connect to the host
    is operator and needs no token for the rest.
  - >-
    A host's record has a salted hash (scrypt) of each level's token and what is production. From the hashes nobody gets
    a token. What the record does not name is production.
  - >-
    A token comes from the variable C(wst_backup_authority_token), a new one from C(wst_backup_l5_token_new) or
    C(wst_backup_l6_token_new). Keep them in a vault of that level, or in an AWX credential. They travel beside the
    module, and are no option of it, so that no log, argument list or result has them.
  - >-
    A token has 20 to 256 printable ASCII characters without spaces, at least ten different ones, and each level has its
    own. C(python3 -c "import secrets; print(secrets.token_urlsafe(32))") makes a good one.
  - Wrong tokens make the next attempt wait, up to half a minute, and lock nobody out.
  - Every grant and every refusal stands in the host's audit log.
  - >-
    This is a guard rail. Who may write the host's files as its operator can go around it. Accounts, access lists and
    the rights in AWX are the boundary.
author:
  - wst.backup contributors (@wst-backup)
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.attributes.job
attributes:
  check_mode:
    support: full
    details: >-
      A token is proven as ever, with its delays and its record in the audit log. Otherwise check mode would be a way to
      guess.
  diff_mode:
    support: partial
    details: Targets are shown, tokens never.
  idempotent:
    support: partial
    details: >-
      With O(state=rotated) the token that allowed the change is none any more, so a second run is refused.
options:
  root:
    description: Directory of the host's own records. The record is its file C(authority.json).
    type: path
    default: C:\wst-control
  state:
    description:
      - V(checked) tells which level the token proves. A token that proves none is a failure.
      - >-
        V(provisioned) makes the record what O(production) and O(not_production) say. The first one needs no token and
        both new ones. Where there is a record, this needs L6, and new tokens replace the old ones.
      - V(rotated) replaces the token of O(level), which must itself be proven.
      - V(provisioned) and V(rotated) work under the lease of a run, which M(wst.backup.run_lock) takes.
    type: str
    choices: [checked, provisioned, rotated]
    default: checked
  level:
    description:
      - With O(state=rotated) the level whose token changes.
      - With O(state=checked) the level that must be proven.
    type: str
    choices: [L5, L6]
  production:
    description: What is production. Used with O(state=provisioned).
    type: dict
    suboptions: &targets
      directories:
        description: Directories on the host. What lies in them, and what holds them, is covered too.
        type: list
        elements: path
        default: []
      databases:
        description: Databases.
        type: list
        elements: dict
        default: []
        suboptions:
          host:
            description: The server's name, as restores will give it.
            type: str
            required: true
          port:
            description: The server's port.
            type: int
            default: 5432
          name:
            description: The database's name. In O(not_production) a star at the end stands for all that begin so.
            type: str
            required: true
  not_production:
    description:
      - What is known not to be production, such as a directory and databases for restore tests.
      - It may name nothing that is production, and no whole drive.
    type: dict
    suboptions: *targets
  operator:
    description: The account that may use O(root), by name or SID. By default, the one that runs this module.
    type: str
seealso:
  - module: wst.backup.backup_accept
  - module: wst.backup.backup_pin
  - module: wst.backup.db_key
"""

EXAMPLES = r"""
- name: Tell a new host who may do what
  wst.backup.authority:
    state: provisioned
    production:
      directories:
        - C:\wst
      databases:
        - host: wst-prod.postgres.database.azure.com
          name: wst_prod
    not_production:
      directories:
        - D:\restore
      databases:
        - host: wst-prod.postgres.database.azure.com
          name: drill_*

- name: Give L5 another token
  wst.backup.authority:
    state: rotated
    level: L5

- name: See that the token is that of L6
  wst.backup.authority:
    state: checked
    level: L6
"""

RETURN = r"""
level:
  description:
    - The level that the token proved. With O(state=rotated), the level whose token is another now.
    - The first record is made by V(operator).
  returned: success
  type: str
  sample: L5
tokens:
  description: The levels that have another token now, or would have.
  returned: success, when O(state) is V(provisioned) or V(rotated)
  type: list
  elements: str
first:
  description: Whether the host had no record.
  returned: success, when O(state) is V(provisioned)
  type: bool
earlier:
  description: >-
    The number and time of the last grant in the host's audit log, where there was no record although there must have
    been one. Somebody removed it.
  returned: success, when O(state) is V(provisioned)
  type: dict
  sample: {seq: 12, time: "2026-11-23T15:00:00Z"}
production:
  description:
    - What is production, with C(directories) and C(databases).
    - Directories are shown as they are compared, with their links resolved and, on Windows, in lower case.
  returned: success
  type: dict
not_production:
  description: What is known not to be.
  returned: success
  type: dict
"""

from typing import Any, Callable, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._authority.levels import WITH_TOKEN
from ansible_collections.wst.backup.plugins.module_utils._authority.manage import look, provision, rotate
from ansible_collections.wst.backup.plugins.module_utils._authority.options import target_options, wanted_of
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout

GONE = (
    "the host had no authority record, but its audit log has grants until record {seq} of {time}: "
    "somebody removed the record. Find out who, if it was not you."
)


def work(params: Dict[str, Any], *, check_mode: bool, warn: Callable[[str], None]) -> Dict[str, Any]:
    """The module's result."""
    layout = HostLayout(params["root"])
    if params["state"] == "checked":
        return look(layout, params["level"], dry_run=check_mode)
    if params["state"] == "rotated":
        return rotate(layout, params["level"], dry_run=check_mode)
    result = provision(layout, wanted_of(params), operator=params["operator"], dry_run=check_mode)
    if result["earlier"]:
        warn(GONE.format(**result["earlier"]))
    return result


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "default": "C:\\wst-control"},
            "state": {"type": "str", "choices": ["checked", "provisioned", "rotated"], "default": "checked"},
            "level": {"type": "str", "choices": list(WITH_TOKEN)},
            "production": target_options(),
            "not_production": target_options(),
            "operator": {"type": "str"},
        },
        required_if=[("state", "rotated", ["level"]), ("state", "provisioned", ["production"])],
        supports_check_mode=True,
    )
    _edge.run(module, lambda: work(module.params, check_mode=module.check_mode, warn=module.warn))


if __name__ == "__main__":
    main()
