# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets the plays of one test session share the modules that Ansible has packed, with their bytecode beside them.

Ansible keeps packed modules in its temporary directory, which is a new one for each play: packing is a third of a
play's work. The host then compiles a hundred sources at each task, which is half of what is left; in tests it runs the
control node's minor version of Python and takes the bytecode (another version would pass it over and take the source).
Ansible's own large YAML files, which it parses at each start, are kept as well.
What runs in neither of these ways, the molecule scenario and the matrix of ansible-core, sends sources as operators do.
Python imports this file when it starts, where ``World.environment`` has put it on the path.
"""

from __future__ import annotations

import hashlib
import importlib.util
import marshal
import os
import pickle
import sys
from typing import Any

SHARED = os.environ.get("WST_TEST_PACKED_MODULES")
PLAIN = ("BaseLoader", "CBaseLoader", "SafeLoader", "CSafeLoader")  # those that make nothing but Python's own types
LARGE = 10_000  # bytes
UNCHECKED = (1).to_bytes(4, "little")  # PEP 552: known by the source's hash, which the reader need not compare


def bytecode(source: bytes, name: str) -> bytes:
    """What stands in a ``.pyc`` of this source."""
    code = compile(source, name, "exec", dont_inherit=True)
    return importlib.util.MAGIC_NUMBER + UNCHECKED + importlib.util.source_hash(source) + marshal.dumps(code)


def pack_bytecode() -> None:
    """From now on each source that this process packs has its bytecode beside it."""
    import zipfile

    pack = zipfile.ZipFile.writestr

    def pack_both(archive: zipfile.ZipFile, entry: Any, data: Any, *args: Any, **options: Any) -> None:
        pack(archive, entry, data, *args, **options)
        name = getattr(entry, "filename", entry)
        if name.endswith(".py"):
            source = data.encode() if isinstance(data, str) else data
            pack(archive, f"{name}c", bytecode(source, name), *args, **options)

    zipfile.ZipFile.writestr = pack_both  # type: ignore[method-assign]


def keep_documents(directory: str) -> None:
    """From now on a large YAML text is parsed once for all processes that keep theirs there."""
    import yaml

    parse = yaml.load

    def load(stream: Any, Loader: Any) -> Any:  # noqa: N803  its name there
        text = stream.read() if hasattr(stream, "read") else stream
        data = text.encode() if isinstance(text, str) else text
        if len(data) < LARGE or Loader.__name__ not in PLAIN:
            return parse(text, Loader)
        kept = os.path.join(directory, f"{Loader.__name__}-{hashlib.sha256(data).hexdigest()}")
        if os.path.exists(kept):
            with open(kept, "rb") as file:
                return pickle.load(file)
        document = parse(text, Loader)
        with open(f"{kept}.{os.getpid()}", "wb") as file:
            pickle.dump(document, file)
        os.replace(file.name, kept)
        return document

    yaml.load = load


if SHARED and os.path.basename((sys.argv or [""])[0]) == "ansible-playbook":
    keep_documents(SHARED)
    from ansible import constants

    os.symlink(SHARED, os.path.join(constants.DEFAULT_LOCAL_TMP, "ansiballz_cache"))
    pack_bytecode()
