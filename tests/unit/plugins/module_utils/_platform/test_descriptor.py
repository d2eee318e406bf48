# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access lists, from the bytes that Windows returns."""

from __future__ import annotations

import struct
from typing import List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._platform._descriptor import (
    closing_commands,
    gives_all,
    is_its_own,
    parse_descriptor,
    sid_text,
    strangers,
)

SYSTEM, ADMINISTRATORS, USERS, EVERYONE = "S-1-5-18", "S-1-5-32-544", "S-1-5-32-545", "S-1-1-0"
OPERATOR = "S-1-5-21-1-2-3-1001"
FULL, READ_ONLY, TRAVERSE = 0x1F01FF, 0x120089, 0x100020


def sid(text: str) -> bytes:
    parts = [int(part) for part in text.split("-")[1:]]
    return (
        struct.pack("<BB", parts[0], len(parts) - 2)
        + parts[1].to_bytes(6, "big")
        + struct.pack(f"<{len(parts) - 2}I", *parts[2:])
    )


def ace(who: str, mask: int, kind: int = 0, flags: int = 3) -> bytes:
    body = struct.pack("<I", mask) + sid(who)
    return struct.pack("<BBH", kind, flags, 4 + len(body)) + body


def descriptor(owner: str, aces: List[bytes], *, control: int = 0x9004, no_list: bool = False) -> bytes:
    owner_bytes = sid(owner)
    acl = b"" if no_list else struct.pack("<BBHHH", 2, 0, 8 + sum(map(len, aces)), len(aces), 0) + b"".join(aces)
    at = 20 + len(owner_bytes)
    return struct.pack("<BBHIIII", 1, 0, control, 20, 0, 0, 0 if no_list else at) + owner_bytes + acl


PRIVATE = [ace(SYSTEM, FULL), ace(ADMINISTRATORS, FULL), ace(OPERATOR, FULL)]


def test_a_private_directory_has_no_strangers() -> None:
    parsed = parse_descriptor(descriptor(ADMINISTRATORS, PRIVATE))
    assert parsed.owner == ADMINISTRATORS
    assert parsed.protected
    assert [entry.sid for entry in parsed.aces or ()] == [SYSTEM, ADMINISTRATORS, OPERATOR]
    assert strangers(parsed, {OPERATOR}) == {}


@pytest.mark.parametrize(
    ("who", "mask", "verbs"),
    [
        (USERS, READ_ONLY, ["read"]),
        (USERS, 0x2, ["write"]),
        (USERS, 0x4, ["write"]),
        (EVERYONE, FULL, ["read", "write", "control"]),
        (EVERYONE, 0x10000000, ["read", "write", "control"]),
        (EVERYONE, 0x80000000, ["read"]),
        (EVERYONE, 0x00040000, ["control"]),
        (USERS, TRAVERSE, None),
        ("S-1-3-0", FULL, None),  # CREATOR OWNER
    ],
)
def test_strangers_are_named_with_what_they_may(who: str, mask: int, verbs: object) -> None:
    parsed = parse_descriptor(descriptor(OPERATOR, [*PRIVATE, ace(who, mask)]))
    assert strangers(parsed, {OPERATOR}) == ({who: verbs} if verbs else {})


def test_denials_give_nothing() -> None:
    assert strangers(parse_descriptor(descriptor(OPERATOR, [ace(EVERYONE, FULL, kind=1), *PRIVATE])), {OPERATOR}) == {}


def test_object_entries_are_read_past_their_guids() -> None:
    body = struct.pack("<II", 0x1, 3) + b"g" * 32 + sid(USERS)
    entry = struct.pack("<BBH", 5, 0, 4 + len(body)) + body
    assert strangers(parse_descriptor(descriptor(OPERATOR, [entry])), {OPERATOR}) == {USERS: ["read"]}


def test_a_foreign_owner_may_give_himself_everything() -> None:
    assert strangers(parse_descriptor(descriptor(USERS, PRIVATE)), {OPERATOR}) == {USERS: ["own"]}


@pytest.mark.parametrize("data", [descriptor(SYSTEM, [], no_list=True), descriptor(SYSTEM, [], control=0x8000)])
def test_without_a_list_everyone_may_do_everything(data: bytes) -> None:
    assert strangers(parse_descriptor(data), {OPERATOR}) == {EVERYONE: ["read", "write", "control"]}


@pytest.mark.parametrize(
    ("aces", "all_of_it"),
    [
        (PRIVATE, True),
        ([ace(OPERATOR, READ_ONLY)], False),
        ([ace(OPERATOR, FULL, kind=1)], False),  # denied
        ([ace(OPERATOR, FULL, flags=0xB)], False),  # for what is below only
        ([ace(EVERYONE, FULL)], False),
        ([], False),
    ],
)
def test_who_has_everything_is_named_in_the_list(aces: List[bytes], all_of_it: bool) -> None:
    assert gives_all(parse_descriptor(descriptor(SYSTEM, aces)), OPERATOR) == all_of_it
    assert not gives_all(parse_descriptor(descriptor(SYSTEM, [], no_list=True)), OPERATOR)


def test_what_came_from_above_is_marked() -> None:
    parsed = parse_descriptor(descriptor(SYSTEM, [ace(SYSTEM, FULL), ace(USERS, FULL, flags=0x13)]))
    assert [entry.inherited for entry in parsed.aces or ()] == [False, True]


def test_a_list_that_does_not_advance_is_refused() -> None:
    entry = bytearray(ace(SYSTEM, FULL))
    entry[2:4] = struct.pack("<H", 4)
    with pytest.raises(ValueError, match="advance"):
        parse_descriptor(descriptor(SYSTEM, [bytes(entry)]))


def test_an_empty_list_lets_nobody_in() -> None:
    assert strangers(parse_descriptor(descriptor(SYSTEM, [])), {OPERATOR}) == {}


@given(parts=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=15), authority=st.integers(0, 2**48 - 1))
def test_sids_come_back(parts: List[int], authority: int) -> None:
    text = "-".join(["S", "1", str(authority), *map(str, parts)])
    assert sid_text(b"xx" + sid(text), 2) == text


@given(data=st.binary(max_size=120), cut=st.tuples(st.integers(0, 150), st.integers(0, 150)))
def test_any_bytes_give_a_descriptor_or_a_value_error(data: bytes, cut: Tuple[int, int]) -> None:
    whole = descriptor(OPERATOR, PRIVATE)
    for candidate in (data, whole[: cut[0]], whole[: cut[0]] + data[: cut[1]]):
        try:
            parse_descriptor(candidate)
        except ValueError:
            pass


GRANT = "icacls 'C:\\k' /inheritance:r /grant:r " + f'"*{SYSTEM}:F" "*{ADMINISTRATORS}:F" "*{OPERATOR}:F"'


def test_the_commands_name_whom_they_remove() -> None:
    """/grant:r leaves the entries of whom it does not name."""
    listed = descriptor(ADMINISTRATORS, [*PRIVATE, ace(USERS, FULL), ace(EVERYONE, READ_ONLY), ace(USERS, READ_ONLY)])
    commands = closing_commands("C:\\k", parse_descriptor(listed), [OPERATOR])
    assert commands == [f'{GRANT} /remove:g "*{USERS}" "*{EVERYONE}"']


def test_the_commands_lift_what_denies_us() -> None:
    listed = descriptor(ADMINISTRATORS, [ace(OPERATOR, FULL, kind=1), ace(USERS, FULL, kind=1), *PRIVATE])
    commands = closing_commands("C:\\k", parse_descriptor(listed), [OPERATOR])
    assert commands == [f'{GRANT} /remove:d "*{OPERATOR}"']


def test_the_commands_give_a_stranger_s_file_to_administrators() -> None:
    parsed = parse_descriptor(descriptor(USERS, PRIVATE))
    assert closing_commands("C:\\k", parsed, [OPERATOR]) == [
        f"icacls 'C:\\k' /setowner \"*{ADMINISTRATORS}\"",
        GRANT,
    ]


def test_the_commands_without_the_list() -> None:
    assert closing_commands("C:\\k", None, [OPERATOR, OPERATOR]) == [GRANT]
    assert "*S-1-5-18:(OI)(CI)F" in closing_commands("C:\\k", None, [OPERATOR], directory=True)[0]
    assert closing_commands("C:\\it's $1", None, [])[0].startswith("icacls 'C:\\it''s $1' /inheritance:r")
    no_list = parse_descriptor(descriptor(ADMINISTRATORS, [], no_list=True))
    assert closing_commands("C:\\k", no_list, [OPERATOR]) == [f'{GRANT} /remove:g "*{EVERYONE}"']


INHERITED = 0x10


@pytest.mark.parametrize(
    ("data", "own"),
    [
        (descriptor(SYSTEM, [ace(USERS, FULL, flags=INHERITED)], control=0x8404), False),
        (descriptor(SYSTEM, [ace(USERS, FULL, flags=INHERITED | 3)] * 2, control=0x8404), False),
        (descriptor(SYSTEM, [ace(USERS, FULL, flags=INHERITED), ace(EVERYONE, FULL, flags=0)], control=0x8404), True),
        (descriptor(SYSTEM, [ace(EVERYONE, FULL, kind=1, flags=0)], control=0x8404), True),
        (descriptor(SYSTEM, [ace(USERS, FULL, flags=INHERITED)], control=0x9004), True),  # cut off from above
        (descriptor(SYSTEM, [], control=0x8404), True),
        (descriptor(SYSTEM, [], control=0x8404, no_list=True), True),
        (descriptor(SYSTEM, [], control=0x8000, no_list=True), True),
    ],
)
def test_a_list_is_an_entry_s_own_unless_all_of_it_came_from_above(data: bytes, own: bool) -> None:
    assert is_its_own(parse_descriptor(data)) is own
