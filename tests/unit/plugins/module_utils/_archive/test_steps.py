# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two steps on a host: what they leave behind when they succeed, and that they leave nothing when they fail."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.module_utils import _context, _fs, _jobs
from ansible_collections.wst.backup.plugins.module_utils._archive import archive_step, codecs, verify_step
from ansible_collections.wst.backup.plugins.module_utils._archive.archive_step import preview
from ansible_collections.wst.backup.plugins.module_utils._archive.patterns import Patterns
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source
from ansible_collections.wst.backup.plugins.module_utils._archive.verify import DumpCounts
from ansible_collections.wst.backup.plugins.module_utils._archive.verify_step import verify_path, verify_run
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactDamaged,
    ArtifactIncomplete,
    BackupError,
    Cancelled,
    DumpDamaged,
    DumpEmpty,
    DumpMissing,
    InputInvalid,
    LeaseLost,
    Locked,
    NoSpace,
    NotProved,
    PathUnusable,
    RecordDamaged,
    SourceMissing,
    SourceUnreadable,
    ToolMissing,
)
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.runlock import RunLock
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._sets import publish_step
from ansible_collections.wst.backup.plugins.module_utils._sets.anomaly import Thresholds
from ansible_collections.wst.backup.plugins.module_utils._sets.catalog import BackupSet
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.holds import held_stems
from ansible_collections.wst.backup.plugins.module_utils._sets.publish_step import publish_run
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import read_layer
from ansible_collections.wst.backup.plugins.module_utils._sets.reusable import newest_like
from ansible_collections.wst.backup.plugins.module_utils._sets.verify_set import verify_held, verify_set

RUN_ID = "20261123-150000-0123abcd"
ARTIFACT = "wst-backup-20261123-150000.zip"
PARTIAL = f"{ARTIFACT}.20261123-150000-0123abcd.partial"


def verification(host: Any, level: int = 3, **changes: Any) -> verify_step.Request:
    return verify_step.Request(**{"layout": host.layout, "level": level, **changes})


def test_a_run_archives_and_proves(host: Any) -> None:
    result = host.archive(host.kit.sample())
    assert host.layer_names() == [PARTIAL]
    path = host.local / PARTIAL
    data = path.read_bytes()
    assert (result["partial"], result["size"]) == (str(path), len(data))
    assert result["sha256"] == hashlib.sha256(data).hexdigest()
    assert (result["files"], result["directories"], result["links"]) == (7, 6, 0)
    made = _fs.read_record(str(host.workspace / "archive.json"))
    assert made is not None
    assert made["zip"] == {"name": "wst-backup-20261123-150000.zip", "size": len(data), "sha256": result["sha256"]}

    proved = verify_run(verification(host), write=True)
    assert (proved["level"], proved["state"], proved["tables"], proved["rows"]) == (3, "building", 1, 7)
    record = _fs.read_record(str(host.workspace / "verification.json"))
    assert record is not None
    with api.open_source(str(path)) as file:
        facts = api.facts_of(file)
    assert record["zip"] == {
        "size": facts.size,
        "sha256": result["sha256"],
        "mtime_ns": facts.mtime_ns,
        "file_id": facts.file_id,
    }
    assert (record["level"], record["artifact"]) == (3, "wst-backup-20261123-150000")
    assert record["counts"]["files"] == 7
    assert sorted(p.name for p in host.workspace.iterdir()) == [
        "archive.json", "database.json", "roles.sql", "verification.json", "wst_dev_database.backup",
    ]  # fmt: skip


def test_a_second_try_of_the_same_run_replaces_its_own_partial(host: Any) -> None:
    (host.local / PARTIAL).write_bytes(b"half an archive of a killed job")
    (host.workspace / "central.spool").write_bytes(b"left")
    host.archive(host.kit.sample())
    assert verify_run(verification(host), write=True)["level"] == 3


def test_check_mode_counts_and_writes_nothing(host: Any) -> None:
    shutil.rmtree(host.workspace)
    told = preview(host.request(host.kit.sample()))
    assert (told["files"], told["directories"], told["partial"]) == (7, 6, None)
    assert told["artifact"] == "wst-backup-20261123-150000"
    assert verify_run(verification(host), write=False)["state"] == "absent"
    assert host.layer_names() == []
    assert not host.workspace.exists()


def test_check_mode_after_an_archive_verifies_and_records_nothing(host: Any) -> None:
    host.archive(host.kit.sample())
    assert verify_run(verification(host), write=False)["level"] == 3
    assert not (host.workspace / "verification.json").exists()


def remove(name: str) -> Callable[[Any], None]:
    return lambda host: (host.workspace / name).unlink()


def write(name: str, data: bytes) -> Callable[[Any], None]:
    return lambda host: (host.workspace / name).write_bytes(data)


@pytest.mark.parametrize(
    ("spoil", "failure"),
    [
        (remove("wst_dev_database.backup"), DumpMissing),
        (remove("roles.sql"), DumpMissing),
        (remove("database.json"), DumpMissing),
        (write("wst_dev_database.backup", b""), DumpEmpty),
        (write("wst_dev_database.backup", b"PGDMP but another one"), DumpDamaged),
        (write("roles.sql", b"-- another"), DumpDamaged),
        (write("database.json", b"{}"), RecordDamaged),
    ],
)
def test_what_the_dump_step_left_must_be_whole(host: Any, spoil: Callable[[Any], None], failure: Any) -> None:
    spoil(host)
    with pytest.raises(failure):
        host.archive(host.kit.sample())
    assert host.layer_names() == []
    assert not (host.workspace / "archive.json").exists()


def test_a_dump_with_one_flipped_bit_is_not_archived(host: Any) -> None:
    dump = host.workspace / "wst_dev_database.backup"
    data = bytearray(dump.read_bytes())
    data[5000] ^= 1
    dump.write_bytes(data)
    with pytest.raises(DumpDamaged, match="is not what the dump step left"):
        host.archive(host.kit.sample())
    assert host.layer_names() == []


def test_failures_leave_nothing_and_the_next_try_is_clean(host: Any, unreadable: Callable[[Path], None]) -> None:
    source = host.kit.sample()
    with pytest.raises(SourceMissing) as caught:
        host.archive(source, Source("wst-api", str(host.kit.root / "nowhere")), Source("x", "/no/such"))
    assert len(caught.value.facts["missing"]) == 2
    with pytest.raises(InputInvalid):
        host.archive(source, source)
    with pytest.raises(InputInvalid):
        host.archive(source, prefix="../x")
    with pytest.raises(PathUnusable):
        host.archive(source, local_dir=str(host.kit.root / "no-such-layer"))
    assert host.layer_names() == []
    host.archive(source)
    assert host.layer_names() == [PARTIAL]


def test_an_unreadable_file_leaves_nothing(host: Any, unreadable: Callable[[Path], None]) -> None:
    source = host.kit.sample()
    for directory in (host.kit.root / "control").rglob("*"):
        directory.chmod(0o777)
    (host.kit.root / "control").chmod(0o777)
    host.local.chmod(0o777)
    unreadable(Path(source.path) / "index.html")
    with pytest.raises(SourceUnreadable, match=r"wst/index\.html"):
        host.archive(source)
    assert host.layer_names() == []


def test_the_backups_and_the_control_directory_never_get_in(host: Any) -> None:
    """A source that holds everything must not swallow the backups, the key or itself."""
    host.kit.sample()
    (host.local / "older.zip").write_bytes(b"older")
    host.kit.tree("mirror", {"older.zip": b"older"})
    result = host.archive(Source("all", str(host.kit.root)))
    with zipfile.ZipFile(result["partial"]) as archive:
        names = archive.namelist()
    assert "all/src/wst/index.html" in names
    assert not [name for name in names if name.startswith(("all/local", "all/mirror", "all/control"))]
    assert result["notes"]["counts"] == {"secret": 3}


def test_a_hard_link_to_the_key_and_a_further_secret_stay_out(host: Any) -> None:
    source = host.kit.sample()
    os.link(host.layout.key_file, Path(source.path) / "readme.txt")
    other = host.kit.tree("elsewhere", {"token": b"swordfish"}) / "token"
    os.link(other, Path(source.path) / "token.txt")
    result = host.archive(source, secrets=[str(other)])
    assert result["notes"]["counts"] == {"secret": 2}
    with zipfile.ZipFile(result["partial"]) as archive:
        assert not [name for name in archive.namelist() if name.endswith(("readme.txt", "token.txt"))]
    assert verify_run(verification(host), write=True)["level"] == 3


class Limited:
    """A file on a disk that runs full after so many bytes."""

    def __init__(self, file: Any, limit: int) -> None:
        self._file, self._left = file, limit

    def write(self, data: bytes) -> int:
        self._left -= len(data)
        if self._left < 0:
            raise OSError(28, "No space left on device")
        return int(self._file.write(data))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> Limited:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


@pytest.mark.parametrize("suffix", [".partial", "central.spool", "members.spool"])
@pytest.mark.parametrize("limit", [0, 600, 100_000])
def test_a_disk_that_runs_full_in_the_middle(
    host: Any, monkeypatch: pytest.MonkeyPatch, suffix: str, limit: int
) -> None:
    real = api.create_new

    def create_new(path: str) -> Any:
        return Limited(real(path), limit) if path.endswith(suffix) else real(path)

    source = host.kit.sample()
    with monkeypatch.context() as patch:
        patch.setattr(api, "create_new", create_new)
        if suffix != ".partial" and limit == 100_000:
            host.archive(source)  # the lists are smaller than that
            return
        with pytest.raises(NoSpace):
            host.archive(source)
    assert host.layer_names() == []
    assert not [path for path in host.workspace.iterdir() if path.name.endswith((".spool", "archive.json"))]
    host.archive(source)
    assert verify_run(verification(host), write=True)["level"] == 3


FULL = functools.partial(open, "/dev/full", "r+b")


@pytest.mark.posix
@pytest.mark.parametrize("suffix", [".partial", "central.spool", "members.spool"])
@pytest.mark.parametrize("big", [False, True])
def test_a_device_that_is_really_full(host: Any, monkeypatch: pytest.MonkeyPatch, suffix: str, big: bool) -> None:
    """Here what is buffered fails when it is flushed, and closing fails again."""
    real = api.create_new
    source = host.kit.sample() if big else Source("wst", str(host.kit.tree("little", {"a": b"1"})))
    with monkeypatch.context() as patch:
        patch.setattr(api, "create_new", lambda path: FULL() if path.endswith(suffix) else real(path))
        with pytest.raises(NoSpace):
            host.archive(source)
    assert host.layer_names() == []


def test_a_disk_that_is_too_small_is_refused_before_a_byte(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_step, "free_bytes", lambda path: 1000)
    with pytest.raises(NoSpace) as caught:
        host.archive(host.kit.sample())
    assert caught.value.facts["needed"] > caught.value.facts["free"] == 1000
    assert host.layer_names() == []


def test_a_cancelled_job_leaves_nothing(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    source = host.kit.sample()

    def progress(done: int, total: int | None = None, item: str = "") -> None:
        if item == "wst/big.js":
            raise Cancelled("the job was asked to stop")

    monkeypatch.setattr(_jobs, "progress", progress)
    with pytest.raises(Cancelled):
        host.archive(source)
    assert host.layer_names() == []


def test_without_the_lease_nothing_is_touched(host: Any) -> None:
    (Path(host.layout.lock_dir) / "lease.json").unlink()
    (host.local / PARTIAL).write_bytes(b"of whoever has the host now")
    with pytest.raises(LeaseLost):
        host.archive(host.kit.sample())
    with pytest.raises(LeaseLost):
        verify_run(verification(host), write=True)
    assert (host.local / PARTIAL).read_bytes() == b"of whoever has the host now"


def test_verification_finds_what_happened_since(host: Any) -> None:
    host.archive(host.kit.sample())
    verify_run(verification(host), write=True)
    path = host.local / PARTIAL
    data = path.read_bytes()
    for place in (100, len(data) // 2, len(data) - 30):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(BackupError) as caught:
            verify_run(verification(host), write=True)
        assert caught.value.code.startswith("artifact_")
        assert not (host.workspace / "verification.json").exists()  # the old proof is void
    path.unlink()
    with pytest.raises(NotProved):
        verify_run(verification(host), write=True)


def test_the_dump_in_the_archive_must_be_the_one_that_was_decoded(host: Any) -> None:
    host.archive(host.kit.sample())
    host.kit.dump.write_bytes(b"PGDMP another dump, of another try")
    host.dump_step()
    with pytest.raises(ArtifactDamaged, match="not the one that was decoded"):
        verify_run(verification(host), write=True)
    assert verify_run(verification(host, level=2), write=True)["level"] == 2


def test_nothing_to_verify(host: Any) -> None:
    with pytest.raises(NotProved):
        verify_run(verification(host), write=True)


def test_a_published_set_by_itself(host: Any) -> None:
    path, built = host.kit.build(host.kit.sample())
    alone = verify_path(verification(host, level=2), str(path))
    assert (alone["state"], alone["level"]) == ("unfinished", 2)
    assert not {"path", "dest"} & set(alone)  # Ansible would put "state": "file" over ours
    sidecar = host.kit.sidecar(path, built)
    whole = verify_path(
        verification(host, check_dump=lambda chunks, name, facts: DumpCounts(len(list(chunks)), 9)), str(path)
    )
    assert (whole["state"], whole["level"], whole["rows"]) == ("complete", 3, 9)
    assert whole["artifact"] == "wst-backup-20261123-150000"
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ArtifactDamaged):
        verify_path(verification(host), str(path))
    sidecar.write_bytes(sidecar.read_bytes().replace(b'"size"', b'"sise"'))
    with pytest.raises(RecordDamaged):
        verify_path(verification(host), str(path))
    with pytest.raises(ArtifactIncomplete):
        verify_path(verification(host, sidecar=str(path) + ".none"), str(path))


@pytest.mark.parametrize("look", [False, True], ids=["run", "check mode"])
def test_what_cannot_compress_is_told_before_the_walk(host: Any, monkeypatch: pytest.MonkeyPatch, look: bool) -> None:
    def none(_level: int) -> None:
        return None

    monkeypatch.setattr(codecs, "libdeflate", none)
    source = host.kit.sample()
    monkeypatch.setattr(archive_step, "survey", lambda *_a, **_k: pytest.fail("the sources were walked"))
    work = (
        (lambda **told: preview(host.request(source, **told)))
        if look
        else (lambda **told: host.archive(source, **told))
    )
    with pytest.raises(ToolMissing, match="deflate"):
        work(engine="accelerated")
    with pytest.raises(InputInvalid):
        work(threads=-1)
    assert host.layer_names() == []


@pytest.mark.parametrize("engine", ["zlib", "auto"])
def test_what_compresses_is_as_it_was_asked_for(host: Any, engine: str) -> None:
    host.archive(host.kit.sample(), engine=engine, threads=3)
    made = _fs.read_record(str(host.workspace / "archive.json"))
    assert made is not None
    wanted = {"small": "zlib", "large": "zlib"} if engine == "zlib" else {"small": "libdeflate", "large": "zlib-ng"}
    assert {kind: told["library"] for kind, told in made["manifest"]["compression"].items()} == wanted
    assert verify_run(verification(host), write=True)["level"] == 3


def test_excludes_are_told(host: Any) -> None:
    source = host.kit.sample()
    told = Source(source.name, source.path, exclude=Patterns(["*.png", "a/b"]))
    result = host.archive(told)
    made = _fs.read_record(result["partial"].replace(str(host.local / PARTIAL), str(host.workspace / "archive.json")))
    assert made is not None
    body = made["manifest"]["sources"][0]
    assert (body["exclude"], body["excluded"], body["files"]) == (["*.png", "a/b"], 2, 5)


# --- a set of a layer, with the outcome on record


@pytest.fixture(name="published")
def _published(host: Any) -> Path:
    """A real set on the local layer; its ZIP."""
    host.archive(host.kit.sample())
    verify_run(verification(host), write=True)
    mirror = str(host.kit.root / "mirror")
    publish_run(publish_step.Request(host.layout, str(host.local), mirror, "wst-backup", Thresholds()))
    return Path(host.local / ARTIFACT)


def record(host: Any, path: Path, level: int = 2) -> dict[str, Any]:
    return verify_set(verification(host, level=level), str(path), layer_name="local", prefix="wst-backup")


def found(host: Any) -> BackupSet:
    (item,) = read_layer(Layer("local", str(host.local)), prefix="wst-backup").sets
    return item


def test_a_good_verification_makes_a_set_count_that_had_lost_its_state(host: Any, published: Path) -> None:
    state = published.with_name(published.name.replace(".zip", ".state.json"))
    state.unlink()
    assert not found(host).counts
    assert record(host, published, level=1)["level"] == 1
    assert not state.exists(), "level 1 has not read the whole ZIP"
    assert record(host, published)["level"] == 2
    assert (found(host).counts, found(host).level) == (True, 3)


def test_one_flipped_bit_is_found_and_the_zip_quarantined(host: Any, published: Path) -> None:
    data = published.read_bytes()
    published.write_bytes(data[:200] + bytes([data[200] ^ 1]) + data[201:])
    with pytest.raises(BackupError) as caught:
        record(host, published)
    assert caught.value.code.startswith("artifact_")
    assert (found(host).status, found(host).counts) == ("damaged", False)
    assert not published.exists()
    assert published.with_name(published.name + ".damaged").exists()


def test_a_set_that_fails_while_its_bytes_are_right_is_not_quarantined(host: Any, published: Path) -> None:
    """It is what was published; the fault is elsewhere."""
    with pytest.raises(InputInvalid):  # level 3 and nothing to decode the dump with
        record(host, published, level=3)
    assert found(host).counts
    assert published.exists()


def test_a_zip_that_cannot_be_read_now_is_not_convicted(
    host: Any, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(path: str) -> Any:
        raise PermissionError(13, "held", path)

    monkeypatch.setattr(api, "read_uncached", denied)
    with pytest.raises(BackupError):
        record(host, published)
    monkeypatch.undo()
    assert found(host).counts


def test_a_damaged_sidecar_is_named_and_convicts_no_zip(host: Any, published: Path) -> None:
    sidecar = published.with_name(published.name.replace(".zip", ".manifest.json"))
    good = sidecar.read_bytes()
    sidecar.write_bytes(good[:50] + b"X" + good[51:])
    with pytest.raises(RecordDamaged):
        record(host, published)
    assert published.exists()
    sidecar.unlink()
    assert record(host, published)["state"] == "unfinished"
    data = published.read_bytes()
    published.write_bytes(data[:200] + bytes([data[200] ^ 1]) + data[201:])
    with pytest.raises(BackupError):
        record(host, published)
    assert published.exists(), "without a sidecar nobody knows what it was"


def test_what_is_read_is_held_meanwhile(host: Any, published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    real = api.read_uncached

    def read(path: str) -> Any:
        seen.append(held_stems(host.layout))
        return real(path)

    monkeypatch.setattr(api, "read_uncached", read)
    verify_held(verification(host, level=2), str(published))
    assert seen == [{"wst-backup-20261123-150000"}]
    assert held_stems(host.layout) == set()


def test_a_step_that_keeps_the_host_too_long_is_named(
    host: Any, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RunLock, "take_os_lock", lambda _lock, _patience: False)
    with pytest.raises(Locked):
        record(host, published)


def test_a_path_that_is_no_set_cannot_be_recorded(host: Any, published: Path) -> None:
    other = published.with_name("copy.zip")
    other.write_bytes(published.read_bytes())
    with pytest.raises(InputInvalid):
        record(host, other)


def test_a_host_that_was_never_set_up_verifies_all_the_same(host: Any, published: Path, tmp_path: Path) -> None:
    request = verify_step.Request(layout=HostLayout(str(tmp_path / "nowhere")), level=2)
    assert verify_held(request, str(published))["level"] == 2
    assert not (tmp_path / "nowhere").exists()


def test_what_a_run_requires_and_lacks_is_told_and_no_failure(host: Any) -> None:
    host.archive(host.kit.sample())
    told = verify_run(verification(host, required=["wst", "wst/none.config"]), write=True)
    assert (told["level"], told["missing"]) == (3, ["wst/none.config"])


# --- compressed bytes of the set before


def again(host: Any, **changes: Any) -> dict[str, Any]:
    """The archive of the next run, as the module asks for it."""
    layer = Layer("local", str(host.local))
    previous = functools.partial(newest_like, layer, prefix="wst-backup")
    source = Source("wst", str(host.kit.root / "src" / "wst"))
    host.dump_step()
    return host.archive(source, prefix="wst-backup", previous=previous, **changes)


@pytest.fixture(name="next_run")
def _next_run(host: Any, published: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The same host under a later run."""
    run_id = "20261123-160000-0123abcd"
    RunLock(host.layout).release(RUN_ID, clean_up=lambda: None)
    monkeypatch.setattr(sys.modules[_context.CONTEXT_MODULE], "DATA", {"run_id": run_id})
    RunLock(host.layout).acquire(run_id, purpose="test")
    host.workspace = Path(host.layout.workspace(run_id))
    host.workspace.mkdir(parents=True)
    return host


def test_the_set_before_saves_compressing(next_run: Any, published: Path) -> None:
    with_it = again(next_run)
    assert with_it["reused"]["files"] >= 3
    assert with_it["reused"]["bytes"] > 1_600_000
    assert with_it["size"] > 0
    verify_run(verification(next_run), write=True)
    assert published.exists()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.with_name(path.name.replace(".zip", ".manifest.json")).write_bytes(b"{}"),
        lambda path: path.with_name(path.name.replace(".zip", ".manifest.json")).unlink(),
        lambda path: path.rename(path.with_name(path.name + ".damaged")),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
    ],
    ids=["sidecar damaged", "sidecar gone", "quarantined", "cut short"],
)
def test_a_set_that_is_not_whole_is_not_asked(next_run: Any, published: Path, spoil: Callable[[Path], None]) -> None:
    spoil(published)
    assert again(next_run)["reused"] == {"files": 0, "bytes": 0}
    verify_run(verification(next_run), write=True)


@pytest.mark.parametrize("changes", [{"level": 9}, {"engine": "zlib"}])
def test_nor_one_that_was_compressed_in_another_way(next_run: Any, published: Path, changes: dict[str, Any]) -> None:
    assert again(next_run, **changes)["reused"] == {"files": 0, "bytes": 0}


def test_nor_where_the_layer_or_the_zip_cannot_be_read(
    next_run: Any, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = api.open_source

    def open_source(path: str) -> Any:
        if path == str(published):
            raise PermissionError(13, "held", path)
        return real(path)

    monkeypatch.setattr(api, "open_source", open_source)
    assert again(next_run)["reused"] == {"files": 0, "bytes": 0}
    compression = _fs.read_record(str(next_run.workspace / "archive.json"))["manifest"]["compression"]  # type: ignore[index]
    assert newest_like(Layer("local", str(next_run.local)), compression, prefix="wst-backup") == str(published)
    assert newest_like(Layer("local", str(next_run.local / "none")), compression, prefix="wst-backup") is None
    assert newest_like(Layer("local", str(next_run.local)), compression, prefix="other") is None


def test_what_is_trusted_is_told(next_run: Any, published: Path) -> None:
    """The set before has nothing to know its files again by: this run reads them all, and its manifest says so."""
    told = again(next_run, trust_days=7)
    assert told["unread"] == {"files": 0, "bytes": 0}
    assert told["reused"]["files"] >= 3
    body = _fs.read_record(str(next_run.workspace / "archive.json"))
    assert body is not None
    assert body["manifest"]["trust"]["days"] == 7
    for days in (-1, 367, 10**12):
        with pytest.raises(InputInvalid, match=f"{days} is no number of days"):
            again(next_run, trust_days=days)


def test_a_damaged_set_leaves_no_trace_in_the_next(next_run: Any, published: Path) -> None:
    data = bytearray(published.read_bytes())
    for place in range(0, len(data), 997):  # its size is right, and nobody has read it since
        data[place] ^= 1
    published.write_bytes(data)
    again(next_run)
    assert verify_run(verification(next_run), write=True)["level"] == 3


# --- the mirror's copy meanwhile


@pytest.mark.parametrize("engine", ["zlib", "accelerated"])
def test_the_mirror_is_written_meanwhile(host: Any, engine: str) -> None:
    """What it has is the archive's beginning, under the partial name that the mirror's step looks for."""
    mirror = host.kit.root / "mirror"
    mirror.mkdir()
    asked: list[int] = []
    source = host.kit.sample()
    told = host.archive(source, engine=engine, may_feed=lambda size: not asked.append(size))
    partial = Path(told["partial"])
    assert (mirror / partial.name).read_bytes() == partial.read_bytes()[: told["fed"]]
    assert asked[0] >= host.kit.dump.stat().st_size
    host.archive(source, may_feed=lambda size: True)  # another try of this run
    assert [path.name for path in mirror.iterdir()] == [partial.name]


def test_where_the_mirror_cannot_be_written_to_it_is_left_alone(host: Any) -> None:
    mirror = host.kit.root / "mirror"
    mirror.mkdir()
    source = host.kit.sample()
    assert host.archive(source)["fed"] == 0
    assert list(mirror.iterdir()) == []
    mirror.rmdir()
    assert host.archive(source, may_feed=lambda size: True)["fed"] == 0
    (mirror / Path(host.archive(source)["partial"]).name).mkdir(parents=True)  # cannot be removed as a file
    assert host.archive(source, may_feed=lambda size: True)["fed"] == 0


def test_an_archive_that_fails_leaves_nothing_on_the_mirror(host: Any) -> None:
    mirror = host.kit.root / "mirror"
    mirror.mkdir()
    dump = host.workspace / "wst_dev_database.backup"
    data = bytearray(dump.read_bytes())
    data[-1] ^= 1
    dump.write_bytes(data)
    with pytest.raises(DumpDamaged):
        host.archive(host.kit.sample(), may_feed=lambda size: True)
    assert list(mirror.iterdir()) == []
