# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patterns that choose paths below a source.

- ``*.log``: without a slash it is compared with the name of an entry, at any depth.
- ``node_modules/.cache``: with a slash it is compared with the whole path below the source.
- ``**/tmp/*.bin``: ``**`` stands for any number of directories, ``*`` and ``?`` never cross a slash.
- ``logs/``: a trailing slash matches directories only; ``/build`` (a leading slash) only at the top.

Everything else is literal, brackets too, which are common in file names of web projects. Case never matters, because
it does not on the systems whose files these are. What is below a matching directory matches with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterable, List, Pattern, Sequence, Tuple

from ansible_collections.wst.backup.plugins.module_utils._archive.membernames import fold
from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid


@dataclass(frozen=True)
class _Rule:
    expression: Pattern[str]
    whole_path: bool
    directories_only: bool


class Patterns:
    """A list of patterns; raises ``InputInvalid`` for one that can never match anything."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self.texts: Tuple[str, ...] = tuple(patterns)
        self._rules: List[_Rule] = [_compile(text) for text in self.texts]

    def match(self, path: str, *, is_directory: bool) -> bool:
        """Whether this very entry matches; ``path`` is relative to the source, with slashes."""
        if not self._rules:
            return False
        folded = fold(path)
        name = folded.rsplit("/", 1)[-1]
        return any(
            (is_directory or not rule.directories_only)
            and rule.expression.fullmatch(folded if rule.whole_path else name) is not None
            for rule in self._rules
        )

    def covers(self, path: str, *, is_directory: bool) -> bool:
        """Whether the entry or a directory above it matches."""
        if not self._rules:
            return False
        parts = path.split("/")
        above = ("/".join(parts[:count]) for count in range(1, len(parts)))
        return self.match(path, is_directory=is_directory) or any(self.match(p, is_directory=True) for p in above)


def _compile(text: str) -> _Rule:
    slashed = text.replace("\\", "/")
    bare = slashed.strip("/")
    components = bare.split("/")
    if not bare or any(component in ("", ".", "..") for component in components):
        raise InputInvalid(f"the pattern {text!r} matches nothing", pattern=text)
    return _Rule(
        expression=re.compile(_expression(components), re.DOTALL),
        whole_path=slashed.startswith("/") or "/" in bare,
        directories_only=slashed.endswith("/"),
    )


def _expression(components: Sequence[str]) -> str:
    parts: List[str] = []
    last = len(components) - 1
    for index, component in enumerate(components):
        if component == "**":
            # At the end it means everything below, elsewhere any number of directories, none included.
            parts.append(".+" if index == last else "(?:[^/]+/)*")
            continue
        parts.append(_component(component) + ("" if index == last else "/"))
    return "".join(parts)


def _component(component: str) -> str:
    literal = (re.escape(fold(piece)) for piece in re.split(r"([*?])", component))
    return "".join({r"\*": "[^/]*", r"\?": "[^/]"}.get(piece, piece) for piece in literal)
