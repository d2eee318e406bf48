# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong on a host, made to happen: each provocation gives the extra variables of the run and cleans up."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

from integration.world import World
from unit import pgserver

from wstlab.wine import Wine

Extra = dict[str, Any]
Provocation = Callable[[World], contextlib.AbstractContextManager[Extra]]


def variables(**extra: Any) -> Provocation:
    """Only a variable is wrong."""

    @contextlib.contextmanager
    def provoke(world: World) -> Iterator[Extra]:
        yield extra

    return provoke


def database(**wrong: Any) -> Provocation:
    """One part of the connection is wrong."""

    @contextlib.contextmanager
    def provoke(world: World) -> Iterator[Extra]:
        yield {"backup_database": {**world.variables()["backup_database"], **wrong}}

    return provoke


@contextlib.contextmanager
def moved_away(path: Path) -> Iterator[None]:
    """Something is not there."""
    aside = path.with_name(path.name + ".aside")
    path.rename(aside)
    try:
        yield
    finally:
        aside.rename(path)


@contextlib.contextmanager
def emptied(tree: Path) -> Iterator[None]:
    """A source tree that has one file left."""
    with moved_away(tree):
        tree.mkdir()
        (tree / "left.txt").write_text("x")
        try:
            yield
        finally:
            (tree / "left.txt").unlink()
            tree.rmdir()


@contextlib.contextmanager
def key_is_gone(world: World) -> Iterator[Extra]:
    with moved_away(world.control / "db.key"):
        yield {}


def key_holds(content: bytes) -> Provocation:
    """The key file has that content; its access list stays as it is."""

    @contextlib.contextmanager
    def provoke(world: World) -> Iterator[Extra]:
        key = world.control / "db.key"
        right = key.read_bytes()
        key.write_bytes(content)
        try:
            yield {}
        finally:
            key.write_bytes(right)

    return provoke


def opened(relative: str) -> Provocation:
    """Everybody may read and write it."""

    @contextlib.contextmanager
    def provoke(world: World) -> Iterator[Extra]:
        path = world.drive_c / relative
        mode = stat.S_IMODE(path.stat().st_mode)
        path.chmod(mode | 0o006)  # wine shows the mode's bits as the access list: others are Everyone
        try:
            yield {}
        finally:
            path.chmod(mode)

    return provoke


@contextlib.contextmanager
def mirror_is_gone(world: World) -> Iterator[Extra]:
    with moved_away(world.mirror):
        yield {}


@contextlib.contextmanager
def mirror_has_no_marker(world: World) -> Iterator[Extra]:
    with moved_away(world.mirror / "wst-mirror.json"):
        yield {}


@contextlib.contextmanager
def source_is_gone(world: World) -> Iterator[Extra]:
    with moved_away(world.sources["wst-api"]):
        yield {}


@contextlib.contextmanager
def source_has_a_device_name(world: World) -> Iterator[Extra]:
    """A file that no program on Windows can open by its plain name."""
    path = world.sources["wst"] / "aux.txt"
    path.write_bytes(b"x")
    try:
        yield {}
    finally:
        path.unlink()


@contextlib.contextmanager
def source_keeps_changing(world: World) -> Iterator[Extra]:
    """A file that has another size and other bytes all the time."""
    path = world.sources["wst"] / "restless.bin"
    path.touch()
    stop = threading.Event()

    def rewrite() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            with path.open("r+b") as file:
                file.write(bytes([turn % 256]) * (3_000_000 - turn * 7919 % 500_000))
                file.truncate()

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        yield {}
    finally:
        stop.set()
        writer.join()
        path.unlink()


HOLD = (
    "import ctypes, sys; kernel = ctypes.WinDLL('kernel32'); "
    "kernel.CreateFileW({path!r}, 0x80000000, 0, None, 3, 0, None); print('held', flush=True); sys.stdin.read()"
)


@contextlib.contextmanager
def source_cannot_be_read(world: World) -> Iterator[Extra]:
    """Another program holds a file and shares it with nobody; on POSIX, what stands there is no file at all."""
    path = world.sources["wst"] / "held.bin"
    if not world.windows:
        os.mkfifo(path)
        try:
            yield {}
        finally:
            path.unlink()
        return
    path.write_bytes(b"x")
    wine = Wine(Path(world.host["wine_prefix"]))
    command = wine.argv(world.host["paths"]["python"], "-c", HOLD.format(path="C:\\wst\\wst\\held.bin"))
    with subprocess.Popen(
        command, env=wine.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as holder:
        assert holder.stdout is not None
        assert b"held" in holder.stdout.readline()
        try:
            yield {}
        finally:
            holder.communicate(b"")
            path.unlink()


@contextlib.contextmanager
def table_is_locked(world: World) -> Iterator[Extra]:
    with world.connect() as session, session.transaction():
        session.execute(f"LOCK TABLE {first_table(world)} IN ACCESS EXCLUSIVE MODE")
        yield {"backup_dump_lock_timeout": 2}


def first_table(world: World) -> str:
    """Some table of the application."""
    with world.connect() as session:
        row = session.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1 LIMIT 1"
        ).fetchone()
    assert row is not None
    return str(row[0])


def sql(provoke_with: str, undo_with: str) -> Provocation:
    """The database is in a state that a dump must refuse."""

    @contextlib.contextmanager
    def provoke(world: World) -> Iterator[Extra]:
        with world.connect() as session:
            session.execute(provoke_with)
        try:
            yield {}
        finally:
            with world.connect() as session:
                session.execute(undo_with)

    return provoke


@contextlib.contextmanager
def database_is_empty(world: World) -> Iterator[Extra]:
    with world.connect("postgres") as session:
        session.execute("CREATE DATABASE nothing_here OWNER wst_backup")
    try:
        yield {"backup_database": {**world.variables()["backup_database"], "name": "nothing_here"}}
    finally:
        with world.connect("postgres") as session:
            session.execute("DROP DATABASE nothing_here WITH (FORCE)")


@contextlib.contextmanager
def server_is_newer(world: World) -> Iterator[Extra]:
    """A server of the next major version, whose build has no TLS."""
    key = (world.control / "db.key").read_text().strip()
    with pgserver.running(18) as server:
        server.run("CREATE ROLE wst_backup LOGIN PASSWORD '" + key + "'", "CREATE TABLE t ()")
        yield {
            "backup_database": {
                **world.variables()["backup_database"],
                "port": server.port,
                "name": "postgres",
                "sslmode": "disable",
            }
        }


@contextlib.contextmanager
def certificate_authority_is_another(world: World) -> Iterator[Extra]:
    """The roots that the client trusts did not sign the server's certificate."""
    other = Path("/etc/ssl/certs/ca-certificates.crt").read_bytes()
    target = world.drive_c / "other-roots.pem"
    target.write_bytes(other)
    shown = "C:\\other-roots.pem" if world.windows else str(target)
    try:
        if world.windows:
            yield {"backup_environment": {"SSL_CERT_FILE": shown}}
        else:
            yield {"backup_database": {**world.variables()["backup_database"], "sslrootcert": shown}}
    finally:
        target.unlink()


@contextlib.contextmanager
def mirror_holds_another_zip(world: World) -> Iterator[Extra]:
    """On D: a set's name is taken by something else."""
    stem = world.artifacts()[-1]
    kept = world.state / "kept-aside"
    shutil.copytree(world.mirror, kept)
    (world.mirror / f"{stem}.manifest.json").unlink()
    (world.mirror / f"{stem}.state.json").unlink()
    (world.mirror / f"{stem}.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    try:
        yield {}
    finally:
        for path in kept.iterdir():
            shutil.copy2(path, world.mirror / path.name)
        shutil.rmtree(kept)
