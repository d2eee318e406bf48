# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: schedule_info
short_description: Decide when backups, restore tests and compliance start
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - >-
    Gives every job of every fleet a time in UTC that is never between 01:00 and 03:00 of its hosts' local time,
    whatever their zones' rules say in the ten years from January on, and keeps the starts apart. The same question has
    the same answer.
  - >-
    Compliance runs every hour, for all fleets together. It reads only, counts in UTC and has no quiet hours, because an
    evaluation that pauses for a night looks like one that died.
  - Nothing is written. Role P(wst.backup.schedule#role) writes the files, and role P(wst.backup.awx#role) asks AWX.
extends_documentation_fragment:
  - wst.backup.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
  action:
    details: Runs on the control node alone, with its zone files.
options:
  fleets:
    description: >-
      Hosts that are treated alike, in the order in which they get their times. One that is added at the end moves no
      other.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Lower case letters, digits and dashes. It becomes a part of file names.
        type: str
        required: true
      hosts:
        description: Names of hosts and groups of the inventory; no exclusions.
        type: list
        elements: str
        required: true
      zones:
        description: The IANA names of the zones that the hosts' clocks show.
        type: list
        elements: str
        required: true
      backup:
        description: How often the fleet is backed up.
        type: str
        choices: [daily, every_4_hours]
        default: daily
      backup_at:
        description: A time of your own, C(HH:MM) in UTC; with V(every_4_hours) one of the six. Empty chooses one.
        type: str
        default: ""
      restore_test:
        description: Whether the weekly restore test is scheduled.
        type: bool
        default: true
      restore_test_day:
        description: The day of the restore test, in UTC.
        type: str
        choices: [Mon, Tue, Wed, Thu, Fri, Sat, Sun]
        default: Sun
      restore_test_at:
        description: Like O(fleets[].backup_at), for the restore test.
        type: str
        default: ""
      vault_ids:
        description: >-
          Vaults that each job of the fleet opens, as C(label@/path/of/its/password). Never a password, and never
          C(prompt).
        type: list
        elements: str
        default: []
      restore_test_vault_ids:
        description: Vaults that the restore test opens besides, such as that of L5.
        type: list
        elements: str
        default: []
      restore_test_vars:
        description: Files with variables for the restore test, such as the encrypted one that has the token of L5.
        type: list
        elements: str
        default: []
  l5_from:
    description: >-
      Where the restore test's token of L5 comes from. From a V(file) that O(fleets[].restore_test_vars) names, or from
      a V(credential) of AWX.
    type: str
    choices: [file, credential]
    default: file
  random_delay:
    description: Up to how many seconds later a start may come. It is kept out of the quiet hours, too.
    type: int
    default: 300
  spacing:
    description: Minutes between two starts, where there is room for that.
    type: int
    default: 20
  files:
    description: Asks for the files that start the jobs on a control node, besides.
    type: dict
    suboptions:
      kind:
        description: Units of systemd, or one table of cron, which has no random delay.
        type: str
        choices: [systemd, cron]
        required: true
      state:
        description: V(absent) wants no files, and all of O(files.ours) removed.
        type: str
        choices: [present, absent]
        default: present
      name:
        description: The schedule's name, with which its files' names begin.
        type: str
        required: true
      user:
        description: The account that runs C(ansible-playbook).
        type: str
        required: true
      directory:
        description: The working directory, where C(ansible.cfg) is looked for.
        type: str
        required: true
      program:
        description: The path of C(ansible-playbook).
        type: str
        required: true
      inventory:
        description: The path of the inventory.
        type: str
        required: true
      timeouts:
        description: After how many seconds a job is interrupted.
        type: dict
        required: true
        suboptions:
          backup:
            description: Of a backup.
            type: int
            required: true
          restore_test:
            description: Of a restore test.
            type: int
            required: true
          compliance:
            description: Of an evaluation.
            type: int
            required: true
      existing:
        description: Names of the files that are there.
        type: list
        elements: str
        default: []
      ours:
        description: Names of those that say that they are of this schedule.
        type: list
        elements: str
        default: []
      elsewhere:
        description: Paths of files of this schedule for the other kind. Each job would be started twice.
        type: list
        elements: str
        default: []
      secret_files:
        description: What stat said of the files with secrets that the jobs need, C(exists) and C(mode) by path.
        type: dict
      enable:
        description: Whether the timers are to be started, so that systemd must run.
        type: bool
        default: true
      systemd_runs:
        description: Whether systemd runs on the control node.
        type: bool
        required: true
      local_zone:
        description: The control node's own zone; empty where it is not known.
        type: str
        default: ""
      cron_version:
        description: What C(crond -V) says. cronie can be told to count in UTC, others cannot.
        type: str
        default: ""
seealso:
  - module: wst.backup.compliance_info
"""

EXAMPLES = r"""
- name: When would the jobs of two fleets start?
  wst.backup.schedule_info:
    fleets:
      - name: berlin
        hosts: [prod]
        zones: [Europe/Berlin]
        backup: every_4_hours
        restore_test_vars: [/etc/wst-backup/authority/l5.yml]
      - name: kolkata
        hosts: [wst-kolkata]
        zones: [Asia/Kolkata]
        restore_test: false
  register: schedule
"""

RETURN = r"""
jobs:
  description: Each job with its time.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name in the schedule.
      type: str
    fleet:
      description: The fleet, or V(all).
      type: str
    job:
      description: V(backup), V(restore_test) or V(compliance).
      type: str
    every:
      description: V(hourly), V(every_4_hours), V(daily) or V(weekly).
      type: str
    hosts:
      description: The hosts and groups.
      type: list
      elements: str
    limit:
      description: >-
        What its runs are limited to. Empty for what is done for all fleets: such a run is given C(wst_backup_hosts) and
        no limit, by which it would take itself for a part of them and leave their page and metrics as they were.
      type: str
    starts:
      description: Its times, for people.
      type: str
      sample: every day at 02:00 UTC
    on_calendar:
      description: The same for systemd.
      type: str
      sample: '*-*-* 02:00:00 UTC'
    cron:
      description: The same for a cron that counts in UTC.
      type: str
      sample: 0 2 * * *
    rrule:
      description: The same for AWX.
      type: str
      sample: DTSTART:20260101T020000Z RRULE:FREQ=DAILY;INTERVAL=1
needs:
  description: The files with secrets that the jobs read, by their paths.
  returned: success
  type: list
  elements: str
files:
  description: The text of each file by its name.
  returned: with O(files)
  type: dict
timers:
  description: Those of them that are timers of systemd.
  returned: with O(files)
  type: list
  elements: str
remove:
  description: Files of this schedule that are not wanted any more.
  returned: with O(files)
  type: list
  elements: str
"""
