# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alternate data streams as Windows tells them, from a stand-in of its three functions: wine has no streams."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any, Callable

import pytest

from ansible_collections.wst.backup.plugins.module_utils._platform import _win32, _windows_streams, api
from ansible_collections.wst.backup.plugins.module_utils._platform._windows_streams import named_streams, stream_name

PATH = "C:\\data\\file.txt"


class Windows:
    """Answers FindFirstStreamW and its like, and counts what is open."""

    def __init__(self, streams: list[str], *, end: int = 38) -> None:
        self._streams = list(streams)
        self._end = end
        self.asked: list[str] = []
        self.opened = self.closed = 0

    def function(self, name: str) -> Callable[..., Any]:
        """In the place of ``_win32.function``."""
        return {"FindFirstStreamW": self._first, "FindNextStreamW": self._next, "FindClose": self._close}[name]

    def last_error(self, path: str | None = None) -> OSError:
        """In the place of ``_win32.last_error``."""
        error = OSError(0, "told by Windows", path)
        error.winerror = self._end  # type: ignore[attr-defined]
        return error

    def _first(self, path: str, level: int, found: Any, flags: int) -> Any:
        self.asked.append(path)
        assert (level, flags) == (0, 0)
        if not self._streams:
            return _win32.INVALID_HANDLE
        self.opened += 1
        self._tell(found)
        return 77

    def _next(self, handle: int, found: Any) -> int:
        assert handle == 77
        if not self._streams:
            return 0
        self._tell(found)
        return 1

    def _tell(self, found: Any) -> None:
        data = self._streams.pop(0).encode("utf-16-le", "surrogatepass") + b"\0\0"
        ctypes.memmove(ctypes.addressof(found._obj) + 8, data, len(data))

    def _close(self, handle: int) -> int:
        self.closed += 1
        return 1


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Windows]:
    """A stand-in with these streams."""

    def make(*streams: str, end: int = 38) -> Windows:
        stand_in = Windows(list(streams), end=end)
        monkeypatch.setattr(_win32, "function", stand_in.function)
        monkeypatch.setattr(_win32, "last_error", stand_in.last_error)
        return stand_in

    return make


@pytest.mark.parametrize(
    ("streams", "names"),
    [
        ([], ()),
        (["::$DATA"], ()),
        (["::$DATA", ":Zone.Identifier:$DATA"], ("Zone.Identifier",)),
        ([":a:$DATA", ":b c:$DATA"], ("a", "b c")),  # of a directory, which has no content of its own
        (["::$DATA", ":lange Namen, dann kurz:$DATA", ":x:$DATA"], ("lange Namen, dann kurz", "x")),
        (["::$DATA", ":\ud800\U0001f600:$DATA"], ("\ud800\U0001f600",)),
        (["::$DATA", ":" + "n" * 255 + ":$DATA"], ("n" * 255,)),
    ],
)
def test_the_names_of_streams(windows: Callable[..., Windows], streams: list[str], names: tuple[str, ...]) -> None:
    stand_in = windows(*streams)
    assert named_streams(PATH) == names
    assert stand_in.asked == ["\\\\?\\" + PATH]
    assert stand_in.opened == stand_in.closed == bool(streams)


def test_a_file_system_without_streams(windows: Callable[..., Windows]) -> None:
    windows(end=87)
    assert named_streams(PATH) == ()


@pytest.mark.parametrize("streams", [[], ["::$DATA"]])
def test_what_windows_refuses_to_tell_is_no_empty_answer(windows: Callable[..., Windows], streams: list[str]) -> None:
    stand_in = windows(*streams, end=5)
    with pytest.raises(OSError, match="told by Windows"):
        named_streams(PATH)
    assert stand_in.opened == stand_in.closed


@pytest.mark.parametrize(
    ("text", "name"),
    [("::$DATA", None), (":a:$DATA", "a"), (":a:$INDEX_ALLOCATION", "a:$INDEX_ALLOCATION"), ("a", "a")],
)
def test_the_marks_of_a_name(text: str, name: str | None) -> None:
    assert stream_name(text) == name


def test_the_struct_is_as_large_as_windows_says() -> None:
    assert ctypes.sizeof(_windows_streams._Found) == 600


def test_an_ordinary_file_has_none(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    assert api.named_streams(str(path)) == ()
    assert api.named_streams(str(tmp_path)) == ()
    assert api.volume(str(tmp_path)).named_streams in (False, True, None)
