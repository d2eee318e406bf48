# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter ``outcome``."""

from __future__ import annotations

DOCUMENTATION = r"""
name: outcome
short_description: What one host's backup came to
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - Puts the results of a run's steps together into the few facts that the table at the end of a play shows.
positional: _input
options:
  _input:
    description: The registered results of the steps, by the step's name. Missing and failed ones are fine.
    type: dict
    required: true
  failed:
    description: What P(wst.backup.failure#filter) made of the failure that stopped the run, or an empty dictionary.
    type: dict
    required: true
  began:
    description: When the run began, in seconds since 1970.
    type: float
    required: true
  ended:
    description: When the run ended, in seconds since 1970.
    type: float
    required: true
  check:
    description: Whether this was check mode.
    type: bool
    required: true
  stands:
    description: What was done and stands although something failed after it. It ends the failure's message.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Sum the run up
  ansible.builtin.set_fact:
    outcome: >-
      {{ {'dump': dump, 'archive': archive}
         | wst.backup.outcome(failed={}, began=began, ended=now().timestamp(), check=false) }}
"""

RETURN = r"""
_value:
  description: >-
    The facts. C(code) is empty when the run ended well; C(failed) is false then, and where the host is paused.
  type: dict
"""

from typing import Any, Callable

from ansible_collections.wst.backup.plugins.plugin_utils._outcome import outcome


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter of this file."""
        return {"outcome": outcome}
