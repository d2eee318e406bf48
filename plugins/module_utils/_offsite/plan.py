# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is to do offsite: a pure decision over the sets here, what is known of the copies, and what is there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Dict, List, Mapping, Sequence

from ansible_collections.wst.backup.plugins.module_utils._names import ArtifactName
from ansible_collections.wst.backup.plugins.module_utils._offsite.record import GONE, Copy, Known
from ansible_collections.wst.backup.plugins.module_utils._offsite.store import Blob
from ansible_collections.wst.backup.plugins.module_utils._sets.catalog import BackupSet

ALL, NEWEST = WHICH = ("all", "newest")


@dataclass
class Plan:
    """Each list in the order of work, newest first."""

    bring: List[BackupSet] = field(default_factory=list)  # not there, or not known to be: sent, or read back
    reread: List[ArtifactName] = field(default_factory=list)  # there; changed since, or due
    present: List[ArtifactName] = field(default_factory=list)  # there, untouched since it was last read back
    gone: List[ArtifactName] = field(default_factory=list)  # was there, and is no longer; told once


def wanted(counting: Sequence[BackupSet], which: str) -> List[BackupSet]:
    """The sets that are to be offsite, of those that count, newest first."""
    newest_first = sorted(counting, key=lambda each: each.artifact, reverse=True)
    return newest_first[:1] if which == NEWEST else newest_first


def plan(
    sets: Sequence[BackupSet],
    known: Mapping[ArtifactName, Copy],
    there: Mapping[str, Blob],
    *,
    now: datetime,
    reread_every: timedelta,
) -> Plan:
    """Sort sets and copies.

    :param sets: what is to be offsite.
    :param known: what is remembered of this place.
    :param there: the blobs under this host's prefix, by name.
    :param reread_every: after which time a copy that nobody seems to have touched is read back all the same.
    """
    done = Plan()
    settled: Dict[ArtifactName, Copy] = {}
    for artifact, copy in sorted(known.items(), reverse=True):
        if copy.zip.blob not in there or copy.sidecar.blob not in there:
            if copy.problem != GONE:
                done.gone.append(artifact)
            continue
        settled[artifact] = copy
        untouched = _untouched(copy.zip, there) and _untouched(copy.sidecar, there)
        if copy.problem or not untouched or _due(copy, now, reread_every):
            done.reread.append(artifact)
        else:
            done.present.append(artifact)
    done.bring = [each for each in sets if not _is_settled(each, settled)]
    again = {each.artifact for each in done.bring}
    done.reread = [each for each in done.reread if each not in again]
    done.present = [each for each in done.present if each not in again]
    return done


def _is_settled(item: BackupSet, settled: Mapping[ArtifactName, Copy]) -> bool:
    """Whether the copy that is known is that of this very set."""
    copy = settled.get(item.artifact)
    return copy is not None and (copy.zip.sha256, copy.zip.size) == (item.proof.sha256, item.proof.size)


def _untouched(known: Known, there: Mapping[str, Blob]) -> bool:
    blob = there[known.blob]
    return (blob.etag, blob.size) == (known.etag, known.size)


def _due(copy: Copy, now: datetime, every: timedelta) -> bool:
    """Also one that was read back in the future: a clock was wrong."""
    return not now - every < copy.verified_at <= now
