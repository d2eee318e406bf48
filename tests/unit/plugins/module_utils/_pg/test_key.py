# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key file holds one password and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._errors import KeyMalformed, KeyMissing, KeyPermissions
from ansible_collections.wst.backup.plugins.module_utils._pg.key import parse_key, read_key

PRINTABLE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in "\"'`")


@given(st.text(alphabet=PRINTABLE, min_size=1, max_size=200), st.sampled_from([b"", b"\n", b"\r\n"]))
def test_one_line_end_is_not_part_of_the_password(password: str, end: bytes) -> None:
    assert parse_key(password.encode("ascii") + end, path="db.key") == password


@given(st.binary(max_size=60))
def test_what_is_accepted_is_printable_and_whole(data: bytes) -> None:
    try:
        password = parse_key(data, path="db.key")
    except KeyMalformed:
        return
    assert password
    assert set(password) <= set(PRINTABLE)
    assert password.encode("ascii") in (data, data[:-1], data[:-2])


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "empty"),
        (b"\n", "empty"),
        (b"secret\n\n", "more than one line"),
        (b"secret\rmore", "more than one line"),
        (b" secret", "white space"),
        (b"secret ", "white space"),
        (b"sec\tret", "white space"),
        (b'"secret"', "quotes"),
        (b"'secret'", "quotes"),
        (b"\xef\xbb\xbfsecret", "byte order mark"),
        ("secret".encode("utf-16"), "UTF-16"),
        ("secret".encode("utf-16-le"), "UTF-16"),
        ("gehäim".encode(), "outside of printable ASCII"),
        (b"x" * 5000, "larger than"),
    ],
)
def test_says_what_is_wrong_and_never_the_content(data: bytes, problem: str) -> None:
    with pytest.raises(KeyMalformed, match=problem) as caught:
        parse_key(data, path="db.key")
    assert "secret" not in str(caught.value) + repr(caught.value.facts)


def test_reads_the_file(tmp_path: Path) -> None:
    (tmp_path / "db.key").write_bytes(b"pass-word\r\n")
    assert read_key(str(tmp_path / "db.key")) == "pass-word"


def test_missing_and_directory(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing):
        read_key(str(tmp_path / "nothing"))


@pytest.mark.posix
def test_a_key_that_this_account_may_not_read(tmp_path: Path) -> None:
    path = tmp_path / "db.key"
    path.write_bytes(b"hunter2")
    path.chmod(0)
    root = os.geteuid() == 0
    if root:  # who reads everything, so the test goes on as nobody, who must get to the file
        for directory in tmp_path.parents:
            if directory.stat().st_uid == 0 and directory.stat().st_mode & 0o777 == 0o700:
                directory.chmod(0o711)
        tmp_path.chmod(0o711)
        os.seteuid(65534)
    try:
        with pytest.raises(KeyPermissions, match="cannot be read by this account"):
            read_key(str(path))
    finally:
        if root:
            os.seteuid(0)
