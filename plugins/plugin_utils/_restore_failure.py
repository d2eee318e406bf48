# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore that failed says: why, and what production is now. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_UNKNOWN = (
    "What became of production is not known. Run playbook restore_swap.yml as soon as the host can be reached: it "
    "finds out, and ends what is half way."
)


def restore_failure(
    failures: Sequence[Mapping[str, Any]], *, ended: Mapping[str, Any], safety: Mapping[str, Any]
) -> str:
    """The message of a restore that failed.

    :param failures: what ``failure`` made of each, the first one first; what is told twice is said once. None of them
        where what is so now is all that is asked for.
    :param ended: the result of ``restore_intent`` at the end, also a failed one; empty where nothing was begun.
    :param safety: the result of the safety backup; empty where none was made.
    """
    told: list[str] = []
    for each in failures:
        message = str(each.get("msg") or "").strip()
        if message and message not in told:
            told.append(message)
    production = _production(ended, safety)
    return " ".join(filter(None, [" And then: ".join(told), production]))


def _production(ended: Mapping[str, Any], safety: Mapping[str, Any]) -> str:
    restores = ended.get("restores") or (ended.get("facts") or {}).get("restores")
    if restores:
        return " ".join([_stands(restores[0], safety), *_down(ended)])
    return _UNKNOWN if ended.get("failed") else ""


def _down(ended: Mapping[str, Any]) -> list[str]:
    """What ran before the restore and does not now. The record of the restore is kept open for it."""
    units = ended.get("down")
    if not units:
        return []
    way = "Playbook restore_swap.yml starts what can be started then, and ends the restore."
    return [f"Stopped by us and not running: {', '.join(units)}. Mend that first. {way}"]


def _stands(restore: Mapping[str, Any], safety: Mapping[str, Any]) -> str:
    """Old, new or half way, with the way from there."""
    parts = [
        (name, status)
        for name, status in (
            (" and ".join(restore["trees"]), restore["trees_status"]),
            (restore["database"], restore["database_status"]),
        )
        if name
    ]
    statuses = {status for _name, status in parts}
    if statuses <= {None, "undone"}:
        return "Production is as it was."
    made = safety.get("artifact")
    way = f"The swap's id is {restore['swap']}, and the safety backup {made if made else 'was not made'}."
    if statuses == {"swapped"}:
        names = " and ".join(name for name, _status in parts)
        back = f"restore_swap_state=undone and restore_swap={restore['swap']}"
        return f"Production WAS replaced: {names}. {way} The way back is playbook restore_swap.yml with {back}."
    half = "; ".join(f"{name}: {status or 'not begun'}" for name, status in parts)
    return f"Production stands HALF WAY ({half}). {way} Playbook restore_swap.yml brings it to an end."
