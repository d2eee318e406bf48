# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be put back is named, and only a full disk stops a restore."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict

import pytest

from ansible_collections.wst.backup.plugins.module_utils._archive.members import Member
from ansible_collections.wst.backup.plugins.module_utils._archive.notes import Notes
from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid, NoSpace
from ansible_collections.wst.backup.plugins.module_utils._fs import remove_tree
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._restore import targets
from ansible_collections.wst.backup.plugins.module_utils._restore.putback import PutBack

WINDOWS = api.Kept(attributes=0x2007, access_lists=True, time_ns=100)
MEMBER = Member("wst/x", "file", 10**18, target="there", sddl="D:P", attributes=0x1)


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> Notes:
    """On a system that has everything, every call of which fails as a test says."""
    monkeypatch.setattr(api, "kept_metadata", lambda: WINDOWS)
    return Notes()


CALLS = {"link": "make_link", "time": "set_time", "attributes": "set_attributes", "permissions": "apply_sddl"}


def do(kind: str, put_back: PutBack, path: str) -> Any:
    """Put that back."""
    name = {"permissions": "access_list"}.get(kind, kind)
    return getattr(put_back, name)(path, MEMBER)


@pytest.mark.parametrize("kind", CALLS)
def test_a_refusal_is_named_and_goes_on(monkeypatch: pytest.MonkeyPatch, lost: Notes, kind: str) -> None:
    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise PermissionError(13, "not yours")

    monkeypatch.setattr(api, CALLS[kind], refuse)
    assert not do(kind, PutBack(lost), "x")
    assert lost.body() == {"counts": {kind: 1}, "first": [{"kind": kind, "path": "wst/x", "reason": "not yours"}]}


@pytest.mark.parametrize("kind", CALLS)
def test_a_full_disk_stops(monkeypatch: pytest.MonkeyPatch, lost: Notes, kind: str) -> None:
    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise OSError(28, "full")

    monkeypatch.setattr(api, CALLS[kind], refuse)
    with pytest.raises(NoSpace):
        do(kind, PutBack(lost), "x")


def test_an_owner_that_may_not_be_given_is_named(monkeypatch: pytest.MonkeyPatch, lost: Notes) -> None:
    applied: Dict[str, str] = {}
    monkeypatch.setattr(api, "apply_sddl", lambda path, text: bool(applied.update({path: text})))
    PutBack(lost).access_list("x", MEMBER)
    assert applied == {"x": "D:P"}
    assert lost.body()["counts"] == {"owner": 1}
    PutBack(lost).access_list("x", Member("wst/y", "file", 0))
    assert lost.body()["counts"] == {"owner": 1}


def test_a_target_that_no_name_can_be_is_named(tmp_path: Path) -> None:
    lost = Notes()
    member = Member("wst/x", "link", 0, target="a\0b")
    assert not PutBack(lost).link(str(tmp_path / "x"), member)
    assert lost.body()["counts"] == {"link": 1}
    assert os.listdir(tmp_path) == []


def test_whole_paths_only() -> None:
    here = os.path.abspath("x")
    for path in (here, here + os.sep, here + "/.", os.path.join(os.path.dirname(here), ".", "x")):
        assert targets.whole(path) == here
    for path in ("x", "", os.path.dirname(os.path.abspath(os.sep)), here + "/../y"):
        with pytest.raises(InputInvalid):
            targets.whole(path)


def test_the_scratch_directory_itself_is_no_place_in_it(tmp_path: Path) -> None:
    layout = HostLayout(str(tmp_path))
    assert not targets.in_scratch(layout.scratch_dir, layout)
    assert targets.in_scratch(os.path.join(layout.scratch_dir, "x"), layout)
    assert not targets.in_scratch(layout.scratch_dir + "-2", layout)
    assert not targets.in_scratch(os.path.join(layout.scratch_dir, "..", "x"), layout)


@pytest.mark.windows
def test_a_restored_tree_with_read_only_directories_can_be_removed(tmp_path: Path) -> None:
    tree = tmp_path / "tree" / "sub"
    tree.mkdir(parents=True)
    (tree / "file").write_bytes(b"x")
    for path in (tree / "file", tree, tree.parent):
        api.set_attributes(str(path), 0x1)
    assert remove_tree(str(tmp_path / "tree"), inside=str(tmp_path))
    assert os.listdir(tmp_path) == []
