# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No bit of a set can turn over unnoticed: ``python -m tools.proof bits`` flips the rest of them, too."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tools.proof import bits
from tools.proof.artifact import Artifact, small

pytestmark = pytest.mark.posix  # the code is the same on Windows, and thousands of files take wine minutes

# What a ZIP without its sidecar cannot prove: fields that say how it was made and whose permissions it had, and bits of
# a deflate stream (its padding, equivalent distances) that change nothing of what comes out.
UNPROVABLE = {
    "content",
    "directory: external",
    "directory: extra fields",  # only of the two members that no line describes
    "directory: internal",
    "directory: made_by",
    "directory: needed",
    "local header: extra fields",
    "local header: needed",
}


@pytest.fixture(scope="module")
def artifact() -> Artifact:
    """A small one."""
    return small(streamed=False)


@pytest.mark.slow
def test_every_bit_of_the_sidecar_and_of_the_state(artifact: Artifact, tmp_path: Path) -> None:
    for tally in (
        bits.flip_sidecar(artifact, tmp_path, bits.every_bit(artifact.sidecar)),
        bits.flip_state(artifact, tmp_path, bits.every_bit(artifact.state)),
    ):
        assert tally.flipped > 3000
        assert not tally.missed


@pytest.mark.slow
def test_every_bit_of_the_structure_and_one_of_every_other_byte(artifact: Artifact, tmp_path: Path) -> None:
    chance = random.Random(artifact.zip)
    contents = [
        place * 8 + chance.randrange(8)
        for place, what in enumerate(bits.meanings_of(artifact.zip))
        if what == "content"
    ]
    tally = bits.flip_zip(artifact, tmp_path, [*bits.structural(artifact.zip), *contents], sidecar=True)
    assert tally.flipped > 9000
    assert not tally.missed


def test_bits_of_a_member_with_a_data_descriptor(tmp_path: Path) -> None:
    artifact = small()
    descriptor = [place for place, what in enumerate(bits.meanings_of(artifact.zip)) if what == "data descriptor"]
    assert len(descriptor) == 16
    chosen = [place * 8 + bit for place in descriptor for bit in range(8)]
    assert not bits.flip_zip(artifact, tmp_path, chosen, sidecar=False).missed


def test_without_the_sidecar_only_what_proves_nothing_goes_unnoticed(artifact: Artifact, tmp_path: Path) -> None:
    chosen = range(random.Random(1).randrange(23), len(artifact.zip) * 8, 23)
    tally = bits.flip_zip(artifact, tmp_path, chosen, sidecar=False)
    assert set(tally.missed) <= UNPROVABLE
    assert tally.missed.total() < tally.flipped / 12
