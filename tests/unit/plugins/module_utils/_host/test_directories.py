# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A handover: what is closed already, and is another account's, becomes the new one's."""

from __future__ import annotations

import ctypes
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List

import pytest

from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid, PathPermissions
from ansible_collections.wst.backup.plugins.module_utils._host.directories import handed_along, prepare
from ansible_collections.wst.backup.plugins.module_utils._platform import api

ANOTHER = "S-1-5-21-1004336348-1177238915-682003330-1107" if os.name == "nt" else "65534"


@pytest.fixture
def made(tmp_path: Path) -> List[str]:
    """Directories that are closed, and ours; in the last one is a run's, and something deeper."""
    paths = [str(tmp_path / name) for name in ("audit", "runs")]
    prepare([*paths, str(tmp_path / "runs" / "one" / "deep")], operator=None, dry_run=False)
    return paths


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Dict[str, Any]:
    """For whom each path was closed, asked of the system itself: wine keeps no list with a second account, and who is
    not root gives nothing away, so the deed is looked at on its last way."""
    given: Dict[str, Any] = {}
    if os.name != "nt":
        monkeypatch.setattr(os, "chown", lambda path, uid, gid, **_more: given.setdefault(path, str(uid)))
        return given
    from ansible_collections.wst.backup.plugins.module_utils._platform import _win32

    real = _win32.function

    def watched(name: str) -> Any:
        call = real(name)
        if name != "SetFileSecurityW":
            return call

        def set_list(path: str, parts: int, descriptor: Any) -> Any:
            text = ctypes.c_void_p()
            real("ConvertSecurityDescriptorToStringSecurityDescriptorW")(descriptor, 1, 4, ctypes.byref(text), None)
            given[path.replace("\\\\?\\", "")] = ctypes.wstring_at(text.value or 0)
            return call(path, parts, descriptor)

        return set_list

    monkeypatch.setattr(_win32, "function", watched)
    return given


def whose() -> str:
    """What ``closed`` says where another account has it."""
    if os.name != "nt":
        return ANOTHER
    return f"D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;{ANOTHER})"


def test_what_is_closed_becomes_the_other_account_s(made: List[str], closed: Dict[str, Any], tmp_path: Path) -> None:
    """With the workspaces of runs and what else stands in such a directory; what is deeper inherits."""
    along = handed_along([made[1], str(tmp_path / "is not there")])
    one = os.path.join(made[1], "one")
    assert along == [made[1], one]
    told = prepare(made, operator=ANOTHER, dry_run=True, along=along)
    assert (told["changed"], closed) == (True, {})
    assert told["directories"] == dict.fromkeys([*made, one], "others")
    assert told["problems"] == {}, "nobody has come in who may not"
    done = prepare(made, operator=ANOTHER, dry_run=False, along=along)
    assert done["directories"] == told["directories"]
    assert closed == dict.fromkeys([*made, one], whose())


def test_what_is_the_operator_s_is_left_alone(made: List[str], closed: Dict[str, Any]) -> None:
    me = api.identity()
    operator = me.sid or str(me.uid)
    told = prepare(made, operator=operator, dry_run=False)
    assert (told["changed"], set(told["directories"].values()), closed) == (False, {"private"}, {})
    assert prepare(made, operator=None, dry_run=False)["changed"] is False


def test_who_is_no_administrator_shuts_himself_out_of_nothing(
    made: List[str], closed: Dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    me = replace(api.identity(), elevated=False)
    monkeypatch.setattr(api, "identity", lambda: me)
    for dry_run in (True, False):
        with pytest.raises(PathPermissions, match="hand over as an administrator"):
            prepare(made, operator=ANOTHER, dry_run=dry_run)
    assert closed == {}
    prepare(made, operator=me.sid or str(me.uid), dry_run=False)


def test_an_account_that_is_not_known_is_named(made: List[str]) -> None:
    with pytest.raises(InputInvalid, match="does not exist on the host"):
        prepare(made, operator="nobody-of-that-name-here", dry_run=True)
