#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: audit_verify
short_description: Tell what was done to a host's audit log
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - Reads the whole log and says of every record that was altered, removed, put in, moved or cut off which one it is.
  - >-
    The chain is held against the heads that were kept elsewhere, which are the last one that the control node has seen
    and those in the manifests of the sets on all layers. Without one, records that were cut off the end do not show,
    nor does a log that was written anew.
  - >-
    A segment that a run has found broken is closed, and the log goes on in the next one, which names its digest. What
    is wrong with such a segment is listed in RV(known) and is no failure any more.
  - The task does not fail where the log does not hold. RV(code) and RV(problem) tell it.
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.sets
  - wst.backup.sets.layers
attributes:
  check_mode:
    support: full
    details: It never changes anything.
  diff_mode:
    support: none
  idempotent:
    support: full
seealso:
  - module: wst.backup.audit_log
"""

EXAMPLES = r"""
- name: Verify the audit log
  wst.backup.audit_verify:
    layers:
      - name: local
        path: C:\wst-backups
      - name: mirror
        path: D:\wst-backups
  register: audit
  failed_when: audit.code != ''
"""

RETURN = r"""
records:
  description: How many records the log has.
  returned: success
  type: int
  sample: 4711
seq:
  description: The number of the last record.
  returned: success
  type: int
  sample: 4711
head:
  description: The hash of the last record.
  returned: success
  type: str
since:
  description: The time of the first record; null for an empty log.
  returned: success
  type: str
  sample: "2026-01-02T03:04:05Z"
anchors:
  description: How many heads that were kept elsewhere the log was held against.
  returned: success
  type: int
  sample: 29
torn:
  description: Bytes of a last line that a crash has torn; the next record heals it.
  returned: success
  type: int
flaws:
  description: What was done to the log, in its order.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: >-
        V(altered), V(removed), V(inserted), V(reordered), V(cut_off), V(rewritten), V(emptied), V(segment_gone) or
        V(segment_changed).
      type: str
    segment:
      description: The file of the log.
      type: str
    line:
      description: The line in it; 0 where no line is left.
      type: int
    first:
      description: The number of the first record that it is about; 0 where it is about none.
      type: int
    last:
      description: The number of the last record that it is about.
      type: int
    text:
      description: The same for people.
      type: str
known:
  description: The same for what runs have found and closed before.
  returned: success
  type: list
  elements: dict
code:
  description: C(audit_broken) where RV(flaws) is not empty, else empty.
  returned: success
  type: str
problem:
  description: The failure with its code, message, remedy and facts.
  returned: when the log does not hold
  type: dict
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._compliance import heads
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._sets.options import layer_options, layers_of, set_options


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec={**set_options(), **layer_options()}, supports_check_mode=True)

    def work() -> Dict[str, Any]:
        params = module.params
        return heads.verify(HostLayout(params["root"]), layers_of(params), params["prefix"])

    _edge.run(module, work)


if __name__ == "__main__":
    main()
