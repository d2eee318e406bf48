# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that dies, without any clean-up, at the n-th call that changes the disk.

The scenarios are functions of the library. What dies is the process, so what its buffers held is lost, while what the
system took is there: a power cut may lose more, but only of what was not flushed.

Where the system can fork, a process that has imported all of it does so for each death: the imports took most of the
time. Windows starts a process for each.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import types
from typing import Any, Callable, Iterator, List, Sequence, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._platform import api

CHANGES = ("create_new", "protect", "flush_file", "flush_directory", "replace", "rename_new")
DIED = 77
FEWEST = 3  # deaths of any scenario; with fewer a test of crashes would prove nothing
# On sys.path by hand: Windows' embedded Python ignores PYTHONPATH.
START = "import sys; sys.path[:] = %(paths)r; from " + __name__ + " import main; main(*sys.argv[1:])"


def enter_run(run_id: str) -> None:
    """Be a module of that run."""
    module: Any = types.ModuleType(_context.CONTEXT_MODULE)
    module.DATA = {"run_id": run_id}
    sys.modules[_context.CONTEXT_MODULE] = module


def arm(number: int, also: Sequence[Tuple[Any, str]] = ()) -> None:
    """Die before that call.

    :param also: further functions that change something, each by its module and its name there.
    """
    calls: List[str] = []

    def wrap(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            calls.append(name)
            if len(calls) == number:
                os._exit(DIED)
            return function(*args, **options)

        return call

    for module, name in (*((api, name) for name in CHANGES), *also):
        setattr(module, name, wrap(name, getattr(module, name)))
    os.unlink = wrap("unlink", os.unlink)


def crashes(
    module: str, directory: str, prepare: Callable[[str], None], *, fewest: int = FEWEST
) -> Iterator[Tuple[str, str]]:
    """For every call: a directory that ``prepare`` filled and a scenario died in before that call.

    To die after a call is to die before the next, for nothing between them changes the disk; so the last one yielded
    is a run that nothing stopped. Yields (when it died, directory); where hardly anything died, it fails at the end.

    :param module: path of a file with a function ``scenario(directory)``, and ``ALSO`` if there is more than the disk.
    :param fewest: deaths that there must be more of than that.
    """
    code, number = DIED, 0
    with _dying(module) as die:
        while code == DIED:
            number += 1
            place = os.path.join(directory, f"{number:03d}")
            os.makedirs(place)
            prepare(place)
            code, said = die(place, number)
            assert code in (0, DIED), said
            yield f"before call {number}", place
    assert number > fewest, f"it died {number - 1} times only: the calls that change the disk are not seen any more"


@contextlib.contextmanager
def _dying(module: str) -> Iterator[Callable[[str, int], Tuple[int, str]]]:
    """Gives what runs the scenario in a place, to die before that call: the exit code, and what it said."""
    argv = [sys.executable, "-c", START % {"paths": sys.path}, module]

    def started(place: str, number: int) -> Tuple[int, str]:
        done = subprocess.run([*argv, place, str(number)], stdin=subprocess.DEVNULL, capture_output=True, check=False)
        return done.returncode, done.stderr.decode(errors="replace")

    if not hasattr(os, "fork"):
        yield started
        return
    pipe = subprocess.PIPE
    with tempfile.TemporaryFile("w+") as noise, subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=noise) as parent:
        if parent.stdin is None or parent.stdout is None:
            raise AssertionError("both are pipes")
        orders, answers = parent.stdin, parent.stdout

        def forked(place: str, number: int) -> Tuple[int, str]:
            orders.write(json.dumps([place, number]).encode() + b"\n")
            orders.flush()
            answer = answers.readline()
            noise.seek(0)
            return (int(answer), "") if answer.strip() in (b"0", b"%d" % DIED) else (1, noise.read())

        yield forked


def main(module: str, *once: str) -> None:
    """The process that dies, in a directory and before a call; or that which forks one for each order it gets."""
    namespace: dict[str, Any] = {"__name__": "scenario"}
    with open(module, "rb") as file:
        exec(compile(file.read(), module, "exec"), namespace)
    directory, number = once or _child_of_an_order()
    if directory:
        arm(int(number), namespace.get("ALSO", ()))
        namespace["scenario"](directory)


def _child_of_an_order() -> Tuple[str, int]:
    """In each child the order that it is for; in the parent, when there are no more orders, nothing."""
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)  # what a scenario prints is no answer
        for line in iter(sys.stdin.buffer.readline, b""):
            child = os.fork()
            if child == 0:
                place, number = json.loads(line)
                return place, number
            answers.write(b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            answers.flush()
    return "", 0
