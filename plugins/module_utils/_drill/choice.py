# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which set a drill restores. Decides only."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Optional

from ansible_collections.wst.backup.plugins.module_utils._clock import format_time
from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid, SetMissing, SetTooOld
from ansible_collections.wst.backup.plugins.module_utils._names import ZIP, parse_artifact
from ansible_collections.wst.backup.plugins.module_utils._sets.catalog import BackupSet, Catalog
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, MIRROR

NEWEST = "newest"
ALTERNATE = "alternate"


def layer_of(wanted: str, now: datetime) -> str:
    """The layer's name: the mirror in every second week, from Monday to Sunday, unless one is told.

    Weeks are counted from the calendar's first day: the number of a week in its year would be odd twice in a row at the
    end of each year that has 53 (2026-W53, 2027-W01).

    :param now: UTC.
    """
    if wanted != ALTERNATE:
        return wanted
    return MIRROR if (now.toordinal() - 1) // 7 % 2 == 0 else LOCAL


def choose(catalog: Catalog, wanted: str, *, layer: str, prefix: str) -> BackupSet:
    """The set.

    :param wanted: ``newest``: the newest that counts, so that suspect ones are passed over; or a set's name, which must
        be whole, and may be suspect, or made for safety.
    :raises SetMissing: there is none; InputInvalid: that is no set's name.
    """
    if wanted == NEWEST:
        counting = catalog.counting
        if counting:
            return counting[0]
        passed = "; ".join(f"{each.artifact.stem} does not: {each.reason}" for each in catalog.sets[:3])
        raise SetMissing(f"no set counts on layer {layer}{': ' + passed if passed else ''}", layer=layer)
    artifact = parse_artifact(wanted if wanted.endswith(ZIP) else wanted + ZIP, prefix)
    if artifact is None:
        raise InputInvalid(f"{wanted!r} is no set of prefix {prefix}", artifact=wanted)
    found = catalog.find(artifact)
    if found is None or not found.sound:
        why = found.reason if found is not None else "there is none"
        raise SetMissing(f"layer {layer} has no whole set {artifact.stem}: {why}", layer=layer, artifact=artifact.stem)
    return found


def require_fresh(made_at: datetime, now: datetime, max_age: Optional[timedelta]) -> timedelta:
    """How old the set is; raises SetTooOld beyond ``max_age``, where one is given."""
    age = now - made_at
    if max_age is not None and age > max_age:
        hours, limit = age.total_seconds() / 3600, max_age.total_seconds() / 3600
        raise SetTooOld(
            f"the newest set is of {format_time(made_at)}, {hours:.1f} hours ago; at most {limit:g} may be lost",
            made_at=format_time(made_at),
            age=int(age.total_seconds()),
            max_age=int(max_age.total_seconds()),
        )
    return age
