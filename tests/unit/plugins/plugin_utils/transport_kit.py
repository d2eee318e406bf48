# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process boundary for the transport's tests: connections that replay what hosts have said, call by call.

Everything on our side of the boundary is real: the action, Ansible's task, templar, shell plugins and AnsiballZ.
A step of a recording is a text (with ``{nonce}`` and ``{answer}``), an exception, or a function of the request.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, Optional, Union

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.loader import connection_loader, module_loader
from ansible.template import Templar
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

from ansible_collections.wst.backup.plugins.plugin_utils import _payload
from ansible_collections.wst.backup.plugins.plugin_utils._host_python import HostPythonAction

PROBE = Path(__file__).parents[3] / "integration/probe_collections/ansible_collections/wst_probe/transport"


class Transcript(str):
    """Standard output of a call; ``rc`` and ``stderr`` go with it."""

    rc: int = 0
    stderr: str = ""

    @classmethod
    def of(cls, stdout: str, rc: int = 0, stderr: str = "") -> Transcript:
        text = cls(stdout)
        text.rc, text.stderr = rc, stderr
        return text


def request_of(line: bytes) -> dict[str, Any]:
    """What was asked: the host's side of ``_payload.pack``."""
    program = zlib.decompress(base64.b64decode(line)).decode("utf-8")
    found: dict[str, Any] = json.loads(ast.literal_eval(program.rstrip().rpartition("\nmain(")[2][:-1]))
    return found


def framed(reply: dict[str, Any], nonce: str) -> str:
    """The runner's answer as it stands on standard output."""
    body = base64.b64encode(zlib.compress(json.dumps(reply).encode("ascii")))
    digest = hashlib.sha256(body).hexdigest()[:16]
    answer = f"wst-backup-reply:{nonce}:{len(body)}:{digest}:{body.decode()}:wst-backup-reply-end"
    return f"wst-backup-runner:{nonce}\n\n{answer}\n"


def done(result: Optional[dict[str, Any]] = None, **extra: Any) -> dict[str, Any]:
    """The answer of a module that ended with this result."""
    outcome = {"rc": 0, "stdout": json.dumps(result or {"changed": True, "said": "hello"}), "stderr": ""}
    return {"state": "done", "result": outcome, **extra}


Step = Union[str, dict[str, Any], BaseException, Callable[[dict[str, Any]], Any]]


class Host:
    """Plays the recording and keeps what it was asked."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.commands: list[str] = []
        self.requests: list[dict[str, Any]] = []
        self.resets = 0
        self.opened = False  # whether a connection was made before the first step

    def execute(self, command: str, line: bytes) -> tuple[int, bytes, bytes]:
        self.commands.append(command)
        request = request_of(line)
        self.requests.append(request)
        assert self.steps, f"nothing was recorded for the request {request['mode']}"
        step: Any = self.steps.pop(0)
        if callable(step):
            step = step(request)
        if isinstance(step, BaseException):
            raise step
        if isinstance(step, dict):
            step = framed(step, request["reply"])
        text = re.sub(r"\{nonce\}", request["reply"], step)
        text = re.sub(r"\{answer\}", lambda _found: framed(done(), request["reply"]), text)
        return getattr(step, "rc", 0), text.encode("utf-8"), getattr(step, "stderr", "").encode("utf-8")

    @property
    def modes(self) -> list[str]:
        return [request["mode"] for request in self.requests]


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.naps: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def _ansibles_plugins() -> Iterator[None]:
    """Ansible finds its own plugins through its collection loader; other tests import without it."""
    module_loader.add_directory(str(PROBE / "plugins" / "modules"))
    finder = _AnsibleCollectionFinder(paths=[], scan_sys_paths=False)
    finder._install()
    yield
    finder._remove()


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines on the user's screen."""
    from ansible.utils.display import Display

    lines: list[str] = []
    monkeypatch.setattr(Display(), "display", lambda text, *_args, **_kwargs: lines.append(str(text)))
    return lines


Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run_task(tmp_path: Path, clock: Clock) -> Run:
    """Runs an action against a host: ``run_task(host, connection="winrm", args={}, variables={}, task={}, ...)``."""

    def run(
        host: Host,
        connection: str = "winrm",
        action: type[HostPythonAction] = HostPythonAction,
        name: str = "probe",
        runs_as: Optional[str] = None,
        args: Optional[dict[str, Any]] = None,
        variables: Optional[dict[str, Any]] = None,
        options: Optional[dict[str, Any]] = None,
        task: Optional[dict[str, Any]] = None,
        become: Optional[str] = None,
    ) -> dict[str, Any]:
        loader = DataLoader()
        loader.set_basedir(str(tmp_path))
        context = PlayContext()
        context.remote_addr = "host1"
        link = _connection(connection, context, host, dict(options or {}))
        if become:
            from ansible.plugins.loader import become_loader

            link.set_become_plugin(become_loader.get(become))
        known = {
            "inventory_hostname": "host1",
            "wst_backup_control_dir": str(tmp_path / "control"),
            "ansible_python_interpreter": sys.executable,
            "ansible_facts": {},
            **(variables or {}),
        }
        subject = Task.load({name: args or {}, **(task or {})})
        subject.environment = (task or {}).get("environment", [])
        templar = Templar(loader=loader, variables=known)
        cls = type("ActionModule", (action,), {"runs_as": runs_as} if runs_as else {})
        tested = cls(subject, link, context, loader, templar, None)
        tested.clock, tested.sleep = (lambda: clock.now), clock.sleep
        result: dict[str, Any] = tested.run(task_vars=known)
        return result

    return run


def _connection(name: str, context: PlayContext, host: Host, options: dict[str, Any]) -> Any:
    link = connection_loader.get(name, context, os.devnull)
    extras = {name: options.pop(name) for name in list(options) if name.startswith("ansible_")}
    direct = {"remote_addr": "host1", "remote_user": "operator", **options}
    link.set_options(var_options={"_extras": extras}, direct=direct)

    def exec_command(cmd: str, in_data: Any = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        return host.execute(cmd, in_data)

    def reset() -> None:
        host.resets += 1

    link.exec_command, link.reset, link._connected = exec_command, reset, host.opened
    return link


def on_this_machine(request_line: bytes, before: bytes = b"", after: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the payload as a host does: the real bootstrap in a fresh Python, the line on standard input."""
    argv = [sys.executable, "-I", "-X", "utf8", "-c", _payload.bootstrap(request_line)]
    return subprocess.run(argv, input=before + request_line + after, capture_output=True, timeout=60, check=False)
