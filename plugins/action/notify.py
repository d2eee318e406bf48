# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action ``notify``: tells people and programs that a job has ended, from the control node. Touches no host."""

from __future__ import annotations

from typing import Any, Optional

from ansible.plugins.action import ActionBase

from ansible_collections.wst.backup.plugins.plugin_utils import _notify, _run_identity
from ansible_collections.wst.backup.plugins.plugin_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.plugin_utils._errors import TransportError
from ansible_collections.wst.backup.plugins.plugin_utils._notify_plan import JOBS, Ended
from ansible_collections.wst.backup.plugins.plugin_utils._settings import CONTROL_DIR, read_settings

_TEXTS = ("environment_name", "run_id", "code", "text", "remedy", "proof")
_SPEC = {
    "job": {"type": "str", "choices": list(JOBS), "required": True},
    "event_log": {"type": "dict", "default": {}},
    **{name: {"type": "str", "default": ""} for name in _TEXTS},
}


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no type hints to give
    """See the module's documentation."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        """Who was told. It does not fail: what it tells of must stay as it is."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = self.validate_argument_spec(argument_spec=_SPEC)[1]
        variables = task_vars or {}
        if self._task.check_mode:
            return {**result, "changed": False, **_notify.Told().as_result()}
        template = self._templar.copy_with_new_env(available_variables=variables).template
        try:
            control_dir = read_settings(variables, template, windows=True).control_dir
        except TransportError:  # of another variable, which the transport itself has told by now
            control_dir = CONTROL_DIR
        ended = Ended(
            job=arguments["job"],
            host=str(variables.get("inventory_hostname") or "localhost"),
            controller=_run_identity.controller(),
            at=utc_now(),
            environment=arguments["environment_name"],
            message=arguments["text"],
            **{name: arguments[name] for name in ("run_id", "code", "remedy", "proof")},
        )
        told = _notify.tell(ended, variables, template, control_dir=control_dir, event_log=arguments["event_log"])
        return {**result, "changed": bool(told.sent), **told.as_result()}
