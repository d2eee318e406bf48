# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet's files on the control node, read back from its disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.plugin_utils import _fleet_files, _newfile
from ansible_collections.wst.backup.tests.unit.plugins.plugin_utils.test_fleet import UNREACHABLE, document, judged


def test_what_is_kept_and_who_may_read_it(tmp_path: Path) -> None:
    made = document({"wst-1": judged(), "away": UNREACHABLE})
    exporter = tmp_path / "exporter" / "wst.prom"
    exporter.parent.mkdir()
    kept = _fleet_files.keep(str(tmp_path / "c"), made, metrics_file=str(exporter))
    assert json.loads(Path(kept["json"]).read_text()) == made
    assert Path(kept["html"]).read_text().startswith("<!doctype html>")
    assert kept["metrics"] == str(exporter)
    assert "wst_backup_compliant{" in exporter.read_text()
    assert {Path(kept[kind]).stat().st_mode & 0o777 for kind in ("json", "html")} == {0o600}
    assert exporter.stat().st_mode & 0o777 == 0o644
    assert Path(kept["json"]).parent.stat().st_mode & 0o777 == 0o700
    names = ["compliance.html", "compliance.json", "compliance.prom"]
    assert sorted(path.name for path in (tmp_path / "c" / "fleet").iterdir()) == names


def test_a_limited_play_leaves_the_fleet_s_own_files_and_metrics(tmp_path: Path) -> None:
    """Else the hosts that it left out would have no samples any more, and no alert would fire for them."""
    exporter = tmp_path / "wst.prom"
    whole = _fleet_files.keep(
        str(tmp_path), document({"a": judged(), "b": judged("unknown")}), metrics_file=str(exporter)
    )
    before = {path: path.read_bytes() for path in [*(tmp_path / "fleet").iterdir(), exporter]}
    part = {**document({"a": judged("non-compliant")}), "limit": "a"}
    kept = _fleet_files.keep(str(tmp_path), part, metrics_file=str(exporter))
    assert {path: path.read_bytes() for path in before} == before
    assert set(whole) - set(kept) == {"metrics"}
    assert json.loads(Path(kept["json"]).read_text()) == part
    assert "Limited to a:" in Path(kept["html"]).read_text()
    assert "Limited to" not in Path(whole["html"]).read_text()
    assert _fleet_files.last_known(str(tmp_path), ["a"])["a"]["verdict"] == "non-compliant", "what is known is known"


def test_only_what_was_judged_is_known_later(tmp_path: Path) -> None:
    _fleet_files.keep(str(tmp_path), document({"wst-1": judged(), "away": UNREACHABLE}), metrics_file=None)
    known = _fleet_files.last_known(str(tmp_path), ["wst-1", "away", "new"])
    assert list(known) == ["wst-1"]
    again = document({"wst-1": UNREACHABLE}, known)
    _fleet_files.keep(str(tmp_path), again, metrics_file=None)
    assert _fleet_files.last_known(str(tmp_path), ["wst-1"]) == known, "what is unreachable teaches nothing new"


@pytest.mark.parametrize("text", ["", "{", "[]", "\udcff"])
def test_a_file_that_is_no_document_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "hosts" / "wst-1").mkdir(parents=True)
    (tmp_path / "hosts" / "wst-1" / "compliance.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert _fleet_files.last_known(str(tmp_path), ["wst-1"]) == {}


def test_pages_of_drills_are_found_from_where_the_report_is(tmp_path: Path) -> None:
    assert _fleet_files.evidence_pages(str(tmp_path), "wst 1") == {}
    drills = tmp_path / "hosts" / "wst_1" / "drills"
    drills.mkdir(parents=True)
    (drills / "drill-20261130-120000-beef.html").write_text("")
    (drills / "drill-20261130-120000-beef.json").write_text("")
    found = _fleet_files.evidence_pages(str(tmp_path), "wst 1")
    assert found == {"beef": "../hosts/wst_1/drills/drill-20261130-120000-beef.html"}
    assert (tmp_path / "fleet" / found["beef"]).resolve() == drills / "drill-20261130-120000-beef.html"


def test_a_full_disk_leaves_the_last_verdict(tmp_path: Path, monkeypatch: Any) -> None:
    kept = _fleet_files.keep(str(tmp_path), document({"wst-1": judged()}), metrics_file=None)
    before = {kind: Path(path).read_bytes() for kind, path in kept.items()}

    def refuse(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_newfile.os, "fsync", refuse)
    with pytest.raises(OSError, match="No space"):
        _fleet_files.keep(str(tmp_path), document({"wst-1": judged("non-compliant")}), metrics_file=None)
    assert {kind: Path(path).read_bytes() for kind, path in kept.items()} == before
    assert not list(tmp_path.rglob(".*"))
