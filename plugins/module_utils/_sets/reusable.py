# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which set's compressed bytes the next artifact may take over, once they are proved to be those of what was read."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError
from ansible_collections.wst.backup.plugins.module_utils._fs import read_record
from ansible_collections.wst.backup.plugins.module_utils._sets.catalog import COMPLETE, SAFETY, SUSPECT
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import read_layer


def newest_like(layer: Layer, compression: Mapping[str, Any], *, prefix: str) -> Optional[str]:
    """The path of the newest ZIP, where it was compressed in exactly that way; else None.

    Of a set that is whole by all that is known; whether its content is suspect does not matter to compressed bytes.
    What cannot be read is no reason to stop: this only saves time.
    """
    try:
        sets = read_layer(layer, prefix=prefix).sets
        newest = next((s for s in sets if s.status in (COMPLETE, SUSPECT, SAFETY)), None)
        sidecar = read_record(layer.file(newest.artifact.sidecar)) if newest is not None else None
    except BackupError:
        return None
    manifest = sidecar.get("manifest") if sidecar is not None else None
    if newest is None or not isinstance(manifest, dict) or manifest.get("compression") != compression:
        return None
    return layer.file(newest.artifact.zip)
