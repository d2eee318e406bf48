#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_services
short_description: Stop and start what uses production
version_added: 0.1.0
description:
  - Stops services and application pools of IIS before files or a database are replaced, waits until they are stopped,
    and tells which of them ran, so that only those are started afterwards.
  - Application pools are stopped before services, each in the order given; they are started in the reverse order.
  - All of them must exist, or nothing is stopped. Where one does not stop, those that were stopped before it are
    started again. Where one does not start, the others are started all the same, and it is the failure at the end.
author:
  - wst.backup contributors (@wst-backup)
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.attributes.job
attributes:
  check_mode:
    support: full
    details: Tells what would be stopped or started.
  diff_mode:
    support: none
  idempotent:
    support: full
  platform:
    platforms: windows
options:
  state:
    description: What they shall be.
    type: str
    choices: [stopped, started]
    required: true
  services:
    description: Services, by their names (not those that are shown to people).
    type: list
    elements: str
    default: []
  app_pools:
    description: Application pools of IIS.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds that each of them has to stop or start.
    type: int
    default: 120
seealso:
  - module: wst.backup.files_swap
"""

EXAMPLES = r"""
- name: Stop what uses production
  wst.backup.host_services:
    state: stopped
    services: [wst-worker]
    app_pools: [wst]
  register: stopped

- name: Start what was stopped
  wst.backup.host_services:
    state: started
    services: "{{ stopped.services }}"
    app_pools: "{{ stopped.app_pools }}"
"""

RETURN = r"""
services:
  description: The services that were stopped or started; in check mode, that would be.
  returned: success
  type: list
  elements: str
app_pools:
  description: The application pools, likewise.
  returned: success
  type: list
  elements: str
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._host.services import run, units_of


def main() -> None:
    """Entry point."""
    names: Dict[str, Any] = {"type": "list", "elements": "str", "default": []}
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["stopped", "started"], "required": True},
            "services": names,
            "app_pools": names,
            "timeout": {"type": "int", "default": 120},
        },
        supports_check_mode=True,
    )

    def work() -> Dict[str, Any]:
        params = module.params
        units = units_of(params["services"], params["app_pools"])
        return run(units, stop=params["state"] == "stopped", timeout=params["timeout"], dry_run=module.check_mode)

    _edge.run(module, work)


if __name__ == "__main__":
    main()
