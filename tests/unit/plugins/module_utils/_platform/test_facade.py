# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both sides of the seam offer the same, so that nobody above it needs to ask where they are."""

from __future__ import annotations

import inspect

import pytest

from ansible_collections.wst.backup.plugins.module_utils._platform import _posix, _windows, api


def test_the_sides_have_the_same_names() -> None:
    assert _posix.__all__ == _windows.__all__
    assert set(_posix.__all__) < set(api.__all__)


@pytest.mark.parametrize("name", _posix.__all__)
def test_the_sides_have_the_same_signatures(name: str) -> None:
    assert _shape(getattr(_posix, name)) == _shape(getattr(_windows, name))


def _shape(thing: object) -> object:
    if inspect.isclass(thing):
        public = {name: value for name, value in vars(thing).items() if not name.startswith("_") or name == "__init__"}
        return {name: inspect.signature(value) for name, value in public.items()}
    return inspect.signature(thing)  # type: ignore[arg-type]
