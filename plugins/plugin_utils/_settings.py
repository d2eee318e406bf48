# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables that steer the transport. They belong to the host that the task runs on, delegated or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable

from ._errors import SettingInvalid

WINDOWS_PYTHON = r"C:\wst-control\runtime\python\python.exe"
WINDOWS_ROOT = r"C:\wst-control"
POSIX_ROOT = "/var/lib/wst-backup"
CONTROL_DIR = "~/.wst-backup"
RECONNECT_TIMEOUT = 900.0

_TRUE = {True, "true", "yes", "on", "1"}
_FALSE = {False, "false", "no", "off", "0", ""}


@dataclass(frozen=True)
class Settings:
    """How to reach the host's Python and where things are kept."""

    python: str  # wst_backup_python; used on Windows, elsewhere Ansible finds the interpreter
    root: str  # the task's argument "root", else wst_backup_root
    accept_unproven: bool  # wst_backup_accept_unproven_connection
    reconnect_timeout: float  # wst_backup_reconnect_timeout, seconds
    control_dir: str  # wst_backup_control_dir, on the control node


def read_settings(
    variables: Mapping[str, Any], template: Callable[[Any], Any], *, windows: bool, root: object = None
) -> Settings:
    """Read the variables; ``template`` resolves their templates.

    :raises SettingInvalid: a value is not what it must be.
    """

    def value(name: str, default: Any) -> Any:
        given = variables.get(name)
        given = default if given is None else template(given)
        return default if given is None or given == "" else given

    patience = value("wst_backup_reconnect_timeout", RECONNECT_TIMEOUT)
    return Settings(
        python=str(value("wst_backup_python", WINDOWS_PYTHON)),
        root=str(root or value("wst_backup_root", WINDOWS_ROOT if windows else POSIX_ROOT)),
        accept_unproven=_boolean("wst_backup_accept_unproven_connection", variables, template),
        reconnect_timeout=_seconds("wst_backup_reconnect_timeout", patience),
        control_dir=str(value("wst_backup_control_dir", CONTROL_DIR)),
    )


def _boolean(name: str, variables: Mapping[str, Any], template: Callable[[Any], Any]) -> bool:
    given = template(variables.get(name, False))
    word = given.strip().lower() if isinstance(given, str) else given
    if word in _TRUE:
        return True
    if word in _FALSE or word is None:
        return False
    raise SettingInvalid(f"{name} must be true or false, not {given!r}.", variable=name)


def _seconds(name: str, given: Any) -> float:
    try:
        seconds = float(given)
    except (TypeError, ValueError):
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise SettingInvalid(f"{name} must be a number of seconds, not {given!r}.", variable=name)
    return seconds
