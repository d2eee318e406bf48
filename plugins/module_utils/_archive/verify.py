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
from ansible_collections.wst.backup.plugins.module_utils._archive.ondisk import OnDisk
from ansible_collections.wst.backup.plugins.module_utils._archive.ordered import Ordered, thread_count
from ansible_collections.wst.backup.plugins.module_utils._archive.proving import Pieces, Prover, Tick
from ansible_collections.wst.backup.plugins.module_utils._archive.survey import Totals
from ansible_collections.wst.backup.plugins.module_utils._archive.wanted import (
    Expected,
    compare_outside,
    foreign_dump,
    missing_members,
    require_dump,
    require_members,
)
from ansible_collections.wst.backup.plugins.module_utils._archive.zipreader import ZipReader
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactDamaged,
    ArtifactIncomplete,
    ArtifactUnsafePath,
    ArtifactUnsupported,
    InputInvalid,
)
from ansible_collections.wst.backup.plugins.module_utils._fs import translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._platform import api

STRUCTURE, CONTENT, DUMP = 1, 2, 3
_BUFFER = 1 << 16


@dataclass(frozen=True)
class DumpCounts:
    """What a decoded dump has."""

    tables: int
    rows: Optional[int]  # None where the dump does not tell
    remarks: Sequence[str] = ()  # what the program that decoded it warned of


DumpCheck = Callable[[Iterator[bytes], str, Optional[Mapping[str, Any]]], DumpCounts]
"""Decodes a dump, given its bytes, its name, and the database's facts from the manifest (None for a foreign one)."""


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


def _ticking(total: int) -> Tick:
    done = 0

    def tick(count: int, item: str) -> None:
        nonlocal done
        done += count
        _jobs.progress(done, total, item)

    return tick
