# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Windows side of the seam, gathered for ``api``."""

from __future__ import annotations

from ansible_collections.wst.backup.plugins.module_utils._platform._windows_events import write_event
from ansible_collections.wst.backup.plugins.module_utils._platform._windows_files import (
    FileLock,
    absolute_path,
    flush_directory,
    long_path,
    open_source,
    read_link,
    read_uncached,
    real_path,
    rename_new,
    replace,
    scan,
    stamp,
)
from ansible_collections.wst.backup.plugins.module_utils._platform._windows_holders import holders
from ansible_collections.wst.backup.plugins.module_utils._platform._windows_process import (
    ChildGroup,
    base_environment,
    boot_id,
    child_options,
    contain_children,
    end_process,
    process_started,
    server_account,
    shell_quotas,
    start_failure,
)
from ansible_collections.wst.backup.plugins.module_utils._platform._windows_restore import (
    apply_sddl,
    kept_metadata,
    make_link,
    set_attributes,
    set_time,
)
from ansible_collections.wst.backup.plugins.module_utils._platform._windows_security import (
    access_problems,
    closing_commands,
    explicit_aces,
    give_to_server,
    identity,
    lets_in,
    make_private_directory,
    make_server_directory,
    protect,
    sddl,
)
from ansible_collections.wst.backup.plugins.module_utils._platform._windows_services import (
    appcmd,
    dependent_services,
    service_state,
    start_service,
    stop_service,
)
from ansible_collections.wst.backup.plugins.module_utils._platform._windows_streams import named_streams
from ansible_collections.wst.backup.plugins.module_utils._platform._windows_volume import volume

__all__ = [
    "ChildGroup",
    "FileLock",
    "absolute_path",
    "access_problems",
    "appcmd",
    "apply_sddl",
    "base_environment",
    "boot_id",
    "child_options",
    "closing_commands",
    "contain_children",
    "dependent_services",
    "end_process",
    "explicit_aces",
    "flush_directory",
    "give_to_server",
    "holders",
    "identity",
    "kept_metadata",
    "lets_in",
    "long_path",
    "make_link",
    "make_private_directory",
    "make_server_directory",
    "named_streams",
    "open_source",
    "process_started",
    "protect",
    "read_link",
    "read_uncached",
    "real_path",
    "rename_new",
    "replace",
    "scan",
    "sddl",
    "server_account",
    "service_state",
    "set_attributes",
    "set_time",
    "shell_quotas",
    "stamp",
    "start_failure",
    "start_service",
    "stop_service",
    "volume",
    "write_event",
]
