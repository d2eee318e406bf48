#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_info
short_description: List the sets on each layer
version_added: 0.1.0
description:
  - Tells for each layer which sets are there, in which state, whether they count and why not, which files are foreign,
    and how long the free space will last.
  - Reads sidecars and state files, no ZIP. Changes nothing and needs no run.
author:
  - wst.backup contributors (@wst-backup)
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.sets
  - wst.backup.sets.layers
  - wst.backup.policy
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
seealso:
  - module: wst.backup.backup_retention
"""

EXAMPLES = r"""
- name: What is there
  wst.backup.backup_info:
    layers:
      - name: local
        path: C:\wst-backups
      - name: mirror
        path: D:\wst-backups
"""

RETURN = r"""
layers:
  description: One report for each layer.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Which layer.
      type: str
    path:
      description: Its directory.
      type: str
    problem:
      description: Why the layer cannot be read, with C(code), C(message), C(remedy) and C(facts); null otherwise.
      type: dict
    sets:
      description: Sets, newest first.
      type: list
      elements: dict
      contains:
        artifact:
          description: Name of the set.
          type: str
        state:
          description: >-
            V(complete), V(suspect) (its content was far from what it had been and nobody has accepted it), V(damaged)
            (a later read, or its files, contradict its sidecar) or V(unfinished) (it has no sidecar yet).
          type: str
        counts:
          description: Whether it is complete, not suspect, and its last full read on this layer was good.
          type: bool
        reason:
          description: Why it does not count; empty when it counts.
          type: str
        size:
          description: Size of the ZIP in bytes; null where it has no final name.
          type: int
        time:
          description: Time in its name, UTC.
          type: str
        age:
          description: Seconds since then, by the host's clock.
          type: int
        level:
          description: Verification level that holds on this layer; 0 when none does.
          type: int
        sha256:
          description: SHA-256 that the sidecar says; null without a sidecar.
          type: str
        run_id:
          description: Run that made it; null without a sidecar.
          type: str
        verified_at:
          description: When the ZIP was last read in full on this layer; null when never.
          type: str
        published_at:
          description: When it got its names on this layer; null when unknown.
          type: str
        repaired_at:
          description: When it was brought back from the other layer; null when never.
          type: str
        drilled_at:
          description: When a drill last restored it from this layer and found all as promised; null when never.
          type: str
        suspect:
          description: Why its content was found suspect when it was published, also where it was accepted since.
          type: list
          elements: str
        accepted:
          description: Who accepted suspect content, with C(at), C(by) and C(reason); null where nobody did.
          type: dict
        pinned:
          description: Who pinned it, with C(at), C(by) and C(reason); null where nobody did.
          type: dict
        mirrored_at:
          description: When a proved copy on the mirror was first seen; null when never.
          type: str
    counting:
      description: How many sets count.
      type: int
    newest:
      description: Name of the newest set that counts; null when there is none.
      type: str
    foreign:
      description: Files that are not ours, each with C(name), C(size), C(reason) and whether it is a C(zip).
      type: list
      elements: dict
    free:
      description: Free bytes on the layer's volume; null when unknown.
      type: int
    total:
      description: Size of the layer's volume in bytes; null when unknown.
      type: int
    days_until_full:
      description: Days until the volume is full at the rate of the last sets; null when unknown or never.
      type: float
    forecast:
      description: What that rests on, or why it is unknown or never.
      type: str
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.module_utils._retention.options import policy_of, policy_options
from ansible_collections.wst.backup.plugins.module_utils._retention.report import report_layers
from ansible_collections.wst.backup.plugins.module_utils._sets.options import layer_options, layers_of, set_options


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={**set_options(), **layer_options(), **policy_options()}, supports_check_mode=True
    )

    def work() -> Dict[str, Any]:
        params = module.params
        return report_layers(layers_of(params), prefix=params["prefix"], policy=policy_of(params), now=utc_now())

    _edge.run(module, work)


if __name__ == "__main__":
    main()
