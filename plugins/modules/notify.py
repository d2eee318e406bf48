# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: notify
short_description: Tell people and programs that a job has ended
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - >-
    A job that succeeded, with a proof of it, is told to its heartbeat: an address of a monitor that gives the alarm
    when it hears nothing (a dead man's switch). A job that failed is told by mail and by a webhook.
  - >-
    Nothing is configured by default, and then nothing is sent. The variables are those of the host, not options, so
    that no secret is in a task: C(wst_backup_notify), C(wst_backup_heartbeat_backup),
    C(wst_backup_heartbeat_restore_test), C(wst_backup_heartbeat_compliance), C(wst_backup_webhook_url),
    C(wst_backup_smtp_password). See C(docs/notifications.md).
  - >-
    The task never fails. A channel that does not work is a warning of the run, is recorded on the control node, and
    stands as a warning beside the host's verdict until it works.
  - >-
    That a host does not comply is told when it is another failure than last time, and again after a day. Backups and
    restore tests are told each time.
  - Runs on the control node. The host is not contacted.
extends_documentation_fragment:
  - wst.backup.attributes
attributes:
  check_mode:
    support: full
    details: Nothing is sent and nothing is recorded.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Who is told twice is told twice.
  action:
    details: Runs on the control node alone.
options:
  job:
    description: What has ended.
    type: str
    choices: [backup, restore_test, compliance]
    required: true
  code:
    description: Why it failed. Empty where it did not. C(host_paused) is no failure and no success, and tells nobody.
    type: str
    default: ""
  text:
    description: The facts of the failure.
    type: str
    default: ""
  remedy:
    description: What to do.
    type: str
    default: ""
  proof:
    description: >-
      What shows that it succeeded, such as the name of the set that was verified. Without it there is no heartbeat.
      For a failure of compliance, what makes it another one than last time.
    type: str
    default: ""
  run_id:
    description: The run.
    type: str
    default: ""
  environment_name:
    description: The host's environment.
    type: str
    default: ""
  event_log:
    description: >-
      What M(wst.backup.event_log) returned, so that its failure is recorded as those of the other channels are.
    type: dict
    default: {}
seealso:
  - module: wst.backup.event_log
"""

EXAMPLES = r"""
- name: Tell that a backup failed
  wst.backup.notify:
    job: backup
    code: no_space
    text: "no_space: D: has 1.2 GiB free, 4.0 GiB are needed"
    remedy: Make room.
    run_id: 20261201-020000-1f2e3d4c

- name: Tell the heartbeat that it succeeded
  wst.backup.notify:
    job: backup
    proof: wst-backup-20261201-020000
"""

RETURN = r"""
sent:
  description: The channels that took it.
  returned: success
  type: list
  elements: str
  sample: [mail, webhook]
problems:
  description: What is wrong with others.
  returned: success
  type: list
  elements: dict
  contains:
    channel:
      description: V(heartbeat), V(mail), V(webhook) or V(event_log); V(settings) for the variables as a whole.
      type: str
    code:
      description: The failure's stable name.
      type: str
    message:
      description: What happened. No address and no password is in it.
      type: str
    remedy:
      description: What to do.
      type: str
"""
