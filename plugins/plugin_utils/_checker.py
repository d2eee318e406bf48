# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends the independent check along with a module that writes to a layer, so that it costs no way to the host."""

from __future__ import annotations

from typing import Any

from ._errors import SettingInvalid
from ._host_python import HostPythonAction
from ._settings import Settings


class CarriesChecker(HostPythonAction):
    """The base of actions whose module has the option ``checker``: a file of the control node, told as its text."""

    def told(self, settings: Settings) -> dict[str, Any]:
        """The text; nothing in check mode, which places nothing.

        :raises SettingInvalid: the file cannot be read, or is no text.
        """
        path = self._task.args.get("checker")
        if not path or self._task.check_mode:
            return {}
        try:
            with open(path, encoding="utf-8", newline="") as file:
                return {"checker": file.read()}
        except (OSError, ValueError) as error:
            raise SettingInvalid(f"checker cannot be sent along: {error}.", checker=str(path)) from error
