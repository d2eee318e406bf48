# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one door to the operating system: every other file of the collection is the same on Windows and elsewhere.

Both sides have the same functions; a unit test compares their signatures.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

from ansible_collections.wst.backup.plugins.module_utils._platform._types import (
    DIRECTORY,
    FILE,
    LINK,
    PLACEHOLDER,
    SPECIAL,
    Entry,
    FileFacts,
    Holder,
    Identity,
    Kept,
    Stamp,
    UncachedReader,
    Volume,
    facts_of_stat,
)

if TYPE_CHECKING or os.name != "nt":
    from ansible_collections.wst.backup.plugins.module_utils._platform._posix import (
        ChildGroup,
        FileLock,
        absolute_path,
        access_problems,
        appcmd,
        apply_sddl,
        base_environment,
        boot_id,
        child_options,
        closing_commands,
        contain_children,
        dependent_services,
        end_process,
        explicit_aces,
        flush_directory,
        give_to_server,
        holders,
        identity,
        kept_metadata,
        lets_in,
        long_path,
        make_link,
        make_private_directory,
        make_server_directory,
        named_streams,
        open_source,
        process_started,
        protect,
        read_link,
        read_uncached,
        real_path,
        rename_new,
        replace,
        scan,
        sddl,
        server_account,
        service_state,
        set_attributes,
        set_time,
        shell_quotas,
        stamp,
        start_failure,
        start_service,
        stop_service,
        volume,
        write_event,
    )
else:
    from ansible_collections.wst.backup.plugins.module_utils._platform._windows import (
        ChildGroup,
        FileLock,
        absolute_path,
        access_problems,
        appcmd,
        apply_sddl,
        base_environment,
        boot_id,
        child_options,
        closing_commands,
        contain_children,
        dependent_services,
        end_process,
        explicit_aces,
        flush_directory,
        give_to_server,
        holders,
        identity,
        kept_metadata,
        lets_in,
        long_path,
        make_link,
        make_private_directory,
        make_server_directory,
        named_streams,
        open_source,
        process_started,
        protect,
        read_link,
        read_uncached,
        real_path,
        rename_new,
        replace,
        scan,
        sddl,
        server_account,
        service_state,
        set_attributes,
        set_time,
        shell_quotas,
        stamp,
        start_failure,
        start_service,
        stop_service,
        volume,
        write_event,
    )

__all__ = [
    "DIRECTORY",
    "FILE",
    "LINK",
    "PLACEHOLDER",
    "SPECIAL",
    "ChildGroup",
    "Entry",
    "FileFacts",
    "FileLock",
    "Holder",
    "Identity",
    "Kept",
    "Stamp",
    "UncachedReader",
    "Volume",
    "absolute_path",
    "access_problems",
    "appcmd",
    "apply_sddl",
    "base_environment",
    "boot_id",
    "child_options",
    "closing_commands",
    "contain_children",
    "create_new",
    "create_plain",
    "dependent_services",
    "end_process",
    "explicit_aces",
    "facts_of",
    "flush_directory",
    "flush_file",
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
    "open_again",
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


def create_new(path: str) -> BinaryIO:
    """A new file, open for writing and reading, private where modes say so.

    Raises FileExistsError when the name is taken, OSError otherwise.
    """
    return open(long_path(path), "x+b", opener=_private_opener)


def create_plain(path: str) -> BinaryIO:
    """The same, with the mode that new files have here: for what is somebody else's."""
    return open(long_path(path), "x+b")


def open_again(path: str) -> BinaryIO:
    """A file that is there, open for writing and reading, at its beginning. Raises OSError."""
    return open(long_path(path), "r+b")


def _private_opener(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def flush_file(file: BinaryIO) -> None:
    """Write what is buffered through to the disk. Raises OSError."""
    file.flush()
    os.fsync(file.fileno())


def facts_of(file: BinaryIO) -> FileFacts:
    """Size, time and identity of an open file, now. Raises OSError."""
    return facts_of_stat(os.fstat(file.fileno()))
