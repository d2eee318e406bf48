# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tools that look for weaknesses: an exception has a reason, and silence of the database is no clean bill."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tools import audit, bandit_scan
from tools.paths import ROOT


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("import subprocess  # nosec B404  # what this is for", []),
        ("run(argv)  # nosec B603,B607  # an argument list, no shell", []),
        ("S = 's'  # nosec B105  # noqa: S105 - an outcome, no password", []),
        ("run(argv)  # nosec", [1]),
        ("run(argv)  # nosec B603", [1]),
        ("run(argv)  # NOSEC  # it is fine as it is", [1]),
        ("run(argv)  # nosec B603  # ok", [1]),
        ("run(argv)  # nosec B105  # noqa: S105", [1]),
        ("plain()", []),
    ],
)
def test_an_exception_names_its_rule_and_its_reason(tmp_path: Path, line: str, told: list[int]) -> None:
    path = tmp_path / "x.py"
    path.write_text(line + "\n", encoding="utf-8")
    assert bandit_scan.unreasoned(path) == told


GOOD = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}
SKIPPED = {"name": "c", "skip_reason": "Dependency not found on PyPI and could not be audited: c (1)"}


@pytest.mark.parametrize(
    ("packages", "verdict", "lines"),
    [
        ([GOOD], audit.CLEAN, []),
        ([GOOD, BAD], audit.VULNERABLE, ["b 2: PYSEC-1, fixed in 3"]),
        ([GOOD, SKIPPED], audit.NOT_ASKED, ["c: " + str(SKIPPED["skip_reason"])]),
        ([BAD, *[SKIPPED] * 7], audit.NOT_ASKED, None),
        ([], audit.NOT_ASKED, []),
    ],
)
def test_an_audit_that_could_not_ask_is_not_clean(packages: object, verdict: int, lines: list[str] | None) -> None:
    """A mirror of PyPI that knows no vulnerabilities answers for nothing, and pip-audit's exit code is then 0."""
    found = audit.judge(json.dumps({"dependencies": packages}))
    assert found[0] == verdict
    assert lines is None or found[1] == lines


@pytest.mark.parametrize("answer", ["", "No known vulnerabilities found", "{}", "[]"])
def test_what_is_no_answer_is_not_clean_either(answer: str) -> None:
    assert audit.judge(answer) == (audit.NOT_ASKED, [])


def test_every_file_of_requirements_is_audited() -> None:
    """The matrix lists versions of ansible-core alone, which is in the others."""
    names = {path.name for path in (ROOT / "tests" / "requirements").glob("*.txt")} - {"matrix.txt"}
    assert {path.name for path in audit.PINNED} == names
    assert audit.CONTROL_NODE.is_file()
