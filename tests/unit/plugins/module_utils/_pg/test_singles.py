# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single tables of a dump: how they are named, what comes with them, and what the rest promises without them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._errors import DumpDamaged, InputInvalid
from ansible_collections.wst.backup.plugins.module_utils._pg import candidatename, kept, singlecompare, singlenames
from ansible_collections.wst.backup.plugins.module_utils._pg.compare import Found, differences
from ansible_collections.wst.backup.plugins.module_utils._pg.fingerprint import Fingerprint, LargeObjects
from ansible_collections.wst.backup.plugins.module_utils._pg.selection import Selection
from ansible_collections.wst.backup.plugins.module_utils._pg.singles import narrow, singles_of
from ansible_collections.wst.backup.plugins.module_utils._pg.tables import Table
from ansible_collections.wst.backup.plugins.module_utils._pg.toc import Entry, Toc
from ansible_collections.wst.backup.plugins.module_utils._pg.verify import DumpProof

RUN = "20261130-101500-1f2e3d4c"
NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=20)

# --- names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("app.employees", ("app", "employees")),
        (" APP.Employees ", ("app", "employees")),
        ('"Odd Schema"."Odd.""Name"', ("Odd Schema", 'Odd."Name')),
        ('app."T"', ("app", "T")),
        ("app.a$1_b", ("app", "a$1_b")),
        ("app.ÄÖ", ("app", "ÄÖ")),
    ],
)
def test_a_name_is_what_sql_takes_it_for(text: str, name: tuple[str, str]) -> None:
    assert singlenames.parse(text) == name


@pytest.mark.parametrize(
    "text", ["", "employees", "a.b.c", "app.", ".t", 'app."t', "app.t; DROP", "app.1t", "app. t", '""."t"', "app.t\0"]
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(InputInvalid, match="names no table"):
        singlenames.parse(text)


@given(NAMES, NAMES)
def test_every_name_can_be_written_and_is_read_back(schema: str, name: str) -> None:
    assert singlenames.parse(singlenames.written((schema, name))) == (schema, name)


def test_nothing_is_named_twice() -> None:
    assert singlenames.parse_all(["app.b", "app.a"]) == [("app", "b"), ("app", "a")]
    with pytest.raises(InputInvalid, match=r"app\.a is named twice"):
        singlenames.parse_all(["app.a", 'app."a"'])


def test_rows_are_those_of_the_manifest_and_others_are_refused() -> None:
    database = {
        "tables": [
            {"schema": "app", "name": "log", "kind": "partitioned", "rows": 7},
            {"schema": "app", "name": "far", "kind": "foreign", "rows": None},
            {"schema": "app", "name": "odd", "kind": "table", "rows": None},
        ]
    }
    assert singlenames.rows_of([("app", "log"), ("app", "odd")], database) == [7, None]
    with pytest.raises(InputInvalid, match=r"no rows of app\.lag \(it has app\.log\)") as caught:
        singlenames.rows_of([("app", "log"), ("app", "lag")], database)
    assert caught.value.facts["tables"] == ["app.lag"]
    with pytest.raises(InputInvalid, match=r"no rows of app\.far$"):
        singlenames.rows_of([("app", "far")], {"tables": database["tables"][1:2]})
    for damaged in ({}, {"tables": [{"schema": "app"}]}, {"tables": [{**database["tables"][0], "rows": "many"}]}):
        with pytest.raises(DumpDamaged):
            singlenames.rows_of([("app", "log")], damaged)


@given(NAMES)
def test_a_database_that_stays_has_a_name_of_its_own(target: str) -> None:
    made = candidatename.database_name(RUN, target, stays=True)
    assert len(made.encode()) <= candidatename.LONGEST
    assert candidatename.is_tables_name(made, RUN)
    assert not candidatename.is_tables_name(candidatename.database_name(RUN, target), RUN)
    assert not candidatename.is_tables_name(made, "20261130-101501-1f2e3d4c")


@pytest.mark.parametrize("comment", [None, "", "shop", "wst.backup scratch of run " + RUN, kept.MARK, kept.MARK + "x"])
def test_another_comment_is_no_mark(comment: str | None) -> None:
    assert kept.run_of(comment) is None
    assert kept.run_of(f"{kept.MARK}{RUN}; anything\nmore") == RUN


# --- what comes along


def entry(description: str, tag: str, number: int, *needs: int, definition: bytes = b"", schema: str = "app") -> Entry:
    return Entry(
        description, schema, tag, "o", b"", description == "TABLE DATA", number, definition=definition, needs=needs
    )


HEIR = b"CREATE TABLE app.heir (\n)\nINHERITS (app.base);\n"
ENTRIES = [
    entry("TABLE", "a", 1),
    entry("TABLE", "b", 2),
    entry("TABLE", "root", 3),
    entry("TABLE", "part", 4),
    entry("TABLE ATTACH", "part", 5, 3, 4),
    entry("TABLE", "base", 6),
    entry("TABLE", "heir", 7, 6, definition=HEIR),
    entry("TABLE", "typed", 8, 6),
    entry("TABLE", "hollow", 9),
    entry("TABLE ATTACH", "far", 10, 3),  # a foreign table
    *[entry("TABLE DATA", name, 20 + n) for n, name in enumerate(("a", "b", "part", "base", "heir", "typed"))],
    entry("TABLE DATA", "settings", 29, schema="ext"),
    entry("SEQUENCE SET", "ids", 30, 20),  # after the rows of a, which may stay behind
    entry("CONSTRAINT", "a a_pkey", 40, 1),
    entry("FK CONSTRAINT", "a a_b", 41, 1, 2, 40),
    entry("COMMENT", "CONSTRAINT a_b ON a", 42, 41),
    entry("FK CONSTRAINT", "a a_a", 43, 1, 40),
    entry("FK CONSTRAINT", "root root_b", 44, 3, 2),
    entry("FK CONSTRAINT", "typed typed_base", 45, 8, 6),
    entry("TRIGGER", "a t", 46, 1),
    entry("POLICY", "a p", 47, 1),
    entry("ROW SECURITY", "a", 48, 1),
    entry("BLOB METADATA", "5001..5001", 49),
    entry("BLOBS", "BLOBS", 50, 49),
    entry("MATERIALIZED VIEW DATA", "m", 51),
]


def left(*asked: str) -> set[str]:
    singles = singles_of(ENTRIES, singlenames.parse_all(asked))
    chosen = narrow(Selection(ENTRIES, []), singles)
    assert sorted(each.number for each in chosen.entries + [out.entry for out in chosen.left_out]) == sorted(
        each.number for each in ENTRIES
    )
    assert not chosen.is_whole
    return {f"{out.entry.description} {out.entry.tag}" for out in chosen.left_out}


ALWAYS = {
    "POLICY a p",
    "ROW SECURITY a",
    "BLOB METADATA 5001..5001",
    "BLOBS BLOBS",
    "MATERIALIZED VIEW DATA m",
}
DATA = {f"TABLE DATA {name}" for name in ("a", "b", "part", "base", "heir", "typed", "settings")}
A_B = {"FK CONSTRAINT a a_b", "COMMENT CONSTRAINT a_b ON a"}


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (["app.a"], ALWAYS | A_B | DATA - {"TABLE DATA a"}),
        (["app.b"], ALWAYS | A_B | {"FK CONSTRAINT root root_b"} | DATA - {"TABLE DATA b"}),
        (["app.a", "app.b"], ALWAYS | {"FK CONSTRAINT root root_b"} | DATA - {"TABLE DATA a", "TABLE DATA b"}),
        (["app.part"], ALWAYS | {"FK CONSTRAINT root root_b"} | DATA - {"TABLE DATA part"}),
        (["app.root", "app.b"], ALWAYS | A_B | DATA - {"TABLE DATA b", "TABLE DATA part"}),
        (["app.base"], ALWAYS | {"FK CONSTRAINT typed typed_base"} | DATA - {"TABLE DATA base", "TABLE DATA heir"}),
        (["ext.settings"], ALWAYS | DATA - {"TABLE DATA settings"}),
    ],
)
def test_what_would_need_other_rows_stays_behind(asked: list[str], wanted: set[str]) -> None:
    assert left(*asked) == wanted


def test_parts_come_with_what_they_are_part_of() -> None:
    singles = singles_of(ENTRIES, [("app", "root"), ("app", "base")])
    assert singles.parts == {("app", "part"), ("app", "base"), ("app", "heir")}
    assert singles.more == [("app", "heir"), ("app", "part")]


@pytest.mark.parametrize("name", ["app.hollow", "app.m", "app.ids", "app.far", "public.a"])
def test_what_has_no_rows_in_the_dump_cannot_be_asked_for(name: str) -> None:
    with pytest.raises(InputInvalid, match="no rows of"):
        singles_of(ENTRIES, singlenames.parse_all(["app.a", name]))


@given(st.data())
def test_a_foreign_key_comes_back_where_it_holds(data: Any) -> None:
    """Judged by the rows themselves: all of what its tables had is there, or nothing of it."""
    count = data.draw(st.integers(2, 7))
    parent = {n: data.draw(st.sampled_from([None, *range(n)])) for n in range(count)}
    keys = data.draw(st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=6))
    asked = data.draw(st.lists(st.integers(0, count - 1), min_size=1, unique=True))
    entries = [entry("TABLE", f"t{n}", 100 + n) for n in range(count)]
    entries += [
        entry("TABLE ATTACH", f"t{n}", 200 + n, 100 + n, 100 + above)
        for n, above in parent.items()
        if above is not None
    ]
    entries += [entry("TABLE DATA", f"t{n}", 300 + n) for n in range(count)]
    entries += [entry("FK CONSTRAINT", f"k{i}", 400 + i, 100 + a, 100 + b) for i, (a, b) in enumerate(keys)]
    singles = singles_of(entries, [("app", f"t{n}") for n in asked])
    chosen = narrow(Selection(entries, []), singles)
    filled = {each.number - 300 for each in chosen.entries if each.description == "TABLE DATA"}

    def below(table: int) -> set[int]:
        return {table}.union(*[below(n) for n, above in parent.items() if above == table])

    assert filled == set().union(*[below(n) for n in asked])
    kept = {each.number - 400 for each in chosen.entries if each.description == "FK CONSTRAINT"}
    for number, pair in enumerate(keys):
        rows = below(pair[0]) | below(pair[1])
        assert (number in kept) == (rows <= filled or not rows & filled)


def test_many_of_a_kind_are_told_in_one_line() -> None:
    many = [entry("TABLE", "a", 1), entry("TABLE DATA", "a", 2)]
    many += [entry("TABLE DATA", f"t{n}", 10 + n) for n in range(30)]
    (told,) = narrow(Selection(many, []), singles_of(many, [("app", "a")])).texts
    assert told.startswith("30 of TABLE DATA (t0, t1, ")
    assert told.endswith("and 10 more): it was not asked for")


# --- what is promised


def row(name: str, rows: int | None, text: str | None, **changes: Any) -> dict[str, Any]:
    return {"schema": "app", "name": name, "kind": "table", "root": None, "rows": rows, "fingerprint": text, **changes}


def manifest() -> dict[str, Any]:
    return {
        "tables": [
            row("a", 2, f"{10:064x}"),
            row("b", 5, f"{50:064x}"),
            row("root", 7, f"{70:064x}", kind="partitioned"),
            row("sub", None, None, kind="partitioned", root=["app", "root"]),
            row("p1", 3, f"{30:064x}", root=["app", "root"]),
            row("p2", 4, f"{40:064x}", root=["app", "root"]),
            row("inserts", 1, None),
            row("view", None, None, kind="materialized_view"),
            row("settings", 1, f"{1:064x}", kind="configuration"),
        ],
        "large_objects": {"count": 3, "fingerprint": "x", "sha256": {"1": "y"}},
        "extensions": [{"name": "citext", "version": "1.6"}],
    }


def found(**rows: tuple[int, int]) -> Found:
    roots = {"p1": ("app", "root"), "p2": ("app", "root")}
    kinds = {"settings": "configuration"}
    own = [
        (Table(1, "app", name, kinds.get(name, "table"), root=roots.get(name)), Fingerprint(*value))
        for name, value in {**dict.fromkeys(("a", "b", "p1", "p2", "inserts"), (0, 0)), **rows}.items()
    ]
    return Found(own, [("app", "root")], LargeObjects(Fingerprint(), {}))


@pytest.mark.parametrize(
    ("parts", "here", "told"),
    [
        ({"a"}, {"a": (2, 10)}, []),
        ({"p1"}, {"p1": (3, 30)}, []),
        ({"p1", "p2"}, {"p1": (3, 30), "p2": (4, 40)}, []),
        ({"inserts"}, {"inserts": (1, 99)}, []),
        ({"settings"}, {"settings": (1, 1)}, []),
        ({"a"}, {"a": (2, 10), "settings": (5, 5)}, []),
        ({"a"}, {"a": (2, 11)}, ["other rows of app.a than those of its fingerprint"]),
        ({"a"}, {"a": (2, 10), "b": (1, 1)}, ["1 rows of app.b instead of 0"]),
        ({"p1"}, {"p1": (3, 30), "p2": (4, 40)}, ["7 rows of app.root instead of 3"]),
        ({"a"}, {"a": (1, 10)}, ["1 rows of app.a instead of 2"]),
        ({"a"}, {"a": (2, 10), "new": (0, 0)}, ["table app.new was not promised"]),
    ],
)
def test_a_database_has_the_rows_of_these_tables_and_no_others(parts: set[str], here: Any, told: list[str]) -> None:
    names = {("app", name) for name in parts}
    there = singlecompare.found_of(found(**here), names)
    promise = singlecompare.of_manifest(manifest(), names)
    assert differences(promise, there) == told
    assert promise.extensions == {"citext": "1.6"}


@pytest.mark.parametrize("change", [{"rows": "x"}, {"fingerprint": "not hexadecimal"}])
def test_a_manifest_that_does_not_say_it_is_damaged(change: dict[str, Any]) -> None:
    body = manifest()
    body["tables"][0].update(change)
    with pytest.raises(DumpDamaged):
        singlecompare.of_manifest(body, {("app", "a")})


def test_a_table_that_the_manifest_does_not_know_is_no_success() -> None:
    with pytest.raises(DumpDamaged, match=r"does not know app\.c, app\.d"):
        singlecompare.of_manifest(manifest(), {("app", "a"), ("app", "c"), ("app", "d")})


def test_a_dump_alone_promises_the_same() -> None:
    tables = [
        ("app", "a", Fingerprint(2, 10)),
        ("app", "p1", Fingerprint(3, 30)),
        ("app", "inserts", None),
        ("app", "settings", Fingerprint(1, 1)),
        ("app", "b", Fingerprint(5, 50)),
        ("app", "p2", Fingerprint(4, 40)),
    ]
    toc = Toc("1.16", "gzip", "shop", "17.10", "17.10", [])
    proof = DumpProof(
        size=1,
        sha256="",
        crc32=0,
        toc=toc,
        tables=tables,
        objects=LargeObjects(Fingerprint(9, 9), None),
        **_rest_of(DumpProof),
    )
    names = {("app", name) for name in ("a", "p1", "inserts")}
    there = singlecompare.found_of(found(a=(2, 10), p1=(3, 30), inserts=(1, 5), settings=(3, 3)), names)
    promise = singlecompare.of_dump(proof, there, names)
    assert differences(promise, there) == []
    assert differences(promise, found(a=(2, 10), p1=(3, 30), b=(5, 50))) == ["5 rows of app.b instead of 0"]


def _rest_of(kind: Any) -> dict[str, Any]:
    """Fields of no interest here."""
    known = {"size", "sha256", "crc32", "toc", "tables", "objects"}
    return {name: 0 for name in kind.__dataclass_fields__ if name not in known}
