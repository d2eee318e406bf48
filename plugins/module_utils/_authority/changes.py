# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a new token or a new list of targets can be taken. Decides only."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from ansible_collections.wst.backup.plugins.module_utils._authority.levels import WITH_TOKEN
from ansible_collections.wst.backup.plugins.module_utils._authority.record import Authority
from ansible_collections.wst.backup.plugins.module_utils._authority.targets import Targets
from ansible_collections.wst.backup.plugins.module_utils._authority.tokens import TokenHash, weakness


def unfit(tokens: Mapping[str, str]) -> List[str]:
    """Why these new tokens, by level, cannot be taken; one sentence each, without any of them."""
    found = []
    for level, token in tokens.items():
        problem = weakness(token)
        if problem is not None:
            found.append(f"the new token of {level} {problem}")
    if len(set(tokens.values())) < len(tokens):
        found.append("the new tokens are the same: each level has its own")
    return found


def taken_by_others(level: str, token: str, hashes: Mapping[str, TokenHash]) -> List[str]:
    """The levels, but for that one, whose token it already is."""
    return [other for other in WITH_TOKEN if other != level and hashes[other].matches(token)]


def changed_levels(tokens: Mapping[str, str], hashes: Mapping[str, TokenHash]) -> List[str]:
    """The levels whose token would be another one."""
    return [level for level in WITH_TOKEN if level in tokens and not hashes[level].matches(tokens[level])]


def listing(production: Targets, other: Targets) -> str:
    """Targets as lines of text, for people and diffs."""
    lines = []
    for title, targets in (("production", production), ("not production", other)):
        lines += [f"{title}: {path}" for path in targets.directories]
        lines += [f"{title}: {each.host}:{each.port}/{each.name}" for each in targets.databases]
    return "".join(f"{line}\n" for line in lines)


def told(authority: Authority) -> Dict[str, Any]:
    """What of the record a result shows: the targets, and nothing of the hashes."""
    return {"production": authority.production.as_body(), "not_production": authority.other.as_body()}
