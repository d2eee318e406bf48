# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a dump is restored, decided on entries as pg_dump writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._errors import DbExtensionMissing, DumpDamaged
from ansible_collections.wst.backup.plugins.module_utils._pg import quote
from ansible_collections.wst.backup.plugins.module_utils._pg.selection import policy_roles, select, use_list
from ansible_collections.wst.backup.plugins.module_utils._pg.toc import Entry

HERE = ("plpgsql", "citext")
NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=20)


def entry(description: str, tag: str, number: int = 1, *, schema: str = "", definition: str = "") -> Entry:
    return Entry(
        description=description,
        schema=schema,
        tag=tag,
        owner="o",
        copy=b"",
        has_data=description == "TABLE DATA",
        number=number,
        definition=definition.encode("utf-8", "surrogatepass"),
    )


@pytest.mark.parametrize(
    "left",
    [
        entry("SUBSCRIPTION", "far"),
        entry("SUBSCRIPTION TABLE", "far t"),
        entry("PUBLICATION", "all"),
        entry("PUBLICATION TABLE", "all t"),
        entry("PUBLICATION TABLES IN SCHEMA", "all app"),
        entry("EVENT TRIGGER", "never"),
        entry("USER MAPPING", "USER MAPPING u SERVER s"),
        entry("COMMENT", "EXTENSION citext"),
        entry("COMMENT", "EVENT TRIGGER never"),
        entry("SECURITY LABEL", "SUBSCRIPTION far"),
        entry("DATABASE", "shop"),
        entry("DATABASE PROPERTIES", "shop"),
        entry("COMMENT", "DATABASE shop"),
        entry("ACL", "DATABASE shop"),
    ],
)
def test_what_stays_behind_is_told(left: Entry) -> None:
    chosen = select([entry("TABLE", "t", 2), left], available=HERE)
    assert [each.tag for each in chosen.entries] == ["t"]
    (told,) = chosen.left_out
    assert told.text.startswith(f"{left.description} {left.tag}: ")
    assert chosen.texts == [told.text]
    assert chosen.is_whole == ("DATABASE" in left.description or left.tag.startswith("DATABASE "))
    assert (left.description, left.schema, left.tag) in chosen.names
    kinds = {"COMMENT EXTENSION citext": [], "COMMENT EVENT TRIGGER never": ["EVENT TRIGGER"]}
    whose = kinds.get(f"{left.description} {left.tag}", [left.description, left.tag.partition(" ")[0]])
    kept = select([left], available=HERE, keep=whose).entries  # what acts by itself, with what belongs to it
    assert [each.tag for each in kept] == ([left.tag] if whose else [])


@pytest.mark.parametrize(
    "kept",
    [entry("COMMENT", "TABLE t"), entry("ACL", "TABLE t"), entry("TABLE", "SUBSCRIPTION x"), entry("POLICY", "p")],
)
def test_what_only_looks_like_it_is_restored(kept: Entry) -> None:
    chosen = select([kept], available=HERE)
    assert chosen.entries == [kept]
    assert chosen.is_whole


def test_an_extension_is_there_or_allowed_to_be_missing_or_a_failure() -> None:
    entries = [entry("EXTENSION", name, number) for number, name in enumerate(("citext", "azure", "ours", "theirs"), 1)]
    with pytest.raises(DbExtensionMissing, match="lacks the extensions ours, theirs") as caught:
        select(entries, available=HERE, allow_missing=["azure"])
    assert caught.value.facts["extensions"] == ["ours", "theirs"]
    chosen = select(entries, available=[*HERE, "azure"], allow_missing=["azure", "ours", "theirs"])
    assert chosen.extensions == ["citext"]
    assert chosen.extensions_left_out == ["azure", "ours", "theirs"]


def test_rows_of_an_extension_that_stays_behind_do_too() -> None:
    """Those of one that comes are restored: which is which, only the target can tell."""
    entries = [
        entry("EXTENSION", "azure", 1),
        entry("EXTENSION", "citext", 2),
        entry("TABLE", "own", 3, schema="public"),
        entry("SEQUENCE", "numbers", 4, schema="public"),
        entry("TABLE DATA", "own", 5, schema="public"),
        entry("TABLE DATA", "azure_settings", 6, schema="public"),
        entry("SEQUENCE SET", "azure_numbers", 7, schema="public"),
        entry("TABLE DATA", "citext_settings", 8, schema="public"),
        entry("SEQUENCE SET", "numbers", 9, schema="public"),
    ]
    chosen = select(entries, available=HERE, allow_missing=["azure"], configured=[("public", "citext_settings")])
    assert [each.number for each in chosen.entries] == [2, 3, 4, 5, 8, 9]
    assert chosen.tables_left_out == [("public", "azure_settings")]
    assert len(select(entries[1:], available=HERE, configured=[]).entries) == 8  # no extension stays behind
    assert len(select(entries, available=HERE, allow_missing=["azure"]).entries) == 8  # nobody has asked the target


def test_the_list_has_the_numbers_in_the_dumps_order() -> None:
    chosen = select([entry("TABLE", "b\nc", 7), entry("TABLE", "a", 3)], available=HERE)
    assert use_list(chosen.entries) == b"7; TABLE\n3; TABLE\n"


@given(
    st.lists(NAMES.filter(lambda name: name not in ("public", "current_user", "current_role", "session_user"))), NAMES
)
def test_roles_of_a_policy_whatever_they_are_called(roles: list[str], name: str) -> None:
    to = " TO " + ", ".join(map(quote.identifier, roles)) if roles else ""
    statement = (
        f"CREATE POLICY {quote.identifier(name)} ON {quote.identifier(name)}.{quote.identifier(name)} AS RESTRICTIVE "
        f"FOR SELECT{to} USING ((a = 'TO x'::text)) WITH CHECK (true);\n"
    )
    assert policy_roles([entry("POLICY", name, definition=statement)]) == sorted(set(roles))


def test_roles_without_quotes_and_those_that_are_none() -> None:
    statements = [
        "CREATE POLICY p ON app.t TO reader, writer;\n",
        "CREATE POLICY q ON app.t TO reader, PUBLIC, CURRENT_USER USING (true);\n",
        "CREATE POLICY r ON app.t;\n",
        "CREATE POLICY s ON app.t TO writer",
    ]
    entries = [entry("POLICY", "p", definition=each) for each in statements]
    assert policy_roles([*entries, entry("TABLE", "t")]) == ["reader", "writer"]


def test_a_policy_that_is_none() -> None:
    for text in ("", "ALTER TABLE app.t ENABLE ROW LEVEL SECURITY;", "CREATE POLICY p"):
        with pytest.raises(DumpDamaged, match="a policy that is none"):
            policy_roles([entry("POLICY", "p", definition=text)])
