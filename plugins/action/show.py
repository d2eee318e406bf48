# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows lines to the operator as they are. Runs on the control node only."""

from __future__ import annotations

from typing import Any, Optional

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no type hints to give
    """``debug`` folds long lines or quotes them, as the result format wants it; a table survives neither."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        """Put the lines on the screen."""
        super().run(tmp, task_vars)
        _valid, arguments = self.validate_argument_spec({"lines": {"type": "list", "elements": "str", "required": True}})
        self._display.display("\n" + "\n".join(arguments["lines"]) + "\n")
        return {"changed": False, "lines": arguments["lines"]}
