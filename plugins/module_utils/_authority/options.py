# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The targets as a module is given them."""

from __future__ import annotations

import os
from typing import Any, Dict, Mapping, Optional

from ansible_collections.wst.backup.plugins.module_utils._authority.manage import Wanted
from ansible_collections.wst.backup.plugins.module_utils._authority.record import comparable
from ansible_collections.wst.backup.plugins.module_utils._authority.targets import Targets, targets_from
from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid


def target_options() -> Dict[str, Any]:
    """The specification of ``production`` and ``not_production``; the module ``authority`` documents it."""
    database = {
        "host": {"type": "str", "required": True},
        "port": {"type": "int", "default": 5432},
        "name": {"type": "str", "required": True},
    }
    return {
        "type": "dict",
        "options": {
            "directories": {"type": "list", "elements": "path", "default": []},
            "databases": {"type": "list", "elements": "dict", "default": [], "options": database},
        },
    }


def wanted_of(params: Mapping[str, Any]) -> Wanted:
    """What these options gave, with directories as they are compared; raises InputInvalid."""
    return Wanted(
        production=_targets(params["production"], "production"),
        other=_targets(params["not_production"], "not_production"),
    )


def _targets(given: Optional[Mapping[str, Any]], name: str) -> Targets:
    body = {"directories": [], "databases": [], **(given or {})}
    try:
        directories = [comparable(_absolute(path)) for path in body["directories"]]
        return targets_from({**body, "directories": directories})
    except (ValueError, OSError) as error:
        raise InputInvalid(f"{name} cannot be taken: {error}", **{name: body}) from error


def _absolute(path: str) -> str:
    if not os.path.isabs(path):
        raise ValueError(f"{path!r} is no absolute path")
    return path
