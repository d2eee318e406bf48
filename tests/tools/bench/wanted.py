# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The targets. What limits those that are not reached was found by profiles of CPython, and by leaving parts out."""

from __future__ import annotations

from tools.bench.targets import Faster, Smaller, Target

PYTHON = (
    "each file costs some 70 µs of Python (walked twice, opened, hashed, its headers and line made), which threads do "
    "not share: for small files that is as much as compressing them"
)
PROOF = (
    "each byte of each member is unpacked, and hashed with CRC-32 and SHA-256: with two processors the calls of the "
    "libraries alone leave no more. libdeflate would be quicker, and takes streams that zlib refuses"
)
CHAIN = "its parts: the archive, the verification (see there), and two readings of what the disk holds"
ENTRIES = (
    "what is not read is still looked at (listed twice, its stamp, its access list) and looked up in the list of the "
    "archive before, whose every line is proved first"
)

TARGETS: tuple[Target, ...] = (
    Faster("build", "ours, accelerated", "zip -6", 8, no_larger=True, limit=PYTHON),
    Faster("build", "ours, accelerated", "7z -mx1", 4, limit=PYTHON),
    Faster("build", "ours, zlib", "zip -6", 4, no_larger=True, limit=f"zlib itself, and {PYTHON}"),
    Faster("fast", "ours, fast", "zip -1", 9, no_larger=True, limit=PYTHON),
    Faster("rebuild", "ours, accelerated", "zip -6", 25, limit=f"every byte is read, unpacked and compared; {PYTHON}"),
    Faster("rebuild", "ours, accelerated, what seems unchanged unread", "zip -6", 40, limit=ENTRIES),
    Faster("rebuild", "ours, accelerated, what seems unchanged unread", "zip -u", 3, limit=ENTRIES),
    Faster("verify", "ours, zlib-ng", "unzip -t", 5, limit=PROOF),
    Faster("verify", "ours, zlib", "unzip -t", 3, limit=PROOF),
    Faster("read", "ours, SHA-256, past the cache", "dd, past the cache, no digest", 1 / 1.05),
    Faster("mirror", "ours", "dd, flushed, read past the cache, no digest", 1 / 1.25),
    Faster("both", "ours, zlib, both copies, both read back", "ours, zlib, the archive alone", 1 / 1.25),
    Faster(
        "both",
        "ours, accelerated, both copies, both read back",
        "ours, accelerated, the archive alone",
        1 / 1.25,
        limit="one disk takes both copies and gives both back; the archive alone is quicker than that",
    ),
    Faster("chain", "ours, accelerated", "zip -6; unzip -t; cp; sha256sum", 10, limit=CHAIN),
    Faster("chain", "ours, zlib", "zip -6; unzip -t; cp; sha256sum", 4, limit=CHAIN),
    Faster(
        "chain",
        "ours, accelerated, one file of a hundred changed",
        "zip -6; unzip -t; cp; sha256sum",
        20,
        limit=CHAIN,
    ),
    Smaller("big", "ours, zlib", 32, limit="the blocks that threads work on, and Python with its libraries"),
    Smaller("big", "ours, accelerated", 32, limit="the blocks that threads work on, and Python with its libraries"),
    *(Smaller("files", f"{count:,} files", 64, count, 0.5) for count in (5_000, 43_000, 100_000, 1_000_000)),
)
