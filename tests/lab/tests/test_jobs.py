# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command dies with its shell, and only what broke away from its job lives on.

Each child holds a connection to the test: the end of its life is the end of the connection, seen without waiting.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator

import pytest

from wstlab import control, lab, processes
from wstlab.client import native_script
from wstlab.testing import Lab

pytestmark = pytest.mark.transport
BREAKAWAY = 0x01000000
TIMEOUT = 30

CHILD = (
    "import socket,sys;s=socket.create_connection(('127.0.0.1',{port}));s.sendall(b'{name}');"
    "[s.sendall(b) for b in iter(lambda:s.recv(9),b'')]"
)
PARENT = (
    "import subprocess,sys,os;"
    "[subprocess.Popen([sys.executable,'-I','-c',os.environ['CHILD_'+n]],creationflags=f,stdin=-3,stdout=-3,stderr=-3)"
    " for n,f in (('PLAIN',8),('AWAY',8|{breakaway}))];"
    "print('started',flush=True);{then}"
)


class Children:
    """The connections of the children, by name."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.settimeout(TIMEOUT)
        self.found: dict[str, socket.socket] = {}

    @property
    def variables(self) -> dict[str, str]:
        """What the parent hands to its children."""
        port = self.server.getsockname()[1]
        return {f"CHILD_{name}": CHILD.format(port=port, name=name) for name in ("PLAIN", "AWAY")}

    def meet(self) -> None:
        """Wait until both are there."""
        while len(self.found) < 2:
            connection, _ = self.server.accept()
            connection.settimeout(TIMEOUT)
            self.found[connection.recv(9).decode()] = connection

    def gone(self, name: str) -> bool:
        """Wait for a child's end."""
        try:
            return self.found[name].recv(9) == b""
        except ConnectionResetError:
            return True

    def alive(self, name: str) -> bool:
        """Whether a child still answers."""
        try:
            self.found[name].sendall(b"ping")
            return self.found[name].recv(9) == b"ping"
        except OSError:
            return False

    def close(self) -> None:
        """Let the survivors end."""
        for connection in (*self.found.values(), self.server):
            connection.close()


@pytest.fixture
def children() -> Iterator[Children]:
    family = Children()
    yield family
    family.close()


def start(running: Lab, children: Children, *, then: str) -> tuple[object, str, str]:
    """A command with both children running; the client, its shell and its command."""
    client = running.client()
    shell = client.open(children.variables)
    code = PARENT.format(breakaway=BREAKAWAY, then=then)
    command = client.start(shell, native_script(client.python, ["-I", "-c", code], piped=False))
    children.meet()
    return client, shell, command


def check(children: Children) -> None:
    """The plain child is gone, the other one is not."""
    assert children.gone("PLAIN")
    assert children.alive("AWAY")


def test_signal_terminate_ends_the_job(running: Lab, children: Children) -> None:
    client, shell, command = start(running, children, then="sys.stdin.read();import time;time.sleep(600)")
    assert children.alive("PLAIN")
    client.protocol.cleanup_command(shell, command)  # type: ignore[attr-defined]
    check(children)
    client.protocol.close_shell(shell)  # type: ignore[attr-defined]


def test_deleting_the_shell_ends_the_job(running: Lab, children: Children) -> None:
    client, shell, _ = start(running, children, then="import time;time.sleep(600)")
    client.protocol.close_shell(shell)  # type: ignore[attr-defined]
    check(children)


def test_children_outlive_their_command_until_the_shell_goes(running: Lab, children: Children) -> None:
    """And a child without the shell's handles does not hold the command's output open."""
    client, shell, command = start(running, children, then="sys.exit(3)")
    result = client.output(shell, command)  # type: ignore[attr-defined]
    assert (result.exit_code, result.stdout) == (3, b"started\r\n")
    assert children.alive("PLAIN")
    client.protocol.close_shell(shell)  # type: ignore[attr-defined]
    check(children)


def test_an_idle_shell_ends_the_job(running: Lab, children: Children) -> None:
    start(running, children, then="import time;time.sleep(600)")
    running.fault(idle_seconds=0.5)
    check(children)


def test_a_restarting_listener_ends_the_job(running: Lab, children: Children) -> None:
    start(running, children, then="import time;time.sleep(600)")
    control.ask(running.paths.host(1), "restart", seconds=0.2)
    check(children)
    client = running.client()
    processes.wait_for(lambda: answers(client), what="the listener", timeout=20)


def test_a_killed_listener_leaves_no_command_behind(running: Lab, children: Children) -> None:
    start(running, children, then="import time;time.sleep(600)")
    pid = processes.running(running.paths.host(1).run / "listener.pid")
    assert pid
    os.kill(pid, signal.SIGKILL)
    check(children)
    assert lab.up(running.paths, hosts=2, bare=False) == running.record


GRANDPARENT = (
    "import subprocess,sys,os\n"
    "inner='import os,subprocess,sys;subprocess.Popen([sys.executable,chr(45)+chr(73),chr(45)+chr(99),"
    "os.environ[str().join(map(chr,(67,72,73,76,68,95,80,76,65,73,78)))]]).wait()'\n"
    "subprocess.Popen([sys.executable,'-I','-c',inner],stdin=-3,stdout=-3,stderr=-3)\n"
    "subprocess.Popen([sys.executable,'-I','-c',os.environ['CHILD_AWAY']],creationflags=8|0x01000000,"
    "stdin=-3,stdout=-3,stderr=-3)"
)


def test_a_grandchild_is_in_the_job_as_well(running: Lab, children: Children) -> None:
    """Job membership is inherited.

    What breaks away must also leave the console (DETACHED_PROCESS, 8): one that shares it dies when the console's
    own process, a member of the job, does. The engine lane showed that.
    """
    client = running.client()
    shell = client.open(children.variables)
    code = f"exec(bytes.fromhex('{GRANDPARENT.encode().hex()}'))"
    client.start(shell, native_script(client.python, ["-I", "-c", code], piped=False))
    children.meet()
    client.protocol.close_shell(shell)
    check(children)


def answers(client: object) -> bool:
    """Whether a shell can be opened."""
    try:
        client.protocol.close_shell(client.open())  # type: ignore[attr-defined]
    except Exception:
        return False
    return True
