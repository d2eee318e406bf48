# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The listener as pywinrm and Ansible see it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import xmltodict  # type: ignore[import-untyped]
from winrm.exceptions import (
    InvalidCredentialsError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
)

from wstlab.client import encoded_command, native_script
from wstlab.config import REPOSITORY
from wstlab.testing import Lab

pytestmark = pytest.mark.transport
AUTH = ("basic", "ntlm", "ntlm-http")
DIGEST = "import sys,hashlib;d=sys.stdin.buffer.read();print(len(d),hashlib.sha256(d.strip()).hexdigest());sys.exit(7)"


@pytest.mark.parametrize("auth", AUTH)
def test_input_output_and_exit_code(running: Lab, auth: str) -> None:
    data = b"Zm9v" * 100_000
    result = running.client(auth=auth).python_code(DIGEST, data=data)
    # PowerShell ends the line that it passes on.
    assert result.stdout.split() == [str(len(data) + 2).encode(), hashlib.sha256(data).hexdigest().encode()]
    assert (result.exit_code, result.stderr) == (7, b"")


@pytest.mark.parametrize("auth", AUTH)
def test_much_output_arrives_whole(running: Lab, auth: str) -> None:
    code = "import sys;sys.stdout.write(''.join(str(n)+chr(10) for n in range(200000)));sys.stderr.write('e'*5000)"
    result = running.client(auth=auth).python_code(code)
    assert result.stdout.split() == [str(number).encode() for number in range(200_000)]
    assert b"e" * 5000 in result.stderr.replace(b"\r\n", b"")


def test_environment_is_a_windows_logon(running: Lab) -> None:
    code = "import os,json;print(json.dumps([dict(os.environ),os.getcwd()]))"
    variables, directory = json.loads(running.client().python_code(code, variables={"WST_X": "y z"}).stdout)
    assert directory == variables["USERPROFILE"]
    assert variables["WST_X"] == "y z"
    assert variables["SYSTEMROOT"] == "C:\\windows"
    ours = {name for name in os.environ if name.upper() not in ("PATH", "TEMP", "TMP", "OS")}
    assert not {name for name in variables if name in ours and not name.startswith("WINE")}
    # wine's own are the only ones that lead out of the host, and it offers no way to be rid of them
    assert not [name for name, value in variables.items() if str(running.paths.state) in value and name[:4] != "WINE"]


def test_missing_program_is_127(running: Lab) -> None:
    result = running.client().run(native_script("C:\\no\\such.exe", ["x"], piped=False))
    assert result.exit_code == 127
    assert result.stdout == b""
    assert result.stderr


def test_long_poll_times_out_with_the_fault_that_clients_wait_for(running: Lab) -> None:
    client = running.client(operation_timeout=1, read_timeout=5)
    shell = client.open()
    script = native_script(client.python, ["-I", "-c", "import sys;print(len(sys.stdin.buffer.read()))"], piped=True)
    command = client.protocol.run_command(shell, encoded_command(script), console_mode_stdin=False)
    with pytest.raises(WinRMOperationTimeoutError):
        client.protocol.get_command_output_raw(shell, command)
    client.protocol.send_command_input(shell, command, b"abc", end=True)
    result = client.output(shell, command)
    assert (result.stdout, result.exit_code) == (b"5\r\n", 0)
    client.protocol.close_shell(shell)


@pytest.mark.parametrize("auth", AUTH)
def test_wrong_password_is_refused(running: Lab, auth: str) -> None:
    with pytest.raises(InvalidCredentialsError):
        running.client(auth=auth, password="wrong").open()


def test_unencrypted_messages_are_refused(running: Lab) -> None:
    with pytest.raises(WSManFaultError, match="unencrypted"):
        running.client(auth="ntlm-http", encryption="never").open()
    with pytest.raises((InvalidCredentialsError, WinRMTransportError)):
        running.client(auth="basic-http").open()


def test_deleted_and_unknown_shells_are_a_fault(running: Lab) -> None:
    client = running.client()
    shell = client.open()
    client.protocol.close_shell(shell, close_session=False)
    with pytest.raises(WSManFaultError) as caught:
        client.start(shell, "x")
    assert caught.value.wsman_fault_code == 2150858843
    client.protocol.transport.close_session()


@pytest.mark.parametrize(
    "change",
    [
        {"action": "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Enumerate"},
        {"resource_uri": "http://schemas.microsoft.com/powershell/Microsoft.PowerShell"},
    ],
)
def test_what_the_lab_does_not_serve_is_a_fault_and_a_line_in_the_log(running: Lab, change: dict[str, str]) -> None:
    client = running.client()
    cmd = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd"
    wanted = {"action": "http://schemas.xmlsoap.org/ws/2004/09/transfer/Create", "resource_uri": cmd, **change}
    message = {"env:Envelope": client.protocol.build_wsman_header(**wanted)}
    message["env:Envelope"]["env:Body"] = {}
    with pytest.raises(WSManFaultError, match="the lab"):
        client.protocol.send_message(xmltodict.unparse(message))
    log = Path(running.record["hosts"][0]["log"]).read_text(encoding="utf-8")
    assert next(iter(change.values())) in log
    client.protocol.transport.close_session()


def test_garbage_is_a_fault(running: Lab) -> None:
    client = running.client()
    with pytest.raises(WSManFaultError, match="not an XML envelope"):
        client.protocol.send_message("<unclosed>")
    with pytest.raises(WSManFaultError, match="MaxEnvelopeSizekb"):
        client.protocol.send_message(" " * 600_000)
    client.protocol.transport.close_session()


def test_receive_answers_name_their_command(running: Lab) -> None:
    """Ansible and pywinrm take streams by the ends of their names only; a stricter client must find its way too."""
    client = running.client()
    shell = client.open()
    command = client.start(shell, native_script(client.python, ["-I", "-c", "print(1)"], piped=False))
    header = client.protocol.build_wsman_header(
        action="http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Receive",
        resource_uri="http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd",
        shell_id=shell,
    )
    header["env:Body"] = {"rsp:Receive": {"rsp:DesiredStream": {"@CommandId": command, "#text": "stdout stderr"}}}
    answer = ET.fromstring(client.protocol.send_message(xmltodict.unparse({"env:Envelope": header})))
    names = {"rsp": "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"}
    for found in (*answer.iterfind(".//rsp:Stream", names), *answer.iterfind(".//rsp:CommandState", names)):
        assert found.get("CommandId") == command
    client.protocol.close_shell(shell)


def test_stock_ansible_reaches_every_host_of_the_inventory(running: Lab) -> None:
    script = native_script(running.client().python, ["-I", "-c", "print(6*7)"], piped=False)
    # A template language stands between the command line and the module; this form has nothing that it would take.
    result = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible")),
            "-i",
            str(REPOSITORY / "inventory" / "lab"),
            "wst",
            "-m",
            "ansible.builtin.raw",
            "-a",
            script,
        ],
        env={**os.environ, "WST_LAB_DIR": str(running.paths.state), "ANSIBLE_HOME": str(running.paths.state / "home")},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count("rc=0 >>\n42") == 2, result.stdout
