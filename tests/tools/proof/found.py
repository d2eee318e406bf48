# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the fuzzer has found, each kept as the smallest file that shows it."""

from __future__ import annotations

from collections.abc import Iterator

from tools.proof.case import DAMAGED, UNSUPPORTED, Case
from tools.proof.zipbytes import DEFLATED, Part, Zip


def cases() -> Iterator[Case]:
    """All of them."""
    # The end of the stream within the second piece of output, and more input behind it: the reader never came back.
    behind = Part(b"a", method=DEFLATED).fill(bytes((1 << 20) + 1))
    behind.data += b"behind" * 200
    yield Case("found/bytes-behind-a-long-stream", DAMAGED, Zip([behind]).joined, "after the end of its stream")
    for version in (64, 0xFF):  # zipfile refuses what we let pass
        part = Part(b"a", central={"needed": version}).fill(b"1")
        yield Case(f"found/needs-version-{version}", UNSUPPORTED, Zip([part]).joined, "needs version")
