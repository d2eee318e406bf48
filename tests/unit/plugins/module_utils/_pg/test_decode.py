# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reader, and the fingerprints that it feeds, on texts as pg_restore writes them, cut into chunks anywhere."""

from __future__ import annotations

import hashlib
import tracemalloc
from typing import Any, Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._errors import DumpDamaged
from ansible_collections.wst.backup.plugins.module_utils._pg.decode import DataReader
from ansible_collections.wst.backup.plugins.module_utils._pg.fingerprint import MODULUS, DumpFingerprints, Fingerprint
from ansible_collections.wst.backup.plugins.module_utils._pg.toc import Entry

START = b"--\n-- PostgreSQL database dump\n--\n\n\\restrict x;y'z\n\nSET statement_timeout = 0;\n"
END = b"--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict x;y'z\n\n"


def quoted(name: str) -> bytes:
    return b'"' + name.replace('"', '""').encode("utf-8", "surrogateescape") + b'"'


def entry(name: str) -> Entry:
    copy = b"COPY public." + quoted(name) + b" (a, " + quoted(name) + b") FROM stdin;\n"
    return Entry(description="TABLE DATA", schema="public", tag=name, owner="o", copy=copy, has_data=True)


def block(table: Entry, rows: list[bytes], *, copy: bytes | None = None) -> bytes:
    label = table.tag.replace("\n", " ").replace("\r", " ").encode("utf-8", "surrogateescape")
    head = b"--\n-- Data for Name: " + label + b"; Type: TABLE DATA; Schema: public; Owner: o\n--\n\n"
    return head + (table.copy if copy is None else copy) + b"".join(row + b"\n" for row in rows) + b"\\.\n\n\n"


def read(text: bytes, entries: list[Entry], *, cuts: Iterator[int] | None = None) -> tuple[DataReader, list[Any]]:
    """The reader, and what it found in each block."""
    found = DumpFingerprints(len(entries))
    reader = DataReader(entries, found, name="dump")
    position = 0
    while position < len(text):
        length = next(cuts) if cuts else len(text)
        reader.feed(text[position : position + length])
        position += length
    reader.finish()
    return reader, found.tables


def of(rows: list[bytes]) -> Fingerprint:
    """By the definition."""
    return Fingerprint(len(rows), sum(int(hashlib.sha256(row).hexdigest(), 16) for row in rows) % MODULUS)


# A row of COPY text: backslashes doubled, no raw line ends; what looks like ends, headers and statements is welcome.
ROWS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b"",
                b"\\N",
                b"\\\\.",
                b"COPY public.t (a) FROM stdin;",
                b"--",
                b"-- Data for Name: t; Type: TABLE DATA; Schema: public; Owner: o",
                b"-- PostgreSQL database dump complete",
                b"'",
                b'"',
                b".",
                b"x\\\\.",
            ]
        ),
        st.binary(max_size=20).map(lambda data: data.replace(b"\\", b"\\\\").replace(b"\n", b"n").replace(b"\r", b"r")),
    ),
    max_size=8,
)
NAMES = st.text(
    alphabet=st.sampled_from("ab\"';\n\r -\\.ü(),=COPY FROM stdin;-- Data for Name: ; Type: TABLE DATA; Schema: "),
    min_size=1,
    max_size=30,
)


@example(tables=[("\r\n", [b"1"])], cuts=[1], line_end=b"\r\n")
@given(
    tables=st.lists(st.tuples(NAMES, ROWS), max_size=6),
    cuts=st.lists(st.integers(1, 40), min_size=1, max_size=20),
    line_end=st.sampled_from([b"\n", b"\r\n"]),
)
def test_counts_whatever_the_names_rows_and_chunks(
    tables: list[tuple[str, list[bytes]]], cuts: list[int], line_end: bytes
) -> None:
    entries = [entry(name) for name, _rows in tables]
    text = START + b"".join(block(e, rows) for e, (_name, rows) in zip(entries, tables)) + END
    if line_end == b"\r\n":  # what a text-mode stream makes of every line end, those in names included
        text = text.replace(b"\n", line_end)

    def cycle() -> Iterator[int]:
        while True:
            yield from cuts

    _reader, found = read(text, entries, cuts=cycle())
    assert found == [of(rows) for _name, rows in tables]


@given(tables=st.lists(ROWS, min_size=1, max_size=4), data=st.data())
def test_a_text_that_breaks_off_is_never_whole(tables: list[list[bytes]], data: st.DataObject) -> None:
    entries = [entry(f"t{number}") for number in range(len(tables))]
    text = START + b"".join(block(e, rows) for e, rows in zip(entries, tables)) + END
    complete = text.rindex(b"-- PostgreSQL database dump complete") + len(b"-- PostgreSQL database dump complete")
    end = data.draw(st.integers(0, complete))
    with pytest.raises(DumpDamaged):
        read(text[:end], entries)


def test_partition_root_and_zero_columns() -> None:
    root = b"COPY public.root (a) FROM stdin;\n"
    leaf = Entry("TABLE DATA", "public", "leaf", "o", root, True)
    none = Entry("TABLE DATA", "public", "none", "o", b"COPY public.none  FROM stdin;\n", True)
    text = START + block(leaf, [b"1"]) + block(none, [b"", b"", b""]) + END
    assert read(text, [leaf, none])[1] == [of([b"1"]), of([b"", b"", b""])]


def test_another_table_than_announced() -> None:
    with pytest.raises(DumpDamaged, match=r"another table than public\.t"):
        read(START + block(entry("t"), [], copy=entry("u").copy) + END, [entry("t")])


def test_rows_that_nobody_announced() -> None:
    with pytest.raises(DumpDamaged, match="does not announce"):
        read(START + entry("t").copy + b"1\n\\.\n" + END, [entry("t")])


def test_too_many_and_too_few_blocks() -> None:
    text = START + block(entry("t"), []) + block(entry("u"), []) + END
    with pytest.raises(DumpDamaged, match="more tables"):
        read(text, [entry("t")])
    with pytest.raises(DumpDamaged, match="data of 2 tables instead of 3"):
        read(text, [entry("t"), entry("u"), entry("v")])


def test_copy_with_something_behind_it() -> None:
    with pytest.raises(DumpDamaged, match="goes on"):
        read(START + block(entry("t"), [], copy=entry("t").copy.rstrip() + b" \n") + END, [entry("t")])


def test_inserts_are_rows_unknown() -> None:
    table = Entry("TABLE DATA", "public", "t", "o", b"", True)
    inserts = b"INSERT INTO public.t VALUES ('-- Data for Name: x; Type: TABLE DATA; Schema: y\n;''');\n"
    text = START + block(table, [], copy=b"").replace(b"\\.\n", inserts) + block(entry("u"), [b"1"]) + END
    assert read(text, [table, entry("u")])[1] == [None, of([b"1"])]


SEQUENCE = (
    b"--\n-- Name: s; Type: SEQUENCE SET; Schema: public; Owner: o\n--\n\n"
    b"SELECT pg_catalog.setval('public.\"s;\nSELECT pg_catalog.setval(\"', 5, true);\n"
)


def large_object(oid: int, *pieces: bytes, backslash: bytes = b"\\") -> bytes:
    writes = b"".join(
        b"SELECT pg_catalog.lowrite(0, '" + backslash + b"x" + piece.hex().encode() + b"');\n" for piece in pieces
    )
    opened = b"SELECT pg_catalog.lo_create('%d');\n\nBEGIN;\n\nSELECT pg_catalog.lo_open('%d', 131072);\n" % (oid, oid)
    return opened + writes + b"SELECT pg_catalog.lo_close(0);\n\nCOMMIT;\n"


@given(
    objects=st.dictionaries(st.integers(1, 2**32 - 1), st.lists(st.binary(max_size=9), max_size=3), max_size=4),
    cuts=st.lists(st.integers(1, 60), min_size=1, max_size=9),
    backslash=st.sampled_from([b"\\", b"\\\\"]),
    line_end=st.sampled_from([b"\n", b"\r\n"]),
)
def test_large_objects_and_sequences(
    objects: dict[int, list[bytes]], cuts: list[int], backslash: bytes, line_end: bytes
) -> None:
    written = b"".join(large_object(oid, *pieces, backslash=backslash) for oid, pieces in objects.items())
    text = (START + SEQUENCE + written + SEQUENCE + END).replace(b"\n", line_end)
    found = DumpFingerprints(0)
    reader = DataReader([], found, name="dump")
    position = 0
    while position < len(text):
        length = cuts[position % len(cuts)]
        reader.feed(text[position : position + length])
        position += length
    reader.finish()
    assert reader.sequences == 2
    digests = {oid: hashlib.sha256(b"".join(pieces)).hexdigest() for oid, pieces in objects.items()}
    assert found.objects.found().digests == digests
    assert found.objects.found().fingerprint == of([f"{oid}\t{digest}".encode() for oid, digest in digests.items()])


@pytest.mark.parametrize(
    "statement",
    [
        b"SELECT pg_catalog.lowrite(0, '\\x00');",
        b"SELECT pg_catalog.lo_close(0);",
        b"SELECT pg_catalog.lo_open('1', 131072);\nSELECT pg_catalog.lo_open('2', 131072);",
        b"SELECT pg_catalog.lo_open('1', 131072);\nSELECT pg_catalog.lowrite(0, '\\x0');",
        b"SELECT pg_catalog.lo_open('1', 131072);\nSELECT pg_catalog.lowrite(0, '\\xzz');",
        b"SELECT pg_catalog.lo_open(1);",
    ],
)
def test_statements_about_large_objects_that_make_no_sense(statement: bytes) -> None:
    with pytest.raises(DumpDamaged, match="large object"):
        read(START + statement + b"\n" + END, [])


def test_a_large_object_that_never_ends() -> None:
    with pytest.raises(DumpDamaged, match="breaks off"):
        read(START + large_object(1, b"x").partition(b"SELECT pg_catalog.lo_close")[0] + END, [])


def test_a_row_of_300_megabytes_in_bounded_memory() -> None:
    found = DumpFingerprints(1)
    reader = DataReader([entry("t")], found, name="dump")
    chunk = b"x" * (1 << 18)
    digest = hashlib.sha256()
    tracemalloc.start()
    reader.feed(START + block(entry("t"), [])[: -len(b"\\.\n\n\n")])
    for _number in range(1200):
        reader.feed(chunk)
        digest.update(chunk)
    reader.feed(b"\n\\.\n\n" + END)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    reader.finish()
    assert found.tables == [Fingerprint(1, int(digest.hexdigest(), 16))]
    assert peak < 4 << 20
