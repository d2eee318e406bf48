# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that modules about the content of an artifact share; ``doc_fragments/restore.py`` documents them."""

from __future__ import annotations

from typing import Any, Dict, Mapping

from ansible_collections.wst.backup.plugins.module_utils._archive.patterns import Patterns
from ansible_collections.wst.backup.plugins.module_utils._restore.selection import PARTS, Selection
from ansible_collections.wst.backup.plugins.module_utils._sets.options import ROOT


def artifact_options() -> Dict[str, Any]:
    """Which artifact, and what of it."""
    patterns: Dict[str, Any] = {"type": "list", "elements": "str", "default": []}
    return {
        "root": {"type": "path", "default": ROOT},
        "path": {"type": "path", "required": True},
        "sidecar": {"type": "path"},
        "parts": {"type": "list", "elements": "str", "choices": list(PARTS), "default": list(PARTS)},
        "include": patterns,
        "exclude": patterns,
    }


def selection_of(params: Mapping[str, Any]) -> Selection:
    """What was selected; raises ``InputInvalid`` for a pattern that can never match."""
    return Selection(
        parts=frozenset(params["parts"]),
        include=Patterns(params["include"]),
        exclude=Patterns(params["exclude"]),
    )
