# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets of the control node that a module is told: tokens and new passwords, from a vault or an AWX credential."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ._errors import SettingInvalid

# What a module says in ``carries`` that needs authority.
AUTHORITY = {"authority_token": "wst_backup_authority_token"}  # nosec B105  # not-a-secret: the name of a variable

NEW_TOKENS = {
    "l5_token_new": "wst_backup_l5_token_new",  # nosec B105  # not-a-secret: the name of a variable
    "l6_token_new": "wst_backup_l6_token_new",  # nosec B105  # not-a-secret: the name of a variable
}
NEW_PASSWORD = {"db_password_new": "wst_backup_db_password_new"}  # nosec B105  # not-a-secret: the name of a variable

NEW_SAS = {"offsite_sas_new": "wst_backup_offsite_sas_new"}  # nosec B105  # not-a-secret: the name of a variable


def read_secrets(
    variables: Mapping[str, Any], template: Callable[[Any], Any], carries: Mapping[str, str]
) -> dict[str, str]:
    """The values of those variables that are set, by the names of ``carries``; a line end at the end is dropped.

    :raises SettingInvalid: a value is no text. It is not quoted.
    """
    found: dict[str, str] = {}
    for name, variable in carries.items():
        value = template(variables.get(variable, ""))
        if getattr(value, "__ENCRYPTED__", False):  # an inline !vault as ansible-core up to 2.18 hands it over
            value = str(value)
        if value is None or value == "":
            continue
        if not isinstance(value, str):
            raise SettingInvalid(f"{variable} must be a text (write it in quotes).", variable=variable)
        found[name] = str(value).rstrip("\r\n")
    return found
