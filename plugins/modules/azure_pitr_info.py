# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: azure_pitr_info
short_description: Ask Azure about the database server's own backups
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - Asks Azure's resource manager what it keeps of a PostgreSQL flexible server (layer 1). That is whether it can be
    restored to a point in time, how many days are retained, the earliest restore point, whether copies are kept in
    another region, and the last backup.
  - What Azure does not say is null, which means unknown.
  - Runs on the control node, in the Python of Ansible. The host is not contacted.
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.azure
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
  action:
    details: Runs on the control node alone.
notes:
  - The role Reader on the server is enough.
"""

EXAMPLES = r"""
- name: Ask what Azure keeps of the server
  wst.backup.azure_pitr_info:
    subscription: 00000000-0000-0000-0000-000000000000
    resource_group: wst-prod
    server: wst-prod-db
  register: layer1

- name: Demand a week
  ansible.builtin.assert:
    that:
      - layer1.pitr.enabled is true
      - layer1.pitr.retention_days >= 7
"""

RETURN = r"""
pitr:
  description: What Azure says. Times are UTC, ages are seconds before RV(pitr.asked_at) and negative for times to come.
  returned: success
  type: dict
  contains:
    schema:
      description: Version of this document, C(1).
      type: int
      sample: 1
    asked_at:
      description: When Azure was asked, by the control node's clock.
      type: str
      sample: "2026-11-30T14:00:00Z"
    server:
      description: >-
        The server's C(id), C(name), C(location), C(host), C(version), C(state) and C(created_at), each null where
        unknown.
      type: dict
    enabled:
      description: Whether it can be restored to a point in time. Null while Azure names no restore point.
      type: bool
    retention_days:
      description: For how many days.
      type: int
      sample: 14
    earliest_restore_point:
      description: The earliest point that it can be restored to.
      type: str
      sample: "2026-11-16T14:00:00Z"
    earliest_restore_point_age:
      description: Its age.
      type: int
      sample: 1209600
    geo_redundant:
      description: Whether its backups are kept in a second region as well.
      type: bool
    backups:
      description: Number of completed backups that Azure lists, a thousand at most.
      type: int
      sample: 14
    last_backup:
      description:
        - The newest of those that Azure made by itself, with C(name), C(type), C(completed_at) and C(age). Null where
          there is none; one that somebody asked for is none.
      type: dict
remarks:
  description: What a person should know beside these facts, one sentence each.
  returned: success
  type: list
  elements: str
"""
