# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key file: the database password and nothing else.

The doctrine (R6) wants "only DB password (no quotes/whitespace)". One line end at the very end of the file (LF or CRLF)
is accepted and is not part of the password, because every editor and ``echo`` writes it; anything else is refused.
"""

from __future__ import annotations

import os
from typing import Any, Optional

from ansible_collections.wst.backup.plugins.module_utils import _fs
from ansible_collections.wst.backup.plugins.module_utils._access import explain
from ansible_collections.wst.backup.plugins.module_utils._errors import KeyMalformed, KeyMissing, KeyPermissions
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._platform import api

MAX_BYTES = 4096  # a password is shorter; a larger file is something else
_QUOTES = b"\"'`"
_HELD = (32, 33)  # Windows' sharing and lock violation, for which Python raises PermissionError too
_BOMS = ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"), (b"\xef\xbb\xbf", "UTF-8 with a byte order mark"))


def read_key(path: str) -> str:
    """The password in the key file.

    Raises ``KeyMissing`` where there is no file, ``KeyPermissions`` where this account may not read it,
    ``PathUnusable`` while another program holds it, and ``KeyMalformed`` for anything but one password in printable
    ASCII. No message has any byte of the content.
    """
    try:
        with open(api.long_path(path), "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except PermissionError as error:
        if getattr(error, "winerror", None) in _HELD:
            raise _fs.translate_oserror(error, path) from error
        raise refused(f"{path} cannot be read by this account", path) from error
    except OSError as error:
        raise KeyMissing(f"{path} cannot be opened: {error.strerror}", path=path) from error
    return parse_key(data, path=path)


def restore_key_file(layout: HostLayout) -> str:
    """The key file of who restores: ``restore.key`` where there is one, for that role may create databases."""
    own = layout.restore_key_file
    return own if os.path.exists(api.long_path(own)) else layout.key_file


def refused(problem: str, path: str, *, operator: Optional[str] = None, **facts: Any) -> KeyPermissions:
    """The failure, with whose process this is and what to paste.

    :param operator: the account that may use the key besides us, if it is another.
    """
    message, told = explain(problem, path, operator=operator)
    return KeyPermissions(message, **told, **facts)


def parse_key(data: bytes, *, path: str) -> str:
    """The password in those bytes; raises ``KeyMalformed``, whose message says what is wrong but never the content."""
    problem = _problem(data)
    if problem is not None:
        raise KeyMalformed(f"{path} {problem}", path=path, problem=problem)
    return _without_line_end(data).decode("ascii")


def _without_line_end(data: bytes) -> bytes:
    for end in (b"\r\n", b"\n"):
        if data.endswith(end):
            return data[: -len(end)]
    return data


def _problem(data: bytes) -> Optional[str]:
    if len(data) > MAX_BYTES:
        return f"is larger than {MAX_BYTES} bytes: not a password"
    for mark, name in _BOMS:
        if data.startswith(mark):
            return f"is {name}, not plain ASCII"
    password = _without_line_end(data)
    if not password:
        return "is empty"
    if b"\0" in password:
        return "has zero bytes: it is UTF-16 or binary"
    if b"\n" in password or b"\r" in password:
        return "has more than one line"
    if any(byte in b" \t\v\f" for byte in password):
        return "has white space"
    if any(byte < 0x21 or byte > 0x7E for byte in password):
        return "has characters outside of printable ASCII"
    if any(byte in _QUOTES for byte in password):
        return "has quotes"
    return None
