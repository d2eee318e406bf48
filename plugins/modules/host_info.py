#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
short_description: What a host has for backups
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - Starts the host's Python, imports psycopg, starts PostgreSQL's client programs and looks for libraries they lack.
  - Tells whose token this is, which volumes the directories lie on and who can reach them.
  - Fails when the runtime is not usable.
extends_documentation_fragment:
  - wst.backup.attributes
attributes:
  check_mode:
    support: full
    details: Changes nothing.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  root:
    description: The directory on the host that holds the key, the lock, the audit log and the runs' workspaces.
    type: path
    default: C:\wst-control
  tools_dirs:
    description: Directories with PostgreSQL's client programs.
    type: list
    elements: path
    default: []
  directories:
    description: Directories to tell about, besides O(root).
    type: list
    elements: path
    default: []
"""

EXAMPLES = r"""
- name: Prove that the runtime works
  wst.backup.host_info:
    tools_dirs:
      - C:\wst-control\runtime\pg17\bin
    directories:
      - C:\wst-backups
      - D:\wst-backups
"""

RETURN = r"""
python:
  description: Version and path of the host's Python.
  returned: success
  type: dict
psycopg:
  description: Version of psycopg, and of the libpq that it uses.
  returned: success
  type: dict
tools:
  description: By directory, the versions of the client programs.
  returned: success
  type: dict
identity:
  description: The account and its token.
  returned: success
  type: dict
directories:
  description: By path, whether it is there, the volume it lies on, and who else can reach it.
  returned: success
  type: dict
time:
  description: The host's clock in UTC.
  returned: success
  type: str
  sample: "2026-11-23T15:00:00Z"
boot_id:
  description: Tells this start of the host from others.
  returned: success
  type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._host.facts import gather


def main() -> None:
    """Read the parameters, do the one thing, end the module."""
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "default": "C:\\wst-control"},
            "tools_dirs": {"type": "list", "elements": "path", "default": []},
            "directories": {"type": "list", "elements": "path", "default": []},
        },
        supports_check_mode=True,
    )
    paths = [module.params["root"], *module.params["directories"]]
    _edge.run(module, lambda: gather(module.params["tools_dirs"], paths))


if __name__ == "__main__":
    main()
