# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that dies, without any clean-up, at the n-th call that changes the disk.

Started by ``crashes``: ``python crasher.py <scenario> <directory> <call number> <before|after>``. The scenarios are
functions of the library; what dies is the process, as in a power cut, so nothing that was not flushed by then is
promised to be there.
"""
from __future__ import annotations

import os
import subprocess
import sys
import types
from typing import Any, Callable, Iterator, List, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._platform import api

CHANGES = ("create_new", "flush_file", "flush_directory", "replace", "rename_new")
DIED = 77


def enter_run(run_id: str) -> None:
    """Be a module of that run."""
    module: Any = types.ModuleType(_context.CONTEXT_MODULE)
    module.DATA = {"run_id": run_id}
    sys.modules[_context.CONTEXT_MODULE] = module


def arm(number: int, moment: str) -> List[str]:
    """Die at that call; returns the list that the calls are noted in."""
    calls: List[str] = []

    def wrap(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            calls.append(name)
            mine = len(calls)
            if mine == number and moment == "before":
                os._exit(DIED)
            try:
                return function(*args, **options)
            finally:  # a call that fails, as removing what is not there, changes nothing but counts
                if mine == number and moment == "after":
                    os._exit(DIED)

        return call

    for name in CHANGES:
        setattr(api, name, wrap(name, getattr(api, name)))
    os.unlink = wrap("unlink", os.unlink)
    return calls


def crashes(module: str, directory: str, prepare: Callable[[str], None]) -> Iterator[Tuple[str, str]]:
    """For every call and both moments: a directory that ``prepare`` filled and a scenario died in.

    Yields (when it died, directory); ends with a run that nothing stopped. ``module`` is the path of a file with a
    function ``scenario(directory)``.
    """
    number = 0
    while True:
        number += 1
        for moment in ("before", "after"):
            place = os.path.join(directory, "%03d-%s" % (number, moment))
            os.makedirs(place)
            prepare(place)
            argv = [sys.executable, os.path.abspath(__file__), module, place, str(number), moment]
            done = subprocess.run(argv, env=_environment(), capture_output=True, check=False)
            assert done.returncode in (0, DIED), done.stderr.decode(errors="replace")
            yield "%s call %d" % (moment, number), place
            if done.returncode == 0:
                return


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def main(module: str, directory: str, number: str, moment: str) -> None:
    """The process that dies."""
    namespace: dict[str, Any] = {"__name__": "scenario"}
    with open(module, "rb") as file:
        exec(compile(file.read(), module, "exec"), namespace)
    arm(int(number), moment)
    namespace["scenario"](directory)


if __name__ == "__main__":
    main(*sys.argv[1:])
