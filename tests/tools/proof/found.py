# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the fuzzer has found, each kept as the smallest file that shows it."""

from __future__ import annotations

from collections.abc import Iterator

from tools.proof.case import DAMAGED, UNSUPPORTED, Case
from tools.proof.zipbytes import DEFLATED, Part, Zip, extra


def cases() -> Iterator[Case]:
    """All of them."""
    # The end of the stream within the second piece of output, and more input behind it: the reader never came back.
    behind = Part(b"a", method=DEFLATED).fill(bytes((1 << 20) + 1))
    behind.data += b"behind" * 200
    yield Case("found/bytes-behind-a-long-stream", DAMAGED, Zip([behind]).joined, "after the end of its stream")
    short = extra(0x5455, b"\x01\0\0")  # bsdtar reads no further
    yield Case("found/short-timestamp", DAMAGED, Zip([Part(b"a", central_extra=short)]).joined, "malformed")
    yield Case("found/short-local-timestamp", DAMAGED, Zip([Part(b"a", local_extra=short)]).joined, "malformed")
    fewer = extra(0x5455, b"\x03" + bytes(4))
    yield Case("found/fewer-local-timestamps", DAMAGED, Zip([Part(b"a", local_extra=fewer)]).joined, "contradicts")
    empty = extra(0x5455, b"")
    yield Case("found/empty-timestamp", DAMAGED, Zip([Part(b"a", central_extra=empty)]).joined, "malformed")
    for kind in (0x0017, 0x9901):  # bsdtar takes the field for an encrypted member
        field = extra(kind, bytes(7))
        yield Case(f"found/encryption-{kind:04x}", UNSUPPORTED, Zip([Part(b"a", central_extra=field)]).joined)
        yield Case(f"found/encryption-{kind:04x}-local", DAMAGED, Zip([Part(b"a", local_extra=field)]).joined)
    yield Case("found/no-disks", UNSUPPORTED, Zip(end64={}, locator={"disks": 0}).joined, "split")
    half = Zip(end={"here": 0xFFFF}, end64={}, locator={})  # 7z wants both or none
    yield Case("found/one-count-of-two-in-64", DAMAGED, half.joined, "contradict")
    for version in (64, 0xFF):  # zipfile refuses what we let pass
        part = Part(b"a", central={"needed": version}).fill(b"1")
        yield Case(f"found/needs-version-{version}", UNSUPPORTED, Zip([part]).joined, "needs version")
