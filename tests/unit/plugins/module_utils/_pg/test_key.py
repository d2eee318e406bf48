# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key file holds one password and nothing else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    KeyMalformed,
    KeyMissing,
    KeyPermissions,
    PathUnusable,
)
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._pg import key
from ansible_collections.wst.backup.plugins.module_utils._pg.key import parse_key, read_key, restore_key_file
from ansible_collections.wst.backup.plugins.module_utils._platform import api

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
        with pytest.raises(KeyPermissions, match="cannot be read by this account") as caught:
            read_key(str(path))
    finally:
        if root:
            os.seteuid(0)
    uid = 65534 if root else os.geteuid()
    assert f"(uid {uid}, gid " in caught.value.message
    assert f"chown {uid} {path}; chmod 600 {path}" in caught.value.message
    assert caught.value.facts["identity"]["uid"] == uid


def denied(winerror: int) -> Callable[..., Any]:
    def opened(*_arguments: Any) -> Any:
        error = PermissionError(13, "Permission denied", "db.key")
        error.winerror = winerror
        raise error

    return opened


FILTERED = api.Identity(
    name="HOST\\backup",
    sid="S-1-5-21-1-2-3-1001",
    uid=None,
    elevated=False,
    deny_only=("S-1-5-114", "S-1-5-32-544"),
    elevation="limited",
)


def test_an_administrator_with_a_filtered_token_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is an administrator wonders why the list, which has Administrators, does not let them in."""
    monkeypatch.setattr(key, "open", denied(5), raising=False)
    monkeypatch.setattr(key.api, "identity", lambda: FILTERED)
    monkeypatch.setattr(key.api, "closing_commands", lambda path, operator=None: [f"icacls '{path}' ...", "second"])
    with pytest.raises(KeyPermissions) as caught:
        read_key("db.key")
    message, facts = caught.value.message, caught.value.facts
    assert message.startswith(
        "db.key cannot be read by this account. This process is HOST\\backup (S-1-5-21-1-2-3-1001)"
    )
    assert "that group is deny-only in this filtered token" in message
    assert message.endswith("an elevated administrator runs on the host: icacls 'db.key' ...; second")
    assert facts["commands"] == ["icacls 'db.key' ...", "second"]
    assert facts["identity"]["deny_only"] == ("S-1-5-114", "S-1-5-32-544")
    assert (facts["identity"]["elevated"], facts["identity"]["elevation"]) == (False, "limited")


def test_a_system_that_does_not_tell_does_not_hide_the_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def mute(*_arguments: Any) -> Any:
        raise OSError(0, "not supported")

    monkeypatch.setattr(key, "open", denied(5), raising=False)
    monkeypatch.setattr(key.api, "identity", mute)
    monkeypatch.setattr(key.api, "closing_commands", mute)
    with pytest.raises(KeyPermissions) as caught:
        read_key("db.key")
    assert caught.value.message == "db.key cannot be read by this account. Whose process this is could not be told."
    assert caught.value.facts == {"path": "db.key", "identity": None, "commands": []}


@pytest.mark.parametrize("winerror", [32, 33])
def test_a_key_that_somebody_holds_is_no_matter_of_permissions(monkeypatch: pytest.MonkeyPatch, winerror: int) -> None:
    """Python raises PermissionError for a sharing violation too."""
    monkeypatch.setattr(key, "open", denied(winerror), raising=False)
    with pytest.raises(PathUnusable, match="another program"):
        read_key("db.key")


def test_who_restores_has_a_key_of_its_own_where_there_is_one(tmp_path: Path) -> None:
    layout = HostLayout(str(tmp_path))
    assert restore_key_file(layout) == layout.key_file
    Path(layout.restore_key_file).touch()
    assert restore_key_file(layout) == layout.restore_key_file
