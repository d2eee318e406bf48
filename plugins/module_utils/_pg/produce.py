# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dump step: log in, hold the snapshot, dump, decode, and only then give the files their names."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _fs
from ansible_collections.wst.backup.plugins.module_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactExists,
    BackupError,
    DumpDamaged,
    DumpEmpty,
    InputInvalid,
)
from ansible_collections.wst.backup.plugins.module_utils._layout import DATABASE_FACTS, ROLES_SQL, HostLayout
from ansible_collections.wst.backup.plugins.module_utils._names import PARTIAL
from ansible_collections.wst.backup.plugins.module_utils._pg import deep, dump, record
from ansible_collections.wst.backup.plugins.module_utils._pg import facts as facts_of
from ansible_collections.wst.backup.plugins.module_utils._pg.connect import connect, named
from ansible_collections.wst.backup.plugins.module_utils._pg.deep import Comparison, DeepOrder
from ansible_collections.wst.backup.plugins.module_utils._pg.dump import Written
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions
from ansible_collections.wst.backup.plugins.module_utils._pg.roles import roles_sql
from ansible_collections.wst.backup.plugins.module_utils._pg.snapshot import Snapshot, hold
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import Tools, check_versions
from ansible_collections.wst.backup.plugins.module_utils._pg.verify import DumpProof, verify_dump
from ansible_collections.wst.backup.plugins.module_utils._platform import api


@dataclass(frozen=True)
class Order:
    """What is to be dumped, and how. ``lock_timeout`` in seconds."""

    options: DatabaseOptions
    tools: Tools
    dump_name: str
    lock_timeout: int = 60
    compress: int = 6
    deep: DeepOrder = field(default_factory=DeepOrder)


def check_login(options: DatabaseOptions, password: str, tools: Tools) -> Dict[str, Any]:
    """Log in and compare versions, and nothing else; the server's facts. Raises the named failure."""
    session = connect(options, password)
    with contextlib.closing(session):
        check_versions(session.info.server_version, tools)
        with named(options):
            return facts_of.server_facts(session)


def produce(order: Order, password: str, workspace: str) -> Dict[str, Any]:
    """Make the dump, ``roles.sql`` and ``database.json`` in the workspace; returns the body of the latter.

    Nothing that failed keeps a name: the dump is written as a partial and renamed once it is proved. An existing file
    of the dump's name is never touched (``ArtifactExists``).
    """
    names = (check_dump_name(order.dump_name), ROLES_SQL, DATABASE_FACTS)
    for name in names:
        if os.path.lexists(api.long_path(os.path.join(workspace, name))):
            raise ArtifactExists(f"{os.path.join(workspace, name)} is there already", path=workspace, name=name)
    final = os.path.join(workspace, order.dump_name)
    with _partial(final) as partial:
        body, roles, proof, compared = _make(order, password, partial)
        body.update(record.dump_part(proof, name=order.dump_name))
        body.update(record.content_part(body, proof))
        body.update(deep.conclude(order.deep, body["tables"], compared, place=order.options.place, now=utc_now()))
        body["roles"] = {"name": ROLES_SQL, "size": len(roles), "sha256": hashlib.sha256(roles).hexdigest()}
        body["tools"] = record.tools_part(order.tools)
        _rename(partial, final)
    _fs.atomic_write(os.path.join(workspace, ROLES_SQL), roles)
    _fs.write_record(os.path.join(workspace, DATABASE_FACTS), body)
    return body


def check_order(order: Order) -> None:
    """Raises ``InputInvalid`` for values that make no sense, before anything is touched."""
    check_dump_name(order.dump_name)
    if not 1 <= order.lock_timeout <= 86400:
        raise InputInvalid("lock_timeout must be 1 to 86400 seconds", lock_timeout=order.lock_timeout)
    if not 0 <= order.deep.budget <= 86400:
        raise InputInvalid("deep_budget must be 0 to 86400 seconds", deep_budget=order.deep.budget)
    if not 1 <= order.compress <= 9:
        raise InputInvalid("compress must be 1 to 9", compress=order.compress)


def make_workspace(layout: HostLayout, run_id: str) -> str:
    """The run's workspace, closed to others from its first moment; raises PathPermissions, PathUnusable, NoSpace."""
    workspace = layout.workspace(run_id)
    for directory in (layout.scratch_dir, workspace):
        try:
            api.make_private_directory(directory)
        except FileExistsError:
            continue
        except OSError as error:
            raise _fs.translate_oserror(error, directory) from error
    return workspace


def check_dump_name(name: str) -> str:
    """The name itself; raises ``InputInvalid`` for what is not a plain file name that only the dump can have."""
    bad = not name or name != os.path.basename(name) or any(mark in name for mark in '/\\:*?"<>|') or name[-1] in " ."
    if bad or name.lower() in (ROLES_SQL, DATABASE_FACTS) or name.endswith(PARTIAL) or name.startswith("."):
        raise InputInvalid(f"dump_name {name!r} is not a plain file name", dump_name=name)
    return name


def _make(order: Order, password: str, partial: str) -> Tuple[Dict[str, Any], bytes, DumpProof, Comparison]:
    options = order.options
    session = connect(options, password)
    with contextlib.closing(session):
        check_versions(session.info.server_version, order.tools)
        with hold(session, options, lock_timeout=order.lock_timeout) as snapshot:
            _require_tables(snapshot, options)
            survey = facts_of.survey(snapshot, options)
            # First the dump: until pg_dump has its own locks, an ALTER TABLE that waits for ours makes it wait too.
            written = _dump(order, password, partial, snapshot, survey.sizes)
            facts = facts_of.count(snapshot, options, survey)
            with named(options):
                roles = roles_sql(session)
            compared = deep.read_source(order.deep, snapshot, survey, partial, place=options.place, now=utc_now())
    body = {**record.expectation(snapshot, facts, options), **record.warnings_part(written.warnings)}
    body["tables"] = deep.expect(body["tables"], compared)
    body["large_objects"] = deep.expect_objects(body["large_objects"], compared)
    return body, roles, _prove(order, partial, body, written.sha256), compared


def _require_tables(snapshot: Snapshot, options: DatabaseOptions) -> None:
    if not any(table.has_rows for table in snapshot.tables):
        raise DumpEmpty(f"{options.place} has no tables", server=options.place)


def _dump(order: Order, password: str, partial: str, snapshot: Snapshot, sizes: Dict[str, int]) -> Written:
    argv = dump.arguments(order.tools, snapshot=snapshot.id, lock_timeout=order.lock_timeout, compress=order.compress)
    env = dump.environment(order.options, password)
    try:
        with api.create_new(partial) as out:
            written = dump.run(argv, env=env, out=out, place=order.options.place, sizes=sizes)
            api.flush_file(out)
            return written
    except OSError as error:
        raise _fs.translate_oserror(error, partial) from error


def _prove(order: Order, partial: str, body: Dict[str, Any], written: str) -> DumpProof:
    proof = verify_dump(partial, tools=order.tools, name=order.dump_name, expected=body)
    if proof.sha256 != written:
        raise DumpDamaged(f"{partial} reads back other bytes than were written", path=partial)
    return proof


@contextlib.contextmanager
def _partial(final: str) -> Iterator[str]:
    """A name for what is not proved yet; what has it in the end is removed."""
    path = f"{final}.{secrets.token_hex(4)}{PARTIAL}"
    try:
        yield path
    finally:
        with contextlib.suppress(BackupError):  # what failed is on its way
            _fs.remove_file(path)


def _rename(partial: str, final: str) -> None:
    try:
        api.rename_new(partial, final)
    except FileExistsError as error:
        raise ArtifactExists(f"{final} is there already", path=final) from error
    except OSError as error:
        raise _fs.translate_oserror(error, final) from error
