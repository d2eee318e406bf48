# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A disposable PostgreSQL cluster on the host itself: on the loopback, with a password, for as long as a step needs it.

It stands in a directory of its own and runs only while ``running`` does. Nothing in it is worth a flush: what a drill
restores is thrown away.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from dataclasses import dataclass
from typing import Dict, Iterator, List, Optional

from ansible_collections.wst.backup.plugins.module_utils import _fs, _jobs, _process
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError, RestoreTargetRefused, ToolFailed
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DISABLE, DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import Tool, find_tool
from ansible_collections.wst.backup.plugins.module_utils._platform import api

SUPERUSER = "wst_drill"
MARKER = "wst-drill"  # a file in the directory: whose it is
START_TIMEOUT = 120.0  # seconds
STOP_TIMEOUT = 60.0  # seconds
_LOCKS, _CONNECTIONS = 64, 100  # defaults of max_locks_per_transaction and max_connections; the table holds the product
_TRIES = 3  # another program may take the port between the question and the start
MOST_WAL = 4 << 30  # bytes that its log may grow to
_DATA, _LOG, _KEY = "data", "server.log", "password"

_SETTINGS = {
    "listen_addresses": "'127.0.0.1'",
    "unix_socket_directories": "''",
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": f"'{MOST_WAL >> 20}MB'",
    "autovacuum": "off",
    "logging_collector": "off",
    "log_min_messages": "warning",
    "log_statement": "'none'",
    "log_min_error_statement": "panic",  # a failed statement has rows in it, and so have details and contexts
    "log_error_verbosity": "terse",
    "lc_messages": "'C'",
}


@dataclass(frozen=True)
class Cluster:
    """Where it is and the programs that serve it."""

    home: str
    initdb: Tool
    pg_ctl: Tool

    @property
    def data(self) -> str:
        """The data directory."""
        return os.path.join(self.home, _DATA)

    @property
    def log(self) -> str:
        """What the server says."""
        return os.path.join(self.home, _LOG)

    def options(self, port: int) -> DatabaseOptions:
        """How to reach it while it runs."""
        return DatabaseOptions(host="127.0.0.1", port=port, name="postgres", user=SUPERUSER, sslmode=DISABLE)

    def password(self) -> str:
        """Of its superuser; raises PathPermissions, PathUnusable."""
        try:
            with api.open_source(os.path.join(self.home, _KEY)) as file:
                return file.read().decode("ascii")
        except OSError as error:
            raise _fs.translate_oserror(error, self.home) from error


def find_cluster(home: str, tools_dir: str) -> Cluster:
    """The cluster in that directory; raises ToolMissing where the tools directory has no server."""
    real = api.real_path(tools_dir)  # who serves it need not be allowed to follow the way of ours
    return Cluster(home=home, initdb=find_tool(real, "initdb"), pg_ctl=find_tool(real, "pg_ctl"))


def make_cluster(home: str, tools_dir: str, *, run_id: str) -> Cluster:
    """Initialise an empty cluster in a new directory that ``make_server_directory`` made.

    :raises ToolMissing, ToolFailed, Cancelled; NoSpace, PathPermissions, PathUnusable.
    """
    cluster = find_cluster(home, tools_dir)
    _jobs.step("make a scratch server")
    key = os.path.join(home, _KEY)
    _write(os.path.join(home, MARKER), run_id)
    _write(key, secrets.token_urlsafe(24))
    argv = [
        cluster.initdb.path,
        f"--pgdata={cluster.data}",
        f"--username={SUPERUSER}",
        f"--pwfile={key}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--no-locale",
        "--no-sync",
    ]
    _run(cluster, argv, timeout=START_TIMEOUT)
    text = "".join(f"{name} = {value}\n" for name, value in _SETTINGS.items())
    _append(os.path.join(cluster.data, "postgresql.conf"), text + "include 'wst.conf'\n")
    return cluster


@contextlib.contextmanager
def running(cluster: Cluster, *, relations: int = 0) -> Iterator[DatabaseOptions]:
    """Start the server, and stop it at the end of the block, however that comes.

    :param relations: how many will be locked at once. 0 leaves the server's defaults, which a restore must do with:
        one that needs more would not restore elsewhere.
    :raises ToolFailed: it does not start; its own words are in the facts.
    """
    _stop(cluster, "fast")  # what a killed step has left
    options = _start(cluster, relations)
    try:
        yield options
    finally:
        _stop(cluster, "fast")


def remove_cluster(home: str, tools_dir: str, *, run_id: str) -> bool:
    """Stop what still runs there and remove the directory; tells whether there was one.

    :raises RestoreTargetRefused: the directory does not carry that run's marker; it is left alone.
    """
    if not os.path.isdir(api.long_path(home)):
        return False
    if _marker(home) != run_id and os.listdir(api.long_path(home)):
        raise RestoreTargetRefused(f"{home} is not the scratch server of run {run_id}", path=home, run_id=run_id)
    _stop(find_cluster(home, tools_dir), "immediate")
    return _fs.remove_tree(home, inside=os.path.dirname(home))


def _marker(home: str) -> Optional[str]:
    try:
        with api.open_source(os.path.join(home, MARKER)) as file:
            return file.read(100).decode("ascii", "replace")
    except OSError:
        return None


def _start(cluster: Cluster, relations: int) -> DatabaseOptions:
    for attempt in range(_TRIES):
        port = _free_port()
        path = os.path.join(cluster.data, "wst.conf")
        _fs.remove_file(path)
        locks = _LOCKS + relations // _CONNECTIONS
        _write(path, f"port = {port}\nmax_locks_per_transaction = {locks}\n")
        argv = [cluster.pg_ctl.path, "start", f"--pgdata={cluster.data}", "--wait", f"--timeout={int(START_TIMEOUT)}"]
        try:
            _run(cluster, [*argv, "--silent"], timeout=START_TIMEOUT + 10)
            return cluster.options(port)
        except ToolFailed:
            _stop(cluster, "immediate")
            if attempt == _TRIES - 1:
                raise
    raise AssertionError("unreachable")


def _stop(cluster: Cluster, mode: str) -> None:
    """A server that is not there is fine. ``immediate`` is for what nobody needs any more."""
    if not os.path.exists(api.long_path(os.path.join(cluster.data, "postmaster.pid"))):
        return
    argv = [cluster.pg_ctl.path, "stop", f"--pgdata={cluster.data}", "--wait", f"--mode={mode}", "--silent"]
    with contextlib.suppress(BackupError):  # a stale file of a server that was killed
        _run(cluster, argv, timeout=STOP_TIMEOUT)


def _run(cluster: Cluster, argv: List[str], *, timeout: float) -> None:
    """Run one of the server's programs under its account, with all that it says in the log. Raises ToolFailed."""
    try:
        with open(api.long_path(cluster.log), "ab") as log:
            began = log.tell()
            environment: Dict[str, str] = _process.tool_environment({"PGCONNECT_TIMEOUT": "5"})
            code = _process.run_starter(
                argv, output=log, timeout=timeout, env=environment, account=api.server_account()
            )
        if code == 0:
            return
        with open(api.long_path(cluster.log), "rb") as said:
            said.seek(began)
            text = said.read(4096).decode("utf-8", "backslashreplace").strip()
    except OSError as error:
        raise _fs.translate_oserror(error, cluster.log) from error
    name = os.path.basename(argv[0])
    raise ToolFailed(
        f"{name} ended with exit code {code}: {_process.last_line(text)}", program=argv[0], exit_code=code, said=text
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _write(path: str, text: str) -> None:
    try:
        with api.create_new(path) as file:
            file.write(text.encode("ascii"))
        api.give_to_server(path)
    except OSError as error:
        raise _fs.translate_oserror(error, path) from error


def _append(path: str, text: str) -> None:
    try:
        with open(api.long_path(path), "ab") as file:
            file.write(text.encode("ascii"))
    except OSError as error:
        raise _fs.translate_oserror(error, path) from error
