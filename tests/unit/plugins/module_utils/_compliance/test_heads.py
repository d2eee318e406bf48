# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The heads that manifests keep of the audit log: how old each is, and which loss a break that was recorded excuses."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Optional

import pytest

from ansible_collections.wst.backup.plugins.module_utils._audit.chain import Head
from ansible_collections.wst.backup.plugins.module_utils._audit.log import AuditLog, Event
from ansible_collections.wst.backup.plugins.module_utils._compliance import heads
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.publish import Manifest
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.layers import MANIFEST, PREFIX, publish_set

BEFORE = datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc)
BREAK = datetime(2026, 11, 23, 15, 0, tzinfo=timezone.utc)
RUN = "20261123-120000-0000aaaa"  # the set's name is older than the break, whatever its files are


def log_with_a_break(layout: HostLayout) -> Head:
    """A log that was lost once, which the next run recorded; the head that it had before that."""
    directory = Path(layout.audit_dir)
    directory.mkdir(parents=True)
    log = AuditLog(str(directory), clock=lambda: BEFORE)
    for _number in range(5):
        done = log.append(Event("backup_start"))
    (directory / "audit.jsonl").unlink()
    head = Head(done.seq, done.hash)
    assert AuditLog(str(directory), clock=lambda: BREAK).append(Event("backup_start"), whole=True, anchor=head).broken
    return head


@pytest.mark.parametrize(
    ("files_started", "excused"),
    [
        ("2026-11-23T14:59:59Z", True),
        ("2026-11-23T15:00:00Z", False),  # in the same second: in doubt it is not
        ("2026-11-23T15:20:00Z", False),
        ("", False),
        (None, False),
    ],
)
def test_a_manifest_s_head_is_as_old_as_the_reading_of_its_files(
    tmp_path: Path, files_started: Optional[str], excused: bool
) -> None:
    """It was taken then: a dump may take hours after the run got its name, and the log may break in between."""
    layout, layer = HostLayout(str(tmp_path / "control")), Layer(LOCAL, str(tmp_path / "c"))
    head = log_with_a_break(layout)
    Path(layer.path).mkdir()
    times = {} if files_started is None else {"times": {"files_started": files_started}}
    body = {**MANIFEST.body, "audit_head": {"seq": head.seq, "hash": head.hash}, **times}
    publish_set(layer, RUN, manifest=Manifest(body, MANIFEST.sha256))
    found = heads.held_against_all(layout, [layer], PREFIX)
    kinds = ([flaw.kind for flaw in found.flaws], [flaw.kind for flaw in found.known])
    assert kinds == (([], ["cut_off"]) if excused else (["cut_off"], []))
    assert found.anchors == 1


def test_a_set_that_cannot_be_read_gives_no_head(tmp_path: Path) -> None:
    layout, layer = HostLayout(str(tmp_path / "control")), Layer(LOCAL, str(tmp_path / "c"))
    log_with_a_break(layout)
    assert heads.held_against_all(layout, [layer], PREFIX).anchors == 0  # nor does a layer
    Path(layer.path).mkdir()
    artifact = publish_set(layer, RUN)
    Path(layer.file(artifact.sidecar)).write_bytes(b"{}")
    found = heads.held_against_all(layout, [layer], PREFIX)
    assert (found.anchors, found.flaws) == (0, ())
