# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of all our actions: runs an ordinary Python module in the host's Python, on Windows as on POSIX.

Ansible prepares the module (arguments, ``no_log``, check mode, AnsiballZ) and reads its result; this class changes only
how the prepared text reaches an interpreter. It overrides three methods of ``ActionBase`` that exist with the same
meaning in ansible-core 2.17 to 2.21: ``_configure_module`` (to learn the text and its interpreter),
``_is_pipelining_enabled`` (our modules never touch the disk) and ``_low_level_execute_command`` (to send them).
"""

from __future__ import annotations

import contextlib
import secrets
import shlex
import time
from collections.abc import Mapping
from typing import Any, Callable, ClassVar, Optional

from ansible.errors import AnsibleConnectionFailure
from ansible.module_utils.common.text.converters import to_text
from ansible.plugins.action import ActionBase

from . import _connection, _control_log, _errors, _payload, _progress, _run_identity
from ._clock import format_time, utc_now
from ._exchange import Exchange, FirstContactFailed
from ._follow import Follower
from ._secrets import read_secrets
from ._settings import CONTROL_DIR, Settings, read_settings

PROGRESS_EVERY = 3.0  # seconds between progress lines
WITHOUT_RUN = "adhoc"  # where jobs outside of a run live


class HostPythonAction(ActionBase):  # type: ignore[misc]  # Ansible has no type hints to give
    """Runs the module of the same name on the host.

    :cvar runs_as: ``job`` for what changes something; ``attached`` for what is safe to repeat. Check mode is attached.
    :cvar carries: the secrets that this module may be told, by their names there, and the variables that hold them.
        They travel in the payload: never as parameters, which Ansible shows, nor in the environment or on a disk.
    """

    runs_as: ClassVar[str] = "job"
    carries: ClassVar[Mapping[str, str]] = {}
    clock: Callable[[], float] = staticmethod(time.monotonic)
    sleep: Callable[[float], None] = staticmethod(time.sleep)

    _settings: Optional[Settings] = None  # None until the task's variables have been read
    _host: str = ""
    _run_id: str = ""
    _secrets: Mapping[str, str] = {}
    _in_run: bool = False  # a run was begun on this host, so it has been reached before
    _module_data: Any = None
    _python: list[str]

    # --- what subclasses may change

    def run_id(self, task_vars: Mapping[str, Any]) -> str:
        """The run id that the module is told."""
        return _run_identity.current_run_id(task_vars)

    def told(self, settings: Settings) -> dict[str, Any]:
        """What the module's context says beyond what all modules are told."""
        return {}

    def succeeded(self, result: dict[str, Any]) -> dict[str, Any]:
        """Complete the result of a module that did not fail."""
        return result

    def failed(self, result: dict[str, Any]) -> dict[str, Any]:
        """Complete, or replace, the result of a module or transport that failed."""
        return result

    def unreached(self, error: _errors.Unreachable, variables: Mapping[str, Any]) -> None:
        """The host did not answer at first contact: no later task of the play sees it any more."""

    # --- Ansible's entry

    def run(self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        """Run the module. Failures are results with ``code`` and ``remedy``, never exceptions.

        :raises AnsibleConnectionFailure: the host could not be reached at first contact (``UNREACHABLE``).
        """
        task_vars = task_vars or {}
        self._warnings: list[str] = []
        try:
            result = self._run(task_vars)
        except FirstContactFailed as failure:
            unreachable = _errors.Unreachable(f"{failure}.")
            self._record({"event": "unreachable", "code": unreachable.code, "message": str(failure)})
            self.unreached(unreachable, self._variables_of_host(task_vars))
            raise AnsibleConnectionFailure(unreachable.as_result()["msg"]) from failure
        except _errors.TransportError as error:
            result = error.as_result()
            if isinstance(error, _errors.ConnectionLost):
                self._record({"event": "connection_lost", "code": error.code, "message": error.message})
        if self._warnings:
            result["warnings"] = [*result.get("warnings", []), *self._warnings]
        if result.get("skipped") or self._settings is None:
            return result
        return self.failed(result) if result.get("failed") else self.succeeded(result)

    def _run(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        if self._task.async_val:
            raise _errors.AsyncRefused("async is not supported by modules that run in the host's Python.")
        super().run(None, task_vars)
        windows = _connection.is_windows(self._connection)
        self._host = str(self._task.delegate_to or task_vars.get("inventory_hostname") or "localhost")
        own = self._variables_of_host(task_vars)
        template = self._templar.copy_with_new_env(available_variables=own).template
        settings = read_settings(own, template, windows=windows, root=self._task.args.get("root"))
        self._settings = settings
        self._in_run = bool(_run_identity.current_run_id(task_vars))
        self._secrets = read_secrets(own, template, self.carries)
        self._run_id = self.run_id(task_vars)
        self._nonce = secrets.token_hex(6)
        become = bool(self._connection.become) or bool(self._play_context.become)
        if windows:
            _connection.check_windows(self._connection, become=become, accept_unproven=settings.accept_unproven)
            self._python = [settings.python]
            task_vars = self._with_interpreter(task_vars, settings.python)
        else:
            _connection.check_posix(self._connection)
        result: dict[str, Any] = self._execute_module(task_vars=task_vars)
        return result

    def _variables_of_host(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        delegated: dict[str, Any] = task_vars.get("ansible_delegated_vars") or {}
        host = self._task.delegate_to
        return delegated.get(host) or task_vars if host else task_vars

    def _with_interpreter(self, task_vars: dict[str, Any], python: str) -> dict[str, Any]:
        """A copy of the variables in which Ansible finds our interpreter and does not go looking for one."""
        interpreter = {"ansible_python_interpreter": python}
        copied = {**task_vars, **interpreter}
        host = self._task.delegate_to
        delegated = task_vars.get("ansible_delegated_vars") or {}
        if host and host in delegated:
            copied["ansible_delegated_vars"] = {**delegated, host: {**delegated[host], **interpreter}}
        return copied

    # --- how the module travels

    def _configure_module(self, *args: Any, **kwargs: Any) -> Any:
        configured = super()._configure_module(*args, **kwargs)
        first = configured[0]  # a tuple of four up to 2.18, an object with the same content since
        shebang, data = configured[1:3] if isinstance(first, str) else (first.shebang, first.b_module_data)
        self._module_data = data
        if not _connection.is_windows(self._connection):
            self._python = shlex.split(to_text(shebang).removeprefix("#!"))
        return configured

    def _is_pipelining_enabled(self, module_style: str, wrap_async: bool = False) -> bool:
        return module_style == "new"

    def _low_level_execute_command(self, cmd: str, *args: Any, **kwargs: Any) -> Any:
        in_data = kwargs.get("in_data", args[1] if len(args) > 1 else None)
        if in_data is None or in_data is not self._module_data:
            return super()._low_level_execute_command(cmd, *args, **kwargs)
        if self._settings is None:
            raise AssertionError("the settings are read before a module is executed")
        outcome = self._run_on_host(to_text(in_data), self._settings)
        outcome["stdout_lines"] = outcome["stdout"].splitlines()
        outcome["stderr_lines"] = outcome["stderr"].splitlines()
        return outcome

    def _run_on_host(self, module: str, settings: Settings) -> dict[str, Any]:
        exchange = self._exchange(settings)
        request: dict[str, Any] = {
            "module": module,
            "environment": self._environment(),
            "context": {**self._context(), **self.told(settings), "secrets": self._secrets},
        }
        if self.runs_as == "attached" or self._task.check_mode:
            reply = exchange.ask({**request, "mode": "attached"})
            outcome: dict[str, Any] = reply["result"]
            return outcome
        name = self._task.action.rpartition(".")[2]
        job = [self._run_id or WITHOUT_RUN, f"{name}-{self._nonce}"]
        common = {"root": settings.root, "job": job}
        return Follower(exchange, common, self._show_progress(name), self._warnings).run(request)

    def _exchange(self, settings: Settings) -> Exchange:
        windows = _connection.is_windows(self._connection)

        def execute(line: bytes) -> Any:
            command = (
                _payload.windows_command(self._python[0], line)
                if windows
                else _payload.posix_command(self._python, line)
            )
            return super(HostPythonAction, self)._low_level_execute_command(command, sudoable=True, in_data=line)

        return Exchange(
            execute=execute,
            reset=lambda: _connection.close_quietly(self._connection),
            python=" ".join(self._python),
            patience=settings.reconnect_timeout,
            say=lambda text: self._say(f"  [{self._host}] {text}"),
            contacted=self._in_run,
            reached=lambda: _connection.is_open(self._connection),
            clock=self.clock,
            sleep=self.sleep,
        )

    def _environment(self) -> dict[str, str]:
        """``environment:`` of task, block and play. Ansible's PowerShell shell would lose it."""
        merged: dict[str, Any] = {}
        self._compute_environment_string(merged)
        return {str(name): str(value) for name, value in merged.items()}

    def _context(self) -> dict[str, Any]:
        """What ``module_utils/_context.py`` makes available to the module."""
        return {
            "run_id": self._run_id,
            "nonce": self._nonce,
            "check_mode": bool(self._task.check_mode),
            "controller": _run_identity.controller(),
            "controller_time": format_time(utc_now()),
        }

    # --- what the user sees, what the control node keeps

    def _say(self, text: str) -> None:
        """Show a line. The process that owns the screen may be gone, and that must not stop a clean-up here."""
        with contextlib.suppress(OSError):
            self._display.display(text)

    def _show_progress(self, step: str) -> Callable[[Mapping[str, Any]], None]:
        shown: dict[str, Any] = {"line": None, "at": float("-inf")}

        def show(progress: Mapping[str, Any]) -> None:
            text = None if self._task.no_log else _progress.line(self._host, step, progress)
            finished = progress.get("done") is not None and progress.get("done") == progress.get("total")
            if text is None or text == shown["line"] or (self.clock() - shown["at"] < PROGRESS_EVERY and not finished):
                return
            shown.update(line=text, at=self.clock())
            self._say(text)

        return show

    def _record(self, entry: dict[str, Any], **where: Any) -> None:
        """Keep the event on the control node; that it cannot write must not hide the event itself."""
        entry = {"run_id": self._run_id, "task": self._task.action, **entry}
        directory = self._settings.control_dir if self._settings else CONTROL_DIR
        try:
            _control_log.record(directory, self._host, entry, **where)
        except OSError as error:
            self._warnings.append(f"the control node could not record this: {error}")
