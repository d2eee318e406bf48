# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs are run without deadlock, without a leak, and never outlive their time. All with real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Iterator, List

import pytest

from ansible_collections.wst.backup.plugins.module_utils import _jobs
from ansible_collections.wst.backup.plugins.module_utils._errors import Cancelled, ToolFailed, ToolMissing
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._process import check, run_tool, tool_environment

# Python needs these on Windows; they say nothing about us.
PYTHON = os.path.realpath(sys.executable)


def python(code: str) -> List[str]:
    return [PYTHON, "-I", "-c", code]


def test_the_result_has_exit_code_and_messages() -> None:
    result = run_tool(python("import sys; sys.stderr.write('oh\\nno\\n'); sys.exit(7)"))
    assert (result.exit_code, result.stderr.replace("\r", "")) == (7, "oh\nno\n")
    with pytest.raises(ToolFailed) as failure:
        check(result)
    assert "exit code 7: no" in failure.value.message


def test_success_is_handed_on() -> None:
    result = run_tool(python("pass"))
    assert check(result) is result


def test_input_output_and_messages_all_at_once() -> None:
    """Much more than any pipe holds, in all three directions."""
    code = (
        "import sys, hashlib\n"
        "for _ in range(64):\n"
        "    sys.stderr.write('e' * 65536)\n"
        "    sys.stdout.buffer.write(sys.stdin.buffer.read(65536))\n"
    )
    out: List[bytes] = []
    result = run_tool(python(code), stdin=(bytes([n]) * 65536 for n in range(64)), consume=out.append)
    assert result.exit_code == 0
    assert b"".join(out) == b"".join(bytes([n]) * 65536 for n in range(64))
    assert 32768 < len(result.stderr) < 70000


def test_files_are_handed_over(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"\x00\xff data\r\n" * 1000)
    with open(tmp_path / "in", "rb") as source, api.create_new(str(tmp_path / "out")) as target:
        code = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read()); sys.stdout.buffer.flush()"
        result = run_tool(python(code), stdin=source, stdout=target)
    assert (result.exit_code, result.stderr) == (0, "")
    assert (tmp_path / "out").read_bytes() == b"\x00\xff data\r\n" * 1000


def test_a_program_that_stops_listening_is_judged_by_its_exit_code() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 65536

    assert run_tool(python("import sys; sys.stdin.buffer.read(10); sys.exit(3)"), stdin=endless()).exit_code == 3


def test_without_input_the_program_reads_an_end() -> None:
    assert run_tool(python("import sys; sys.exit(len(sys.stdin.buffer.read()))")).exit_code == 0


def test_a_timeout_kills_the_program_and_its_children(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(ToolFailed, match="did not end within 5 seconds"):
        run_tool(python(family(tmp_path)), timeout=5)
    assert time.monotonic() - began < 25
    assert_dead(tmp_path)


def family(tmp_path: Path) -> str:
    """A program with a child; both say who they are, then the program writes a line, and both wait for ever."""
    child = (
        "import os, time\nopen({!r}, 'w').write(str(os.getpid()))\nos.replace({!r}, {!r})\ntime.sleep(600)\n".format(
            str(tmp_path / "new"),
            str(tmp_path / "new"),
            str(tmp_path / "child"),
        )
    )
    return (
        "import os, subprocess, sys, time\n"
        "open({!r}, 'w').write(str(os.getpid()))\n"
        "subprocess.Popen([sys.executable, '-I', '-c', {!r}], stdin=subprocess.PIPE)\n"
        "while not os.path.exists({!r}): time.sleep(0.02)\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)\n".format(str(tmp_path / "parent"), child, str(tmp_path / "child"))
    )


def assert_dead(tmp_path: Path) -> None:
    for name in ("parent", "child"):
        wait_until_dead(int((tmp_path / name).read_text()))


def wait_until_dead(pid: int) -> None:
    end = time.monotonic() + 20
    while api.process_started(pid) is not None:
        assert time.monotonic() < end, f"process {pid} still lives"
        time.sleep(0.05)


def test_a_failure_of_the_consumer_ends_the_program_and_its_children(tmp_path: Path) -> None:
    def refuse(chunk: bytes) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        run_tool(python(family(tmp_path)), consume=refuse)
    assert_dead(tmp_path)


def test_a_failure_of_the_source_ends_the_program_and_is_told() -> None:
    def broken() -> Iterator[bytes]:
        yield b"some"
        raise RuntimeError("source broke")

    with pytest.raises(RuntimeError, match="source broke"):
        run_tool(python("import sys, time; sys.stdin.buffer.read(); time.sleep(600)"), stdin=broken())


def test_cancelling_the_job_ends_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cancel = tmp_path / "cancel"
    monkeypatch.setattr(_jobs, "_reporter", _jobs.Reporter(progress_file=None, cancel_file=str(cancel)))

    def note(chunk: bytes) -> None:
        cancel.write_bytes(b"")

    with pytest.raises(Cancelled):
        run_tool(python("import time; print('x', flush=True); time.sleep(600)"), consume=note)


@pytest.mark.parametrize("program", ["no-such-program", os.path.join(os.path.abspath(os.sep), "no", "such")])
def test_a_program_that_is_not_there(program: str) -> None:
    with pytest.raises(ToolMissing):
        run_tool([program])


def test_a_file_that_is_no_program(tmp_path: Path) -> None:
    path = tmp_path / "tool.exe"
    path.write_bytes(b"this is text\n")
    path.chmod(0o755)
    with pytest.raises(ToolMissing):
        run_tool([str(path)])


def test_nothing_is_inherited_that_could_steer_a_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOST", "PGOPTIONS", "PGPASSWORD", "PGSERVICE", "LANG", "LC_ALL", "PYTHONPATH", "SECRET"):
        monkeypatch.setenv(name, "inherited")
    out: List[bytes] = []
    code = "import os; print('\\n'.join(f'{k}={v}' for k, v in os.environ.items()))"
    assert run_tool(python(code), consume=out.append, env=tool_environment({"PGPORT": "5432"})).exit_code == 0
    lines = b"".join(out).decode().split()
    assert not [line for line in lines if "inherited" in line]
    assert {"LC_MESSAGES=C", "PGPORT=5432"} <= set(lines)


CONTAIN = """
import os, subprocess, sys
sys.path[:0] = %r
from ansible_collections.wst.backup.plugins.module_utils._process import run_tool
run_tool([sys.argv[1], "-I", "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(600)"],
         consume=lambda chunk: print(chunk.decode(), flush=True))
"""


def test_children_do_not_outlive_us() -> None:
    assert api.contain_children()
    ours = subprocess.Popen(
        [sys.executable, "-c", CONTAIN % sys.path, PYTHON], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert ours.stdout is not None
    child = int(ours.stdout.readline())
    assert api.process_started(child) is not None
    ours.kill()
    ours.communicate()
    wait_until_dead(child)
