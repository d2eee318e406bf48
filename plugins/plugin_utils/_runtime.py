# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the bootstrap installs and what of it is missing on a host. Decides; ``_powershell`` and the action do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.wst.backup.plugins.plugin_utils._errors import PackageMismatch, PackageMissing, SettingInvalid

PIECE = 4 * 1024 * 1024  # bytes of a package in one request
_CHUNK = 1024 * 1024

_PART = {
    "source": {"type": "str", "default": ""},
    "location": {"type": "str", "choices": ["control", "host", "url"], "default": "control"},
    "sha256": {"type": "str", "default": ""},
    "subdir": {"type": "str", "default": ""},
    "only": {"type": "list", "elements": "str", "default": []},
    "file": {"type": "str", "default": ""},
    "component": {"type": "str", "default": ""},
    "names": {"type": "list", "elements": "str", "default": []},
    "into": {"type": "str", "default": ""},
}

ARGUMENTS: dict[str, Any] = {
    "root": {"type": "str", "default": "C:\\wst-control"},
    "directories": {"type": "list", "elements": "str", "default": []},
    "operator": {"type": "str", "default": ""},
    "components": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "check": {"type": "str", "required": True},
            "parts": {"type": "list", "elements": "dict", "required": True, "options": _PART},
        },
    },
}


@dataclass(frozen=True)
class Status:
    """What a host said about itself."""

    powershell: str
    windows: str
    identity: str
    operator: str
    directories: dict[str, str]  # path: absent, protected, or "open <entries>"
    components: dict[str, str]  # name: digest of what is installed, or an empty string
    warnings: list[str]

    @property
    def unprotected(self) -> list[str]:
        """The directories that are to be made or protected."""
        return [path for path, state in self.directories.items() if state != "protected"]


def read_status(facts: Sequence[tuple[str, str]]) -> Status:
    """The answer to a status request."""
    single = dict(facts)
    return Status(
        powershell=single.get("powershell", ""),
        windows=single.get("windows", ""),
        identity=single.get("identity", ""),
        operator=single.get("operator", ""),
        directories=_pairs(facts, "directory"),
        components=_pairs(facts, "component"),
        warnings=[value for name, value in facts if name == "warning"],
    )


def check_components(components: Sequence[Mapping[str, Any]]) -> None:
    """Refuse what cannot be meant.

    :raises SettingInvalid: a name is no directory name or comes twice; a part has no source, or no SHA-256.
    """
    seen: set[str] = set()
    for component in components:
        name = component["name"]
        if not name.replace("-", "").replace("_", "").isalnum() or name in seen:
            raise SettingInvalid(f"runtime_components: {name!r} is no directory name, or comes twice.")
        seen.add(name)
        for part in component["parts"]:
            if bool(part["source"]) == bool(part["component"]):
                raise SettingInvalid(f"runtime_components: a part of {name} needs either source or component.")
            if part["component"] and part["component"] not in seen - {name}:
                raise SettingInvalid(
                    f"runtime_components: {name} takes files from {part['component']}, which comes later."
                )
            digest = part["sha256"].lower()
            if part["source"] and (len(digest) != 64 or set(digest) - set("0123456789abcdef")):
                raise SettingInvalid(f"runtime_components: {part['source']} of {name} has no pinned SHA-256.")


def request_parts(component: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parts as the script on the host wants them."""
    wanted = ("source", "sha256", "subdir", "only", "file", "component", "names", "into")
    parts = [{key: part[key] for key in wanted} for part in component["parts"]]
    for part in parts:
        part["sha256"] = part["sha256"].lower()
        part["subdir"] = part["subdir"].replace("\\", "/").strip("/")
        part["into"] = part["into"].replace("/", "\\").strip("\\")
    return parts


def digest_of(component: Mapping[str, Any], installed: Mapping[str, str]) -> str:
    """What a component installed from these parts is marked with. Where a package came from does not matter.

    :param installed: the digests of the components before it, whose files it may copy.
    """
    parts = request_parts(component)
    for part in parts:
        part["source"] = ""
        part["from"] = installed.get(part["component"], "")
    text = json.dumps([component["name"], component["check"], parts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def outdated(components: Iterable[Mapping[str, Any]], status: Status) -> list[tuple[Mapping[str, Any], str]]:
    """The components that are not there as wanted, in order, with the digest that each is to have."""
    wanted: dict[str, str] = {}
    missing = []
    for component in components:
        digest = digest_of(component, wanted)
        wanted[component["name"]] = digest
        if status.components.get(component["name"]) != digest:
            missing.append((component, digest))
    return missing


def check_package(path: Path, sha256: str) -> int:
    """The size of a package on the control node.

    :raises PackageMissing: there is no such file.
    :raises PackageMismatch: it is not the pinned one.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        size = path.stat().st_size
    except OSError as error:
        raise PackageMissing(f"The package {path} cannot be read on the control node: {error.strerror}.") from error
    if digest.hexdigest() != sha256.lower():
        raise PackageMismatch(
            f"{path} has SHA-256 {digest.hexdigest()}, and {sha256.lower()} is pinned.", path=str(path)
        )
    return size


def pieces(path: Path, size: int, *, line: int) -> Iterator[tuple[int, bool, list[bytes]]]:
    """The package in pieces: where each begins, whether it is the last one, and its bytes in chunks of ``line``."""
    with path.open("rb") as file:
        for offset in range(0, max(size, 1), PIECE):
            data = file.read(PIECE)
            yield offset, offset + PIECE >= size, [data[at : at + line] for at in range(0, len(data), line)]


def _pairs(facts: Iterable[tuple[str, str]], kind: str) -> dict[str, str]:
    found = {}
    for name, value in facts:
        if name == kind:
            state, _bar, what = value.partition("|")
            found[what] = state
    return found
