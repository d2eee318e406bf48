# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action ``drill_evidence``: what is known of a drill, kept on the control node. Touches no host."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, Optional

from ansible.plugins.action import ActionBase

from ansible_collections.wst.backup.plugins.plugin_utils import _evidence_files
from ansible_collections.wst.backup.plugins.plugin_utils._clock import format_time
from ansible_collections.wst.backup.plugins.plugin_utils._errors import EvidenceLost, SettingInvalid
from ansible_collections.wst.backup.plugins.plugin_utils._evidence import evidence, lost
from ansible_collections.wst.backup.plugins.plugin_utils._settings import read_settings

_SPEC = {
    "results": {"type": "dict", "required": True},
    "failed": {"type": "dict", "required": True},
    "began": {"type": "float", "required": True},
}


def _lost(result: dict[str, Any], document: dict[str, Any], failure: dict[str, Any]) -> dict[str, Any]:
    return {**result, **failure, "evidence": lost(document, failure)}


def _died(lock: Any) -> list[dict[str, Any]]:
    """The drill whose lock this one took over."""
    dead = lock.get("taken_over") if isinstance(lock, Mapping) else None
    if not isinstance(dead, Mapping):
        return []
    return [{**_evidence_files.DIED, "run_id": dead.get("run_id"), "at": dead.get("heartbeat")}]


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no type hints to give
    """See the module's documentation."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        """The evidence, and where it is."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        arguments = self.validate_argument_spec(argument_spec=_SPEC)[1]
        now = datetime.now(timezone.utc)
        host = str(variables["inventory_hostname"])
        document = evidence(
            arguments["results"],
            host=host,
            failed=arguments["failed"],
            began=arguments["began"],
            ended=now.timestamp(),
            times={
                "began": format_time(datetime.fromtimestamp(arguments["began"], timezone.utc)),
                "ended": format_time(now),
            },
        )
        if self._task.check_mode:
            return {**result, "changed": True, "evidence": document}
        try:
            settings = read_settings(variables, self._templar.template, windows=True)
            _evidence_files.add_missing(settings.control_dir, host, _died(arguments["results"].get("lock")))
            kept = _evidence_files.keep(settings.control_dir, host, document, now=now)
        except SettingInvalid as error:
            return _lost(result, document, error.as_result())
        except OSError as error:
            failure = EvidenceLost(f"the evidence of the drill cannot be written on the control node: {error}")
            return _lost(result, document, failure.as_result())
        return {**result, "changed": True, "evidence": document, **kept}
