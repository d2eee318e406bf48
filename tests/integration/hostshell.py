# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a runbook has somebody type into PowerShell on the host.

``WST_LAB_POWERSHELL`` names a real engine, which then runs it on the POSIX lane. Without one, the few cmdlets of the
runbook are done by what stands for them here, so that their effect is there and the next step finds it; that PowerShell
itself understands them is not proved then, and said. What changes a disk is only read.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from integration.world import RUN_TIMEOUT

ENGINE = "WST_LAB_POWERSHELL"
_WORD = re.compile(r"""'(?P<single>[^']*)'|"(?P<double>[^"`$]*)"|(?P<bare>[^\s'"|;&`()]+)|(?P<sign>[|&])""")
_NOT_HERE = ("Get-Partition", "Get-Disk", "Set-Disk")  # there is no disk in a lab that could be made read-only


class NotUnderstood(AssertionError):
    """It is not in the table below, or not written so that it is one command."""


def engine() -> str | None:
    """The real PowerShell, where there is one."""
    return os.environ.get(ENGINE) or None


def run(text: str, answers: str, *, cwd: Path) -> tuple[int, str] | None:
    """Run a line; its exit code and output, or None for what no lab has.

    :param answers: what is typed where it asks.
    :raises NotUnderstood: a cmdlet that is in no table here, whether there is an engine or not.
    """
    parts = parsed(text)
    heads = [part[0] for part in parts]
    if set(heads) <= set(_NOT_HERE):
        return None
    if len(parts) != 1 or (heads[0] != "&" and heads[0] not in CMDLETS):
        raise NotUnderstood(f"nobody has told what this does: {text!r}")
    program = engine()
    if program:
        script = f"$ErrorActionPreference = 'Stop'; {text}; exit $LASTEXITCODE"
        return _child([program, "-NoProfile", "-NonInteractive", "-Command", script], answers, cwd)
    if heads[0] == "&":
        return _child(parts[0][1:], answers, cwd)
    try:
        with contextlib.chdir(cwd):
            CMDLETS[heads[0]](parts[0][1:])
    except OSError as error:
        return 1, str(error)
    return 0, ""


def parsed(text: str) -> list[list[str]]:
    """The commands of a pipeline, each with its words; ``&`` in front is a word of its own.

    Raises NotUnderstood for anything that needs more of the language than words and quotes.
    """
    commands: list[list[str]] = [[]]
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        found = _WORD.match(text, at)
        if found is None or (found.group("sign") == "&" and commands[-1]):
            raise NotUnderstood(f"PowerShell would read more than words here: {text[at:]!r}")
        at = found.end()
        if found.group("sign") == "|":
            commands.append([])
        else:
            commands[-1].append(next(group for group in found.groups() if group is not None))
    if not all(commands):
        raise NotUnderstood(f"a command is missing: {text!r}")
    return commands


def _child(argv: list[str], answers: str, cwd: Path) -> tuple[int, str]:
    """A process without a terminal, so that what it asks is answered from its input."""
    done = subprocess.run(
        argv,
        cwd=cwd,
        input=answers.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=RUN_TIMEOUT,
        check=False,
        start_new_session=True,
    )
    return done.returncode, done.stdout.decode("utf-8", "replace")


def _copy_item(words: list[str]) -> None:
    source, target = words
    shutil.copy2(source, target)


def _remove_item(words: list[str]) -> None:
    *switches, path = words
    if not set(switches) <= {"-Recurse", "-Force"}:
        raise NotUnderstood(f"Remove-Item {switches}")
    if os.path.isdir(path):
        if "-Recurse" not in switches:
            raise OSError(f"{path} is not empty, and nobody may be asked")
        shutil.rmtree(path)
    else:
        os.unlink(path)


CMDLETS: dict[str, Callable[[list[str]], None]] = {"Copy-Item": _copy_item, "Remove-Item": _remove_item}
