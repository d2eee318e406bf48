# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore is about to replace, and what was stopped for it: one record each, written before anything is done.

The journals of the swaps say how far each has come. This says that they belong together, and what is to be started
again, so that whoever finds a dead restore can end it as a whole.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _fs
from ansible_collections.wst.backup.plugins.module_utils._clock import format_time, utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import RecordDamaged
from ansible_collections.wst.backup.plugins.module_utils._journals import journal_path, runs_with_journals
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._names import tree_partial
from ansible_collections.wst.backup.plugins.module_utils._pg import swapjournal
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._restore import journal as journals
from ansible_collections.wst.backup.plugins.module_utils._restore.together import apart, mixed

VERSION = 1
SUFFIX = ".restore.json"  # apart from the journals, which stand in the same directory
COPY = ".restore-"  # what the directory beside a tree, where its new one is made, has behind its name, with the run id


@dataclass(frozen=True)
class Tree:
    """A tree that is replaced, and the directory beside it that the restore makes for the new one."""

    target: str
    extract: str


@dataclass(frozen=True)
class Intent:
    """What the restore of that run is about.

    :ivar ended: nothing of it is left to do.
    :ivar database: the place of the database that is replaced, empty where none is.
    :ivar services, app_pools: what ran, and is stopped while things are swapped.
    """

    run_id: str
    trees: Tuple[Tree, ...] = ()
    database: str = ""
    services: Tuple[str, ...] = ()
    app_pools: Tuple[str, ...] = ()
    ended: bool = False

    @property
    def both(self) -> bool:
        """Whether trees and a database belong together."""
        return bool(self.trees and self.database)


@dataclass(frozen=True)
class Standing:
    """How far the swaps of a restore have come, by their journals; None where there is none."""

    trees: Optional[str]
    database: Optional[str]


def write(layout: HostLayout, intent: Intent) -> Intent:
    """Put it on the disk. Raises NoSpace, PathPermissions, PathUnusable; then the one before is there."""
    _fs.ensure_private_directory(layout.swaps_dir)
    body = {
        "version": VERSION,
        "run_id": intent.run_id,
        "ended": intent.ended,
        "trees": [dict(vars(tree)) for tree in intent.trees],
        "database": intent.database,
        "services": list(intent.services),
        "app_pools": list(intent.app_pools),
        "at": format_time(utc_now()),
    }
    _fs.write_record(journal_path(layout, intent.run_id, SUFFIX), body)
    return intent


def read(layout: HostLayout, run_id: str) -> Optional[Intent]:
    """That of the run, or None. Raises InputInvalid, RecordDamaged, and what the file system has."""
    path = journal_path(layout, run_id, SUFFIX)
    body = _fs.read_record(path)
    if body is None:
        return None
    try:
        return _intent(body)
    except (KeyError, TypeError, ValueError) as error:
        raise RecordDamaged(f"{path} is no record of a restore", path=path) from error


def unended(layout: HostLayout) -> List[Intent]:
    """Every restore that has not come to its end, the oldest first. Raises as ``read``."""
    found = [read(layout, run_id) for run_id in runs_with_journals(layout, SUFFIX)]
    return [intent for intent in found if intent is not None and not intent.ended]


def end(layout: HostLayout, intent: Intent) -> Intent:
    """Nothing of it is left to do. Raises as ``write``."""
    return write(layout, replace(intent, ended=True))


def standing_of(layout: HostLayout, run_id: str) -> Standing:
    """How far its swaps have come. Raises RecordDamaged, and what the file system has."""
    trees, database = journals.read(layout, run_id), swapjournal.find_journal(layout, run_id)
    return Standing(trees.status if trees else None, database.status if database else None)


def is_mixed(layout: HostLayout, intent: Intent) -> bool:
    """Whether its trees are new and its database is old, or the other way round. Raises as ``standing_of``."""
    now = standing_of(layout, intent.run_id)
    return intent.both and mixed(now.trees, now.database)


def is_apart(layout: HostLayout, intent: Intent) -> bool:
    """Whether one of its swaps is still to be ended, or they are mixed. Raises as ``standing_of``."""
    now = standing_of(layout, intent.run_id)
    return apart(now.trees, now.database, both=intent.both)


def copies(layout: HostLayout, intent: Intent) -> List[str]:
    """The directories that it made beside its trees, whole or not, where no swap was begun with them.

    Raises as ``standing_of``.

    What a swap has had in its hands may have been production for a while: that is the journal's.
    """
    if journals.read(layout, intent.run_id) is not None:
        return []
    made = [path for tree in intent.trees for path in (tree.extract, tree_partial(tree.extract, intent.run_id))]
    return [path for path in made if os.path.lexists(api.long_path(path))]


def _intent(body: Mapping[str, Any]) -> Intent:
    if body["version"] != VERSION:
        raise ValueError("a version that is not known here")
    trees: Sequence[Dict[str, Any]] = body["trees"]
    return Intent(
        run_id=str(body["run_id"]),
        trees=tuple(Tree(str(tree["target"]), str(tree["extract"])) for tree in trees),
        database=str(body["database"]),
        services=tuple(str(name) for name in body["services"]),
        app_pools=tuple(str(name) for name in body["app_pools"]),
        ended=body["ended"] is True,
    )
