# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SQL that pg_dump writes, cut into statements and words. Decides only.

It follows the lexical rules of PostgreSQL (``src/backend/parser/scan.l``) with ``standard_conforming_strings = on``,
as far as pg_dump makes use of them: no block comments, no ``U&`` names.
"""

from __future__ import annotations

import re
from typing import Iterator, List, Sequence, Tuple

Statement = Tuple[str, ...]  # its words as they were written, without the semicolon

_WORD = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*)
  | (?P<word>
        "(?:[^"]|"")+"
      | [eE]'(?:[^'\\]|\\.|'')*'
      | '(?:[^']|'')*'
      | \$(?P<tag>[^\W\d]\w*|)\$.*?\$(?P=tag)\$
      | [^\W\d][\w$]*
      | [0-9]+(?:\.[0-9]+)?
      | [-.,;()=+*/<>~!@\#%^&|:?`\[\]]
    )
    """,
    re.VERBOSE | re.DOTALL,
)


def statements(text: str) -> List[Statement]:
    """The statements of a script; raises ValueError for what is none, or does not end."""
    found: List[Statement] = []
    words: List[str] = []
    for word in _words(text):
        if word == ";":
            found.append(tuple(words))
            words = []
        else:
            words.append(word)
    if words:
        raise ValueError("a statement without its end")
    return found


def _words(text: str) -> Iterator[str]:
    position = 0
    while position < len(text):
        match = _WORD.match(text, position)
        if match is None:
            raise ValueError(f"character {position} begins nothing that is known")
        position = match.end()
        if match["word"] is not None:
            yield match["word"]


def name_of(word: str) -> str:
    """The name that a word is; raises ValueError for a string, a number or a mark."""
    if word.startswith('"'):
        return word[1:-1].replace('""', '"')
    if not re.fullmatch(r"[^\W\d][\w$]*", word):
        raise ValueError(f"{word} is no name")
    return word.lower()


def begins(statement: Sequence[str], *words: str) -> bool:
    """Whether the statement begins with these key words. Names that are key words come quoted."""
    return tuple(statement[: len(words)]) == words
