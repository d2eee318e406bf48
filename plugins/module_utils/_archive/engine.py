# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which library compresses what: chosen once for an artifact, and told in its manifest.

The same input, versions and level give the same bytes, at any number of threads; the fast engine does not promise it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Union

from ansible_collections.wst.backup.plugins.module_utils._archive import codecs
from ansible_collections.wst.backup.plugins.module_utils._errors import ToolMissing

AUTO = "auto"
ZLIB = "zlib"
ACCELERATED = "accelerated"
FAST = "fast"
CHOICES = (AUTO, ZLIB, ACCELERATED, FAST)

_WHOLE_ZLIB = 1 << 20  # bytes; larger files are cut into blocks, which more than one core can work on
_WHOLE_LIBDEFLATE = 4 << 20  # it has no blocks, and beats what has some

# The level asked for, and the one of each library that is no larger and faster. Blocks of large files gain nothing
# from the sixth level of zlib over the fifth but time; the fifth of the others is as small as the sixth of zlib.
_BLOCKS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 5, 7: 7, 8: 8, 9: 9}
_FAST_LEVEL = 2  # of ISA-L: as small as zlib's first
_FASTER = {1: 2, 2: 3, 3: 4, 4: 5, 5: 5, 6: 5, 7: 7, 8: 8, 9: 9}


@dataclass(frozen=True)
class Engine:
    """What compresses small files as a whole, and what the blocks of larger ones."""

    small: Union[codecs.Zlib, codecs.Libdeflate]
    blocks: codecs.Zlib
    whole_limit: int  # bytes; up to here a file is small

    def body(self) -> Dict[str, Any]:
        """As the manifest tells it."""
        return {
            kind: {"library": codec.name, "version": codec.version, "level": codec.level}
            for kind, codec in (("small", self.small), ("large", self.blocks))
        }


def choose(name: str, level: int) -> Engine:
    """The engine for a level of 1 to 9 as zlib counts them.

    :param name: ``auto`` takes what the host has, ``zlib`` Python's own; ``accelerated`` and ``fast`` raise
        ``ToolMissing`` where a library of theirs is not there or does not work. ``fast`` has one level of its own.
    """
    if name == FAST:
        return _fast()
    small = codecs.libdeflate(_FASTER[level]) if name != ZLIB else None
    blocks = codecs.zlib_ng(_FASTER[level]) if name != ZLIB else None
    if name == ACCELERATED and (small is None or blocks is None):
        missing = [package for package, codec in (("deflate", small), ("zlib-ng", blocks)) if codec is None]
        raise _missing(ACCELERATED, missing)
    return Engine(
        small=small or codecs.standard(level),
        blocks=blocks or codecs.standard(_BLOCKS[level]),
        whole_limit=_WHOLE_LIBDEFLATE if small else _WHOLE_ZLIB,
    )


def _fast() -> Engine:
    codec = codecs.isal(_FAST_LEVEL)
    if codec is None:
        raise _missing(FAST, ["isal"])
    return Engine(small=codec, blocks=codec, whole_limit=_WHOLE_ZLIB)


def _missing(name: str, packages: List[str]) -> ToolMissing:
    return ToolMissing(
        f"the host's Python cannot use {' and '.join(packages)}, which compression engine {name} needs.",
        libraries=packages,
    )
