# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step ``backup_archive``: from sources and dump to a partial artifact on the local layer."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import Any, BinaryIO, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _context, _jobs
from ansible_collections.wst.backup.plugins.module_utils._archive.build import Builder, Built, Description
from ansible_collections.wst.backup.plugins.module_utils._archive.engine import AUTO, choose
from ansible_collections.wst.backup.plugins.module_utils._archive.guard import Guard, own_guard
from ansible_collections.wst.backup.plugins.module_utils._archive.manifest import MANIFEST, MEMBERS
from ansible_collections.wst.backup.plugins.module_utils._archive.ordered import thread_count
from ansible_collections.wst.backup.plugins.module_utils._archive.rundata import DumpFacts, read_dump_facts
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source, check_names, resolve
from ansible_collections.wst.backup.plugins.module_utils._archive.survey import Survey, survey
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError, InputInvalid, NoSpace
from ansible_collections.wst.backup.plugins.module_utils._fs import (
    free_bytes,
    remove_file,
    translate_oserror,
    write_record,
)
from ansible_collections.wst.backup.plugins.module_utils._layout import ARCHIVE_FACTS, ROLES_SQL, HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import held
from ansible_collections.wst.backup.plugins.module_utils._names import artifact_of_run
from ansible_collections.wst.backup.plugins.module_utils._newfile import created
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._secondcopy import SecondCopy

LONGEST_TRUST = 366  # days; who reads nothing for longer keeps no backup of it
SPOOLS = ("central.spool", "members.spool")


@dataclass(frozen=True)
class Request:
    """What the module was asked for."""

    layout: HostLayout
    sources: Sequence[Source]
    local_dir: str
    mirror_dir: str
    prefix: str
    environment: str
    dump_name: str
    level: int
    secrets: Sequence[str]
    engine: str = AUTO
    threads: int = 0
    previous: Callable[[Mapping[str, Any]], Optional[str]] = lambda _compression: None  # the ZIP before, compressed so
    trust_days: int = 0  # for which files that seem unchanged are not read
    may_feed: Callable[[int], bool] = lambda _size: False  # whether the mirror can be written to, with so many bytes
    audit_head: Optional[Mapping[str, Any]] = None


def preview(request: Request) -> Dict[str, Any]:
    """What would be archived, without writing; the dump need not exist yet."""
    seen = _look(request)[1]
    run_id = _context.current().run_id
    artifact = artifact_of_run(run_id, request.prefix) if run_id else None
    return {"artifact": artifact.stem if artifact else None, "partial": None, "notes": {}, **seen.totals.body()}


def archive(request: Request) -> Dict[str, Any]:
    """Build the run's artifact under its partial name and leave ``archive.json`` in the workspace.

    Raises by name; then nothing of it is left on the layer.
    """
    run_id = _context.require_run_id()
    artifact = artifact_of_run(run_id, request.prefix)
    workspace = request.layout.workspace(run_id)
    partial = os.path.join(request.local_dir, artifact.zip_partial(run_id))
    with held(request.layout, run_id):
        check_names(request.sources, reserved=_reserved(request))
        dump = read_dump_facts(workspace, dump_name=request.dump_name)
        sources, seen = _look(request)
        _check_space(request.local_dir, seen, dump)
        remove_file(partial)  # of an earlier try of this very run
        remove_file(os.path.join(workspace, ARCHIVE_FACTS))
        description = Description(
            artifact=artifact.stem,
            run_id=run_id,
            prefix=request.prefix,
            environment=request.environment,
            database=dump.body,
            dump_name=request.dump_name,
            snapshot_at=dump.snapshot_at,
            audit_head=request.audit_head,
        )
        try:
            built, fed = _write(request, sources, seen, dump=dump, partial=partial, description=description)
            body = _facts(built, path=partial, zip_name=artifact.zip, run_id=run_id)
            write_record(os.path.join(workspace, ARCHIVE_FACTS), body)
        except BaseException:
            _forget(partial)
            raise
    return {
        "artifact": artifact.stem,
        "partial": partial,
        "size": built.size,
        "sha256": built.sha256,
        "notes": built.manifest["notes"],
        "reused": {"files": built.reused.files, "bytes": built.reused.bytes},
        "fed": fed,
        "unread": {"files": built.unread.files, "bytes": built.unread.bytes},
        **built.totals.body(),
    }


def _reserved(request: Request) -> List[str]:
    return [request.dump_name, ROLES_SQL, MANIFEST, MEMBERS]


def _look(request: Request) -> Tuple[List[Source], Survey]:
    check_names(request.sources, reserved=_reserved(request))
    choose(request.engine, request.level)  # what cannot be used is told before an hour's walk, not after it
    thread_count(request.threads)
    if not 0 <= request.trust_days <= LONGEST_TRUST:
        told = f"{request.trust_days} is no number of days from 0 to {LONGEST_TRUST}"
        raise InputInvalid(told, trust_days=request.trust_days)
    sources = resolve(request.sources)
    _jobs.step("survey", unit="files")
    seen = survey(sources, guard=_guard(request))
    if seen.problems:
        raise seen.problems[0]
    return sources, seen


def _guard(request: Request) -> Guard:
    return own_guard(request.layout, layers=[request.local_dir, request.mirror_dir], secrets=request.secrets)


def _check_space(local_dir: str, seen: Survey, dump: DumpFacts) -> None:
    """Refuses what cannot fit; what might fit is tried, and a disk that runs full on the way is named then."""
    needed = seen.least + dump.dump.size + dump.roles.size
    free = free_bytes(local_dir)
    if free < needed:
        raise NoSpace(
            f"the artifact needs at least {needed} bytes in {local_dir}, where {free} are free.",
            path=local_dir,
            needed=needed,
            free=free,
        )


def _write(
    request: Request,
    sources: Sequence[Source],
    seen: Survey,
    *,
    dump: DumpFacts,
    partial: str,
    description: Description,
) -> Tuple[Built, int]:
    """What was built, and how much of it the mirror has already, unproved."""
    workspace = os.path.dirname(dump.dump.path)
    _jobs.step("archive")
    with contextlib.ExitStack() as stack:
        central, spool = (_spool(stack, os.path.join(workspace, name)) for name in SPOOLS)
        file = stack.enter_context(created(partial))
        second = _second_copy(request, partial, seen.least + dump.dump.size + dump.roles.size)
        if second is not None:
            stack.enter_context(second)
        builder = Builder(
            file,
            central=central,
            spool=spool,
            guard=_guard(request),
            level=request.level,
            engine=request.engine,
            threads=request.threads,
            previous=_previous(stack, request),
            trust_days=request.trust_days,
            watch=second.reached if second is not None else None,
            expected=seen.totals.bytes + dump.dump.size + dump.roles.size,
        )
        built = builder.build(sources, [dump.dump, dump.roles], description)
        try:
            api.flush_file(file)
        except OSError as error:
            raise translate_oserror(error, partial) from error
    return built, second.copied if second is not None else 0


def _second_copy(request: Request, partial: str, size: int) -> Optional[SecondCopy]:
    """What writes the mirror's copy meanwhile; None where the mirror cannot be written to, which is for others to say.

    :param size: bytes that are needed there at least.
    """
    target = os.path.join(request.mirror_dir, os.path.basename(partial))
    if not request.may_feed(size):
        return None
    try:
        remove_file(target)  # of an earlier try of this very run
    except BackupError:
        return None
    return SecondCopy(partial, target)


def _previous(stack: contextlib.ExitStack, request: Request) -> Optional[BinaryIO]:
    """The ZIP before, open; None where there is none that can be read."""
    path = request.previous(choose(request.engine, request.level).body())
    if path is None:
        return None
    try:
        return stack.enter_context(api.open_source(path))
    except OSError:
        return None


def _spool(stack: contextlib.ExitStack, path: str) -> BinaryIO:
    """A file of ours that is gone when the stack is."""
    remove_file(path)
    stack.callback(_forget, path)
    return stack.enter_context(created(path))


def _forget(path: str) -> None:
    """Remove it if that is possible; the failure that is on its way matters more, and the next run sweeps."""
    with contextlib.suppress(BackupError):
        remove_file(path)


def _facts(built: Built, *, path: str, zip_name: str, run_id: str) -> Dict[str, Any]:
    return {
        "run_id": run_id,
        "artifact": built.manifest["artifact"],
        "path": path,
        "zip": {"name": zip_name, "size": built.size, "sha256": built.sha256},
        "manifest": built.manifest,
        "manifest_sha256": built.manifest_sha256,
    }
