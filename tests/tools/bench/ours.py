# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured of ours, a program each: ``python -m tools.bench.ours build|verify|reread|mirror|decode``.

These are the functions that the modules call, without a host's lock and records around them.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import sys
import tempfile
import zlib
from pathlib import Path

from tools.paths import COLLECTIONS

if str(COLLECTIONS) not in sys.path:
    sys.path.insert(0, str(COLLECTIONS))

from ansible_collections.wst.backup.plugins.module_utils._archive.build import Builder, Description
from ansible_collections.wst.backup.plugins.module_utils._archive.guard import Guard
from ansible_collections.wst.backup.plugins.module_utils._archive.rundata import StepFile
from ansible_collections.wst.backup.plugins.module_utils._archive.sources import Source
from ansible_collections.wst.backup.plugins.module_utils._archive.survey import survey
from ansible_collections.wst.backup.plugins.module_utils._archive.verify import verify
from ansible_collections.wst.backup.plugins.module_utils._mirror.copy import copy_partial, read_sidecar_bytes
from ansible_collections.wst.backup.plugins.module_utils._names import parse_artifact
from ansible_collections.wst.backup.plugins.module_utils._pg.tools import find_tools
from ansible_collections.wst.backup.plugins.module_utils._pg.verify import verify_dump
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._secondcopy import SecondCopy
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, MIRROR, Layer, reread
from ansible_collections.wst.backup.plugins.module_utils._sets.sidecar import Sidecar, encode_sidecar

PREFIX = "wst-backup"
STEM = f"{PREFIX}-20261130-120000"
RUN_ID = "20261130-120000-0000bbbb"
DUMP = "database.backup"


def step_file(path: Path) -> StepFile:
    """The dump, with what the step before has found of it."""
    data = hashlib.sha256()
    crc = size = 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            data.update(chunk)
            crc, size = zlib.crc32(chunk, crc), size + len(chunk)
    return StepFile(DUMP, str(path), size, data.hexdigest(), crc)


def facts_of_dump(path: Path) -> StepFile:
    """The same, remembered beside the corpus: the dump step knows it without reading the dump again."""
    known = path.parent.with_name(f"{path.parent.name}-dump.json")
    if not known.exists():
        told = step_file(path)
        known.write_text(json.dumps([told.size, told.sha256, told.crc32]))
    size, sha256, crc32 = json.loads(known.read_text())
    return StepFile(DUMP, str(path), size, sha256, crc32)


def build(options: argparse.Namespace) -> None:
    """The survey and the archive of a corpus, flushed; and the sidecar that publishing writes."""
    corpus, target = Path(options.corpus), Path(options.to)
    sources = [Source(name, str(corpus / name)) for name in ("wst", "wst-api")]
    guard = Guard(files=[], directories=[])
    survey(sources, guard=guard)
    description = Description(STEM, RUN_ID, PREFIX, "bench", {}, DUMP, None)
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(target.open("w+b"))
        central, spool = (stack.enter_context(tempfile.TemporaryFile(dir=target.parent)) for _spool in range(2))
        second = _second_copy(options, target)
        if second is not None:
            stack.enter_context(second)
        old = stack.enter_context(api.open_source(options.previous)) if options.previous else None
        builder = Builder(
            file,
            central=central,
            spool=spool,
            guard=guard,
            level=options.level,
            expected=0,
            engine=options.engine,
            threads=options.threads,
            previous=old,
            trust_days=options.trust_days,
            watch=second.reached if second is not None else None,
        )
        built = builder.build(sources, [facts_of_dump(corpus / DUMP)], description)
        api.flush_file(file)
    sidecar = Sidecar(f"{STEM}.zip", built.size, built.sha256, built.manifest_sha256, level=3, run_id=RUN_ID)
    target.with_suffix(".manifest.json").write_bytes(encode_sidecar(sidecar, built.manifest))


def _second_copy(options: argparse.Namespace, target: Path) -> SecondCopy | None:
    """The mirror's, under the name that its own step looks for."""
    artifact = parse_artifact(f"{STEM}.zip", PREFIX)
    if artifact is None or not options.feed:
        return None
    return SecondCopy(str(target), str(Path(options.feed) / artifact.zip_partial(RUN_ID)))


def mirror(options: argparse.Namespace) -> None:
    """A proved copy of the set's ZIP."""
    artifact = parse_artifact(f"{STEM}.zip", PREFIX)
    if artifact is None:
        raise AssertionError("our own name")
    source, target = Layer(LOCAL, options.source), Layer(MIRROR, options.to)
    sidecar = read_sidecar_bytes(source, artifact)[1]
    copy_partial(source, target, artifact, sidecar, run_id=RUN_ID, meter=lambda _count: None)


def main() -> int:
    """Do what the arguments say, once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("what", choices=("build", "verify", "reread", "mirror", "decode"))
    parser.add_argument("--corpus")
    parser.add_argument("--source")
    parser.add_argument("--to")
    parser.add_argument("--engine", default="zlib")
    parser.add_argument("--level", type=int, default=6)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--previous", default="")
    parser.add_argument("--trust-days", type=int, default=0)
    parser.add_argument("--feed", default="", help="the mirror's directory")
    parser.add_argument("--tools", help="the directory of pg_restore")
    parser.add_argument("--without", default="", help="a package that is not to be used")
    options = parser.parse_args()
    if options.without:
        sys.modules[options.without] = None  # type: ignore[assignment]  # as the import system marks what is not there
    if options.what == "build":
        build(options)
    elif options.what == "verify":
        if verify(options.source, level=2).level != 2:
            return 1
    elif options.what == "reread":
        reread(options.source)
    elif options.what == "decode":
        verify_dump(options.source, tools=find_tools(options.tools), name="dump")
    else:
        mirror(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
