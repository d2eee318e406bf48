# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option that says what is backed up; ``doc_fragments/sources.py`` documents it."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from ansible_collections.wst.backup.plugins.module_utils._archive.patterns import Patterns
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source


def source_options() -> Dict[str, Any]:
    """The trees that go into the artifact."""
    patterns: Dict[str, Any] = {"type": "list", "elements": "str", "default": []}
    source = {
        "name": {"type": "str", "required": True},
        "path": {"type": "path", "required": True},
        "exclude": patterns,
        "allow_unreadable": patterns,
        "allow_changed": patterns,
        "follow_root": {"type": "bool", "default": False},
    }
    return {"sources": {"type": "list", "elements": "dict", "required": True, "options": source}}


def sources_of(params: Mapping[str, Any]) -> List[Source]:
    """The sources that were given; raises ``InputInvalid`` for a pattern that can never match."""
    return [
        Source(
            name=told["name"],
            path=told["path"],
            exclude=Patterns(told["exclude"]),
            allow_unreadable=Patterns(told["allow_unreadable"]),
            allow_changed=Patterns(told["allow_changed"]),
            follow_root=told["follow_root"],
        )
        for told in params["sources"]
    ]
