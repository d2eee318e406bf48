# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The decisions of a comparison, against simpler ones that hold everything in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._archive.members import Member
from ansible_collections.wst.backup.plugins.module_utils._errors import ArtifactDamaged
from ansible_collections.wst.backup.plugins.module_utils._platform.api import Kept
from ansible_collections.wst.backup.plugins.module_utils._restore.differences import (
    METADATA,
    Difference,
    Seen,
    Tally,
    differences,
    is_worth_reading,
    joined,
    order,
    own_list,
    owner,
)
from ansible_collections.wst.backup.plugins.module_utils._restore.selection import PARTS, Selection

NAMES = st.text(alphabet="aAbB-.é/", min_size=1, max_size=8).map(lambda text: text.strip("/").replace("//", "/") or "x")
WINDOWS = Kept(attributes=0x2007, access_lists=True, time_ns=100)
POSIX = Kept(attributes=0, access_lists=False, time_ns=100)
SHA = "ab" * 32
CONDITION = '(XA;;FX;;;WD;(@User.A == "(x)"))'


@given(st.sets(NAMES), st.sets(NAMES))
def test_joining_is_what_sets_say(listed: set[str], there: set[str]) -> None:
    members = (Member(path=path, kind="file", mtime_ns=0) for path in sorted(listed, key=order))
    entries = ((path, path) for path in sorted(there, key=order))
    pairs = list(joined(members, entries))
    assert {path for member, entry, path in pairs if member and entry} == listed & there
    assert {path for member, entry, path in pairs if member and not entry} == listed - there
    assert {path for member, entry, path in pairs if entry and not member} == there - listed
    assert all(entry is None or entry == path for _member, entry, path in pairs)
    assert len(pairs) == len(listed | there)


@given(st.lists(NAMES, min_size=2, unique=True))
def test_a_list_out_of_order_is_refused(paths: list[str]) -> None:
    wrong = sorted(paths, key=order, reverse=True)
    with pytest.raises(ArtifactDamaged):
        list(joined((Member(path=path, kind="file", mtime_ns=0) for path in wrong), iter(())))


@given(st.lists(NAMES, unique=True))
def test_a_directory_comes_right_before_what_is_in_it(paths: list[str]) -> None:
    ordered = sorted({*paths, *(path.rsplit("/", 1)[0] for path in paths)}, key=order)
    for path in ordered:
        inside = [each for each in ordered if each.startswith(path + "/")]
        first = ordered.index(path) + 1
        assert ordered[first : first + len(inside)] == inside


MEMBERS = st.builds(
    Member,
    path=st.just("wst/x"),
    kind=st.sampled_from(["file", "directory", "link"]),
    mtime_ns=st.integers(-(10**12), 10**20),
    size=st.integers(0, 3),
    sha256=st.just(SHA),
    target=st.sampled_from(["a", "b"]),
    sddl=st.sampled_from([None, "O:BAD:P(A;;FA;;;SY)"]),
    attributes=st.integers(0, 0xFFFF),
)


def as_seen(member: Member) -> Seen:
    """The entry that is this very member."""
    is_file = member.kind == "file"
    return Seen(
        kind=member.kind,
        size=member.size if is_file else 4096,
        mtime_ns=member.mtime_ns,
        attributes=member.attributes,
        target=member.target if member.kind == "link" else None,
        sha256=member.sha256 if is_file else None,
        sddl=member.sddl,
    )


@given(MEMBERS, st.sampled_from([WINDOWS, POSIX]))
def test_a_member_is_equal_to_itself(member: Member, kept: Kept) -> None:
    assert differences(member, as_seen(member), kept) == []
    assert is_worth_reading(member, as_seen(member)) is (member.kind == "file")


@given(MEMBERS, st.integers(0, 99))
def test_times_are_compared_as_finely_as_they_are_kept(member: Member, part: int) -> None:
    coarse = member._replace(mtime_ns=member.mtime_ns // 100 * 100 + part)
    assert differences(coarse, as_seen(member), WINDOWS) == []
    later = replace(as_seen(member), mtime_ns=member.mtime_ns + 100)
    assert [each.kind for each in differences(member, later, WINDOWS)] == ["time"]


CHANGES: list[tuple[str, dict[str, Any], str]] = [
    ("file", {"kind": "link"}, "kind"),
    ("directory", {"kind": "file"}, "kind"),
    ("file", {"size": 9}, "size"),
    ("file", {"sha256": "cd" * 32}, "content"),
    ("file", {"sha256": None}, "content"),
    ("link", {"target": "c"}, "target"),
    ("link", {"target": None}, "target"),
    ("file", {"attributes": 0x21}, "attributes"),
    ("directory", {"sddl": "O:BAD:(A;;FA;;;SY)"}, "permissions"),
    ("directory", {"sddl": None}, "permissions"),
    ("directory", {"sddl": "O:SYD:P(A;;FA;;;SY)"}, "owner"),
]


@pytest.mark.parametrize(("kind", "change", "told"), CHANGES)
def test_each_change_has_its_kind(kind: str, change: dict[str, Any], told: str) -> None:
    member = Member("wst/x", kind, 0, 3, SHA, 0, "a", "O:BAD:P(A;;FA;;;SY)", 0x20)
    (found,) = differences(member, replace(as_seen(member), **change), WINDOWS)
    assert (found.kind, found.path) == (told, "wst/x")
    if told in METADATA:
        assert differences(member, replace(as_seen(member), **change), POSIX) == []


def test_what_the_artifact_does_not_tell_is_not_compared() -> None:
    member = Member("wst/x", "directory", 0)
    assert differences(member, replace(as_seen(member), attributes=0x7, sddl="O:BAD:P"), WINDOWS) == []


@pytest.mark.parametrize(
    ("sddl", "who", "own"),
    [
        ("", "", (False, ())),
        ("O:BA", "BA", (False, ())),
        ("O:S-1-5-21-1-2-3-500G:DUD:", "S-1-5-21-1-2-3-500", (False, ())),
        ("O:BAG:SYD:PAI(A;;FA;;;SY)", "BA", (True, ("(A;;FA;;;SY)",))),
        ("D:AI(A;OICIID;FA;;;SY)(A;OICI;FR;;;WD)", "", (False, ("(A;OICI;FR;;;WD)",))),
        ("O:DAD:NO_ACCESS_CONTROL", "DA", (False, ())),
        ("D:P(A;;FA;;;SY)S:(AU;SA;FA;;;WD)", "", (True, ("(A;;FA;;;SY)",))),
        (
            'D:(XA;;FX;;;WD;(@User.A == "(x)"))(A;;FA;;;BA)',
            "",
            (False, ('(XA;;FX;;;WD;(@User.A == "(x)"))', "(A;;FA;;;BA)")),
        ),
        ("D:(broken", "", (False, ())),
        ("D:(A)", "", (False, ("(A)",))),
    ],
)
def test_what_of_an_sddl_is_the_entrys_own(sddl: str, who: str, own: tuple[bool, tuple[str, ...]]) -> None:
    assert owner(sddl) == who
    assert own_list(sddl) == own


@given(st.text(alphabet="OGDS:PAI();BWY", max_size=40))
def test_any_text_has_some_reading(sddl: str) -> None:
    assert own_list(sddl) == own_list(sddl)
    assert isinstance(owner(sddl), str)


def test_a_tally_keeps_the_first_of_each_kind() -> None:
    tally = Tally(show=2, ignored=("time",))
    for kind in ("extra", "time", "extra", "extra", "missing"):
        tally.add(Difference(kind, f"wst/\x07{kind}", expected="file"))
    assert tally.counts() == {"extra": 3, "missing": 1}
    assert tally.counts(ignored=True) == {"time": 1}
    assert [each["kind"] for each in tally.body()["first"]] == ["extra", "extra", "missing"]
    assert tally.body()["first"][0] == {"kind": "extra", "path": "wst/\\x07extra", "expected": "file"}
    assert not tally.equal
    assert Tally(show=2).equal


@given(st.sets(st.sampled_from(PARTS)), st.sampled_from(["wst/a", "dump.backup", "roles.sql", "wst"]))
def test_each_member_belongs_to_one_part(parts: set[str], path: str) -> None:
    selection = Selection(parts=frozenset(parts), dump="dump.backup")
    part = {"dump.backup": "dump", "roles.sql": "roles"}.get(path, "files")
    assert selection.wants(path, is_directory=False) is (part in parts)
    assert selection.whole is (parts == set(PARTS))
