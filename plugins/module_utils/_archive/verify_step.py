# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step ``backup_verify``: of this run's partial artifact, or of any ZIP by itself."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._archive import verify as levels
from ansible_collections.wst.backup.plugins.module_utils._archive.manifest import SCHEMA_VERSION
from ansible_collections.wst.backup.plugins.module_utils._archive.rundata import (
    DumpFacts,
    read_archive_facts,
    read_dump_facts,
)
from ansible_collections.wst.backup.plugins.module_utils._archive.verify import DumpCheck, Verdict, verify
from ansible_collections.wst.backup.plugins.module_utils._archive.wanted import Expected
from ansible_collections.wst.backup.plugins.module_utils._clock import format_time, utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactDamaged,
    ArtifactIncomplete,
    NotProved,
    RecordDamaged,
)
from ansible_collections.wst.backup.plugins.module_utils._fs import read_record, remove_file, write_record
from ansible_collections.wst.backup.plugins.module_utils._layout import ARCHIVE_FACTS, VERIFICATION, HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import held
from ansible_collections.wst.backup.plugins.module_utils._names import SIDECAR, ZIP
from ansible_collections.wst.backup.plugins.module_utils._platform import api


@dataclass(frozen=True)
class Request:
    """What the module was asked for."""

    layout: HostLayout
    level: int
    required: Sequence[str] = ()
    sidecar: Optional[str] = None
    check_dump: Optional[DumpCheck] = None


def verify_run(request: Request, *, write: bool) -> Dict[str, Any]:
    """Verify the partial that this run made; with ``write`` leave ``verification.json``, which publishing demands."""
    run_id = _context.current().run_id
    if not write and (run_id is None or not _is_made(request.layout.workspace(run_id))):
        return _nothing_yet()
    workspace = request.layout.workspace(_context.require_run_id())
    if not write:
        return _verify_partial(request, workspace)
    with held(request.layout, run_id) as lease:
        target = os.path.join(workspace, VERIFICATION)
        remove_file(target)  # an older proof proves nothing about now
        result = _verify_partial(request, workspace)
        lease.check()
        body = {key: result[key] for key in ("artifact", "level", "zip", "members", "tables", "rows", "missing")}
        counts = {key: result[key] for key in ("files", "directories", "links", "bytes")}
        write_record(target, {**body, "counts": counts, "run_id": run_id, "at": format_time(utc_now())})
    return result


def _is_made(workspace: str) -> bool:
    return os.path.exists(api.long_path(os.path.join(workspace, ARCHIVE_FACTS)))


def _nothing_yet() -> Dict[str, Any]:
    """Check mode of a whole run: no step before this one has made anything."""
    remark = "check mode: this run has made no archive that could be verified"
    return _result(Verdict(remarks=[remark]), path=None, artifact=None, state="absent")


def _verify_partial(request: Request, workspace: str) -> Dict[str, Any]:
    made = read_archive_facts(workspace)
    try:
        path, artifact, zip_facts = str(made["path"]), str(made["artifact"]), made["zip"]
        expected = Expected(
            size=int(zip_facts["size"]), sha256=str(zip_facts["sha256"]), manifest_sha256=str(made["manifest_sha256"])
        )
        dump_name = str(made["manifest"]["dump"]["path"])
    except (KeyError, TypeError, ValueError) as error:
        raise RecordDamaged(f"archive.json lacks what this step needs ({error})", path=workspace) from error
    if not os.path.exists(api.long_path(path)):
        raise NotProved(f"the archive of this run is gone: {path}.", path=path)
    # What is required and missing makes the set suspect and not worthless: no backup at all would be worse.
    verdict = verify(path, level=min(request.level, levels.CONTENT), wished=request.required, expected=expected)
    if request.level >= levels.DUMP:
        _prove_same_dump(verdict, read_dump_facts(workspace, dump_name=dump_name), path)
    return _result(verdict, path=path, artifact=artifact, state="building")


def _prove_same_dump(verdict: Verdict, dump: DumpFacts, path: str) -> None:
    """The dump step has decoded the dump in full; that very dump must be the member."""
    if verdict.dump_sha256 != dump.dump.sha256:
        raise ArtifactDamaged(
            f"{path}: the dump in it is not the one that was decoded.",
            artifact=path,
            expected=dump.dump.sha256,
            found=verdict.dump_sha256,
        )
    verdict.dump = dump.counts
    verdict.level = levels.DUMP


def verify_path(request: Request, path: str) -> Dict[str, Any]:
    """Verify any ZIP; nothing is written. With the sidecar (given, or beside it) against that."""
    expected = expected_of(path, request.sidecar)
    verdict = verify(
        path,
        level=request.level,
        required=request.required,
        expected=expected,
        check_dump=request.check_dump,
    )
    artifact = str(verdict.manifest["artifact"]) if verdict.manifest else None
    state = "complete" if expected is not None else "unfinished" if verdict.ours else "foreign"
    return _result(verdict, path=path, artifact=artifact, state=state)


def expected_of(path: str, sidecar: Optional[str]) -> Optional[Expected]:
    """What the sidecar says of the ZIP, the given one or the one beside it; None where there is none beside it.

    Raises ``ArtifactIncomplete`` where the given one is missing, ``RecordDamaged``, and what the file system has.
    """
    place = sidecar or _beside(path)
    return _read_sidecar(place, given=sidecar is not None) if place else None


def _beside(path: str) -> Optional[str]:
    return path[: -len(ZIP)] + SIDECAR if path.endswith(ZIP) else None


def _read_sidecar(path: str, *, given: bool) -> Optional[Expected]:
    body = read_record(path)
    if body is None:
        if given:
            raise ArtifactIncomplete(f"there is no sidecar {path}", path=path)
        return None
    version = body.get("schema_version")
    if version != SCHEMA_VERSION or isinstance(version, bool):  # True is 1, too
        raise RecordDamaged(f"{path} is of schema {version!r}, not {SCHEMA_VERSION}", path=path)
    try:
        size, sha256, manifest_sha256 = body["zip"]["size"], body["zip"]["sha256"], body["manifest_sha256"]
    except (KeyError, TypeError) as error:
        raise RecordDamaged(f"{path} is no sidecar", path=path) from error
    texts = isinstance(sha256, str) and isinstance(manifest_sha256, str)
    if not texts or not isinstance(size, int) or isinstance(size, bool):
        raise RecordDamaged(f"{path} is no sidecar", path=path)
    return Expected(size=size, sha256=sha256, manifest_sha256=manifest_sha256)


def _result(verdict: Verdict, *, path: Optional[str], artifact: Optional[str], state: str) -> Dict[str, Any]:
    remarks: List[str] = list(verdict.remarks)
    if verdict.uncached is False:
        remarks.append("the system may have answered the re-read from its cache")
    return {
        "artifact": artifact,
        "file": path,  # a result named "path" makes Ansible put the file's own "state", owner and mode over ours
        "state": state,
        "level": verdict.level,
        "zip": {
            "size": verdict.size,
            "sha256": verdict.sha256,
            "mtime_ns": verdict.mtime_ns,
            "file_id": verdict.file_id,
        },
        "sha256": verdict.sha256,
        "members": verdict.members,
        "tables": verdict.dump.tables if verdict.dump else None,
        "rows": verdict.dump.rows if verdict.dump else None,
        "remarks": remarks,
        "missing": verdict.missing,
        **verdict.totals.body(),
    }
