# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action ``azure_db_password``: has Azure set a password, from the control node. Touches no host."""

from __future__ import annotations

import os
from typing import Any, Optional

from ansible.plugins.action import ActionBase

from ansible_collections.wst.backup.plugins.plugin_utils import _azure_options, _azure_password
from ansible_collections.wst.backup.plugins.plugin_utils._azure_login import Login, aliases_of
from ansible_collections.wst.backup.plugins.plugin_utils._errors import SettingInvalid, TransportError
from ansible_collections.wst.backup.plugins.plugin_utils._secrets import NEW_PASSWORD, read_secrets

_CHECKED, _SET = _STATES = ("checked", "set")
_DEFAULT_TIMEOUT = 300  # seconds


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no type hints to give
    """See the module's documentation."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        """What was done, or a failure with ``code`` and ``remedy``."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = self.validate_argument_spec(argument_spec=_argument_spec())[1]
        try:
            return {**result, **self._done(arguments, task_vars or {})}
        except TransportError as error:
            return {**result, **error.as_result()}

    def _done(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        password = self._new_password(variables) if arguments["state"] == _SET else ""
        question = _azure_options.question_of(arguments, os.environ, hidden=password)
        login = Login(arguments["user"], arguments["host"], aliases_of(arguments["aliases"]))
        if password and not self._task.check_mode:
            _azure_password.set_password(question, login, password, os.environ)
        else:
            _azure_password.look(question, login, os.environ)
        what = f"Azure sets the new password of {login.user} on {question.server}"
        return {"changed": bool(password), "changes": [what] if password else []}

    def _new_password(self, variables: dict[str, Any]) -> str:
        """Raises ``SettingInvalid``."""
        template = self._templar.copy_with_new_env(available_variables=variables).template
        password = read_secrets(variables, template, NEW_PASSWORD).get("db_password_new")
        if not password:
            raise SettingInvalid("there is no new password in wst_backup_db_password_new.")
        return password


def _argument_spec() -> dict[str, dict[str, Any]]:
    common = _azure_options.argument_spec()
    common["timeout"]["default"] = _DEFAULT_TIMEOUT
    return {
        **common,
        "user": {"type": "str", "required": True},
        "host": {"type": "str", "required": True},
        "aliases": {"type": "list", "elements": "str", "default": []},
        "state": {"type": "str", "choices": list(_STATES), "default": _SET},
    }
