#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: compliance_info
short_description: Judge a host by the doctrine
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - >-
    Evaluates every requirement of canonical 026 (R1 to R7, F1 to F3, roles, logging and the compliance statement), each
    with its verdict, what it rests on and when it will turn.
  - >-
    Looks at the layers, the audit log and the authority record itself. What else there is to know comes as options,
    which are what preflight found and what Azure said.
  - What is not known is V(unknown), and that is not compliant. The task does not fail for a verdict.
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.sets
  - wst.backup.sets.layers
  - wst.backup.policy
attributes:
  check_mode:
    support: full
    details: It never changes anything.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  environment_name:
    description: >-
      The host's environment. In production there is a warning of gaps above four hours. Production is every environment
      but those whose names begin with the word C(ci), C(demo), C(dev), C(development), C(lab), C(qa), C(sandbox),
      C(stage), C(staging), C(test) or C(testing).
    type: str
    default: dev
  sources:
    description: The names of the sources that a set must have.
    type: list
    elements: str
    required: true
  thresholds:
    description: Thresholds where they are stricter than the doctrine's. Looser ones are refused.
    type: dict
    default: {}
    suboptions:
      max_gap_hours:
        description: The longest gap between sets that count. The doctrine's day, and two hours.
        type: float
        default: 26
      warn_gap_hours:
        description: >-
          The gap from which on there is a warning; 0 for 4.25 in production, where it may not be longer, and for none
          elsewhere.
        type: float
        default: 0
      drill_days:
        description: The longest time between two restore tests.
        type: float
        default: 7
      reread_days:
        description: The longest time in which a copy of a set is not read again.
        type: float
        default: 7
      restorable_days:
        description: The shortest time for which Azure's point-in-time restore must reach back.
        type: float
        default: 7
      min_sets:
        description: The smallest number of sets that retention may keep.
        type: int
        default: 7
  exemptions:
    description: Requirements that need not hold until a day. They are shown, also when they have run out.
    type: list
    elements: dict
    default: []
    suboptions:
      requirement:
        description: Which one.
        type: str
        required: true
        choices: [R1, R2, R3, R4, R5, R6, R7, F1, F2, F3, roles, logging]
      until:
        description: The day, in UTC, from whose beginning on it must hold again, such as V(2027-01-31).
        type: str
        required: true
      reason:
        description: Why. At least five characters.
        type: str
        required: true
      by:
        description: Who gave the exemption.
        type: str
        required: true
  preflight:
    description: The result of M(wst.backup.preflight_info); empty where there is none.
    type: dict
    default: {}
  pitr:
    description: The result of M(wst.backup.azure_pitr_info), or empty where nobody has asked Azure.
    type: dict
    default: {}
  offsite:
    description:
      - Whether there must be copies offsite. Then R3 wants one as fresh as the other layers' that was read back.
      - Otherwise what M(wst.backup.backup_offsite) has on record is told, and what is wrong with it is a warning.
    type: bool
    default: false
  history_days:
    description: For how many days back runs and drills are told.
    type: int
    default: 400
seealso:
  - module: wst.backup.compliance_report
  - module: wst.backup.backup_info
  - module: wst.backup.azure_pitr_info
  - module: wst.backup.backup_offsite
"""

EXAMPLES = r"""
- name: Judge the host
  wst.backup.compliance_info:
    environment_name: production
    sources: [wst, wst-api]
    layers:
      - name: local
        path: C:\wst-backups
      - name: mirror
        path: D:\wst-backups
    preflight: "{{ preflight }}"
    pitr: "{{ pitr }}"
    exemptions:
      - requirement: R3
        until: 2027-01-31
        reason: the second disk is ordered
        by: the CISO
"""

RETURN = r"""
collection:
  description: The version of the collection that judged.
  returned: success
  type: str
environment:
  description: The environment that it was judged as.
  returned: success
  type: str
verdict:
  description: >-
    V(compliant) when every requirement is or is exempt, V(non-compliant) when one is not, else V(unknown), which counts
    as not compliant.
  returned: success
  type: str
known_at:
  description: The host's time of the evaluation, UTC.
  returned: success
  type: str
turns_at:
  description: When the first of the verdicts will turn if nothing else happens; null when none will.
  returned: success
  type: str
requirements:
  description: One for each requirement, in the doctrine's order.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Its name in the doctrine.
      type: str
    title:
      description: What it is about.
      type: str
    verdict:
      description: V(compliant), V(non-compliant), V(unknown) or V(exempt).
      type: str
    summary:
      description: Why.
      type: str
    warnings:
      description: What does not change the verdict.
      type: list
      elements: str
    evidence:
      description: What it rests on, each with C(what), C(where), C(at) and C(age_seconds).
      type: list
      elements: dict
    turns_at:
      description: When it will be another one; null when it will not by itself.
      type: str
    turns_why:
      description: What makes it turn.
      type: str
    command:
      description: The playbook that shows it again, or mends it.
      type: str
    exemption:
      description: The exemption that holds, with C(until), C(reason) and C(by); null where none does.
      type: dict
runs:
  description: >-
    Backups, oldest first, with C(at), C(run_id), C(artifact), C(result) (V(success), V(failure), V(suspect) or
    V(interrupted)), C(code), C(bytes), C(files), C(rows) and C(seconds).
  returned: success
  type: list
  elements: dict
drills:
  description: >-
    Restore tests, oldest first, with C(at), C(run_id), C(artifact), C(layer), C(result), C(code), C(rto_seconds) and
    C(rpo_seconds).
  returned: success
  type: list
  elements: dict
layers:
  description: The layers, with their numbers of sets, times, sizes and the days until they are full.
  returned: success
  type: list
  elements: dict
next:
  description: What is due when, with C(what), C(due_at) and C(overdue).
  returned: success
  type: list
  elements: dict
"""

from datetime import timedelta
from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.module_utils._compliance.gather import Request, gather
from ansible_collections.wst.backup.plugins.module_utils._compliance.options import compliance_options
from ansible_collections.wst.backup.plugins.module_utils._compliance.policy import policy_from
from ansible_collections.wst.backup.plugins.module_utils._compliance.verdict import report
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._retention.options import policy_of, policy_options
from ansible_collections.wst.backup.plugins.module_utils._sets.options import layer_options, layers_of, set_options


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={**set_options(), **layer_options(), **policy_options(), **compliance_options()},
        supports_check_mode=True,
    )

    def work() -> Dict[str, Any]:
        params = module.params
        policy = policy_from(params["environment_name"], params["thresholds"], params["exemptions"])
        problems = params["preflight"].get("problems")
        request = Request(
            layout=HostLayout(params["root"]),
            layers=layers_of(params),
            prefix=params["prefix"],
            keep=policy_of(params),
            sources=tuple(params["sources"]),
            window=policy.thresholds.window,
            history=timedelta(days=params["history_days"]),
            problems=None if problems is None else tuple(problems),
            pitr=params["pitr"] or None,
            offsite_expected=params["offsite"],
        )
        return {"changed": False, **report(gather(request, now=utc_now()), policy)}

    _edge.run(module, work)


if __name__ == "__main__":
    main()
