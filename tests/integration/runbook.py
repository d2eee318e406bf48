# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A runbook as its reader takes it: pages, and in each what is to be typed or written into a file, in its order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

CONTROL, HOST, FILE = "$", "host>", "file"  # typed on the control node, typed on the host, written into a file
PROMPTS = {"console": CONTROL, "bash": CONTROL, "powershell": HOST}
_FENCE = re.compile(r"^ *```(\w*)$")
_INLINE = re.compile(r"`(\$|host>) ([^`]+)`")
_FILE_NAME = re.compile(r"# ([a-z-]+\.yml)")


class NotARunbook(ValueError):
    """A block that no reader could follow."""


@dataclass(frozen=True)
class Step:
    """One thing that is done.

    :ivar where: ``CONTROL``, ``HOST`` or ``FILE``.
    :ivar text: the command, or what goes into the file.
    :ivar line: where it stands in the document.
    :ivar name: the file's.
    """

    where: str
    text: str
    line: int
    name: str = ""


@dataclass
class Page:
    """What stands below one heading."""

    title: str
    steps: list[Step] = field(default_factory=list)

    @property
    def commands(self) -> list[Step]:
        """What is typed."""
        return [step for step in self.steps if step.where != FILE]


def pages_of(document: str) -> list[Page]:
    """The pages that begin with a heading of the second level; what stands before the first has none.

    Commands stand in blocks of ``console``, ``bash`` or ``powershell`` behind their prompt, or in a line's code behind
    it. A block of ``yaml`` is a file that its first line names. Raises NotARunbook for anything else.
    """
    pages: list[Page] = []
    lines = iter(enumerate(document.splitlines(), 1))
    for number, line in lines:
        fence = _FENCE.match(line)
        if fence:
            steps = list(_block(fence.group(1), number, lines))
        else:
            steps = [Step(where, text, number) for where, text in _INLINE.findall(line)]
        if line.startswith("## "):
            pages.append(Page(line[3:].strip()))
        if steps and not pages:
            raise NotARunbook(f"line {number}: a command before the first page")
        if steps:
            pages[-1].steps += steps
    return pages


def _block(language: str, first: int, lines: Iterator[tuple[int, str]]) -> Iterator[Step]:
    body = list(_until_fence(first, lines))
    if language in PROMPTS:
        yield from _typed(PROMPTS[language], body)
    elif language == "yaml":
        indent = len(body[0][1]) - len(body[0][1].lstrip()) if body else 0
        named = _FILE_NAME.fullmatch(body[0][1].strip()) if body else None
        if named is None:
            raise NotARunbook(f"line {first}: a block of yaml whose first line is no '# name.yml'")
        yield Step(FILE, "\n".join(line[indent:] for _number, line in body) + "\n", first, named.group(1))
    else:
        raise NotARunbook(f"line {first}: nobody knows what to do with a block of {language or 'nothing'}")


def _until_fence(first: int, lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    for number, line in lines:
        if _FENCE.match(line):
            return
        yield number, line
    raise NotARunbook(f"line {first}: a block without an end")


def _typed(prompt: str, body: list[tuple[int, str]]) -> Iterator[Step]:
    for number, line in body:
        told, _blank, command = line.strip().partition(" ")
        if told != prompt or not command:
            raise NotARunbook(f"line {number}: what is typed here begins with '{prompt} '")
        yield Step(prompt, command, number)
