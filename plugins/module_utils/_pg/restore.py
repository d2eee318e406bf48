# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restoring a dump into a new database, with pg_restore."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from typing import BinaryIO, Dict, Iterator, List, Mapping

from ansible_collections.wst.backup.plugins.module_utils import _fs, _hashing, _jobs, _process
from ansible_collections.wst.backup.plugins.module_utils._errors import Cancelled, DumpMissing
from ansible_collections.wst.backup.plugins.module_utils._pg import failures
from ansible_collections.wst.backup.plugins.module_utils._pg import toc as toc_of
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import KEEPALIVES
from ansible_collections.wst.backup.plugins.module_utils._pg.dump import environment
from ansible_collections.wst.backup.plugins.module_utils._pg.messages import PG_RESTORE, Lines, Warnings
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.selection import Selection, in_passes, use_list
from ansible_collections.wst.backup.plugins.module_utils._pg.toc import Head, Toc
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import Tools
from ansible_collections.wst.backup.plugins.module_utils._platform import api

LIST_FILE = "restore.list"
_CHUNK = 1 << 18
_CONTENTS = re.compile(r'processing data for table "(.*)"')


@dataclass(frozen=True)
class Order:
    """What is restored, and how.

    ``workspace`` takes the list of entries; ``owners``: owners, grants and default privileges come back as well.
    ``rows`` of each table by ``schema.name``, for the progress.
    """

    dump: str
    selection: Selection
    workspace: str
    owners: bool
    rows: Mapping[str, int]


def open_dump(path: str) -> BinaryIO:
    """The dump, open for reading; raises DumpMissing, PathPermissions, PathUnusable."""
    try:
        return api.open_source(path)
    except FileNotFoundError as error:
        raise DumpMissing(f"{path} is not there", dump=os.path.basename(path), path=path) from error
    except OSError as error:
        raise _fs.translate_oserror(error, path) from error


def read_dump_toc(path: str) -> Toc:
    """The table of contents of the dump; raises DumpMissing, DumpEmpty, DumpDamaged, DbVersionMismatch."""
    name = os.path.basename(path)
    with open_dump(path) as file:
        return toc_of.read_toc(Head(iter(lambda: file.read(_CHUNK), b""), name=name), name=name)


def size_of(path: str) -> int:
    """The dump's size in bytes; raises as ``open_dump``."""
    with open_dump(path) as file:
        return api.facts_of(file).size


def digest_of(path: str) -> str:
    """The SHA-256 of the dump; raises as ``open_dump``, and Cancelled."""
    _jobs.step("hash the dump")
    done = 0

    def chunks() -> Iterator[bytes]:
        nonlocal done
        for chunk in _hashing.chunks_of(file):
            done += len(chunk)
            _jobs.progress(done, None, path)
            yield chunk

    with open_dump(path) as file:
        try:
            return _hashing.sha256_of(chunks())[0]
        except OSError as error:
            raise _fs.translate_oserror(error, path) from error


def restore(order: Order, options: DatabaseOptions, password: str, tools: Tools) -> Warnings:
    """Fill the database; returns what pg_restore warned of.

    The dump is handed over open, because a program may not find a path that we find; it can seek in it.

    :raises RestoreFailed: the server does not take it; the database must be dropped then. DumpDamaged, DbPermission,
        DbLimits, DbLost, DbUnreachable and its like, NoSpace, Cancelled.
    """
    _jobs.step("restore the database", unit="rows")
    warnings = Warnings(PG_RESTORE)
    passes = in_passes(order.selection.entries, owners=order.owners)
    for entries in passes:
        argv = arguments(order, tools)
        if order.owners or not order.selection.is_whole:
            path = os.path.join(order.workspace, LIST_FILE)
            _fs.atomic_write(path, use_list(entries))
            argv.append(f"--use-list={path}")
        _run(argv, order, options, password, warnings)
    return warnings


def _run(argv: List[str], order: Order, options: DatabaseOptions, password: str, warnings: Warnings) -> None:
    lines = Lines(_Meter(order.rows).hear, warnings.hear)
    with open_dump(order.dump) as dump:
        result = _process.run_tool(argv, env=environment(options, password), stdin=dump, hear=lines.hear)
    if result.exit_code != 0:
        tool, name = os.path.basename(argv[0]), os.path.basename(order.dump)
        raise failures.of_restoring(tool, result.exit_code, result.stderr, name=name, place=options.place)
    lines.end()
    warnings.end()


def arguments(order: Order, tools: Tools) -> List[str]:
    """pg_restore's command line: nothing secret.

    Never ``--single-transaction``: 5,000 tables or 30,000 large objects in one fill the server's lock table.
    """
    keepalives = " ".join(f"{name}={value}" for name, value in KEEPALIVES.items())  # libpq has no variables for these
    bare = [] if order.owners else ["--no-owner", "--no-acl", "--no-tablespaces"]
    return [tools.pg_restore.path, "--exit-on-error", "--no-password", "--verbose", *bare, f"--dbname={keepalives}"]


class _Meter:
    """Progress by pg_restore's own messages: it tells each table that it begins with. Called from another thread."""

    def __init__(self, rows: Mapping[str, int]) -> None:
        self._rows: Dict[str, int] = dict(rows)
        self._total = sum(rows.values())
        self._done = 0
        self._current = ""

    def hear(self, line: str) -> None:
        """A line of pg_restore's messages; must not raise."""
        match = _CONTENTS.search(line)
        if match:
            self._done += self._rows.get(self._current, 0)
            self._current = match[1]
            with contextlib.suppress(Cancelled):  # the thread that watches over the program hears it, too
                _jobs.progress(self._done, self._total, self._current)
