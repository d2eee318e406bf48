# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a set's content is far from what it was: a pure decision.

An emptied or encrypted source makes a set that is perfect in itself. Left to retention, enough of them would push the
good ones out. So what shrank by more than a share, what stopped being compressible, and what lacks something required
is suspect: it is kept on all layers and does not count until a person accepts it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, List, Mapping, Optional, Sequence

from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid, RecordDamaged

MEASURES = ("files", "bytes", "tables", "rows")
# What is encrypted does not deflate. Sources of packed media do not either, so only a rise is suspect; and a small
# source says nothing.
INCOMPRESSIBLE = 0.95  # of its size
RISE = 1.5  # times the share of before
LEAST = 1 << 20  # bytes
ANYTHING = 100  # per cent: nothing is compared


@dataclass(frozen=True)
class Content:
    """What of a set is compared; ``rows`` is None where a dump does not tell, ``packed`` the ZIP without the dump."""

    files: int
    bytes: int
    tables: int
    rows: Optional[int]
    packed: int

    @property
    def share(self) -> float:
        """The files' packed size as a share of their size."""
        return self.packed / self.bytes if self.bytes else 0.0


@dataclass(frozen=True)
class Thresholds:
    """How much a measure may fall below the last accepted set, in per cent; 100 lets anything pass.

    Raises ``InputInvalid`` for anything but 1 to 100.
    """

    shrink_percent: int = 50

    def __post_init__(self) -> None:
        """Zero would make every deleted file an anomaly."""
        if not 1 <= self.shrink_percent <= 100:
            raise InputInvalid(
                f"anomaly_shrink_percent must be 1 to 100, not {self.shrink_percent}",
                anomaly_shrink_percent=self.shrink_percent,
            )


def content_of(manifest: Mapping[str, Any], zip_size: int) -> Content:
    """What a manifest says; raises ``RecordDamaged`` where it does not."""
    try:
        totals, database = manifest["totals"], manifest["database"]
        rows = database["rows_total"]
        return Content(
            files=int(totals["files"]),
            bytes=int(totals["bytes"]),
            tables=len(database["tables"]),
            rows=None if rows is None else int(rows),
            packed=zip_size - int(manifest["dump"]["size"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RecordDamaged(f"the manifest lacks {error}, with which sets are compared") from error


def anomalies(now: Content, before: Content, thresholds: Thresholds) -> List[str]:
    """What is far from the last accepted set, one sentence each; empty when nothing is."""
    if thresholds.shrink_percent == ANYTHING:
        return []
    fallen = [_fallen(name, getattr(now, name), getattr(before, name), thresholds) for name in MEASURES]
    return [told for told in (*fallen, _incompressible(now, before)) if told]


def _fallen(name: str, now: Optional[int], before: Optional[int], thresholds: Thresholds) -> str:
    if now is None or not before or now * 100 >= before * (100 - thresholds.shrink_percent):
        return ""
    return f"{name} fell from {before:,} to {now:,}, by more than {thresholds.shrink_percent} %"


def _incompressible(now: Content, before: Content) -> str:
    if now.bytes < LEAST or before.bytes < LEAST:
        return ""
    if now.share < INCOMPRESSIBLE or now.share < before.share * RISE:
        return ""
    return f"the files pack to {now.share:.0%} of their size instead of {before.share:.0%}: they may be encrypted"


def lacking(manifest: Mapping[str, Any], *, paths: Sequence[str], tables: Sequence[str]) -> List[str]:
    """What is required and not there, one sentence each.

    :param paths: required paths that the archive lacks.
    :param tables: required tables as ``schema.name``.
    """
    there = {"{schema}.{name}".format(**table) for table in manifest["database"]["tables"]}
    return [
        *(f"the required path {path} is not in it" for path in paths),
        *(f"the required table {table} is not in it" for table in tables if table not in there),
    ]
