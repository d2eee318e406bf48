# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a set is worth, said by others than the collection: zipfile, hashlib, and pg_restore itself.

None of the collection's code is used here, so that an error of its own cannot hide itself.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

DUMP = "wst_dev_database.backup"
BESIDE = frozenset({"members.jsonl", "manifest.json"})


@dataclass(frozen=True)
class Worth:
    """A complete set's bytes, by their digests, and what is wrong with them."""

    zip: str
    sidecar: str
    problems: tuple[str, ...]


def judge(layer: Path, stem: str, *, tools_dir: str, least_rows: int) -> Worth:
    """Read a set in full. ``least_rows``: what the database had at least when the set was made."""
    data = (layer / f"{stem}.zip").read_bytes()
    sidecar = (layer / f"{stem}.manifest.json").read_bytes()
    problems = judge_zip(layer / f"{stem}.zip", tools_dir=tools_dir, least_rows=least_rows)
    try:
        if _sha256(data) not in json.dumps(json.loads(sidecar)["body"]):
            problems.append("the sidecar does not name the ZIP's SHA-256")
    except (ValueError, KeyError, TypeError) as error:
        problems.append(f"{type(error).__name__}: {error}")
    return Worth(_sha256(data), _sha256(sidecar), tuple(f"{layer.name}/{stem}: {one}" for one in problems))


def unchanged(layer: Path, stem: str, worth: Worth) -> bool:
    """Whether a set that was judged is there to the byte."""
    try:
        data, sidecar = ((layer / f"{stem}{part}").read_bytes() for part in (".zip", ".manifest.json"))
    except FileNotFoundError:
        return False
    return (_sha256(data), _sha256(sidecar)) == (worth.zip, worth.sidecar)


def judge_zip(path: Path, *, tools_dir: str, least_rows: int) -> list[str]:
    """What is wrong with a set's ZIP, whatever stands beside it."""
    try:
        return _content(path, tools_dir, least_rows)
    except (ValueError, KeyError, TypeError, OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        return [f"{type(error).__name__}: {error}"]


def _content(path: Path, tools_dir: str, least_rows: int) -> list[str]:
    problems = []
    with zipfile.ZipFile(path) as archive:
        if archive.testzip() is not None:
            problems.append("a member's CRC is wrong")
        listed = [json.loads(line) for line in archive.read("members.jsonl").splitlines()]
        for member in listed:
            if member["kind"] == "file" and _sha256(archive.read(member["path"])) != member["sha256"]:
                problems.append(f"{member['path']} is not what was read from the source")
        names = {name.rstrip("/") for name in archive.namelist()}
        known = {member["path"] for member in listed} | BESIDE
        if names != known:
            problems.append(f"members and list differ by {sorted(names ^ known)}")
        problems += _dump(archive.read(DUMP), tools_dir, least_rows)
    return problems


def _dump(data: bytes, tools_dir: str, least_rows: int) -> list[str]:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        argv = [str(Path(tools_dir) / "pg_restore"), "--data-only", "--table=orders", "-f", "-", file.name]
        done = subprocess.run(argv, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        return [f"pg_restore: {done.stderr.decode(errors='replace')}"]
    rows = done.stdout.partition(b"FROM stdin;\n")[2].partition(b"\\.\n")[0].count(b"\n")
    return [] if rows >= least_rows else [f"the dump has {rows} rows of at least {least_rows}"]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
