# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries the module ``run_lock`` to the host, and makes the run's id, which every later task of the play gets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ansible_collections.wst.backup.plugins.plugin_utils import _errors, _notify, _run_identity
from ansible_collections.wst.backup.plugins.plugin_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.plugin_utils._host_python import HostPythonAction
from ansible_collections.wst.backup.plugins.plugin_utils._notify_plan import BACKUP, RESTORE_TEST, Ended


class ActionModule(HostPythonAction):
    """See the module's documentation. Taking the lock twice in one play takes the same one."""

    runs_as = "attached"  # repeatable: the id says whose lock it is

    def _taking(self) -> bool:
        return bool(self._task.args.get("state", "present") == "present")

    def run_id(self, task_vars: Mapping[str, Any]) -> str:
        """The id of the play's run on this host; a new one where there is none."""
        known = super().run_id(task_vars)
        return known or (_run_identity.new_run_id(datetime.now(timezone.utc)) if self._taking() else "")

    def succeeded(self, result: dict[str, Any]) -> dict[str, Any]:
        """Make the id a fact of the host, or clear it."""
        if not self._taking():
            return self._cleared(result)
        facts = {_run_identity.RUN_ID: self._run_id, _run_identity.OWNER: _run_identity.owner()}
        return {**result, "run_id": self._run_id, "ansible_facts": facts}

    def failed(self, result: dict[str, Any]) -> dict[str, Any]:
        """Say which run failed to get the lock, for the audit log; one that failed to release it is over as well."""
        return {**result, "run_id": self._run_id} if self._taking() else self._cleared(result)

    def unreached(self, error: _errors.Unreachable, variables: Mapping[str, Any]) -> None:
        """Tell it from here: Ansible runs no further task for this host, and none at all where no other one is left."""
        job = self._task.args.get("purpose")
        if self._settings is None or self._task.check_mode or not self._taking() or job not in (BACKUP, RESTORE_TEST):
            return
        ended = Ended(
            job=str(job),
            host=self._host,
            controller=_run_identity.controller(),
            at=utc_now(),
            run_id=self._run_id,
            code=error.code,
            message=error.message,
            remedy=error.remedy,
        )
        template = self._templar.copy_with_new_env(available_variables=dict(variables)).template
        told = _notify.tell(ended, variables, template, control_dir=self._settings.control_dir)
        for warning in told.warnings:  # the result is lost with the host
            self._display.warning(warning)

    def _cleared(self, result: dict[str, Any]) -> dict[str, Any]:
        """Without the fact, so that no later task of the play works in a run that is over."""
        facts = {_run_identity.RUN_ID: "", _run_identity.OWNER: ""}
        return {**result, "run_id": self._run_id, "ansible_facts": facts}
