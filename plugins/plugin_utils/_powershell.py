# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a PowerShell text of any length on a host that has nothing else: how it travels, and how its answer is read.

The command line may have 3,000 characters, so it only holds a receiver: the first line of standard input is the text,
in base64 and checked by its SHA-256, and every further line is handed to the text. The receiver looks at the language
mode first, because in constrained mode the .NET calls that follow are refused with a message that explains nothing.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.wst.backup.plugins.plugin_utils import _errors
from ansible_collections.wst.backup.plugins.plugin_utils._errors import BootstrapFailed, LanguageMode, TransportError

LINE = (
    24 * 1024
)  # bytes in a line; a multiple of three, so that lines decode one by one, and small enough to be cheap there
_MODE = "wst-backup-language-mode"

# No double quotes: cmd.exe stands in the way, see windows.md's rule for the transport (_payload).
_RECEIVER = """$mode = [string]$ExecutionContext.SessionState.LanguageMode
if ($mode -ne 'FullLanguage') {{ 'wst-backup-language-mode ' + $mode; exit 96 }}
$ready = $false
foreach ($line in $input) {{
if ($ready) {{ Receive-Line $line }} else {{
$bytes = [Convert]::FromBase64String([regex]::Replace($line, '[^A-Za-z0-9+/=]', ''))
$sha = [Security.Cryptography.SHA256CryptoServiceProvider]::new()
$hex = [BitConverter]::ToString($sha.ComputeHash($bytes)).Replace('-', '').ToLowerInvariant()
if ($hex -ne '{digest}') {{ 'wst-backup-script-damaged'; exit 97 }}
. ([scriptblock]::Create([Text.Encoding]::UTF8.GetString($bytes)))
$ready = $true
}}
}}
if ($ready) {{ Complete-Request }} else {{ 'wst-backup-script-damaged'; exit 97 }}"""

# PowerShell takes typographic quotes for quotes as well (CharExtensions.IsSingleQuote in its tokenizer).
_SINGLE_QUOTES = re.compile("(['\u2018\u2019\u201a\u201b])")


def literal(value: Any) -> str:
    """A value as PowerShell source that is only data: nothing in it is ever expanded or executed.

    :raises TypeError: the value is not made of text, whole numbers, booleans, lists and dictionaries with plain keys.
    """
    if value is None:
        return "$null"
    if isinstance(value, bool):
        return "$true" if value else "$false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return "'" + _SINGLE_QUOTES.sub(r"\1\1", value) + "'"
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) and key.isidentifier() for key in value):
            raise TypeError("a dictionary with keys that are no plain words")
        return "@{" + "; ".join(f"{key} = {literal(each)}" for key, each in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "@(" + ", ".join(literal(each) for each in value) + ")"
    raise TypeError(f"a {type(value).__name__} has no PowerShell literal here")


def script_text(request: Mapping[str, Any]) -> bytes:
    """The text that does the request on the host."""
    body = (Path(__file__).parent / "_remote" / "runtime.ps1").read_text(encoding="utf-8")
    return f"$WstRequest = {literal(request)}\n{body}".encode()


def command(text: bytes) -> str:
    """The command that receives exactly this text."""
    return _RECEIVER.format(digest=hashlib.sha256(text).hexdigest())


def standard_input(text: bytes, chunks: Iterable[bytes] = ()) -> bytes:
    """What the receiver reads: the text, and then data; every chunk but the last must have ``LINE`` bytes."""
    return b"".join(base64.b64encode(part) + b"\r\n" for part in (text, *chunks))


def answer(outcome: Mapping[str, Any], *, what: str) -> list[tuple[str, str]]:
    """The facts that the text wrote, in their order.

    :param outcome: what the connection returned: ``rc``, ``stdout``, ``stderr``.
    :raises LanguageMode: PowerShell runs in a mode that refuses .NET calls.
    :raises TransportError: the failure that the text named, or ``BootstrapFailed`` where there is no complete answer.
    """
    lines = str(outcome.get("stdout") or "").replace("\ufeff", "").splitlines()
    facts = [fact for fact in map(_fact, lines) if fact]
    given = dict(facts)
    for line in lines:
        if line.startswith(_MODE):
            mode = line.rpartition(" ")[2]
            raise LanguageMode(f"PowerShell on the host runs in {mode}, which refuses the calls of {what}.", mode=mode)
    if "code" in given:
        raise _named(given["code"], given.get("message", ""))
    if "done" not in given:
        said = " ".join([*lines, str(outcome.get("stderr") or "")]).strip()[-500:]
        raise BootstrapFailed(
            f"{what} ended with exit code {outcome.get('rc')} and no answer; the host said: {said!r}."
        )
    return facts


def _named(code: str, message: str) -> TransportError:
    """The failure class of that code; the text and ``_errors`` are kept in step by a test."""
    for cls in vars(_errors).values():
        if isinstance(cls, type) and issubclass(cls, TransportError) and cls.code == code:
            return cls(message)
    return BootstrapFailed(f"{code}: {message}")


def _fact(line: str) -> tuple[str, str] | None:
    match = re.fullmatch(r"wst-backup:([a-z0-9]+):([A-Za-z0-9+/=]*)", line.strip())
    if match is None:
        return None
    try:
        return match[1], base64.b64decode(match[2], validate=True).decode("utf-8")
    except ValueError:
        return None
