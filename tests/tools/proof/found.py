# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the fuzzer has found, each kept as the smallest file that shows it."""

from __future__ import annotations

from collections.abc import Iterator

from tools.proof.case import Case


def cases() -> Iterator[Case]:
    """All of them."""
    yield from ()
