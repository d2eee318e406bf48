# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which renames put new trees in the place of old ones, or take that back, from wherever an interruption left it.

Decides only. A tree is known by its file number, whatever its name is at the moment, so that something that came into
being meanwhile under one of the names is never taken for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence

UNTOUCHED = "untouched"  # both have their first names
ASIDE = "aside"  # the old tree has stepped aside, the new one is not there yet
DONE = "done"  # the new tree has the target's name

SWAPPING, SWAPPED = "swapping", "swapped"
UNDOING, UNDONE = "undoing", "undone"
REMOVING, REMOVED = "removing", "removed"
STATUSES = (SWAPPING, SWAPPED, UNDOING, UNDONE, REMOVING, REMOVED)
UNFINISHED = (SWAPPING, UNDOING, REMOVING)


@dataclass(frozen=True)
class Pair:
    """A new tree, the name that it shall have, and the one that the old tree steps aside to.

    ``new_id`` and ``target_id`` are file numbers; ``target_id`` is None where there was no old tree.
    """

    new: str
    target: str
    old: str
    new_id: str
    target_id: Optional[str]

    def body(self) -> Dict[str, Any]:
        """As it stands in the journal."""
        return dict(vars(self))


@dataclass(frozen=True)
class Standing:
    """The file number of what stands under each name of a pair; None where nothing does."""

    new: Optional[str]
    target: Optional[str]
    old: Optional[str]


@dataclass(frozen=True)
class Rename:
    """From a name to one that must be free."""

    source: str
    target: str


def pair_from(body: Mapping[str, Any]) -> Pair:
    """The inverse of ``Pair.body``; raises KeyError or TypeError for anything else."""
    texts = {key: body[key] for key in ("new", "target", "old", "new_id", "target_id")}
    if not all(isinstance(text, str) or (key == "target_id" and text is None) for key, text in texts.items()):
        raise TypeError("a pair is made of texts")
    return Pair(**texts)


def stage(pair: Pair, standing: Standing, *, back: bool) -> Optional[str]:
    """How far the pair has come; None where something stands where it should not, or a tree is gone.

    :param back: whether the way is to be gone back: then the name that the new tree had must be free for it.
    """
    new, old = pair.new_id, pair.target_id
    if standing == Standing(new, old, None):
        return UNTOUCHED
    if old is not None and standing == Standing(new, None, old):
        return ASIDE
    if (standing.target, standing.old) == (new, old) and not (back and standing.new is not None):
        return DONE
    return None


def forward(pair: Pair, at: str) -> List[Rename]:
    """What is still to be done."""
    renames = [Rename(pair.target, pair.old)] if at == UNTOUCHED and pair.target_id is not None else []
    return renames if at == DONE else [*renames, Rename(pair.new, pair.target)]


def backward(pair: Pair, at: str) -> List[Rename]:
    """What is still to be taken back."""
    renames = [Rename(pair.target, pair.new)] if at == DONE else []
    return renames if at == UNTOUCHED or pair.target_id is None else [*renames, Rename(pair.old, pair.target)]


def obstacle(pair: Pair, standing: Standing) -> str:
    """What is wrong with a pair that is at no stage, in words."""
    names = ((pair.new, standing.new), (pair.target, standing.target), (pair.old, standing.old))
    trees = (("new", pair.new_id), ("old", pair.target_id))
    lost = [f"the {what} tree" for what, tree in trees if tree and not _is_at(tree, names)]
    if lost:
        return "none of the names of {} has {}".format(pair.target, " or ".join(lost))
    strange = [path for path, tree in names if tree is not None and tree not in (pair.new_id, pair.target_id)]
    if strange:
        return "{} is in the way: it is neither the old tree nor the new one".format(" and ".join(strange))
    return f"the trees of {pair.target} stand under each other's names"


def _is_at(tree: str, names: Sequence[Any]) -> bool:
    return any(found == tree for _path, found in names)
