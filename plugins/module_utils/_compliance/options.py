# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of ``compliance_info`` that no other module has."""

from __future__ import annotations

from typing import Any, Dict

from ansible_collections.wst.backup.plugins.module_utils._compliance.policy import EXEMPTIBLE


def compliance_options() -> Dict[str, Any]:
    """What a host is judged by, and what is known of it besides; the module's documentation says what they mean."""
    return {
        "environment_name": {"type": "str", "default": "dev"},
        "sources": {"type": "list", "elements": "str", "required": True},
        "thresholds": {
            "type": "dict",
            "default": {},
            "options": {
                "max_gap_hours": {"type": "float", "default": 26},
                "warn_gap_hours": {"type": "float", "default": 0},
                "drill_days": {"type": "float", "default": 7},
                "reread_days": {"type": "float", "default": 7},
                "restorable_days": {"type": "float", "default": 7},
                "min_sets": {"type": "int", "default": 7},
            },
        },
        "exemptions": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "requirement": {"type": "str", "required": True, "choices": list(EXEMPTIBLE)},
                "until": {"type": "str", "required": True},
                "reason": {"type": "str", "required": True},
                "by": {"type": "str", "required": True},
            },
        },
        "preflight": {"type": "dict", "default": {}},
        "pitr": {"type": "dict", "default": {}},
        "offsite": {"type": "bool", "default": False},
        "history_days": {"type": "int", "default": 400},
    }
