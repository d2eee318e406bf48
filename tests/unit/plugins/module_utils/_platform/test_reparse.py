# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is a link, what is a file, and where a link points, from the bytes that NTFS returns."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._platform._reparse import classify, is_link, link_target

DIRECTORY, REPARSE, OFFLINE, RECALL_OPEN, RECALL_DATA, DEVICE = 0x10, 0x400, 0x1000, 0x40000, 0x400000, 0x40
JUNCTION, SYMLINK, DEDUP, WOF, SIS, CLOUD, UNIX_SOCKET = (
    0xA0000003,
    0xA000000C,
    0x80000013,
    0x80000017,
    0x80000007,
    0x9000001A,
    0x80000023,
)


@pytest.mark.parametrize(
    ("attributes", "tag", "kind"),
    [
        (0x20, 0, "file"),
        (DIRECTORY, 0, "directory"),
        (REPARSE | DIRECTORY, JUNCTION, "link"),
        (REPARSE, SYMLINK, "link"),
        (REPARSE | DIRECTORY, SYMLINK, "link"),
        (REPARSE | OFFLINE, SYMLINK, "link"),
        (REPARSE, DEDUP, "file"),
        (REPARSE, WOF, "file"),
        (REPARSE, SIS, "file"),
        (REPARSE | DIRECTORY, CLOUD, "directory"),
        (REPARSE | RECALL_DATA, CLOUD, "placeholder"),
        (REPARSE | DIRECTORY | RECALL_OPEN, CLOUD, "placeholder"),
        (OFFLINE, 0, "placeholder"),
        (REPARSE, UNIX_SOCKET, "special"),
        (DEVICE, 0, "special"),
        (0x20, SYMLINK, "file"),  # the tag field means nothing without the attribute
    ],
)
def test_kinds(attributes: int, tag: int, kind: str) -> None:
    assert classify(attributes, tag) == kind
    assert is_link(attributes, tag) == (kind == "link")


def buffer(tag: int, substitute: str, shown: str, *, flags: bytes = b"", shown_first: bool = False) -> bytes:
    """As fsutil and mklink leave them: names side by side, each without its final zero counted."""
    a, b = substitute.encode("utf-16-le"), shown.encode("utf-16-le")
    if shown_first:
        names, places = b + a, (len(b), len(a), 0, len(b))
    else:
        names, places = a + b"\0\0" + b + b"\0\0", (0, len(a), len(a) + 2, len(b))
    body = struct.pack("<HHHH", *places) + flags + names
    return struct.pack("<IHH", tag, len(body), 0) + body


@pytest.mark.parametrize("shown", ["C:\\Users\\meyer\\AppData\\Local\\Aside\\CLI\\versions\\1.26.906.1630", ""])
def test_junctions_laid_out_as_fsutil_reports_them(shown: str) -> None:
    """The numbers are what ``fsutil reparsepoint query`` told of two junctions on Windows: one made by mklink, and one
    made by a program that left the print name out."""
    target = "C:\\Users\\meyer\\AppData\\Local\\Aside\\CLI\\versions\\1.26.906.1630"
    data = buffer(JUNCTION, "\\??\\" + target, shown)
    assert struct.unpack_from("<HHHH", data, 8) == (0, 130, 132, 122 if shown else 0)
    assert link_target(data) == target


@pytest.mark.parametrize("shown_first", [False, True])
def test_junctions_and_symlinks(shown_first: bool) -> None:
    assert link_target(buffer(JUNCTION, "\\??\\C:\\a", "C:\\a", shown_first=shown_first)) == "C:\\a"
    relative = buffer(SYMLINK, "..\\b", "..\\b", flags=struct.pack("<I", 1), shown_first=shown_first)
    assert link_target(relative) == "..\\b"


@pytest.mark.parametrize(
    ("substitute", "target"),
    [
        ("\\??\\D:\\data", "D:\\data"),
        ("\\??\\UNC\\server\\share", "\\\\server\\share"),
        (
            "\\??\\Volume{0f0f0f0f-0000-0000-0000-100000000000}\\",
            "\\??\\Volume{0f0f0f0f-0000-0000-0000-100000000000}\\",
        ),
    ],
)
def test_without_a_print_name_the_nt_name_is_told_plainly(substitute: str, target: str) -> None:
    assert link_target(buffer(JUNCTION, substitute, "")) == target


def test_wsl_links_and_other_tags() -> None:
    body = struct.pack("<I", 2) + "/mnt/c/ü".encode()
    assert link_target(struct.pack("<IHH", 0xA000001D, len(body), 0) + body) == "/mnt/c/ü"
    assert link_target(struct.pack("<IHH", DEDUP, 0, 0)) is None


@given(data=st.binary(max_size=64))
def test_any_bytes_give_a_name_or_a_value_error(data: bytes) -> None:
    try:
        target = link_target(data)
    except ValueError:
        return
    assert target is None or isinstance(target, str)


@given(cut=st.integers(0, 60))
def test_a_cut_buffer_never_gives_another_name(cut: int) -> None:
    whole = buffer(JUNCTION, "\\??\\C:\\some\\place", "C:\\some\\place")
    if cut < len(whole):
        with pytest.raises(ValueError, match=r"buffer|names"):
            link_target(whole[:cut])


@pytest.mark.parametrize(
    "body", [b"\0" * 4, struct.pack("<HHHH", 0, 40, 0, 0), struct.pack("<HHHH", 0, 0, 90, 2), b"\0\0\3\0" + b"\0" * 8]
)
def test_names_that_lie_outside_are_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="link"):
        link_target(struct.pack("<IHH", JUNCTION, len(body), 0) + body)
