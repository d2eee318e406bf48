# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done for an entry away from the archive, on whatever thread: read, judged, compressed, looked at.

Nothing here decides what a finding means; that is done where the entries come back in their order (``assemble``).
"""

from __future__ import annotations

import zlib
from typing import List, NamedTuple, Optional, Sequence

from ansible_collections.wst.backup.plugins.module_utils._archive import sourcefile
from ansible_collections.wst.backup.plugins.module_utils._archive.beside import Beside, Remark
from ansible_collections.wst.backup.plugins.module_utils._archive.engine import Engine
from ansible_collections.wst.backup.plugins.module_utils._archive.members import Stamped
from ansible_collections.wst.backup.plugins.module_utils._archive.packing import Known, Packed, pack_whole
from ansible_collections.wst.backup.plugins.module_utils._archive.patterns import Patterns
from ansible_collections.wst.backup.plugins.module_utils._archive.sourcefile import Reading, SourceReader, is_packed
from ansible_collections.wst.backup.plugins.module_utils._archive.trust import Trust, stamp_of
from ansible_collections.wst.backup.plugins.module_utils._archive.walk import Found
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._platform.api import Stamp

_MOST_HELD = 8 << 20  # bytes that a batch may come to; files can have grown since their directory was listed


class Prepared(NamedTuple):
    """An entry, and what came of it: an error, or what there is of its kind."""

    found: Found
    error: Optional[OSError] = None
    target: Optional[str] = None  # links
    reading: Optional[Reading] = None  # files; without its data
    packed: Optional[Packed] = None  # files that are to be kept
    sddl: Optional[str] = None
    remarks: Sequence[Remark] = ()
    stamp: Optional[Stamped] = None  # for the member list
    is_unread: bool = False  # taken over as the artifact before has it


class Preparer:
    """Prepares entries of one source. Threads share it."""

    def __init__(
        self,
        reader: SourceReader,
        engine: Engine,
        *,
        beside: Beside,
        allow_changed: Patterns,
        known: Optional[Known] = None,
        trust: Optional[Trust] = None,
    ) -> None:
        self._reader = reader
        self._engine = engine
        self._beside = beside
        self._allow_changed = allow_changed
        self._known = known
        self._trust = trust

    def prepare(self, batch: Sequence[Found]) -> List[Prepared]:
        """The entries, in their order."""
        prepared: List[Prepared] = []
        room = _MOST_HELD
        for found in batch:
            one = self._prepare(found, limit=min(room, self._engine.whole_limit))
            room -= one.packed.size if one.packed else 0
            prepared.append(one)
        return prepared

    def keeps_changed(self, found: Found) -> bool:
        """Whether a file that keeps changing is stored as it was read last."""
        return self._allow_changed.covers(found.relative, is_directory=False)

    def _prepare(self, found: Found, *, limit: int) -> Prepared:
        kind = found.entry.kind
        try:
            if kind == api.LINK:
                return Prepared(found, target=found.entry.target())
            if kind == api.FILE:
                return self._file(found, limit)
        except OSError as error:
            return Prepared(found, error=error)
        sddl, remarks = self._beside.look(found)
        return Prepared(found, sddl=sddl, remarks=remarks)

    def _file(self, found: Found, limit: int) -> Prepared:
        if self._trust is None:
            return self._read(found, limit)
        stamp = api.stamp(found.entry.path)
        if stamp.size > limit:  # it has grown since its directory was listed, and is too large to be held
            return self._read(found, limit, stamp)
        return self._unread(found, stamp, self._trust) or self._read(found, limit, stamp)

    def _unread(self, found: Found, stamp: Stamp, trust: Trust) -> Optional[Prepared]:
        known = trust.known(found.path, stamp)
        packed = trust.small(known) if known is not None else None
        if known is None or packed is None:
            return None
        sddl, remarks = self._beside.look(found)
        return Prepared(
            found,
            reading=Reading(sourcefile.STEADY, stamp.mtime_ns, stamp.size, known.sha256),
            packed=packed,
            sddl=sddl,
            remarks=remarks,
            stamp=Stamped(stamp.file_id, stamp.changed_ns, known.packed_crc32),
            is_unread=True,
        )

    def _read(self, found: Found, limit: int, stamp: Optional[Stamp] = None) -> Prepared:
        reading = self._reader.whole(found.entry, limit=limit, keep_changed=self.keeps_changed(found))
        if reading.sha256 is None:
            return Prepared(found, reading=reading)
        compress = not is_packed(found.entry.name)
        packed = pack_whole(self._engine, reading.data, compress=compress, known=self._known)
        sddl, remarks = self._beside.look(found)
        return Prepared(
            found,
            reading=sourcefile.without_data(reading),
            packed=packed,
            sddl=sddl,
            remarks=remarks,
            stamp=stamp_of(reading, stamp, zlib.crc32(packed.data)) if stamp is not None else None,
        )
