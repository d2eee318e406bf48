# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A browser for all tests, and each page as a file."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from tools.pages.browser import BrowserMissing, chromium, executable
from tools.pages.cases import all_pages


def pytest_report_header() -> list[str]:
    """For the summary of the gate."""
    try:
        asked = subprocess.run([executable(), "--version"], capture_output=True, text=True, timeout=60, check=True)
    except (BrowserMissing, OSError, subprocess.SubprocessError) as error:
        return [f"NOT EXERCISED: the pages for people: {error}"]
    return [f"LANE: {asked.stdout.strip()}"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium; a page has a context of its own. Where there is none, every test fails and says how to get one."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every page that we make, by its name."""
    directory = tmp_path_factory.mktemp("pages")
    found = {}
    for name, text in all_pages().items():
        found[name] = directory / f"{name}.html"
        found[name].write_text(text, encoding="utf-8", newline="\n")
    return found
