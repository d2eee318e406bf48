# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies in a tree, as a stream, in the order of the member list. Links are not entered."""

from __future__ import annotations

from typing import Callable, Iterator, List, Tuple

from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._platform.api import Entry
from ansible_collections.wst.backup.plugins.module_utils._restore.differences import order

Failed = Callable[[str, OSError], None]


def walk(path: str, entry: Entry, failed: Failed) -> Iterator[Tuple[str, Entry]]:
    """The entry, and what is below it, each with its path in the artifact.

    :param path: the entry's own path there.
    :param failed: takes the path of each directory that cannot be listed.
    """
    yield path, entry
    pending = [_children(path, entry, failed)]
    while pending:
        if not pending[-1]:
            pending.pop()
            continue
        name, child = pending[-1].pop()
        yield name, child
        pending.append(_children(name, child, failed))


def _children(path: str, entry: Entry, failed: Failed) -> List[Tuple[str, Entry]]:
    """What a directory has, last first; nothing of what is none."""
    if entry.kind != api.DIRECTORY:
        return []
    try:
        found = list(api.scan(entry.path))
    except OSError as error:
        failed(path, error)
        return []
    found.sort(key=lambda child: order(child.name), reverse=True)
    return [(f"{path}/{child.name}", child) for child in found]
