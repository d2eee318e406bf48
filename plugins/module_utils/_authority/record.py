# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's authority record: hashes of the tokens, and what is production. ``<root>/authority.json``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Dict, Mapping, Optional

from ansible_collections.wst.backup.plugins.module_utils import _fs
from ansible_collections.wst.backup.plugins.module_utils._authority.levels import WITH_TOKEN
from ansible_collections.wst.backup.plugins.module_utils._authority.targets import (
    Database,
    Targets,
    is_production_database,
    is_production_directory,
    targets_from,
)
from ansible_collections.wst.backup.plugins.module_utils._authority.tokens import TokenHash, hash_from
from ansible_collections.wst.backup.plugins.module_utils._clock import format_time, parse_time
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    AuthorityDamaged,
    AuthorityMissing,
    RecordDamaged,
)
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._platform import api

VERSION = 1


@dataclass(frozen=True)
class Authority:
    """The record. Nothing in it is a secret, and a token cannot be made of it."""

    hashes: Mapping[str, TokenHash]  # by level
    production: Targets
    other: Targets  # known not to be production
    since: datetime  # UTC; of the provisioning
    by: str  # user@control-node

    def as_body(self) -> Dict[str, Any]:
        """As it stands in the file."""
        return {
            "version": VERSION,
            "hashes": {level: self.hashes[level].as_body() for level in WITH_TOKEN},
            "production": self.production.as_body(),
            "not_production": self.other.as_body(),
            "since": format_time(self.since),
            "by": self.by,
        }

    def is_production_directory(self, path: str) -> bool:
        """Whether a restore into that directory of the host touches production. Links on the way are followed."""
        return is_production_directory(comparable(path), self.production, self.other)

    def is_production_database(self, host: str, port: int, name: str) -> bool:
        """Whether a restore into that database touches production."""
        return is_production_database(Database(host, port, name), self.production, self.other)


def comparable(path: str) -> str:
    """The path as two of them can be compared: whole, links resolved, in the case rule of the host."""
    return os.path.normcase(api.real_path(api.absolute_path(path)))


def find_authority(layout: HostLayout) -> Optional[Authority]:
    """The record, or None on a host that was not provisioned.

    Raises AuthorityDamaged; PathPermissions and PathUnusable where it cannot be read.
    """
    path = layout.authority_file
    try:
        body = _fs.read_record(path)
    except RecordDamaged as error:
        raise AuthorityDamaged(error.message, **error.facts) from error
    if body is None:
        return None
    try:
        return _authority(body)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AuthorityDamaged(f"{path} holds no authority record", path=path) from error


def read_authority(layout: HostLayout) -> Authority:
    """The record; raises AuthorityMissing where there is none, and as ``find_authority``."""
    found = find_authority(layout)
    if found is None:
        raise AuthorityMissing(f"this host has no {layout.authority_file}", path=layout.authority_file)
    return found


def write_authority(layout: HostLayout, authority: Authority) -> None:
    """Put it in place, over an older one. Raises NoSpace, PathPermissions, PathUnusable; then the old one is there."""
    _fs.write_record(layout.authority_file, authority.as_body())


def _authority(body: Dict[str, Any]) -> Authority:
    if body["version"] != VERSION:
        raise ValueError("a version that is not known here")
    return Authority(
        hashes={level: hash_from(body["hashes"][level]) for level in WITH_TOKEN},
        production=targets_from(body["production"]),
        other=targets_from(body["not_production"]),
        since=parse_time(body["since"]),
        by=str(body["by"]),
    )
