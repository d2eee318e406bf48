# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things stand below the host root (``C:\\wst-control`` by default)."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ansible_collections.wst.backup.plugins.module_utils._names import check_run_id

DATABASE_FACTS = "database.json"
ARCHIVE_FACTS = "archive.json"
VERIFICATION = "verification.json"
ROLES_SQL = "roles.sql"
SCRATCH_FACTS = "scratch.json"
STAGED_KEY = ".new"  # what the name of a key that is to replace another has more than that one's


@dataclass(frozen=True)
class HostLayout:
    """The directories of one host; only joins paths, touches nothing.

    :param drills: those of a drill, which has a lock and workspaces of its own and may run beside a backup.
    """

    root: str
    drills: bool = False

    @property
    def lock_dir(self) -> str:
        """The run's lock and lease."""
        return os.path.join(self.root, "drill-lock" if self.drills else "lock")

    @property
    def holds_dir(self) -> str:
        """Who reads which set."""
        return os.path.join(self.root, "holds")

    @property
    def audit_dir(self) -> str:
        """The audit log's segments."""
        return os.path.join(self.root, "audit")

    @property
    def runs_dir(self) -> str:
        """Jobs: a directory per run, one per step in it."""
        return os.path.join(self.root, "runs")

    @property
    def scratch_dir(self) -> str:
        """Workspaces: a directory per run, swept with it."""
        return os.path.join(self.root, "drills" if self.drills else "scratch")

    @property
    def key_file(self) -> str:
        """The database password's default place."""
        return os.path.join(self.root, "db.key")

    @property
    def restore_key_file(self) -> str:
        """The password of a role that may create databases, where restores have one of their own."""
        return os.path.join(self.root, "restore.key")

    @property
    def offsite_key_file(self) -> str:
        """The SAS that lets this host into the offsite container, where it has no managed identity."""
        return os.path.join(self.root, "offsite.key")

    @property
    def offsite_dir(self) -> str:
        """What is known of the copies offsite: a record for each set."""
        return os.path.join(self.root, "offsite")

    @property
    def authority_file(self) -> str:
        """Who may do what, and what is production."""
        return os.path.join(self.root, "authority.json")

    @property
    def authority_attempts(self) -> str:
        """Tokens that were wrong, counted."""
        return os.path.join(self.root, "authority.attempts.json")

    @property
    def authority_lock(self) -> str:
        """Held while a token is tried."""
        return os.path.join(self.root, "authority.lock")

    @property
    def coverage_file(self) -> str:
        """When each table was last compared with its source."""
        return os.path.join(self.root, "coverage.json")

    @property
    def pause_file(self) -> str:
        """Until when no backups are made, and why."""
        return os.path.join(self.root, "pause.json")

    @property
    def swaps_dir(self) -> str:
        """Journals of the swaps of trees and of databases, one of each for each run that made one."""
        return os.path.join(self.root, "swaps")

    def workspace(self, run_id: str) -> str:
        """Where a run keeps its dump and its facts until the set is published."""
        return os.path.join(self.scratch_dir, check_run_id(run_id))
