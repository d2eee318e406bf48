# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the journals of swaps stand: a record for each run that swapped something, a suffix for each kind of thing."""

from __future__ import annotations

import os
from typing import List

from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid
from ansible_collections.wst.backup.plugins.module_utils._fs import translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._names import check_run_id
from ansible_collections.wst.backup.plugins.module_utils._platform import api


def journal_path(layout: HostLayout, run_id: str, suffix: str) -> str:
    """The journal of that run; raises InputInvalid for what is no run id."""
    return os.path.join(layout.swaps_dir, check_run_id(run_id) + suffix)


def runs_with_journals(layout: HostLayout, suffix: str) -> List[str]:
    """The runs that have one, the oldest first. Raises PathPermissions, PathUnusable."""
    try:
        names = sorted(entry.name for entry in api.scan(layout.swaps_dir))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise translate_oserror(error, layout.swaps_dir) from error
    return [name[: -len(suffix)] for name in names if name.endswith(suffix) and _is_run(name[: -len(suffix)])]


def _is_run(text: str) -> bool:
    try:
        return bool(check_run_id(text))
    except InputInvalid:
        return False
