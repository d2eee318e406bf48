# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the small PowerShell interpreter takes, and what it refuses."""

from __future__ import annotations

import base64

import pytest

from wstlab.client import TAIL, encoded_command, native_script
from wstlab.listener.lanes import Interpreter
from wstlab.listener.native_command import NativeCommand, Refused, parse, script_of
from wstlab.listener.switches import State


@pytest.mark.parametrize(
    ("script", "command"),
    [
        (f"& 'C:\\p.exe'{TAIL}", NativeCommand("C:\\p.exe", (), piped=False)),
        (f"$input | & 'C:\\p q.exe' '-c' 'a b'{TAIL}", NativeCommand("C:\\p q.exe", ("-c", "a b"), piped=True)),
        (f"& 'p' 'it''s'{TAIL}", NativeCommand("p", ("it's",), piped=False)),
        (f"& 'p' '; exit 3 | ''& x''{TAIL}'{TAIL}", NativeCommand("p", (f"; exit 3 | '& x'{TAIL}",), piped=False)),
        (
            "\n& 'p' 'Gr\u00fc\u00dfe \u65e5\u672c'" + TAIL + "\n",
            NativeCommand("p", ("Gr\u00fc\u00dfe \u65e5\u672c",), piped=False),
        ),
        (f"& 'p' 'a\u2019\u2019b'{TAIL}", NativeCommand("p", ("a\u2019b",), piped=False)),
    ],
)
def test_accepts_the_native_form(script: str, command: NativeCommand) -> None:
    assert parse(script) == command


@pytest.mark.parametrize(
    "script",
    [
        "",
        "whoami",
        "& 'p'",
        f"& p{TAIL}",
        f"& 'p' -x{TAIL}",
        f"& 'p'  'two blanks'{TAIL}",
        f"& 'p' 'open{TAIL}",
        f"& 'p' \"x\"{TAIL}",
        f"& 'p' 'say \"x\"'{TAIL}",
        f"& 'p' 'C:\\dir\\'{TAIL}",
        f"& 'p' ''{TAIL}",
        f"& {TAIL}",
        f"$x = 1; & 'p'{TAIL}",
        f"$input|& 'p'{TAIL}",
        "& 'p'; exit $LASTEXITCODE",
        f"& 'p' 'a'b'{TAIL}",
        f"& 'p''{TAIL}",
        "[System.IO.File]::ReadAllText('x')",
        f"& 'p'\n{TAIL}",
    ],
)
def test_refuses_everything_else(script: str) -> None:
    with pytest.raises(Refused):
        parse(script)


@pytest.mark.parametrize(
    "line",
    [
        "cmd /c dir",
        "PowerShell -Command whoami",
        "PowerShell -NoProfile",
        "PowerShell -EncodedCommand !!!",
        "PowerShell -EncodedCommand QQ==",
        encoded_command("& 'p'" + TAIL) + " more",
        "",
    ],
)
def test_refuses_other_command_lines(line: str) -> None:
    with pytest.raises(Refused):
        script_of(line)


def test_a_command_line_that_cmd_would_cut_is_refused() -> None:
    script = native_script("p", ["x" * 4000], piped=False)
    with pytest.raises(Refused, match="too long"):
        Interpreter().plan(encoded_command(script), State())


def test_round_trip_through_the_command_line() -> None:
    script = native_script("C:\\a b\\p.exe", ["-c", "print('x')"], piped=True)
    plan = Interpreter().plan(encoded_command(script), State())
    assert plan.command_line == "\"C:\\a b\\p.exe\" -c print('x')"
    assert plan.piped
    assert base64.b64decode(encoded_command(script).rpartition(" ")[2]).decode("utf-16-le") == script
