# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema as text: what a dump says of it, and what pg_dump says of the database that was made of the dump.

``pg_restore --schema-only`` of a dump and ``pg_dump --schema-only`` of what was restored from it write the same
sections, each under a comment that names its object (tried with 15 to 18). They are compared as a set, so that a
difference has a name.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from dataclasses import dataclass
from typing import Counter as Counted
from typing import Dict, FrozenSet, List, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _jobs, _process
from ansible_collections.wst.backup.plugins.module_utils._pg import failures
from ansible_collections.wst.backup.plugins.module_utils._pg.dump import environment
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.restore import open_dump
from ansible_collections.wst.backup.plugins.module_utils._pg.tables import shorten
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import Tools

_SCHEMA = ("--schema-only", "--no-tablespaces")
_BARE = (*_SCHEMA, "--no-owner", "--no-acl")
_HEADING = re.compile(rb"-- Name: (?P<name>.*); Type: (?P<kind>[A-Z ]+); Schema: (?P<schema>.*); Owner: .*")
_FRAME = b"--"
# Random in each output; a psql command and no part of the schema.
_RESTRICT = (b"\\restrict ", b"\\unrestrict ")
# These stand wherever they are first needed, above the comment of an object: they are state, and part of no section.
_METHOD = b"SET default_table_access_method = "
_STATE = (_METHOD, b"SET default_tablespace = ")
_WITH_METHOD = ("TABLE", "MATERIALIZED VIEW")
_END = b"-- PostgreSQL database dump complete"
# The views' rows, which an output of the schema alone has on one of the two sides.
_IGNORED = ("MATERIALIZED VIEW DATA",)


@dataclass(frozen=True)
class Schema:
    """How often each object's text occurs, by kind, schema, name and the text's SHA-256."""

    sections: Counted[Tuple[str, str, str, bytes]]

    @property
    def objects(self) -> int:
        """How many sections there are."""
        return sum(self.sections.values())


class SectionReader:
    """Cuts the text into sections. What stands above the first is the head: settings, which name no object."""

    def __init__(self) -> None:
        self._lines: List[bytes] = []
        self._heading: Tuple[str, str, str] = ("", "", "")
        self._digest = hashlib.sha256()
        self._method = b""
        self._rest = b""
        self.found: Counted[Tuple[str, str, str, bytes]] = Counter()

    def feed(self, chunk: bytes) -> None:
        """The next bytes."""
        lines = (self._rest + chunk).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            self._line(line.rstrip(b"\r"))

    def finish(self) -> Schema:
        """The text is over."""
        self._line(self._rest)
        self._close()
        return Schema(self.found)

    def _line(self, line: bytes) -> None:
        match = _HEADING.fullmatch(line)
        if match is not None:
            self._close()
            kind, schema, name = (match[part].decode("utf-8", "surrogateescape") for part in ("kind", "schema", "name"))
            self._heading = (kind, schema, name)
            self._digest = hashlib.sha256(self._method if kind in _WITH_METHOD else b"")
        elif line.startswith(_STATE):
            self._method = line if line.startswith(_METHOD) else self._method
        elif line not in (b"", _FRAME, _END) and not line.startswith(_RESTRICT):
            self._digest.update(line + b"\n")

    def _close(self) -> None:
        if self._heading[0] and self._heading[0] not in _IGNORED:
            kind, schema, name = self._heading
            self.found[(kind, schema, name, self._digest.digest())] += 1


def of_dump(path: str, tools: Tools, *, owners: bool = False) -> Schema:
    """What the dump says; raises DumpDamaged, DumpMissing and its like, Cancelled.

    :param owners: with owners and grants.
    """
    _jobs.step("read the schema of the dump")
    reader = SectionReader()
    argv = [tools.pg_restore.path, *(_SCHEMA if owners else _BARE), "-f", "-"]
    with open_dump(path) as dump:
        result = _process.run_tool(argv, stdin=dump, consume=reader.feed)
    if result.exit_code != 0:
        name = os.path.basename(path)
        raise failures.of_restore_tool(os.path.basename(argv[0]), result.exit_code, result.stderr, name=name)
    return reader.finish()


def of_database(options: DatabaseOptions, password: str, tools: Tools, *, owners: bool = False) -> Schema:
    """What pg_dump says of the database, as ``of_dump``; raises as the dump step."""
    _jobs.step("read the schema of the restored database")
    reader = SectionReader()
    argv = [tools.pg_dump.path, *(_SCHEMA if owners else _BARE), "--encoding=UTF8", "--no-password"]
    result = _process.run_tool(argv, env=environment(options, password), consume=reader.feed)
    if result.exit_code != 0:
        raise failures.of_dump_tool(os.path.basename(argv[0]), result.exit_code, result.stderr, place=options.place)
    return reader.finish()


def differences(wanted: Schema, found: Schema, *, left_out: FrozenSet[Tuple[str, str, str]]) -> List[str]:
    """A sentence for each object that is not as the dump says, in the order of their names.

    :param left_out: kind, schema and name of what was not restored on purpose.
    """
    lacking, more = _kept(wanted.sections - found.sections, left_out), _kept(found.sections - wanted.sections, left_out)
    told: Dict[Tuple[str, str, str], str] = {}
    for key in lacking:
        told[key] = "is not as in the dump" if key in more else "is not there"
    for key in more:
        told.setdefault(key, "is not in the dump")
    return [f"{_label(*key)} {told[key]}" for key in sorted(told)]


def judge(texts: List[str], *, source: str, target: int) -> Tuple[List[str], List[str]]:
    """Which differences count, and what is remarked instead.

    Between two majors the same schema can have two texts: NOT NULL became a named constraint with 18.

    :param source: the dumped server's version, as ``17.10``.
    :param target: the restored one's version number.
    """
    major = source.partition(".")[0]
    if not texts or major == str(target // 10000):
        return texts, []
    text = f"the schema's text differs between PostgreSQL {major}, the source, and {target // 10000}: {shorten(texts)}"
    return [], [text]


def _kept(
    sections: Counted[Tuple[str, str, str, bytes]], left_out: FrozenSet[Tuple[str, str, str]]
) -> FrozenSet[Tuple[str, str, str]]:
    """What the comparison is about: extensions bring their own comments, and what stays behind is told elsewhere."""
    out = {(kind, name) for kind, _schema, name in left_out}
    found = set()
    for kind, schema, name, _digest in sections:
        if (kind, name) not in out and not (kind == "COMMENT" and name.startswith("EXTENSION ")):
            found.add((kind, schema, name))
    return frozenset(found)


def _label(kind: str, schema: str, name: str) -> str:
    return f"{kind} {name}" if schema in ("", "-") else f"{kind} {schema}.{name}"
