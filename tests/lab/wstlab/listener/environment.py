# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of a WinRM network logon: what winrshost.exe gives a command, and nothing of this machine's."""

from __future__ import annotations

from collections.abc import Mapping


def logon_environment(user: str, computer: str, extra: Mapping[str, str]) -> dict[str, str]:
    """The variables of a command; ``extra`` are those that the client put into the shell."""
    profile = rf"C:\users\{user}"
    return {
        "ALLUSERSPROFILE": r"C:\ProgramData",
        "APPDATA": profile + r"\AppData\Roaming",
        "CommonProgramFiles": r"C:\Program Files\Common Files",
        "COMPUTERNAME": computer,
        "ComSpec": r"C:\windows\system32\cmd.exe",
        "LOCALAPPDATA": profile + r"\AppData\Local",
        "NUMBER_OF_PROCESSORS": "2",
        "OS": "Windows_NT",
        "Path": r"C:\windows\system32;C:\windows;C:\windows\system32\wbem",
        "PATHEXT": ".COM;.EXE;.BAT;.CMD;.VBS;.JS;.WSH;.MSC",
        "PROCESSOR_ARCHITECTURE": "AMD64",
        "ProgramData": r"C:\ProgramData",
        "ProgramFiles": r"C:\Program Files",
        "PROMPT": "$P$G",
        "PUBLIC": r"C:\users\Public",
        "SystemDrive": "C:",
        "SystemRoot": r"C:\windows",
        "TEMP": profile + r"\AppData\Local\Temp",
        "TMP": profile + r"\AppData\Local\Temp",
        "USERDOMAIN": computer,
        "USERNAME": user,
        "USERPROFILE": profile,
        "windir": r"C:\windows",
        # Not of a real host: the PowerShell engine crashes under wine 8 when it collects garbage (DynamicResolver's
        # finalizer), so it gets room for a command's worth of it. Hexadecimal bytes.
        "DOTNET_GCgen0size": "40000000",
        **extra,
    }
