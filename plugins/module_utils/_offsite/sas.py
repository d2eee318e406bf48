# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SAS: what lets us into the container, read from its own file as the database password is from ``db.key``.

Its signature never leaves this process but to Azure. When it ends, and what it allows, is no secret, and is told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Dict, List, Optional
from urllib.parse import parse_qsl

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    KeyMalformed,
    KeyMissing,
    OffsiteKeyUnusable,
    OffsiteUnauthorised,
)
from ansible_collections.wst.backup.plugins.module_utils._pg.key import parse_key, read_key

WARN_BEFORE = timedelta(days=14)
_NEEDED = {"r": "read", "w": "write", "l": "list"}
_TOO_MUCH = {"d": "delete", "x": "delete versions", "y": "delete for ever", "i": "change immutability policies"}
_FORMATS = ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True)
class Sas:
    """A SAS and what it says of itself. A stored access policy may hold what is None here."""

    token: str = field(repr=False)
    expires: Optional[datetime]
    permissions: Optional[str]  # letters


def read_sas(path: str) -> Sas:
    """The SAS in that file; raises ``OffsiteKeyUnusable``; ``KeyPermissions``, ``PathUnusable`` as a key does."""
    try:
        return parse_sas(read_key(path), path=path)
    except (KeyMissing, KeyMalformed) as error:
        raise OffsiteKeyUnusable(error.message, **error.facts) from error


def sas_from(data: bytes, *, name: str) -> Sas:
    """The SAS in those bytes, as they would stand in the file; raises ``OffsiteKeyUnusable``."""
    try:
        return parse_sas(parse_key(data, path=name), path=name)
    except KeyMalformed as error:
        raise OffsiteKeyUnusable(error.message, **error.facts) from error


def parse_sas(text: str, *, path: str) -> Sas:
    """What the text is; raises ``OffsiteKeyUnusable``, whose message has nothing of the text."""
    token = text[1:] if text.startswith("?") else text
    if "://" in token.split("&", 1)[0]:
        raise _unusable(path, "holds a whole URL, not the SAS alone (what comes after its '?')")
    if "AccountKey" in token:
        raise _unusable(path, "holds a connection string: an account's key may do everything and is not taken")
    try:
        pairs = parse_qsl(token, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        raise _unusable(path, "does not hold a SAS") from None  # the text would be in the context
    values = dict(pairs)
    if len(values) != len(pairs) or not values.get("sig") or not values.get("sv"):
        raise _unusable(path, "does not hold a SAS: sig or sv is missing, or something is there twice")
    if "si" not in values and not (values.get("se") and values.get("sp")):
        raise _unusable(path, "holds a SAS that says neither when it ends and what it allows, nor a stored policy")
    return Sas(token, _expiry(values, path), values.get("sp"))


def check_sas(sas: Sas, now: datetime) -> List[str]:
    """Warnings about it; raises ``OffsiteUnauthorised`` where it has ended: nobody need be asked then."""
    warnings = []
    if sas.expires is not None:
        told = sas.expires.strftime("%Y-%m-%d %H:%M UTC")
        if sas.expires <= now:
            raise OffsiteUnauthorised(f"the SAS ended at {told}", expired_at=told)
        if sas.expires - now < WARN_BEFORE:
            warnings.append(f"the SAS ends at {told}: replace it with playbook offsite_key.yml")
    if sas.permissions is not None:
        lacking = [word for letter, word in _NEEDED.items() if letter not in sas.permissions]
        if lacking:
            raise OffsiteUnauthorised(f"the SAS does not allow to {', '.join(lacking)}", lacking=lacking)
        beyond = [word for letter, word in _TOO_MUCH.items() if letter in sas.permissions]
        if beyond:
            warnings.append(f"the SAS allows to {', '.join(beyond)}: whoever has this host can then destroy the copies")
    return warnings


def _expiry(values: Dict[str, str], path: str) -> Optional[datetime]:
    text = values.get("se")
    if not text:
        return None
    for form in _FORMATS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=timezone.utc)
        except ValueError:
            continue
    raise _unusable(path, "holds a SAS whose end (se) is no time")


def _unusable(path: str, problem: str) -> OffsiteKeyUnusable:
    return OffsiteKeyUnusable(f"{path} {problem}", path=path, problem=problem)
