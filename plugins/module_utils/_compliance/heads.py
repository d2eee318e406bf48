# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit log held against every head of it that was kept elsewhere: by the control node, and in the manifests."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._audit.examine import Anchor, Examined, examine
from ansible_collections.wst.backup.plugins.module_utils._audit.segments import Segments
from ansible_collections.wst.backup.plugins.module_utils._errors import AuditBroken, BackupError
from ansible_collections.wst.backup.plugins.module_utils._fs import read_record, translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import read_layer


def held_against_all(layout: HostLayout, layers: Sequence[Layer], prefix: str) -> Examined:
    """The log, and what does not hold; raises PathPermissions, PathUnusable where it cannot be read.

    A layer or a sidecar that cannot be read gives no anchor: it is told elsewhere.
    """
    anchors = [*_from_control_node(), *(each for layer in layers for each in _from_layer(layer, prefix))]
    try:
        return examine(Segments(layout.audit_dir), anchors)
    except OSError as error:
        raise translate_oserror(error, layout.audit_dir) from error


def _from_control_node() -> List[Anchor]:
    """The last head that it saw. No break excuses its loss: the run that records one gives it a new head."""
    known = _context.current().audit_anchor
    return [] if known is None else [Anchor(*known, where="the control node")]


def _from_layer(layer: Layer, prefix: str) -> List[Anchor]:
    """The heads that the manifests of a layer's sets name. Each was taken just before its files were archived."""
    try:
        sets = read_layer(layer, prefix=prefix).sets
    except BackupError:
        return []
    anchors = []
    for each in sets:
        if each.sidecar is None:
            continue
        try:
            body = read_record(layer.file(each.artifact.sidecar)) or {}
        except BackupError:
            continue
        manifest = body.get("manifest") or {}
        head, times = manifest.get("audit_head"), manifest.get("times") or {}
        if isinstance(head, dict) and head.get("seq"):
            where = f"{each.artifact.stem} on the {layer.name} layer"
            anchors.append(Anchor(int(head["seq"]), str(head["hash"]), where, str(times.get("files_started") or "")))
    return anchors


def verify(layout: HostLayout, layers: Sequence[Layer], prefix: str) -> Dict[str, Any]:
    """The result of the module ``audit_verify``. Raises as ``held_against_all``."""
    found = held_against_all(layout, layers, prefix)
    result: Dict[str, Any] = {
        "changed": False,
        "records": found.records,
        "seq": found.head.seq,
        "head": found.head.hash,
        "since": found.since,
        "anchors": found.anchors,
        "torn": found.torn,
        "flaws": [flaw.as_body() for flaw in found.flaws],
        "known": [flaw.as_body() for flaw in found.known],
        "code": "",
    }
    if found.flaws:
        error = AuditBroken(told(found), flaws=result["flaws"])
        result.update(code=error.code, problem=error.as_problem())
    return result


def told(found: Examined) -> str:
    """All flaws in one sentence."""
    return "the audit log does not hold: " + "; ".join(flaw.text for flaw in found.flaws)
