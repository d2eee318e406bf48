# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running the programs of the runtime: argument lists, private environments, no deadlock, no orphan."""

from __future__ import annotations

import os
import subprocess  # nosec B404  # the one place on the host that starts programs
import threading
import time
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Union

from ansible_collections.wst.backup.plugins.module_utils import _jobs
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError, ToolFailed, ToolMissing
from ansible_collections.wst.backup.plugins.module_utils._platform import api

CHUNK = 1 << 18  # bytes handed to ``consume`` at most
STDERR_KEPT = 32 << 10  # bytes kept of the beginning, and as many of the end
_DRAIN = 10.0  # seconds for the pipes to close once the program has ended


@dataclass(frozen=True)
class ToolResult:
    """How a program ended. ``stderr`` is its beginning and end where it was long."""

    argv: Tuple[str, ...]
    exit_code: int
    stderr: str


def tool_environment(extra: Optional[Mapping[str, str]] = None) -> Dict[str, str]:
    """The whole environment of a program: what it needs to run, messages in English, and ``extra``.

    Nothing else is inherited: PGHOST or PGOPTIONS of whoever logged in must not steer a backup.
    """
    environment = api.base_environment()
    environment["LC_MESSAGES"] = "C"
    environment.update(extra or {})
    return environment


def run_tool(
    argv: Sequence[str],
    *,
    env: Optional[Mapping[str, str]] = None,
    stdin: Optional[Union[BinaryIO, Iterable[bytes]]] = None,
    stdout: Optional[BinaryIO] = None,
    timeout: Optional[float] = None,
    cwd: Optional[str] = None,
    consume: Optional[Callable[[bytes], None]] = None,
    hear: Optional[Callable[[bytes], None]] = None,
) -> ToolResult:
    """Run a program to its end.

    :param argv: the program's absolute path and its arguments; never a secret, for every user can see them.
    :param env: its whole environment; ``tool_environment()`` by default. Secrets go here.
    :param stdin: an open file that it reads itself, or chunks that are fed to it from a thread, or nothing.
    :param stdout: an open file that it writes itself. Flush it before; without it and ``consume``, output is dropped.
    :param timeout: seconds; then it is killed and ToolFailed raised.
    :param consume: called here, in the calling thread, with each chunk of its output.
    :param hear: called in a thread with each piece of its messages (standard error); for progress, must not raise.
    :raises ToolMissing: when it cannot be started; Cancelled when the job is to stop; and what ``stdin`` or
        ``consume`` raise. In all these cases the program and its descendants are dead afterwards.
    :returns: the result, whatever the exit code; see ``check``.
    """
    api.contain_children()
    feeding = stdin is not None and not hasattr(stdin, "fileno")
    process = _start(
        argv,
        env=tool_environment() if env is None else dict(env),
        cwd=cwd,
        stdin=subprocess.PIPE if feeding else (stdin if stdin is not None else subprocess.DEVNULL),
        stdout=subprocess.PIPE if consume else (stdout if stdout is not None else subprocess.DEVNULL),
    )
    run = _Run(process, timeout, hear)
    try:
        run.attend(stdin if feeding else None)
        if consume is not None and process.stdout is not None:
            _consume(process.stdout, consume)
        exit_code = process.wait()
    finally:
        run.end()
    run.reraise(argv)
    reason = api.start_failure(exit_code)
    if reason is not None:
        raise ToolMissing(f"{argv[0]} does not start: {reason}", program=argv[0], exit_code=exit_code)
    return ToolResult(argv=tuple(argv), exit_code=exit_code, stderr=run.stderr())


def run_starter(
    argv: Sequence[str],
    *,
    output: BinaryIO,
    timeout: float,
    env: Optional[Mapping[str, str]] = None,
    account: Optional[Mapping[str, Any]] = None,
) -> int:
    """Run a program that leaves a service behind, and return its exit code. The service is not ended with it.

    :param output: where it and the service write; a pipe would stay open for as long as the service lives.
    :param timeout: seconds; then the program is killed and ToolFailed raised.
    :param account: what ``_platform.server_account`` said.
    :raises ToolMissing: when it cannot be started.
    """
    api.contain_children()  # where the system can, the service ends with us, however that happens
    process = _start(
        argv,
        env=tool_environment() if env is None else dict(env),
        cwd=None,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        **(account or {}),
    )
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.wait()
        message = f"{argv[0]} did not end within {timeout} seconds"
        raise ToolFailed(message, program=argv[0], timeout=timeout) from error


def check(result: ToolResult) -> ToolResult:
    """The result itself when the program succeeded; raises ToolFailed with its own words otherwise."""
    if result.exit_code != 0:
        name = os.path.basename(result.argv[0])
        raise ToolFailed(
            f"{name} ended with exit code {result.exit_code}: {last_line(result.stderr)}",
            program=result.argv[0],
            exit_code=result.exit_code,
            stderr=result.stderr[-2000:],
        )
    return result


def last_line(text: str) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def _start(
    argv: Sequence[str],
    *,
    env: Dict[str, str],
    cwd: Optional[str],
    stdin: Any,
    stdout: Any,
    stderr: Any = subprocess.PIPE,
    **account: Any,
) -> subprocess.Popen[bytes]:
    """Start it; raises ToolMissing. An absolute path, for whoever can write to a directory of PATH owns the rest."""
    program = argv[0]
    if not os.path.isabs(program) or not os.path.isfile(api.long_path(program)):
        raise ToolMissing(f"there is no program {program}", program=program)
    try:
        return subprocess.Popen(  # nosec B603  # an argument list and an absolute path, checked above; no shell
            list(argv),
            env=env,
            cwd=cwd,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            bufsize=0,
            **account,
            **api.child_options(),
        )
    except OSError as error:
        message = f"{program} cannot be started: {error.strerror}"
        raise ToolMissing(message, program=program, winerror=getattr(error, "winerror", None)) from error


def _consume(pipe: IO[bytes], consume: Callable[[bytes], None]) -> None:
    while True:
        chunk = pipe.read(CHUNK)
        if not chunk:
            return
        consume(chunk)


class _Run:
    """The threads around one child: one feeds it, one hears its errors, one watches the time and the controller."""

    def __init__(
        self, process: subprocess.Popen[bytes], timeout: Optional[float], hear: Optional[Callable[[bytes], None]]
    ) -> None:
        self._process = process
        self._heard = hear
        self._group = api.ChildGroup(process)
        self._timeout = timeout
        self._ended = threading.Event()
        self._threads: List[threading.Thread] = []
        self._failure: Optional[BaseException] = None
        self._head = bytearray()
        self._tail = bytearray()

    def attend(self, chunks: Optional[Iterable[bytes]]) -> None:
        """Start the threads."""
        self._thread(self._hear)
        self._thread(self._watch)
        if chunks is not None:
            self._thread(lambda: self._feed(chunks))

    def _thread(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        thread.start()
        self._threads.append(thread)

    def end(self) -> None:
        """Leave nothing running: the child, should it live, its descendants and the threads."""
        self._ended.set()
        self._group.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join(_DRAIN)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        self._group.close()

    def reraise(self, argv: Sequence[str]) -> None:
        """Raise what made a thread kill the child."""
        if isinstance(self._failure, TimeoutError):
            message = f"{argv[0]} did not end within {self._timeout} seconds"
            raise ToolFailed(message, program=argv[0], timeout=self._timeout)
        if self._failure is not None:
            raise self._failure

    def stderr(self) -> str:
        """What it wrote, in any code page: bytes that are not UTF-8 are shown as such."""
        cut = b"\n[...]\n" if len(self._tail) >= STDERR_KEPT else b""
        return (bytes(self._head) + cut + bytes(self._tail)).decode("utf-8", errors="backslashreplace")

    def _hear(self) -> None:
        pipe = self._process.stderr
        while pipe is not None:
            chunk = pipe.read(4096)
            if not chunk:
                return
            if self._heard is not None:
                self._heard(chunk)
            room = STDERR_KEPT - len(self._head)
            self._head += chunk[:room]
            self._tail += chunk[room:] if room < len(chunk) else b""
            del self._tail[:-STDERR_KEPT]

    def _watch(self) -> None:
        end = float("inf") if self._timeout is None else time.monotonic() + self._timeout
        while not self._ended.wait(max(0.0, min(_jobs.CHECK_EVERY, end - time.monotonic()))):
            try:
                _jobs.check()
                if time.monotonic() >= end:
                    raise TimeoutError
            except (BackupError, TimeoutError) as failure:
                self._fail(failure)
                return

    def _feed(self, chunks: Iterable[bytes]) -> None:
        pipe = self._process.stdin
        if pipe is None:
            return
        try:
            for chunk in chunks:
                if not self._deliver(pipe, chunk):
                    break
        except BaseException as failure:  # noqa: BLE001 - it is raised again, in the caller's thread
            self._fail(failure)
        finally:
            try:
                pipe.close()
            except OSError:
                pass

    def _deliver(self, pipe: IO[bytes], chunk: bytes) -> bool:
        """False when the program no longer listens: its exit code says why, so that is no failure here."""
        view = memoryview(chunk)
        try:
            while view:
                view = view[pipe.write(view) :]
        except OSError:
            return False
        return True

    def _fail(self, failure: BaseException) -> None:
        if self._failure is None:
            self._failure = failure
        self._group.kill()
