# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The independent check (``roles/backup/files/check_artifact.py``) beside the verification: two opinions of one file.

It shares no line with the verification, so where the two agree, a mistake would have to be made twice.
"""

from __future__ import annotations

import importlib.util
from types import ModuleType

from tools.paths import ROOT
from tools.proof.case import PROVED, UNSUPPORTED
from tools.proof.corpus import Outcome

SCRIPT = ROOT / "roles" / "backup" / "files" / "check_artifact.py"
PROVEN, REFUSED, CANNOT_TELL = 0, 1, 2


def load() -> ModuleType:
    """The program as a module."""
    spec = importlib.util.spec_from_file_location("check_artifact", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHECK = load()


def judged(path: str) -> tuple[int, list[str]]:
    """Its exit code and its reasons. What it raises is a finding."""
    code, verdict = CHECK.judge(path)
    return int(code), list(verdict["reasons"])


def exit_of(code: str) -> int:
    """The exit code that goes with the verification's answer to a file in which one thing is wrong."""
    return {PROVED: PROVEN, UNSUPPORTED: CANNOT_TELL}.get(code, REFUSED)


def disagreement(path: str, outcome: Outcome) -> str:
    """What is wrong with the two opinions; empty where one proves what the other proves."""
    try:
        code, reasons = judged(path)
    except Exception as error:
        return f"the independent check raised {type(error).__name__}: {error}"
    if (code == PROVEN) == (outcome.code == PROVED):
        return ""
    return f"{outcome.code or 'proved'} ({outcome.message}), and the independent check says {code}: {reasons[:2]}"
