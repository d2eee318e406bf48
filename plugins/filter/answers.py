# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter ``answers``."""

from __future__ import annotations

DOCUMENTATION = r"""
name: answers
short_description: What a host said to the questions of prove_host.yml
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - Puts the answers of PowerShell and of the host's Python together as lines to keep.
positional: _input
options:
  _input:
    description: The C(results) of a loop over M(ansible.builtin.raw), whose items have a C(name).
    type: list
    elements: dict
    required: true
  info:
    description: The result of M(wst.backup.host_info), also a failed one.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what the host said
  wst.backup.show_lines:
    lines: "{{ asked.results | wst.backup.answers(info=info) }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Callable

_INFO = ("python", "psycopg", "tools", "identity", "directories", "time", "boot_id")


def answers(results: Iterable[Mapping[str, Any]], *, info: Mapping[str, Any]) -> list[str]:
    """One line for each answer; more where an answer has more."""
    lines = []
    for result in results:
        said = " | ".join(str(result.get("stdout") or "").split("\n")).replace("\r", "").strip(" |")
        if result.get("rc") or not said:
            said = f"{said} (exit code {result.get('rc')})".strip()
        lines.append(f"{result['item']['name']}: {said}")
    if info.get("failed") or info.get("code"):
        return [*lines, f"the host's Python: {info.get('msg')}"]
    return [*lines, *(f"{name}: {json.dumps(info[name], sort_keys=True)}" for name in _INFO if name in info)]


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter of this file."""
        return {"answers": answers}
