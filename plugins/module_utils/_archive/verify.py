# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proves an archive, level by level; each level implies the one before.

1. structure: its directory opens, names are safe and distinct, no two members share a byte, what is required is there,
   the dump is not empty.
2. content: every byte of it belongs to something, every member decodes to its end and is what the member list says; the
   file on the disk, read past the cache, is the one that the sidecar or the builder describes.
3. dump: the database dump decodes in full.

An archive that others made has no member list: level 2 then rests on its CRCs alone, and the verdict says so.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Callable, Iterator, List, Mapping, Optional, Sequence, cast

from ansible_collections.wst.backup.plugins.module_utils import _jobs
from ansible_collections.wst.backup.plugins.module_utils._archive.content import (
    ManifestFound,
    find_manifest,
    prove_listed,
    prove_unlisted,
)
from ansible_collections.wst.backup.plugins.module_utils._archive.membernames import fold, printable
from ansible_collections.wst.backup.plugins.module_utils._archive.ondisk import OnDisk
from ansible_collections.wst.backup.plugins.module_utils._archive.ordered import Ordered, thread_count
from ansible_collections.wst.backup.plugins.module_utils._archive.proving import Pieces, Prover, Tick
from ansible_collections.wst.backup.plugins.module_utils._archive.survey import Totals
from ansible_collections.wst.backup.plugins.module_utils._archive.zipcentral import ZipEntry
from ansible_collections.wst.backup.plugins.module_utils._archive.zipreader import ZipReader
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactDamaged,
    ArtifactIncomplete,
    ArtifactUnsafePath,
    ArtifactUnsupported,
    DumpEmpty,
    DumpMissing,
    InputInvalid,
)
from ansible_collections.wst.backup.plugins.module_utils._fs import translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._platform import api

STRUCTURE, CONTENT, DUMP = 1, 2, 3
_BUFFER = 1 << 16
_DUMP_SUFFIXES = (".backup", ".dump")
_DUMP_MAGIC = b"PGDMP"
_SHOWN = 20  # names in a message


@dataclass(frozen=True)
class DumpCounts:
    """What a decoded dump has."""

    tables: int
    rows: Optional[int]  # None where the dump does not tell
    remarks: Sequence[str] = ()  # what the program that decoded it warned of


DumpCheck = Callable[[Iterator[bytes], str, Optional[Mapping[str, Any]]], DumpCounts]
"""Decodes a dump, given its bytes, its name, and the database's facts from the manifest (None for a foreign one)."""


@dataclass(frozen=True)
class Expected:
    """What somebody outside of the archive says of it: the sidecar, or the step that built it."""

    size: int
    sha256: str
    manifest_sha256: str


@dataclass
class Verdict:
    """What was proved."""

    level: int = 0
    ours: bool = False
    members: int = 0
    totals: Totals = field(default_factory=Totals)
    size: int = 0
    sha256: Optional[str] = None  # of the bytes on the disk; None below level 2
    mtime_ns: int = 0
    file_id: str = ""
    uncached: Optional[bool] = None  # False where the system answered from its cache
    manifest: Optional[Mapping[str, Any]] = None
    dump_sha256: Optional[str] = None
    dump: Optional[DumpCounts] = None
    remarks: List[str] = field(default_factory=list)
    missing: List[str] = field(default_factory=list)  # of what was wished


@contextmanager
def naming(path: str) -> Iterator[None]:
    """Puts the archive's path before every failure that is about it, and names what the disk says."""
    try:
        yield
    except (ArtifactDamaged, ArtifactIncomplete, ArtifactUnsafePath, ArtifactUnsupported) as error:
        raise type(error)(
            "{}: {}.".format(path, error.message.rstrip(".")), **{**error.facts, "artifact": path}
        ) from error
    except OSError as error:
        raise translate_oserror(error, path) from error


def verify(
    path: str,
    *,
    level: int,
    required: Sequence[str] = (),
    wished: Sequence[str] = (),
    expected: Optional[Expected] = None,
    check_dump: Optional[DumpCheck] = None,
) -> Verdict:
    """Prove the archive up to ``level``; raises by name at the first contradiction.

    :param required: member paths, files or directories, that must be there beside those that the manifest names.
    :param wished: the same for paths whose absence is no failure but told in the verdict.
    :param check_dump: decodes the dump; level 3 cannot be asked for without it (``InputInvalid``).
    """
    with naming(path), api.open_source(path) as raw:
        before = api.facts_of(raw)
        verdict = Verdict(size=before.size, mtime_ns=before.mtime_ns, file_id=before.file_id)
        reader = ZipReader(io.BufferedReader(cast(io.RawIOBase, raw), _BUFFER), size=before.size)
        found = find_manifest(reader)
        _prove_structure(reader, found, required, verdict, expected)
        verdict.missing = missing_members(reader, wished)
        if level >= CONTENT:
            _prove_content(path, reader, found, verdict, expected)
        if level >= DUMP:
            _prove_dump(reader, found, verdict, check_dump)
        after = api.facts_of(raw)
        if (after.size, after.mtime_ns) != (before.size, before.mtime_ns):
            raise ArtifactDamaged("somebody wrote to it while it was verified")
    return verdict


def _prove_structure(
    reader: ZipReader,
    found: Optional[ManifestFound],
    required: Sequence[str],
    verdict: Verdict,
    expected: Optional[Expected],
) -> None:
    verdict.members = reader.files + reader.directories
    verdict.totals = Totals(files=reader.files, directories=reader.directories, bytes=reader.bytes)
    if expected is not None:
        compare_outside(reader, found, expected)
    wanted = list(required)
    if found is not None:
        verdict.ours, verdict.manifest = True, found.body
        wanted += [source["name"] for source in found.body["sources"]]
    require_members(reader, wanted)
    if found is not None:
        require_dump(reader, found.body["dump"]["path"])
    verdict.level = STRUCTURE


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


def _prove_content(
    path: str, reader: ZipReader, found: Optional[ManifestFound], verdict: Verdict, expected: Optional[Expected]
) -> None:
    """Members and the digest of the whole, in one pass over what the disk has."""
    _jobs.step("verify members")
    with OnDisk(path) as disk, Ordered(threads=thread_count(0), idle=_jobs.check) as ordered:
        # Who lets members lie in the file in another order than they are named in pays with another reading.
        pieces: Pieces = disk.pieces if reader.is_ordered else reader.pieces
        prover = Prover(pieces, ordered, _ticking(reader.bytes))
        if found is not None:
            verdict.totals = prove_listed(reader, found, prover)
            verdict.dump_sha256 = str(found.body["dump"].get("sha256"))
        else:
            verdict.totals = prove_unlisted(reader, prover)
            verdict.remarks.append("no member list: contents rest on their CRC-32 alone")
        _jobs.step("read back")
        verdict.sha256, size = disk.digest(lambda position: _jobs.progress(position, reader.size, path))
    verdict.uncached = disk.bypassed
    if size != reader.size or (expected is not None and verdict.sha256 != expected.sha256):
        raise ArtifactDamaged(
            "what the disk holds is not what was written",
            found=verdict.sha256,
            expected=expected.sha256 if expected is not None else None,
        )
    verdict.level = CONTENT


def _prove_dump(
    reader: ZipReader, found: Optional[ManifestFound], verdict: Verdict, check_dump: Optional[DumpCheck]
) -> None:
    """Raises where there is nothing to prove: a level that was asked for and not reached is no success."""
    entry = foreign_dump(reader) if found is None else require_dump(reader, found.body["dump"]["path"])
    if check_dump is None:
        raise InputInvalid("level 3 decodes the dump, and tools_dir does not say where the programs for that are.")
    _jobs.step("decode dump")
    facts = found.body["database"] if found is not None else None
    verdict.dump = check_dump(reader.content(entry), entry.path, facts)
    verdict.remarks.extend(verdict.dump.remarks)
    verdict.level = DUMP


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


def _ticking(total: int) -> Tick:
    done = 0

    def tick(count: int, item: str) -> None:
        nonlocal done
        done += count
        _jobs.progress(done, total, item)

    return tick
