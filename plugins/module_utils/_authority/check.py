# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proving authority: what every protected operation calls before it does anything.

This is a guard rail, not a boundary: who may change files of the host as its operator can go around it. The boundary
is who gets the host's and the control node's accounts.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import Any, Dict, Iterator, Mapping, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _context, _fs, _jobs
from ansible_collections.wst.backup.plugins.module_utils._audit.log import AuditLog, Event
from ansible_collections.wst.backup.plugins.module_utils._authority.delay import (
    Attempts,
    attempts_from,
    remembered,
    wait,
)
from ansible_collections.wst.backup.plugins.module_utils._authority.levels import L5, L6, OPERATOR, reaches
from ansible_collections.wst.backup.plugins.module_utils._authority.record import Authority, read_authority
from ansible_collections.wst.backup.plugins.module_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    BackupError,
    Locked,
    NotAuthorized,
    RecordDamaged,
)
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._platform import api

CARRIED = "authority_token"  # the token's name among the context's secrets
GRANTED, REFUSED = "authority_granted", "authority_refused"
PATIENCE = 120.0  # seconds to wait while others try their tokens; longer than the longest delay
_PAUSE = 0.1
_NOBODY_KNOWS = 1000  # failures, where their count was lost


@dataclass(frozen=True)
class Grant:
    """A proof that was given and recorded: hand it to what needs one."""

    needed: str
    proven: str
    purpose: str
    audit_seq: int
    authority: Authority


def require(
    layout: HostLayout,
    needed: str,
    purpose: str,
    details: Optional[Mapping[str, Any]] = None,
    *,
    dry_run: bool = False,
) -> Grant:
    """Prove that level with the token that came with the payload, and put it on record; granted or refused.

    Check mode proves it too, with the same delays: else it would be a way to guess.

    :param purpose: what is to be done, as a word of the audit log (``restore``).
    :param details: more facts for the record, such as the target; nothing secret.
    :raises NotAuthorized: it was not proven. AuthorityMissing: the host was not provisioned. AuthorityDamaged.
        Locked: others try their tokens all the time. Cancelled, NoSpace, PathPermissions, PathUnusable: what cannot be
        put on record is not granted.
    """
    facts = {"needed": needed, "purpose": purpose, "check_mode": dry_run, **(details or {})}
    try:
        authority = read_authority(layout)
        proven, why = prove(layout, authority)
    except BackupError as error:
        _put_on_record(layout, Event(REFUSED, "failure", error.code, error.message, facts))
        raise
    facts["proven"] = proven
    if not reaches(proven, needed):
        raise _refusal(layout, needed, proven, why, facts)
    appended = AuditLog(layout.audit_dir).append(Event(GRANTED, "success", details=facts))
    return Grant(needed=needed, proven=proven, purpose=purpose, audit_seq=appended.seq, authority=authority)


def prove(layout: HostLayout, authority: Authority) -> Tuple[str, str]:
    """The level that the payload's token proves, and why it is no higher.

    A failure is counted before the token is looked at, so that whoever ends this process early gains nothing.
    """
    token = _context.secret(CARRIED)
    if token is None:
        return OPERATOR, "no token came with the task"
    with _one_at_a_time(layout):
        attempts = remembered(_read_attempts(layout), utc_now())
        _sleep(wait(attempts, utc_now()))
        _write_attempts(layout, Attempts(failures=attempts.failures + 1, last=utc_now()))
        # Both are always tried, so that the time does not tell which it was.
        matching = [level for level in (L6, L5) if authority.hashes[level].matches(token)]
        if not matching:
            return OPERATOR, "the token is none of this host"
        _write_attempts(layout, Attempts(failures=0, last=utc_now()) if L6 in matching else attempts)
        return matching[0], f"the token is that of {matching[0]}"


def _refusal(layout: HostLayout, needed: str, proven: str, why: str, facts: Dict[str, Any]) -> NotAuthorized:
    message = f"{facts['purpose']} needs {needed}, and {proven} was proven: {why}"
    recorded = _put_on_record(layout, Event(REFUSED, "failure", NotAuthorized.code, message, facts))
    return NotAuthorized(message if recorded else f"{message}. It could not be put on record", **facts)


def _put_on_record(layout: HostLayout, event: Event) -> bool:
    """Whether it could be; a refusal stands in any case."""
    try:
        AuditLog(layout.audit_dir).append(event)
    except BackupError:
        return False
    return True


@contextlib.contextmanager
def _one_at_a_time(layout: HostLayout) -> Iterator[None]:
    """Guesses in several processes wait for each other. Raises Locked after ``PATIENCE``."""
    lock = api.FileLock(layout.authority_lock)
    end = time.monotonic() + PATIENCE
    try:
        while not lock.try_acquire():
            if time.monotonic() >= end:
                raise Locked("other processes try tokens of this host all the time", path=lock.path)
            _sleep(_PAUSE)
        yield
    except OSError as error:
        raise _fs.translate_oserror(error, lock.path) from error
    finally:
        lock.release()


def _sleep(seconds: float) -> None:
    """Wait, and hear when the job is to stop."""
    end = time.monotonic() + seconds
    while True:
        _jobs.check()
        left = end - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, _jobs.CHECK_EVERY))


def _read_attempts(layout: HostLayout) -> Attempts:
    """What was counted so far. A file that is damaged counts as many."""
    try:
        body = _fs.read_record(layout.authority_attempts)
        return Attempts(0, utc_now()) if body is None else attempts_from(body)
    except (RecordDamaged, ValueError, KeyError, TypeError):
        return Attempts(_NOBODY_KNOWS, utc_now())


def _write_attempts(layout: HostLayout, attempts: Attempts) -> None:
    _fs.write_record(layout.authority_attempts, attempts.as_body())
