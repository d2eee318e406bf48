# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: event_log
short_description: Write a failure into the event log of Windows
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - >-
    Adds an error to the log C(Application), where the monitoring of Windows looks. The source is C(wst.backup); the
    event is 100 for a backup, 101 for a restore test, 102 for compliance.
  - Elsewhere there is no such log, and nothing is done.
extends_documentation_fragment:
  - wst.backup.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Each time adds an event.
  platform:
    support: partial
    details: Does nothing on POSIX.
options:
  job:
    description: What has failed.
    type: str
    choices: [backup, restore_test, compliance]
    required: true
  text:
    description: The text of the event. What is beyond 30,000 characters is cut.
    type: str
    required: true
seealso:
  - module: wst.backup.notify
"""

EXAMPLES = r"""
- name: Have the host's monitoring see it
  wst.backup.event_log:
    job: backup
    text: "no_space: D: has 1.2 GiB free, 4.0 GiB are needed"
"""

RETURN = r"""
written:
  description: Whether the log took the event. V(false) in check mode and where there is no such log.
  returned: success
  type: bool
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._host.events import EVENTS, write_failure


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "job": {"type": "str", "choices": list(EVENTS), "required": True},
            "text": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )

    def work() -> Dict[str, Any]:
        return write_failure(module.params["job"], module.params["text"], dry_run=module.check_mode)

    _edge.run(module, work)


if __name__ == "__main__":
    main()
