# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came back from the host: find the runner's answer in it, or say what went wrong.

PowerShell may add text before and after, a byte order mark, CLIXML. Its messages are in the host's language: they are
quoted, never read. Only our own markers, exit codes and PowerShell's untranslated error ids count.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from typing import Any

from . import _errors
from ._payload import DAMAGED, OLDEST_PYTHON, TOO_OLD

HELLO = "wst-backup-runner"  # the same words as in _remote/runner.py, which only the host imports
MARK = "wst-backup-reply"
LARGEST = 64 << 20  # bytes of an answer; the largest of ours have half of one million
QUOTED = 1000  # characters of foreign output in a message

_LANGUAGE_MODE = re.compile(r"ConstrainedLanguage|RestrictedLanguage|NoLanguage")
_NOT_STARTED = (126, 127)


def read(stdout: str, stderr: str, exit_code: int, *, nonce: str, python: str) -> dict[str, Any]:
    """The answer to the request with this nonce.

    :param python: the interpreter as configured, for messages.
    :raises TransportError: ``python_missing``, ``python_wrong``, ``language_mode``, ``payload_damaged``,
        ``reply_damaged`` or ``module_killed`` when there is no whole answer.
    """
    found = re.search(rf"{MARK}:{nonce}:(\d+):([0-9a-f]+):(.*?):{MARK}-end", stdout, re.DOTALL)
    if found:
        # A console may have wrapped the line; nothing but the alphabet belongs to it.
        body = re.sub(r"[^A-Za-z0-9+/=]", "", found.group(3)).encode("ascii")
        if len(body) == int(found.group(1)) and hashlib.sha256(body).hexdigest().startswith(found.group(2)):
            return _unpacked(body)
    raise _explain(stdout, stderr, exit_code, nonce=nonce, python=python)


def _unpacked(body: bytes) -> dict[str, Any]:
    """The answer in a body whose digest is right; a host that is not ours any more must not fill our memory."""
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(base64.b64decode(body), LARGEST)
        if unpacker.unconsumed_tail or not unpacker.eof:
            raise _errors.ReplyDamaged(f"The answer of the host has more than {LARGEST} bytes, or no end.")
        reply: dict[str, Any] = json.loads(text)
    except (zlib.error, ValueError) as error:
        raise _errors.ReplyDamaged(f"The answer of the host is not what its runner writes ({error}).") from error
    return reply


def _explain(stdout: str, stderr: str, exit_code: int, *, nonce: str, python: str) -> _errors.TransportError:
    seen = {"exit_code": exit_code, "stdout": _tail(stdout), "stderr": _tail(stderr), "python": python}
    if f"{MARK}:{nonce}:" in stdout:
        return _errors.ReplyDamaged(f"The answer of the host was cut off or altered (exit code {exit_code}).", **seen)
    if f"{HELLO}:{nonce}" in stdout:
        return _errors.ModuleKilled(f"The module was ended from outside, exit code {exit_code}.{_quote(seen)}", **seen)
    if DAMAGED in stdout:
        return _errors.PayloadDamaged(f"The host received something else than was sent.{_quote(seen)}", **seen)
    if TOO_OLD in stdout:
        version = stdout.partition(TOO_OLD)[2].split()[:1]
        oldest = ".".join(map(str, OLDEST_PYTHON))
        return _errors.PythonWrong(f"{python} is Python {' '.join(version)}; {oldest} or newer is needed.", **seen)
    if _LANGUAGE_MODE.search(stdout + stderr):
        return _errors.LanguageMode(f"PowerShell refused to start {python}.{_quote(seen)}", **seen)
    if exit_code in _NOT_STARTED:
        return _errors.PythonMissing(f"The host could not start {python}.{_quote(seen)}", **seen)
    return _errors.PythonWrong(f"{python} did not answer as Python does, exit code {exit_code}.{_quote(seen)}", **seen)


def _tail(text: str) -> str:
    text = re.sub(rf"{HELLO}:\w+", "", text.replace("\ufeff", "")).strip()
    return text if len(text) <= QUOTED else "..." + text[-QUOTED:]


def _quote(seen: dict[str, Any]) -> str:
    said = " / ".join(seen[name] for name in ("stdout", "stderr") if seen[name])
    return f" It said: {said}" if said else " It said nothing."
