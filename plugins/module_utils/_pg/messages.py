# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The warnings of a ``pg_dump`` or ``pg_restore`` that succeeded, and what each of them means for the backup.

Both end with exit code 0 where they left something out and said so. Their texts are those of ``pg_log_warning`` in
https://github.com/postgres/postgres/tree/REL_18_STABLE/src/bin/pg_dump (read in 15; the programs of 17 and 18 have the
same). They are English, because the tools run with ``LC_MESSAGES=C``. What is not in the table is quoted, not guessed.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from dataclasses import dataclass
from typing import Callable, Dict, List, Optional, Pattern, Tuple

HARMLESS = "harmless"  # the dump is whole and restores
MISSING = "missing"  # something other than rows is not in the dump
RESTORE = "restore"  # it is in the dump, but may not restore as it was
LOST = "lost"  # data is not in the dump: the dump has failed
UNKNOWN = "unknown"

KEPT = 50  # messages of a kind; all are counted
MAX_TEXT = 1000  # characters of a message
MAX_NOISE = 20  # lines
_MAX_LINE = 4096  # characters of a line; the rest of a longer one says nothing new

_Kinds = List[Tuple[Pattern[str], str]]


def _kinds(*pairs: Tuple[str, str]) -> _Kinds:
    return [(re.compile(pattern, re.DOTALL), kind) for pattern, kind in pairs]


# The first match wins. Of pg_restore's own, only those that it can have while it decodes are here.
_TEXTS = _kinds(
    # Said of dumps of data alone, which ours is not: constraints are restored after all data.
    (r"^there are circular foreign-key constraints (on this table|among these tables):", HARMLESS),
    # No version is known to say this at exit code 0; should one begin to, it must not pass.
    (r"\b(data|contents|rows) of .*\bnot (be )?dumped\b|\bno data will be available\b", LOST),
    (r"\bnot dumped\b", MISSING),  # "subscriptions not dumped because current user is not a superuser"
    (r"^typtype of data type .* appears to be invalid", MISSING),
    (r"^invalid type \".*\" of access method ", MISSING),
    (r"^could not parse \S+ array", MISSING),  # reloptions
    (r"^WITH OIDS is not supported anymore ", MISSING),  # the column oid of servers before 12
    (r"^bogus (value in pg_(cast|transform)\.|transform definition)", RESTORE),
    (r"^postfix operators are not supported anymore ", RESTORE),
    (r"^could not find operator with OID ", RESTORE),
    (r"^could not find referenced extension ", RESTORE),
    (r"^unsupported pg_init_privs entry: ", RESTORE),
    (r"^invalid collation ", RESTORE),
    (r"^could not resolve dependency loop among these items:", RESTORE),
    (r"^archive items not in correct section order", RESTORE),
    (r"^owner of .* appears to be invalid", RESTORE),  # until 14
    (r"^unexpected extra results during COPY of table ", RESTORE),  # its rows are counted and compared
    (r"^archive was made on a machine with larger integers", RESTORE),
    (r"^requested compression not available ", RESTORE),  # without it a dump has no checksum of its own
)

_NAME = re.compile(r'"[^"]*"')
# What is no message of the tool's can stand before one on its line, without a line end between them.
_BEGIN = r"^(?P<before>(?:(?!{0}: ).)*){0}: (?:warning|error): (?P<text>.*)$"
_PART = r"^{0}: (?P<text>(?:detail|hint): .*)$"
_SERVER = r"^(?:{0}: )?(?P<text>WARNING: .*)$"  # a notice of the server, handed through
PG_DUMP, PG_RESTORE = "pg_dump", "pg_restore"


@dataclass(frozen=True)
class Message:
    """A warning with its details and hints, in the tool's words."""

    kind: str
    text: str


def kind_of(text: str) -> str:
    """What a warning (without ``pg_dump: warning:`` before it) means."""
    words = _NAME.sub('""', text)  # a table can be called "data of everything not dumped"
    for pattern, kind in _TEXTS:
        if pattern.search(words):
            return kind
    return UNKNOWN


class Lines:
    """Hands on whole lines of what comes in pieces."""

    def __init__(self, *hearers: Callable[[str], None]) -> None:
        self._hearers = hearers
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._rest = ""

    def hear(self, data: bytes) -> None:
        """The next piece."""
        lines = (self._rest + self._decoder.decode(data)).split("\n")
        self._rest = lines.pop()[:_MAX_LINE]
        for line in lines:
            self._tell(line)

    def end(self) -> None:
        """Nothing more comes; a last line may lack its end."""
        rest, self._rest = self._rest, ""
        if rest:
            self._tell(rest)

    def _tell(self, line: str) -> None:
        for hearer in self._hearers:
            hearer(line[:_MAX_LINE].rstrip("\r"))


class Warnings:
    """Picks the warnings out of the lines that a tool writes, and keeps as much as is worth carrying.

    ``noise`` are lines that are not the tool's own, such as those of a library at its start.

    :param tool: what its lines begin with.
    """

    def __init__(self, tool: str = PG_DUMP) -> None:
        self.tool = tool
        self._begin, self._part, self._server = (re.compile(form.format(tool)) for form in (_BEGIN, _PART, _SERVER))
        self._own = f"{tool}: "
        self.counts: Dict[str, int] = Counter()
        self.first: List[Message] = []
        self.noise: List[str] = []
        self._open: Optional[str] = None

    def hear(self, line: str) -> None:
        """The next line."""
        begin, part, server = self._begin.match(line), self._part.match(line), self._server.match(line)
        if begin:
            self._close()
            self._note(begin["before"])
            self._open = begin["text"]
        elif server:
            self._close()
            self._open = server["text"]
        elif self._open is not None and (part or not line.startswith(self._own)):
            # A name in a detail can have line ends: what is no new message belongs to the one before it.
            self._open = f"{self._open} {part['text'] if part else line.strip()}"[: MAX_TEXT + 1]
        else:
            self._close()
            if not line.startswith(self._own):
                self._note(line)

    def end(self) -> None:
        """Nothing more comes."""
        self._close()

    def of(self, kind: str) -> List[Message]:
        """The kept ones of a kind."""
        return [message for message in self.first if message.kind == kind]

    def _close(self) -> None:
        if self._open is None:
            return
        text, self._open = self._open, None
        kind = kind_of(text)
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if self.counts[kind] <= KEPT:
            self.first.append(Message(kind, text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "..."))

    def _note(self, line: str) -> None:
        if line.strip() and len(self.noise) < MAX_NOISE:
            self.noise.append(line.strip()[:MAX_TEXT])
