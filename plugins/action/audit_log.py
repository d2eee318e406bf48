# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries the module ``audit_log`` to the host. What the host cannot record is recorded on the control node."""

from __future__ import annotations

from typing import Any

from ansible_collections.wst.backup.plugins.plugin_utils import _control_log
from ansible_collections.wst.backup.plugins.plugin_utils._anchored import AnchoredAction


class ActionModule(AnchoredAction):
    """See the module's documentation."""

    def succeeded(self, result: dict[str, Any]) -> dict[str, Any]:
        """Anchor the head of the host's chain here, so that a cut tail shows."""
        if "head" in result and self._settings and not self._task.check_mode:
            head = {name: result.get(name) for name in ("seq", "head", "segment")}
            self._record({**head, "log": self.log_name(self._settings)}, file=_control_log.AUDIT_HEADS)
        return {**result, "recorded_on": "host"}

    def failed(self, result: dict[str, Any]) -> dict[str, Any]:
        """Record the event here instead: a full disk or a lost host must not lose it.

        Never silently: the host's log lacks the event, so the result carries it as the run's ``problem``.
        """
        if self._task.check_mode:
            return result
        arguments = self._task.args
        wanted = {name: arguments.get(name) for name in ("event", "result", "code", "details")}
        wanted["message"] = arguments.get("text")
        reason = {"code": result.get("code"), "message": result.get("msg")}
        before = len(self._warnings)
        self._record({**wanted, "host_could_not_record": reason})
        if len(self._warnings) > before:
            return {**result, "warnings": self._warnings}
        told = f"the host could not record the event {wanted['event']} ({reason['message']}); the control node did"
        problem = {
            "code": result.get("code") or "",
            "message": told,
            "remedy": result.get("remedy") or "",
            "facts": result.get("facts") or {},
        }
        return {
            "changed": True,
            "recorded_on": "control_node",
            "host_error": reason,
            "problem": problem,
            "warnings": [*result.get("warnings", []), told],
        }
