# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The corpus: every hostile file that we know of, and the name that it must be refused by.

``python -m tools.proof corpus --write DIRECTORY`` leaves the files and ``index.json`` there for any other checker.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar, cast

from ansible_collections.wst.backup.plugins.module_utils._archive.verify_step import Request, verify_path
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from tools.proof import found, hostile_ours, hostile_zip
from tools.proof.case import PROVED, Case

Result = TypeVar("Result")
CLEAR = Path("/proc/self/clear_refs")
SWELLING = ("bombs/", "json/", "sidecar/", "list/", "links/", "manifest/sources")  # what might take much memory


def cases() -> Iterator[Case]:
    """All of the corpus; a file is made when it is asked for."""
    yield from hostile_zip.cases()
    yield from hostile_ours.cases()
    yield from found.cases()


@dataclass(frozen=True)
class Outcome:
    """What came of one. ``code`` is empty where it was proved."""

    code: str
    message: str
    seconds: float  # of processor time
    grown: int | None = None  # bytes; None where nobody measured


def place(case: Case, directory: Path) -> Path:
    """Write a case's files; the path of its ZIP."""
    path = directory / (re.sub(r"[^a-z0-9.^-]", "_", case.name) + ".zip")
    with path.open("wb") as file:
        file.truncate(case.hole)
        file.seek(case.hole)
        file.write(case.make())
    if case.sidecar is not None:
        path.with_suffix(".manifest.json").write_bytes(case.sidecar())
    return path


def remove(path: Path) -> None:
    """Take them away again."""
    for each in (path, path.with_suffix(".manifest.json")):
        each.unlink(missing_ok=True)


def verified(path: str, *, level: int = 2) -> Outcome:
    """Hand a file to the function that module backup_verify calls. What has no name is raised."""
    started = time.process_time()
    code, message = PROVED, ""
    try:
        result = verify_path(Request(layout=HostLayout(os.path.dirname(path)), level=level), path)
        assert result["level"] == level
    except BackupError as error:
        code, message = error.code, error.message
        json.dumps(error.as_problem())  # what the module would answer
    return Outcome(code, message, time.process_time() - started)


def measured(case: Case, directory: Path) -> Outcome:
    """Make and verify a case, each in a process of its own, and how much the second grew.

    In one process the memory that an earlier case has given back would hide what a later one takes.
    """
    path = apart(lambda: place(case, directory))
    try:
        outcome, bytes_more = apart(lambda: grown(lambda: verified(str(path))))
        return replace(outcome, grown=bytes_more)
    finally:
        remove(path)


def grown(work: Callable[[], Result]) -> tuple[Result, int]:
    """What comes of that work, and by how many bytes this process grew; it must have been born for it (``apart``)."""
    before = _resident("VmRSS")
    result = work()
    return result, max(0, _resident("VmHWM") - before)


def watched(path: str, *, level: int) -> Outcome:
    """As ``verified``, with how much this process grew on it where Linux tells."""
    if os.name == "nt" or not CLEAR.exists():
        return verified(path, level=level)
    CLEAR.write_text("5", encoding="ascii")  # proc(5): the peak so far is forgotten
    before = _resident("VmRSS")
    return replace(verified(path, level=level), grown=max(0, _resident("VmHWM") - before))


def _resident(which: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(which))


def apart(work: Callable[[], Result]) -> Result:
    """What a child of this process makes of it; raises what the child raised."""
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe(duplex=False)

    def run() -> None:
        try:
            theirs.send(work())
        except Exception as error:
            theirs.send(error)

    child = fork.Process(target=run)
    child.start()
    theirs.close()
    try:
        result = ours.recv()
    except EOFError:
        result = RuntimeError("the process died")
    child.join()
    if isinstance(result, Exception):
        raise result
    return cast(Result, result)


def complaint(case: Case, outcome: Outcome) -> str:
    """What is wrong with an outcome; empty where nothing is."""
    if outcome.code != case.code:
        return f"{outcome.code or 'proved'} instead of {case.code or 'proved'}: {outcome.message}"
    if not re.search(case.words, outcome.message):
        return f"does not say {case.words!r}: {outcome.message}"
    if len(outcome.message) > 100_000:
        return f"a message of {len(outcome.message)} characters"
    if outcome.seconds > case.seconds:
        return f"took {outcome.seconds:.1f} s of {case.seconds:.0f}"
    if outcome.grown is not None and outcome.grown > case.mib << 20:
        return f"grew by {outcome.grown >> 20} MiB of {case.mib}"
    return ""
