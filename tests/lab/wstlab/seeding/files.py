# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two source trees: real files from what is installed here, and the awkward ones that every tree has."""

from __future__ import annotations

import os
import random
import shutil
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

RANDOM_SEED = 20260101
FIRST_MTIME = 1_767_225_600  # 2026-01-01T00:00:00Z
MAX_FILE = 600_000
DEVICES = ("con", "prn", "aux", "nul", *(f"{name}{digit}" for name in ("com", "lpt") for digit in range(10)))
LOG_SIZE = 20 * 1024 * 1024
# How many real files of a kind each tree gets, at most.
WEB_KINDS = {"js": 300, "css": 80, "html": 250, "json": 200, "png": 700, "svg": 450, "ttf": 12, "gif": 30, "md": 120}
API_KINDS = {"py": 1500, "yml": 120, "txt": 150, "so": 40, "exe": 10, "pyi": 60, "cfg": 10, "pem": 2}
NON_ASCII = (
    "Grüße aus Köln.html",
    "日本語/説明書.md",
    "данные/отчёт.json",
    "Œuvres complètes/été.txt",
    "emoji 😀 name.txt",
    "with space & percent %20.txt",
    "semi;colon, comma.txt",
    "[brackets] {braces}.txt",
    "#hash!bang.txt",
    "composed é and decomposed e\u0301.txt",
    "UPPER.TXT.BAK",
    ".hidden/.dotfile",
    "$dollar`tick'quote.txt",
)


def fill(*, web: Path, api: Path, scale: float) -> dict[str, int]:
    """Write both trees anew; how many files and bytes they hold."""
    for tree in (web, api):
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir(parents=True)
    chance = random.Random(RANDOM_SEED)
    found = _installed({**WEB_KINDS, **API_KINDS}, scale)
    _copy(found, WEB_KINDS, web / "public")
    _copy(found, API_KINDS, api / "src")
    _awkward(web, chance)
    _generated(web, api, chance=chance, scale=scale)
    return _settle(web, api)


def _installed(kinds: dict[str, int], scale: float) -> dict[str, list[Path]]:
    """Up to so many installed files of each kind, in a fixed order."""
    wanted = {kind: max(1, int(count * scale)) for kind, count in kinds.items()}
    found: dict[str, list[Path]] = {kind: [] for kind in wanted}
    for path in _walk():
        kind = path.suffix[1:].lower()
        if len(found.get(kind, ())) < wanted.get(kind, 0) and 0 < path.stat().st_size <= MAX_FILE:
            found[kind].append(path)
    return found


def _walk() -> Iterator[Path]:
    roots = [sysconfig.get_paths()["purelib"], "/usr/share", sysconfig.get_paths()["stdlib"]]
    for root in roots:
        for directory, names, files in os.walk(root):
            names[:] = sorted(name for name in names if name not in ("__pycache__", "site-packages", "zoneinfo"))
            for name in sorted(files):
                path = Path(directory) / name
                if path.is_file() and not path.is_symlink():
                    yield path


def _copy(found: dict[str, list[Path]], kinds: dict[str, int], target: Path) -> None:
    """Copy, each below a directory of its kind and numbered where names meet (Windows ignores case)."""
    taken: set[str] = set()
    for kind in sorted(kinds):
        for number, source in enumerate(found[kind]):
            relative = Path(kind, *source.parts[-3:-1], source.name)
            if str(relative).lower() in taken or not _windows_takes(relative):
                relative = Path(kind, f"more-{number:04d}{source.suffix}")
            taken.add(str(relative).lower())
            path = target / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, path)


def _windows_takes(relative: Path) -> bool:
    """Whether Windows can hold this path: no reserved character, device name, or trailing dot or blank."""
    return not any(
        set(part) & set('<>:"|?*\\') or part[-1] in ". " or part.partition(".")[0].lower() in DEVICES
        for part in relative.parts
    )


def _awkward(web: Path, chance: random.Random) -> None:
    """Names, emptiness and depth that break careless programs."""
    for name in NON_ASCII:
        path = web / "content" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name}\n" * chance.randrange(1, 50), encoding="utf-8")
    (web / "empty file.txt").touch()
    for name in ("empty directory", "uploads/pending", "cache/Lève-tôt"):
        (web / name).mkdir(parents=True, exist_ok=True)
    deep = web / "node_modules"
    for level in range(24):
        deep = deep / f"package-with-a-name-{level:02d}"
    deep.mkdir(parents=True)
    (deep / "index.js").write_text("module.exports = 'deeper than MAX_PATH';\n", encoding="ascii")


def _generated(web: Path, api: Path, *, chance: random.Random, scale: float) -> None:
    """What is big or packed already: a log, pictures, archives, fonts, typed sources."""
    (api / "logs").mkdir()
    with open(api / "logs" / "wst-api.log", "wb") as log:
        while log.tell() < LOG_SIZE * min(scale, 1):
            log.write(_log_lines(chance))
    for number in range(max(2, int(40 * scale))):
        _write(
            web / "uploads" / f"photo-{number:03d}.jpg", b"\xff\xd8\xff\xe0" + chance.randbytes(250_000) + b"\xff\xd9"
        )
        _write(web / "public" / "fonts" / f"font-{number:03d}.woff2", b"wOF2" + chance.randbytes(30_000))
        _write(web / "src" / f"component-{number:03d}.ts", _typescript(number, chance))
    with zipfile.ZipFile(api / "release.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((api / "src" / "py").rglob("*.py"))[:300]:
            archive.writestr(zipfile.ZipInfo(str(path.relative_to(api)), (2026, 1, 1, 0, 0, 0)), path.read_bytes())


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _log_lines(chance: random.Random) -> bytes:
    lines = []
    for _ in range(2000):
        path = chance.choice(("orders", "customers", "products", "documents"))
        lines.append(
            f"2026-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}T{chance.randrange(24):02d}:"
            f"{chance.randrange(60):02d}:{chance.randrange(60):02d}Z INFO GET /api/{path}/{chance.randrange(99999)} "
            f"{chance.choice((200, 200, 200, 304, 404, 500))} {chance.randrange(900)}ms "
            f"{chance.getrandbits(64):016x}\n"
        )
    return "".join(lines).encode("ascii")


def _typescript(number: int, chance: random.Random) -> bytes:
    fields = "".join(f"  field{index}: {chance.choice(('string', 'number', 'boolean'))};\n" for index in range(60))
    return f"export interface Component{number} {{\n{fields}}}\n".encode("ascii")


def _settle(*trees: Path) -> dict[str, int]:
    """Give every file a time of its own, the same on every run, and count."""
    count = size = 0
    for tree in trees:
        for directory, names, files in os.walk(tree):
            names.sort()
            for name in sorted(files):
                path = Path(directory) / name
                os.utime(path, (FIRST_MTIME + count * 60, FIRST_MTIME + count * 60))
                size += path.stat().st_size
                count += 1
    return {"files": count, "bytes": size}
