# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do the trees and the database of one restore stand together, and how are they brought there? Decides only.

They have a journal each. Neither says that the other was wanted: the restore's own record (``intent``) does.
"""

from __future__ import annotations

from typing import Optional

from ansible_collections.wst.backup.plugins.module_utils._restore.swap_plan import (
    REMOVED,
    REMOVING,
    SWAPPED,
    SWAPPING,
    UNDOING,
)

ON, BACK, WAIT = "on", "back", "wait"

_MOVING = (SWAPPING, UNDOING)  # in both kinds of journals
_FINAL = (REMOVING, REMOVED)  # a person has said that the old one is not needed


def way_of_trees(trees: str, database: Optional[str]) -> str:
    """Where an interrupted restore of trees and a database goes with its trees.

    The trees are swapped first. Where the database was not swapped after them, they are taken back.

    :param trees: the status of their journal.
    :param database: that of the database's; None where it has none, because its swap was not begun.
    :return: ``ON`` as their own journal says, ``BACK``, or ``WAIT`` until the swap of the database is ended.
    """
    if database in _MOVING:
        return WAIT
    if trees in (SWAPPING, SWAPPED) and database not in (SWAPPED, REMOVED):
        return BACK
    return ON


def mixed(trees: Optional[str], database: Optional[str]) -> bool:
    """Whether one is the new and the other the old, with neither on its way: no journal of theirs says so."""
    if trees in (*_MOVING, *_FINAL) or database in (*_MOVING, *_FINAL):
        return False
    return (trees == SWAPPED) != (database == SWAPPED)


def apart(trees: Optional[str], database: Optional[str], *, both: bool) -> bool:
    """Whether something is still to be done.

    :param both: whether the restore was of trees and a database.
    """
    return trees in _MOVING or database in _MOVING or (both and mixed(trees, database))
