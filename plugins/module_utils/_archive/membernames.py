# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which names may stand in an artifact, and when two of them are one name on Windows.

A name is refused when Windows cannot hold it or a program that extracts could be led out of its target by it.
https://learn.microsoft.com/windows/win32/fileio/naming-a-file
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Optional

MAX_COMPONENT = 255  # UTF-16 units, NTFS
MAX_PATH = 32_000  # bytes of UTF-8; Windows takes 32,767 characters with the drive and the target's own path
_LONG = MAX_PATH // 4  # characters that cannot be more than that many bytes
MAX_DEPTH = 255  # directories above one another; what is deeper only serves to wear readers out
_ILLEGAL = re.compile(r'[\x00-\x1f<>:"|?*\\/]')
# The superscript digits count too: Windows takes COM¹ for a device.
_RESERVED = re.compile("(?:CON|PRN|AUX|NUL|CONIN\\$|CONOUT\\$|(?:COM|LPT)[0-9\u00b9\u00b2\u00b3])", re.IGNORECASE)


def component_problem(name: str) -> Optional[str]:
    """Why a single name cannot stand in an artifact, or None."""
    if name in ("", ".", ".."):
        return "empty, '.' or '..'"
    if _ILLEGAL.search(name):
        return "a character that Windows does not allow"
    if name[-1] in ". ":
        return "a trailing dot or space"
    if _RESERVED.fullmatch(name.split(".", 1)[0].rstrip(" ")):
        return "a device name of Windows"
    try:
        units = len(name) if name.isascii() else len(name.encode("utf-16-le")) // 2
    except UnicodeEncodeError:
        return "not valid Unicode"
    if units > MAX_COMPONENT:
        return f"longer than {MAX_COMPONENT} characters"
    return None


def path_problem(path: str) -> Optional[str]:
    """Why a member's path cannot stand in an artifact, or None. Directories carry no trailing slash here."""
    if len(path) > _LONG:
        return _problem_of_all(path)
    above, slash, name = path.rpartition("/")
    if not slash:
        return component_problem(name)
    return _problem_above(above) or component_problem(name)


@lru_cache(maxsize=256)  # a directory stands before all that lies in it; none of these is a long one
def _problem_above(path: str) -> Optional[str]:
    return _problem_of_all(path or "/", levels=MAX_DEPTH - 1)


def _problem_of_all(path: str, *, levels: int = MAX_DEPTH) -> Optional[str]:
    if path.startswith("/"):
        return "an absolute path"
    components = path.split("/", levels + 1)
    if len(components) > levels:
        return f"more than {MAX_DEPTH} levels"
    if len(path) > _LONG and len(path.encode("utf-8", "surrogatepass")) > MAX_PATH:
        return f"more than {MAX_PATH} bytes"
    return next((problem for problem in map(component_problem, components) if problem is not None), None)


def fold(name: str) -> str:
    """The name as Windows compares it: character by character, in upper case.

    NTFS maps one UTF-16 unit to one, so that a sharp s and ``ss`` are two names there, where Python's ``casefold``
    finds one. Letters whose capital does not map back (dotless i, long s) are left alone for the same reason.
    """
    if name.isascii():
        return name.upper()
    return "".join(_upper(character) for character in name)


def _upper(character: str) -> str:
    if character > "\uffff":
        return character  # two UTF-16 units, which NTFS maps each to itself
    upper = character.upper()
    return upper if len(upper) == 1 and upper.lower() == character else character


def printable(name: str) -> str:
    """The name for messages and results, lone surrogates and control characters escaped."""
    text = name.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
