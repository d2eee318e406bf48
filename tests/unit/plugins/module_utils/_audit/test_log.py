# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log on a disk: two writers, crashes, full disks and hands that changed it."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
import types
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, List

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._audit import step
from ansible_collections.wst.backup.plugins.module_utils._audit.chain import Head
from ansible_collections.wst.backup.plugins.module_utils._audit.examine import Examined, examine
from ansible_collections.wst.backup.plugins.module_utils._audit.log import AuditLog, Event
from ansible_collections.wst.backup.plugins.module_utils._audit.segments import Segments
from ansible_collections.wst.backup.plugins.module_utils._errors import AuditBroken, InputInvalid, NoSpace
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._platform import api

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=timezone.utc)


@pytest.fixture(name="log")
def _log(tmp_path: Path) -> AuditLog:
    return AuditLog(str(tmp_path / "audit"), clock=lambda: NOW)


def records(tmp_path: Path, name: str = "audit.jsonl") -> List[Dict[str, Any]]:
    return [json.loads(line) for line in (tmp_path / "audit" / name).read_bytes().splitlines()]


def examined(tmp_path: Path) -> Examined:
    return examine(Segments(str(tmp_path / "audit")))


def verified(tmp_path: Path) -> Head:
    found = examined(tmp_path)
    assert (found.flaws, found.known, found.torn) == ((), (), 0)
    return found.head


def files(tmp_path: Path) -> List[str]:
    return sorted(path.name for path in (tmp_path / "audit").iterdir() if path.name != "audit.lock")


def test_what_a_record_says(tmp_path: Path, log: AuditLog, monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType(_context.CONTEXT_MODULE)
    module.DATA = {"run_id": "20261123-150000-00000001", "controller": "cron@control"}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, _context.CONTEXT_MODULE, module)
    done = log.append(Event("backup_end", "failure", "db_auth_failed", "the server said ü", {"step": "dump"}))
    (record,) = records(tmp_path)
    assert record.pop("hash") == done.hash
    assert record == {
        "seq": 1,
        "time": "2026-11-23T15:00:00Z",
        "run_id": "20261123-150000-00000001",
        "controller": "cron@control",
        "user": api.identity().name,
        "event": "backup_end",
        "result": "failure",
        "code": "db_auth_failed",
        "message": "the server said ü",
        "details": {"step": "dump"},
        "prev": "0" * 64,
    }
    assert (done.seq, done.segment, done.healed, done.broken) == (1, "audit.jsonl", False, None)


def test_the_log_is_private(tmp_path: Path, log: AuditLog) -> None:
    log.append(Event("a"))
    assert api.access_problems(str(tmp_path / "audit")) == []


def test_head_and_verification_agree(tmp_path: Path, log: AuditLog) -> None:
    assert log.head() == verified(tmp_path) == Head()
    for number in range(1, 6):
        done = log.append(Event(f"event_{number}"))
        assert log.head() == verified(tmp_path) == Head(number, done.hash)


@pytest.mark.parametrize("event", ["", "Backup", "a b", "1", "x" * 65])
def test_events_have_plain_names(log: AuditLog, event: str) -> None:
    with pytest.raises(InputInvalid):
        log.append(Event(event))
    with pytest.raises(InputInvalid):
        log.append(Event("fine", result="maybe"))


@given(cut=st.integers(1, 60))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_torn_line_is_healed_and_that_is_recorded(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    tmp_path = tmp_path_factory.mktemp("torn")
    log = AuditLog(str(tmp_path / "audit"))
    for name in ("first", "second"):
        log.append(Event(name))
    path = tmp_path / "audit" / "audit.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    done = log.append(Event("third"))
    assert (done.healed, done.broken, done.seq) == (True, None, 3)
    told = records(tmp_path)
    assert [record["event"] for record in told] == ["first", "audit_healed", "third"]
    second = whole.splitlines(keepends=True)[1]
    assert told[1]["details"] == {"segment": "audit.jsonl", "kept_as": "audit.torn-1", "bytes": len(second) - cut}
    assert (tmp_path / "audit" / "audit.torn-1").read_bytes() == second[:-cut]
    assert verified(tmp_path).seq == 3
    assert not log.append(Event("fourth")).healed


def test_every_torn_line_is_kept(tmp_path: Path, log: AuditLog) -> None:
    log.append(Event("first"))
    for number in (1, 2):
        with open(tmp_path / "audit" / "audit.jsonl", "ab") as file:
            file.write(b"torn %d" % number)
        assert log.append(Event("next")).healed
    assert files(tmp_path) == ["audit.jsonl", "audit.torn-1", "audit.torn-2"]


def test_a_crash_between_keeping_and_cutting_is_healed_once(tmp_path: Path, log: AuditLog) -> None:
    log.append(Event("first"))
    with open(tmp_path / "audit" / "audit.jsonl", "ab") as file:
        file.write(b"torn")
    (tmp_path / "audit" / "audit.torn-1").write_bytes(b"torn")
    log.append(Event("next"))
    assert files(tmp_path) == ["audit.jsonl", "audit.torn-1"]


@pytest.mark.parametrize("whole", [False, True])
def test_a_changed_end_begins_a_new_segment_and_the_log_goes_on(tmp_path: Path, log: AuditLog, whole: bool) -> None:
    for name in ("first", "second"):
        log.append(Event(name))
    path = tmp_path / "audit" / "audit.jsonl"
    changed = path.read_bytes().replace(b"second", b"secund")
    path.write_bytes(changed)
    with pytest.raises(AuditBroken):
        log.head()
    done = log.append(Event("third"), whole=whole)
    assert done.broken is not None
    assert done.broken.effect == "carry"
    assert done.segment == "audit-2.jsonl"
    assert path.read_bytes() == changed  # evidence stays what it is
    told = records(tmp_path, "audit-2.jsonl")
    assert [record["event"] for record in told] == ["audit_broken", "third"]
    assert told[0]["prev"]["segment"] == "audit.jsonl"
    assert log.head().seq == done.seq
    found = examined(tmp_path)
    assert not found.flaws
    assert {flaw.segment for flaw in found.known} == {"audit.jsonl"}


def test_a_change_in_the_middle_shows_when_a_run_begins(tmp_path: Path, log: AuditLog) -> None:
    for name in ("first", "second", "third"):
        log.append(Event(name))
    path = tmp_path / "audit" / "audit.jsonl"
    path.write_bytes(path.read_bytes().replace(b"first", b"f1rst"))
    assert log.append(Event("step")).broken is None  # only the last record is looked at
    done = step.record(HostLayout(str(tmp_path)), Event("backup_start"), dry_run=False)
    assert (done["broken"], done["code"], done["segment"]) == (True, "audit_broken", "audit-2.jsonl")
    assert "line 1" in done["problem"]["facts"]["place"]
    again = step.record(HostLayout(str(tmp_path)), Event("backup_start"), dry_run=False)
    assert (again["broken"], again["code"]) == (False, "")  # told once; the new segment holds


@pytest.mark.parametrize("harm", ["change", "remove"])
def test_a_segment_that_is_frozen_may_not_change_either(tmp_path: Path, log: AuditLog, harm: str) -> None:
    log.append(Event("first"))
    path = tmp_path / "audit" / "audit.jsonl"
    path.write_bytes(b"{}\n")
    assert log.append(Event("second")).segment == "audit-2.jsonl"
    if harm == "change":
        path.write_bytes(b"{ }\n")
    else:
        path.unlink()
    done = log.append(Event("backup_start"), whole=True)
    assert done.broken is not None
    assert done.segment == "audit-3.jsonl"
    assert log.append(Event("backup_start"), whole=True).broken is None


@pytest.mark.parametrize("content", [b"", b"torn", b"\0" * 50])
def test_an_emptied_log_is_broken(tmp_path: Path, log: AuditLog, content: bytes) -> None:
    """No crash does that: a segment is put in place together with its first record."""
    log.append(Event("first"))
    (tmp_path / "audit" / "audit.jsonl").write_bytes(content)
    assert log.append(Event("second")).broken is not None


def test_a_second_segment_cannot_pretend_to_be_the_first(tmp_path: Path, log: AuditLog) -> None:
    log.append(Event("first"))
    (tmp_path / "audit" / "audit-2.jsonl").write_bytes((tmp_path / "audit" / "audit.jsonl").read_bytes())
    assert "does not name the segment before it" in next(flaw.text for flaw in examined(tmp_path).flaws)


def test_segments_are_counted_not_spelled(tmp_path: Path) -> None:
    (tmp_path / "audit-3.jsonl").mkdir()
    for name in ("audit.jsonl", "audit-2.jsonl", "audit-10.jsonl", "audit-02.jsonl", "audit.torn-1", "x.jsonl"):
        (tmp_path / name).write_bytes(b"")
    segments = Segments(str(tmp_path))
    assert segments.names() == ["audit.jsonl", "audit-2.jsonl", "audit-10.jsonl"]
    assert segments.next() == "audit-11.jsonl"


def test_a_dry_run_writes_nothing_and_tells_what_is(tmp_path: Path, log: AuditLog) -> None:
    assert log.append(Event("first"), dry_run=True).seq == 0
    assert not (tmp_path / "audit").exists()
    head = log.append(Event("first"))
    before = (tmp_path / "audit" / "audit.jsonl").read_bytes()
    dry = log.append(Event("second"), dry_run=True, whole=True)
    assert (dry.seq, dry.hash, dry.broken) == (1, head.hash, None)
    (tmp_path / "audit" / "audit.jsonl").write_bytes(before + b"torn")
    assert log.append(Event("second"), dry_run=True).healed
    (tmp_path / "audit" / "audit.jsonl").write_bytes(b"no record\n")
    assert log.append(Event("second"), dry_run=True).broken is not None
    assert files(tmp_path) == ["audit.jsonl"]


@pytest.mark.parametrize("first", [True, False])
def test_a_full_disk_leaves_the_log_as_it_was(
    tmp_path: Path, log: AuditLog, monkeypatch: pytest.MonkeyPatch, first: bool
) -> None:
    if not first:
        log.append(Event("first"))
    before = {name: (tmp_path / "audit" / name).read_bytes() for name in (files(tmp_path) if not first else [])}

    def full(file: Any) -> None:
        raise OSError(errno.ENOSPC, "constructed")

    with monkeypatch.context() as patch:
        patch.setattr(api, "flush_file", full)
        with pytest.raises(NoSpace):
            log.append(Event("second"))
    assert {name: (tmp_path / "audit" / name).read_bytes() for name in files(tmp_path)} == before
    done = log.append(Event("third"))
    assert (done.healed, done.broken) == (False, None)


WRITE = """
import sys
sys.path[:0] = %r
from ansible_collections.wst.backup.plugins.module_utils._audit.examine import Examined, examine
from ansible_collections.wst.backup.plugins.module_utils._audit.log import AuditLog, Event
print("ready", flush=True)
sys.stdin.readline()
number = 0
while sys.argv[2] == "endless" or number < 20:
    number += 1
    event = Event("event", details={"writer": sys.argv[3], "number": number})
    print(AuditLog(sys.argv[1]).append(event).seq, flush=True)
"""


def writer(tmp_path: Path, kind: str, name: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE % sys.path, str(tmp_path / "audit"), kind, name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == b"ready"
    return process


def test_two_writers_make_one_chain(tmp_path: Path, log: AuditLog) -> None:
    writers = [writer(tmp_path, "twenty", name) for name in ("a", "b")]
    numbers: List[int] = []
    for process in writers:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in writers:
        out, _ = process.communicate()
        assert process.returncode == 0
        numbers += map(int, out.split())
    assert sorted(numbers) == list(range(1, 41))
    assert verified(tmp_path).seq == 40
    told = records(tmp_path)
    for name in ("a", "b"):
        own = [record["details"]["number"] for record in told if record["details"]["writer"] == name]
        assert own == list(range(1, 21))


def test_a_killed_writer_leaves_a_log_that_goes_on(tmp_path: Path, log: AuditLog) -> None:
    for round_number in range(3):
        process = writer(tmp_path, "endless", str(round_number))
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
        told = [int(process.stdout.readline()) for _ in range(5)]
        process.kill()
        rest = process.communicate()[0].split(b"\n")[:-1]
        acknowledged = max([*told, *map(int, rest)])
        done = log.append(Event("after"), whole=True)
        assert done.broken is None
        assert done.seq > acknowledged  # what was acknowledged is there
        assert verified(tmp_path).seq == done.seq


# --- what the log itself cannot show: an anchor elsewhere


def test_an_anchor_that_is_in_the_log_is_fine(log: AuditLog, tmp_path: Path) -> None:
    heads = [log.append(Event("event")) for _number in range(3)]
    for head in heads:
        assert log.append(Event("a_start"), whole=True, anchor=Head(head.seq, head.hash)).broken is None
    (tmp_path / "audit" / "audit.jsonl").write_bytes(b"changed by hand\n")
    assert log.append(Event("a_start"), whole=True).broken is not None  # a new segment
    newest = log.append(Event("event"))
    assert log.append(Event("a_start"), whole=True, anchor=Head(newest.seq, newest.hash)).broken is None


def test_a_tail_that_was_cut_off_shows(log: AuditLog, tmp_path: Path) -> None:
    for _number in range(5):
        last = log.append(Event("event"))
    path = tmp_path / "audit" / "audit.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))
    assert log.append(Event("a_start"), whole=True).broken is None  # nobody else knows
    told = log.append(Event("a_start"), whole=True, anchor=Head(last.seq, last.hash))
    assert told.broken is not None
    assert "record 5" in told.broken.message
    assert told.segment == "audit-2.jsonl"
    assert [record["event"] for record in records(tmp_path, "audit-2.jsonl")] == ["audit_broken", "a_start"]
    assert log.append(Event("a_start"), whole=True, anchor=Head(told.seq, told.hash)).broken is None


def test_a_number_with_another_hash_is_another_record(log: AuditLog) -> None:
    first = log.append(Event("event"))
    log.append(Event("event"))
    assert log.append(Event("a_start"), whole=True, anchor=Head(2, first.hash)).broken is not None


def test_a_log_that_is_gone_shows_and_begins_anew(log: AuditLog, tmp_path: Path) -> None:
    last = log.append(Event("event"))
    (tmp_path / "audit" / "audit.jsonl").unlink()
    assert log.append(Event("a_start"), whole=True, anchor=Head(last.seq, last.hash), dry_run=True).broken is not None
    told = log.append(Event("a_start"), whole=True, anchor=Head(last.seq, last.hash))
    assert told.broken is not None
    assert [record["event"] for record in records(tmp_path)] == ["audit_broken", "a_start"]
    assert verified(tmp_path) == Head(told.seq, told.hash)


def test_the_anchor_reaches_the_log_by_the_context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = HostLayout(str(tmp_path / "root"))
    monkeypatch.setattr(_context, "current", lambda: _context.Context(audit_anchor=(4, "ab" * 32)))
    told = step.record(layout, Event("backup_start"), dry_run=False)
    assert told["code"] == "audit_broken"
    assert "record 4" in told["problem"]["message"]
