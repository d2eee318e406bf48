# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit log: who did what, when, with what result, in a chain that shows when it was changed."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Callable, Dict, Optional, Tuple, Union

from ansible_collections.wst.backup.plugins.module_utils import _context, _fs
from ansible_collections.wst.backup.plugins.module_utils._audit.chain import BEGINNING, Chain, Head, seal
from ansible_collections.wst.backup.plugins.module_utils._audit.segments import Segments
from ansible_collections.wst.backup.plugins.module_utils._clock import format_time, utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import AuditBroken, InputInvalid, Locked
from ansible_collections.wst.backup.plugins.module_utils._platform import api

LOCK = "audit.lock"
PATIENCE = 30.0  # seconds to wait for another writer
_PAUSE = 0.05
_EVENT = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
RESULTS = ("success", "failure", "none")
HEALED = "audit_healed"
BROKEN = "audit_broken"
ROTATED = "audit_rotated"
LARGEST = 8 << 20  # bytes of a segment, from which on a new one is begun: it is read whole at every start


@dataclass(frozen=True)
class Event:
    """What happened. ``details`` is JSON-able; nothing here may be a secret."""

    event: str
    result: str = "none"
    code: str = ""
    message: str = ""
    details: Optional[Dict[str, Any]] = None


@dataclass(frozen=True)
class Appended:
    """Where the log stands. ``broken`` is the failure to carry to the run's end, if the chain did not hold."""

    seq: int
    hash: str
    segment: str
    healed: bool
    broken: Optional[AuditBroken]


class AuditLog:
    """The log in one directory of the host.

    :param clock: the time in UTC.
    :param largest: bytes of a segment, from which on a new one is begun.
    """

    def __init__(self, directory: str, *, clock: Callable[[], datetime] = utc_now, largest: int = LARGEST) -> None:
        self._directory = directory
        self._largest = largest
        self._segments = Segments(directory)
        self._clock = clock

    def head(self) -> Head:
        """The last record's number and hash; 0 of an empty log. Raises AuditBroken, PathPermissions, PathUnusable."""
        try:
            name = self._segments.current()
            chain = self._segments.check_end(name)
        except OSError as error:
            raise _fs.translate_oserror(error, self._directory) from error
        if chain.broken:
            raise _broken(name, chain)
        return chain.head

    def append(
        self, event: Event, *, whole: bool = False, anchor: Optional[Head] = None, dry_run: bool = False
    ) -> Appended:
        """Add a record, durably, after checking the one before it.

        A line that a crash has torn is cut off and recorded. Where the chain does not hold, a new segment is begun
        that names the broken one, and the failure is returned, not raised: the backup goes on.

        :param whole: check the current segment from its first record on, and that ``anchor`` is in the log.
        :param anchor: a record that the log had when somebody else last looked; without it, records that were cut off
            the end and a log that is gone do not show.
        :param dry_run: check and tell, write nothing; ``seq`` and ``hash`` are then those of the last record.
        :raises Locked: another writer keeps the log for too long. InputInvalid: an event's name makes no sense.
            NoSpace, PathPermissions, PathUnusable: it could not be written; then the log is as it was.
        """
        if not _EVENT.fullmatch(event.event) or event.result not in RESULTS:
            raise InputInvalid(f"{event.event!r} with result {event.result!r} is no event", event=event.event)
        if dry_run:
            return self._dry(whole=whole, anchor=anchor)
        _fs.ensure_private_directory(self._directory)
        lock = api.FileLock(os.path.join(self._directory, LOCK))
        try:
            _wait_for(lock)
            return self._append(event, whole=whole, anchor=anchor)
        except OSError as error:
            raise _fs.translate_oserror(error, self._directory) from error
        finally:
            lock.release()

    def _dry(self, *, whole: bool, anchor: Optional[Head]) -> Appended:
        try:
            name = self._segments.current()
            chain = self._check(name, whole=whole, anchor=anchor)
        except OSError as error:
            raise _fs.translate_oserror(error, self._directory) from error
        broken = _broken(name, chain) if chain.broken else None
        return Appended(chain.head.seq, chain.head.hash, name, healed=bool(chain.torn), broken=broken)

    def _check(self, name: str, *, whole: bool, anchor: Optional[Head]) -> Chain:
        if not whole:
            return self._segments.check_end(name)
        chain = self._segments.check(name)
        if chain.broken or anchor is None or self._segments.holds(anchor):
            return chain
        return replace(chain, broken=f"record {anchor.seq}, once the last that the control node saw, is not in the log")

    def _append(self, event: Event, *, whole: bool, anchor: Optional[Head]) -> Appended:
        name = self._segments.current()
        chain = self._check(name, whole=whole, anchor=anchor)
        broken = _broken(name, chain) if chain.broken else None
        healed = False
        if broken is not None:
            name, head = self._begin_segment(name, chain, broken)
        else:
            head = chain.head
            if chain.torn:
                head, healed = self._heal(name, chain), True
            if self._segments.size(name) >= self._largest:
                name, head = self._rotate(name, head)
        head = self._write(name, event, prev=head.hash, seq=head.seq + 1)
        return Appended(head.seq, head.hash, name, healed=healed, broken=broken)

    def _begin_segment(self, before: str, chain: Chain, broken: AuditBroken) -> Tuple[str, Head]:
        """A new segment whose first record says why, and freezes the one before by its digest.

        A log that is gone as a whole begins anew, and says so in its first record.
        """
        name = self._segments.next() if self._segments.names() else before
        link = BEGINNING if name == before else {"segment": before, "sha256": self._segments.digest(before)}
        event = Event(BROKEN, "failure", AuditBroken.code, broken.message, {"segment": before, "place": chain.broken})
        return name, self._write(name, event, prev=link, seq=chain.head.seq + 1)

    def _rotate(self, before: str, head: Head) -> Tuple[str, Head]:
        """A new segment after one that is full and holds; it names that one and its digest."""
        name = self._segments.next()
        link = {"segment": before, "sha256": self._segments.digest(before)}
        event = Event(ROTATED, message=f"{before} is full", details={"segment": before})
        return name, self._write(name, event, prev=link, seq=head.seq + 1)

    def _heal(self, name: str, chain: Chain) -> Head:
        """Cut the torn line off and record that; its bytes are kept beside."""
        side = self._segments.cut(name, chain.good)
        details = {"segment": name, "kept_as": side, "bytes": chain.torn}
        event = Event(HEALED, message="the last line was torn by a crash and cut off", details=details)
        return self._write(name, event, prev=chain.head.hash, seq=chain.head.seq + 1)

    def _write(self, name: str, event: Event, *, prev: Union[str, Dict[str, str]], seq: int) -> Head:
        context = _context.current()
        body = {
            "seq": seq,
            "time": format_time(self._clock()),
            "run_id": context.run_id,
            "controller": context.controller,
            "user": api.identity().name,
            "event": event.event,
            "result": event.result,
            "code": event.code,
            "message": event.message,
            "details": event.details or {},
            "prev": prev,
        }
        line, digest = seal(body)
        self._segments.append(name, line)
        return Head(seq=seq, hash=digest)


def _broken(name: str, chain: Chain) -> AuditBroken:
    return AuditBroken(
        f"the audit log's segment {name} does not hold: {chain.broken}", segment=name, place=chain.broken
    )


def _wait_for(lock: api.FileLock) -> None:
    end = time.monotonic() + PATIENCE
    while not lock.try_acquire():
        if time.monotonic() >= end:
            raise Locked(f"another process keeps the audit log ({lock.path})", path=lock.path)
        time.sleep(_PAUSE)
