# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be in an archive: the members that are wanted, a dump, and what somebody outside of it says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, Optional, Sequence

from ansible_collections.wst.backup.plugins.module_utils._archive.content import ManifestFound
from ansible_collections.wst.backup.plugins.module_utils._archive.membernames import fold, printable
from ansible_collections.wst.backup.plugins.module_utils._archive.zipcentral import ZipEntry
from ansible_collections.wst.backup.plugins.module_utils._archive.zipreader import ZipReader
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactDamaged,
    ArtifactIncomplete,
    ArtifactUnsupported,
    DumpEmpty,
    DumpMissing,
)

_DUMP_SUFFIXES = (".backup", ".dump")
_DUMP_MAGIC = b"PGDMP"
_SHOWN = 20  # names in a message


@dataclass(frozen=True)
class Expected:
    """What somebody outside of the archive says of it: the sidecar, or the step that built it."""

    size: int
    sha256: str
    manifest_sha256: str


def compare_outside(reader: ZipReader, found: Optional[ManifestFound], expected: Expected) -> None:
    """Raises by name where the archive cannot be the one that is expected; its bytes are not read for that."""
    if reader.size != expected.size:
        raise ArtifactDamaged(
            f"it has {reader.size} bytes instead of {expected.size}", size=reader.size, expected=expected.size
        )
    if found is None:
        raise ArtifactIncomplete("it has no manifest.json")
    if found.sha256 != expected.manifest_sha256:
        raise ArtifactDamaged("its manifest.json is not the one of its set", found=found.sha256)


def require_members(reader: ZipReader, wanted: Sequence[str]) -> None:
    """Raises ``ArtifactIncomplete`` where one of these paths is neither a member nor the directory of one."""
    refuse_missing(missing_members(reader, wanted))


def refuse_missing(paths: Sequence[str]) -> None:
    """Raises ``ArtifactIncomplete`` where there are any."""
    names = _some(paths)
    if names:
        raise ArtifactIncomplete("it lacks {}".format(", ".join(names)), missing=names)


def missing_members(reader: ZipReader, wanted: Sequence[str]) -> List[str]:
    """The wanted paths that are neither a member nor the directory of one, links aside: ask before they are read."""
    return sorted({fold(path.strip("/")): path for path in wanted if not reader.has(path.strip("/"))}.values())


def _some(names: Sequence[str]) -> List[str]:
    """As many of the names as a message can take."""
    more = [f"and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return [printable(name) for name in names[:_SHOWN]] + more


def require_dump(reader: ZipReader, path: str) -> ZipEntry:
    """The member that is the dump; raises ``DumpMissing`` or ``DumpEmpty`` where there is nothing in it to restore."""
    entry = reader.find(path)
    if entry is None:
        raise DumpMissing(f"the archive has no {path}.", path=path)
    if entry.size == 0:
        raise DumpEmpty(f"{path} in the archive has no bytes.", path=path)
    return entry


def foreign_dump(reader: ZipReader) -> ZipEntry:
    """The one file at the top that is named and begins like a dump; raises by name where there is no such one."""
    named = [
        entry
        for entry in reader.entries()
        if "/" not in entry.path and not entry.is_directory and entry.path.lower().endswith(_DUMP_SUFFIXES)
    ]
    dumps = [entry for entry in named if next(reader.content(entry), b"").startswith(_DUMP_MAGIC)]
    if len(dumps) > 1:
        names = _some([entry.path for entry in dumps])
        raise ArtifactUnsupported("it has several database dumps at its top: {}".format(", ".join(names)), dumps=names)
    if dumps:
        return dumps[0]
    empty = next((entry for entry in named if entry.size == 0), None)
    if empty is not None:
        raise DumpEmpty(f"{empty.path} in the archive has no bytes.", path=empty.path)
    raise DumpMissing("the archive has no database dump at its top.", found=_some([entry.path for entry in named]))
