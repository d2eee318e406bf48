# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the bootstrap installs, and what of it is missing."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.plugin_utils import _errors, _runtime

PIN = "a" * 64
PART: dict[str, Any] = {
    "source": "p.zip",
    "location": "control",
    "sha256": PIN,
    "subdir": "",
    "only": [],
    "file": "",
    "component": "",
    "names": [],
    "into": "",
}
COPY: dict[str, Any] = {**PART, "source": "", "sha256": "", "component": "python", "names": ["v.dll"]}


def component(name: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "check": "x.exe", "parts": list(parts) or [PART]}


def status(**installed: str) -> _runtime.Status:
    return _runtime.read_status([("component", f"{digest}|{name}") for name, digest in installed.items()])


def test_only_what_differs_is_installed_again() -> None:
    python, tools = component("python"), component("pg17", PART, COPY)
    missing = _runtime.outdated([python, tools], status())
    assert [each["name"] for each, _ in missing] == ["python", "pg17"]
    digests = {each["name"]: digest for each, digest in missing}
    assert _runtime.outdated([python, tools], status(**digests)) == []
    assert [each["name"] for each, _ in _runtime.outdated([python, tools], status(python=digests["python"]))] == [
        "pg17"
    ]


def test_a_component_that_copies_follows_the_one_it_copies_from() -> None:
    python, tools = component("python"), component("pg17", COPY)
    digests = {each["name"]: digest for each, digest in _runtime.outdated([python, tools], status())}
    newer = component("python", {**PART, "sha256": "b" * 64})
    assert [each["name"] for each, _ in _runtime.outdated([newer, tools], status(**digests))] == ["python", "pg17"]


def test_where_a_package_comes_from_does_not_matter() -> None:
    other = {**PART, "source": "https://example.com/p.zip", "location": "url", "sha256": PIN.upper()}
    assert _runtime.digest_of(component("a"), {}) == _runtime.digest_of(component("a", other), {})


@pytest.mark.parametrize(
    "components",
    [
        [component("..")],
        [component("a"), component("a")],
        [component("a", {**PART, "sha256": "abc"})],
        [component("a", {**PART, "sha256": ""})],
        [component("a", {**PART, "source": ""})],
        [component("a", {**PART, "component": "b"})],
        [component("pg17", COPY), component("python")],
        [component("python", COPY)],
    ],
)
def test_nonsense_is_refused(components: list[dict[str, Any]]) -> None:
    with pytest.raises(_errors.SettingInvalid):
        _runtime.check_components(components)


def test_what_makes_sense_passes() -> None:
    _runtime.check_components([component("python"), component("pg-17_x", PART, COPY), component("pg18")])


def test_status_tells_what_is_open() -> None:
    facts = [("directory", r"protected|C:\a"), ("directory", r"open 3|C:\b"), ("directory", r"absent|D:\c")]
    assert _runtime.read_status(facts).unprotected == [r"C:\b", r"D:\c"]


def test_a_package_is_checked_before_it_is_sent(tmp_path: Path) -> None:
    package = tmp_path / "p.zip"
    package.write_bytes(b"content")
    assert _runtime.check_package(package, hashlib.sha256(b"content").hexdigest()) == 7
    with pytest.raises(_errors.PackageMismatch, match="is pinned"):
        _runtime.check_package(package, PIN)
    with pytest.raises(_errors.PackageMissing):
        _runtime.check_package(tmp_path / "other.zip", PIN)


@pytest.mark.parametrize("size", [0, 1, 5, _runtime.PIECE, _runtime.PIECE + 1, 2 * _runtime.PIECE])
def test_pieces_put_together_are_the_package(tmp_path: Path, size: int) -> None:
    package = tmp_path / "p.zip"
    package.write_bytes(bytes(index % 251 for index in range(size)))
    together, ends = b"", []
    for offset, last, chunks in _runtime.pieces(package, size, line=24576):
        assert offset == len(together)
        together += b"".join(chunks)
        ends.append(last)
    assert together == package.read_bytes()
    assert ends == [False] * (len(ends) - 1) + [True]
