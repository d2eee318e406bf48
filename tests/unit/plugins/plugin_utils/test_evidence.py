# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of a drill: the document, its page, the files, the table on the screen."""

from __future__ import annotations

import html.parser
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.plugin_utils import _evidence_files, _newfile
from ansible_collections.wst.backup.plugins.plugin_utils._drill_table import drill_table
from ansible_collections.wst.backup.plugins.plugin_utils._evidence import STEPS, evidence, lost
from ansible_collections.wst.backup.plugins.plugin_utils._evidence_page import page

NOW = datetime(2026, 11, 30, 10, 0, tzinfo=timezone.utc)
RESULTS: dict[str, Any] = {
    "lock": {"run_id": "20261130-095500-1f2e3d4c"},
    "authority": {"level": "L5"},
    "set": {"artifact": "wst-backup-20261130-040000", "layer": "mirror", "size": 5 << 20, "age": 21600, "sha256": "ab"},
    "damage": {"offset": 17, "bit": 3, "refused_as": "artifact_damaged"},
    "extract": {"files": 1200, "seconds": 61.5, "not_restored": {"counts": {}, "first": []}},
    "files": {"files": 1200, "remarks": ["a remark"]},
    "scratch": {"database": "wst_drill_x", "server": "a server of the drill's own", "disposable": True},
    "restore": {"restored": 50, "left_out": ["EXTENSION azure: it may be missing"], "seconds": 40.0},
    "compare": {"tables": 9, "rows": 10010, "large_objects": 3, "control": "row 1 of app.t: column a altered"},
    "recorded": {"layer": "mirror"},
    "teardown": {"removed": ["C:\\x"], "left": [], "problems": []},
}


def document(failed: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return evidence(
        {**RESULTS, **changes},
        host="wst-1",
        failed=failed or {},
        began=NOW.timestamp() - 300,
        ended=NOW.timestamp(),
        times={"began": "2026-11-30T09:55:00Z", "ended": "2026-11-30T10:00:00Z"},
    )


def test_a_good_drill() -> None:
    good = document()
    assert (good["result"], good["code"], good["seconds"]) == ("success", "", 300.0)
    assert [step["result"] for step in good["steps"]] == ["ok"] * len(STEPS)
    assert good["rto_seconds"] == {"files": 61.5, "database": 40.0, "total": 101.5}
    assert good["rpo_seconds"] == 21600
    assert json.loads(json.dumps(good)) == good


@pytest.mark.parametrize("key", [key for key, _title, _facts in STEPS])
@pytest.mark.parametrize("missing", [{}, {"skipped": True}])
def test_a_step_that_was_not_reached_is_a_failure_whatever_else_is_said(key: str, missing: Any) -> None:
    bad = document(**{key: missing})
    assert (bad["result"], bad["code"]) == ("failure", "not_proved")
    assert [step["result"] for step in bad["steps"]].count("not reached") == 1


def test_a_failure_and_what_it_found() -> None:
    failed = {
        "code": "drill_mismatch",
        "msg": "drill_mismatch: x",
        "remedy": "r",
        "step": "Compare the database",
        "facts": {"differences": ["other rows of app.t"]},
    }
    bad = document(failed, compare={"failed": True, "code": "drill_mismatch"}, recorded={})
    assert (bad["result"], bad["code"], bad["failed_at"]) == ("failure", "drill_mismatch", "Compare the database")
    assert bad["differences"] == ["other rows of app.t"]
    assert [step["result"] for step in bad["steps"]][-2:] == ["failed", "not reached"]
    assert document(failed, restore={"failed": True})["rto_seconds"] is None
    assert "differs: other rows of app.t" in drill_table({"evidence": bad})


def test_what_is_left_behind_is_a_failure() -> None:
    bad = document(teardown={"failed": True, "code": "db_unreachable", "msg": "db_unreachable: x", "remedy": "r"})
    assert (bad["result"], bad["code"], bad["failed_at"]) == ("failure", "db_unreachable", "teardown")
    assert document(teardown={})["result"] == "success"  # nothing was made
    assert document(teardown=None)["result"] == "success"


def test_the_table() -> None:
    lines = drill_table({"evidence": document(), "json": "/x.json", "html": "/x.html"})
    assert lines[0] == "set wst-backup-20261130-040000 of the mirror layer, 6h 00m old"
    assert "RTO 1m42s (files 1m02s, database 40s), RPO 6h 00m" in lines
    assert lines[-2:] == ["evidence: /x.json", "evidence: /x.html"]
    assert drill_table({})[0] == "set none of the unknown layer, unknown old"


class Reader(html.parser.HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not {name for name, _value in attrs} & {"src", "href"}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_stands_by_itself_and_shows_everything_as_text() -> None:
    evil = "<script>alert(1)</script>"
    bad = document(
        {"code": "x", "msg": f"x: {evil}", "step": evil, "facts": {"differences": [evil]}},
        restore={**RESULTS["restore"], "left_out": [evil]},
        teardown={"problems": [{"message": evil}]},
    )
    read = Reader(page(bad))
    assert not set(read.tags) & {"script", "img", "link"}
    assert read.open == []
    assert read.text.count(evil) == 5
    good = Reader(page(document()))
    for text in (
        "passed",
        "1,200",
        "5.0 MiB",
        "6h 00m",
        "1m42s",
        "EXTENSION azure",
        "a remark",
        "column a altered",
        "yes",
    ):
        assert text in good.text
    assert "not measured" in Reader(page(document(set={}, restore={}))).text


def test_both_files_are_kept_for_400_days(tmp_path: Path) -> None:
    directory = tmp_path / "hosts" / "wst-1" / "drills"
    for days in (401, 400, 399, 0):
        _evidence_files.keep(str(tmp_path), "wst-1", document(), now=NOW - timedelta(days=days))
    (directory / "drill-20200101-000000.json.bak").write_text("somebody's")
    (directory / "drill-20209999-000000.json").write_text("somebody's")
    kept = _evidence_files.keep(str(tmp_path), "wst-1", document(lock={}), now=NOW + timedelta(seconds=1))
    assert kept["removed"] == ["drill-20251026-100000-1f2e3d4c.html", "drill-20251026-100000-1f2e3d4c.json"]
    assert len(list(directory.iterdir())) == 2 * 3 + 2
    assert json.loads(Path(kept["json"]).read_text())["host"] == "wst-1"
    assert Path(kept["html"]).read_text().startswith("<!doctype html>")
    assert {path.stat().st_mode & 0o777 for path in (directory, tmp_path / "hosts")} == {0o700}
    assert {path.stat().st_mode & 0o077 for path in directory.glob("drill-2026*")} == {0}
    log = [json.loads(line) for line in Path(kept["log"]).read_text().splitlines()]
    assert [(line["host"], line["result"]) for line in log] == [("wst-1", "success")] * 5
    assert (directory / log[-1]["evidence"]).exists()
    assert (log[0]["artifact"], log[0]["layer"]) == (document()["set"]["artifact"], document()["set"]["layer"])


def test_a_disk_that_takes_nothing_leaves_no_half_page(tmp_path: Path, monkeypatch: Any) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_newfile.os, "fsync", refuse)
    with pytest.raises(OSError, match="No space"):
        _evidence_files.keep(str(tmp_path), "wst-1", document(), now=NOW)
    assert list((tmp_path / "hosts" / "wst-1" / "drills").iterdir()) == []


def test_a_page_that_says_success_does_not_outlive_evidence_that_was_lost(tmp_path: Path) -> None:
    log = tmp_path / "hosts" / "wst-1" / "verification.jsonl"
    log.mkdir(parents=True)  # no line can be added
    with pytest.raises(OSError, match="directory"):
        _evidence_files.keep(str(tmp_path), "wst-1", document(), now=NOW)
    assert list((tmp_path / "hosts" / "wst-1" / "drills").iterdir()) == []


def test_lost_evidence_is_no_success_and_hides_no_failure() -> None:
    failure = {"code": "evidence_lost", "msg": "evidence_lost: full", "remedy": "Mend it."}
    good = lost(document(), failure)
    assert (good["result"], good["code"], good["message"], good["failed_at"]) == (
        "failure",
        "evidence_lost",
        "evidence_lost: full",
        "Keep the evidence",
    )
    assert lost(document(compare={}), failure)["code"] == "not_proved"
    assert document({"msg": "no code"})["code"] == "not_proved", "a failure has a code"


DEAD: dict[str, Any] = {"run_id": "20261128-040000-dead", "result": "failure", "code": "interrupted", "at": "then"}


def test_a_drill_that_died_gets_its_line_once(tmp_path: Path) -> None:
    _evidence_files.keep(str(tmp_path), "wst-1", document(), now=NOW)
    known = {"run_id": RESULTS["lock"]["run_id"], "result": "success", "code": ""}
    lost_one = {"run_id": "x", "result": "success", "code": "", "rto_seconds": 40, "artifact": "a", "layer": "local"}
    told = [known, DEAD, {**DEAD, "run_id": None}, lost_one]
    assert _evidence_files.add_missing(str(tmp_path), "wst-1", told) == [DEAD["run_id"], "x"]
    assert _evidence_files.add_missing(str(tmp_path), "wst-1", told) == []
    path = tmp_path / "hosts" / "wst-1" / "verification.jsonl"
    first, dead, last = [json.loads(line) for line in path.read_text().splitlines()]
    assert set(first) <= set(dead)
    assert (dead["result"], dead["code"], dead["at"], dead["evidence"]) == ("failure", "interrupted", "then", None)
    assert (last["rto_seconds"], last["artifact"]) == ({"total": 40}, "a")


def test_a_line_that_was_torn_hides_no_other(tmp_path: Path) -> None:
    path = tmp_path / "hosts" / "wst-1" / "verification.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text('{"run_id": "20261128-04\n[]\n{}\n')
    assert _evidence_files.add_missing(str(tmp_path), "wst-1", [DEAD]) == [DEAD["run_id"]]
    assert _evidence_files.add_missing(str(tmp_path), "wst-1", [DEAD]) == []
