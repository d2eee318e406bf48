# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ZIPs as data in which every field can lie.

A field that is left alone is computed when the file is put together, so that one lie is one lie: the rest fits. Written
without the code under test.
"""

from __future__ import annotations

import struct
import zlib
from copy import deepcopy
from dataclasses import dataclass, field

STORED, DEFLATED = 0, 8
DESCRIPTOR, UTF8 = 0x0008, 0x0800
MAX16, MAX32 = 0xFFFF, 0xFFFFFFFF
DAY = 0x5A21  # 2025-01-01

Layout = tuple[tuple[str, str], ...]
Fields = dict[str, int]

LOCAL: Layout = (
    ("signature", "L"), ("needed", "H"), ("flags", "H"), ("method", "H"), ("time", "H"), ("date", "H"), ("crc", "L"),
    ("packed", "L"), ("size", "L"), ("name_length", "H"), ("extra_length", "H"),
)  # fmt: skip
CENTRAL: Layout = (
    ("signature", "L"), ("made_by", "H"), ("needed", "H"), ("flags", "H"), ("method", "H"), ("time", "H"),
    ("date", "H"), ("crc", "L"), ("packed", "L"), ("size", "L"), ("name_length", "H"), ("extra_length", "H"),
    ("comment_length", "H"), ("disk", "H"), ("internal", "H"), ("external", "L"), ("offset", "L"),
)  # fmt: skip
END64: Layout = (
    ("signature", "L"), ("length", "Q"), ("made_by", "H"), ("needed", "H"), ("disk", "L"), ("first_disk", "L"),
    ("here", "Q"), ("count", "Q"), ("size", "Q"), ("start", "Q"),
)  # fmt: skip
LOCATOR: Layout = (("signature", "L"), ("disk", "L"), ("at", "Q"), ("disks", "L"))
END: Layout = (
    ("signature", "L"), ("disk", "H"), ("first_disk", "H"), ("here", "H"), ("count", "H"), ("size", "L"),
    ("start", "L"), ("comment_length", "H"),
)  # fmt: skip


def pack(layout: Layout, truth: Fields, lies: Fields) -> bytes:
    """A record; what does not fit into a field is cut to its width."""
    values = {**truth, **lies}
    form = "<" + "".join(kind for _, kind in layout)
    masks = {"H": MAX16, "L": MAX32, "Q": (1 << 64) - 1}
    return struct.pack(form, *(values.get(name, 0) & masks[kind] for name, kind in layout))


def unpack(layout: Layout, data: bytes, at: int) -> Fields:
    """The fields of a record."""
    form = "<" + "".join(kind for _, kind in layout)
    return dict(zip((name for name, _ in layout), struct.unpack_from(form, data, at), strict=True))


def extra(kind: int, content: bytes) -> bytes:
    """An extra field."""
    return struct.pack("<2H", kind, len(content)) + content


def deflate(data: bytes, level: int = 9) -> bytes:
    """A raw deflate stream."""
    deflater = zlib.compressobj(level, zlib.DEFLATED, -15)
    return deflater.compress(data) + deflater.flush()


@dataclass
class Part:
    """A member. ``local`` and ``central`` hold the fields that lie, or that a copied archive really has."""

    name: bytes
    data: bytes = b""  # as it is packed
    size: int = 0
    crc: int = 0
    method: int = STORED
    flags: int = UTF8
    local: Fields = field(default_factory=dict)
    central: Fields = field(default_factory=dict)
    local_name: bytes | None = None
    local_extra: bytes = b""
    central_extra: bytes = b""
    comment: bytes = b""
    descriptor: bytes = b""
    gap: bytes = b""  # bytes before it that belong to nothing

    def fill(self, content: bytes) -> Part:
        """Give it a content that all of its numbers fit."""
        self.data = deflate(content) if self.method == DEFLATED else content
        self.size, self.crc = len(content), zlib.crc32(content)
        if self.descriptor:
            self.descriptor = struct.pack("<4s3L", b"PK\x07\x08", self.crc, len(self.data), self.size)
        return self

    def local_bytes(self) -> bytes:
        """From its local header to its data descriptor."""
        name = self.name if self.local_name is None else self.local_name
        later = self.flags & DESCRIPTOR
        truth = {
            "signature": 0x04034B50, "needed": 20, "flags": self.flags, "method": self.method, "date": DAY,
            "name_length": len(name), "extra_length": len(self.local_extra),
        }  # fmt: skip
        if not later:
            truth.update(crc=self.crc, packed=len(self.data), size=self.size)
        return pack(LOCAL, truth, self.local) + name + self.local_extra + self.data + self.descriptor

    def central_bytes(self, offset: int) -> bytes:
        """Its entry in the directory."""
        truth = {
            "signature": 0x02014B50, "made_by": 20, "needed": 20, "flags": self.flags, "method": self.method,
            "date": DAY, "crc": self.crc, "packed": len(self.data), "size": self.size, "name_length": len(self.name),
            "extra_length": len(self.central_extra), "comment_length": len(self.comment), "offset": offset,
        }  # fmt: skip
        return pack(CENTRAL, truth, self.central) + self.name + self.central_extra + self.comment


@dataclass
class Zip:
    """An archive."""

    parts: list[Part] = field(default_factory=list)
    end: Fields = field(default_factory=dict)
    end64: Fields | None = None  # present where not None
    locator: Fields | None = None
    comment: bytes = b""
    before: bytes = b""
    before_directory: bytes = b""
    after_directory: bytes = b""
    after: bytes = b""
    unlisted: int = 0  # so many of the last members are not in the directory

    def copy(self) -> Zip:
        """Another one with the same content."""
        return deepcopy(self)

    def part(self, name: str) -> Part:
        """The member of that name."""
        return next(part for part in self.parts if part.name == name.encode())

    def joined(self) -> bytes:
        """The file."""
        out = bytearray(self.before)
        offsets = []
        for part in self.parts:
            out += part.gap
            offsets.append(len(out))
            out += part.local_bytes()
        out += self.before_directory
        listed = self.parts[: len(self.parts) - self.unlisted]
        start = len(out)
        for part, offset in zip(listed, offsets, strict=False):
            out += part.central_bytes(offset)
        size = len(out) - start
        out += self.after_directory
        out += self._ends(len(out), {"here": len(listed), "count": len(listed), "size": size, "start": start})
        return bytes(out + self.comment + self.after)

    def _ends(self, at: int, truth: Fields) -> bytes:
        out = b""
        if self.end64 is not None:
            fixed = {"signature": 0x06064B50, "length": 44, "made_by": 45, "needed": 45}
            out += pack(END64, {**fixed, **truth}, self.end64)
        if self.locator is not None:
            out += pack(LOCATOR, {"signature": 0x07064B50, "at": at, "disks": 1}, self.locator)
        short = {"signature": 0x06054B50, **truth, "comment_length": len(self.comment)}
        return out + pack(END, short, self.end)


def parse(data: bytes) -> Zip:
    """An intact archive as data: same bytes when it is put together again."""
    end_at = data.rfind(b"PK\x05\x06")
    end = unpack(END, data, end_at)
    archive = Zip(comment=data[end_at + 22 :])
    at = end["start"]
    for _ in range(end["count"]):
        part, at = _parse_part(data, at)
        archive.parts.append(part)
    for part, (begin, until) in zip(archive.parts, _extents(data, end), strict=True):
        _parse_local(data, begin, until, part)
    return archive


def _extents(data: bytes, end: Fields) -> list[tuple[int, int]]:
    at, offsets = end["start"], []
    for _ in range(end["count"]):
        fields = unpack(CENTRAL, data, at)
        offsets.append(fields["offset"])
        at += 46 + fields["name_length"] + fields["extra_length"] + fields["comment_length"]
    return list(zip(offsets, [*offsets[1:], end["start"]], strict=True))


def _parse_part(data: bytes, at: int) -> tuple[Part, int]:
    fields = unpack(CENTRAL, data, at)
    at += 46
    cuts = [at]
    for key in ("name_length", "extra_length", "comment_length"):
        cuts.append(cuts[-1] + fields[key])
    part = Part(
        name=data[cuts[0] : cuts[1]],
        central_extra=data[cuts[1] : cuts[2]],
        comment=data[cuts[2] : cuts[3]],
        size=fields["size"],
        crc=fields["crc"],
        method=fields["method"],
        flags=fields["flags"],
        central={key: fields[key] for key in ("made_by", "needed", "time", "date", "external", "internal")},
    )
    part.data = b"\0" * fields["packed"]  # its length, until the local header is read
    return part, cuts[3]


def _parse_local(data: bytes, begin: int, until: int, part: Part) -> None:
    fields = unpack(LOCAL, data, begin)
    name_end = begin + 30 + fields["name_length"]
    content = name_end + fields["extra_length"]
    part.local = {key: fields[key] for key in ("needed", "time", "date")}
    part.local_extra = data[name_end:content]
    packed = len(part.data)
    part.data, part.descriptor = data[content : content + packed], data[content + packed : until]
