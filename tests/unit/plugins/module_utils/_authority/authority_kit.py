# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host whose authority is recorded, for every test that needs it: tokens, and processes that carry one."""

from __future__ import annotations

import json
import os
import sys
import types
from dataclasses import replace
from typing import Any, Dict, List, Optional

import pytest

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._authority import check
from ansible_collections.wst.backup.plugins.module_utils._authority.levels import L5, L6
from ansible_collections.wst.backup.plugins.module_utils._authority.record import Authority, comparable, write_authority
from ansible_collections.wst.backup.plugins.module_utils._authority.targets import Database, Targets
from ansible_collections.wst.backup.plugins.module_utils._authority.tokens import TokenHash, _scrypt
from ansible_collections.wst.backup.plugins.module_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout

TOKENS = {L5: "Planted-L5-0123456789-abcdef", L6: "Planted-L6-9876543210-fedcba"}
NOTHING = Targets()


def quick_hash(token: str) -> TokenHash:
    """A hash that costs nothing: a record says what its own cost. Real ones are in ``test_decisions.py``."""
    how = TokenHash(n=16, r=8, p=1, salt=os.urandom(16).hex(), digest="")
    return replace(how, digest=_scrypt(token, how).hex())


HASHES = {level: quick_hash(token) for level, token in TOKENS.items()}


def provisioned(layout: HostLayout, production: Targets = NOTHING, other: Targets = NOTHING) -> Authority:
    """Put a record on the host, whose directory must be there."""
    if not production.databases and not production.directories:
        production = Targets(databases=(Database("db.example", 5432, "shop"),))
    authority = Authority(HASHES, production, other, since=utc_now(), by="admin@control")
    write_authority(layout, authority)
    return authority


def directory_target(*paths: str) -> Targets:
    """Directories as they stand in a record."""
    return Targets(directories=tuple(comparable(path) for path in paths))


def carry(monkeypatch: pytest.MonkeyPatch, token: Optional[str] = None, **secrets: str) -> None:
    """Be a module to which the control node sent that token, and those secrets, in the run that it is in."""
    before = getattr(sys.modules.get(_context.CONTEXT_MODULE), "DATA", {})
    module: Any = types.ModuleType(_context.CONTEXT_MODULE)
    module.DATA = {**before, "secrets": {**({check.CARRIED: token} if token else {}), **secrets}}
    monkeypatch.setitem(sys.modules, _context.CONTEXT_MODULE, module)


def recorded(layout: HostLayout) -> List[Dict[str, Any]]:
    """The audit log."""
    path = os.path.join(layout.audit_dir, "audit.jsonl")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]
