# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of the actions whose module holds the host's audit log against what the control node has seen of it."""

from __future__ import annotations

from typing import Any

from . import _connection, _control_log
from ._host_python import HostPythonAction
from ._settings import Settings


class AnchoredAction(HostPythonAction):
    """Tells the module the head of the host's chain when it was last seen from here."""

    def told(self, settings: Settings) -> dict[str, Any]:
        """The host's log must still have that record."""
        try:
            anchor = _control_log.last_head(settings.control_dir, self._host, log=self.log_name(settings))
        except OSError as error:
            self._warnings.append(f"the audit log was not held against what the control node knows of it: {error}")
            anchor = None
        return {"audit_anchor": anchor}

    def log_name(self, settings: Settings) -> str:
        """Which log it is: the name in the inventory alone may mean another host in another inventory."""
        return f"{_connection.address(self._connection)} {settings.root}"
