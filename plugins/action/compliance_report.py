# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action ``compliance_report``: the verdicts of all hosts of a play, kept on the control node. Touches no host."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Optional

from ansible.plugins.action import ActionBase

from ansible_collections.wst.backup.plugins.plugin_utils import _evidence_files, _fleet, _fleet_files, _run_identity
from ansible_collections.wst.backup.plugins.plugin_utils._errors import EvidenceLost, TransportError
from ansible_collections.wst.backup.plugins.plugin_utils._fleet_table import fleet_table
from ansible_collections.wst.backup.plugins.plugin_utils._settings import read_settings

_SPEC = {
    "results": {"type": "dict", "required": True},
    "metrics_file": {"type": "path", "default": ""},
    "period_days": {"type": "int", "default": 365},
}


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no type hints to give
    """See the module's documentation."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        """The fleet's verdict, and where it is kept."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = self.validate_argument_spec(argument_spec=_SPEC)[1]
        now = datetime.now(timezone.utc).replace(microsecond=0)
        try:
            settings = read_settings(task_vars or {}, self._templar.template, windows=True)
            document = _document(arguments, settings.control_dir, now)
            kept = {} if self._task.check_mode else self._keep(arguments, settings.control_dir, document)
        except TransportError as error:
            return {**result, **error.as_result()}
        except OSError as error:
            failure = EvidenceLost(f"the fleet's verdict cannot be kept on the control node: {error}")
            return {**result, **failure.as_result()}
        verdicts = {host["name"]: host["verdict"] for host in document["hosts"]}
        told = {"verdict": _fleet.overall(document), "verdicts": verdicts, "lines": fleet_table(document, now)}
        return {**result, "changed": True, **told, **kept}

    @staticmethod
    def _keep(arguments: dict[str, Any], control_dir: str, document: dict[str, Any]) -> dict[str, str]:
        for host in document["hosts"]:
            if host["reached"] and not host["error"]:
                _evidence_files.add_missing(control_dir, host["name"], host["drills"])
        return _fleet_files.keep(control_dir, document, metrics_file=arguments["metrics_file"] or None)


def _document(arguments: dict[str, Any], control_dir: str, now: datetime) -> dict[str, Any]:
    results = arguments["results"]
    return _fleet.fleet(
        results,
        known=_fleet_files.last_known(control_dir, results),
        evidence={host: _fleet_files.evidence_pages(control_dir, host) for host in results},
        made=now,
        controller=_run_identity.controller(),
        period_days=arguments["period_days"],
    )
