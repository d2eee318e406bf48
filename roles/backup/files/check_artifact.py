# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks a backup without the software that made it: python3 check_artifact.py wst-backup-20261123-150000.zip

It needs this file, Python 3.9 or newer, the ZIP, and the sidecar <name>.manifest.json beside it. It changes nothing.
Proven: each byte of the ZIP belongs to one member or record; each member unpacks to its end with its CRC; names are
safe on Windows; members.jsonl lists exactly these members with these sizes, times and SHA-256; manifest.json counts
what the list has; the dump is there and not empty; the sidecar's SHA-256 is that of the whole ZIP. Not proven: that
the dump can be restored (the weekly restore test does that), and that nobody made all three files anew.

Exit code 0: proven. 1: refused. 2: this program cannot tell (unreadable, encrypted, of a newer schema, wrong usage).
What the names mean is in docs/manifest.md of the collection wst.backup; numbers in brackets are of PKWARE's APPNOTE.
"""

import argparse
import hashlib
import json
import os
import re
import stat
import struct
import sys
import time
import zlib
from collections import namedtuple

MANIFEST, MEMBERS = "manifest.json", "members.jsonl"
PIECE, MIB, M16, M32 = 1 << 18, 1 << 20, 0xFFFF, 0xFFFFFFFF
MOST_MEMBERS, MOST_FOLDERS, MOST_VALUES, MOST_REASONS, MOST_SHOWN = 20_000_000, 1_000_000, 2_000_000, 1000, 20
Entry = namedtuple("Entry", "path folder raw flags method clock crc packed size offset extra")


class Refused(Exception):
    """The artifact is not what it must be."""


class CannotTell(Exception):
    """Something that this program does not know."""


def demand(condition, reason, kind=Refused):
    if not condition:
        raise kind(reason)


def shown(text):
    """A name for messages, whatever it has in it."""
    return ascii(text)[:300]


# --- The ZIP's outline: where it ends, its directory, and that the members tile the file. -----------------------------


def read_at(file, offset, length):
    demand(offset >= 0, "it points before its own beginning")
    file.seek(offset)
    data = file.read(length)
    demand(len(data) == length, "it ends in the middle of something")
    return data


def find_directory(file, size):
    """Start, end and number of entries of the central directory [4.3.14 to 4.3.16]; no program may see another one."""
    base = max(0, size - 22 - M16)
    tail = read_at(file, base, size - base)
    places = [match.start() for match in re.finditer(b"(?=PK\x05\x06)", tail) if match.start() + 22 <= len(tail)]
    ends = {place: struct.unpack_from("<4H2LH", tail, place + 4) for place in places}
    whole = [place for place in places if place + 22 + ends[place][6] == len(tail)]
    demand(whole, "it has no end record at its end: cut short, or something was appended, or no ZIP")
    demand(whole[-1] == places[-1] and len(whole) == 1, "a second end record stands in its comment", CannotTell)
    at = base + whole[0]
    disk, first, here, count, length, start, _comment = end = ends[whole[0]]
    wide = at >= 20 and read_at(file, at - 20, 4) == b"PK\x06\x07"
    if wide:
        disk64, at64, disks = struct.unpack("<LQL", read_at(file, at - 16, 16))
        demand(disk64 == 0 and disks == 1, "it is a part of a split archive", CannotTell)
        demand(at64 + 56 == at - 20, "its 64-bit end record is not before its locator")
        at = at64
        sign, rest, disk, first, here, count, length, start = struct.unpack("<4sQ4x2L4Q", read_at(file, at, 56))
        demand(sign == b"PK\x06\x06" and rest == 44, "its 64-bit end record is malformed")
    demand(disk == first == 0 and here == count, "it is a part of a split archive", CannotTell)
    if wide:
        both = zip(end, (disk, first, count, count, length, start), (M16, M16, M16, M16, M32, M32))
        same = end[2] == end[3] and all(short in (full, limit) for short, full, limit in both)
        demand(same, "its two end records contradict each other")
    else:
        demand(M32 not in (length, start), "its end record promises 64-bit records that are not there")
    demand(start + length == at, "its directory does not end where its end record begins")
    demand(count <= length // 46, "it announces more members than its directory has room for")
    demand(count <= MOST_MEMBERS, f"it has too many members for this program: {count}", CannotTell)
    return start, at, count


def extra_fields(data):
    """Kind and content of each extra field [4.5.1]."""
    found, place = [], 0
    while place < len(data):
        demand(place + 4 <= len(data), "a malformed extra field")
        kind, length = struct.unpack_from("<2H", data, place)
        content = data[place + 4 : place + 4 + length]
        demand(len(content) == length, "a malformed extra field")
        if kind == 0x5455:
            demand(content and (not content[0] & 1 or length >= 5), "a malformed timestamp")
        found.append((kind, content))
        place += 4 + length
    return found


def only(fields, kind):
    return [content for each, content in fields if each == kind]


def widened(fields, values, layouts, exactly):
    """These values, each from the 64-bit field [4.5.3] where 32 (or 16) bits did not hold it."""
    wide = only(fields, 1)
    demand(len(wide) <= 1, "two 64-bit fields")
    data, place, result = wide[0] if wide else b"", 0, []
    for value, layout in zip(values, layouts):
        if value == (M16 if layout == "<L" else M32):
            demand(place + struct.calcsize(layout) <= len(data), "a 64-bit value that is not there")
            value = struct.unpack_from(layout, data, place)[0]
            place += struct.calcsize(layout)
        result.append(value)
    demand(place == len(data) or not exactly, "a 64-bit value that nothing announces")
    return result


def entries(file, start, end, count):
    """Each entry of the central directory [4.3.12], one after the other."""
    number, place = 0, start
    while place < end:
        demand(place + 46 <= end, "its directory is cut short")
        head = struct.unpack("<4s6H3L5H2L", read_at(file, place, 46))
        length = sum(head[10:13])
        demand(place + 46 + length <= end, "its directory is cut short")
        demand(head[0] == b"PK\x01\x02", "something else stands in its directory")
        try:
            entry = entry_of(head, read_at(file, place + 46, length))
        except (Refused, CannotTell) as error:
            raise type(error)(f"member {number + 1} of its directory: {error}") from None
        demand(entry.offset < start, f"{shown(entry.path)} begins inside the directory")
        yield entry
        number, place = number + 1, place + 46 + length
    demand(number == count, f"its end record announces {count} members, its directory has {number}")


def entry_of(head, rest):
    _sign, made, needed, flags, method, clock, date, crc, packed, size, n_raw, n_extra, _n, disk, _i, outer, offset = (
        head
    )
    raw, extra = rest[:n_raw], extra_fields(rest[n_raw : n_raw + n_extra])
    try:
        name = plain = raw.decode("utf-8" if flags & 0x800 else "cp437")
        for content in only(extra, 0x7075):  # another name, for programs that know this field [4.6.9]
            if content[:5] == struct.pack("<BL", 1, zlib.crc32(raw)):
                name = content[5:].decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("a malformed name") from None
    folder = name.endswith("/")
    same_kind = plain.endswith("/") == folder
    demand(
        name == plain or (same_kind and not unsafe(plain.rstrip("/"))), f"a second name that is unsafe: {shown(plain)}"
    )
    size, packed, offset, disk = widened(extra, (size, packed, offset, disk), ("<Q", "<Q", "<Q", "<L"), True)
    demand(needed & 0xFF <= 63, "needs a newer version of the format", CannotTell)
    demand(not flags & 0x2041 and not any(only(extra, kind) for kind in (0x17, 0x9901)), "is encrypted", CannotTell)
    demand(not flags & ~0x080E, f"has flags that are not known: {flags:#06x}", CannotTell)
    demand(method in (0, 8), f"is packed by method {method}, which is not known", CannotTell)
    demand(disk == 0, "lies in another part of a split archive", CannotTell)
    system = made >> 8  # what the attributes mean [4.4.2]: on Unix and macOS a mode, on those and DOS' kin a low byte
    mode = outer >> 16 & 0o170000 if system in (3, 19) else 0
    demand(mode in (0, 0o040000 if folder else 0o100000), f"{shown(name)} is a link or a device")
    demand(
        folder or not outer & 0x10 or system not in (0, 3, 10, 14, 19), f"{shown(name)} is a file marked as a folder"
    )
    demand(method or packed == size, f"{shown(name)} is stored in another size")
    demand(size <= packed * 1032 and not (folder and size), f"{shown(name)} announces a size that cannot be")
    return Entry(
        name[:-1] if folder else name, folder, raw, flags, method, (clock, date), crc, packed, size, offset, extra
    )


DEVICE = re.compile(
    "(CON|PRN|AUX|NUL|CONIN[$]|CONOUT[$]|(COM|LPT)[0-9\xb9\xb2\xb3]) *([.].*)?", re.IGNORECASE | re.DOTALL
)


def unsafe(path):
    """Whether Windows cannot hold that path, or a program that unpacks it could leave its target."""
    parts = path.split("/", 256)
    if len(parts) > 255 or len(path.encode("utf-8", "surrogatepass")) > 32_000:
        return True
    for part in parts:
        if (part.strip(".") == "" and len(part) < 3) or part[-1] in ". " or re.search(r'[\x00-\x1f<>:"|?*\\]', part):
            return True
        if DEVICE.fullmatch(part) or re.search("[\ud800-\udfff]", part) or len(part.encode("utf-16-le")) > 510:
            return True
    return False


class Names:
    """All names, as Windows compares them: letter by letter, without regard to case. Only digests are kept."""

    def __init__(self):
        self.kinds, self.implied = {}, 0  # True: a file; False: a folder; None: a folder known by what lies in it

    @staticmethod
    def key(path):
        def lower(letter):
            small = letter.lower()
            return small if len(small) == 1 and small.upper() == letter and letter <= "\uffff" else letter

        text = path.lower() if path.isascii() else "".join(map(lower, path))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:12]

    def add(self, path, is_file):
        demand(not unsafe(path), f"an unsafe name: {shown(path)}")
        key = self.key(path)
        taken = key in self.kinds and (is_file or self.kinds[key] is not None)
        demand(not taken, f"two entries have the same name on Windows: {shown(path)}")
        self.implied -= key in self.kinds
        self.kinds[key] = is_file
        above = path.rpartition("/")[0]
        while above:
            key = self.key(above)
            if key in self.kinds:
                demand(not self.kinds[key], f"something lies below a file: {shown(path)}")
                break
            self.kinds[key] = None
            self.implied += 1
            demand(self.implied <= MOST_FOLDERS, "too many folders that are no members", CannotTell)
            above = above.rpartition("/")[0]


# --- A member: both its headers, its content to the last byte, and what stands between it and the next. ---------------


def content(file, entry, end):
    """The member's bytes in pieces, which all of the file from its header up to ``end`` must be about [4.3.7]."""
    head = struct.unpack("<4s5H3L2H", read_at(file, entry.offset, 30))
    sign, _needed, flags, method, clock, date, crc, packed, size, n_raw, n_extra = head
    demand(sign == b"PK\x03\x04", "has no local header")
    rest = read_at(file, entry.offset + 30, n_raw + n_extra)
    extra = extra_fields(rest[n_raw:])
    size, packed = widened(extra, (size, packed), ("<Q", "<Q"), False)
    told = (entry.crc, entry.packed, entry.size)
    agree = (flags, method, (clock, date), rest[:n_raw]) == (entry.flags, entry.method, entry.clock, entry.raw)
    for here, there in zip((crc, packed, size), told):
        agree = agree and (here == there or (flags & 8 and here == 0))  # its numbers may stand behind it
    agree = agree and not any(only(extra, kind) for kind in (0x17, 0x9901))
    agree = agree and only(extra, 0x7075) == only(entry.extra, 0x7075)
    times, named = only(extra, 0x5455), only(entry.extra, 0x5455)
    agree = agree and all(len(each) >= 1 + 4 * bin(each[0] & 7).count("1") for each in times)
    agree = agree and (not named or [each[1:5] for each in named] == [each[1:5] for each in times])
    demand(agree, "has two headers that contradict each other")
    start = entry.offset + 30 + len(rest)
    behind = end - start - entry.packed
    demand(0 <= behind <= 24, "overlaps what follows it, or bytes that belong to nothing follow it")
    place, left = 0, entry.size
    check = 0
    for piece in unpacked(file, start, entry):
        place += len(piece)
        demand(place <= left, "has more bytes than it announces")
        check = zlib.crc32(piece, check)
        yield piece
    demand(place == left, f"has {place} bytes instead of {left}")
    demand(check == entry.crc, "does not have its CRC")
    numbers = [struct.pack("<L2Q", *told)]
    if max(told) <= M32:
        numbers.append(struct.pack("<3L", *told))
    right = [mark + each for mark in (b"", b"PK\x07\x08") for each in numbers] if flags & 8 else [b""]  # [4.3.9]
    demand(read_at(file, start + entry.packed, behind) in right, "is followed by bytes that belong to nothing")


def unpacked(file, start, entry):
    stream = zlib.decompressobj(-15) if entry.method else None
    for place in range(start, start + entry.packed, PIECE):
        data = read_at(file, place, min(PIECE, start + entry.packed - place))
        if stream is None:
            yield data
            continue
        demand(not stream.eof, "goes on after the end of its stream")
        more = True
        while more:
            try:
                piece = stream.decompress(data, MIB)
            except zlib.error as error:
                raise Refused(f"does not unpack: {error}") from None
            yield piece
            data = stream.unconsumed_tail
            more = not stream.eof and (data or len(piece) == MIB)
    if stream is not None:
        demand(stream.eof, "ends before the end of its stream")
        demand(not stream.unused_data, "goes on after the end of its stream")


# --- What the artifact says of itself. --------------------------------------------------------------------------------


def parse_json(data, what):
    """JSON that no two readers can read differently, in memory that its length bounds."""

    def unique(pairs):
        value = dict(pairs)
        demand(len(value) == len(pairs), f"{what} has a key twice")
        return value

    def number(text, kind):
        value = kind(text) if len(text) <= 40 else None
        demand(value is not None and value - value == 0, f"{what} has a number that nothing holds")
        return value

    demand(sum(map(data.count, (b",", b"{", b"["))) <= MOST_VALUES, f"{what} has too many values")
    try:
        return json.loads(
            data.decode("ascii"),
            object_pairs_hook=unique,
            parse_int=lambda text: number(text, int),
            parse_float=lambda text: number(text, float),
            parse_constant=lambda text: demand(False, f"{what} has {text}, which is no JSON"),
        )
    except (ValueError, RecursionError):
        raise Refused(f"{what} is no JSON") from None


def is_number(value):
    return isinstance(value, int) and not isinstance(value, bool)


def is_hex(value, digits):
    return isinstance(value, str) and re.fullmatch("[0-9a-f]*", value) is not None and len(value) == digits


def check_schema(body, what):
    version = body.get("schema_version") if isinstance(body, dict) else None
    demand(is_number(version) and version >= 1, f"{what} has no schema version")
    demand(version == 1, f"{what} is of schema {version}, and this program knows 1", CannotTell)


def read_manifest(data):
    body = parse_json(data, MANIFEST)
    check_schema(body, MANIFEST)
    needed = {
        "artifact": str,
        "run_id": str,
        "members": dict,
        "sources": list,
        "dump": dict,
        "database": dict,
        "totals": dict,
    }
    for name, kind in needed.items():
        demand(isinstance(body.get(name), kind), f"{MANIFEST} lacks {name}")
    names = [each.get("name") if isinstance(each, dict) else None for each in body["sources"]] + [
        body["dump"].get("path")
    ]
    demand(all(isinstance(name, str) and not unsafe(name) for name in names), f"{MANIFEST} has an unusable name")
    return body


def read_sidecar(path):
    """The sidecar's body, None where there is no sidecar: one line of canonical JSON with its own SHA-256."""
    try:
        demand(stat.S_ISREG(os.stat(path).st_mode), "the sidecar is no file")
        with open(path, "rb") as file:
            data = file.read((128 << 20) + 1)
    except FileNotFoundError:
        return None
    demand(len(data) <= 128 << 20, "the sidecar is larger than any")
    match = re.fullmatch(rb'\{"body":(\{.*\}),"digest":"sha256:([0-9a-f]{64})"\}\n', data)
    demand(
        match and hashlib.sha256(match[1]).hexdigest() == match[2].decode(), "the sidecar does not have its own SHA-256"
    )
    body = parse_json(match[1], "the sidecar")
    plain = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    demand(plain == match[1], "the sidecar is not as it was written")
    check_schema(body, "the sidecar")
    told = body.get("zip")
    usable = isinstance(told, dict) and is_number(told.get("size")) and is_hex(told.get("sha256"), 64)
    demand(usable and is_hex(body.get("manifest_sha256"), 64), "the sidecar lacks what it must have")
    return body


def lines_of(pieces):
    """Each line of members.jsonl, checked, as (path, kind, mtime_ns, size, sha256, crc32)."""
    rest, number = b"", 0
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for text in whole:
            number += 1
            demand(number <= MOST_MEMBERS, f"{MEMBERS} has too many lines for this program", CannotTell)
            what = f"line {number} of {MEMBERS}"
            demand(len(text) <= MIB, what + " is too long")
            yield line_of(parse_json(text, what), what)
        demand(len(rest) <= MIB, f"{MEMBERS} has a line that is too long")
    demand(not rest, f"{MEMBERS} has a last line without an end")


def line_of(line, what):
    demand(isinstance(line, dict) and line.get("kind") in ("file", "directory", "link"), what + " is no entry")
    kind, size, digest, crc = line["kind"], line.get("size"), line.get("sha256"), line.get("crc32")
    good = (
        isinstance(line.get("path"), str) and is_number(line.get("mtime_ns")) and is_number(line.get("attributes", 0))
    )
    good = good and all(line.get(name) is None or isinstance(line[name], str) for name in ("sddl", "note"))
    if kind == "file":
        good = good and is_number(size) and size >= 0 and is_hex(digest, 64) and is_hex(crc, 8)
    else:
        good, size, digest, crc = good and (kind != "link" or isinstance(line.get("target"), str)), 0, None, "0"
    demand(good, what + " is no entry")
    return line["path"], kind, line["mtime_ns"], size, digest, int(crc, 16)


def times_of(mtime_ns):
    """What both headers must say of that time: DOS' two fields in UTC [4.4.6], and the extra field with the second."""
    second = mtime_ns // 10**9
    moment = time.gmtime(min(max(second, 315_532_800), 4_354_819_198))  # 1980 to 2107
    clock = moment.tm_hour << 11 | moment.tm_min << 5 | moment.tm_sec // 2
    date = moment.tm_year - 1980 << 9 | moment.tm_mon << 5 | moment.tm_mday
    return (clock, date), [struct.pack("<BL", 1, second)] if 0 <= second < 1 << 31 else []


# --- All of it together. ----------------------------------------------------------------------------------------------


class Check:
    """One artifact. Raises at what makes going on pointless; ``reasons`` are of single members."""

    def __init__(self, path):
        self.path, self.reasons, self.remarks, self.facts = path, [], [], {}

    def run(self):
        demand(stat.S_ISREG(os.stat(self.path).st_mode), "it is no regular file", CannotTell)
        with open(self.path, "rb") as self.file, open(self.path, "rb") as self.index:
            before = os.fstat(self.file.fileno())
            self.outline(before.st_size)
            self.manifest = self.prove_manifest()
            self.prove_listed() if self.manifest else self.prove_unlisted()
            self.prove_sidecar(before.st_size)
            after = os.fstat(self.file.fileno())
            same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
            demand(same, "somebody wrote to it meanwhile", CannotTell)

    def outline(self, size):
        """Names are safe and distinct; the members can tile the file: the first begins it, each ends at the next."""
        self.directory = find_directory(self.file, size)
        self.names, self.described, places = Names(), {}, []
        for entry in self.members():
            self.names.add(entry.path, not entry.folder)
            places.append(entry.offset)
            if entry.path in (MANIFEST, MEMBERS) and not entry.folder:
                self.described[entry.path] = entry
        places = sorted(places) + [self.directory[0]]
        demand(places[0] == 0, "bytes that belong to nothing stand before its first member")
        self.ends = dict(zip(places, places[1:]))
        demand(len(self.ends) == len(places) - 1, "two members share their bytes")
        for entry in self.members():
            fits = entry.offset + 30 + len(entry.raw) + entry.packed <= self.ends[entry.offset]
            demand(fits, f"{shown(entry.path)} overlaps what follows it")
        self.facts["members"] = len(places) - 1

    def members(self):
        return entries(self.index, *self.directory)

    def pieces(self, entry):
        try:
            yield from content(self.file, entry, self.ends[entry.offset])
        except Refused as error:
            raise Refused(f"{shown(entry.path)} {error}") from None

    def prove_manifest(self):
        if not self.described:
            self.remarks.append("made by others: there is no member list, so contents rest on their CRCs alone")
            return None
        missing = [name for name in (MANIFEST, MEMBERS) if name not in self.described]
        demand(not missing, "it lacks {}".format("".join(missing)))
        entry = self.described[MANIFEST]
        demand(entry.size <= 64 * MIB, "its manifest.json is too large for this program", CannotTell)
        data = b"".join(self.pieces(entry))
        self.facts["manifest_sha256"] = hashlib.sha256(data).hexdigest()
        body = read_manifest(data)
        lacking = [each["name"] for each in body["sources"] if Names.key(each["name"]) not in self.names.kinds]
        demand(not lacking, f"it lacks {len(lacking)} of its sources: {lacking[:MOST_SHOWN]!a}")
        dumps = [entry for entry in self.members() if entry.path == body["dump"]["path"] and not entry.folder]
        demand(dumps and dumps[0].size, "its dump {} is missing or empty".format(shown(body["dump"]["path"])))
        return body

    def prove_unlisted(self):
        for entry in self.members():
            self.prove_content(entry, None)

    def prove_listed(self):
        """Member list and directory side by side, both in one order; then the manifest, which counts the list."""
        own = [entry.offset for entry in self.described.values()]
        others = (entry for entry in self.members() if entry.offset not in own)
        digest, size, count, dump = hashlib.sha256(), 0, 0, None
        sums = {
            each["name"]: dict.fromkeys(("files", "directories", "links", "bytes"), 0)
            for each in self.manifest["sources"]
        }

        def watched():
            nonlocal size
            for piece in self.pieces(self.described[MEMBERS]):
                digest.update(piece)
                size += len(piece)
                yield piece

        for line in lines_of(watched()):
            path, kind = line[:2]
            count += 1
            if path == self.manifest["dump"]["path"]:
                dump = line
            if kind == "link":
                self.names.add(path, True)  # it is only listed; nothing may have its name or lie below it
            else:
                self.prove_line(next(others, None), line)
            source = sums.get(path.split("/")[0])
            if source is not None:
                source[{"file": "files", "directory": "directories", "link": "links"}[kind]] += 1
                source["bytes"] += line[3]
        left = next(others, None)
        demand(left is None, f"a member that is not in the list: {shown(left and left.path)}")
        told = self.manifest["members"]
        listed = (told.get("count"), told.get("size"), told.get("sha256")) == (count, size, digest.hexdigest())
        demand(listed, "members.jsonl is not the one that the manifest describes")
        told = self.manifest["dump"]
        demand(
            dump and (told.get("size"), told.get("sha256")) == (dump[3], dump[4]), "the manifest describes another dump"
        )
        total = dict.fromkeys(("files", "directories", "links", "bytes"), 0)
        for each in self.manifest["sources"]:
            found = sums[each["name"]]
            agree = all(each.get(name) == value for name, value in found.items())
            demand(agree, "the manifest counts {} otherwise than the list".format(shown(each["name"])))
            total = {name: total[name] + found[name] for name in total}
        demand(self.manifest["totals"] == total, "the manifest has other totals than the list")
        self.facts.update(total)

    def prove_line(self, entry, line):
        path, kind, mtime_ns, size, sha256, crc = line
        name = shown(path)
        demand(entry is not None, f"{name} is in the list but not in the archive")
        named = (entry.path, entry.folder) == (path, kind == "directory") and not only(entry.extra, 0x7075)
        demand(named, f"where the list has {name}, the archive has {shown(entry.path)}")
        demand((entry.clock, only(entry.extra, 0x5455)) == times_of(mtime_ns), f"{name} has another time than listed")
        demand(kind != "file" or (entry.size, entry.crc) == (size, crc), f"{name} is not what the list says")
        self.prove_content(entry, sha256)

    def prove_content(self, entry, sha256):
        """A bad member does not keep the others from being told."""
        digest = hashlib.sha256()
        try:
            for piece in self.pieces(entry):
                digest.update(piece)
            demand(sha256 in (None, digest.hexdigest()), f"{shown(entry.path)} does not have its SHA-256")
        except Refused as error:
            if len(self.reasons) < MOST_REASONS:
                self.reasons.append(str(error))

    def prove_sidecar(self, size):
        digest = hashlib.sha256()
        for place in range(0, size, MIB):
            digest.update(read_at(self.file, place, min(MIB, size - place)))
        self.facts.update(size=size, sha256=digest.hexdigest())
        beside = self.path[:-4] + ".manifest.json" if self.path.endswith(".zip") else None
        sidecar = read_sidecar(beside) if beside else None
        if sidecar is None:
            self.remarks.append("no sidecar beside it: nothing outside of the ZIP vouches for it")
            return
        told = sidecar["zip"]
        demand(self.manifest is not None, "it has no manifest.json, and a sidecar that names one")
        demand(
            (told["size"], told["sha256"]) == (size, digest.hexdigest()), "it is not the file that its sidecar names"
        )
        demand(sidecar["manifest_sha256"] == self.facts["manifest_sha256"], "its manifest is not the sidecar's")
        if told.get("name") != os.path.basename(self.path):
            self.remarks.append("its sidecar calls it {}".format(shown(told.get("name"))))
        if sidecar.get("suspect"):
            self.remarks.append("its content was found suspect when it was made: {}".format(shown(sidecar["suspect"])))


def judge(path):
    """The exit code, and all that is to be said."""
    check, unknown = Check(path), None
    try:
        check.run()
    except Refused as error:
        check.reasons.append(str(error))
    except CannotTell as error:
        unknown = str(error)
    except (OSError, MemoryError) as error:
        unknown = f"it cannot be read: {str(error)!a}"
    code = 1 if check.reasons else 2 if unknown else 0  # what is known to be wrong stays so
    reasons = check.reasons + ([unknown] if unknown else [])
    verdict = ("proven", "refused", "cannot tell")[code]
    return code, {"artifact": path, "verdict": verdict, "reasons": reasons, "remarks": check.remarks, **check.facts}


def main():
    parser = argparse.ArgumentParser(
        description="Check a backup by itself. Exit code 0 proven, 1 refused, 2 cannot tell."
    )
    parser.add_argument("artifact", help="the ZIP; its sidecar is looked for beside it")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    code, verdict = judge(options.artifact)
    if options.json:
        print(json.dumps(verdict, sort_keys=True))
        return code
    for reason in verdict["reasons"][:MOST_SHOWN]:
        print("{}: {}".format(verdict["verdict"], reason))
    if len(verdict["reasons"]) > MOST_SHOWN:
        print(f"and {len(verdict['reasons']) - MOST_SHOWN} more")
    for remark in verdict["remarks"]:
        print(f"remark: {remark}")
    print("{}: {} {}".format(ascii(options.artifact), verdict["verdict"].upper(), verdict.get("sha256", "")))
    return code


if __name__ == "__main__":
    sys.exit(main())
