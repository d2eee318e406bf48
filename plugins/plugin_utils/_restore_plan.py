# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore is going to do, as a person reads it before it happens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.wst.backup.plugins.plugin_utils._tables import count_text, size_text

_SAFETY = "A safety backup is made before it, or nothing is replaced"
_WAIVED = "A safety backup is tried before it; where none can be made, the restore goes on without (it is waived)"
_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def restore_plan(result: Mapping[str, Any], *, waived: bool = False) -> list[str]:
    """The lines.

    :param result: what ``restore_begin`` returned.
    :param waived: whether a restore goes on where no safety backup can be made.
    """
    lines = [f"set {result.get('artifact')} ({result.get('file')}), of {result.get('made_at') or 'an unknown moment'}"]
    if result.get("files") is not None:
        lines.append(
            f"it has {count_text(result['files'])} files ({size_text(result.get('bytes'))}) and a dump of "
            f"{size_text(result.get('dump_size'))} with {count_text(result.get('rows'))} rows"
        )
    lines += _duration(result.get("estimate") or {})
    lines += [_room(each) for each in result.get("space") or ()]
    for pair in result.get("pairs") or ():
        lines.append(
            f"{pair['source']} is extracted to {pair['extract']}, compared, and takes the place of {pair['target']}"
        )
    for table in result.get("tables") or ():
        rows = "an unknown number of" if table["rows"] is None else count_text(table["rows"])
        lines.append(f"{table['name']} comes back with {rows} rows, in a new database beside {result['database']}")
    if result.get("tables"):
        lines.append(f"{result['database']} is not touched; the new database stays until it is removed by its name")
    elif result.get("database"):
        lines.append(f"the dump is restored beside, compared, and takes the place of {result['database']}")
    if result.get("production"):
        safety = (result.get("estimate") or {}).get("safety_seconds")
        told = "nobody knows how long it takes" if safety is None else f"the last backup took {time_text(safety)}"
        lines.append(f"production is replaced: {result.get('target')}. {_WAIVED if waived else _SAFETY}; {told}")
        lines.append("what was replaced stays beside until playbook restore_swap.yml removes it")
    return lines


def _duration(estimate: Mapping[str, Any]) -> list[str]:
    """How long it will take, or why nobody knows."""
    if estimate.get("seconds") is None:
        return [f"how long it takes: {estimate['basis']}"] if estimate.get("basis") else []
    steps = ", ".join(f"{each['step']} {time_text(each['seconds'])}" for each in estimate["steps"])
    return [f"how long it takes: about {time_text(estimate['seconds'])} ({steps}); {estimate['basis']}"]


def _room(space: Mapping[str, Any]) -> str:
    """How much of what is free is needed at one place."""
    needed = f"{'at most ' if space['at_most'] else ''}{size_text(space['needed'])}"
    free = "how much is free is not known" if space["free"] is None else f"{size_text(space['free'])} are free"
    return f"space for {space['where']}: {needed} needed, {free}"


def time_text(seconds: float) -> str:
    """In its largest unit and the next one, such as "2 hours 5 minutes"."""
    rest = max(1, round(seconds))
    first = next(number for number, (_name, length) in enumerate(_UNITS) if rest >= length)
    words = []
    for name, length in _UNITS[first : first + 2]:
        number, rest = divmod(rest, length)
        words += [f"{number} {name}{'' if number == 1 else 's'}"] if number else []
    return " ".join(words)
