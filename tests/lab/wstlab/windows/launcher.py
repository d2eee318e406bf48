# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``winrshost.exe`` is on a real host: starts one command in a job object and is the job's only holder.

Run by the Windows Python: ``python.exe launcher.py PORT TOKEN``. It connects to the listener on loopback, says
hello, waits for one command, starts it inside a job object that kills its members when the last handle closes
and that allows breaking away, and carries its three streams. It ends, and the job with it, when the connection
does: a listener that dies leaves no command behind.

The child gets anonymous Windows pipes. The POSIX descriptors that wine would hand down beside them are an empty
file and a log, so a process that broke away can't hold the command's output open in a way Windows would not.

Frames both ways: one type byte, four bytes of length (big endian), the payload.

========= ============================================================
listener  ``r`` run (JSON), ``i`` input, ``I`` end of input
launcher  ``o``/``e`` output, ``O``/``E`` end of that output,
          ``x`` exit code, ``f`` could not start (JSON)
========= ============================================================
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import struct
import sys
import threading
from ctypes import wintypes

assert sys.platform == "win32"  # said for type checkers as well

CREATE_SUSPENDED = 0x4
CREATE_UNICODE_ENVIRONMENT = 0x400
CREATE_NO_WINDOW = 0x08000000
STARTF_USESTDHANDLES = 0x100
HANDLE_FLAG_INHERIT = 1
JOB_OBJECT_EXTENDED_LIMIT_INFORMATION = 9
JOB_LIMITS = 0x2000 | 0x800  # KILL_ON_JOB_CLOSE, BREAKAWAY_OK
INFINITE = 0xFFFFFFFF
CHUNK = 65536
# On a busy machine wine's new process sometimes dies before it has begun, which Windows' does not. Nothing ran then.
ERROR_INTERNAL_ERROR = 1359
STARTS = 3

kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
kernel32.CreateJobObjectW.restype = wintypes.HANDLE
kernel32.CreateJobObjectW.argtypes = [ctypes.c_void_p, wintypes.LPCWSTR]
kernel32.SetInformationJobObject.argtypes = [wintypes.HANDLE, ctypes.c_int, ctypes.c_void_p, wintypes.DWORD]
kernel32.AssignProcessToJobObject.argtypes = [wintypes.HANDLE, wintypes.HANDLE]
kernel32.CloseHandle.argtypes = [wintypes.HANDLE]
kernel32.ResumeThread.argtypes = [wintypes.HANDLE]
kernel32.WaitForSingleObject.argtypes = [wintypes.HANDLE, wintypes.DWORD]
kernel32.TerminateProcess.argtypes = [wintypes.HANDLE, wintypes.UINT]
kernel32.GetExitCodeProcess.argtypes = [wintypes.HANDLE, ctypes.POINTER(wintypes.DWORD)]
kernel32.SetHandleInformation.argtypes = [wintypes.HANDLE, wintypes.DWORD, wintypes.DWORD]
kernel32.CreatePipe.argtypes = [
    ctypes.POINTER(wintypes.HANDLE),
    ctypes.POINTER(wintypes.HANDLE),
    ctypes.c_void_p,
    wintypes.DWORD,
]
kernel32.ReadFile.argtypes = [
    wintypes.HANDLE,
    ctypes.c_void_p,
    wintypes.DWORD,
    ctypes.POINTER(wintypes.DWORD),
    ctypes.c_void_p,
]
kernel32.WriteFile.argtypes = kernel32.ReadFile.argtypes


class StartupInfo(ctypes.Structure):
    """STARTUPINFOW."""

    _fields_ = [
        ("cb", wintypes.DWORD),
        ("lpReserved", wintypes.LPWSTR),
        ("lpDesktop", wintypes.LPWSTR),
        ("lpTitle", wintypes.LPWSTR),
        ("dwX", wintypes.DWORD),
        ("dwY", wintypes.DWORD),
        ("dwXSize", wintypes.DWORD),
        ("dwYSize", wintypes.DWORD),
        ("dwXCountChars", wintypes.DWORD),
        ("dwYCountChars", wintypes.DWORD),
        ("dwFillAttribute", wintypes.DWORD),
        ("dwFlags", wintypes.DWORD),
        ("wShowWindow", wintypes.WORD),
        ("cbReserved2", wintypes.WORD),
        ("lpReserved2", ctypes.c_void_p),
        ("hStdInput", wintypes.HANDLE),
        ("hStdOutput", wintypes.HANDLE),
        ("hStdError", wintypes.HANDLE),
    ]


class ProcessInformation(ctypes.Structure):
    """PROCESS_INFORMATION."""

    _fields_ = [
        ("hProcess", wintypes.HANDLE),
        ("hThread", wintypes.HANDLE),
        ("dwProcessId", wintypes.DWORD),
        ("dwThreadId", wintypes.DWORD),
    ]


class ExtendedLimits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION; only ``LimitFlags`` is set."""

    _fields_ = [
        ("PerProcessUserTimeLimit", ctypes.c_int64),
        ("PerJobUserTimeLimit", ctypes.c_int64),
        ("LimitFlags", wintypes.DWORD),
        ("MinimumWorkingSetSize", ctypes.c_size_t),
        ("MaximumWorkingSetSize", ctypes.c_size_t),
        ("ActiveProcessLimit", wintypes.DWORD),
        ("Affinity", ctypes.c_size_t),
        ("PriorityClass", wintypes.DWORD),
        ("SchedulingClass", wintypes.DWORD),
        ("IoInfo", ctypes.c_uint64 * 6),
        ("ProcessMemoryLimit", ctypes.c_size_t),
        ("JobMemoryLimit", ctypes.c_size_t),
        ("PeakProcessMemoryUsed", ctypes.c_size_t),
        ("PeakJobMemoryUsed", ctypes.c_size_t),
    ]


def checked(result: int) -> int:
    """The result of a Win32 call, or the OSError that it left behind."""
    if not result:
        raise ctypes.WinError(ctypes.get_last_error())
    return result


class Channel:
    """Frames on the connection to the listener."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lock = threading.Lock()

    def send(self, kind: bytes, payload: bytes = b"") -> None:
        """One frame; the listener's death ends this process."""
        try:
            with self._lock:
                self._socket.sendall(kind + struct.pack(">I", len(payload)) + payload)
        except OSError:
            os._exit(1)

    def receive(self) -> tuple[bytes, bytes]:
        """The next frame; ends this process, and with it the job, when there is none."""
        header = self._exactly(5)
        return header[:1], self._exactly(struct.unpack(">I", header[1:])[0])

    def _exactly(self, size: int) -> bytes:
        parts = []
        while size:
            try:
                part = self._socket.recv(min(size, 1 << 20))
            except OSError:
                part = b""
            if not part:
                os._exit(1)
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def pipe() -> tuple[int, int]:
    """An anonymous pipe: (read handle, write handle), neither inheritable."""
    reader, writer = wintypes.HANDLE(), wintypes.HANDLE()
    checked(kernel32.CreatePipe(ctypes.byref(reader), ctypes.byref(writer), None, CHUNK))
    return reader.value or 0, writer.value or 0


def job_object() -> int:
    """A new job whose members die with its last handle and may break away."""
    job = checked(kernel32.CreateJobObjectW(None, None))
    limits = ExtendedLimits(LimitFlags=JOB_LIMITS)
    checked(
        kernel32.SetInformationJobObject(
            job, JOB_OBJECT_EXTENDED_LIMIT_INFORMATION, ctypes.byref(limits), ctypes.sizeof(limits)
        )
    )
    return job


def environment_block(variables: dict[str, str]) -> ctypes.Array[ctypes.c_wchar]:
    """The block that CreateProcessW takes: sorted, NUL separated, NUL terminated."""
    entries = sorted(variables.items(), key=lambda item: item[0].upper())
    return ctypes.create_unicode_buffer("".join(f"{name}={value}\0" for name, value in entries) + "\0")


def start(spec: dict[str, object], job: int, handles: tuple[int, int, int]) -> int:
    """Start the command in the job; returns its process handle."""
    startup = StartupInfo(dwFlags=STARTF_USESTDHANDLES)
    startup.cb = ctypes.sizeof(startup)
    startup.hStdInput, startup.hStdOutput, startup.hStdError = handles
    for handle in handles:
        checked(kernel32.SetHandleInformation(handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT))
    made = ProcessInformation()
    application = spec.get("application")
    checked(
        kernel32.CreateProcessW(
            ctypes.c_wchar_p(str(application) if application else None),
            ctypes.create_unicode_buffer(str(spec["command_line"])),
            None,
            None,
            True,
            CREATE_SUSPENDED | CREATE_UNICODE_ENVIRONMENT | CREATE_NO_WINDOW,
            environment_block(spec["environment"]),  # type: ignore[arg-type]
            ctypes.c_wchar_p(str(spec["directory"])),
            ctypes.byref(startup),
            ctypes.byref(made),
        )
    )
    try:
        checked(kernel32.AssignProcessToJobObject(job, made.hProcess))
    except OSError:
        kernel32.TerminateProcess(made.hProcess, 1)
        raise
    kernel32.ResumeThread(made.hThread)
    kernel32.CloseHandle(made.hThread)
    return int(made.hProcess)


def start_again(spec: dict[str, object], job: int, handles: tuple[int, int, int]) -> int:
    """The same, with further tries where wine itself has failed."""
    for left in reversed(range(STARTS)):
        try:
            return start(spec, job, handles)
        except OSError as error:
            if error.winerror != ERROR_INTERNAL_ERROR or not left:
                raise
    raise AssertionError("the last try returns or raises")


def pump_output(channel: Channel, handle: int, *, data: bytes, end: bytes) -> None:
    """Carry one output stream until every writer has closed it."""
    buffer, count = ctypes.create_string_buffer(CHUNK), wintypes.DWORD()
    while kernel32.ReadFile(handle, buffer, CHUNK, ctypes.byref(count), None) and count.value:
        channel.send(data, buffer.raw[: count.value])
    channel.send(end)


def write_input(handle: int, payload: bytes) -> None:
    """Feed the command; a command that stopped reading is not an error here."""
    count = wintypes.DWORD()
    for offset in range(0, len(payload), CHUNK):
        part = payload[offset : offset + CHUNK]
        if not kernel32.WriteFile(handle, part, len(part), ctypes.byref(count), None):
            return


def report_exit(channel: Channel, process: int) -> None:
    """Wait for the command and tell its exit code."""
    kernel32.WaitForSingleObject(process, INFINITE)
    code = wintypes.DWORD()
    kernel32.GetExitCodeProcess(process, ctypes.byref(code))
    channel.send(b"x", str(code.value).encode("ascii"))


def serve(channel: Channel, spec: dict[str, object]) -> None:
    """Run one command to the end of the connection."""
    job = job_object()
    child_in, to_child = pipe()
    from_out, child_out = pipe()
    from_err, child_err = pipe()
    try:
        process = start_again(spec, job, (child_in, child_out, child_err))
    except OSError as error:
        channel.send(b"f", json.dumps({"winerror": error.winerror, "message": str(error)}).encode("ascii"))
        process = 0
    for handle in (child_in, child_out, child_err):
        kernel32.CloseHandle(handle)
    if process:
        threading.Thread(target=pump_output, args=(channel, from_out), kwargs={"data": b"o", "end": b"O"}).start()
        threading.Thread(target=pump_output, args=(channel, from_err), kwargs={"data": b"e", "end": b"E"}).start()
        threading.Thread(target=report_exit, args=(channel, process)).start()
    while True:
        kind, payload = channel.receive()
        if kind == b"i":
            write_input(to_child, payload)
        elif kind == b"I":
            kernel32.CloseHandle(to_child)


def main() -> None:
    """Say hello, wait for the one command, serve it."""
    channel = Channel(int(sys.argv[1]))
    channel.send(b"h", sys.argv[2].encode("ascii"))
    kind, payload = channel.receive()
    if kind == b"r":
        serve(channel, json.loads(payload))


main()
