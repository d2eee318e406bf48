# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge between the library and Ansible: the one place that turns failures into results.

Of ``module`` this uses ``exit_json`` and ``fail_json`` only.
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any, Callable, Dict, NoReturn, Protocol

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError, InternalError


class Module(Protocol):
    """What the edge needs of an AnsibleModule."""

    def exit_json(self, **result: Any) -> NoReturn:
        """End with a result."""

    def fail_json(self, msg: str, **result: Any) -> NoReturn:
        """End with a failure."""


def run(module: Module, work: Callable[[], Dict[str, Any]]) -> NoReturn:
    """Do the work and end the module: with its result, or with the name of what failed.

    An exception without a name is a defect. Its text may hold anything, so neither it nor its traceback is shown;
    the traceback goes to ``traceback.txt`` of the job's directory on the host.
    """
    try:
        result = work()
    except BackupError as error:
        fail(module, error)
    except Exception as error:  # noqa: BLE001  whatever has no name is named here
        fail(module, _defect(error))
    module.exit_json(**result)


def fail(module: Module, error: BackupError, *others: BackupError, **extra: Any) -> NoReturn:
    """End the module with that failure; the message tells the others too, where a module found several."""
    told = [f"{each.code}: {each.message.rstrip('.')}. {each.remedy}" for each in (error, *others)]
    module.fail_json(
        msg=told[0] if not others else "\n".join(f"{number}) {text}" for number, text in enumerate(told, 1)),
        code=error.code,
        remedy=error.remedy,
        facts=error.facts,
        effect=error.effect,
        **extra,
    )


def _defect(error: Exception) -> InternalError:
    """The nameless exception as a failure that says where, not what."""
    frames = traceback.extract_tb(sys.exc_info()[2])
    place = f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else "unknown"
    job_dir = _context.current().job_dir
    if job_dir is not None:
        try:
            with open(os.path.join(job_dir, "traceback.txt"), "w", encoding="utf-8", errors="backslashreplace") as file:
                traceback.print_exception(type(error), error, error.__traceback__, file=file)
        except OSError:
            job_dir = None  # the place alone must do
    return InternalError(
        f"an unexpected {type(error).__name__} at {place}.",
        exception=type(error).__name__,
        place=place,
        job_dir=job_dir,
    )
