# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy's options; ``doc_fragments/policy.py`` documents them."""

from __future__ import annotations

from typing import Any, Dict, Mapping

from ansible_collections.wst.backup.plugins.module_utils._retention.plan import Policy


def policy_options() -> Dict[str, Any]:
    """How many sets, and how old; the defaults are the doctrine's."""
    return {
        "keep_min": {"type": "int", "default": 7},
        "keep_max": {"type": "int", "default": 14},
        "min_age_days": {"type": "int", "default": 7},
        "keep_daily": {"type": "int", "default": 0},
    }


def policy_of(params: Mapping[str, Any]) -> Policy:
    """The policy that was given; raises ``InputInvalid``."""
    return Policy(
        keep_min=params["keep_min"],
        keep_max=params["keep_max"],
        min_age_days=params["min_age_days"],
        keep_daily=params["keep_daily"],
    )
