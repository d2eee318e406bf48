# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options about the mirror's volume; ``doc_fragments/mirror.py`` documents them."""

from __future__ import annotations

from typing import Any, Dict, Mapping

from ansible_collections.wst.backup.plugins.module_utils._mirror.volume import ACCEPTABLE, Tolerance
from ansible_collections.wst.backup.plugins.module_utils._sets.options import LOCAL_DIR, MIRROR_DIR


def volume_options() -> Dict[str, Any]:
    """What the inventory takes upon itself about the volume."""
    return {
        "accept_unknown_volume_facts": {
            "type": "list",
            "elements": "str",
            "default": [],
            "choices": list(ACCEPTABLE),
        },
        "allow_same_disk": {"type": "bool", "default": False},
    }


def directory_options() -> Dict[str, Any]:
    """Where the two layers are."""
    return {
        "local_dir": {"type": "path", "default": LOCAL_DIR},
        "mirror_dir": {"type": "path", "default": MIRROR_DIR},
    }


def tolerance_of(params: Mapping[str, Any]) -> Tolerance:
    """The same as a value."""
    return Tolerance(frozenset(params["accept_unknown_volume_facts"]), same_disk=params["allow_same_disk"])
