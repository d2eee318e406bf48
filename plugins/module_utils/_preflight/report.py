# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What preflight was asked, and what it found: every problem, not the first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Optional, Sequence

from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError
from ansible_collections.wst.backup.plugins.module_utils._mirror.volume import Tolerance
from ansible_collections.wst.backup.plugins.module_utils._pg.options import DatabaseOptions


@dataclass(frozen=True)
class Request:
    """What a run will need. Sizes in bytes."""

    root: str
    key_file: str
    sources: Sequence[Source]
    local_dir: str
    mirror_dir: str
    mirror_volume_id: str
    mirror_tolerance: Tolerance
    database: DatabaseOptions
    tools_dir: str
    prefix: str
    min_free: int
    operator: Optional[str]
    probe: bool  # whether a file may be written, read back and removed in every target
    secrets: Sequence[str] = ()  # files besides the key that must never get into an archive


@dataclass
class Report:
    """What was found so far."""

    problems: List[BackupError] = field(default_factory=list)
    warnings: List[str] = field(default_factory=list)
    facts: Dict[str, Any] = field(default_factory=dict)

    def attempt(self, check: Callable[[], None]) -> bool:
        """Run a check and keep what it raises; tells whether it passed."""
        try:
            check()
        except BackupError as error:
            self.problems.append(error)
            return False
        return True
