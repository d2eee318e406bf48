# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ZIPs that lie about their structure, and honest neighbours that must pass."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator

from tools.proof.case import DAMAGED, PROVED, UNSAFE, UNSUPPORTED, Case, always
from tools.proof.zipbytes import DEFLATED, DESCRIPTOR, MAX16, MAX32, STORED, UTF8, Fields, Part, Zip, deflate, extra

TEXT = b"content of a member, long enough to be worth a stream\n"
MIB = 1 << 20
LINK, DEVICE = 0o120777 << 16, 0o060644 << 16
UNIX = 3 << 8 | 20


def cases() -> Iterator[Case]:
    """All of them."""
    for family in (_shape, _names, _kinds, _sizes, _streams, _descriptors, _headers, _places, _ends, _zip64, _bombs):
        yield from family()


def two(**changes: object) -> Zip:
    """An archive of two files; the changes are of the second."""
    second = Part(b"b.txt").fill(TEXT * 2)
    for key, value in changes.items():
        setattr(second, key, value)
    return Zip([Part(b"a.txt").fill(TEXT), second])


def packed(**changes: object) -> Zip:
    """An archive of one deflated file."""
    part = Part(b"a.txt", method=DEFLATED).fill(TEXT)
    for key, value in changes.items():
        setattr(part, key, value)
    return Zip([part])


def later(**changes: object) -> Zip:
    """An archive whose first file has its numbers behind it."""
    part = Part(b"a.txt", method=DEFLATED, flags=UTF8 | DESCRIPTOR, descriptor=b"yes").fill(TEXT)
    for key, value in changes.items():
        setattr(part, key, value)
    return Zip([part, Part(b"b.txt").fill(TEXT)])


def ended(archive: Zip, **lies: int) -> Callable[[], bytes]:
    """With these lies in its end record."""
    archive.end = lies
    return archive.joined


def _shape() -> Iterator[Case]:
    good = two().joined()
    yield Case("shape/good", PROVED, lambda: good)
    yield Case("shape/empty-archive", PROVED, Zip().joined)
    yield Case("shape/no-bytes", DAMAGED, lambda: b"", "too short")
    yield Case("shape/one-byte", DAMAGED, lambda: b"P", "too short")
    yield Case("shape/text", DAMAGED, lambda: b"not a ZIP at all\n" * 50, "no end record")
    yield Case("shape/zeros", DAMAGED, lambda: bytes(70_000), "no end record")
    yield Case("shape/end-signatures", DAMAGED, lambda: b"PK\x05\x06" * 40_000, "")
    yield Case("shape/gzip", DAMAGED, lambda: gzip.compress(good), "no end record")
    for share in (1, 25, 50, 75, 99):
        yield Case(f"shape/cut-at-{share}-percent", DAMAGED, always(good[: len(good) * share // 100]))
    for lost in (1, 4, 21, 22, 23):
        yield Case(f"shape/cut-by-{lost}", DAMAGED, always(good[:-lost]))
    yield Case("shape/appended", DAMAGED, lambda: good + b"junk", "no end record")
    yield Case("shape/appended-zeros", DAMAGED, lambda: good + bytes(512), "no end record")
    yield Case("shape/two-archives", DAMAGED, lambda: good + good, "")
    yield Case("shape/prepended", DAMAGED, lambda: b"MZ\x90\x00" + good, "")
    yield Case("shape/prepended-and-told", DAMAGED, Zip(two().parts, before=b"MZ\x90\x00").joined, "before the first")
    yield Case("shape/bytes-before-directory", DAMAGED, Zip(two().parts, before_directory=b"gap").joined, "belong to")
    yield Case("shape/bytes-after-directory", DAMAGED, Zip(two().parts, after_directory=b"gap").joined, "does not end")
    yield Case("shape/bytes-between-members", DAMAGED, two(gap=b"gap").joined, "belong to nothing")
    yield Case("shape/hidden-member", DAMAGED, Zip(two().parts, unlisted=1).joined, "belong to nothing")
    yield Case("shape/comment", PROVED, Zip(two().parts, comment=b"by hand").joined)
    yield Case(
        "shape/second-end-in-comment", UNSUPPORTED, Zip(two().parts, comment=Zip().joined()).joined, "second end"
    )
    yield Case("shape/second-directory-in-comment", UNSUPPORTED, _two_directories, "second end")
    for name, length in {"short": 0, "long": 9}.items():
        loose = Zip([Part(b"other.txt").fill(b"evil")], end={"comment_length": length}).joined() + b"1234"
        archive = Zip(two().parts, comment=loose)
        yield Case(f"shape/second-end-with-{name}-comment", UNSUPPORTED, archive.joined, "second end")
    yield Case("shape/comment-too-long", DAMAGED, lambda: good[:-2] + b"\x05\x00", "no end record")
    yield Case("shape/comment-too-short", DAMAGED, lambda: good + b"12345", "no end record")


def _two_directories() -> bytes:
    """A whole other archive in the comment: who looks for the last end record reads that one."""
    other = Zip([Part(b"other.txt").fill(b"evil")]).joined()
    return Zip(two().parts, comment=other).joined()


def _names() -> Iterator[Case]:
    unsafe = {
        "traversal": "../x", "traversal-below": "a/../../x", "traversal-end": "a/..", "backslash": "..\\x",
        "absolute": "/etc/passwd", "drive": "C:/x", "drive-relative": "C:x", "drive-backslash": "C:\\x",
        "unc": "\\\\server\\share\\x", "unc-slashes": "//server/share/x", "device-path": "\\\\?\\C:\\x",
        "dot": "./a", "empty-component": "a//b", "empty": "", "stream": "a.txt:evil",
        "stream-default": "a.txt::$DATA", "con": "CON", "con-lower": "d/con", "nul-suffix": "NUL.txt",
        "aux-suffixes": "aux.tar.gz", "com1": "COM1", "com-superscript": "COM\u00b9",
        "lpt-superscript": "lpt\u00b3.log",
        "conin": "CONIN$", "con-space": "CON .txt", "trailing-dot": "a.", "trailing-space": "a ",
        "trailing-dot-above": "a./b", "nul-byte": "a\0.txt", "control": "a\x1f", "newline": "a\nb", "quote": 'a"b',
        "star": "a*", "question": "a?", "pipe": "a|b", "angle": "a<b", "long": "a" * 256,
        "long-utf16": "\U0001f600" * 128, "deep": "/".join("a" * 300), "long-path": "/".join(["b" * 250] * 140),
        "long-path-of-few-characters": "/".join(["\u65e5" * 150] * 90),
    }  # fmt: skip
    for name, text in unsafe.items():
        yield Case(f"names/{name}", UNSAFE, Zip([Part(text.encode()).fill(TEXT)]).joined)
    for name, raw in {"traversal-of-directory": b"../", "only-slash": b"/", "only-slashes": b"//"}.items():
        yield Case(f"names/{name}", UNSAFE, Zip([Part(raw)]).joined)
    yield Case("names/surrogate", DAMAGED, Zip([Part(b"\xed\xa0\x80").fill(TEXT)]).joined, "malformed")
    yield Case("names/no-utf8", DAMAGED, Zip([Part(b"\xff\xfe").fill(TEXT)]).joined, "malformed")
    yield Case("names/overlong-utf8", DAMAGED, Zip([Part(b"\xc0\xaf").fill(TEXT)]).joined, "malformed")
    clashes = {
        "twice": ("a.txt", "a.txt"), "case": ("a.txt", "A.TXT"), "case-umlaut": ("ä", "Ä"),
        "case-directory": ("d/x", "D/X"), "case-greek": ("σ", "Σ"), "file-and-directory": ("d", "d/x"),
        "directory-and-file": ("d/x", "d"), "directory-twice": ("d/", "d/"), "file-above-directory": ("d", "D/e/"),
    }  # fmt: skip
    for name, pair in clashes.items():
        yield Case(f"names/{name}", DAMAGED, _named(*pair), "name")
    distinct = {
        "normalisation": ("\u00e9", "e\u0301"), "sharp-s": ("\u00df", "ss"), "ligature": ("\ufb01", "fi"),
        "dotless-i": ("\u0131", "i"), "kelvin": ("\u212a", "k"), "beyond-16-bits": ("\U00010428", "\U00010400"),
        "longest": ("a" * 255, "b" * 255), "almost-a-device": ("COM", "COM10"), "dots": ("...a", "..b"),
    }  # fmt: skip
    for name, pair in distinct.items():
        yield Case(f"names/distinct-{name}", PROVED, _named(*pair))
    yield Case("names/code-page", PROVED, Zip([Part(b"\x84.txt", flags=0).fill(TEXT)]).joined)
    yield from _unicode_paths()


def _named(*names: str) -> Callable[[], bytes]:
    parts = [Part(name.encode()).fill(b"" if name.endswith("/") else TEXT) for name in names]
    return Zip(parts).joined


def _unicode_paths() -> Iterator[Case]:
    def renamed(plain: bytes, name: str, *, local: str | None = None, told: bytes | None = None) -> Callable[[], bytes]:
        digest = zlib.crc32(plain if told is None else told)
        fields = [extra(0x7075, struct.pack("<BL", 1, digest) + text.encode()) for text in (name, local or name)]
        part = Part(plain, flags=0, central_extra=fields[0], local_extra=fields[1])
        return Zip([part.fill(TEXT)]).joined

    yield Case("names/unicode-path", PROVED, renamed(b"_.txt", "ж.txt"))
    yield Case("names/unicode-path-stale", PROVED, renamed(b"_.txt", "ж.txt", told=b"x"))
    yield Case("names/unicode-path-unsafe", UNSAFE, renamed(b"_.txt", "../x"))
    yield Case("names/unicode-path-hides-unsafe", UNSAFE, renamed(b"../x", "x"))
    yield Case("names/unicode-path-directory", UNSAFE, renamed(b"x", "x/"))
    yield Case("names/unicode-path-local-other", DAMAGED, renamed(b"_.txt", "a.txt", local="b.txt"), "contradicts")


def _kinds() -> Iterator[Case]:
    for name, method in {
        "shrunk": 1, "implode": 6, "deflate64": 9, "bzip2": 12, "lzma": 14, "zstd": 93, "xz": 95, "jpeg": 96,
        "wavpack": 97, "ppmd": 98, "aes": 99, "unknown": 4711,
    }.items():  # fmt: skip
        yield Case(f"kinds/{name}", UNSUPPORTED, two(method=method).joined, f"method {method}")
    for name, flag in {
        "encrypted": 1, "patch": 0x20, "strong": 0x40, "reserved": 0x80, "hidden-headers": 0x2000, "top": 0x8000,
    }.items():  # fmt: skip
        yield Case(f"kinds/flag-{name}", UNSUPPORTED, two(flags=UTF8 | flag).joined)
    for name, mode in {"link": LINK, "device": DEVICE, "pipe": 0o010644 << 16, "socket": 0o140755 << 16}.items():
        yield Case(f"kinds/{name}", UNSAFE, two(central={"made_by": UNIX, "external": mode}).joined, "neither file")
    folder = {"made_by": UNIX, "external": 0o040755 << 16}
    yield Case("kinds/file-that-is-a-directory", UNSAFE, two(central=folder).joined, "neither file")
    yield Case("kinds/file-with-directory-bit", DAMAGED, two(central={"external": 0x10}).joined, "directory")
    regular = {"made_by": UNIX, "external": 0o100644 << 16}
    yield Case("kinds/directory-that-is-a-file", UNSAFE, Zip([Part(b"d/", central=regular)]).joined, "neither file")
    yield Case("kinds/directory-with-content", DAMAGED, Zip([Part(b"d/").fill(TEXT)]).joined, "sizes that cannot be")
    yield Case("kinds/deflated-directory", PROVED, Zip([Part(b"d/", method=DEFLATED).fill(b"")]).joined)
    yield Case("kinds/other-disk", UNSUPPORTED, two(central={"disk": 1}).joined, "split")


def _sizes() -> Iterator[Case]:
    for record in ("local", "central"):
        for key, value in {"size": 7, "packed": 7, "crc": 7}.items():
            yield Case(f"sizes/{record}-{key}", DAMAGED, packed(**{record: {key: value}}).joined)
            yield Case(f"sizes/stored-{record}-{key}", DAMAGED, two(**{record: {key: value}}).joined)
    both: Fields = {"size": 7}
    yield Case("sizes/both-too-small", DAMAGED, packed(local=both, central=both).joined, "more bytes than")
    both = {"size": 1000}
    yield Case("sizes/both-too-large", DAMAGED, packed(local=both, central=both).joined, "bytes of the 1000")
    both = {"crc": 1}
    yield Case("sizes/both-wrong-crc", DAMAGED, packed(local=both, central=both).joined, "CRC-32")
    both = {"size": MAX32 - 1, "packed": MAX32 - 1}
    yield Case("sizes/beyond-the-file", DAMAGED, two(local=both, central=both).joined, "overlaps")
    both = {"size": 1 << 31}
    yield Case("sizes/impossible-ratio", DAMAGED, packed(local=both, central=both).joined, "sizes that cannot be")


def _streams() -> Iterator[Case]:
    def stream(data: bytes) -> Callable[[], bytes]:
        return packed(data=data).joined

    last, open_ended = _stored_block(TEXT, last=True), _stored_block(TEXT, last=False)
    whole = deflate(TEXT)
    yield Case("streams/stored-block", PROVED, stream(last))
    yield Case("streams/no-last-block", DAMAGED, stream(open_ended), "before the end of its stream")
    yield Case("streams/empty-last-block-behind", PROVED, stream(open_ended + b"\x03\x00"))
    yield Case("streams/cut", DAMAGED, stream(whole[:-1]))
    yield Case("streams/no-bytes", DAMAGED, packed(data=b"", size=0, crc=0).joined, "before the end of its stream")
    yield Case("streams/bytes-behind", DAMAGED, stream(whole + b"x"), "after the end of its stream")
    yield Case("streams/many-bytes-behind", DAMAGED, stream(whole + bytes(MIB)), "after the end of its stream")
    yield Case("streams/second-stream-behind", DAMAGED, stream(whole + whole), "after the end of its stream")
    yield Case("streams/reserved-block", DAMAGED, stream(b"\x07" + whole), "does not inflate")
    yield Case("streams/zlib-header", DAMAGED, stream(zlib.compress(TEXT)), "does not inflate")
    yield Case("streams/distance-too-far", DAMAGED, stream(b"\x4b\x04\x62\x00\x00\x00"))
    yield Case("streams/empty-blocks", PROVED, stream(_stored_block(b"", last=False) * 200_000 + last))
    yield Case("streams/flushed-blocks", PROVED, stream(b"\x00\x00\x00\xff\xff" * 3 + whole))


def _stored_block(data: bytes, *, last: bool) -> bytes:
    return bytes([last]) + struct.pack("<HH", len(data), len(data) ^ MAX16) + data


def _descriptors() -> Iterator[Case]:
    good = later().parts[0]
    numbers = (good.crc, len(good.data), good.size)
    signed = b"PK\x07\x08"
    right = {
        "signed": signed + struct.pack("<3L", *numbers),
        "unsigned": struct.pack("<3L", *numbers),
        "wide": signed + struct.pack("<L2Q", *numbers),
        "wide-unsigned": struct.pack("<L2Q", *numbers),
    }
    for name, data in right.items():
        yield Case(f"descriptors/{name}", PROVED, later(descriptor=data).joined)
    wrong = {
        "none": b"",
        "crc": signed + struct.pack("<3L", good.crc ^ 1, *numbers[1:]),
        "packed": signed + struct.pack("<3L", good.crc, 1, good.size),
        "size": signed + struct.pack("<3L", *numbers[:2], 1),
        "cut": right["signed"][:-1],
        "twice": right["signed"] * 2,
        "and-more": right["signed"] + b"x",
        "other-signature": b"PK\x07\x09" + right["unsigned"],
    }
    for name, data in wrong.items():
        yield Case(f"descriptors/{name}", DAMAGED, later(descriptor=data).joined, "belong to nothing")
    yield Case("descriptors/unannounced", DAMAGED, two(descriptor=right["signed"]).joined, "belong to nothing")
    for key in ("crc", "packed", "size"):
        lies = {key: 7}
        yield Case(f"descriptors/local-{key}", DAMAGED, later(local=lies).joined, "contradicts")
    truth = {"crc": good.crc, "packed": len(good.data), "size": good.size}
    yield Case("descriptors/local-tells-too", PROVED, later(local=truth).joined)


def _headers() -> Iterator[Case]:
    lies = {"flags": UTF8 | 2, "method": DEFLATED, "time": 1, "date": 34, "name_length": 4, "extra_length": 3}
    for key, value in lies.items():
        yield Case(f"headers/local-{key}", DAMAGED, two(local={key: value}).joined)
    yield Case("headers/local-signature", DAMAGED, two(local={"signature": 0x04034B51}).joined, "no local header")
    yield Case("headers/local-name", DAMAGED, two(local_name=b"c.txt").joined, "contradicts")
    yield Case("headers/local-name-case", DAMAGED, two(local_name=b"B.txt").joined, "contradicts")
    yield Case("headers/local-name-unsafe", DAMAGED, two(local_name=b"../xx").joined, "contradicts")
    yield Case("headers/central-signature", DAMAGED, two(central={"signature": 1}).joined, "something else")
    for key in ("name_length", "extra_length", "comment_length"):
        yield Case(f"headers/central-{key}", DAMAGED, two(central={key: 3}).joined)
        yield Case(f"headers/central-{key}-max", DAMAGED, two(central={key: MAX16}).joined, "cut short")
    broken = struct.pack("<2H", 1, 99)
    yield Case("headers/local-extra-too-long", DAMAGED, two(local_extra=broken).joined, "malformed")
    yield Case("headers/central-extra-too-long", DAMAGED, two(central_extra=broken).joined, "malformed")
    yield Case("headers/central-extra-stub", DAMAGED, two(central_extra=b"xy").joined, "malformed")
    times = [extra(0x5455, struct.pack("<BL", 1, moment)) for moment in (1_700_000_000, 1_700_000_002)]
    yield Case("headers/timestamps", PROVED, two(local_extra=times[0], central_extra=times[0]).joined)
    other = two(local_extra=times[0], central_extra=times[1])
    yield Case("headers/timestamps-contradict", DAMAGED, other.joined, "contradicts")
    only = two(central_extra=times[0])
    yield Case("headers/timestamp-in-directory-only", DAMAGED, only.joined, "contradicts")
    yield Case("headers/timestamp-in-local-only", PROVED, two(local_extra=times[0]).joined)
    more = extra(0x5455, struct.pack("<B2L", 3, 1_700_000_000, 5))
    yield Case("headers/timestamp-of-access", PROVED, two(local_extra=more, central_extra=times[0]).joined)
    yield Case("headers/member-comment", PROVED, two(comment=b"a remark").joined)
    crowded = two(central_extra=extra(0x4242, b"") * 16_000, local_extra=extra(0x4242, b"") * 16_000)
    yield Case("headers/extra-fields-without-end", PROVED, crowded.joined)


def _places() -> Iterator[Case]:
    first = len(two().parts[0].local_bytes())
    lies = {"same": 0, "inside": first - 10, "one-early": first - 1, "one-late": first + 1, "header": 30}
    for name, offset in lies.items():
        yield Case(f"places/{name}", DAMAGED, two(central={"offset": offset}).joined)
    directory = two()
    yield Case("places/in-directory", DAMAGED, two(central={"offset": 2 * first + 60}).joined, "inside the central")
    yield Case("places/beyond", DAMAGED, two(central={"offset": MAX32 - 1}).joined, "inside the central")
    yield Case("places/swapped", PROVED, lambda: _swapped(directory))
    yield Case("places/quine", DAMAGED, _quine, "")
    yield Case("places/shared-kernel", DAMAGED, lambda: _shared_kernel(100), "overlaps|share")


def _swapped(archive: Zip) -> bytes:
    """The directory in another order than the members: unusual, and unambiguous."""
    first, second = archive.parts
    offset = len(first.local_bytes())
    first.central, second.central = {"offset": 0}, {"offset": offset}
    data = Zip([second, first]).joined()
    members = first.local_bytes() + second.local_bytes()
    return members + data[len(members) :]


def _quine() -> bytes:
    """A member that announces the archive itself as its content."""
    part = Part(b"a.zip", method=STORED, data=b"")
    bare = Zip([part]).joined()
    lies = {"size": len(bare), "packed": len(bare)}
    part.local, part.central = dict(lies), dict(lies)
    return Zip([part]).joined()


def _shared_kernel(count: int) -> bytes:
    """Fifield's better zip bomb: many members, one compressed kernel, each quoting the headers behind it."""
    kernel = Part(b"kernel", method=DEFLATED).fill(bytes(1 << 20))
    members, headers = kernel.local_bytes(), kernel.local_bytes()
    parts: list[Part] = []
    for number in range(count):
        quoted = struct.pack("<BHH", 0, len(headers), len(headers) ^ MAX16)
        data = quoted + headers
        part = Part(b"%06d" % number, data=data, method=DEFLATED, size=1 << 20, crc=1)
        headers = part.local_bytes()[: 30 + 6]
        members = headers + quoted + members
        parts.insert(0, part)
    offset, directory = 0, b""
    for part in parts:
        directory += part.central_bytes(offset)
        offset += 41
    directory += kernel.central_bytes(offset)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count + 1, count + 1, len(directory), len(members), 0)
    return members + directory + end


def _ends() -> Iterator[Case]:
    for count in (0, 1, 3, 65534):
        yield Case(f"ends/count-{count}", DAMAGED, ended(two(), here=count, count=count), "members")
    yield Case("ends/counts-differ", UNSUPPORTED, ended(two(), here=1), "split")
    yield Case("ends/disk", UNSUPPORTED, ended(two(), disk=1), "split")
    yield Case("ends/first-disk", UNSUPPORTED, ended(two(), first_disk=1), "split")
    yield Case("ends/size", DAMAGED, ended(two(), size=9), "does not end")
    yield Case("ends/start", DAMAGED, ended(two(), start=9), "does not end")
    yield Case("ends/start-beyond", DAMAGED, ended(two(), start=1 << 30), "does not end")
    yield Case("ends/saturated-size", DAMAGED, ended(two(), size=MAX32), "64-bit records")
    yield Case("ends/saturated-start", DAMAGED, ended(two(), start=MAX32), "64-bit records")
    yield Case("ends/saturated-count", DAMAGED, ended(two(), here=MAX16, count=MAX16), "members")


def _zip64() -> Iterator[Case]:
    short = {"here": MAX16, "count": MAX16, "size": MAX32, "start": MAX32}

    def ends(*, end: Fields = short, end64: Fields | None = None, locator: Fields | None = None) -> Callable[[], bytes]:
        return Zip(two().parts, end=end, end64=end64 or {}, locator=locator or {}).joined

    yield Case("zip64/good", PROVED, ends())
    yield Case("zip64/good-unneeded", PROVED, ends(end={}))
    for key, value in {"here": 3, "count": 3, "size": 5, "start": 5}.items():
        yield Case(f"zip64/short-{key}", DAMAGED, ends(end={**short, key: value}), "contradict")
    lies = {"length": 45, "signature": 1, "size": 5, "start": 5, "disk": 1, "first_disk": 1, "here": 1}
    for key, value in lies.items():
        code = UNSUPPORTED if key in ("disk", "first_disk", "here") else DAMAGED
        yield Case(f"zip64/{key}", code, ends(end64={key: value}))
    for name, count in {"2^40": 1 << 40, "2^64": (1 << 64) - 1}.items():
        both = {"here": count, "count": count}
        yield Case(f"zip64/count-{name}", DAMAGED, ends(end64=both), "more members than")
    huge = {"size": (1 << 64) - 1, "start": 1}
    yield Case("zip64/size-2^64", DAMAGED, ends(end64=huge), "does not end")
    for key, value in {"disk": 1, "at": 5, "disks": 2}.items():
        code = DAMAGED if key == "at" else UNSUPPORTED
        yield Case(f"zip64/locator-{key}", code, ends(locator={key: value}))
    yield Case("zip64/no-locator", DAMAGED, Zip(two().parts, end=short, end64={}).joined, "64-bit records")
    yield Case("zip64/no-record", DAMAGED, Zip(two().parts, end=short, locator={}).joined)
    yield from _zip64_fields()


def _zip64_fields() -> Iterator[Case]:
    real = len(TEXT) * 2
    sizes = struct.pack("<2Q", real, real)
    short = {"size": MAX32, "packed": MAX32}

    def told(local: bytes, central: bytes) -> Callable[[], bytes]:
        return two(local_extra=local, central_extra=central, local=dict(short), central=dict(short)).joined

    field = extra(1, sizes)
    yield Case("zip64/fields", PROVED, told(field, field))
    absent = {
        "both": (b"", b""), "central": (field, b""), "local": (b"", field),
        "cut-central": (field, extra(1, sizes[:8])), "cut-local": (extra(1, sizes[:8]), field),
        "twice-central": (field, field * 2), "twice-local": (field * 2, field),
        "longer-central": (field, extra(1, sizes + bytes(8))),
    }  # fmt: skip
    for name, (local, central) in absent.items():
        yield Case(f"zip64/field-{name}", DAMAGED, told(local, central))
    yield Case("zip64/field-unannounced", DAMAGED, two(central_extra=field).joined, "does not announce")
    lies = {
        "size": struct.pack("<2Q", real + 1, real), "packed": struct.pack("<2Q", real, real + 1),
        "2^63": struct.pack("<2Q", 1 << 63, 1 << 63), "2^64": b"\xff" * 16,
    }  # fmt: skip
    for name, content in lies.items():
        yield Case(f"zip64/field-{name}", DAMAGED, told(extra(1, content), extra(1, content)))
    far = two(central_extra=extra(1, struct.pack("<Q", 1 << 50)), central={"offset": MAX32})
    yield Case("zip64/offset-2^50", DAMAGED, far.joined, "inside the central")
    disk = two(central_extra=extra(1, struct.pack("<L", 7)), central={"disk": MAX16})
    yield Case("zip64/field-disk", UNSUPPORTED, disk.joined, "split")


def _bombs() -> Iterator[Case]:
    yield Case("bombs/honest-128-mib", PROVED, lambda: _zeros(128), seconds=20)
    yield Case("bombs/announces-less", DAMAGED, lambda: _zeros(64, size=1000), "more bytes than")
    yield Case("bombs/nested", PROVED, lambda: _nested(6))
    yield Case("bombs/many-names", PROVED, lambda: _many(30_000), mib=32, seconds=30)
    yield Case(
        "bombs/deep-names", UNSUPPORTED, lambda: _deep(4_300), "directories that are no members", mib=160, seconds=30
    )
    hole = 46 * 20_000_001
    yield Case("bombs/more-members-than-can-be-held", UNSUPPORTED, lambda: _announced(hole), "members", hole=hole)
    comments = [Part(b"%d" % number, comment=b"c" * MAX16) for number in range(200)]
    yield Case("bombs/comments", PROVED, Zip(comments).joined)


def _zeros(mib: int, *, size: int | None = None) -> bytes:
    """So much of nothing, a thousandth of it in the file."""
    deflater, crc, out = zlib.compressobj(9, zlib.DEFLATED, -15), 0, b""
    for _ in range(mib):
        out += deflater.compress(bytes(MIB))
        crc = zlib.crc32(bytes(MIB), crc)
    data = out + deflater.flush()
    return Zip([Part(b"zeros", data=data, method=DEFLATED, size=size or mib * MIB, crc=crc)]).joined()


def _nested(depth: int) -> bytes:
    """Archives in archives, as 42.zip: nobody unpacks what is inside."""
    data = _zeros(16)
    for _ in range(depth):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(4):
                archive.writestr(f"{number}.zip", data)
        data = buffer.getvalue()
    return data


def _many(count: int) -> bytes:
    return Zip([Part(b"%x" % number) for number in range(count)]).joined()


def _deep(count: int) -> bytes:
    """Names of 500 bytes that imply 250 directories each."""
    return Zip([Part(b"%04x/" % number + b"a/" * 248 + b"f") for number in range(count)]).joined()


def _announced(size: int) -> bytes:
    """The end records of a directory that is large enough for twenty million members."""
    truth = {"size": size, "start": 0, "here": size // 46, "count": size // 46}
    short = {"here": MAX16, "count": MAX16, "size": MAX32, "start": MAX32}
    return Zip(end64=truth, locator={"at": size}, end=short).joined()
