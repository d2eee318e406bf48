# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the databases of drills and restores are called. Decides only."""

from __future__ import annotations

LONGEST = 63  # bytes of a name; the server cuts what is longer, in silence
TABLES = "tables"
_STAMP = len("20261130-101500")


def database_name(run_id: str, target: str = "", *, stays: bool = False) -> str:
    """The database that the run fills.

    :param target: whose place it shall take, for a restore; without one it is a drill's.
    :param stays: it takes nobody's place, and has single tables of the target.
    """
    return _named(target, TABLES if stays else "restore", run_id) if target else "wst_drill_" + run_id.replace("-", "_")


def is_tables_name(name: str, run_id: str) -> bool:
    """Whether that run can have called a database with single tables so, whatever its target was."""
    return name.endswith(_suffix(TABLES, run_id))


def before_name(run_id: str, target: str) -> str:
    """What the old database is called once the run's has taken its place."""
    return _named(target, "before", run_id)


def _named(target: str, word: str, run_id: str) -> str:
    """The target's name, as much of it as fits, with the word and the run's time behind it."""
    suffix = _suffix(word, run_id)
    room = LONGEST - len(suffix)
    return target.encode("utf-8")[:room].decode("utf-8", "ignore") + suffix


def _suffix(word: str, run_id: str) -> str:
    return f"_{word}_{run_id[:_STAMP].replace('-', '_')}"
