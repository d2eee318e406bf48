# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of single tables as a person types them: schema and table, quoted as in SQL. Decides only."""

from __future__ import annotations

import difflib
import re
from typing import Any, Iterable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.wst.backup.plugins.module_utils._errors import DumpDamaged, InputInvalid
from ansible_collections.wst.backup.plugins.module_utils._pg import quote
from ansible_collections.wst.backup.plugins.module_utils._pg.tables import CONFIGURATION, PARTITIONED, TABLE, shorten

Name = Tuple[str, str]  # schema and table, as the server has them

_CASE = {ord(upper): upper.lower() for upper in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}  # what the server folds in any locale
_PART = r'("(?:[^"\0]|"")+"|[^\W\d][\w$]*)'
_NAME = re.compile(_PART + r"\." + _PART)
_BARE = re.compile(r"[a-z_][a-z0-9_]*")
_SUGGESTED = 3


def parse(text: str) -> Name:
    """The table that ``schema.table`` means. Without quotes a name is folded to lower case, as the server does it.

    :raises InputInvalid: it is no such name; one without its schema would mean whatever a search path says.
    """
    match = _NAME.fullmatch(text.strip())
    if match is None:
        message = f'{text!r} names no table: write schema.table, and "..." around a part with other than small letters'
        raise InputInvalid(message, table=text)
    return _unquoted(match[1]), _unquoted(match[2])


def parse_all(texts: Sequence[str]) -> List[Name]:
    """Each of them, in their order; raises as ``parse``, and for one that is named twice."""
    found = [parse(text) for text in texts]
    twice = sorted({name for name in found if found.count(name) > 1})
    if twice:
        raise InputInvalid(f"{written(twice[0])} is named twice", table=written(twice[0]))
    return found


def _unquoted(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part.translate(_CASE)


def written(name: Name) -> str:
    """The name as it is to be typed: ``parse`` gives it back."""
    return ".".join(part if _BARE.fullmatch(part) else quote.identifier(part) for part in name)


def require_known(asked: Iterable[Name], known: Iterable[Name]) -> None:
    """Raises InputInvalid with each table that is not among those of the dump, and with names that are like it."""
    there = {written(name) for name in known}
    missing = [written(name) for name in asked if written(name) not in there]
    if missing:
        like = [each for name in missing for each in difflib.get_close_matches(name, sorted(there), n=_SUGGESTED)]
        hint = f" (it has {', '.join(like)})" if like else ""
        message = f"the dump has no rows of {shorten(missing)}{hint}"
        raise InputInvalid(message, tables=missing, alike=like)


def rows_of(asked: Sequence[Name], database: Mapping[str, Any]) -> List[Optional[int]]:
    """How many rows each of them has, by the ``database`` part of a manifest.

    :raises InputInvalid: as ``require_known``. DumpDamaged: the manifest does not say which tables there were.
    """
    try:
        kinds = (TABLE, PARTITIONED, CONFIGURATION)
        rows = {
            (str(each["schema"]), str(each["name"])): None if each["rows"] is None else int(each["rows"])
            for each in database["tables"]
            if each["kind"] in kinds
        }
    except (KeyError, TypeError, ValueError) as error:
        raise DumpDamaged(f"the manifest does not say what the database held ({error})") from error
    require_known(asked, rows)
    return [rows[name] for name in asked]
