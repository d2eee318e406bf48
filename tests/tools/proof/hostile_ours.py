# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Artifacts that claim to be ours: intact ZIPs whose manifest, member list or sidecar lies or is a bomb."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from tools.proof.artifact import DUMP, Artifact, small
from tools.proof.case import DAMAGED, INCOMPLETE, PROVED, RECORD, UNSAFE, UNSUPPORTED, Case, always
from tools.proof.zipbytes import DEFLATED, MAX32, Part, Zip, extra, parse

Body = dict[str, Any]
Lines = list[Body]
MIB = 1 << 20
MANIFEST, MEMBERS = "manifest.json", "members.jsonl"
PAGE = "wst/index.html"


def cases() -> Iterator[Case]:
    """All of them."""
    for family in (_members, _manifests, _lines, _lists, _json, _sidecars):
        yield from family()


@cache
def good() -> Artifact:
    """The artifact that all of them are made from."""
    return small(streamed=False)


def opened() -> Zip:
    """It, as data."""
    return parse(good().zip)


def content(archive: Zip, name: str) -> bytes:
    """What a member holds."""
    part = archive.part(name)
    return zlib.decompress(part.data, -15) if part.method == DEFLATED else part.data


def manifest_of(archive: Zip) -> Body:
    """Its manifest."""
    body: Body = json.loads(content(archive, MANIFEST))
    return body


def lines_of(archive: Zip) -> Lines:
    """Its member list."""
    return [json.loads(line) for line in content(archive, MEMBERS).splitlines()]


def with_manifest(change: Callable[[Body], object]) -> Callable[[], bytes]:
    """Only the manifest is another."""

    def make() -> bytes:
        archive = opened()
        body = manifest_of(archive)
        change(body)
        archive.part(MANIFEST).fill(json.dumps(body, indent=2, sort_keys=True).encode())
        return archive.joined()

    return make


def with_text(name: str, text: Callable[[], bytes]) -> Callable[[], bytes]:
    """Those bytes in the place of the manifest or the list."""

    def make() -> bytes:
        archive = opened()
        archive.part(name).fill(text())
        return archive.joined()

    return make


def with_lines(change: Callable[[Lines], object], *, told: bool = True) -> Callable[[], bytes]:
    """Another member list, and a manifest that describes it."""

    def make() -> bytes:
        archive = opened()
        lines = lines_of(archive)
        change(lines)
        return _listed(archive, b"".join(json.dumps(line, sort_keys=True).encode() + b"\n" for line in lines), told)

    return make


def with_list(text: Callable[[], bytes]) -> Callable[[], bytes]:
    """That text as the member list, and a manifest that describes it."""
    return lambda: _listed(opened(), text(), True)


def _listed(archive: Zip, data: bytes, told: bool) -> bytes:
    archive.part(MEMBERS).fill(data)
    if told:
        body = manifest_of(archive)
        digest = hashlib.sha256(data).hexdigest()
        body["members"] = {"count": data.count(b"\n"), "size": len(data), "sha256": digest}
        archive.part(MANIFEST).fill(json.dumps(body).encode())
    return archive.joined()


def with_parts(change: Callable[[Zip], object]) -> Callable[[], bytes]:
    """Other members, the list and the manifest as they were."""

    def make() -> bytes:
        archive = opened()
        change(archive)
        return archive.joined()

    return make


def _members() -> Iterator[Case]:
    def drop(name: str) -> Callable[[], bytes]:
        return with_parts(lambda archive: archive.parts.remove(archive.part(name)))

    def add(name: str, at: int) -> Callable[[], bytes]:
        return with_parts(lambda archive: archive.parts.insert(at, Part(name.encode()).fill(b"planted")))

    yield Case("ours/good", PROVED, lambda: good().zip)
    for name in (PAGE, "wst/d/", "roles.sql", MANIFEST, MEMBERS):
        yield Case(f"ours/lacks-{name}", INCOMPLETE, drop(name))
    yield Case("ours/lacks-dump", "dump_missing", drop(DUMP))
    yield Case("ours/empty-dump", "dump_empty", with_parts(lambda archive: archive.part(DUMP).fill(b"")))
    yield Case("ours/empty-dump-and-told-so", "dump_empty", _empty_dump)
    yield Case("ours/other-content", DAMAGED, with_parts(lambda archive: archive.part(PAGE).fill(b"defaced")), PAGE)
    yield Case("ours/other-dump", DAMAGED, with_parts(lambda archive: archive.part(DUMP).fill(b"PGDMP other")), DUMP)
    yield Case("ours/planted", DAMAGED, add("wst/planted.aspx", 2), "not in the member list")
    yield Case("ours/planted-last", DAMAGED, add("zzz", 99), "not in the member list")
    yield Case("ours/planted-beside-dump", DAMAGED, add("other.dump", 6), "not in the member list")
    yield Case("ours/swapped", DAMAGED, with_parts(lambda archive: archive.parts.reverse()))
    yield Case("ours/other-time", DAMAGED, with_parts(_other_time), "time")


def _empty_dump() -> bytes:
    """List and manifest agree that it has no bytes."""
    archive = opened()
    digest = hashlib.sha256(b"").hexdigest()
    archive.part(DUMP).fill(b"")
    lines, body = lines_of(archive), manifest_of(archive)
    next(line for line in lines if line["path"] == DUMP).update(size=0, sha256=digest, crc32="0" * 8)
    body["dump"].update(size=0, sha256=digest)
    archive.part(MANIFEST).fill(json.dumps(body).encode())
    return _listed(archive, b"".join(json.dumps(line, sort_keys=True).encode() + b"\n" for line in lines), True)


def _other_time(archive: Zip) -> None:
    """Both headers agree on it; only the member list knows better."""
    part = archive.part(PAGE)
    for record in (part.local, part.central):
        record["time"] = 0


def _manifests() -> Iterator[Case]:
    changes: dict[str, Callable[[Body], object]] = {
        "no-totals": lambda body: body.pop("totals"),
        "no-sources": lambda body: body.pop("sources"),
        "no-schema": lambda body: body.pop("schema_version"),
        "schema-0": lambda body: body.update(schema_version=0),
        "schema-true": lambda body: body.update(schema_version=True),
        "schema-text": lambda body: body.update(schema_version="1"),
        "sources-of-numbers": lambda body: body.update(sources=[1]),
        "source-without-name": lambda body: body["sources"][0].pop("name"),
        "source-name-number": lambda body: body["sources"][0].update(name=7),
        "source-name-empty": lambda body: body["sources"][0].update(name=""),
        "source-name-unsafe": lambda body: body["sources"][0].update(name="../x"),
        "source-name-surrogate": lambda body: body["sources"][0].update(name="\ud800"),
        "source-twice": lambda body: body["sources"].append(body["sources"][0]),
        "source-files": lambda body: body["sources"][0].update(files=99),
        "source-bytes-text": lambda body: body["sources"][0].update(bytes="129"),
        "dump-without-path": lambda body: body["dump"].pop("path"),
        "dump-path-number": lambda body: body["dump"].update(path=7),
        "dump-path-list": lambda body: body["dump"].update(path=[]),
        "dump-other-digest": lambda body: body["dump"].update(sha256="0" * 64),
        "dump-other-size": lambda body: body["dump"].update(size=1),
        "dump-is-another-member": lambda body: body["dump"].update(path="roles.sql"),
        "totals-files": lambda body: body["totals"].update(files=99),
        "totals-list": lambda body: body.update(totals=[]),
        "members-count": lambda body: body["members"].update(count=1),
        "members-size": lambda body: body["members"].update(size=1),
        "members-digest": lambda body: body["members"].update(sha256="0" * 64),
        "members-empty": lambda body: body.update(members={}),
    }
    for name, change in changes.items():
        yield Case(f"manifest/{name}", DAMAGED, with_manifest(change), "manifest.json|manifest")
    newer = with_manifest(lambda body: body.update(schema_version=2))
    yield Case("manifest/newer-schema", UNSUPPORTED, newer, "schema 2")
    huge = with_manifest(lambda body: body.update(schema_version=10**30))
    yield Case("manifest/huge-schema", UNSUPPORTED, huge, "schema 1000")
    more = with_manifest(lambda body: body.update(later=[{"unknown": 1.5}]))
    yield Case("manifest/unknown-fields", PROVED, more)
    missing = with_manifest(lambda body: body["sources"].append({"name": "wst-api"}))
    yield Case("manifest/source-missing", INCOMPLETE, missing, "wst-api")
    nothing = {"name": "wst-api", "files": 0, "directories": 0, "links": 0, "bytes": 0}
    counted = with_manifest(lambda body: body["sources"].append(nothing))
    yield Case("manifest/source-missing-and-counted-so", INCOMPLETE, counted, "wst-api")
    many = with_manifest(lambda body: body["sources"].extend({"name": f"s{number}"} for number in range(200_000)))
    yield Case("manifest/sources-without-end", INCOMPLETE, many, "and 199980 more", mib=160, seconds=20)


def _lines() -> Iterator[Case]:
    def first_file(lines: Lines) -> Body:
        return next(line for line in lines if line["path"] == PAGE)

    values: dict[str, tuple[str, object]] = {
        "path-number": ("path", 7), "path-null": ("path", None), "kind-unknown": ("kind", "socket"),
        "kind-list": ("kind", []), "mtime-float": ("mtime_ns", 1.5), "mtime-text": ("mtime_ns", "1"),
        "mtime-true": ("mtime_ns", True), "size-negative": ("size", -1), "size-text": ("size", "120"),
        "size-huge": ("size", 10**30), "digest-number": ("sha256", 7), "digest-short": ("sha256", "ab"),
        "digest-null": ("sha256", None), "digest-other": ("sha256", "0" * 64), "crc-number": ("crc32", 7),
        "crc-sign": ("crc32", "-0000001"), "crc-long": ("crc32", "0" * 9), "crc-other": ("crc32", "00000000"),
        "sddl-list": ("sddl", []), "note-number": ("note", 7), "attributes-text": ("attributes", "1"),
        "attributes-infinite": ("attributes", float("inf")), "mtime-infinite": ("mtime_ns", float("inf")),
        "mtime-nan": ("mtime_ns", float("nan")), "path-other-case": ("path", PAGE.upper()),
    }  # fmt: skip
    for name, (key, value) in values.items():

        def change(lines: Lines, key: str = key, value: object = value) -> None:
            first_file(lines)[key] = value

        code = INCOMPLETE if name == "path-other-case" else DAMAGED
        yield Case(f"lines/{name}", code, with_lines(change))
    yield Case(
        "lines/mtime-other", DAMAGED, with_lines(lambda lines: first_file(lines).update(mtime_ns=10**18)), "time"
    )
    yield Case("lines/directory-as-file", DAMAGED, with_lines(lambda lines: lines[1].update(kind="file")))
    yield Case("lines/file-as-directory", DAMAGED, with_lines(lambda lines: first_file(lines).update(kind="directory")))
    yield Case("lines/one-less", DAMAGED, with_lines(lambda lines: lines.pop(2)))
    yield Case("lines/last-less", DAMAGED, with_lines(lambda lines: lines.pop()))
    yield Case("lines/one-twice", DAMAGED, with_lines(lambda lines: lines.insert(2, lines[2])))
    yield Case("lines/one-more", INCOMPLETE, with_lines(lambda lines: lines.append({**lines[2], "path": "zzz"})))
    yield Case("lines/reversed", DAMAGED, with_lines(lambda lines: lines.reverse()))
    yield Case("lines/not-told", DAMAGED, with_lines(lambda lines: lines[0].update(later=1), told=False))
    yield from _links()


def _links() -> Iterator[Case]:
    def linked(path: str, **more: object) -> Callable[[], bytes]:
        line = {"path": path, "kind": "link", "mtime": "x", "mtime_ns": 0, "target": "C:\\Windows", **more}
        return with_lines(lambda lines: lines.insert(1, line))

    yield Case("links/counted-nowhere", DAMAGED, linked("wst/link"), "counts")
    yield Case("links/outside-of-sources", PROVED, linked("elsewhere"))
    yield Case("links/unsafe", UNSAFE, linked("../link"))
    yield Case("links/without-target", DAMAGED, linked("wst/link", target=None), "line 2")
    yield Case("links/name-of-a-file", DAMAGED, linked(PAGE), "same name")
    yield Case("links/name-of-a-file-in-capitals", DAMAGED, linked(PAGE.upper()), "same name")
    yield Case("links/above-members", DAMAGED, linked("wst/ä"), "name")
    yield Case("links/below-a-file", DAMAGED, linked(PAGE + "/link"), "both file and directory")
    many = b"".join(
        b'{"kind":"link","mtime":"","mtime_ns":0,"path":"l%d","target":""}\n' % number for number in range(50_000)
    )
    yield Case("links/many", PROVED, with_list(lambda: content(opened(), MEMBERS) + many), mib=48, seconds=20)


def _lists() -> Iterator[Case]:
    texts: dict[str, bytes] = {
        "empty": b"", "one-newline": b"\n", "newlines": b"\n" * 3 * MIB, "no-json": b"x\n", "list": b"[]\n",
        "number": b"7\n", "null": b"null\n", "utf-16": "{}\n".encode("utf-16"), "byte-order-mark": b"\xef\xbb\xbf{}\n",
        "no-utf-8": b'{"path":"\xff"}\n', "zeros": bytes(1000) + b"\n", "cut": b'{"kind":"fi',
        "nul-line": b"\0\n",
    }  # fmt: skip
    for name, text in texts.items():
        yield Case(f"list/{name}", DAMAGED, with_list(always(text)))
    yield Case("list/no-last-newline", DAMAGED, with_list(lambda: content(opened(), MEMBERS)[:-1]))
    yield Case("list/windows-newlines", PROVED, with_list(lambda: content(opened(), MEMBERS).replace(b"\n", b"\r\n")))
    yield Case("list/line-of-10-gib", DAMAGED, lambda: _endless(MEMBERS, 10 << 10, head=b'{"path":"'), "too long")
    yield Case("list/line-beyond-a-mib", DAMAGED, with_list(_long_line), "too long")
    yield Case("list/duplicate-key", DAMAGED, with_list(lambda: _twice(content(opened(), MEMBERS))), "line 1")


def _long_line() -> bytes:
    """A whole line that is longer than one may be, and yet shorter than two pieces in which it is read."""
    first, rest = content(opened(), MEMBERS).split(b"\n", 1)
    return first[:-1] + b',"later":"' + b"a" * (MIB + MIB // 3) + b'"}\n' + rest


def _twice(data: bytes) -> bytes:
    return data.replace(b'{"', b'{"kind":"link","', 1)


def _endless(name: str, mib: int, *, head: bytes = b"") -> bytes:
    """A member of so many MiB of one letter, as many blocks of a thousandth of that."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = deflater.compress(head + b"a" * MIB) + deflater.flush(zlib.Z_FULL_FLUSH)
    block = deflater.compress(b"a" * MIB) + deflater.flush(zlib.Z_FULL_FLUSH)
    archive = opened()
    part = archive.part(name)
    part.method, part.size, part.crc = DEFLATED, mib * MIB + len(head), 1
    part.data = start + block * (mib - 1) + b"\x03\x00"
    if part.size >= 1 << 32:
        _tell_in_64(part)
    return archive.joined()


def _tell_in_64(part: Part) -> None:
    part.local_extra = extra(1, part.size.to_bytes(8, "little") + len(part.data).to_bytes(8, "little"))
    part.central_extra = extra(1, part.size.to_bytes(8, "little"))
    part.local = {**part.local, "size": MAX32, "packed": MAX32}
    part.central = {**part.central, "size": MAX32}


def _json() -> Iterator[Case]:
    deep = 200_000
    texts: dict[str, bytes] = {
        "empty": b"", "list": b"[]", "text": b'"x"', "cut": b"{", "more-behind": b"{} {}",
        "utf-16": "{}".encode("utf-16"),
        "no-utf-8": b'{"a":"\xff"}', "no-ascii": '{"a":"ä"}'.encode(), "nested-lists": b"[" * deep + b"]" * deep,
        "nested-objects": b'{"a":' * deep + b"1" + b"}" * deep, "nan": b'{"schema_version":NaN}',
        "infinity": b'{"schema_version":Infinity}', "overflow": b'{"schema_version":1e999}',
        "digits": b'{"schema_version":' + b"9" * 5_000_000 + b"}", "digits-real": b'{"a":0.' + b"9" * 5_000_000 + b"}",
        "control": b'{"a":"\x01"}', "comment": b"{} // x", "zeros": bytes(100),
    }  # fmt: skip
    for name, text in texts.items():
        yield Case(f"json/{name}", DAMAGED, with_text(MANIFEST, always(text)), mib=64)
        line = b'{"kind":"file","path":' + text + b"}\n"
        yield Case(f"json/line-{name}", DAMAGED, with_list(always(line)), mib=64)
    twice = with_text(MANIFEST, lambda: b'{"schema_version":1,' + content(opened(), MANIFEST)[1:])
    yield Case("json/duplicate-key", DAMAGED, twice, "twice")
    inner = with_text(MANIFEST, lambda: content(opened(), MANIFEST).replace(b'"totals": {', b'"totals": {"files": 3,'))
    yield Case("json/duplicate-key-inside", DAMAGED, inner, "twice")
    bombs = {"lists": b"[],", "objects": b'{"a":1},', "numbers": b"1,"}
    for name, piece in bombs.items():
        text = b'{"a":[' + piece * (60 * MIB // len(piece)) + b"1]}"
        yield Case(f"json/many-{name}", DAMAGED, with_text(MANIFEST, always(text)), "values", mib=180)
    allowed = {"objects": b'{"a":1},' * 999_990, "lists": b"[]," * 999_990}
    for name, text in allowed.items():
        whole = b'{"a":[' + text + b"1]}"
        yield Case(f"json/no-more-{name}", DAMAGED, with_text(MANIFEST, always(whole)), "schema", mib=520)
    yield Case("json/no-more-keys", DAMAGED, with_text(MANIFEST, _keys), "schema", mib=520)
    yield Case("json/manifest-of-10-gib", UNSUPPORTED, lambda: _endless(MANIFEST, 10 << 10), "bytes")
    yield Case("json/manifest-announces-less", DAMAGED, _announces_less, "more bytes than")
    long = with_text(MANIFEST, lambda: b'{"a":"' + b"a" * (63 * MIB) + b'"}')
    yield Case("json/long-text", DAMAGED, long, "schema", mib=300)


def _keys() -> bytes:
    return b'{"":0' + b"".join(b',"%d":0' % number for number in range(1_999_990)) + b"}"


def seal(body: Body, *, comma: str = ",") -> bytes:
    """A record with a digest that is right."""
    text = json.dumps(body, sort_keys=True, separators=(comma, ":")).encode()
    return b'{"body":' + text + b',"digest":"sha256:' + hashlib.sha256(text).hexdigest().encode() + b'"}\n'


def _announces_less() -> bytes:
    archive = parse(_endless(MANIFEST, 1000))
    archive.part(MANIFEST).size = 1000
    return archive.joined()


def _sidecars() -> Iterator[Case]:
    def beside(name: str, code: str, data: Callable[[], bytes], words: str = "", mib: int = 32) -> Case:
        return Case(f"sidecar/{name}", code, lambda: good().zip, words, sidecar=data, mib=mib)

    def body() -> Body:
        value: Body = json.loads(good().sidecar)["body"]
        return value

    def sealed(change: Callable[[Body], object]) -> Callable[[], bytes]:
        def make() -> bytes:
            value = body()
            change(value)
            return seal(value)

        return make

    yield beside("good", PROVED, lambda: good().sidecar)
    yield beside("sealed-anew", PROVED, sealed(lambda value: value.update(later=1)))
    yield beside("empty", RECORD, lambda: b"")
    yield beside("zeros", RECORD, lambda: bytes(4096))
    yield beside("cut", RECORD, lambda: good().sidecar[:-1])
    yield beside("spaced", RECORD, lambda: good().sidecar.replace(b",", b", ", 1))
    yield beside("spaced-and-sealed", RECORD, lambda: seal(body(), comma=", "))
    yield beside("twice", RECORD, lambda: good().sidecar * 2)
    yield beside("nested", RECORD, lambda: b"[" * 500_000)
    yield beside(
        "not-sealed", RECORD, lambda: good().sidecar.replace(b'"level":3', b'"level":2').replace(b"17.10", b"17.11")
    )
    yield beside("many-values", RECORD, lambda: b'{"body":{"a":[' + b"[]," * (20 * MIB) + b"1]}}", mib=180)
    yield beside("too-large", RECORD, lambda: bytes((128 << 20) + 1), "larger than", mib=320)
    yield beside("no-zip", RECORD, sealed(lambda value: value.pop("zip")), "no sidecar")
    yield beside("zip-list", RECORD, sealed(lambda value: value.update(zip=[])), "no sidecar")
    yield beside("size-text", RECORD, sealed(lambda value: value["zip"].update(size="many")), "no sidecar")
    yield beside("newer-schema", RECORD, sealed(lambda value: value.update(schema_version=2)), "schema 2")
    yield beside("schema-true", RECORD, sealed(lambda value: value.update(schema_version=True)), "schema True")
    yield beside("no-schema", RECORD, sealed(lambda value: value.pop("schema_version")), "schema None")
    number = len(good().zip)
    yield beside("size-as-text", RECORD, sealed(lambda value: value["zip"].update(size=str(number))), "no sidecar")
    yield beside("size-true", RECORD, sealed(lambda value: value["zip"].update(size=True)), "no sidecar")
    yield beside("digest-number", RECORD, sealed(lambda value: value["zip"].update(sha256=7)), "no sidecar")
    yield beside("other-size", DAMAGED, sealed(lambda value: value["zip"].update(size=1)), "instead of")
    yield beside("other-digest", DAMAGED, sealed(lambda value: value["zip"].update(sha256="0" * 64)), "what the disk")
    yield beside("other-manifest", DAMAGED, sealed(lambda value: value.update(manifest_sha256="0" * 64)), "of its set")
    foreign = Zip([Part(b"a").fill(b"1")]).joined()
    told = sealed(lambda value: value["zip"].update(size=len(foreign)))
    yield Case("sidecar/of-a-foreign-archive", INCOMPLETE, lambda: foreign, "no manifest", sidecar=told)
