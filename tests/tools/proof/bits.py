# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flips every single bit of an artifact, its sidecar and its state, and looks who notices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError, RecordDamaged
from ansible_collections.wst.backup.plugins.module_utils._names import parse_artifact
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.state import read_state
from tools.proof import corpus
from tools.proof.artifact import STEM, Artifact
from tools.proof.case import PROVED
from tools.proof.zipbytes import CENTRAL, END, LOCAL, Layout, Part, parse

WIDTHS = {"H": 2, "L": 4, "Q": 8}


@dataclass
class Tally:
    """How many bits were flipped, and which flips nobody noticed, by what they were bits of."""

    flipped: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)


def every_bit(data: bytes) -> Iterator[int]:
    """The numbers of all bits."""
    yield from range(len(data) * 8)


def flipped(data: bytes, bit: int) -> bytes:
    """The bytes with that bit turned over."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def flip_zip(artifact: Artifact, directory: Path, bits: Iterable[int], *, sidecar: bool) -> Tally:
    """Flip bits of the ZIP and verify it at level 2, with its sidecar beside it or without."""
    path = directory / f"{STEM}.zip"
    if sidecar:
        path.with_name(f"{STEM}.manifest.json").write_bytes(artifact.sidecar)
    meanings = meanings_of(artifact.zip)
    tally = Tally()
    for bit in bits:
        path.write_bytes(flipped(artifact.zip, bit))
        code = corpus.verified(str(path)).code
        tally.flipped += 1
        tally.codes[code] += 1
        if code == PROVED:
            tally.missed[meanings[bit // 8]] += 1
    return tally


def flip_sidecar(artifact: Artifact, directory: Path, bits: Iterable[int]) -> Tally:
    """Flip bits of the sidecar and verify the intact ZIP against it."""
    path = directory / f"{STEM}.zip"
    path.write_bytes(artifact.zip)
    tally = Tally()
    for bit in bits:
        path.with_name(f"{STEM}.manifest.json").write_bytes(flipped(artifact.sidecar, bit))
        code = corpus.verified(str(path)).code
        tally.flipped += 1
        tally.codes[code] += 1
        if code != RecordDamaged.code:
            tally.missed[code or "proved"] += 1
    return tally


def flip_state(artifact: Artifact, directory: Path, bits: Iterable[int]) -> Tally:
    """Flip bits of the state file and read it as retention and listing do."""
    name = parse_artifact(f"{STEM}.zip", "wst-backup")
    assert name is not None
    layer = Layer(name="local", path=str(directory))
    tally = Tally()
    for bit in bits:
        (directory / name.state).write_bytes(flipped(artifact.state, bit))
        code = PROVED
        try:
            read_state(layer, name)
        except BackupError as error:
            code = error.code
        tally.flipped += 1
        tally.codes[code] += 1
        if code != RecordDamaged.code:
            tally.missed[code or "taken as it was"] += 1
    return tally


def meanings_of(data: bytes) -> list[str]:
    """What each byte of an archive is of."""
    archive = parse(data)
    meanings: list[str] = []
    for part in archive.parts:
        meanings += _fields("local header", LOCAL) + ["local header: name"] * len(part.name)
        meanings += ["local header: extra fields"] * len(part.local_extra)
        meanings += ["content"] * len(part.data) + ["data descriptor"] * len(part.descriptor)
    for part in archive.parts:
        meanings += _central(part)
    meanings += _fields("end record", END)
    assert len(meanings) == len(data)
    return meanings


def structural(data: bytes) -> Iterator[int]:
    """The bits of everything but contents."""
    for place, meaning in enumerate(meanings_of(data)):
        if meaning != "content":
            yield from range(place * 8, place * 8 + 8)


def _central(part: Part) -> list[str]:
    extra = ["directory: extra fields"] * len(part.central_extra)
    return _fields("directory", CENTRAL) + ["directory: name"] * len(part.name) + extra


def _fields(record: str, layout: Layout) -> list[str]:
    return [f"{record}: {name}" for name, kind in layout for _ in range(WIDTHS[kind])]
