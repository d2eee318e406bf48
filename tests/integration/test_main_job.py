# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job through its playbook, in four steps: check, run, check again, run again; the world is read each time."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from integration.world import World, digests

from wstlab.config import lab_paths
from wstlab.postgres import linux_programs

CHECKER = Path(__file__).parents[2] / "roles" / "backup" / "files" / "check_artifact.py"
DUMP = "wst_dev_database.backup"
OWN = {DUMP, "roles.sql", "manifest.json", "members.jsonl"}
NAME = re.compile(r"wst-backup-[0-9]{8}-[0-9]{6}")


@pytest.fixture(scope="module")
def backed_up(initialised: World) -> World:
    """The four steps; what each left is kept for the tests below."""
    world = initialised
    before = (world.layers(), digests(world.control), world.artifacts())
    checked = world.play("backup.yml", "--check", "--diff")
    assert checked.code == 0, checked.output
    assert (world.layers(), digests(world.control), world.artifacts()) == before, "check mode changed the host"

    first = world.play("backup.yml")
    assert first.code == 0, first.output
    (artifact,) = set(world.artifacts()) - set(before[2])
    assert NAME.fullmatch(artifact)
    assert artifact in first.output

    after_first = (world.layers(), digests(world.control))
    again = world.play("backup.yml", "--check", "--diff")
    assert again.code == 0, again.output
    assert (world.layers(), digests(world.control)) == after_first, "check mode changed the host"

    second = world.play("backup.yml")
    assert second.code == 0, second.output
    assert len(world.artifacts()) == len(before[2]) + 2
    assert after_first[0].items() <= {**world.layers(), **_states(after_first[0])}.items(), "an older set was touched"
    return world


def _states(files: dict[str, str]) -> dict[str, str]:
    """State files may be replaced; everything else of a set never changes."""
    return {path: digest for path, digest in files.items() if path.endswith(".state.json")}


@pytest.fixture(scope="module")
def artifact(backed_up: World) -> Path:
    """The newest artifact on the local layer."""
    return backed_up.local / f"{backed_up.artifacts()[-1]}.zip"


def test_both_layers_hold_the_same_sets(backed_up: World) -> None:
    assert backed_up.artifacts(backed_up.mirror) == backed_up.artifacts()
    for stem in backed_up.artifacts():
        for suffix in (".zip", ".manifest.json"):
            copies = {(layer / f"{stem}{suffix}").read_bytes() for layer in (backed_up.local, backed_up.mirror)}
            assert len(copies) == 1, stem


def test_plain_python_proves_the_set_with_what_stands_beside_it(backed_up: World) -> None:
    for layer in (backed_up.local, backed_up.mirror):
        checker = layer / "check_artifact.py"
        assert checker.read_bytes() == CHECKER.read_bytes()
        for stem in backed_up.artifacts(layer):
            argv = [sys.executable, "-I", str(checker), str(layer / f"{stem}.zip"), "--json"]
            answer = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120)
            verdict = json.loads(answer.stdout)
            assert (answer.returncode, verdict["verdict"], verdict["remarks"]) == (0, "proven", []), verdict
    listed = backed_up.play("list.yml")
    assert listed.code == 0
    assert "check_artifact" not in listed.output


def test_nothing_unfinished_is_left(backed_up: World) -> None:
    left = [p for d in (backed_up.drive_c, backed_up.mirror) for p in d.rglob("*.partial")]
    assert left == []
    scratch = backed_up.control / "scratch"
    assert list(scratch.iterdir()) == []
    assert not (backed_up.control / "lock" / "lease.json").exists()


@pytest.mark.parametrize("unpacker", ["unzip", "7z", "bsdtar", "python"])
def test_every_unpacker_gives_back_the_sources(backed_up: World, artifact: Path, tmp_path: Path, unpacker: str) -> None:
    unpack(unpacker, artifact, tmp_path)
    # libarchive writes every name in its composed form, whatever form the archive has.
    normal = (lambda name: unicodedata.normalize("NFC", name)) if unpacker == "bsdtar" else str
    for name, source in backed_up.sources.items():
        assert contents(tmp_path / name, normal) == contents(source, normal)
    assert {path.name for path in tmp_path.iterdir()} == {*backed_up.sources, *OWN}


def unpack(unpacker: str, artifact: Path, target: Path) -> None:
    if unpacker == "python":
        with zipfile.ZipFile(artifact) as archive:
            archive.extractall(target)
        return
    command = {
        "unzip": ["unzip", "-q", str(artifact), "-d", str(target)],
        "7z": ["7z", "x", "-y", f"-o{target}", str(artifact)],
        "bsdtar": ["bsdtar", "-xf", str(artifact), "-C", str(target)],
    }[unpacker]
    environment = {"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)


def contents(root: Path, normal: Callable[[str], str]) -> dict[str, str]:
    """The digest of every file, and the directories, by their names below the root."""
    files = {normal(str(Path(path).relative_to(root))): digest for path, digest in digests(root).items()}
    return {**files, **{normal(str(path.relative_to(root))): "directory" for path in root.rglob("*") if path.is_dir()}}


def test_the_key_is_nowhere_in_the_set(backed_up: World, artifact: Path) -> None:
    key = (backed_up.control / "db.key").read_bytes().strip()
    with zipfile.ZipFile(artifact) as archive:
        assert not [name for name in archive.namelist() if name.endswith("db.key")]
        assert all(key not in archive.read(name) for name in archive.namelist())
    assert all(key not in path.read_bytes() for path in backed_up.local.glob("*.json"))


def test_the_manifest_tells_the_truth(backed_up: World, artifact: Path) -> None:
    with zipfile.ZipFile(artifact) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        members = [json.loads(line) for line in archive.read("members.jsonl").splitlines()]
        for member in members:
            if member["kind"] == "file":
                data = archive.read(member["path"])
                assert hashlib.sha256(data).hexdigest() == member["sha256"]
                assert len(data) == member["size"]
        listed = {member["path"].rstrip("/") for member in members}
        stored = {name.rstrip("/") for name in archive.namelist()}
    assert stored - listed == {"manifest.json", "members.jsonl"}
    sidecar = json.loads(artifact.with_name(f"{artifact.stem}.manifest.json").read_text())["body"]
    assert sidecar["manifest"] == manifest
    warnings = manifest["database"]["warnings"]
    assert (warnings["counts"], warnings["first"]) == ({}, []), "what a library says at its start is no warning"
    assert backed_up.windows or warnings["noise"] == []  # under wine a library complains
    digest = hashlib.sha256(artifact.read_bytes()).hexdigest()
    tables = manifest["database"]["tables"]
    assert all(table["fingerprint"] for table in tables if table["rows"] is not None)
    assert {table["compared"] for table in tables if table["kind"] == "table"} == {True}
    assert sidecar["zip"] == {"name": artifact.name, "size": artifact.stat().st_size, "sha256": digest}


def test_another_build_of_pg_restore_restores_the_dump(backed_up: World, artifact: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(artifact) as archive:
        dump = Path(archive.extract(DUMP, tmp_path))
        manifest = json.loads(archive.read("manifest.json"))
    script = tmp_path / "restore.sql"
    # The other build has no TLS, so it writes the script and the server's own psql runs it.
    subprocess.run([other_build(), "--no-owner", "--no-acl", "--file", str(script), str(dump)], check=True)
    with backed_up.connect() as session:
        session.execute("DROP DATABASE IF EXISTS restored")
        session.execute("CREATE DATABASE restored TEMPLATE template0 ENCODING 'UTF8'")
    try:
        subprocess.run(
            [*backed_up.psql("restored"), "--set=ON_ERROR_STOP=1", "--quiet", "--no-psqlrc", f"--file={script}"],
            check=True,
            env=backed_up.libpq_environment(),
            stdout=subprocess.DEVNULL,
        )
        with backed_up.connect("restored") as session:
            for table in manifest["database"]["tables"]:
                if table["rows"] is None:
                    continue
                query = 'SELECT count(*) FROM "{schema}"."{name}"'.format(**table)
                assert session.execute(query).fetchone() == (table["rows"],), table
            (objects,) = session.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchone() or (None,)
            assert objects == manifest["database"]["large_objects"]["count"]
    finally:
        with backed_up.connect() as session:
            session.execute("DROP DATABASE restored WITH (FORCE)")


def other_build() -> str:
    """A pg_restore that is not the one which the host has: the Linux build of the next major version."""
    return str(linux_programs(lab_paths(), 18) / "bin" / "pg_restore")


def test_the_audit_log_has_both_runs(backed_up: World) -> None:
    records = backed_up.audit()
    records = records[[n for n, record in enumerate(records) if record["event"] == "backup_start"][-2] :]
    assert [record["seq"] for record in records] == list(range(records[0]["seq"], records[0]["seq"] + len(records)))
    ends = [record for record in records if record["event"] == "backup_end"]
    starts = [record for record in records if record["event"] == "backup_start"]
    assert [end["run_id"] for end in ends] == [start["run_id"] for start in starts]
    assert {end["result"] for end in ends} == {"success"}
    assert [end["details"]["artifact"] for end in ends] == backed_up.artifacts()[-2:]


def test_verify_and_list_agree(backed_up: World) -> None:
    before = digests(backed_up.local)
    verified = backed_up.play("verify.yml", extra={"backup_verify_sets": "all"})
    assert verified.code == 0, verified.output
    record = backed_up.audit()[-1]
    assert (record["event"], record["result"], record["details"]["failures"]) == ("verify", "success", 0)
    assert len(record["details"]["proved"]) == 2 * len(backed_up.artifacts())
    listed = backed_up.play("list.yml")
    assert listed.code == 0, listed.output
    for stem in backed_up.artifacts():
        assert stem in verified.output
        assert stem in listed.output
    assert {p: d for p, d in digests(backed_up.local).items() if p.endswith(".zip")} == {
        p: d for p, d in before.items() if p.endswith(".zip")
    }


def test_a_foreign_zip_is_listed_and_left_alone(backed_up: World, tmp_path: Path) -> None:
    foreign = backed_up.local / "handmade.zip"
    with zipfile.ZipFile(foreign, "w") as archive:
        archive.writestr("x", "y")
    try:
        listed = backed_up.play("list.yml")
        assert listed.code == 0
        assert "handmade.zip" in listed.output
        done = backed_up.play("wst.backup.backup")
        assert done.code == 0, done.output
        assert foreign.exists()
        assert not (backed_up.mirror / foreign.name).exists()
    finally:
        foreign.unlink()
