# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services are Windows': here there are none of that kind, whatever their name."""

from __future__ import annotations

import errno
import os
from typing import Optional, Tuple


def service_state(name: str) -> Optional[str]:
    """What the service is doing; None where there is none, as here. Raises OSError."""
    return None


def stop_service(name: str) -> None:
    """Ask it to stop, without waiting for it. Raises OSError."""
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), name)


def start_service(name: str) -> None:
    """Ask it to start, without waiting for it. Raises OSError."""
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), name)


def dependent_services(name: str) -> Tuple[str, ...]:
    """Those that run and cannot without this one. Raises OSError."""
    return ()


def write_event(source: str, number: int, text: str) -> bool:
    """Add an error to the log Application; False where there is no event log, as here. Raises OSError."""
    return False


def appcmd() -> Optional[str]:
    """The program that steers application pools of IIS; None where there is no IIS."""
    return None
