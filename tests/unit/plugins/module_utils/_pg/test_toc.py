# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of contents of a dump, built here byte for byte: every archive version, and every lie about sizes."""

from __future__ import annotations

from typing import Any, Iterator, Optional

import pytest

from ansible_collections.wst.backup.plugins.module_utils._errors import DbVersionMismatch, DumpDamaged, DumpEmpty
from ansible_collections.wst.backup.plugins.module_utils._pg.toc import Head, Toc, read_toc

VERSIONS = [(1, 12), (1, 13), (1, 14), (1, 15), (1, 16)]
COPY = b"COPY public.t (a) FROM stdin;\n"


def number(value: int) -> bytes:
    """An integer of four bytes behind its sign."""
    return bytes([value < 0]) + abs(value).to_bytes(4, "little")


def string(value: Optional[bytes]) -> bytes:
    return number(-1) if value is None else number(len(value)) + value


def entry(version: tuple[int, int], *, dependencies: int = 2, needed: bytes = b"12") -> bytes:
    """TABLE DATA of the table t."""
    fields = [number(1), number(1), string(b"16384"), string(b"0"), string(b"t"), string(b"TABLE DATA"), number(3)]
    fields += [string(b""), string(None), string(COPY), string(b"public"), string(None)]
    fields += [string(b"heap")] if version >= (1, 14) else []
    fields += [number(ord("r"))] if version >= (1, 16) else []
    fields += [string(b"owner"), string(b"false"), *[string(needed)] * dependencies, string(None)]
    return b"".join(fields) + b"\x02" + bytes(8)


def head(version: tuple[int, int] = (1, 16), **changes: Any) -> bytes:
    """A whole head with one entry."""
    compression = b"\x01" if version >= (1, 15) else number(6)
    told = {
        "magic": b"PGDMP",
        "version": bytes([*version, 0]),
        "sizes": b"\x04\x08",
        "format": b"\x01",
        "compression": compression,
        "time": number(0) * 7,
        "names": string(b"wst_dev") + string(b"17.10") + string(b"18.4"),
        "count": number(1),
        "entries": entry(version),
        **changes,
    }
    return b"".join(told.values())


def read(data: bytes, size: int = 7) -> Toc:
    chunks = (data[start : start + size] for start in range(0, len(data), size))
    return read_toc(Head(chunks, name="x.backup"), name="x.backup")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("dependencies", [0, 2])
def test_every_version_is_read(version: tuple[int, int], dependencies: int) -> None:
    toc = read(head(version, entries=entry(version, dependencies=dependencies)))
    assert toc.format == f"{version[0]}.{version[1]}"
    assert (toc.database, toc.server_version, toc.tool_version) == ("wst_dev", "17.10", "18.4")
    assert toc.compression == "gzip"
    (only,) = toc.table_data()
    assert (only.schema, only.tag, only.owner, only.copy) == ("public", "t", "owner", COPY)
    assert only.needs == (12,) * dependencies


@pytest.mark.parametrize("needed", [b"", b"twelve", b"-1", b"1" * 5000])
def test_what_an_entry_needs_is_a_number(needed: bytes) -> None:
    with pytest.raises(DumpDamaged, match="depends on what is no number"):
        read(head(entries=entry((1, 16), needed=needed)))


@pytest.mark.parametrize(
    ("version", "told", "meant"),
    [
        ((1, 14), number(0), "none"),
        ((1, 16), b"\x00", "none"),
        ((1, 16), b"\x03", "zstd"),
        ((1, 16), b"\x09", "unknown 9"),
    ],
)
def test_the_compression_is_told(version: tuple[int, int], told: bytes, meant: str) -> None:
    assert read(head(version, compression=told)).compression == meant


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"magic": b"PGDUM"}, "does not begin"),
        ({"sizes": b"\x00\x08"}, "impossible sizes"),
        ({"sizes": b"\x09\x08"}, "impossible sizes"),
        ({"sizes": b"\x04\x00"}, "impossible sizes"),
        ({"sizes": b"\x04\x11"}, "impossible sizes"),
        ({"format": b"\x03"}, "not in custom format"),
        ({"time": b"\x02" + bytes(34)}, "without a sign"),
        ({"count": number(-1)}, "impossible number"),
        ({"count": number(5_000_001)}, "impossible number"),
        ({"count": number(2)}, "within its table of contents"),
        ({"names": number((1 << 31) - 1)}, "within its table of contents"),
    ],
)
def test_lies_are_named(changes: dict[str, bytes], words: str) -> None:
    with pytest.raises(DumpDamaged, match=words):
        read(head(**changes))


@pytest.mark.parametrize("version", [(1, 11), (1, 17), (0, 14), (2, 0)])
def test_versions_that_nobody_here_knows(version: tuple[int, int]) -> None:
    with pytest.raises(DbVersionMismatch):
        read(head(version))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_head_cut_anywhere_is_never_whole(version: tuple[int, int]) -> None:
    data = head(version)
    with pytest.raises(DumpEmpty):
        read(b"")
    for length in range(1, len(data)):
        with pytest.raises(DumpDamaged):
            read(data[:length])


def test_the_whole_stream_is_had_afterwards() -> None:
    def chunks() -> Iterator[bytes]:
        yield from (data[:50], data[50:], b"the data")

    data = head()
    for look in (True, False):
        opened = Head(chunks(), name="x.backup")
        if look:
            read_toc(opened, name="x.backup")
        assert b"".join(opened.whole()) == data + b"the data"
