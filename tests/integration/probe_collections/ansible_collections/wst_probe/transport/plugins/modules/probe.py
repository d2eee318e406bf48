# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A test module with the manners, good and bad, of modules: the transport's tests carry it to hosts."""

from __future__ import annotations

import json
import os
import sys
import threading
import time

from ansible.module_utils.basic import AnsibleModule


def progress(file: str, done: int, total: int) -> None:
    """Report as ``module_utils/_jobs.py`` does."""
    body = {"step": "probe", "done": done, "total": total, "unit": "bytes", "rate": 1e6, "item": "item", "at": ""}
    with open(file + ".partial", "w", encoding="ascii") as out:
        json.dump(body, out)
    for _attempt in range(50):
        try:
            os.replace(file + ".partial", file)
            return
        except PermissionError:  # a reader has it open, on Windows
            time.sleep(0.02)


def hold(path: str, seconds: float) -> None:
    """On Windows: keep everybody from a file for a while, as soon as it is there. Antivirus does that."""
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.WinDLL("kernel32")
        kernel.CreateFileW.restype = ctypes.c_void_p
        handle = nothing = ctypes.c_void_p(-1).value
        while handle == nothing:
            handle = kernel.CreateFileW(path, 0x80000000, 0, None, 3, 0, None)  # to read, shared with nobody
            time.sleep(0.001)
        time.sleep(seconds)
        kernel.CloseHandle(ctypes.c_void_p(handle))


def main() -> None:
    """Do what is asked; every parameter is one kind of behaviour."""
    module = AnsibleModule(
        argument_spec={
            "text": {"type": "str", "default": ""},
            "secret": {"type": "str", "no_log": True},
            "variable": {"type": "str"},
            "witness": {"type": "path"},
            "seconds": {"type": "float", "default": 0},
            "die": {"type": "bool", "default": False},
            "fail": {"type": "str"},
            "noise": {"type": "int", "default": 0},
            "root": {"type": "path"},
            "ignore_cancel": {"type": "bool", "default": False},
            "hold": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    wanted = module.params
    data = getattr(sys.modules.get("_wst_backup_context"), "DATA", {})
    if wanted["witness"]:
        with open(wanted["witness"], "a", encoding="ascii") as file:
            file.write(f"start {os.getpid()}\n")
    for name in wanted["hold"]:  # the process lives until its threads have ended
        threading.Thread(target=hold, args=(os.path.join(data["job_dir"], name), 6)).start()
    end = time.monotonic() + wanted["seconds"]
    while time.monotonic() < end:
        if data.get("progress_file"):
            progress(data["progress_file"], int((wanted["seconds"] - end + time.monotonic()) * 1e6), 10**9)
        if data.get("cancel_file") and os.path.exists(data["cancel_file"]) and not wanted["ignore_cancel"]:
            module.fail_json(msg="stopped on request", code="cancelled")
        time.sleep(0.1)
    if wanted["die"]:
        os.kill(os.getpid(), 9)
    if wanted["noise"]:
        os.write(1, b"noise on stdout " * wanted["noise"] + b"\n")
        os.write(2, b"noise on stderr\n")
    if wanted["fail"]:
        module.fail_json(msg=wanted["fail"], code="probe_failed")
    if wanted["witness"]:
        with open(wanted["witness"], "a", encoding="ascii") as file:
            file.write(f"end {os.getpid()}\n")
    module.exit_json(
        changed=not module.check_mode,
        text=wanted["text"],
        variable=os.environ.get(wanted["variable"] or ""),
        context=data,
        pid=os.getpid(),
        check_mode=module.check_mode,
        platform=sys.platform,
        version=list(sys.version_info[:3]),
        directory=os.getcwd(),
    )


if __name__ == "__main__":
    main()
