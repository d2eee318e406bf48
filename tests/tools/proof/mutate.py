# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes an archive, knowing what its parts are: one lie at a time, the rest of the file still fits."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

from tools.proof import hostile_ours as ours
from tools.proof.zipbytes import (
    CENTRAL,
    DEFLATED,
    DESCRIPTOR,
    END,
    END64,
    LOCAL,
    LOCATOR,
    STORED,
    UTF8,
    Fields,
    Layout,
    Part,
    Zip,
    extra,
)

NUMBERS = (
    0,
    1,
    2,
    7,
    8,
    0x7F,
    0xFF,
    0xFFFE,
    0xFFFF,
    0x10000,
    0x7FFFFFFF,
    0xFFFFFFFE,
    0xFFFFFFFF,
    1 << 32,
    (1 << 64) - 1,
)
NAMES = (
    b"", b"/", b".", b"..", b"../x", b"a/../b", b"/x", b"C:x", b"a\\b", b"CON", b"nul.txt", b"a.", b"a ", b"a:b",
    b"wst", b"wst/", b"WST/INDEX.HTML", b"wst/index.html", b"manifest.json", b"members.jsonl", b"wst.backup",
    b"\xff", b"\xed\xa0\x80", b"a\0b", b"x" * 300, b"a/" * 300, "é".encode(), "e\u0301".encode(), "Ä".encode(),
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 1.5, 10**30, float("inf"), float("nan"), "", "x", "../x", "\ud800", "0" * 64, [], {},
    [[]], {"a": []}, "wst", "link", "directory", "file",
)  # fmt: skip
KINDS = (0x0001, 0x5455, 0x7075, 0x000A, 0x7855, 0x9901, 0x4242)
SIGNATURES = (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x07\x08")


def mutated(archive: Zip, chance: Random) -> bytes:
    """The file with a few changes; ``archive`` stays as it is."""
    archive = archive.copy()
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        chance.choice(STRUCTURAL)(archive, chance)
    data = archive.joined()
    if chance.random() < 0.1:
        data = raw(data, chance)
    return data


def raw(data: bytes, chance: Random) -> bytes:
    """A change that knows nothing of what it changes."""
    changed = bytearray(data or b"P")
    at = chance.randrange(len(changed))
    kind = chance.randrange(6)
    if kind == 0:
        changed[at] ^= 1 << chance.randrange(8)
    elif kind == 1:
        width = chance.choice((2, 4, 8))
        changed[at : at + width] = (chance.choice(NUMBERS) % (1 << 8 * width)).to_bytes(width, "little")
    elif kind == 2:
        del changed[at : at + chance.randrange(1, 60)]
    elif kind == 3:
        changed[at:at] = chance.randbytes(chance.randrange(1, 40))
    elif kind == 4:
        other = chance.randrange(len(changed))
        changed[at:at] = changed[other : other + chance.randrange(1, 200)]
    else:
        changed[at : at + 4] = chance.choice(SIGNATURES)
    return bytes(changed)


def _lie(fields: Fields, layout: Layout, truth: int, chance: Random) -> None:
    name = chance.choice(layout)[0]
    near = (truth, truth + 1, max(truth - 1, 0))
    fields[name] = chance.choice((*NUMBERS, *near, fields.get(name, 0) ^ 1 << chance.randrange(32)))


def _part(archive: Zip, chance: Random) -> Part:
    if not archive.parts:
        archive.parts.append(Part(b"new").fill(b"new"))
    return chance.choice(archive.parts)


def _headers(archive: Zip, chance: Random) -> None:
    part = _part(archive, chance)
    truth = chance.choice((part.size, len(part.data), part.crc))
    which = chance.randrange(3)
    if which != 1:
        _lie(part.local, LOCAL, truth, chance)
    if which == 1:
        _lie(part.central, CENTRAL, truth, chance)
    if which == 2:
        part.central.update({key: value for key, value in part.local.items() if key != "signature"})


def _ends(archive: Zip, chance: Random) -> None:
    which = chance.randrange(3)
    truth = len(archive.parts)
    if which == 0:
        _lie(archive.end, END, truth, chance)
        return
    archive.end64 = archive.end64 if archive.end64 is not None else {}
    archive.locator = archive.locator if archive.locator is not None else {}
    if which == 1:
        _lie(archive.end64, END64, truth, chance)
    else:
        _lie(archive.locator, LOCATOR, truth, chance)


def _names(archive: Zip, chance: Random) -> None:
    part = _part(archive, chance)
    name = chance.choice((*NAMES, *(other.name for other in archive.parts), part.name.upper(), part.name + b"/x"))
    if chance.random() < 0.7:
        part.name = name
    else:
        part.local_name = name


def _flags(archive: Zip, chance: Random) -> None:
    part = _part(archive, chance)
    if chance.random() < 0.5:
        part.flags ^= chance.choice((1, 2, 4, DESCRIPTOR, 0x20, 0x40, UTF8, 0x2000, 1 << chance.randrange(16)))
    else:
        part.method = chance.choice((STORED, DEFLATED, 9, 12, 99))


def _extras(archive: Zip, chance: Random) -> None:
    part = _part(archive, chance)
    numbers = b"".join(chance.choice(NUMBERS).to_bytes(8, "little") for _ in range(chance.randrange(5)))
    content = chance.choice((numbers, numbers[:5], b"\x01" + numbers[:4], chance.randbytes(chance.randrange(20))))
    if chance.random() < 0.2:
        content = b"\x01" + zlib.crc32(part.name).to_bytes(4, "little") + chance.choice(NAMES)
        field = extra(0x7075, content)
    else:
        field = extra(chance.choice(KINDS), content)
    field = field if chance.random() < 0.9 else field[: chance.randrange(len(field) + 1)]
    which = chance.randrange(3)
    if which != 1:
        part.local_extra = chance.choice((field, part.local_extra + field, b""))
    if which != 0:
        part.central_extra = chance.choice((field, part.central_extra + field, part.local_extra))


def _streams(archive: Zip, chance: Random) -> None:
    part = _part(archive, chance)
    which = chance.randrange(5)
    if which == 0:
        part.data = raw(part.data, chance)
    elif which == 1:
        part.data = part.data[: chance.randrange(len(part.data) + 1)]
    elif which == 2:
        part.data += chance.choice((b"x", b"\x03\x00", b"\x00\x00\x00\xff\xff", part.data))
    elif which == 3:
        content = chance.randbytes(chance.randrange(50)) * chance.choice((1, 1000))
        packer = zlib.compressobj(
            chance.randrange(10), zlib.DEFLATED, -15, chance.randrange(1, 10), chance.randrange(5)
        )
        part.fill(content)
        if part.method == DEFLATED:
            part.data = packer.compress(content) + packer.flush(chance.choice((zlib.Z_FINISH, zlib.Z_FULL_FLUSH)))
    else:
        part.descriptor = (
            raw(part.descriptor, chance) if part.descriptor else chance.choice((b"", chance.randbytes(16)))
        )


def _layout(archive: Zip, chance: Random) -> None:
    part = _part(archive, chance)
    which = chance.randrange(8)
    junk = chance.choice((b"x", bytes(4), archive.joined()[:200], chance.randbytes(30)))
    if which == 0:
        part.gap = junk
    elif which == 1:
        archive.before = junk
    elif which == 2:
        archive.before_directory = junk
    elif which == 3:
        archive.after_directory = junk
    elif which == 4:
        other = Zip([Part(b"other").fill(b"x")], end=chance.choice(({}, {"comment_length": chance.randrange(9)})))
        archive.comment = chance.choice((junk, Zip().joined(), other.joined(), other.joined() + junk))
    elif which == 5:
        archive.parts.insert(chance.randrange(len(archive.parts) + 1), chance.choice((part, Part(b"new").fill(b"new"))))
    elif which == 6:
        archive.parts.remove(part)
    else:
        chance.shuffle(archive.parts)


def _json(archive: Zip, chance: Random) -> None:
    """Another manifest or member list, in a ZIP that fits and, mostly, with digests that do."""
    if not {b"manifest.json", b"members.jsonl"} <= {part.name for part in archive.parts}:
        return
    try:
        body, lines = ours.manifest_of(archive), ours.lines_of(archive)
    except (ValueError, zlib.error):
        return
    if chance.random() < 0.5:
        twist(body, chance)
        archive.part("manifest.json").fill(_text(body, chance))
        return
    for line in chance.sample(lines, min(len(lines), chance.choice((1, 1, 2)))):
        twist(line, chance)
    if chance.random() < 0.4:
        _relist(lines, chance)
    data = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    data = raw(data, chance) if chance.random() < 0.2 else data
    archive.part("members.jsonl").fill(data)
    if isinstance(body.get("members"), dict):
        digest = hashlib.sha256(data).hexdigest()
        body["members"].update(count=data.count(b"\n"), size=len(data), sha256=digest)
    archive.part("manifest.json").fill(json.dumps(body).encode())


def _text(body: object, chance: Random) -> bytes:
    data = json.dumps(body).encode()
    return raw(data, chance) if chance.random() < 0.3 else data


def _relist(lines: list[Any], chance: Random) -> None:
    which = chance.randrange(4)
    path = chance.choice([*(name.decode("utf-8", "replace") for name in NAMES), "wst/d/link", "wst/ä"])
    link = {"path": path, "kind": "link", "mtime_ns": 0, "target": "x"}
    if which == 0 and lines:
        lines.pop(chance.randrange(len(lines)))
    elif which == 1 and lines:
        lines.append(chance.choice(lines))
    elif which == 2:
        chance.shuffle(lines)
    else:
        lines.insert(chance.randrange(len(lines) + 1), link)


def twist(value: Any, chance: Random) -> None:
    """One change somewhere in the tree, in place."""
    while isinstance(value, (dict, list)) and value:
        key = chance.choice(list(value)) if isinstance(value, dict) else chance.randrange(len(value))
        if isinstance(value[key], (dict, list)) and value[key] and chance.random() < 0.8:
            value = value[key]
            continue
        if chance.random() < 0.2:
            del value[key]
        else:
            value[key] = chance.choice(VALUES)
        return


STRUCTURAL: tuple[Callable[[Zip, Random], None], ...] = (
    _headers, _headers, _ends, _names, _flags, _extras, _streams, _layout, _json, _json, _json,
)  # fmt: skip
