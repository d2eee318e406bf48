# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line that starts the host's Python, and the one line of text that it reads.

The program comes by standard input because WinRM's command line goes through cmd.exe, which takes 8,191 characters
after PowerShell's UTF-16 and base64. Standard input is text on its way through PowerShell: a byte order mark may be put
before it, a line end after it. So it is one line of base64, and its receiver drops what is not base64 and checks
length and digest.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
import shlex
import zlib
from pathlib import Path
from typing import Any

OLDEST_PYTHON = (3, 9)
LONGEST_SCRIPT = 2500  # characters; 3,000 is what fits, see above
DAMAGED = "wst-backup-payload-damaged"
TOO_OLD = "wst-backup-python-too-old"

# One line without double quotes and backslashes: then cmd.exe, Windows PowerShell, PowerShell 7 and POSIX shells pass
# it on alike. It is valid in every Python that knows -I, so that an old one can say what it is.
_BOOTSTRAP = (
    "import sys,base64,zlib,hashlib,string;"
    "sys.version_info<{oldest} and (print('{too_old} '+sys.version.split()[0]),sys.exit(97));"
    "k=(string.ascii_letters+string.digits+'+/=').encode();"
    "d=sys.stdin.buffer.read();d=d.translate(None,bytes(set(range(256))-set(k)));"
    "(len(d)!={length} or hashlib.sha256(d).hexdigest()!='{digest}')"
    " and (print('{damaged} %d of {length}'%len(d)),sys.exit(97));"
    "p=zlib.decompress(base64.b64decode(d));"
    "exec(compile(p,'wst_backup_runner','exec'),dict(__name__='wst_backup_runner',PAYLOAD=p))"
)

# PowerShell takes each of these for the single quote, and two of them in a row for one inside a string:
# https://github.com/PowerShell/PowerShell/blob/master/src/System.Management.Automation/engine/parser/CharTraits.cs
_QUOTES = re.compile("(['\u2018\u2019\u201a\u201b])")


@functools.lru_cache(maxsize=1)
def runner_text() -> str:
    """The text of the program that runs on the host, without the blank space at its end."""
    return (Path(__file__).parent / "_remote" / "runner.py").read_text(encoding="utf-8").rstrip()


def pack(request: dict[str, Any]) -> bytes:
    """The line for standard input: the runner, and the call that carries the request."""
    # json.dumps escapes everything beyond ASCII, and repr of that is one line.
    program = f"{runner_text()}\nmain({json.dumps(request)!r})\n".encode()
    # A module comes as base64 of a ZIP, where nothing repeats: looking for it took a third of a command's time here.
    strategy = zlib.Z_HUFFMAN_ONLY if "module" in request else zlib.Z_DEFAULT_STRATEGY
    packer = zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, strategy)
    return base64.b64encode(packer.compress(program) + packer.flush())


def bootstrap(line: bytes) -> str:
    """The text for Python's ``-c`` that receives exactly this line."""
    return _BOOTSTRAP.format(
        oldest=OLDEST_PYTHON,
        too_old=TOO_OLD,
        damaged=DAMAGED,
        length=len(line),
        digest=hashlib.sha256(line).hexdigest(),
    )


def windows_command(python: str, line: bytes) -> str:
    """The PowerShell script. ``$LASTEXITCODE`` stays null when the program could not be started at all."""
    argv = [python, "-I", "-X", "utf8", "-c", bootstrap(line)]
    quoted = " ".join("'" + _QUOTES.sub(r"\1\1", word) + "'" for word in argv)
    script = f"$input | & {quoted}; if ($null -eq $LASTEXITCODE) {{ exit 127 }}; exit $LASTEXITCODE"
    if len(script) > LONGEST_SCRIPT:
        raise AssertionError(f"the script has {len(script)} characters")
    return script


def posix_command(python: list[str], line: bytes) -> str:
    """The command for a POSIX shell; ``python`` may be several words (``/usr/bin/env python3``)."""
    return shlex.join([*python, "-I", "-X", "utf8", "-c", bootstrap(line)])
