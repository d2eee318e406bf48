# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the Windows side that decide without asking Windows."""

from __future__ import annotations

import struct

import pytest

from ansible_collections.wst.backup.plugins.module_utils._platform import _windows_process, _windows_volume
from ansible_collections.wst.backup.plugins.module_utils._platform._windows_files import extended, long_path, plain


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("C:\\a\\b", "\\\\?\\C:\\a\\b"),
        ("C:/a/b", "\\\\?\\C:\\a\\b"),
        ("C:\\a\\.\\..\\b\\\\c", "\\\\?\\C:\\b\\c"),
        ("C:\\..\\a", "\\\\?\\C:\\a"),
        ("C:\\", "\\\\?\\C:\\"),
        ("C:\\a\\name.", "\\\\?\\C:\\a\\name."),
        ("C:\\a\\nul ", "\\\\?\\C:\\a\\nul "),
        ("\\\\server\\share\\x\\..\\y", "\\\\?\\UNC\\server\\share\\y"),
        ("//server/share", "\\\\?\\UNC\\server\\share"),
    ],
)
def test_long_paths(path: str, expected: str) -> None:
    assert extended(path) == expected
    assert long_path(path) == expected
    assert long_path(long_path(path)) == expected


@pytest.mark.parametrize("path", ["\\\\.\\PhysicalDrive0", "\\\\?\\Volume{0}\\x"])
def test_device_paths_stay_what_they_are(path: str) -> None:
    assert long_path(path) == path


def extents(*disks: int) -> bytes:
    body = b"".join(struct.pack("<IIqq", disk, 0, 0, 1 << 40) for disk in disks)
    return struct.pack("<II", len(disks), 0) + body


def test_the_disks_of_a_volume() -> None:
    assert _windows_volume.disk_extents(extents(0)) == "0"
    assert _windows_volume.disk_extents(extents(2, 1, 2)) == "1+2"
    assert _windows_volume.disk_extents(extents()) is None
    assert _windows_volume.disk_extents(b"") is None
    with pytest.raises(OSError, match="too early"):
        _windows_volume.disk_extents(extents(1, 2)[:20])


def test_the_disk_of_a_device() -> None:
    assert _windows_volume.device_number(struct.pack("<III", 7, 3, 1)) == "3"
    assert _windows_volume.device_number(struct.pack("<III", 2, 0, 0)) is None  # an optical drive


@pytest.mark.parametrize(("code", "bus"), [(7, "usb"), (11, "sata"), (17, "nvme"), (0, None), (99, None)])
def test_buses(code: int, bus: object) -> None:
    assert _windows_volume.bus_type(b"\0" * 28 + struct.pack("<I", code) + b"\0" * 8) == bus


def test_an_answer_that_was_not_given_is_no_answer() -> None:
    with pytest.raises(OSError, match="too early"):
        _windows_volume.bus_type(b"\0" * 20)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("\\\\?\\D:\\", "D:\\"), ("D:\\", "D:\\"), ("\\\\?\\UNC\\s\\x\\", "\\\\s\\x\\"), ("\\\\?\\Volume{1}\\",) * 2],
)
def test_plain_paths(path: str, expected: str) -> None:
    assert plain(path) == expected


@pytest.mark.parametrize("code", [0xC0000135, 0xC0000135 - (1 << 32)])
def test_a_missing_dll_is_told_from_an_exit_code(code: int) -> None:
    assert "missing" in (_windows_process.start_failure(code) or "")


def test_ordinary_exit_codes_are_not_failures_to_start() -> None:
    assert [_windows_process.start_failure(code) for code in (0, 1, 255, 0xC0000005)] == [None] * 4
