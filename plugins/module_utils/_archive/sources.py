# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A source directory as the parameters describe it, checked before anything is read."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import Dict, List, Sequence

from ansible_collections.wst.backup.plugins.module_utils._archive.membernames import component_problem, fold
from ansible_collections.wst.backup.plugins.module_utils._archive.patterns import Patterns
from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid, SourceMissing
from ansible_collections.wst.backup.plugins.module_utils._platform import api


@dataclass(frozen=True)
class Source:
    """A directory tree that goes into the artifact below ``name``."""

    name: str
    path: str
    exclude: Patterns = field(default_factory=lambda: Patterns(()))
    allow_unreadable: Patterns = field(default_factory=lambda: Patterns(()))
    allow_changed: Patterns = field(default_factory=lambda: Patterns(()))
    follow_root: bool = False  # the path may be a link; it is resolved once


def check_names(sources: Sequence[Source], *, reserved: Sequence[str]) -> None:
    """Raises ``InputInvalid`` where two things at the top of the artifact would have one name, or an unusable one."""
    taken: Dict[str, str] = {fold(name): name for name in reserved}
    if not sources:
        raise InputInvalid("there are no sources")
    for name in [*reserved, *(source.name for source in sources)]:
        problem = component_problem(name)
        if problem is not None:
            raise InputInvalid(f"the name {name!r} cannot stand in the artifact: it has {problem}", name=name)
    for source in sources:
        if fold(source.name) in taken:
            raise InputInvalid(f"the name {source.name!r} stands twice at the top of the artifact", name=source.name)
        taken[fold(source.name)] = source.name


def resolve(sources: Sequence[Source]) -> List[Source]:
    """The sources with roots that are links resolved.

    Raises ``SourceMissing`` naming every source that is missing, ``InputInvalid`` for a link that was not declared.
    """
    missing = [s for s in sources if not os.path.isdir(api.long_path(s.path))]
    if missing:
        raise SourceMissing(
            "not there, or not a directory: {}.".format(", ".join(f"{s.path} ({s.name})" for s in missing)),
            missing=[{"name": s.name, "path": s.path} for s in missing],
        )
    return [_resolve(source) for source in sources]


def _resolve(source: Source) -> Source:
    bare = source.path.rstrip("/\\") or source.path  # a trailing slash would follow the link
    target = api.read_link(bare)
    if target is None:
        return source
    if not source.follow_root:
        raise InputInvalid(
            f"the source {source.path} is a link to {target}; name the directory itself, or declare follow_root",
            name=source.name,
            path=source.path,
            target=target,
        )
    return replace(source, path=api.real_path(bare))
