# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module of the collection says about how it runs."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes; a module states its own ``support`` of check mode, diff mode and idempotency.

    ``wst.backup.attributes`` suits every module, ``wst.backup.attributes.job`` is added by those that run as jobs.
    """

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and say what would be done, without changing anything.
  diff_mode:
    description: Returns details on what has changed, or would change in C(check_mode), when in diff mode.
  idempotent:
    description: Run twice in a row without a change outside in between, the second run changes nothing.
  platform:
    description: Systems that the module runs on.
    support: full
    platforms: windows, posix
  action:
    description: Has an action plugin of the same name, which starts ordinary Python on the Windows host over WinRM.
    support: full
  async:
    description: Supports being used with the C(async) keyword.
    support: none
    details: >-
      Refused with a clear message. Steps that take long run detached on the host by themselves; the keyword C(timeout)
      of the task limits them.
  become:
    description: Can be run with C(become).
    support: none
    details: Refused on Windows. Connect as the operator account.
"""

    JOB = r"""
options: {}
attributes:
  job:
    description: >-
      Runs as a process of its own on the host, shows its progress while it works, and survives a lost connection.
      In C(check_mode) it runs attached.
    support: full
"""
