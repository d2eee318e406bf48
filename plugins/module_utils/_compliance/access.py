# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""R6, F1 and F2: what a run needs on the host, as preflight found it."""

from __future__ import annotations

from typing import Any, List, Mapping, Sequence, Tuple

from ansible_collections.wst.backup.plugins.module_utils._compliance.facts import Facts
from ansible_collections.wst.backup.plugins.module_utils._compliance.finding import (
    COMPLIANT,
    NON_COMPLIANT,
    UNKNOWN,
    Evidence,
    Finding,
)
from ansible_collections.wst.backup.plugins.module_utils._compliance.policy import Policy

KEY = ("key_missing", "key_malformed", "key_permissions", "path_permissions")
DATABASE = ("db_", "key_", "tool_")
SOURCES = ("source_missing", "source_unreadable")
COMMAND = "backup.yml --check"


def security(facts: Facts, policy: Policy) -> Finding:
    """R6: the key holds one password and nobody but the operator may read it."""
    return _judge("R6", facts, KEY, "the key's form and the permissions of key and records are right")


def database_login(facts: Facts, policy: Policy) -> Finding:
    """F1: the dump's login works now."""
    return _judge("F1", facts, DATABASE, "the login of the dump works")


def source_paths(facts: Facts, policy: Policy) -> Finding:
    """F2: the sources are there and can be read."""
    return _judge("F2", facts, SOURCES, "sources " + ", ".join(facts.expected_sources) + " are there and can be read")


def _judge(requirement: str, facts: Facts, codes: Sequence[str], good: str) -> Finding:
    """Compliant when preflight looked and has no problem whose code begins so."""
    if facts.problems is None:
        return Finding(requirement, UNKNOWN, "the host's preparedness could not be looked at", command=COMMAND)
    evidence = (Evidence("preflight of this evaluation", "preflight_info", facts.now),)
    found = _matching(facts.problems, codes)
    if found:
        summary = "; ".join("{}: {}".format(each.get("code"), each.get("message")) for each in found)
        return Finding(requirement, NON_COMPLIANT, summary, evidence, command=COMMAND)
    return Finding(requirement, COMPLIANT, good, evidence, command=COMMAND)


def _matching(problems: Tuple[Mapping[str, Any], ...], codes: Sequence[str]) -> List[Mapping[str, Any]]:
    return [each for each in problems if str(each.get("code") or "").startswith(tuple(codes))]
