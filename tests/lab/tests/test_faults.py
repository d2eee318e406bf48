# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each fault does what it says, and is over when it is cleared."""

from __future__ import annotations

import time

import pytest
import requests
from winrm.exceptions import WSManFaultError

from wstlab import cli, control, processes
from wstlab.client import native_script
from wstlab.config import LabError
from wstlab.testing import Lab

pytestmark = pytest.mark.transport
HEX = "import sys;print(sys.stdin.buffer.read().hex())"


def test_stall(running: Lab) -> None:
    running.fault(stall_seconds=1.5)
    started = time.monotonic()
    assert running.client().python_code("print(1)").stdout == b"1\r\n"
    assert time.monotonic() - started >= 1.5
    running.fault(stall_seconds=8.0)
    client = running.client(operation_timeout=1, read_timeout=2)
    shell = client.open()
    command = client.start(shell, native_script(client.python, ["-I", "-c", "print(1)"], piped=False))
    with pytest.raises(requests.exceptions.ReadTimeout):
        client.protocol.get_command_output_raw(shell, command)
    # The command is none the worse for it.
    assert client.output(shell, command).exit_code == 0
    client.protocol.close_shell(shell)


def test_cut_connections(running: Lab) -> None:
    client = running.client()
    shell = client.open()
    command = client.start(shell, native_script(client.python, ["-I", "-c", "print(1)"], piped=False))
    running.fault(cut_receives=2)
    for _ in range(2):
        with pytest.raises(requests.exceptions.ConnectionError):
            client.protocol.get_command_output_raw(shell, command)
    # Nothing of the output is lost, as it was never fetched.
    assert client.output(shell, command).stdout == b"1\r\n"
    client.protocol.close_shell(shell)


def test_refused_signal(running: Lab) -> None:
    client = running.client()
    shell = client.open()
    command = client.start(shell, native_script(client.python, ["-I", "-c", "print(1)"], piped=False))
    assert client.output(shell, command).exit_code == 0
    running.fault(refuse_signal=True)
    with pytest.raises(WSManFaultError, match="denied"):
        client.protocol.cleanup_command(shell, command)
    running.clear()
    client.protocol.cleanup_command(shell, command)
    client.protocol.close_shell(shell)


def test_noise_around_the_output(running: Lab) -> None:
    running.fault(noise=True)
    lines = running.client().python_code("print(42)").stdout.splitlines()
    assert lines[0] != b"42"
    assert b"42" in lines
    assert lines[-1] != b"42"


def test_bom_before_the_input(running: Lab) -> None:
    assert running.client().python_code(HEX, data=b"abc").stdout.strip() == b"6162630d0a"
    running.fault(bom=True)
    assert running.client().python_code(HEX, data=b"abc").stdout.strip() == b"efbbbf6162630d0a"


def test_constrained_language_allows_the_native_call_and_refuses_dotnet(running: Lab) -> None:
    running.fault(constrained=True)
    assert running.client().python_code(HEX, data=b"abc").stdout.strip() == b"6162630d0a"
    refused = running.client().run("[System.IO.File]::ReadAllText('C:\\x')")
    assert refused.stdout == b""
    assert refused.stderr


def test_unreachable_until_cleared(running: Lab) -> None:
    client = running.client()
    shell = client.open()
    running.fault(unreachable=True)
    with pytest.raises(requests.exceptions.ConnectionError):
        client.open()
    running.clear()
    client.protocol.close_shell(shell)  # the network was gone, the shell was not


def test_restart_loses_shells(running: Lab) -> None:
    client = running.client()
    shell = client.open()
    control.ask(running.paths.host(1), "restart", seconds=0.3)

    def lost() -> bool:
        try:
            client.start(shell, "x")
        except WSManFaultError as fault:
            return fault.wsman_fault_code == 2150858843
        except requests.exceptions.ConnectionError:
            return False
        raise AssertionError("the shell is still there")

    processes.wait_for(lost, what="the listener's return", timeout=20)


def test_faults_from_the_command_line(running: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WST_LAB_DIR", str(running.paths.state))
    assert cli.main(["fault", "cut", "3"]) == 0
    assert control.ask(running.paths.host(1), "status")["faults"]["cut_receives"] == 3
    assert control.ask(running.paths.host(2), "status")["faults"]["cut_receives"] == 0
    assert cli.main(["fault", "clear"]) == 0
    assert control.ask(running.paths.host(1), "status")["faults"]["cut_receives"] == 0
    with pytest.raises(LabError, match="no such switch"):
        control.ask(running.paths.host(1), "set", nonsense=1)
