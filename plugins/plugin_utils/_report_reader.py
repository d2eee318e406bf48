# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads fields of a JSON document by name and kind; what is wrong is told with its place. Decides nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Optional

from ansible_collections.wst.backup.plugins.plugin_utils._errors import ReportInvalid

_MISSING = object()


class Reader:
    """One object of the document.

    Every method raises ReportInvalid. What may be absent is None when it is null or missing; a field that is not known
    here is passed over, so that a newer writer of the same schema can say more.

    :param place: where the object stands in the document, such as ``hosts[3].runs[7]``.
    """

    def __init__(self, value: Any, place: str = "") -> None:
        if not isinstance(value, Mapping):
            raise ReportInvalid(f"{place or 'the document'} is no object", place=place)
        self._value = value
        self._place = place

    def text(self, name: str) -> str:
        """A text."""
        value = self._value.get(name)
        if not isinstance(value, str):
            raise self._wrong(name, "a text")
        return value

    def maybe_text(self, name: str) -> Optional[str]:
        """A text, or None."""
        return None if self._value.get(name) is None else self.text(name)

    def one_of(self, name: str, choices: frozenset[str]) -> str:
        """One of these texts."""
        value = self._value.get(name)
        if not isinstance(value, str) or value not in choices:
            raise self._wrong(name, " or ".join(sorted(choices)))
        return value

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self._value.get(name)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def number(self, name: str) -> float:
        """A number that is not negative and has an end."""
        value = self._value.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
            raise self._wrong(name, "a number, zero or more")
        return value

    def maybe_number(self, name: str) -> Optional[float]:
        """As ``number``, or None."""
        return None if self._value.get(name) is None else self.number(name)

    def whole(self, name: str) -> int:
        """A whole number, zero or more."""
        value = self.number(name)
        if not isinstance(value, int):
            raise self._wrong(name, "a whole number, zero or more")
        return value

    def maybe_whole(self, name: str) -> Optional[int]:
        """As ``whole``, or None."""
        return None if self._value.get(name) is None else self.whole(name)

    def time(self, name: str) -> datetime:
        """A time in UTC, ``2026-11-30T14:00:00Z``."""
        value = self._value.get(name)
        if isinstance(value, str) and len(value) == 20 and value[10] == "T" and value[-1] == "Z":
            try:
                return datetime.fromisoformat(value[:-1] + "+00:00")
            except ValueError:
                pass
        raise self._wrong(name, "a time like 2026-11-30T14:00:00Z")

    def maybe_time(self, name: str) -> Optional[datetime]:
        """As ``time``, or None."""
        return None if self._value.get(name) is None else self.time(name)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        found = self._list(name)
        if not all(isinstance(each, str) for each in found):
            raise self._wrong(name, "a list of texts")
        return tuple(found)

    def each(self, name: str) -> Iterator[Reader]:
        """The objects of a list."""
        for number, value in enumerate(self._list(name)):
            yield Reader(value, f"{self._at(name)}[{number}]")

    def maybe(self, name: str) -> Optional[Reader]:
        """The object of that name, or None."""
        return None if self._value.get(name) is None else Reader(self._value[name], self._at(name))

    def _list(self, name: str) -> list[Any]:
        value = self._value.get(name)
        if not isinstance(value, list):
            raise self._wrong(name, "a list")
        return value

    def _at(self, name: str) -> str:
        return f"{self._place}.{name}" if self._place else name

    def _wrong(self, name: str, wanted: str) -> ReportInvalid:
        value = self._value.get(name, _MISSING)
        found = "missing" if value is _MISSING else f"{str(value)[:40]!r}"
        return ReportInvalid(f"{self._at(name)} must be {wanted} and is {found}", place=self._at(name))
