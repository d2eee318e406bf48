# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold after every fault."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from tools.torture import clock, independent, lock, logbook, names
from tools.torture.ledger import Ledger, Looked, counts_and_is_not
from tools.torture.run import Ran
from tools.torture.world import POLICY, World


def after_fault(
    world: World, ledger: Ledger, ran: Ran, looked: Looked, *, held: str = "", before: datetime
) -> list[str]:
    """What the run has broken; empty when nothing. New good sets join the ledger.

    :param looked: the layers after it.
    :param held: the stem of a set that somebody read during the whole run.
    :param before: the host's time before the run.
    """
    counting = looked.counting
    problems = counts_and_is_not(world, ledger, looked)
    for name, stems in counting.items():
        problems += _lost_or_changed(world, ledger, name, held=held, before=before)
        missing = set(ledger.good[name]) - stems
        problems += [f"{name}/{stem} is good and does not count" for stem in sorted(missing)]
        problems += names.whole(world, ledger, name)
    problems += _pins(ledger, looked)
    problems += logbook.tells(world, ledger, ran, counting)
    problems += _lock(world, ran)
    if ran.ended and not ran.code:
        there = [name for name in world.places if name != "control" and ran.artifact in counting.get(name, ())]
        problems += [] if len(there) == 2 else [f"the run ended well, and its {ran.artifact} counts on {there} only"]
    problems += [note for note in ran.notes if note == "second run: admitted"]
    return problems


def _lost_or_changed(world: World, ledger: Ledger, name: str, *, held: str, before: datetime) -> list[str]:
    """Every good set is there to the byte, or was removed as the policy has it."""
    layer, good = world.places[name], ledger.good[name]
    gone, problems = [], []
    for stem, worth in good.items():
        if not (layer / f"{stem}.manifest.json").exists():
            gone.append(stem)
        elif not independent.unchanged(layer, stem, worth):
            problems.append(f"{name}/{stem} is not what it was")
    latest = max(before, clock.now())  # the clock may have jumped back since the removal
    stay = set(good) - set(gone)
    unread = {stem for layer, stem in ledger.rotten if layer == name}
    for stem in gone:
        newer = {one for one in stay if one > stem}
        if latest - _time(stem) < timedelta(days=POLICY["backup_min_age_days"]):
            problems.append(f"{name}/{stem} is gone and was younger than a day")
        if stem in ledger.pinned:
            problems.append(f"{name}/{stem} is gone and was pinned")
        if stem == held:
            problems.append(f"{name}/{stem} is gone while somebody read it")
        if len(newer) < POLICY["backup_keep_min"] or len(newer | unread) < POLICY["backup_keep_max"]:
            problems.append(f"{name}/{stem} is gone, and {len(newer)} good newer ones are too few for that")
        del good[stem]
    return problems


def _pins(ledger: Ledger, looked: Looked) -> list[str]:
    """A pinned set is there, and its pin with it, on each layer where nothing of it is rotten."""
    problems = []
    for name, sets in looked.sets.items():
        pinned = {each["artifact"] for each in sets if each["pinned"]}
        problems += [
            f"{name}/{stem} is not pinned any more"
            for stem in sorted(ledger.pinned - pinned)
            if (name, stem) not in ledger.rotten
        ]
    return problems


def _lock(world: World, ran: Ran) -> list[str]:
    """Whose control node came to its end gave the host back, and nobody else has it without being known."""
    if not ran.ended:
        return []
    if ran.unlock and not ran.release_struck:
        return ["the host was not released, and nothing came in the way: {msg}".format(**ran.unlock)]
    owner = lock.owner(world.control)
    if owner == ran.run_id:
        return [] if ran.release_struck else [f"the run has ended ({ran.code or 'well'}) and still has the host"]
    known = {ran.found} if ran.code else set()  # it was refused, or could not take a dead one's place
    if ran.other is not None and not ran.other.ended:
        known.add(ran.other.run_id)
    return [f"run {owner} has the host"] if owner and owner not in known else []


def _time(stem: str) -> datetime:
    return datetime.strptime(stem[-15:], "%Y%m%d-%H%M%S").replace(tzinfo=timezone.utc)
