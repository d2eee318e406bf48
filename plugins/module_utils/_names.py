# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of runs, artifacts and the files of a set.

An artifact is ``<prefix>-YYYYMMDD-HHMMSS.zip``, the time in UTC and that of its run's start. What stands beside it has
the same stem. Only exact matches are ours: everything else on a layer is foreign.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Iterator, Optional, Pattern

from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid

ZIP = ".zip"
SIDECAR = ".manifest.json"
STATE = ".state.json"
PARTIAL = ".partial"
DAMAGED = ".damaged"
MARKER = "wst-mirror.json"  # the mirror's own marker file, no set's and not foreign
CHECKER = "check_artifact.py"  # the independent check beside the sets, no set's and not foreign
PROBE = "wst-probe"

STAMP_FORMAT = "%Y%m%d-%H%M%S"
_RUN_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{8}", re.ASCII)
_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_STAMP = r"[0-9]{8}-[0-9]{6}"
_OWNER = rf"\.({_RUN_ID.pattern}|[0-9a-f]{{16}}){re.escape(PARTIAL)}"
_LEFTOVER = re.compile("(?:{})".format("|".join(map(re.escape, (PROBE, MARKER, CHECKER)))) + _OWNER, re.ASCII)
# What stands below the host root and is replaced as a whole: the lease, the audit log's first line and its torn ones,
# when each table was compared, who may do what, journals of swaps.
_RECORD = re.compile(
    r"(?:lease\.json|coverage\.json|authority(?:\.attempts)?\.json|audit(?:-[1-9][0-9]*)?\.jsonl|audit\.torn-[1-9][0-9]*"
    rf"|{_RUN_ID.pattern}\.json)" + _OWNER,
    re.ASCII,
)


@dataclass(frozen=True, order=True)
class ArtifactName:
    """A set's stem and the UTC time it carries; orders by time."""

    time: datetime
    stem: str

    @property
    def zip(self) -> str:
        """The artifact's file name."""
        return self.stem + ZIP

    @property
    def sidecar(self) -> str:
        """The sidecar's file name; where it is, the set is complete."""
        return self.stem + SIDECAR

    @property
    def state(self) -> str:
        """The state file's name."""
        return self.stem + STATE

    def zip_partial(self, run_id: str) -> str:
        """The name of the ZIP while that run builds or copies it."""
        return f"{self.zip}.{run_id}{PARTIAL}"

    def sidecar_partial(self, run_id: str) -> str:
        """The name of the sidecar while that run publishes the set."""
        return f"{self.sidecar}.{run_id}{PARTIAL}"


@dataclass(frozen=True)
class LayerFile:
    """What a file name on a layer says: of which set, which part of it, and which run is building it.

    ``damaged`` is a file that was found damaged and is kept as evidence; it has neither a final name nor a run.
    """

    artifact: ArtifactName
    part: str  # ZIP, SIDECAR or STATE
    run_id: Optional[str]  # of a partial; None for a final name
    damaged: bool = False


def damaged_names(name: str) -> Iterator[str]:
    """The names that a damaged file of that name may be kept under, in the order in which they are to be tried."""
    yield name + DAMAGED
    yield from (f"{name}{DAMAGED}-{number}" for number in range(2, 10))


def check_prefix(prefix: str) -> str:
    """The prefix itself; raises ``InputInvalid`` where it could not stand in a file name on every system."""
    if not _PREFIX.fullmatch(prefix):
        raise InputInvalid(f"the artifact prefix {prefix!r} is not a plain file name", prefix=prefix)
    return prefix


def check_run_id(run_id: str) -> str:
    """The run id itself; raises ``InputInvalid`` for what is not one (it becomes part of paths)."""
    if not _RUN_ID.fullmatch(run_id) or _time(run_id[:15]) is None:
        raise InputInvalid(f"{run_id!r} is not a run id", run_id=run_id)
    return run_id


def artifact_of_run(run_id: str, prefix: str) -> ArtifactName:
    """The artifact that a run makes."""
    time = datetime.strptime(check_run_id(run_id)[:15], STAMP_FORMAT).replace(tzinfo=timezone.utc)
    return ArtifactName(time=time, stem=f"{check_prefix(prefix)}-{run_id[:15]}")


def parse_artifact(file_name: str, prefix: str) -> Optional[ArtifactName]:
    """The set that a final ZIP name belongs to, or None where it is no artifact of that prefix."""
    parsed = parse_layer_file(file_name, prefix)
    if parsed is None or parsed.part != ZIP or parsed.run_id is not None or parsed.damaged:
        return None
    return parsed.artifact


def parse_layer_file(file_name: str, prefix: str) -> Optional[LayerFile]:
    """What a file name on a layer stands for, or None for a foreign one. Names are compared to the letter."""
    pattern = r"({}-({}))({})(?:\.({}){}|({}(?:-[2-9])?))?".format(
        re.escape(check_prefix(prefix)),
        _STAMP,
        "|".join(re.escape(part) for part in (ZIP, SIDECAR, STATE)),
        _RUN_ID.pattern,
        re.escape(PARTIAL),
        re.escape(DAMAGED),
    )
    match = re.fullmatch(pattern, file_name, re.ASCII)
    if match is None:
        return None
    stem, stamp, part, run_id, damaged = match.groups()
    time = _time(stamp)
    if time is None:
        return None
    return LayerFile(ArtifactName(time=time, stem=stem), part, run_id, damaged=damaged is not None)


def probe_name(nonce: str) -> str:
    """A file that is written to see whether a directory takes writes."""
    return f"{PROBE}.{nonce}{PARTIAL}"


def parse_leftover(file_name: str) -> Optional[str]:
    """Whose a write probe, an unfinished marker or check is: a run's id, or the nonce of what works outside of runs.

    None for every other name. Names are compared to the letter.
    """
    return _owner(_LEFTOVER, file_name)


def tree_partial(path: str, owner: str) -> str:
    """What a directory is called while that run fills it."""
    return f"{path}.{owner}{PARTIAL}"


def parse_record_partial(file_name: str) -> Optional[str]:
    """Whose an unfinished record below the host root is, as ``parse_leftover``; None for every other name."""
    return _owner(_RECORD, file_name)


def _owner(pattern: Pattern[str], file_name: str) -> Optional[str]:
    match = pattern.fullmatch(file_name)
    return None if match is None else match.group(1)


def _time(stamp: str) -> Optional[datetime]:
    try:
        return datetime.strptime(stamp, STAMP_FORMAT).replace(tzinfo=timezone.utc)
    except ValueError:
        return None
