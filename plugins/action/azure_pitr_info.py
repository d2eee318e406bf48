# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action ``azure_pitr_info``: asks Azure, from the control node, about a server's own backups. Touches no host."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from typing import Any, Optional

from ansible.plugins.action import ActionBase

from ansible_collections.wst.backup.plugins.plugin_utils import _azure, _azure_options, _pitr
from ansible_collections.wst.backup.plugins.plugin_utils._errors import TransportError


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no type hints to give
    """See the module's documentation."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        """The facts, or a failure with ``code`` and ``remedy``."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = self.validate_argument_spec(argument_spec=_azure_options.argument_spec())[1]
        try:
            answer = _azure.ask(_azure_options.question_of(arguments, os.environ), os.environ)
        except TransportError as error:
            return {**result, **error.as_result()}
        facts = _pitr.facts_of(answer.server, answer.backups, now=datetime.now(timezone.utc))
        remarks = _pitr.remarks_of(facts)
        return {**result, "changed": False, "pitr": facts, "remarks": remarks}
