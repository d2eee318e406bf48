# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text that somebody chose who wishes the page ill."""

from __future__ import annotations

RIGHT_TO_LEFT = "\u202egnp.exe\u2066\u05d0\u05d1"  # the direction is turned and never turned back
# Ends every context that a page has, turns the direction of the line, and piles marks upon it.
EVIL = (
    "</script></style></title>--><img src=http://127.0.0.1:9/x onerror=alert(1)>\"'`><script>throw 1</script>"
    "{{ 7*7 }}{% raw %}${7*7}" + RIGHT_TO_LEFT + "\x01\U0001f600" + "\u0301" * 40
)
NASTY = EVIL + "W" * 10_000  # and is longer than any line
