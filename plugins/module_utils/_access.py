# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What helps a person with a file or directory that is open to others, or closed to us."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Dict, List, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._platform import api


def explain(problem: str, path: str, *, operator: Optional[str] = None) -> Tuple[str, Dict[str, Any]]:
    """The problem as a message, with whose process this is and what to paste, and the same as facts.

    An access list alone does not tell why it denies.

    :param operator: the account that may use it besides us, if it is another.
    """
    who, identity = "Whose process this is could not be told", None
    commands: List[str] = []
    try:
        me = api.identity()
        who, identity = me.in_words().rstrip("."), asdict(me)
        commands = api.closing_commands(path, operator)
    except (OSError, LookupError):
        pass  # the failure itself matters more than what would explain it
    message = f"{problem}. {who}."
    if commands:
        message += f" To set it right, an elevated administrator runs on the host: {'; '.join(commands)}"
    return message, {"path": path, "identity": identity, "commands": commands}
