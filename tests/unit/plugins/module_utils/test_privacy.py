# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every directory of ours is closed before the first byte is written in it: watched at each change of the disk."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from ansible_collections.wst.backup.plugins.module_utils._host.directories import prepare
from ansible_collections.wst.backup.plugins.module_utils._platform import _win32, api
from ansible_collections.wst.backup.tests.unit.plugins.module_utils.chain import Chain

CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.chmod"}
WINDOWS_CHANGES = ("CreateFileW", "MoveFileExW", "CreateDirectoryW", "SetFileSecurityW")


class Watch:
    """Looks at all directories below ``top``, except those of the source, whenever something is about to change."""

    def __init__(self) -> None:
        self.top = ""
        self.seen: dict[str, int] = {}
        self.open: dict[str, list[str]] = {}

    def look(self) -> None:
        """Whatever is there now was closed by the call before this one."""
        top, self.top = self.top, ""  # looking is no change
        if not top:
            return
        for directory, names, _files in os.walk(top):
            if directory == top:
                names.remove("source")
                continue
            self.seen[directory] = self.seen.get(directory, 0) + 1
            problems = api.access_problems(directory)
            if problems:
                self.open[directory] = problems
        self.top = top


WATCH = Watch()
HOOKED: list[bool] = []


def hook(event: str, arguments: tuple[Any, ...]) -> None:
    """The audit hook; it can never be taken away again, so it does nothing without a ``top``."""
    if WATCH.top and (event in CHANGES or (event == "open" and writes(*arguments))):
        WATCH.look()


def writes(path: object, mode: object, flags: object) -> bool:
    """Whether that opening may write."""
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """A watch that looks at nothing yet."""
    if not HOOKED:
        sys.addaudithook(hook)
        HOOKED.append(True)
    real = _win32.function

    def function(name: str) -> Callable[..., Any]:
        if WATCH.top and name in WINDOWS_CHANGES:
            WATCH.look()
        return real(name)

    monkeypatch.setattr(_win32, "function", function)
    WATCH.seen.clear()
    WATCH.open.clear()
    yield WATCH
    WATCH.top = ""


@pytest.fixture
def open_top(tmp_path: Path) -> str:
    """A directory as ``C:\\`` is: everybody may look into it."""
    top = tmp_path / "top"
    (top / "source").mkdir(parents=True)
    top.chmod(0o755)
    (top / "source" / "file.txt").write_bytes(b"text")
    assert api.access_problems(str(top)) != []
    return str(top)


def test_nothing_is_written_into_an_open_directory(
    open_top: str, monkeypatch: pytest.MonkeyPatch, watch: Watch
) -> None:
    chain = Chain(open_top, monkeypatch)
    watch.top = open_top
    try:
        chain.run()
        watch.look()
    finally:
        watch.top = ""
    assert watch.open == {}
    chain.check()
    ours = {os.path.relpath(directory, open_top).replace(os.sep, "/") for directory in watch.seen}
    expected = {"control", "c", "d", *(f"control/{name}" for name in ("lock", "audit", "holds", "scratch"))}
    assert expected <= ours
    assert any(name.startswith("control/scratch/") for name in ours)


def test_a_host_is_set_up_with_closed_directories(open_top: str, watch: Watch) -> None:
    """Those that are missing above them too: who may rename the parent owns what is in it."""
    below = os.path.join(open_top, "deep", "down", "backups")
    watch.top = open_top
    try:
        prepare([below], operator=None, dry_run=False)
        watch.look()
    finally:
        watch.top = ""
    assert watch.open == {}
    assert below in watch.seen


def test_the_watch_sees_an_open_directory(open_top: str, watch: Watch) -> None:
    watch.top = open_top
    os.mkdir(os.path.join(open_top, "careless"))
    os.chmod(os.path.join(open_top, "careless"), 0o755)
    Path(open_top, "careless", "file").write_bytes(b"the first byte")
    watch.top = ""
    assert list(watch.open) == [os.path.join(open_top, "careless")]
