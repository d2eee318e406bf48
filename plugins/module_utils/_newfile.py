# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new file that is written as a stream."""

from __future__ import annotations

import contextlib
from typing import BinaryIO, Iterator

from ansible_collections.wst.backup.plugins.module_utils._fs import translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._platform import api


@contextlib.contextmanager
def created(path: str, *, private: bool = True) -> Iterator[BinaryIO]:
    """A new file for the block, for writing. Closing one on a full disk fails again: that hides no failure before it.

    Raises PathUnusable where the name is taken, NoSpace, PathPermissions.

    :param private: closed to others, where modes say so.
    """
    try:
        file = api.create_new(path) if private else api.create_plain(path)
    except OSError as error:
        raise translate_oserror(error, path) from error
    try:
        yield file
    except BaseException:
        with contextlib.suppress(OSError):
            file.close()
        raise
    try:
        file.close()
    except OSError as error:
        raise translate_oserror(error, path) from error
