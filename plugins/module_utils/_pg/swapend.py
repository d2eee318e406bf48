# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out the swap of a database to an end in which exactly one database is production, and open."""

from __future__ import annotations

import contextlib
import time
from typing import Optional

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    BackupError,
    RestoreTargetRefused,
    SwapUnfinished,
)
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._pg import swap
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import connect, named
from ansible_collections.wst.backup.plugins.module_utils._pg.swapjournal import (
    SWAPPED,
    SWAPPING,
    UNDOING,
    UNDONE,
    Journal,
    write_journal,
)
from ansible_collections.wst.backup.plugins.module_utils._pg.swapplan import DONE, UNTOUCHED, stage

PATIENCE = 120.0  # seconds to reach a server again that was lost while production is closed
_PAUSE = 1.0


def carry_out(layout: HostLayout, journal: Journal, password: str, *, undo: bool = False) -> Journal:
    """Swap, from wherever the journal's databases stand, or take a swap back; what fails leaves things as they were.

    :raises: what ``swap.forward`` and ``swap.undo`` do, and production is as it was and open. SwapUnfinished: it may be
        closed.
    """
    journal = write_journal(layout, journal, UNDOING if undo else SWAPPING)
    wanted = UNTOUCHED if undo else DONE
    failure: Optional[Exception] = None
    try:
        with contextlib.closing(connect(journal.server, password)) as session, named(journal.server):
            if stage(journal.names, swap.read_standing(session)) != wanted:
                (swap.undo if undo else swap.forward)(session, journal)
    except Exception as error:  # noqa: BLE001  production is opened again, whatever it was
        failure = error
    ended = _settled(layout, journal, password, failure)  # whether a lost COMMIT came about, only the server knows
    if failure is not None and ended.status != (UNDONE if undo else SWAPPED):
        raise failure
    return ended


def settle(layout: HostLayout, journal: Journal, password: str) -> Journal:
    """End a swap that may have been interrupted. Nothing is renamed: whichever database has the name is opened.

    :raises RestoreTargetRefused: the name belongs to neither. What the server has.
    """
    with contextlib.closing(connect(journal.server, password)) as session, named(journal.server):
        at = stage(journal.names, swap.read_standing(session))
        if at == DONE:
            swap.finish(session, journal)
        elif at == UNTOUCHED:
            swap.back(session, journal, candidate=journal.status != UNDOING)
        else:
            message = f"{journal.place} is neither the old database nor the new one"
            raise RestoreTargetRefused(f"{message}. Swap {journal.run_id} stays unfinished", swap=journal.run_id)
    return write_journal(layout, journal, SWAPPED if at == DONE else UNDONE)


def _settled(layout: HostLayout, journal: Journal, password: str, first: Optional[Exception]) -> Journal:
    """``settle``, with patience for a server that comes back; raises SwapUnfinished where it does not."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return settle(layout, journal, password)
        except BackupError as second:
            if time.monotonic() >= end or isinstance(second, RestoreTargetRefused):
                problems = [each for each in (first, second) if isinstance(each, BackupError)]
                told = "; and then: ".join(each.message for each in problems)
                raise SwapUnfinished(
                    f"the swap of {journal.place} could not be ended: {told}",
                    swap=journal.run_id,
                    problems=[each.as_problem() for each in problems],
                ) from second
            time.sleep(_PAUSE)
