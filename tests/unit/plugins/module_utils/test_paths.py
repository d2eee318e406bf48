# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
r"""Every path that Windows is given begins with ``\\?\``: watched at each call, on a tree deeper than MAX_PATH.

Windows' own limit is 260 characters (248 for directories) unless an administrator has lifted it; wine has none, so
nothing but a watch can show a path that would fail there.
"""

from __future__ import annotations

import ctypes
import ntpath
import os
import sys
from collections.abc import Iterator
from typing import Any, Callable

import pytest

from ansible_collections.wst.backup.plugins.module_utils._platform import _win32, api
from ansible_collections.wst.backup.tests.unit.plugins.module_utils.chain import Chain

pytestmark = pytest.mark.windows

LIMIT = 240  # some functions take 248 characters, and a name is still to come
PREFIXES = ("\\\\?\\", "\\\\.\\")
EVENTS = ("open", "os.", "shutil.", "subprocess.Popen", "ctypes.dlopen")


class Watch:
    """Collects the paths that Python and our own calls hand to Windows without the prefix.

    ``os.stat`` and its like raise no audit event, and neither do calls through ctypes: both are watched by hand.
    """

    def __init__(self) -> None:
        self.on = False
        self.refused: list[str] = []
        self.seen: set[str] = set()

    def look(self, what: str, *values: object) -> None:
        """One call; raises for a path that real Windows might not take."""
        if not self.on:
            return
        self.seen.add(what)
        for value in values:
            text = os.fsdecode(value) if isinstance(value, (str, bytes, os.PathLike)) else ""
            if not text.startswith(PREFIXES) and (len(text) >= LIMIT or is_bent(text)):
                self.refused.append(f"{what}: {text[-60:]}")
                raise AssertionError(f"{what} got {len(text)} characters without the prefix: {text}")


def is_bent(path: str) -> bool:
    """Whether Windows makes another name of it: without the prefix it drops trailing dots and spaces."""
    parts = path.replace("/", "\\").split("\\") if path[1:3] == ":\\" else []
    return any(part and part not in (".", "..") and part[-1] in ". " for part in parts)


WATCH = Watch()
HOOKED: list[bool] = []


def hook(event: str, arguments: tuple[Any, ...]) -> None:
    """The audit hook; it can never be taken away again, so it has a switch."""
    if WATCH.on and event.startswith(EVENTS):
        WATCH.look(event, *arguments)


def watched(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, its first argument looked at."""

    def call(path: Any, *arguments: Any, **options: Any) -> Any:
        WATCH.look(name, path)
        return function(path, *arguments, **options)

    return call


def final_path(path: str) -> str:
    """As Windows answers where there are no links; wine 8 has no room for an answer of more than 260 characters."""
    os.stat(path)
    return path


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """A watch that is not on yet."""
    if not HOOKED:
        sys.addaudithook(hook)
        HOOKED.append(True)
    real = _win32.function

    def function(name: str) -> Callable[..., Any]:
        call = real(name)
        texts = [index for index, kind in enumerate(call.argtypes) if kind is ctypes.c_wchar_p]  # type: ignore[attr-defined]

        def checked(*arguments: Any) -> Any:
            WATCH.look(name, *(arguments[index] for index in texts if isinstance(arguments[index], str)))
            return call(*arguments)

        return checked

    monkeypatch.setattr(_win32, "function", function)
    for name in ("stat", "lstat"):
        monkeypatch.setattr(os, name, watched(f"os.{name}", getattr(os, name)))
    monkeypatch.setattr(ntpath, "_getfinalpathname", watched("_getfinalpathname", final_path))
    WATCH.refused.clear()
    WATCH.seen.clear()
    yield WATCH
    WATCH.on = False


def deep(top: str, count: int = 5) -> str:
    """A directory that far down, which is made."""
    for _ in range(count):
        top = os.path.join(top, "d" * 60)
    os.makedirs(api.long_path(top))
    return top


def fill(path: str) -> None:
    """A source with a file at its top and one far below."""
    below = deep(path)
    for place in (path, below):
        with api.create_new(os.path.join(place, "file.txt")) as file:
            file.write(b"text" * 100)


def test_no_step_gives_windows_a_long_path_without_the_prefix(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, watch: Watch
) -> None:
    chain = Chain(deep(str(tmp_path)), monkeypatch)
    fill(chain.source.path)
    watch.on = True
    try:
        chain.run()
        chain.recover()
    finally:
        watch.on = False
    assert watch.refused == []
    chain.check()
    chain.check_recovery()
    assert {"open", "os.stat", "os.lstat", "os.scandir", "os.remove", "os.rmdir", "CreateFileW"} <= watch.seen
    assert {"MoveFileExW", "CreateDirectoryW", "_getfinalpathname"} <= watch.seen


def test_the_watch_sees_each_way(tmp_path: Any, watch: Watch) -> None:
    long, bent = os.path.join(str(tmp_path), "x" * LIMIT), os.path.join(str(tmp_path), "name.")
    ways = (open, os.stat, os.lstat, os.listdir, os.scandir, os.mkdir, os.unlink, os.rmdir, os.path.realpath)
    watch.on = True
    for way in ways:
        for path in (long, bent):
            with pytest.raises(AssertionError, match="without the prefix"):
                way(path)
    with pytest.raises(AssertionError, match="without the prefix"):
        _win32.function("GetFileAttributesW")(long)
    assert api.access_problems(str(tmp_path)) is not None
    with pytest.raises(FileNotFoundError):
        os.stat(api.long_path(long))
