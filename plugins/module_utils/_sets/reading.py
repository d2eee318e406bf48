# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a layer's directory into a catalog. Changes nothing."""

from __future__ import annotations

from functools import partial
from typing import Callable, Dict, List, Optional, TypeVar, Union

from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError
from ansible_collections.wst.backup.plugins.module_utils._fs import translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._leftovers import is_leftover
from ansible_collections.wst.backup.plugins.module_utils._names import CHECKER, MARKER, SIDECAR, STATE
from ansible_collections.wst.backup.plugins.module_utils._platform import api as platform
from ansible_collections.wst.backup.plugins.module_utils._sets.catalog import Catalog, FileFact, classify, group_files
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.sidecar import Sidecar, read_sidecar
from ansible_collections.wst.backup.plugins.module_utils._sets.state import SetState, read_state

T = TypeVar("T")


def list_files(layer: Layer) -> List[FileFact]:
    """Every name in the layer's directory but what is ours and no set's: the mirror's marker, the independent check,
    a probe, one of the two while it is written. Raises ``BackupError``."""
    try:
        entries = list(platform.scan(layer.path))
    except OSError as error:
        raise translate_oserror(error, layer.path) from error
    return [
        FileFact(entry.name, entry.kind, entry.size)
        for entry in entries
        if entry.name not in (MARKER, CHECKER) and not is_leftover(entry)
    ]


def read_layer(layer: Layer, *, prefix: str) -> Catalog:
    """The layer's sets and foreign files, as they stand now; raises ``BackupError`` when it cannot be listed."""
    files = list_files(layer)
    groups, _foreign = group_files(files, prefix)
    sidecars: Dict[str, Union[Sidecar, BackupError]] = {}
    states: Dict[str, Union[SetState, BackupError]] = {}
    for artifact, group in groups.items():
        if SIDECAR in group.final:
            _put(sidecars, artifact.stem, partial(read_sidecar, layer.file(artifact.sidecar)))
        if STATE in group.final:
            _put(states, artifact.stem, partial(read_state, layer, artifact))
    return classify(files, sidecars=sidecars, states=states, prefix=prefix, layer=layer.name)


def _put(found: Dict[str, Union[T, BackupError]], stem: str, read: Callable[[], Optional[T]]) -> None:
    """What was read, or the failure as a value: one bad file must not hide the other sets."""
    try:
        value = read()
    except BackupError as error:
        found[stem] = error
        return
    if value is not None:  # None: it went away since the directory was listed
        found[stem] = value
