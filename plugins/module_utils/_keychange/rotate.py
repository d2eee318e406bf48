# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module ``db_key`` does: another database password takes the place of the one in the key file.

The new key is staged beside the old one, proven on the server, and renamed over it. From the moment at which the server
may have been told, the staged key stays until it is known which of the two the server wants: whatever dies, the next
run finds a key that works.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterator, List, NoReturn, Optional, Sequence

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    BackupError,
    DbAuthFailed,
    InputInvalid,
    KeyMissing,
)
from ansible_collections.wst.backup.plugins.module_utils._keychange import plan
from ansible_collections.wst.backup.plugins.module_utils._keychange.files import KeyFiles
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import Held
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import connect
from ansible_collections.wst.backup.plugins.module_utils._pg.login import log_in_with_psql, refusal, set_password
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions

PSYCOPG, PSQL = "psycopg", "psql"


@dataclass(frozen=True)
class Order:
    """What is to be done. ``new`` is the new key, None to end an earlier rotation or to close the key only."""

    options: DatabaseOptions
    files: KeyFiles
    new: Optional[str]
    psql: Optional[str]  # its path; None where the tools have none
    change_server: bool
    await_server: bool  # leave a key staged that the server does not take yet: somebody else tells the server
    hand_over: bool  # close the key for its operator also where it stays the same
    along: Sequence[KeyFiles] = ()  # the host's other keys, which change hands with it


class Rotation:
    """One rotation. ``changed`` holds what was done, or in check mode would be, in words; ``awaits_server`` whether the
    new key is staged until the server has it.

    :param lease: the run's; None in check mode, which asks the server and changes nothing.
    """

    def __init__(self, order: Order, lease: Optional[Held]) -> None:
        self._order = order
        self._files = order.files
        self._lease = lease
        self._current = order.files.current()
        self.changed: List[str] = []
        self.proven: List[str] = []
        self.awaits_server = False

    def run(self) -> None:
        """Settle what an earlier rotation left, then put the new key in place.

        :raises DbAuthFailed: the server takes no key that is there; the current key stays what it is.
        :raises InputInvalid: there is nothing to do. KeyMissing: there is no key to hand over.
        :raises KeyPermissions: the key is open, or closed to us. LeaseLost, and what server and files have.
        """
        settled = self._files.is_staged() and not self._is_awaited()
        if settled:
            self._settle()
        new = self._order.new
        if new is not None and new != self._current:
            self._replace(new)
        elif new is not None or settled:
            self._prove_current()
        elif not self._order.hand_over:
            raise InputInvalid("no new password came with the task, and no earlier rotation is to be ended")
        elif self._current is None:
            raise KeyMissing(f"{self._files.path} holds no key that could be handed over", path=self._files.path)
        self._close()

    def result(self) -> Dict[str, Any]:
        """The module's."""
        return {
            "changed": bool(self.changed),
            "changes": self.changed,
            "proven": self.proven,
            "awaits_server": self.awaits_server,
            "key_file": self._files.path,
        }

    # --- what an earlier rotation left

    def _settle(self) -> None:
        staged, current = self._files.staged(), self._current
        opens = None if staged is None or staged == current else self._opens(staged)
        needed = opens is False and self._order.new is None  # else it does not matter what the current key opens
        verdict = plan.settle(
            staged=opens,
            current=self._opens(current) if needed and current is not None else None,
            another=self._order.new is not None,
        )
        if verdict == plan.KEEP:
            self._refuse("the key and the one that an earlier rotation staged")
        if verdict == plan.PROMOTE and staged is not None:
            self._promote(staged, "a key that an earlier rotation staged took its place")
            return
        self._do("a staged key that was of no use was removed", self._files.discard)

    # --- the new key

    def _is_awaited(self) -> bool:
        """Whether the very key waits already that is to wait for the server: there is nothing to settle then."""
        return self._order.await_server and self._order.new is not None and self._files.staged() == self._order.new

    def _replace(self, new: str) -> None:
        current, waited = self._current, self._is_awaited()
        if self._lease is not None:
            self._files.stage(new)
        try:
            how = self._way(new, current)
        except BaseException:
            if not waited:  # else the server may have been told it
                self._forget()
            raise
        if how == plan.AWAIT:
            self.awaits_server = True
            if not waited:
                self.changed.append("the new password is staged until the server has it")
            return
        if how == plan.CHANGE and current is not None:
            self._do("the role has the new password on the server", lambda: self._tell_server(current, new))
        self._promote(new, "the key file holds the new password", ask=how == plan.TAKE or self._lease is not None)

    def _way(self, new: str, current: Optional[str]) -> str:
        opens = self._opens(new)
        order = self._order
        matters = not opens and not order.await_server
        works = self._opens(current) if matters and current is not None else None
        how = plan.way(new=opens, current=works, change_server=order.change_server, await_server=order.await_server)
        if how == plan.REFUSE:
            self._refuse("the new password" if works else "the new password and the key", works=works)
        return how

    def _tell_server(self, current: str, new: str) -> None:
        """Change the role's password by the old one, and back where the new one then opens nothing.

        Where the session broke, nobody knows whether it was done: what is staged stays, and the next run asks.
        """
        options = self._order.options
        with self._session(current) as session:
            try:
                set_password(session, options, new)
            except BackupError:
                if not session.closed:
                    self._forget()
                raise
            refused = refusal(options, new)
            if refused is not None:
                set_password(session, options, current)
                self._forget()
                raise refused

    @contextlib.contextmanager
    def _session(self, key: str) -> Iterator[Any]:
        try:
            session = connect(self._order.options, key)
        except BackupError:
            self._forget()
            raise
        with contextlib.closing(session):
            yield session

    def _promote(self, key: str, what: str, *, ask: bool = True) -> None:
        """What psycopg has proven becomes the key, whatever psql says to it: the other one opens nothing any more.

        :param ask: whether psql can be asked; in check mode the server may not have it yet.
        """
        trouble = self._psql_trouble(key) if ask else None
        if self._lease is not None:
            self._lease.check()
        self._do(what, lambda: self._files.promote(key))
        self._current = key
        if trouble is not None:
            told = f"{self._files.path} holds the right password: psycopg logs in with it. psql does not"
            raise type(trouble)(f"{told}: {trouble.message}", **trouble.facts) from trouble

    def _prove_current(self) -> None:
        if self._current is None or not self._opens(self._current):
            if not self._order.await_server or self._order.new is None:
                self._refuse("the key")
            self.awaits_server = True  # the new password is in its place, and the server is to get it, too
            return
        if PSQL not in self.proven:
            trouble = self._psql_trouble(self._current)
            if trouble is not None:
                raise trouble

    # --- asking and doing

    def _opens(self, key: str) -> bool:
        opens = refusal(self._order.options, key) is None
        if opens:
            self._mark(PSYCOPG)
        return opens

    def _psql_trouble(self, key: str) -> Optional[BackupError]:
        """Why psql does not log in with it; nothing where it does, or where there is none."""
        if self._order.psql is None:
            return None
        try:
            log_in_with_psql(self._order.options, key, self._order.psql)
        except BackupError as error:
            return error
        self._mark(PSQL)
        return None

    def _mark(self, driver: str) -> None:
        if driver not in self.proven:
            self.proven.append(driver)

    def _refuse(self, which: str, *, works: Optional[bool] = None) -> NoReturn:
        place, user, path = self._order.options.place, self._order.options.user, self._files.path
        still = f", which still opens {place}" if works else ""
        message = f"{place} refuses {which} of {user}. {path} is as it was{still}"
        raise DbAuthFailed(message, server=place, user=user, path=path)

    def _do(self, what: str, deed: Callable[[], Any]) -> None:
        if self._lease is not None:
            deed()
        self.changed.append(what)

    def _forget(self) -> None:
        """Nothing that is of no use stays staged; the failure on its way matters more than this one."""
        if self._lease is not None:
            with contextlib.suppress(BackupError):
                self._files.discard()

    def _close(self) -> None:
        """The key is its operator's, SYSTEM's and the Administrators' alone, also where it was there before."""
        if (self._lease is None or self.awaits_server) and not self._files.exists():
            return  # it is made closed, by a run that is no check or when the server has it
        closed = self._files.is_closed()
        if not closed or self._order.hand_over:
            self._close_one(self._files, closed, "the key file")
        if self._order.hand_over:
            for files in self._order.along:
                self._close_one(files, files.is_closed(), files.path)

    def _close_one(self, files: KeyFiles, closed: bool, what: str) -> None:
        if files.close() if self._lease is not None else not closed:
            self.changed.append(f"{what} is closed to others")
