# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action ``awx_access_info``: what AWX's answers mean, by name. Asks nobody."""

from __future__ import annotations

from typing import Any, Optional

from ansible.plugins.action import ActionBase

from ansible_collections.wst.backup.plugins.plugin_utils import _awx
from ansible_collections.wst.backup.plugins.plugin_utils._errors import TransportError

_WORDS = {"type": "list", "elements": "str"}
_GRANT = {
    "on": {"type": "str", "required": True},
    "role": {"type": "str", "required": True},
    "teams": {**_WORDS, "required": True},
    "users": {**_WORDS, "required": True},
}
_SPEC = {
    "failed": {"type": "dict", "default": {}},
    "step": {"type": "str", "default": ""},
    "grants": {"type": "list", "elements": "dict", "options": _GRANT, "default": []},
    "team": {"type": "str", "default": ""},
    "admins": {**_WORDS, "default": []},
}


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no type hints to give
    """See the module's documentation."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        """Fails by name where something is wrong."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = self.validate_argument_spec(argument_spec=_SPEC)[1]
        try:
            if arguments["failed"]:
                raise _awx.failure(arguments["failed"], arguments["step"])
            _awx.check_access(arguments["grants"], team=arguments["team"], admins=arguments["admins"])
        except TransportError as error:
            return {**result, **error.as_result()}
        return {**result, "changed": False}
