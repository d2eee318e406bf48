# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at the mirror as it stands on the host, and says what speaks against writing to it. Changes nothing."""

from __future__ import annotations

import os
from typing import Callable, List, Optional, Sequence

from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError, MirrorMissing, MirrorWrongVolume
from ansible_collections.wst.backup.plugins.module_utils._fs import translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._mirror.marker import Marker, marker_path, read_marker
from ansible_collections.wst.backup.plugins.module_utils._mirror.volume import (
    TEMPORARY_README,
    Judgement,
    Tolerance,
    judge_volume,
)
from ansible_collections.wst.backup.plugins.module_utils._platform import api as platform
from ansible_collections.wst.backup.plugins.module_utils._platform.api import Volume
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer


def inspect_mirror(
    mirror_dir: str, *, source_dir: str, expected_id: str, prefix: str, tolerance: Tolerance, needed: int = 0
) -> Judgement:
    """Every reason why sets must not be written to ``mirror_dir``; never raises a ``BackupError`` itself.

    :param source_dir: the layer that is mirrored.
    :param needed: bytes that are to be written.
    """
    try:
        if not expected_id:
            raise MirrorMissing(f"the inventory names no volume for the mirror {mirror_dir}", path=mirror_dir)
        if not os.path.isdir(platform.long_path(mirror_dir)):
            raise MirrorMissing(f"there is no directory {mirror_dir}", path=mirror_dir)
        marker = read_marker(mirror_dir)
        judgement = judge_volume(
            volume_of(mirror_dir),
            expected_id=expected_id,
            marker=marker,
            source_volume=volume_of(source_dir),
            tolerance=tolerance,
            temporary_readme=has_temporary_readme(mirror_dir),
            needed=needed,
        )
    except BackupError as error:
        return Judgement((error,))
    return Judgement((*_marker_problems(mirror_dir, marker, prefix), *judgement.problems), judgement.warnings)


def objections(
    mirror: Layer,
    local: Optional[Layer],
    *,
    expected_id: str,
    prefix: str,
    tolerance: Tolerance,
    warn: Callable[[str], None],
) -> Sequence[BackupError]:
    """What speaks against touching the mirror layer; what was accepted about its volume is told as warnings.

    Without the local layer nobody can tell whether the two share a disk, and unknown is not good.
    """
    if local is None:
        return [MirrorMissing(f"no local layer is named that {mirror.path} mirrors", path=mirror.path)]
    judgement = inspect_mirror(
        mirror.path, source_dir=local.path, expected_id=expected_id, prefix=prefix, tolerance=tolerance
    )
    for warning in judgement.warnings:
        warn(warning)
    return judgement.problems


def _marker_problems(mirror_dir: str, marker: Optional[Marker], prefix: str) -> List[BackupError]:
    path = marker_path(mirror_dir)
    if marker is None:
        return [MirrorMissing(f"{mirror_dir} was never made the mirror: there is no {path}", path=path)]
    if marker.prefix != prefix:
        return [
            MirrorWrongVolume(
                f"{mirror_dir} was made the mirror of {marker.prefix}, not of {prefix}",
                path=path,
                found=marker.prefix,
                expected=prefix,
            )
        ]
    return []


def volume_of(path: str) -> Volume:
    """The volume's facts; raises ``MirrorMissing`` where there is nothing, or what the file system has."""
    try:
        return platform.volume(path)
    except FileNotFoundError as error:
        raise MirrorMissing(f"there is no {path}", path=path) from error
    except OSError as error:
        raise translate_oserror(error, path) from error


def has_temporary_readme(path: str) -> bool:
    """Whether the warning of a temporary disk stands in the directory or anywhere above it."""
    current = platform.absolute_path(path)
    while True:
        if os.path.lexists(platform.long_path(os.path.join(current, TEMPORARY_README))):
            return True
        above = os.path.dirname(current)
        if above == current:
            return False
        current = above
