# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be right before trees are swapped: names, kinds, volumes, and nobody who has something open."""

from __future__ import annotations

import itertools
import os
import time
from typing import List, Optional, Sequence, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _jobs
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    InputInvalid,
    RestoreTargetBusy,
    RestoreTargetRefused,
)
from ansible_collections.wst.backup.plugins.module_utils._fs import translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._restore import swap, targets
from ansible_collections.wst.backup.plugins.module_utils._restore.swap_plan import Pair

PATIENCE = 10.0  # seconds
_PAUSE = 0.5
BEFORE = ".before-"  # what an old tree's name has behind it, with the run id


def checked_paths(pairs: Sequence[Tuple[str, str]], layout: HostLayout) -> List[Tuple[str, str]]:
    """The pairs in the system's own spelling. Raises InputInvalid, RestoreTargetRefused for what paths alone tell."""
    if not pairs:
        raise InputInvalid("there are no trees to swap")
    whole = [(targets.whole(new), targets.whole(target)) for new, target in pairs]
    paths = [path for pair in whole for path in pair]
    for path in paths:
        if targets.below(path, layout.root) or targets.below(layout.root, path):
            raise RestoreTargetRefused(
                f"{path} is not apart from {layout.root}: what is made there keeps its closed access list",
                path=path,
            )
    for one, other in itertools.permutations(paths, 2):
        if targets.below(one, other):
            raise RestoreTargetRefused(f"{one} is not apart from {other}", path=one, other=other)
    return whole


def pair_of(new: str, target: str, run_id: str) -> Pair:
    """The pair as it stands. Raises RestoreTargetRefused, PathPermissions, PathUnusable."""
    old = f"{target}{BEFORE}{run_id}"
    new_id = _tree(new)
    if new_id is None:
        raise RestoreTargetRefused(f"{new} is not there", path=new)
    target_id = _tree(target)
    if os.path.lexists(api.long_path(old)):
        raise RestoreTargetRefused(f"{old} exists", path=old)
    parent = os.path.dirname(target)
    if not os.path.isdir(api.long_path(parent)):
        raise RestoreTargetRefused(f"{parent} is not there, or no directory", path=target, parent=parent)
    for path in (parent, *([target] if target_id else [])):
        if not _same_volume(new, path):
            raise RestoreTargetRefused(f"{new} is on another volume than {path}", path=new, target=target)
    return Pair(new, target, old, new_id, target_id)


def _tree(path: str) -> Optional[str]:
    """The file number of a directory, None where nothing is; raises RestoreTargetRefused for anything else."""
    number = swap.number_of(path)
    if number is None:
        return None
    try:
        link = api.read_link(path)
    except OSError as error:
        raise translate_oserror(error, path) from error
    if link is not None:
        raise RestoreTargetRefused(f"{path} is a link to {link}: name the directory itself", path=path, target=link)
    if not os.path.isdir(api.long_path(path)):
        raise RestoreTargetRefused(f"{path} is no directory", path=path)
    return number


def _same_volume(one: str, other: str) -> bool:
    try:
        first, second = api.volume(one), api.volume(other)
    except OSError as error:
        raise translate_oserror(error, other) from error
    if first.id is None or second.id is None:
        return os.path.normcase(first.root) == os.path.normcase(second.root)
    return first.id == second.id


def refuse_open(pairs: Sequence[Pair], *, patience: float = PATIENCE) -> None:
    """Raises RestoreTargetBusy where somebody has something open in an old tree.

    Windows would refuse the rename; elsewhere who has a file open would go on writing into the old tree.

    :param patience: seconds to wait for programs that are about to end, as after their service has stopped.
    """
    _jobs.step("look for open files", unit="trees")
    end = time.monotonic() + patience
    held = _held(pairs)
    while held and time.monotonic() < end:
        _jobs.check()
        time.sleep(_PAUSE)
        held = _held(pairs)
    if held:
        more = f" and {len(held) - 3} more" if len(held) > 3 else ""
        raise RestoreTargetBusy("somebody has something open: {}{}".format("; ".join(held[:3]), more), held=held)


def _held(pairs: Sequence[Pair]) -> List[str]:
    found: List[str] = []
    for number, pair in enumerate(pairs):
        _jobs.progress(number, len(pairs), pair.target)
        if pair.target_id is not None:
            found += [holder.in_words() for holder in api.holders(pair.target, limit=swap.SHOWN)]
    return found
