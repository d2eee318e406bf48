# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: compliance_report
short_description: Keep the verdicts of all hosts on the control node
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - >-
    Makes one document of what M(wst.backup.compliance_info) said of each host, and keeps it as JSON, as a page that
    opens from a file, and as a textfile for Prometheus. They are C(fleet/compliance.json), C(.html) and C(.prom) below
    C(wst_backup_control_dir).
  - >-
    A host that could not be reached or judged is not compliant. It is shown with what was last known of it and how old
    that is.
  - A notification that could not be sent (M(wst.backup.notify)) is a warning beside the host's logging until one is.
  - The hosts are not contacted. The task does not fail for a verdict.
extends_documentation_fragment:
  - wst.backup.attributes
attributes:
  check_mode:
    support: full
    details: The verdict is told and nothing is written.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: The document has the time at which it was made.
  action:
    details: Runs on the control node alone.
options:
  results:
    description: >-
      What M(wst.backup.compliance_info) returned, by the host's name; empty for a host that has no result. For more
      than a few hosts O(variables) is much quicker. One of the two is required.
    type: dict
  hosts:
    description: The hosts of which O(variables) are read.
    type: list
    elements: str
  variables:
    description: >-
      The names of variables of each host that hold such results. The first one that has a verdict counts, else the
      first one that says why there is none. They are read as they are and not templated, which with a year of runs
      takes Ansible a minute for 100 hosts.
    type: list
    elements: str
  limit:
    description: >-
      What the play was limited to, so that the hosts are a part of the fleet. Then C(fleet/limited.json) and C(.html)
      are written and the fleet's own files and metrics stay as they are.
    type: str
    default: ""
  metrics_file:
    description: >-
      A file on the control node that gets the textfile besides, such as one in the directory of node exporter's
      textfile collector. Everybody may read it.
    type: path
    default: ""
  period_days:
    description: How many days the page's timelines show.
    type: int
    default: 365
seealso:
  - module: wst.backup.compliance_info
"""

EXAMPLES = r"""
- name: Keep the verdicts
  wst.backup.compliance_report:
    hosts: "{{ ansible_play_hosts_all }}"
    variables: [compliance]
    limit: "{{ ansible_limit | default('') }}"
  run_once: true
"""

RETURN = r"""
verdict:
  description: The fleet's verdict; V(compliant) when every host is.
  returned: success
  type: str
verdicts:
  description: The verdict of each host by its name.
  returned: success
  type: dict
endings:
  description: >-
    For each host by its name what M(wst.backup.notify) tells: C(code) (empty where it complies), C(message), C(remedy),
    C(proof).
  returned: success
  type: dict
lines:
  description: The same as a table for people, with the reasons.
  returned: success
  type: list
  elements: str
json:
  description: The document.
  returned: when not in check mode
  type: str
html:
  description: The page.
  returned: when not in check mode
  type: str
metrics:
  description: The textfile.
  returned: when not in check mode and not limited
  type: str
"""
