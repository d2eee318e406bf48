# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action ``control_record``: runs on the control node only, so it works when the host cannot be reached."""

from __future__ import annotations

from typing import Any, Optional

from ansible.plugins.action import ActionBase
from ansible_collections.wst.backup.plugins.plugin_utils import _control_log, _run_identity
from ansible_collections.wst.backup.plugins.plugin_utils._errors import TransportError
from ansible_collections.wst.backup.plugins.plugin_utils._settings import read_settings

ARGUMENTS = {
    "event": {"type": "str", "required": True},
    "result": {"type": "str", "choices": ["success", "failure", "none"], "default": "none"},
    "code": {"type": "str", "default": ""},
    "message": {"type": "str", "default": ""},
    "details": {"type": "dict", "default": {}},
}


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible has no types
    """Appends one line to the control node's own log of the host."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        """The file that was written; nothing is written in check mode."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        _, arguments = self.validate_argument_spec(argument_spec=ARGUMENTS)
        try:
            settings = read_settings(variables, self._templar.template, windows=True)
        except TransportError as error:
            return {**result, **error.as_result()}
        if self._task.check_mode:
            return {**result, "changed": True}
        entry = {
            **arguments,
            "run_id": _run_identity.current_run_id(variables),
            "controller": _run_identity.controller(),
        }
        try:
            path = _control_log.record(settings.control_dir, str(variables["inventory_hostname"]), entry)
        except OSError as error:
            message = (
                f"The control node cannot write its own record below {settings.control_dir}: {error.strerror or error}."
            )
            return {**result, "failed": True, "msg": message}
        return {**result, "changed": True, "path": str(path)}
