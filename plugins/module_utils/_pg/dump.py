# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ``pg_dump`` into a file that we open: a new one, never a name that the program could empty first."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from typing import BinaryIO, Dict, List, Mapping

from ansible_collections.wst.backup.plugins.module_utils import _jobs, _process
from ansible_collections.wst.backup.plugins.module_utils._pg import failures
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import APPLICATION, KEEPALIVES, options_text
from ansible_collections.wst.backup.plugins.module_utils._pg.messages import Lines, Warnings
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DISABLE, DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import Tools

_CONTENTS = re.compile(r'dumping contents of table "(.*)"')


@dataclass(frozen=True)
class Written:
    """What pg_dump wrote and said: the SHA-256 of its output, and its warnings."""

    sha256: str
    warnings: Warnings


def environment(options: DatabaseOptions, password: str) -> Dict[str, str]:
    """The whole environment of a PostgreSQL program: the connection, the secret and the pinned settings.

    Names in variables are taken as they are; in arguments a database called ``a=b`` would be a connection string.
    An older libpq does not know PGREQUIREAUTH and PGSSLCERTMODE and leaves them alone.
    """
    extra = {
        "PGHOST": options.host,
        "PGPORT": str(options.port),
        "PGDATABASE": options.name,
        "PGUSER": options.user,
        "PGPASSWORD": password,
        "PGCONNECT_TIMEOUT": str(options.connect_timeout),
        "PGSSLMODE": options.sslmode,
        "PGGSSENCMODE": "disable",
        "PGREQUIREAUTH": "scram-sha-256",
        "PGSSLCERTMODE": "disable",
        "PGAPPNAME": APPLICATION,
        "PGOPTIONS": options_text(),
    }
    if options.sslmode != DISABLE:
        extra["PGSSLROOTCERT"] = options.sslrootcert or ""
    if "SSL_CERT_FILE" in os.environ:  # OpenSSL's own: which roots sslrootcert=system means
        extra["SSL_CERT_FILE"] = os.environ["SSL_CERT_FILE"]
    return _process.tool_environment(extra)


def arguments(tools: Tools, *, snapshot: str, lock_timeout: int, compress: int) -> List[str]:
    """pg_dump's command line: nothing secret, no path.

    :param lock_timeout: seconds.
    :param compress: 1 to 9 (zlib). Never 0: its checksum is the only one that a dump has.
    """
    keepalives = " ".join(f"{name}={value}" for name, value in KEEPALIVES.items())  # libpq has no variables for these
    return [
        tools.pg_dump.path,
        "--format=custom",
        f"--compress={compress}",
        "--encoding=UTF8",
        "--no-password",
        f"--snapshot={snapshot}",
        f"--lock-wait-timeout={lock_timeout * 1000}",
        "--verbose",
        f"--dbname={keepalives}",
    ]


def run(argv: List[str], *, env: Dict[str, str], out: BinaryIO, place: str, sizes: Mapping[str, int]) -> Written:
    """Let pg_dump write through us into ``out``.

    The bytes come through a pipe on purpose. From 17 on pg_dump opens its standard output for appending, and on a file
    it then adds a second table of contents behind the data instead of replacing the first (seen with 17.10 and 18.6);
    and to a full disk it can end with exit code 0.

    :param place: the server in words.
    :param sizes: bytes of each table on the server, for the progress.
    :raises OSError: what writing raises; Cancelled; the named failure of pg_dump; DumpDamaged when it ends well and
        says that data is not in the dump.
    """
    _jobs.step("dump the database")
    digest = hashlib.sha256()
    meter = _Meter(sizes)
    warnings = Warnings()
    lines = Lines(meter.hear, warnings.hear)

    def write(chunk: bytes) -> None:
        out.write(chunk)
        digest.update(chunk)
        meter.report()

    result = _process.run_tool(argv, env=env, consume=write, hear=lines.hear)
    tool = os.path.basename(argv[0])
    if result.exit_code != 0:
        raise failures.of_dump_tool(tool, result.exit_code, result.stderr, place=place)
    lines.end()
    warnings.end()
    failures.require_all_data(tool, warnings, place=place)
    return Written(digest.hexdigest(), warnings)


class _Meter:
    """Progress by pg_dump's own messages: it tells each table that it begins with, and nothing in between."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self._sizes = sizes
        self._total = sum(sizes.values())
        self._done = 0
        self._current = ""

    def hear(self, line: str) -> None:
        """A line of pg_dump's messages; called from the thread that reads them."""
        match = _CONTENTS.search(line)
        if match:
            self._done += self._sizes.get(self._current, 0)
            self._current = match[1]

    def report(self) -> None:
        """Tell where it is; raises Cancelled."""
        _jobs.progress(self._done, self._total, self._current)
