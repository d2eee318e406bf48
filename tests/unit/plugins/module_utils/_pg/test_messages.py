# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a pg_dump that succeeded warned of, and what that means."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.wst.backup.plugins.module_utils._pg import messages
from ansible_collections.wst.backup.plugins.module_utils._pg.messages import Lines, Message, Warnings, kind_of

SUBSCRIPTIONS = "subscriptions not dumped because current user is not a superuser"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("there are circular foreign-key constraints on this table:", "harmless"),
        ("there are circular foreign-key constraints among these tables:", "harmless"),
        (SUBSCRIPTIONS, "missing"),
        ('typtype of data type "mood" appears to be invalid', "missing"),
        ('invalid type "x" of access method "heap2"', "missing"),
        ("could not parse reloptions array", "missing"),
        ('WITH OIDS is not supported anymore (table "old")', "missing"),
        ("bogus value in pg_cast.castfunc or pg_cast.castmethod field", "restore"),
        ("bogus value in pg_cast.castmethod field", "restore"),
        ("bogus value in pg_transform.trffromsql field", "restore"),
        ("bogus transform definition, at least one of trffromsql and trftosql should be nonzero", "restore"),
        ('postfix operators are not supported anymore (operator "factorial")', "restore"),
        ("could not find operator with OID 4711", "restore"),
        ("could not find referenced extension 4711", "restore"),
        ("unsupported pg_init_privs entry: 1 2 3", "restore"),
        ('invalid collation "x"', "restore"),
        ("could not resolve dependency loop among these items:", "restore"),
        ("archive items not in correct section order", "restore"),
        ('owner of schema "app" appears to be invalid', "restore"),
        ('owner of data type "mood" appears to be invalid', "restore"),
        ('unexpected extra results during COPY of table "t"', "restore"),
        ("requested compression not available in this installation -- archive will be uncompressed", "restore"),
        ("archive was made on a machine with larger integers, some operations might fail", "restore"),
        ("archive is compressed, but this installation does not support it -- no data will be available", "lost"),
        ('data of table "t" was not dumped', "lost"),
        ("contents of large object 4711 could not be dumped", "lost"),
        ('postfix operators are not supported anymore (operator "data of it not dumped")', "restore"),
        ("the moon is full", "unknown"),
        ('table "there are circular foreign-key constraints on this table:" is odd', "unknown"),
    ],
)
def test_what_a_warning_means(text: str, kind: str) -> None:
    assert kind_of(text) == kind


def heard(text: str, piece: int = 7, tool: str = "pg_dump") -> Warnings:
    """The warnings of that text, which comes in small pieces."""
    warnings = Warnings(tool)
    lines = Lines(warnings.hear)
    data = text.encode("utf-8")
    for start in range(0, len(data), piece):
        lines.hear(data[start : start + piece])
    lines.end()
    warnings.end()
    return warnings


CIRCULAR = """pg_dump: reading dependency data
pg_dump: warning: there are circular foreign-key constraints among these tables:
pg_dump: detail: größe
pg_dump: detail: line
end
pg_dump: hint: You might not be able to restore the dump.
pg_dump: saving encoding = UTF8
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("piece", [1, 7, 4096])
def test_a_warning_has_its_details_and_hints(end: str, piece: int) -> None:
    warnings = heard(CIRCULAR.replace("\n", end), piece)
    text = (
        "there are circular foreign-key constraints among these tables: detail: größe detail: line end "
        "hint: You might not be able to restore the dump."
    )
    assert warnings.first == [Message("harmless", text)]
    assert (warnings.counts, warnings.noise) == ({"harmless": 1}, [])


def test_warnings_in_a_row_and_one_without_a_line_end() -> None:
    warnings = heard(f"pg_dump: warning: a\npg_dump: warning: {SUBSCRIPTIONS}\npg_dump: error: odd")
    assert [(message.kind, message.text) for message in warnings.first] == [
        ("unknown", "a"),
        ("missing", SUBSCRIPTIONS),
        ("unknown", "odd"),
    ]
    assert warnings.of("missing") == [Message("missing", SUBSCRIPTIONS)]


def test_what_pg_dump_tells_of_its_work_is_no_warning() -> None:
    told = 'pg_dump: last built-in OID is 16383\npg_dump: dumping contents of table "public.pg_dump: warning: x"\n'
    warnings = heard(told + "pg_dump: NOTICE:  hello\n")
    assert (warnings.first, warnings.counts, warnings.noise) == ([], {}, [])


def test_warnings_of_the_server_are_quoted() -> None:
    text = 'WARNING:  database "x" has a collation version mismatch\nDETAIL:  It was created using 1.\n'
    quoted = 'WARNING:  database "x" has a collation version mismatch DETAIL:  It was created using 1.'
    for told in (text, f"pg_dump: {text}"):
        assert heard(told + "pg_dump: reading schemas\n").first == [Message("unknown", quoted)]


def test_noise_is_neither_a_warning_nor_hides_one() -> None:
    recorded = Path(__file__).with_name("recorded_failures_windows.json").read_text(encoding="utf-8")
    noise = str(json.loads(recorded)[0]["text"]).split("pg_dump: error", maxsplit=1)[0]
    warnings = heard(f"{noise}pg_dump: warning: {SUBSCRIPTIONS}\r\n")
    assert warnings.first == [Message("missing", SUBSCRIPTIONS)]
    assert warnings.noise == [noise.strip()]
    warnings = heard(f"{noise.strip()}pg_dump: warning: {SUBSCRIPTIONS}\r\n\r\n")
    assert [message.kind for message in warnings.first] == ["missing"]
    assert warnings.noise == [noise.strip()]


def test_what_is_kept_is_bounded_and_all_is_counted() -> None:
    text = "".join(
        f"pg_dump: warning: there are circular foreign-key constraints on this table: {n}\n" for n in range(99)
    )
    warnings = heard(
        f"{text}pg_dump: warning: {SUBSCRIPTIONS}\npg_dump: warning: {'x' * 9000}\n" + "noise\n" * 99, 4096
    )
    assert warnings.counts == {"harmless": 99, "missing": 1, "unknown": 1}
    assert (len(warnings.of("harmless")), len(warnings.of("missing"))) == (messages.KEPT, 1)
    assert len(warnings.first[-1].text) == messages.MAX_TEXT + 3
    assert heard("noise\n" * 99).noise == ["noise"] * messages.MAX_NOISE


def test_a_line_that_never_ends_is_cut() -> None:
    lines: list[str] = []
    splitter = Lines(lines.append)
    for _piece in range(100):
        splitter.hear(b"x" * 1000)
    splitter.hear(b"\nshort")
    splitter.end()
    splitter.end()
    assert [len(line) for line in lines] == [4096, 5]


def test_each_tool_is_heard_by_its_own_name() -> None:
    text = "pg_restore: warning: archive items not in correct section order\npg_dump: warning: the moon is full\n"
    assert heard(text, tool="pg_restore").counts == {"restore": 1}
    assert heard(text).counts == {"unknown": 1}
