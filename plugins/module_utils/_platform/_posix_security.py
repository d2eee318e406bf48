# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what, on POSIX systems: modes and owners stand for DACLs."""

from __future__ import annotations

import importlib
import os
import shlex
import stat
import tempfile
from typing import Any, List, Optional

from ansible_collections.wst.backup.plugins.module_utils._platform._posix_process import server_account
from ansible_collections.wst.backup.plugins.module_utils._platform._types import Identity


def _pwd() -> Any:
    return importlib.import_module("pwd")


def identity() -> Identity:
    """Who this process is."""
    uid = os.geteuid()
    return Identity(name=_user_name(uid), sid=None, uid=uid, elevated=uid == 0, gid=os.getegid())


def _user_name(uid: int) -> str:
    try:
        return str(_pwd().getpwuid(uid).pw_name)
    except KeyError:
        return str(uid)


def protect(path: str, operator: Optional[str] = None) -> None:
    """Close a file or directory to everyone but the operator (by default, us) and the administrators.

    Do this before anything is written in it. Raises OSError; LookupError for an operator that does not exist.
    """
    if operator is not None and _uid_of(operator) != os.lstat(path).st_uid:
        os.chown(path, _uid_of(operator), -1, follow_symlinks=False)
    os.chmod(path, 0o700 if stat.S_ISDIR(os.lstat(path).st_mode) else 0o600)


def lets_in(path: str, operator: str) -> bool:
    """Whether it is that account's. Raises OSError; LookupError for an operator that does not exist."""
    return os.lstat(path).st_uid == _uid_of(operator)


def make_private_directory(path: str, operator: Optional[str] = None) -> None:
    """Make a directory that is closed from its first moment on. Raises OSError, FileExistsError among them."""
    os.mkdir(path, 0o700)
    protect(path, operator)


def make_server_directory(preferred: str) -> str:
    """A new directory that only that account may enter, and where it is: root's own directories are closed to it.

    Raises FileExistsError, OSError.
    """
    if not server_account():
        os.mkdir(preferred, 0o700)
        return preferred
    made = tempfile.mkdtemp(prefix="wst-server-")
    give_to_server(made)
    return made


def give_to_server(path: str) -> None:
    """Make a file of ours one of the database server's account. Raises OSError."""
    account = server_account()
    if account:
        os.chown(path, account["user"], account["group"])


def access_problems(path: str, operator: Optional[str] = None) -> List[str]:
    """Everyone else who can read or change it, one sentence each; empty when it is private. Raises OSError."""
    status = os.stat(path)
    problems = []
    allowed = {0, os.geteuid()} if operator is None else {0, os.geteuid(), _uid_of(operator)}
    if status.st_uid not in allowed:
        problems.append(f"the owner is {_user_name(status.st_uid)} (uid {status.st_uid})")
    for who, shift in ((f"the group (gid {status.st_gid})", 3), ("everyone", 0)):
        rights = (status.st_mode >> shift) & 0o7
        if rights:
            verbs = [verb for bit, verb in ((4, "read"), (2, "write"), (1, "enter or run")) if rights & bit]
            problems.append("{} may {}".format(who, ", ".join(verbs)))
    return problems


def closing_commands(path: str, operator: Optional[str] = None) -> List[str]:
    """What an administrator can paste on the host to close it to everyone but the operator (by default, us)."""
    owner = str(os.geteuid()) if operator is None else operator
    mode = "700" if os.path.isdir(path) else "600"
    return [f"chown {shlex.quote(owner)} {shlex.quote(path)}", f"chmod {mode} {shlex.quote(path)}"]


def sddl(path: str) -> Optional[str]:
    """The security descriptor as text; None here, where there is none. Raises OSError."""
    os.lstat(path)
    return None


def explicit_aces(path: str) -> Optional[str]:
    """The SDDL of an entry that does not only inherit; None here. Raises OSError."""
    return sddl(path)


def _uid_of(user: str) -> int:
    return int(user) if user.isdigit() else int(_pwd().getpwnam(user).pw_uid)
