# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema as text, cut into sections, and what differs between two of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._pg.schema import SectionReader, differences, judge

HEAD = "--\n-- PostgreSQL database dump\n--\n\n\\restrict {0}\n\n-- Dumped from database version {0}\n\nSET x = 0;\n\n"
SECTION = "--\n-- Name: {name}; Type: {kind}; Schema: {schema}; Owner: -\n--\n\n{text}\n\n\n"
END = "--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict {0}\n"


def section(kind: str, name: str, text: str, schema: str = "app") -> str:
    return SECTION.format(kind=kind, name=name, schema=schema, text=text)


def read(*sections: str, version: str = "17.10", cut: int = 7, line_end: str = "\n") -> object:
    data = (HEAD.format(version) + "".join(sections) + END.format(version)).replace("\n", line_end).encode()
    reader = SectionReader()
    for start in range(0, len(data), cut):
        reader.feed(data[start : start + cut])
    return reader.finish()


def told(wanted: tuple[str, ...], found: tuple[str, ...], *left_out: tuple[str, str, str]) -> list[str]:
    return differences(read(*wanted), read(*found, version="18.4", cut=64), left_out=frozenset(left_out))  # type: ignore[arg-type]


TABLE = section("TABLE", "t", "CREATE TABLE app.t (\n    a integer\n);")
INDEX = section("INDEX", "i", "CREATE INDEX i ON app.t (a);")
SCHEMA = section("SCHEMA", "app", "CREATE SCHEMA app;", "-")


def test_the_same_schema_in_another_order_from_another_version() -> None:
    assert told((SCHEMA, TABLE, INDEX), (SCHEMA, INDEX, TABLE)) == []


def test_each_difference_has_a_name() -> None:
    other = section("TABLE", "t", "CREATE TABLE app.t (\n    a bigint\n);")
    view = section("VIEW", "v", "CREATE VIEW app.v AS SELECT 1;")
    assert told((SCHEMA, TABLE, INDEX), (other, view)) == [
        "INDEX app.i is not there",
        "SCHEMA app is not there",
        "TABLE app.t is not as in the dump",
        "VIEW app.v is not in the dump",
    ]
    assert told((TABLE, TABLE), (TABLE,)) == ["TABLE app.t is not there"]


def test_what_was_left_out_on_purpose_is_no_difference() -> None:
    event = section("EVENT TRIGGER", "never", "CREATE EVENT TRIGGER never;", "-")
    comment = section("COMMENT", "EXTENSION citext", "COMMENT ON EXTENSION citext IS 'x';", "-")
    assert told((TABLE, event), (TABLE,), ("EVENT TRIGGER", "", "never")) == []
    assert told((TABLE, event), (TABLE,)) == ["EVENT TRIGGER never is not there"]
    assert told((TABLE,), (TABLE, comment)) == []
    assert told((TABLE, section("MATERIALIZED VIEW DATA", "m", "REFRESH MATERIALIZED VIEW app.m;")), (TABLE,)) == []


def test_the_access_method_belongs_to_the_table_wherever_it_is_set() -> None:
    setting = "SET default_table_access_method = {};\n\n"
    function = section("FUNCTION", "f()", "CREATE FUNCTION app.f();")
    heap, other = setting.format("heap"), setting.format("columnar")
    assert told((function, heap, TABLE), (heap, TABLE, function)) == []
    assert told((heap, TABLE), (other, TABLE)) == ["TABLE app.t is not as in the dump"]
    assert told((heap, TABLE, "SET default_tablespace = '';\n\n", INDEX), (heap, TABLE, INDEX)) == []


def test_a_body_that_looks_like_a_heading_and_lines_of_windows() -> None:
    trap = section(
        "FUNCTION", "g()", "CREATE FUNCTION app.g() AS $$\n-- Name: t; Type: TABLE; Schema: app; Owner: -\n$$;"
    )
    assert told((trap, TABLE), (trap, TABLE)) == []
    assert differences(read(trap, TABLE), read(trap, TABLE, line_end="\r\n"), left_out=frozenset()) == []  # type: ignore[arg-type]


@given(st.integers(1, 400))
def test_where_the_text_is_cut_does_not_matter(cut: int) -> None:
    assert read(SCHEMA, TABLE, INDEX, cut=cut) == read(SCHEMA, TABLE, INDEX, cut=10_000)


def test_between_two_majors_a_difference_is_a_remark() -> None:
    assert judge(["x"], source="17.10", target=170004) == (["x"], [])
    assert judge([], source="15.3", target=180000) == ([], [])
    counted, (remark,) = judge(["x", "y"], source="15.3", target=180000)
    assert counted == []
    assert remark == "the schema's text differs between PostgreSQL 15, the source, and 18: x, y"
