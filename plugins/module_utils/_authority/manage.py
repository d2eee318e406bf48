# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module ``authority`` does: the host's record is made, changed, and asked.

Whoever makes the first record needs no token: there is none yet. From then on what is production, and the token of L6,
change by L6 only.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import Any, Dict, Iterator, List, Mapping, Optional

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._audit.log import AuditLog, Event
from ansible_collections.wst.backup.plugins.module_utils._audit.search import last_record
from ansible_collections.wst.backup.plugins.module_utils._authority.changes import (
    changed_levels,
    listing,
    taken_by_others,
    told,
    unfit,
)
from ansible_collections.wst.backup.plugins.module_utils._authority.check import CARRIED, GRANTED, require
from ansible_collections.wst.backup.plugins.module_utils._authority.levels import L5, L6, OPERATOR, WITH_TOKEN
from ansible_collections.wst.backup.plugins.module_utils._authority.record import (
    Authority,
    comparable,
    find_authority,
    write_authority,
)
from ansible_collections.wst.backup.plugins.module_utils._authority.targets import Targets, contradictions
from ansible_collections.wst.backup.plugins.module_utils._authority.tokens import hash_of
from ansible_collections.wst.backup.plugins.module_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import Held, held
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._preflight.targets import check_private_directory

# The new tokens' names among the context's secrets. not-a-secret: names only
NEW = {L5: "l5_token_new", L6: "l6_token_new"}


@dataclass(frozen=True)
class Wanted:
    """What is production, and what is known not to be."""

    production: Targets
    other: Targets


def look(layout: HostLayout, needed: Optional[str], *, dry_run: bool) -> Dict[str, Any]:
    """Which level the payload's token proves. A token that proves none is a failure, whatever was asked for.

    Raises as ``require``.
    """
    least = needed or (OPERATOR if _context.secret(CARRIED) is None else L5)
    grant = require(layout, least, "check", dry_run=dry_run)
    return {"changed": False, "level": grant.proven, **told(grant.authority)}


def rotate(layout: HostLayout, level: str, *, dry_run: bool) -> Dict[str, Any]:
    """Another token for that level, which must itself be proven.

    :raises InputInvalid: no new token came, or one that cannot be taken.
    :raises NotAuthorized: and as ``require``; LeaseLost and its like outside of a run.
    """
    tokens = _new_tokens([level])
    if level not in tokens:
        raise InputInvalid(f"no new token of {level} came with the task", level=level)
    with _lease(layout, dry_run=dry_run) as lease:
        before = require(layout, level, "rotate", {"level": level}, dry_run=dry_run).authority
        _refuse_taken(tokens, before)
        if not changed_levels(tokens, before.hashes):
            raise InputInvalid(f"the new token of {level} is the one that it has", level=level)
        after = _with_tokens(before, tokens, [level])
        if lease is not None:
            lease.check()
            write_authority(layout, after)
    return {"changed": True, "level": level, "tokens": [level], **told(after)}


def provision(layout: HostLayout, wanted: Wanted, *, operator: Optional[str], dry_run: bool) -> Dict[str, Any]:
    """Make the record these targets and, where new ones came, these tokens; an older record is changed by L6 only.

    :param operator: the account that may use the host root besides us, if it is another.
    :raises InputInvalid: targets or tokens cannot be taken, or the first record lacks a token.
    :raises NotAuthorized: there is a record, and L6 was not proven. AuthorityDamaged, and as ``require``.
    :raises PathPermissions: others may write where the record stands, so it would prove nothing.
    """
    check_private_directory(layout.root, operator)
    tokens = _new_tokens(WITH_TOKEN)
    problems = contradictions(wanted.production, wanted.other, root=comparable(layout.root))
    if problems:
        raise InputInvalid(f"these targets cannot be recorded: {'; '.join(problems)}", problems=problems)
    with _lease(layout, dry_run=dry_run) as lease:
        before = find_authority(layout)
        if before is None:
            return _first(layout, wanted, tokens, lease)
        return _change(layout, wanted, tokens, lease)


def _first(layout: HostLayout, wanted: Wanted, tokens: Mapping[str, str], lease: Optional[Held]) -> Dict[str, Any]:
    missing = [level for level in WITH_TOKEN if level not in tokens]
    if missing:
        raise InputInvalid(f"the first record needs a new token of {' and of '.join(missing)}", missing=missing)
    earlier = _earlier(layout)
    by = _context.current().controller or api.identity().name
    hashes = {level: hash_of(tokens[level]) for level in WITH_TOKEN} if lease else {}
    made = Authority(hashes, wanted.production, wanted.other, since=utc_now(), by=by)
    if lease is not None:
        details = {"needed": OPERATOR, "proven": OPERATOR, "purpose": "provision", "check_mode": False}
        facts = {**details, "first": True, "earlier": earlier, "targets": told(made)}
        AuditLog(layout.audit_dir).append(Event(GRANTED, "success", details=facts))
        lease.check()
        write_authority(layout, made)
    return {
        "changed": True,
        "level": OPERATOR,
        "first": True,
        "earlier": earlier,
        "tokens": list(WITH_TOKEN),
        "diff": {"before": "", "after": listing(made.production, made.other)},
        **told(made),
    }


def _change(layout: HostLayout, wanted: Wanted, tokens: Mapping[str, str], lease: Optional[Held]) -> Dict[str, Any]:
    targets = {"production": wanted.production.as_body(), "not_production": wanted.other.as_body()}
    grant = require(layout, L6, "provision", {"first": False, "targets": targets}, dry_run=lease is None)
    before = grant.authority
    _refuse_taken(tokens, before)
    levels = changed_levels(tokens, before.hashes)
    after = replace(_with_tokens(before, tokens, levels), production=wanted.production, other=wanted.other)
    if after != before and lease is not None:
        lease.check()
        write_authority(layout, after)
    return {
        "changed": after != before,
        "level": grant.proven,
        "first": False,
        "earlier": None,
        "tokens": levels,
        "diff": {
            "before": listing(before.production, before.other),
            "after": listing(after.production, after.other),
        },
        **told(after),
    }


def _new_tokens(levels: Any) -> Dict[str, str]:
    """The new tokens that came with the payload, by level. Raises InputInvalid for what cannot be a token."""
    came = {level: _context.secret(NEW[level]) for level in levels}
    tokens = {level: token for level, token in came.items() if token is not None}
    problems = unfit(tokens)
    if problems:
        raise InputInvalid("; ".join(problems), problems=problems)
    return tokens


def _refuse_taken(tokens: Mapping[str, str], before: Authority) -> None:
    """Each level has a token of its own. Who finds another level's token out in this way needed a guess as good as any
    other, and each one is on record.

    A level whose own token changes in the same step is free to give its old one away, but that would be a mistake too.
    """
    for level, token in tokens.items():
        others: List[str] = taken_by_others(level, token, before.hashes)
        if others:
            raise InputInvalid(f"the new token of {level} is the one of {others[0]}", level=level)


def _with_tokens(before: Authority, tokens: Mapping[str, str], levels: List[str]) -> Authority:
    return replace(before, hashes={**before.hashes, **{level: hash_of(tokens[level]) for level in levels}})


def _earlier(layout: HostLayout) -> Optional[Dict[str, Any]]:
    """The last grant on record, where the host had a record before that is gone now: somebody removed it."""
    record = last_record(layout.audit_dir, GRANTED)
    return None if record is None else {"seq": record["seq"], "time": record["time"]}


@contextlib.contextmanager
def _lease(layout: HostLayout, *, dry_run: bool) -> Iterator[Optional[Held]]:
    """The run's lease; None in check mode, which changes nothing."""
    if dry_run:
        yield None
        return
    with held(layout) as lease:
        yield lease
