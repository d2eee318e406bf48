# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one PowerShell form that the lab's own interpreter understands.

``$input | & 'C:\\path\\program.exe' 'argument' ...; if ($null -eq $LASTEXITCODE) { exit 127 }; exit $LASTEXITCODE``,
with or without ``$input | ``. Everything else is refused by name: a small interpreter that guessed would pass tests
that a real PowerShell fails.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

# PowerShell takes all of these for the single quote, and two in a row for one of them inside a string:
# https://github.com/PowerShell/PowerShell/blob/master/src/System.Management.Automation/engine/parser/CharTraits.cs
QUOTES = "'\u2018\u2019\u201a\u201b"
TAIL = "; if ($null -eq $LASTEXITCODE) { exit 127 }; exit $LASTEXITCODE"
_SHELL = re.compile(r"powershell(?:\.exe)?$", re.IGNORECASE)
_SWITCHES = {"-noprofile": 0, "-noninteractive": 0, "-executionpolicy": 1}


class Refused(Exception):
    """What the interpreter does not do, in words for the command's standard error."""


@dataclass(frozen=True)
class NativeCommand:
    """One program with its arguments; ``piped`` says that it reads the shell's input."""

    program: str
    arguments: tuple[str, ...]
    piped: bool

    def command_line(self) -> str:
        """The command line that PowerShell builds: whitespace is quoted, nothing is escaped."""
        return " ".join([f'"{self.program}"', *(_native(argument) for argument in self.arguments)])


def script_of(command_line: str) -> str:
    """The script in ``PowerShell ... -EncodedCommand <base64 of UTF-16LE>``; Refused for any other command line."""
    words = iter(command_line.split())
    program = next(words, "")
    if not _SHELL.match(program.replace("\\", "/").rpartition("/")[2]):
        raise Refused(f"the lab runs PowerShell only, not {program!r}")
    for word in words:
        name = word.lower()
        if name == "-encodedcommand":
            return _decoded(next(words, ""), rest=list(words))
        if name not in _SWITCHES:
            raise Refused(f"the lab's interpreter does not know the PowerShell option {word!r}")
        for _ in range(_SWITCHES[name]):
            next(words, "")
    raise Refused("the lab's interpreter takes -EncodedCommand only")


def _decoded(text: str, *, rest: list[str]) -> str:
    if rest:
        raise Refused(f"words after the encoded command: {' '.join(rest)!r}")
    try:
        return base64.b64decode(text, validate=True).decode("utf-16-le")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Refused(f"the encoded command is not base64 of UTF-16LE: {error}") from error


def parse(script: str) -> NativeCommand:
    """The native command in a script of the accepted form; Refused for any other script."""
    text = script.strip()
    piped = text.startswith("$input | ")
    call = text[len("$input | ") :] if piped else text
    if not call.startswith("& ") or not call.endswith(TAIL):
        raise Refused(f"the lab's interpreter understands one native command, not this script: {text[:200]!r}")
    words = list(_strings(call[2 : -len(TAIL)], script=text))
    if not words:
        raise Refused("a native command without a program")
    for word in words:
        # Windows PowerShell 5.1 and 7 pass these differently, and 5.1 drops an empty argument.
        if '"' in word or word.endswith("\\") or not word:
            raise Refused(f"the argument {word!r} reaches a program differently from one PowerShell to the next")
    return NativeCommand(program=words[0], arguments=tuple(words[1:]), piped=piped)


def _strings(text: str, *, script: str) -> Iterator[str]:
    """The single-quoted strings of ``'a' 'b''c'``, unescaped."""
    position = 0
    while position < len(text):
        if text[position] not in QUOTES:
            raise Refused(f"expected a single-quoted string at {text[position : position + 40]!r} in {script[:200]!r}")
        value, position = _string(text, position + 1)
        yield value
        if position < len(text) and text[position] != " ":
            raise Refused(f"expected one space at {text[position : position + 40]!r}")
        position += 1


def _string(text: str, position: int) -> tuple[str, int]:
    """One string's value and the position after its closing quote."""
    value: list[str] = []
    while position < len(text):
        character = text[position]
        if character in QUOTES:
            if position + 1 >= len(text) or text[position + 1] not in QUOTES:
                return "".join(value), position + 1
            position += 1
        value.append(character)
        position += 1
    raise Refused("a string without its closing quote")


def _native(argument: str) -> str:
    return f'"{argument}"' if any(character.isspace() for character in argument) else argument
