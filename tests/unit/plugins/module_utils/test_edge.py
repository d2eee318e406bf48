# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge turns failures into results, and never shows a traceback or a secret."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any, NoReturn

import pytest

from ansible_collections.wst.backup.plugins.module_utils import _context, _edge
from ansible_collections.wst.backup.plugins.module_utils._errors import AuditBroken, SourceMissing


class Ended(Exception):
    """What stands for the end of the process."""


class Recorder:
    """An AnsibleModule's two exits."""

    def exit_json(self, **result: Any) -> NoReturn:
        raise Ended({"failed": False, **result})

    def fail_json(self, msg: str, **result: Any) -> NoReturn:
        raise Ended({"failed": True, "msg": msg, **result})


def ended(work: Any) -> dict:
    with pytest.raises(Ended) as end:
        _edge.run(Recorder(), work)
    return end.value.args[0]


def raising(error: Exception) -> Any:
    def work() -> dict:
        raise error

    return work


def test_a_result_passes_through() -> None:
    assert ended(lambda: {"changed": True, "size": 3}) == {"failed": False, "changed": True, "size": 3}


def test_a_named_failure_keeps_its_name_facts_and_remedy() -> None:
    result = ended(raising(SourceMissing("C:\\wst\\wst is not there", path="C:\\wst\\wst")))
    assert result["failed"]
    assert result["code"] == "source_missing"
    assert result["facts"] == {"path": "C:\\wst\\wst"}
    assert result["remedy"] in result["msg"]
    assert "C:\\wst\\wst is not there" in result["msg"]


def test_several_failures_are_all_told() -> None:
    problems = [SourceMissing("web is not there"), AuditBroken("record 3 was altered")]
    with pytest.raises(Ended) as end:
        _edge.fail(Recorder(), *problems, changed=False)
    result = end.value.args[0]
    assert result["code"] == "source_missing"
    assert result["msg"].startswith("1) source_missing: web is not there")
    assert "\n2) audit_broken: record 3 was altered" in result["msg"]


def test_an_effect_that_is_carried_is_said() -> None:
    assert ended(raising(AuditBroken("record 3 was altered")))["effect"] == "carry"


def test_a_defect_shows_its_place_and_not_its_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    context = types.ModuleType(_context.CONTEXT_MODULE)
    context.DATA = {"job_dir": str(tmp_path)}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, _context.CONTEXT_MODULE, context)
    result = ended(raising(ValueError("password=hunter2")))
    assert result["code"] == "internal_error"
    assert "hunter2" not in json.dumps(result)
    assert result["facts"]["place"].startswith("test_edge.py:")
    assert "ValueError" in (tmp_path / "traceback.txt").read_text()


@pytest.mark.parametrize("job_dir", [None, "gone"])
def test_a_defect_that_can_be_written_nowhere_is_told_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, job_dir: Any
) -> None:
    context = types.ModuleType(_context.CONTEXT_MODULE)
    context.DATA = {"job_dir": job_dir and str(tmp_path / job_dir)}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, _context.CONTEXT_MODULE, context)
    result = ended(raising(ValueError("password=hunter2")))
    assert (result["code"], result["facts"]["job_dir"]) == ("internal_error", None)
    assert "hunter2" not in json.dumps(result)
