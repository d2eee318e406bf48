# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action ``compliance_report``: the verdicts of all hosts of a play, kept on the control node. Touches no host."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, Optional

from ansible.plugins.action import ActionBase

from ansible_collections.wst.backup.plugins.plugin_utils import (
    _evidence_files,
    _fleet,
    _fleet_files,
    _notify_state,
    _run_identity,
)
from ansible_collections.wst.backup.plugins.plugin_utils._errors import EvidenceLost, TransportError
from ansible_collections.wst.backup.plugins.plugin_utils._fleet_table import fleet_table
from ansible_collections.wst.backup.plugins.plugin_utils._settings import read_settings

_SPEC = {
    "results": {"type": "dict"},
    "hosts": {"type": "list", "elements": "str"},
    "variables": {"type": "list", "elements": "str"},
    "limit": {"type": "str", "default": ""},
    "metrics_file": {"type": "path", "default": ""},
    "period_days": {"type": "int", "default": 365},
}
_RULES = {
    "required_one_of": [["results", "variables"]],
    "mutually_exclusive": [["results", "variables"]],
    "required_together": [["hosts", "variables"]],
}


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no type hints to give
    """See the module's documentation."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        """The fleet's verdict, and where it is kept."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = self.validate_argument_spec(argument_spec=_SPEC, **_RULES)[1]
        now = datetime.now(timezone.utc).replace(microsecond=0)
        try:
            settings = read_settings(task_vars or {}, self._templar.template, windows=True)
            document = _document(arguments, _results(arguments, task_vars or {}), settings.control_dir, now)
            kept = {} if self._task.check_mode else self._keep(arguments, settings.control_dir, document)
        except TransportError as error:
            return {**result, **error.as_result()}
        except OSError as error:
            failure = EvidenceLost(f"the fleet's verdict cannot be kept on the control node: {error}")
            return {**result, **failure.as_result()}
        verdicts = {host["name"]: host["verdict"] for host in document["hosts"]}
        told = {
            "verdict": _fleet.overall(document),
            "verdicts": verdicts,
            "endings": {host["name"]: _fleet.ending(host) for host in document["hosts"]},
            "lines": fleet_table(document, now),
        }
        return {**result, "changed": True, **told, **kept}

    @staticmethod
    def _keep(arguments: dict[str, Any], control_dir: str, document: dict[str, Any]) -> dict[str, str]:
        for host in document["hosts"]:
            if host["reached"] and not host["error"]:
                _evidence_files.add_missing(control_dir, host["name"], host["drills"])
        return _fleet_files.keep(control_dir, document, metrics_file=arguments["metrics_file"] or None)


def _results(arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
    """What each host gave. Variables are read as they are: it would take Ansible minutes to template a year of runs."""
    if arguments["results"] is not None:
        return dict(arguments["results"])
    hosts = {host: task_vars["hostvars"].raw_get(host) for host in arguments["hosts"]}
    return {
        host: _fleet.telling([own.get(name) for name in arguments["variables"]] if isinstance(own, Mapping) else [])
        for host, own in hosts.items()
    }


def _document(arguments: dict[str, Any], results: dict[str, Any], control_dir: str, now: datetime) -> dict[str, Any]:
    return _fleet.fleet(
        results,
        known=_fleet_files.last_known(control_dir, results),
        evidence={host: _fleet_files.evidence_pages(control_dir, host) for host in results},
        made=now,
        controller=_run_identity.controller(),
        period_days=arguments["period_days"],
        limit=arguments["limit"],
        notices={host: _notify_state.broken(_notify_state.read(control_dir, host)) for host in results},
    )
