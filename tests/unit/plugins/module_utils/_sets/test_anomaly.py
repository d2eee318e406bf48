# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is suspect: by table, at the thresholds, and against random contents."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid, RecordDamaged
from ansible_collections.wst.backup.plugins.module_utils._names import artifact_of_run
from ansible_collections.wst.backup.plugins.module_utils._sets.anomaly import (
    Content,
    Thresholds,
    anomalies,
    content_of,
    lacking,
)
from ansible_collections.wst.backup.plugins.module_utils._sets.baseline import find_baseline
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, MIRROR, Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import read_layer
from ansible_collections.wst.backup.plugins.module_utils._sets.sidecar import Sidecar, encode_sidecar
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.layers import (
    MANIFEST,
    NEXT_RUN,
    PREFIX,
    RUN,
    Manifest,
    publish_set,
)

USUAL = Content(files=1000, bytes=100 << 20, tables=20, rows=50_000, packed=40 << 20)
HALF = Thresholds()
OLD_RUN = "20261122-120000-0000cccc"


def names(now: Content, thresholds: Thresholds = HALF, before: Content = USUAL) -> List[str]:
    """What the sentences are about."""
    return [text.split()[0] for text in anomalies(now, before, thresholds)]


def test_the_same_again_is_not_suspect() -> None:
    assert names(USUAL) == []


@pytest.mark.parametrize("name", ["files", "bytes", "tables", "rows"])
def test_a_fall_by_more_than_the_share_is_suspect_and_one_to_it_is_not(name: str) -> None:
    """To the unit: half is not more than half."""
    half = getattr(USUAL, name) // 2
    assert names(replace(USUAL, **{name: half})) == []
    assert names(replace(USUAL, **{name: half - 1})) == [name]
    (text,) = anomalies(replace(USUAL, **{name: 0}), USUAL, HALF)
    assert text == f"{name} fell from {getattr(USUAL, name):,} to 0, by more than 50 %"


def test_an_emptied_host_is_suspect_in_every_measure() -> None:
    assert names(Content(0, 0, 0, 0, 500)) == ["files", "bytes", "tables", "rows"]


def test_growth_is_never_suspect() -> None:
    assert names(Content(10**6, 10**12, 10**4, 10**9, 10**11)) == []


def test_what_was_nothing_cannot_fall_and_unknown_rows_are_not_compared() -> None:
    assert names(replace(USUAL, rows=None)) == []
    assert names(USUAL, before=replace(USUAL, rows=None)) == []
    assert names(Content(0, 0, 0, 0, 0), before=Content(0, 0, 0, 0, 0)) == []


def test_files_that_no_longer_compress_are_suspect() -> None:
    """Ransomware leaves number and size as they were."""
    (text,) = anomalies(replace(USUAL, packed=USUAL.bytes), USUAL, HALF)
    assert text == "the files pack to 100% of their size instead of 40%: they may be encrypted"
    assert names(replace(USUAL, packed=int(USUAL.bytes * 0.94))) == []
    media = replace(USUAL, packed=int(USUAL.bytes * 0.9))
    assert names(replace(media, packed=USUAL.bytes), before=media) == []
    small = Content(3, 3000, 1, 1, 1000)
    assert names(replace(small, packed=3000), before=small) == []
    assert names(replace(USUAL, packed=USUAL.bytes), before=small) == []


@given(st.integers(1, 100), st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_threshold_against_a_fraction(percent: int, before: int, now: int) -> None:
    """Written another way: what is left, as a share."""
    told = names(replace(USUAL, files=now), Thresholds(percent), before=replace(USUAL, files=before))
    assert ("files" in told) is (before > 0 and (before - now) / before > percent / 100 + 1e-12)


@pytest.mark.parametrize("percent", [0, -1, 101])
def test_a_threshold_that_makes_no_sense_is_refused(percent: int) -> None:
    with pytest.raises(InputInvalid):
        Thresholds(percent)
    assert names(Content(0, 0, 0, 0, 0), Thresholds(100)) == []
    assert names(replace(USUAL, packed=USUAL.bytes), Thresholds(100)) == []


def test_a_manifest_tells_its_content() -> None:
    assert content_of(MANIFEST.body, 5000) == Content(1000, 10_000_000, 10, 5000, 4000)
    unknown: Dict[str, Any] = {**MANIFEST.body, "database": {"tables": [], "rows_total": None}}
    assert content_of(unknown, 5000).rows is None
    for broken in ({}, {**MANIFEST.body, "totals": {}}, {**MANIFEST.body, "dump": {"size": "x"}}):
        with pytest.raises(RecordDamaged):
            content_of(broken, 5000)


def test_what_is_required_and_not_there() -> None:
    assert lacking(MANIFEST.body, paths=[], tables=["app.t1"]) == []
    assert lacking(MANIFEST.body, paths=["wst/web.config"], tables=["app.t1", "app.users"]) == [
        "the required path wst/web.config is not in it",
        "the required table app.users is not in it",
    ]


# --- with what it is compared


def found_sidecar(layer: Layer) -> Sidecar:
    """The sidecar of the layer's one set."""
    (item,) = read_layer(layer, prefix=PREFIX).sets
    return item.proof


def layers_in(directory: Path) -> List[Layer]:
    """Two layers."""
    made = [Layer(LOCAL, str(directory / "c")), Layer(MIRROR, str(directory / "d"))]
    for layer in made:
        os.mkdir(layer.path)
    return made


def test_the_newest_set_that_counts_is_the_baseline(tmp_path: Path) -> None:
    """Not a suspect one, not this run's own; the mirror's where the local layer has none or cannot be read."""
    local, mirror = layers = layers_in(tmp_path)
    own = artifact_of_run(NEXT_RUN, PREFIX)
    assert find_baseline(layers, prefix=PREFIX, before=own) is None
    publish_set(mirror, OLD_RUN)
    publish_set(local, RUN, suspect=["too few"])
    publish_set(local, NEXT_RUN)
    found = find_baseline(layers, prefix=PREFIX, before=own)
    assert found is not None
    assert (found.artifact, found.content.files) == (artifact_of_run(OLD_RUN, PREFIX), 1000)
    gone = Layer(LOCAL, str(tmp_path / "nowhere"))
    assert find_baseline([gone, mirror], prefix=PREFIX, before=own) == found
    sidecar = mirror.file(artifact_of_run(OLD_RUN, PREFIX).sidecar)
    poor = Manifest({**MANIFEST.body, "totals": {}}, MANIFEST.sha256)  # of a version that knew less
    Path(sidecar).write_bytes(encode_sidecar(found_sidecar(mirror), poor.body))
    assert find_baseline(layers, prefix=PREFIX, before=own) is None
    publish_set(local, OLD_RUN, size=7000)
    found = find_baseline(layers, prefix=PREFIX, before=own)
    assert found is not None
    assert found.content.packed == 6000
