# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs on the host before any module can: starts a module attached, or as a job, and tells how a job does.

This file travels: the control node sends its text, followed by one line ``main('<request as JSON>')``, to the host's
Python. So it is one file, it needs nothing but the standard library of CPython 3.9 or newer, and it never imports
the collection. Its answer is one line between markers (``emit``), which any noise around it cannot hurt.

**Requests.** ``mode`` is one of

``attached``  run the module here and answer with its outcome (``state: done``).
``start``     run it as a job; answer with its result if it is done within ``wait`` seconds, else ``running``.
              Asking twice for the same job attaches to the first one.
``poll``      how is the job? Waits up to ``wait`` seconds for its end.
``cancel``    ask the job to stop (also one that has not started yet), wait for its end; ``kill``: then end it.

**The job's directory** ``<root>/runs/<run id>/<module>-<nonce>/`` is the protocol; others on the host may use it:

``start.lock``     locked while a start is being made; two starts never both start.
``alive.lock``     locked by the job's process for all its life. Free again: the process is gone.
                   Locks are ``flock`` on POSIX and one byte at offset 0 (``msvcrt.locking``) on Windows. To ask
                   whether a job lives, try the lock and release it at once; a starting job tries for two seconds.
``pid``            JSON ``{"pid", "started"}`` (epoch seconds). Written once, by the holder of ``alive.lock``, before
                   the module runs: a directory without it has started nothing.
``cancel``         its presence asks the job to stop. The module looks for it (``_jobs.progress``).
``progress.json``  written by the module, replaced atomically; passed on as it is.
``result.json``    ``{"rc", "stdout", "stderr"}``, written once, atomically, after the module's end. A directory with
                   a ``pid``, a free ``alive.lock`` and no result belongs to a job that was killed. A result, or a
                   lock, that is there but cannot be opened now (antivirus looks at fresh files) says nothing yet:
                   the state is ``unreadable``, with the error, and the control node asks again.
``stderr.txt``     what the job's process and its children wrote to file descriptors 1 and 2.
``reserve``        space kept for the result, so that a full disk can be reported.

The module's arguments reach the job through a pipe and are in none of these files. On Windows the job leaves the job
object of the shell that started it (which dies with the connection) and puts itself into one of its own that ends
its children with it. On POSIX it is the leader of a session of its own.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import hashlib
import io
import json
import os
import subprocess  # nosec B404  # starts jobs
import sys
import time
import types
import zlib
from typing import Any, BinaryIO, Callable, Dict, Iterator, Optional, Sequence, TypeVar

WINDOWS = sys.platform == "win32"
HELLO = "wst-backup-runner"
MARK = "wst-backup-reply"
CONTEXT_MODULE = "_wst_backup_context"  # module_utils/_context.py looks for this name
PAYLOAD: bytes = globals().get("PAYLOAD", b"")  # what the bootstrap received; a job's process is started from it
RESERVED = 64 * 1024
TAIL = 4000
_SHARING = (5, 32, 33)  # WinError: access denied, sharing violation, lock violation; scanners cause them for a moment
_FLEETING = (1359, 1450)  # WinError: internal error, no system resources; no process was made, and the next try has one
SOON = 10.0  # seconds to wait for others to let go of a file while the control node waits
LATE = 120.0  # the same for a finished job's result, which cannot be had again

T = TypeVar("T")


class StartRefused(Exception):
    """The job could not be started; ``code`` and the facts go to the control node, which knows the remedies."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.reply = {"state": "refused", "code": code, "facts": facts}


# --- the module, in this process ---------------------------------------------------------------------------------


def provide_posix_modules() -> None:
    """Let ``ansible.module_utils.basic`` be imported on Windows: it imports these and needs nothing of them there."""
    for name, lookup in (("fcntl", None), ("grp", "getgrgid"), ("pwd", "getpwuid")):
        module = sys.modules.setdefault(name, types.ModuleType(name))
        if lookup and not hasattr(module, lookup):
            setattr(module, lookup, _nobody)  # AnsibleModule asks for the owner of a path that a result names
    for name in ("getuid", "geteuid", "getgid", "getegid"):
        if not hasattr(os, name):
            setattr(os, name, lambda: 0)


def _nobody(number: int) -> Any:
    """No such user or group: AnsibleModule then shows the number."""
    raise KeyError(number)


def install_context(data: Dict[str, Any]) -> None:
    """Give the module its context inside this process: never in the environment, never on disk."""
    module = types.ModuleType(CONTEXT_MODULE)
    module.DATA = data  # type: ignore[attr-defined]
    sys.modules[CONTEXT_MODULE] = module


def run_module(request: Dict[str, Any], paths: Dict[str, Optional[str]]) -> Dict[str, Any]:
    """Execute the module's code as ``__main__`` and return ``rc``, ``stdout`` and the tail of ``stderr``."""
    if WINDOWS:
        provide_posix_modules()
    os.environ.update(request["environment"])
    install_context({**request["context"], **paths})
    out, err = _Capture(), _Capture()
    outer = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = out, err
    try:
        code = compile(request["module"], "<module>", "exec", dont_inherit=True)
        exec(code, {"__name__": "__main__", "__builtins__": __builtins__})  # nosec B102  # noqa: S102 - this is what we are for
        rc = 0
    except SystemExit as end:
        rc = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  whatever a module dies of is its outcome
        import traceback

        traceback.print_exc()
        rc = 1
    finally:
        sys.stdout, sys.stderr = outer
    return {"rc": rc, "stdout": out.text(), "stderr": err.text()[-TAIL:]}


class _Capture(io.TextIOWrapper):
    """A text stream into memory that also has a ``buffer``, as a module expects of standard output."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", errors="backslashreplace", newline="\n", write_through=True)

    def text(self) -> str:
        self.flush()
        stored: BinaryIO = self.buffer  # type: ignore[assignment]
        stored.seek(0)
        return stored.read().decode("utf-8", "backslashreplace")


# --- locks and files -----------------------------------------------------------------------------------------------


def _try_lock(handle: BinaryIO) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def take_lock(path: str, seconds: float) -> Optional[BinaryIO]:
    """The locked file, or None when somebody else held it for all of ``seconds``. Closing it frees it.

    Raises OSError when the file could not even be opened in that time.
    """
    deadline = time.monotonic() + seconds
    while True:
        handle = open_held(path, deadline - time.monotonic())
        if _try_lock(handle):
            return handle
        handle.close()
        if time.monotonic() >= deadline:
            return None
        time.sleep(0.05)


def is_locked(path: str) -> bool:
    """Whether a living process holds the lock; leaves it as it was. Raises OSError when that cannot be told now."""
    if not is_there(path):
        return False
    handle = take_lock(path, 0)
    if handle is None:
        return True
    handle.close()
    return False


def while_held(action: Callable[[], T], seconds: float) -> T:
    """Do it again while Windows says that somebody else has the file; raises the OSError after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return action()
        except OSError as error:
            if not is_held(error) or time.monotonic() >= deadline:
                raise
            time.sleep(0.05)


def born(make: Callable[[], T], seconds: float) -> T:
    """Make a process, again where Windows could not for a moment; raises the OSError after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return make()
        except OSError as error:
            if getattr(error, "winerror", None) not in _FLEETING or time.monotonic() >= deadline:
                raise
            time.sleep(0.05)


def is_held(error: OSError) -> bool:
    """Whether somebody else may have the file for a moment.

    What ``open`` raises on Windows carries no WinError: all three codes arrive as EACCES. A real denial looks the same
    and is raised in the end.
    """
    code = getattr(error, "winerror", None)
    return code in _SHARING or (WINDOWS and code is None and error.errno == errno.EACCES)


def open_held(path: str, seconds: float) -> BinaryIO:
    """The file, open for appending; waits for others to let go."""
    return while_held(lambda: open(path, "ab+"), seconds)


def is_there(path: str) -> bool:
    """Whether the name exists. What cannot be looked at is there: a job that may have begun is never begun again."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def write_file(path: str, body: Dict[str, Any], seconds: float) -> None:
    """Put the JSON under its name at once or not at all, flushed to the disk; waits for others to let go."""
    partial = path + ".partial"
    try:
        while_held(lambda: _write(partial, json.dumps(body, sort_keys=True).encode("ascii")), seconds)
        while_held(lambda: os.replace(partial, path), seconds)
    except OSError:
        with contextlib.suppress(OSError):
            os.remove(partial)  # on a full disk it would take the room of what is said about it
        raise


def _write(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def read_file(path: str) -> Optional[Dict[str, Any]]:
    """The JSON object in the file; None when it is not there or is no JSON. Raises OSError when it cannot be read."""
    try:
        with open(path, "rb") as file:
            body = json.loads(file.read().decode("utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return body if isinstance(body, dict) else None


def is_full(error: OSError) -> bool:
    """Whether the disk has no room, or this user no more of it."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT) or getattr(error, "winerror", None) in (39, 112, 1295)


# --- jobs ----------------------------------------------------------------------------------------------------------


class Job:
    """The directory of one job, and what its files say."""

    def __init__(self, request: Dict[str, Any]) -> None:
        self.root = request["root"]
        self.directory = os.path.join(self.root, "runs", *request["job"])

    def path(self, name: str) -> str:
        return os.path.join(self.directory, name)

    def paths(self) -> Dict[str, Optional[str]]:
        """Where the module reports; part of its context."""
        return {
            "job_dir": self.directory,
            "progress_file": self.path("progress.json"),
            "cancel_file": self.path("cancel"),
        }

    def make(self) -> None:
        """Create the directory. The root must be there: it is made, and protected, when the host is set up."""
        if not os.path.isdir(self.root):
            raise StartRefused("root_missing", root=self.root)
        # On Windows a mode of 0o700 is not ignored by newer Pythons (3.9.20, 3.10.15, 3.11.10, 3.12.4 and up): it cuts
        # off what the protected root gives and lets in the owner, which for an elevated account is Administrators, and
        # no other operator: https://github.com/python/cpython/issues/118486
        mode = 0o777 if WINDOWS else 0o700
        for path in (os.path.dirname(os.path.dirname(self.directory)), os.path.dirname(self.directory), self.directory):
            if not os.path.isdir(path):  # one by one: makedirs gives its mode to the last of them only
                with contextlib.suppress(FileExistsError):
                    os.mkdir(path, mode)

    def observe(self) -> Dict[str, Any]:
        """``state`` (absent, starting, running, done, died, unreadable) with what belongs to it."""
        try:
            return self._look()
        except OSError as error:
            return {"state": "unreadable", "error": str(error), "progress": self.progress()}

    def _look(self) -> Dict[str, Any]:
        alive = is_locked(self.path("alive.lock"))  # asked first: a job that ends right now is then seen as done
        result = read_file(self.path("result.json"))
        progress = self.progress()
        if result is not None:
            return {"state": "done", "result": result, "progress": progress}
        started = is_there(self.path("pid"))
        if alive:
            return {"state": "running" if started else "starting", "progress": progress}
        if started:
            return {"state": "died", "progress": progress, "stderr": self.noise()}
        return {"state": "starting" if is_locked(self.path("start.lock")) else "absent"}

    def progress(self) -> Optional[Dict[str, Any]]:
        """What the module last reported; None where it cannot be read, which hurts nobody."""
        try:
            return read_file(self.path("progress.json"))
        except OSError:
            return None

    def noise(self) -> str:
        """The end of what the job's process wrote outside of the module's own output."""
        try:
            with open(self.path("stderr.txt"), "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL))
                return file.read().decode("utf-8", "backslashreplace")
        except OSError:
            return ""

    def wait(self, seconds: float) -> Dict[str, Any]:
        """Observe until the job has ended or the time is over; what cannot be read gets the same time."""
        deadline, pause = time.monotonic() + seconds, 0.02
        while True:
            seen = self.observe()
            if seen["state"] not in ("running", "starting", "unreadable") or time.monotonic() >= deadline:
                return seen
            time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
            pause = min(pause * 1.5, 0.25)


def start(request: Dict[str, Any]) -> Dict[str, Any]:
    """Start the job unless it was started before; then wait a little for its result."""
    job = Job(request)
    warning = None
    job.make()
    starting = take_lock(job.path("start.lock"), 15)
    if starting is not None:
        with starting:
            if not is_there(job.path("pid")) and not is_there(job.path("cancel")):
                warning = _spawn(job, request)
    seen = job.wait(request["wait"])
    if is_there(job.path("cancel")) and seen["state"] == "absent":
        seen = {"state": "cancelled"}
    return {**seen, "warning": warning} if warning else seen


def _spawn(job: Job, request: Dict[str, Any]) -> Optional[str]:
    """Start the job's process and see it begin; returns a warning where it had to run attached."""
    # Random: zeros would take no space on a compressed volume.
    while_held(lambda: _write(job.path("reserve"), os.urandom(RESERVED)), SOON)
    payload = job_payload(PAYLOAD, request)
    stub = (
        "import sys,hashlib;d=sys.stdin.buffer.read();"
        f"hashlib.sha256(d).hexdigest()=='{hashlib.sha256(payload).hexdigest()}' or sys.exit(97);"
        "exec(compile(d,'wst_backup_job','exec'),{'__name__':'wst_backup_job'})"
    )
    argv = [sys.executable, "-I", "-X", "utf8", "-c", stub]
    with open_held(job.path("stderr.txt"), SOON) as noise:
        try:
            process = born(lambda: _process(argv, job.root, noise), SOON)
        except OSError as error:
            if getattr(error, "winerror", None) != 5:
                raise StartRefused("job_start_failed", error=str(error), root=job.root) from error
            run_job(request)  # leaving the shell's job object is forbidden here: stay, and say so
            return "breakaway_forbidden"
    with contextlib.suppress(OSError), process.stdin as pipe:  # type: ignore[union-attr]
        pipe.write(payload)
    deadline = time.monotonic() + 60
    while not is_there(job.path("pid")):
        exit_code = process.poll()
        if exit_code is not None and not is_there(job.path("pid")):
            raise StartRefused("job_start_failed", error=f"exit code {exit_code}: {job.noise()}", root=job.root)
        if time.monotonic() > deadline:
            raise StartRefused("job_start_failed", error="no sign of life within 60 s", root=job.root)
        time.sleep(0.01)
    process.returncode = 0  # it outlives us on purpose; spares the interpreter's complaint about that
    return None


def _process(argv: Sequence[str], root: str, noise: BinaryIO) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # nosec B603  # this Python, with arguments of our own
        argv, stdin=subprocess.PIPE, stdout=noise, stderr=noise, cwd=root, close_fds=True, **_detached()
    )


def _detached() -> Dict[str, Any]:
    """How to start a process that outlives the connection: CREATE_BREAKAWAY_FROM_JOB works from a WinRM shell."""
    if sys.platform == "win32":
        flags = subprocess.CREATE_BREAKAWAY_FROM_JOB | subprocess.CREATE_NO_WINDOW
        return {"creationflags": flags | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def job_payload(payload: bytes, request: Dict[str, Any]) -> bytes:
    """This file's text with the request of the job's own process as its last line."""
    text = payload.rstrip().rpartition(b"\n")[0] if payload else _own_text()
    return text + b"\n" + call({**request, "mode": "job"}).encode("ascii") + b"\n"


def _own_text() -> bytes:
    with open(__file__, "rb") as file:
        return file.read()


def call(request: Dict[str, Any]) -> str:
    """The line that makes this text do something."""
    return f"main({json.dumps(request)!r})"


def run_job(request: Dict[str, Any]) -> None:
    """The job's own process: hold the lock, run the module, store the outcome."""
    job = Job(request)
    alive = take_lock(job.path("alive.lock"), 2)
    if alive is None:
        return  # another start was first
    with alive:
        if is_there(job.path("pid")):
            return
        write_file(job.path("pid"), {"pid": os.getpid(), "started": time.time()}, SOON)
        keep_children()
        outcome = run_module(request, job.paths())
        outcome["stdout"] = without_arguments(outcome["stdout"])
        store_result(job, outcome)


def store_result(job: Job, outcome: Dict[str, Any]) -> None:
    """Free the reserve and write the result. Only a result that finds no room waits for who holds the reserve."""
    reserve = job.path("reserve")
    _free(reserve, 0)
    try:
        write_file(job.path("result.json"), outcome, LATE)
    except OSError as error:
        if not is_full(error) or not is_there(reserve):
            raise
        _free(reserve, LATE)
        write_file(job.path("result.json"), outcome, LATE)
    _free(reserve, SOON)


def _free(path: str, seconds: float) -> None:
    with contextlib.suppress(OSError):
        while_held(lambda: os.remove(path), seconds)


def without_arguments(stdout: str) -> str:
    """The module's result without the arguments that ``AnsibleModule`` repeats in it: they stay off the disk."""
    try:
        result = json.loads(stdout)
    except ValueError:
        return stdout
    if isinstance(result, dict):
        result.pop("invocation", None)
    return json.dumps(result)


def keep_children() -> None:
    """On Windows: end all children with this process, and never let an error dialog wait for a user.

    The handle of the job object is kept open until the process ends; closing the last one kills what is in it.
    """
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.CreateJobObjectW.restype = ctypes.c_void_p
        kernel.GetCurrentProcess.restype = ctypes.c_void_p
        kernel.SetInformationJobObject.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_uint32]
        kernel.AssignProcessToJobObject.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        kernel.SetErrorMode(0x0001 | 0x0002 | 0x8000)  # critical errors, fault box, missing files
        handle = kernel.CreateJobObjectW(None, None)
        limits = (ctypes.c_uint64 * 18)()  # JOBOBJECT_EXTENDED_LIMIT_INFORMATION of 64-bit Windows: 144 bytes
        limits[2] = 0x2000  # BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
        if handle and kernel.SetInformationJobObject(handle, 9, limits, ctypes.sizeof(limits)):
            kernel.AssignProcessToJobObject(handle, kernel.GetCurrentProcess())


def poll(request: Dict[str, Any]) -> Dict[str, Any]:
    """How the job does, waiting a little for its end."""
    return Job(request).wait(request["wait"])


def cancel(request: Dict[str, Any]) -> Dict[str, Any]:
    """Ask the job to stop and wait for its end; with ``kill``, end what is still there then."""
    job = Job(request)
    job.make()
    try:
        open_held(job.path("cancel"), SOON).close()
    except OSError:
        if not request.get("kill"):
            raise  # what cannot be asked can still be ended
    seen = job.wait(request["wait"])
    if seen["state"] in ("running", "unreadable") and request.get("kill"):
        killed = _kill(job)
        seen = {**job.wait(5), "killed": killed}
    return seen


def _kill(job: Job) -> bool:
    """End the job's process and its children; tells whether there was one.

    The lock is held, so the process id is the job's and nobody else's.
    """
    pid = (while_held(lambda: read_file(job.path("pid")), SOON) or {}).get("pid")
    if not isinstance(pid, int) or not while_held(lambda: is_locked(job.path("alive.lock")), SOON):
        return False
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            os.kill(pid, 9)  # TerminateProcess; its job object takes the children
        else:
            os.killpg(pid, 9)
    return True


# --- the way in and out -------------------------------------------------------------------------------------------


def emit(nonce: str, reply: Dict[str, Any], stream: Optional[BinaryIO] = None) -> None:
    """Write the answer as one line of ASCII between markers, with its length and digest.

    Compressed: a year of a host's runs is 430 kB of JSON, a twentieth of that here, and WinRM is slow with output.
    """
    body = base64.b64encode(zlib.compress(json.dumps(reply).encode("ascii"), 6))
    digest = hashlib.sha256(body).hexdigest()[:16]
    line = f"\n{MARK}:{nonce}:{len(body)}:{digest}:".encode("ascii") + body + f":{MARK}-end\n".encode("ascii")
    out = stream or sys.__stdout__.buffer  # type: ignore[union-attr]
    out.write(line)
    out.flush()


def attached(request: Dict[str, Any]) -> Dict[str, Any]:
    """Run the module in this process."""
    nowhere: Dict[str, Optional[str]] = {"job_dir": None, "progress_file": None, "cancel_file": None}
    return {"state": "done", "result": run_module(request, nowhere)}


MODES: Dict[str, Callable[[Dict[str, Any]], Dict[str, Any]]] = {
    "attached": attached,
    "start": start,
    "poll": poll,
    "cancel": cancel,
}


@contextlib.contextmanager
def _refusals_told(nonce: str) -> Iterator[None]:
    try:
        yield
    except StartRefused as refusal:
        emit(nonce, refusal.reply)
    except OSError as error:
        facts = {"error": str(error), "path": str(error.filename or "")}
        code = "no_space" if is_full(error) else "job_start_failed"
        emit(nonce, {"state": "refused", "code": code, "facts": facts})


def main(text: str) -> None:
    """Do what the request says and answer it. A job's own process answers through its directory only."""
    request = json.loads(text)
    if request["mode"] == "job":
        try:
            run_job(request)
        except OSError as error:
            sys.exit(str(error))  # into stderr.txt, without a traceback
        return
    print(f"{HELLO}:{request['reply']}", flush=True)  # from here on silence means that this process was ended
    with _refusals_told(request["reply"]):
        emit(request["reply"], MODES[request["mode"]](request))
