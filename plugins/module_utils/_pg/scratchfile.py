# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``scratch.json``: which database a run restores into, written before it is made and removed after it is dropped.

It stands in the workspace of the run. While it is there, a database, a server or roles may be left, and nobody removes
the workspace.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace
from typing import Any, Dict, Iterator, List, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _fs
from ansible_collections.wst.backup.plugins.module_utils._errors import NotProved, RecordDamaged
from ansible_collections.wst.backup.plugins.module_utils._layout import SCRATCH_FACTS
from ansible_collections.wst.backup.plugins.module_utils._pg import options as options_of
from ansible_collections.wst.backup.plugins.module_utils._pg.cluster import find_cluster, running
from ansible_collections.wst.backup.plugins.module_utils._pg.key import read_key
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions

VERSION = 1


@dataclass(frozen=True)
class Scratch:
    """The record. Without ``cluster`` the server is somebody's; ``server`` names its maintenance database.

    ``roles`` are those that the run made, or was about to. ``target`` is the database of the server whose place this
    one shall take; empty for a drill's. Where this one ``stays``, it is beside the target for good, with single tables.
    """

    run_id: str
    database: str
    server: Optional[DatabaseOptions] = None
    key_file: str = ""
    cluster: str = ""
    roles: Tuple[str, ...] = ()
    target: str = ""
    stays: bool = False

    def with_roles(self, roles: List[str]) -> Scratch:
        """The same with the roles that are about to be made."""
        return replace(self, roles=tuple(sorted({*self.roles, *roles})))

    def as_body(self) -> Dict[str, Any]:
        """As it stands in the file."""
        server = None if self.server is None else dict(vars(self.server))
        return {
            "version": VERSION,
            "run_id": self.run_id,
            "database": self.database,
            "server": server,
            "key_file": self.key_file,
            "cluster": self.cluster,
            "roles": list(self.roles),
            "target": self.target,
            "stays": self.stays,
        }


def write_scratch(workspace: str, scratch: Scratch) -> None:
    """Put it in place; raises NoSpace, PathPermissions, PathUnusable."""
    _fs.write_record(os.path.join(workspace, SCRATCH_FACTS), scratch.as_body())


def find_scratch(workspace: str) -> Optional[Scratch]:
    """The record of that workspace, None where it has none; raises RecordDamaged, PathPermissions, PathUnusable."""
    path = os.path.join(workspace, SCRATCH_FACTS)
    body = _fs.read_record(path)
    if body is None:
        return None
    try:
        if body["version"] != VERSION:
            raise ValueError("a version that is not known here")
        return Scratch(
            run_id=str(body["run_id"]),
            database=str(body["database"]),
            server=None if body["server"] is None else options_of.from_params(body["server"]),
            key_file=str(body["key_file"]),
            cluster=str(body["cluster"]),
            roles=tuple(str(role) for role in body["roles"]),
            target=str(body["target"]),
            stays=body.get("stays") is True,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RecordDamaged(f"{path} names no scratch database", path=path) from error


def read_scratch(workspace: str) -> Scratch:
    """The record of that workspace; raises NotProved where there is none."""
    found = find_scratch(workspace)
    if found is None:
        raise NotProved("this run has made no scratch database (pg_scratch comes first)", workspace=workspace)
    return found


def remove_scratch(workspace: str) -> None:
    """All that it names is gone; raises PathPermissions, PathUnusable."""
    _fs.remove_file(os.path.join(workspace, SCRATCH_FACTS))


@contextlib.contextmanager
def reached(scratch: Scratch, *, tools_dir: str, relations: int = 0) -> Iterator[Tuple[DatabaseOptions, str]]:
    """The server's maintenance database and the password, for the block; a cluster of ours runs only that long.

    :param relations: see ``running``.
    :raises KeyMissing, KeyMalformed, KeyPermissions; what ``running`` raises.
    """
    if scratch.server is not None:
        yield scratch.server, read_key(scratch.key_file)
        return
    cluster = find_cluster(scratch.cluster, tools_dir)
    with running(cluster, relations=relations) as options:
        yield options, cluster.password()


def within(server: DatabaseOptions, scratch: Scratch) -> DatabaseOptions:
    """The scratch database itself."""
    return replace(server, name=scratch.database)
