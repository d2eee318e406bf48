# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts new trees in the place of old ones: all of them or none, whenever it is interrupted.

The journal is on the disk before the first rename. From then on, ``finish`` and ``undo`` go on from wherever things
stand. A rename that fails takes all of them back.
"""

from __future__ import annotations

import os
from typing import Callable, List, Optional, Sequence

from ansible_collections.wst.backup.plugins.module_utils import _fs
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    BackupError,
    RestoreTargetBusy,
    RestoreTargetRefused,
    RestoreUnfinished,
)
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._platform._retry import BUSY
from ansible_collections.wst.backup.plugins.module_utils._restore import journal as journals
from ansible_collections.wst.backup.plugins.module_utils._restore import swap_plan as plan
from ansible_collections.wst.backup.plugins.module_utils._restore.journal import Journal
from ansible_collections.wst.backup.plugins.module_utils._restore.swap_plan import Pair, Rename, Standing

PATIENCE = 30.0  # seconds that a rename waits for others to let go, while production stands still
SHOWN = 20  # held paths that are named


def begin(layout: HostLayout, run_id: str, pairs: Sequence[Pair]) -> Journal:
    """Swap them. Raises RestoreTargetBusy and its like, and every old tree has its name again; see ``finish``."""
    journal = Journal(run_id, plan.SWAPPING, tuple(pairs))
    journal = journals.write(layout, journal, plan.SWAPPING)
    return finish(layout, journal)


def finish(layout: HostLayout, journal: Journal) -> Journal:
    """Go on to the end of a swap.

    Raises as ``begin``; RestoreTargetRefused where something is in the way; RestoreUnfinished where the renames could
    neither be done nor be taken back.
    """
    for rename in _planned(journal, back=False):
        try:
            _rename(rename)
        except OSError as error:
            raise _taken_back(layout, journal, _failure(error, rename, journal)) from error
    return journals.write(layout, journal, plan.SWAPPED)


def _taken_back(layout: HostLayout, journal: Journal, failure: BackupError) -> BackupError:
    """The failure, once what was done is taken back; a worse one where that failed too."""
    try:
        undo(layout, journal)
    except BackupError as second:
        return _worse(failure, second, journal)
    return failure


def undo(layout: HostLayout, journal: Journal) -> Journal:
    """Give every old tree its name back; the new ones go to where they came from.

    Raises RestoreTargetBusy, RestoreTargetRefused and what the file system has. Then it can be called again.
    """
    renames = _planned(journal, back=True)
    if journal.status != plan.UNDOING:
        journal = journals.write(layout, journal, plan.UNDOING)
    for rename in renames:
        try:
            _rename(rename)
        except OSError as error:
            raise _failure(error, rename, journal) from error
    return journals.write(layout, journal, plan.UNDONE)


def remove_old(layout: HostLayout, journal: Journal, check: Callable[[], None]) -> Journal:
    """Remove the trees that stepped aside. There is no way back from here.

    Raises RestoreTargetRefused for a tree that is not the one that stepped aside, and what the file system has.

    :param check: raises when the host is no longer ours.
    """
    doomed = [pair for pair in journal.pairs if pair.target_id is not None and number_of(pair.old) is not None]
    strange = [pair.old for pair in doomed if number_of(pair.old) != pair.target_id]
    if strange:
        raise RestoreTargetRefused("{} is not the tree that stepped aside".format(" and ".join(strange)), paths=strange)
    journal = journals.write(layout, journal, plan.REMOVING)
    for pair in doomed:
        check()
        _fs.remove_tree(pair.old, inside=os.path.dirname(pair.old))
    return journals.write(layout, journal, plan.REMOVED)


def taken_back(journal: Journal) -> List[Pair]:
    """Those of which the new tree is where it was made, after the swap was undone. Raises as ``standing``."""
    return [pair for pair in journal.pairs if journal.status == plan.UNDONE and number_of(pair.new) == pair.new_id]


def remove_new(journal: Journal, check: Callable[[], None]) -> None:
    """Remove new trees that were taken back. Raises PathPermissions, PathUnusable; then it can be called again.

    :param check: raises when the host is no longer ours.
    """
    for pair in taken_back(journal):
        check()
        _fs.remove_tree(pair.new, inside=os.path.dirname(pair.new))


def standing(pair: Pair) -> Standing:
    """What stands under the names of a pair now. Raises PathPermissions, PathUnusable."""
    return Standing(number_of(pair.new), number_of(pair.target), number_of(pair.old))


def number_of(path: str) -> Optional[str]:
    """The file number of what has that name, a link's own; None where nothing has it. Raises as ``standing``."""
    try:
        return f"{os.lstat(api.long_path(path)).st_ino:x}"
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _fs.translate_oserror(error, path) from error


def renames_of(pairs: Sequence[Pair]) -> List[Rename]:
    """Everything that a swap of these is, in its order."""
    return [rename for pair in pairs for rename in plan.forward(pair, plan.UNTOUCHED)]


def _planned(journal: Journal, *, back: bool) -> List[Rename]:
    """All that is left to do; raises RestoreTargetRefused where one pair does not stand as it must, for all of them."""
    found: List[Rename] = []
    obstacles = []
    for pair in journal.pairs:
        now = standing(pair)
        at = plan.stage(pair, now, back=back)
        if at is None:
            obstacles.append(plan.obstacle(pair, now))
        else:
            found += (plan.backward if back else plan.forward)(pair, at)
    if obstacles:
        raise RestoreTargetRefused(
            "{}. Swap {} stays unfinished until that is mended".format("; ".join(obstacles), journal.run_id),
            swap=journal.run_id,
            obstacles=obstacles,
        )
    return found


def _rename(rename: Rename) -> None:
    api.rename_new(rename.source, rename.target, patience=PATIENCE)


def _failure(error: OSError, rename: Rename, journal: Journal) -> BackupError:
    """The failure of a rename, with who is in its way where the system tells."""
    named = _fs.translate_oserror(error, rename.source)
    if getattr(error, "winerror", None) not in BUSY and not isinstance(error, FileExistsError):
        return named
    held = [holder.in_words() for pair in journal.pairs for holder in _holders(pair)][:SHOWN]
    who = "; ".join(held[:3]) or "who has something open in it could not be told"
    return RestoreTargetBusy(
        f"{rename.source} cannot become {rename.target} ({named.message}): {who}",
        path=rename.source,
        swap=journal.run_id,
        held=held,
    )


def _holders(pair: Pair) -> List[api.Holder]:
    return [holder for path in (pair.target, pair.new) for holder in api.holders(path, limit=SHOWN)]


def _worse(failure: BackupError, second: BackupError, journal: Journal) -> BackupError:
    """A swap that could neither be done nor be taken back."""
    return RestoreUnfinished(
        f"{failure.message}. Nor could what was done be taken back: {second.message}. Swap {journal.run_id} stays "
        "unfinished",
        swap=journal.run_id,
        problems=[failure.as_problem(), second.as_problem()],
    )
