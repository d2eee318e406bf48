# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step ``backup_extract``: from an artifact to a new directory."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, Iterator, List, Optional

from ansible_collections.wst.backup.plugins.module_utils import _context, _jobs
from ansible_collections.wst.backup.plugins.module_utils._archive.notes import Notes
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    BackupError,
    InputInvalid,
    NoSpace,
    RestoreTargetRefused,
)
from ansible_collections.wst.backup.plugins.module_utils._fs import free_bytes, remove_tree, translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._layout import ROLES_SQL, HostLayout
from ansible_collections.wst.backup.plugins.module_utils._names import PARTIAL, tree_partial
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._restore import targets
from ansible_collections.wst.backup.plugins.module_utils._restore.extract import Extractor, Plan, survey
from ansible_collections.wst.backup.plugins.module_utils._restore.listing import Artifact, opened
from ansible_collections.wst.backup.plugins.module_utils._restore.selection import DUMP, FILES, ROLES, Selection
from ansible_collections.wst.backup.plugins.module_utils._sets.holds import held_file

UNLISTED = (
    "it has no member list of ours: contents rest on their CRC-32 alone, and links, exact times, attributes and access "
    "lists are not in it"
)
UNVOUCHED = "it has no sidecar, so that nothing outside of it says that it is the artifact it seems to be"


@dataclass(frozen=True)
class Request:
    """What the module was asked for.

    :ivar path: the ZIP.
    :ivar target: the directory to be made.
    :ivar private: whether the directory is closed to others; else it inherits what the one above gives.
    """

    layout: HostLayout
    path: str
    target: str
    selection: Selection
    sidecar: Optional[str] = None
    private: bool = True
    access_lists: bool = True


def extract(request: Request, *, dry_run: bool) -> Dict[str, Any]:
    """Restore what is selected; in a dry run, only prove the list and say what would be. Raises by name.

    The target has its name only when all of it is there. After a failure nothing of it is left.
    """
    began = time.monotonic()
    request = replace(request, target=targets.whole(request.target))
    targets.check_new(request.target, request.layout)
    details = {"artifact": os.path.basename(request.path)}
    targets.require_for([request.target], request.layout, details, dry_run=dry_run)
    lost = Notes()
    with held_file(request.layout, request.path), _partial(request) as begin:
        _jobs.step("plan", unit="members")
        with opened(request.path, sidecar=request.sidecar) as artifact:
            selection = _resolved(request.selection, artifact)
            dump = _dump(selection, artifact)
            plan = survey(artifact, selection)
            _refuse_nothing(plan, request)
            free = _check_space(plan, request.target)
            totals = plan.totals
            if not dry_run:
                extractor = Extractor(artifact, selection, plan, into=begin(), lost=lost)
                totals = extractor.extract(access_lists=request.access_lists)
        # Only now is it known that nobody wrote to the artifact meanwhile.
    return {
        "changed": True,
        "target": request.target,
        "artifact": artifact.name,
        "file": request.path,
        "dump": os.path.join(request.target, *dump.split("/")) if dump else None,
        "roles": _roles(request),
        **totals.body(),
        "needed": plan.space,
        "free": free,
        "not_restored": lost.body(),
        "remarks": _remarks(artifact),
        "unfinished": _unfinished(request.target),
        "seconds": round(time.monotonic() - began, 1),
    }


def _resolved(selection: Selection, artifact: Artifact) -> Selection:
    """With the dump's path, where some parts are left out."""
    if selection.whole:
        return selection
    try:
        return replace(selection, dump=artifact.dump())
    except BackupError:
        if selection.parts == frozenset((FILES,)) and artifact.found is None:
            return selection  # a foreign ZIP without a dump is all files
        raise


def _roles(request: Request) -> Optional[str]:
    """Where ``roles.sql`` came to; None where it was not restored."""
    path = os.path.join(request.target, ROLES_SQL)
    return path if ROLES in request.selection.parts and os.path.exists(api.long_path(path)) else None


def _dump(selection: Selection, artifact: Artifact) -> Optional[str]:
    """The dump's path in the artifact; None where it is not restored, or there is none. Raises by name where it is of
    no use: whoever wants it learns that before a byte is written, and may still have the files alone.
    """
    if DUMP not in selection.parts:
        return None
    try:
        return artifact.dump_to_restore()
    except BackupError:
        if artifact.found is None:
            return None  # a ZIP that others made
        raise


def _refuse_nothing(plan: Plan, request: Request) -> None:
    """A restore of nothing would look like a success."""
    if not (plan.totals.files or plan.totals.directories or plan.totals.links):
        raise InputInvalid(
            f"nothing in {request.path} is selected",
            path=request.path,
            parts=sorted(request.selection.parts),
            include=list(request.selection.include.texts),
            exclude=list(request.selection.exclude.texts),
        )


def _check_space(plan: Plan, target: str) -> int:
    """What is free there, in bytes."""
    parent = os.path.dirname(target)
    free = free_bytes(parent)
    if free < plan.space:
        raise NoSpace(
            f"{target} needs {plan.space} bytes, and {free} are free in {parent}",
            path=target,
            needed=plan.space,
            free=free,
        )
    return free


@contextlib.contextmanager
def _partial(request: Request) -> Iterator[Callable[[], str]]:
    """Makes the directory to be filled, under a name that says so; at the end of the block it takes the target's."""
    owner = _context.current().run_id or secrets.token_hex(8)
    partial = tree_partial(request.target, owner)
    begun = False

    def begin() -> str:
        nonlocal begun
        remove_tree(partial, inside=os.path.dirname(partial))  # what a killed step of this run has left
        begun = True
        _make(partial, private=request.private)
        return partial

    try:
        yield begin
        if begun:
            _publish(partial, request.target)
    except BaseException:
        if begun:
            with contextlib.suppress(BackupError):  # the failure on its way matters more, and the name says what it is
                remove_tree(partial, inside=os.path.dirname(partial))
        raise


def _make(path: str, *, private: bool) -> None:
    try:
        if private:
            api.make_private_directory(path)
        else:
            os.mkdir(api.long_path(path))
    except OSError as error:
        raise translate_oserror(error, path) from error


def _publish(partial: str, target: str) -> None:
    try:
        api.rename_new(partial, target)
    except FileExistsError as error:
        raise RestoreTargetRefused(f"{target} exists now: somebody made it meanwhile", path=target) from error
    except OSError as error:
        raise translate_oserror(error, target) from error


def _unfinished(target: str) -> List[str]:
    """What dead extractions to this target have left beside it."""
    parent, name = os.path.split(target)
    try:
        names = [entry.name for entry in api.scan(parent) if entry.kind == api.DIRECTORY]
    except OSError:
        return []
    return [os.path.join(parent, each) for each in names if each.startswith(name + ".") and each.endswith(PARTIAL)]


def _remarks(artifact: Artifact) -> List[str]:
    if artifact.found is None:
        return [UNLISTED]
    return [] if artifact.vouched else [UNVOUCHED]
