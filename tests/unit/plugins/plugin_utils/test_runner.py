# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of a payload into a fresh Python: the real bootstrap and the real runner, as a host runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.plugins.plugin_utils.transport_kit import on_this_machine, request_of

from ansible_collections.wst.backup.plugins.plugin_utils import _errors, _payload, _reply

BOM = b"\xef\xbb\xbf"


def request(module: str, **extra: Any) -> dict[str, Any]:
    return {"mode": "attached", "reply": "00ff", "module": module, "environment": {}, "context": {}, **extra}


def answer(ended: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    stdout, stderr = ended.stdout.decode(), ended.stderr.decode()
    return _reply.read(stdout, stderr, ended.returncode, nonce="00ff", python=sys.executable)


def outcome(module: str, **extra: Any) -> dict[str, Any]:
    result: dict[str, Any] = answer(on_this_machine(_payload.pack(request(module, **extra))))["result"]
    return result


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"", b""), (BOM, b""), (b"", b"\r\n"), (BOM, b"\r\n\r\n"), (b"\xff\xfe", b"\x00\x1a"), (b" \t", b"\n\n")],
)
def test_what_powershell_adds_to_the_line_is_dropped(before: bytes, after: bytes) -> None:
    line = _payload.pack(request("print('{}')"))
    assert answer(on_this_machine(line, before, after))["result"] == {"rc": 0, "stdout": "{}\n", "stderr": ""}


def test_line_may_come_in_pieces() -> None:
    line = _payload.pack(request("print(1)"))
    argv = [sys.executable, "-I", "-X", "utf8", "-c", _payload.bootstrap(line)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        for start in range(0, len(line), 997):
            process.stdin.write(line[start : start + 997] + b"\r\n")
            process.stdin.flush()
        stdout, stderr = process.communicate(timeout=60)
    ended = subprocess.CompletedProcess(argv, process.returncode, stdout, stderr)
    assert answer(ended)["result"]["stdout"] == "1\n"


@pytest.mark.parametrize("damage", [lambda line: line[:-1], lambda line: b"", lambda line: b"A" * len(line)])
def test_a_damaged_line_is_named_and_nothing_runs(damage: Any, tmp_path: Path) -> None:
    line = _payload.pack(request(f"open({str(tmp_path / 'ran')!r}, 'w')"))
    argv = [sys.executable, "-I", "-X", "utf8", "-c", _payload.bootstrap(line)]
    ended = subprocess.run(argv, input=damage(line), capture_output=True, timeout=60, check=False)
    with pytest.raises(_errors.PayloadDamaged, match=f"of {len(line)}"):
        answer(ended)
    assert not (tmp_path / "ran").exists()


def test_400_kb_arrive_whole() -> None:
    import hashlib
    import random

    text = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=700_000))
    line = _payload.pack(request(f"import hashlib;t={text!r};print(hashlib.sha256(t.encode()).hexdigest())"))
    assert len(line) > 400_000
    ended = on_this_machine(line)
    assert answer(ended)["result"]["stdout"].strip() == hashlib.sha256(text.encode()).hexdigest()


def test_the_script_fits_into_winrms_command_line() -> None:
    script = _payload.windows_command("C:\\" + "x" * 240 + "\\python.exe", b"A" * 10_000_000)
    assert len(script) < _payload.LONGEST_SCRIPT
    assert '"' not in script
    assert "\\'" not in script
    assert "\n" not in script


def test_every_kind_of_quote_in_a_path_is_doubled() -> None:
    assert "& 'C:\\it''s \u2019\u2019x\\python.exe' " in _payload.windows_command("C:\\it's \u2019x\\python.exe", b"AA")


@given(st.text(), st.dictionaries(st.text(), st.text()))
def test_every_text_survives_the_packing(module: str, environment: dict[str, str]) -> None:
    line = _payload.pack(request(module, environment=environment))
    assert request_of(line) == request(module, environment=environment)
    assert set(line) <= set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")


def test_an_old_python_says_what_it_is() -> None:
    text = _payload.bootstrap(b"AAAA").replace("(3, 9)", "(99, 0)")
    ended = subprocess.run([sys.executable, "-I", "-c", text], input=b"AAAA", capture_output=True, check=False)
    with pytest.raises(_errors.PythonWrong, match=r"is Python \d+\.\d+"):
        answer(ended)


def test_module_runs_as_main_with_environment_and_context() -> None:
    module = (
        "import json, os, sys\n"
        "from _wst_backup_context import DATA\n"
        "print(json.dumps([__name__, os.environ['A'], DATA, 'A' in sys.argv, sys.flags.isolated, sys.flags.utf8_mode]))"
    )
    said = outcome(module, environment={"A": "\u00e4'\"\\"}, context={"run_id": "r", "token": "t"})
    name, variable, data, *flags = json.loads(said["stdout"])
    assert (name, variable, flags) == ("__main__", "\u00e4'\"\\", [False, 1, 1])
    assert data == {"run_id": "r", "token": "t", "job_dir": None, "progress_file": None, "cancel_file": None}


def test_context_is_not_in_the_environment() -> None:
    assert "geheim" not in outcome("import os\nprint(os.environ)", context={"token": "geheim"})["stdout"]


@pytest.mark.parametrize(
    ("module", "rc", "stdout", "stderr"),
    [
        ("import sys; sys.exit()", 0, "", ""),
        ("import sys; print('x'); sys.exit(3)", 3, "x\n", ""),
        ("import sys; sys.exit('why')", 1, "", ""),
        ("import sys; sys.stdout.buffer.write(b'\\xff\\xc3\\xa4')", 0, "\\xff\u00e4", ""),
        ("import sys; print('\u00e4\\ud800'); sys.stderr.write('e')", 0, "\u00e4\\ud800\n", "e"),
        ("raise ValueError('no')", 1, "", "ValueError: no"),
        ("this is no python", 1, "", "SyntaxError"),
    ],
)
def test_every_end_of_a_module_is_an_outcome(module: str, rc: int, stdout: str, stderr: str) -> None:
    said = outcome(module)
    assert (said["rc"], said["stdout"]) == (rc, stdout)
    assert stderr in said["stderr"]


def test_noise_of_children_stays_outside_of_the_answer() -> None:
    said = outcome("import os; os.write(1, b'noise'); os.write(2, b'more'); print('answer')")
    assert said == {"rc": 0, "stdout": "answer\n", "stderr": ""}


def test_a_killed_module_is_told_from_a_wrong_python() -> None:
    ended = on_this_machine(_payload.pack(request("import os; os._exit(3)")))
    with pytest.raises(_errors.ModuleKilled, match="exit code 3"):
        answer(ended)


def test_the_answer_is_ascii_whatever_the_module_says() -> None:
    ended = on_this_machine(_payload.pack(request("print('\u00e4\u20ac\U0001f600')")))
    assert all(byte < 128 for byte in ended.stdout)


def test_runner_needs_nothing_but_the_standard_library(tmp_path: Path) -> None:
    source = Path(_payload.__file__).with_name("_remote") / "runner.py"
    program = zlib.decompress(__import__("base64").b64decode(_payload.pack(request("")))).decode()
    assert program.startswith(source.read_text(encoding="utf-8").rstrip())
    assert "ansible_collections" not in program.rpartition("\nmain(")[0].replace("import the collection", "")


def test_modules_that_windows_lacks_are_stood_in_for() -> None:
    """Their stand-ins are checked in a fresh process: they would replace the real ones here."""
    from ansible_collections.wst.backup.plugins.plugin_utils._remote import runner

    script = (
        "import sys, os, runpy\n"
        f"runner = runpy.run_path({os.path.abspath(runner.__file__)!r})\n"
        "for name in ('fcntl', 'grp', 'pwd'): sys.modules.pop(name, None)\n"
        "del os.getuid\n"
        "runner['provide_posix_modules']()\n"
        "import fcntl, grp, pwd\n"
        "print(hasattr(fcntl, 'flock'), os.getuid())\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout == "False 0\n"


@pytest.mark.parametrize(("number", "tries"), [(1359, 3), (1450, 3), (2, 1), (None, 1)])
def test_a_process_that_cannot_be_made_for_a_moment_is_made_again(number: int | None, tries: int) -> None:
    from ansible_collections.wst.backup.plugins.plugin_utils._remote import runner

    made = []

    def make() -> str:
        made.append(None)
        if len(made) < 3:
            error = OSError(22, "no process")
            if number is not None:
                error.winerror = number  # type: ignore[attr-defined]
            raise error
        return "made"

    if tries == 3:
        assert runner.born(make, 5) == "made"
    else:
        with pytest.raises(OSError, match="no process"):
            runner.born(make, 5)
    assert len(made) == tries
