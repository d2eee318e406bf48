# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for tests with a real blob server; a ``conftest.py`` imports them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from offsite import azurite, faultproxy


@pytest.fixture(scope="session")
def azurite_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[azurite.Server]:
    """One server for all of them; each test has a prefix of its own."""
    try:
        with azurite.running(str(tmp_path_factory.mktemp("azurite"))) as server:
            yield server
    except LookupError as error:
        pytest.skip(str(error))


@pytest.fixture
def proxy(azurite_server: azurite.Server) -> Iterator[faultproxy.Proxy]:
    """A proxy that breaks nothing yet."""
    with faultproxy.between(azurite_server.url) as between:
        yield between


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    """A prefix that no other test has."""
    return f"{tmp_path.name}/host1"
