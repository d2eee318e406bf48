# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/report.md names every field of the document that the report reads, and none besides; numbers are the code's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.module_utils._compliance.facts import STILL_RUNNING
from ansible_collections.wst.backup.plugins.plugin_utils import (
    _evidence,
    _evidence_files,
    _fleet,
    _report_host,
    _report_page,
    _report_words,
)
from ansible_collections.wst.backup.plugins.plugin_utils._report_schema import fleet_from

DOCS = Path(__file__).resolve().parents[4] / "docs"
PAGE = DOCS / "report.md"
TIME = "2026-11-30T14:00:00Z"
HOST: dict[str, Any] = {
    "name": "wst-1",
    "verdict": "compliant",
    "reached": True,
    "error": {"code": "unreachable", "message": "no route", "remedy": "Mend it."},
    "requirements": [
        {
            "id": "R1",
            "title": "Backup frequency",
            "verdict": "exempt",
            "warnings": [],
            "summary": "none",
            "evidence": [{"what": "a set", "where": "list.yml"}],
            "exemption": {"reason": "ordered", "until": "2026-12-30", "by": "CISO"},
        }
    ],
    "runs": [{"at": TIME, "run_id": "r", "result": "success"}],
    "drills": [{"at": TIME, "run_id": "d", "result": "failure"}],
    "layers": [{"layer": "local", "path": "/c", "sets": 1, "counting": 1, "bytes": 5}],
    "next": [{"what": "backup", "due_at": TIME, "overdue": False}],
}
FLEET = {"schema": 1, "made": TIME, "collection": "0.1.0", "controller": "c", "period_days": 7, "hosts": [HOST]}


class Watched(dict[str, Any]):
    """An object that notes what is asked of it, under the names that lead to it (``hosts.runs``)."""

    def __init__(self, value: dict[str, Any], asked: dict[str, set[str]], place: str = "") -> None:
        super().__init__({name: watched(each, asked, f"{place}.{name}".lstrip(".")) for name, each in value.items()})
        self.asked = asked.setdefault(place, set())

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, default)


def watched(value: Any, asked: dict[str, set[str]], place: str) -> Any:
    if isinstance(value, list):
        return [watched(each, asked, place) for each in value]
    return Watched(value, asked, place) if isinstance(value, dict) else value


def names(cell: str) -> set[str]:
    """The names in a table's cell; what stands in brackets are values and remarks."""
    return set(re.findall(r"`([a-z_]+)`", re.sub(r"\([^)]*\)", "", cell)))


def documented(objects: set[str]) -> dict[str, set[str]]:
    """The fields of each of these objects, as the page has them."""
    found: dict[str, set[str]] = {place: set() for place in objects}
    place = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("| ") else []
        if len(cells) != 2:
            continue
        if cells[0] in ("field", "of a host"):
            place = "" if cells[0] == "field" else "hosts"
            continue
        name, of, owner = cells[0].partition(" of a ")
        if not of:
            found[place] |= names(name)
        parent = f"hosts.{owner}s" if of else place
        for one in names(name):
            inner = f"{parent}.{one}".lstrip(".")
            if inner in objects and inner != "hosts":
                found[inner] |= names(cells[1])
    return found


@pytest.mark.parametrize(
    ("page", "sentence", "numbers"),
    [
        ("report", r"drawn as days and (\d+) points", [_report_host.POINTS]),
        ("report", r"at most (\d+) hosts or pieces of evidence are shown", [_report_page.FEW]),
        ("report", r"of a list of the fleet (\d+) rows", [_report_page.ROWS]),
        ("report", r"runs and drills the newest (\d+) that matter", [_report_host.LAST]),
        ("report", r"longer than (\d+) characters", [_report_words.LIMIT]),
        ("report", r"(\d+) hosts with ([\d,]+)", [100, 365 * 6]),  # what tools.pages and tools.report_time make
        ("report", r"that is (\d+) hours old or more", [_fleet.OLD_HOURS]),
        ("evidence", r"kept for (\d+) days", [_evidence_files.KEEP.days]),
        ("evidence", r"after (\d+) hours without an end", [STILL_RUNNING.total_seconds() / 3600]),
        ("evidence", r"`schema_version` \| (\d+) \|", [_evidence.SCHEMA_VERSION]),
        ("monitoring", r"was not judged for (\d+) hours", [_fleet.OLD_HOURS]),
    ],
)
def test_a_number_on_a_page_is_the_one_that_the_code_has(page: str, sentence: str, numbers: list[Any]) -> None:
    text = " ".join((DOCS / f"{page}.md").read_text(encoding="utf-8").split())
    match = re.search(sentence, text)
    assert match, f"docs/{page}.md does not say it any more"
    assert [int(each.replace(",", "")) for each in match.groups()] == numbers


def test_every_field_that_is_read_is_on_the_page_and_no_other() -> None:
    asked: dict[str, set[str]] = {}
    fleet_from(Watched(FLEET, asked))
    assert {"", "hosts", "hosts.requirements.evidence", "hosts.error"} <= set(asked)
    assert documented(set(asked)) == asked
