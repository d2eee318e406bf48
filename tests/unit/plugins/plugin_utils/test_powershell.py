# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text that prepares a host without Python: what is sent, and how the answer is read."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.plugin_utils import _errors, _powershell

SCRIPT = Path(_powershell.__file__).parent / "_remote" / "runtime.ps1"


@pytest.mark.parametrize(
    ("value", "source"),
    [
        (None, "$null"),
        (True, "$true"),
        (False, "$false"),
        (7, "7"),
        ("it's", "'it''s'"),
        ('$(calc) `n "x"', "'$(calc) `n \"x\"'"),
        ("\u2018a\u2019 \u201ab\u201b", "'\u2018\u2018a\u2019\u2019 \u201a\u201ab\u201b\u201b'"),
        ([], "@()"),
        (["a", 1], "@('a', 1)"),
        ({"a": [{"b": "c"}]}, "@{a = @(@{b = 'c'})}"),
    ],
)
def test_values_become_data_and_nothing_else(value: Any, source: str) -> None:
    assert _powershell.literal(value) == source


@pytest.mark.parametrize("value", [1.5, b"x", {"a b": 1}, {"a;calc": 1}, {1: 2}, object()])
def test_what_has_no_literal_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        _powershell.literal(value)


@given(st.text())
def test_no_text_leaves_its_quotes(text: str) -> None:
    literal = _powershell.literal(text)
    inside = literal[1:-1]
    pairs = re.sub("(['\u2018\u2019\u201a\u201b])\\1", "", inside)
    assert not re.search("['\u2018\u2019\u201a\u201b]", pairs)


def test_the_command_fits_the_line_of_winrm_and_has_no_double_quote() -> None:
    text = _powershell.script_text({"do": "status", "root": "C:\\" + "x" * 5000})
    command = _powershell.command(text)
    encoded = base64.b64encode(command.encode("utf-16-le"))
    assert len(encoded) < 8191 - 200
    assert '"' not in command
    assert hashlib.sha256(text).hexdigest() in command


def test_standard_input_is_lines_that_decode_one_by_one() -> None:
    lines = _powershell.standard_input(b"text", [b"x" * _powershell.LINE, b"y"]).splitlines()
    assert [base64.b64decode(line) for line in lines] == [b"text", b"x" * _powershell.LINE, b"y"]


def fact(name: str, value: str) -> str:
    return f"wst-backup:{name}:{base64.b64encode(value.encode()).decode()}"


def test_facts_are_found_between_noise_and_behind_a_byte_order_mark() -> None:
    out = "\ufeff" + "\r\n".join(
        ["profile says hello", fact("size", "12"), "wst-backup:bad:***", fact("done", "upload")]
    )
    assert _powershell.answer({"rc": 0, "stdout": out}, what="it") == [("size", "12"), ("done", "upload")]


def test_constrained_language_is_named() -> None:
    with pytest.raises(_errors.LanguageMode, match="ConstrainedLanguage"):
        _powershell.answer({"rc": 96, "stdout": "wst-backup-language-mode ConstrainedLanguage\r\n"}, what="it")


def test_a_failure_keeps_the_code_that_the_host_gave() -> None:
    out = "\n".join([fact("code", "package_mismatch"), fact("message", "not pinned: ü")])
    with pytest.raises(_errors.PackageMismatch, match="not pinned: ü"):
        _powershell.answer({"rc": 95, "stdout": out}, what="it")


@pytest.mark.parametrize("out", ["", fact("size", "1"), "wst-backup-script-damaged"])
def test_an_answer_without_an_end_is_a_failure(out: str) -> None:
    with pytest.raises(_errors.BootstrapFailed, match="exit code 1"):
        _powershell.answer({"rc": 1, "stdout": out, "stderr": "boom"}, what="it")


def test_every_code_of_the_script_has_a_class() -> None:
    codes = set(re.findall(r"Stop-Request '([a-z_]+)'", SCRIPT.read_text(encoding="utf-8")))
    known = {cls.code for cls in vars(_errors).values() if isinstance(cls, type) and hasattr(cls, "code")}
    assert codes
    assert codes <= known


def test_the_script_uses_no_cmdlet_of_a_module() -> None:
    """Only language, .NET and functions of its own: the modules Utility and Management may be missing or blocked."""
    text = re.sub(r"#.*", "", SCRIPT.read_text(encoding="utf-8"))
    own = set(re.findall(r"^function ([A-Z][A-Za-z0-9-]+)", text, re.MULTILINE))
    used = set(re.findall(r"(?<![\w.:\\-])([A-Z][a-z]+-[A-Z][A-Za-z0-9]+)\b", text))
    assert used - own == {"Set-StrictMode"}  # of the engine itself (Microsoft.PowerShell.Core)


def test_the_script_is_plain_ascii() -> None:
    assert SCRIPT.read_bytes().isascii()
