# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all unit tests share: how hard hypothesis tries, and a clear word when the collection cannot be imported."""

from __future__ import annotations

import importlib.util
import os

import pytest
from hypothesis import HealthCheck, settings
from tools import azurite
from unit import pgserver

# Deadlines are wall-clock and the tests run on loaded machines and under wine: a slow example is no failure.
settings.register_profile("quick", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("full", parent=settings.get_profile("quick"), max_examples=200, derandomize=True)
settings.load_profile("full" if os.environ.get("CI") else "quick")


SLOW = pytest.StashKey[int]()
SERVER = "clusters"  # the fixture behind every test that talks to PostgreSQL


def pytest_addoption(parser: pytest.Parser) -> None:
    """For an answer while one works, and for gates that share the work."""
    parser.addoption("--quick", action="store_true", help="leave out tests marked slow and those that need a server")
    parser.addoption("--part", choices=("quick", "slow"), help="run what --quick runs, or what it leaves out")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about the other system; it counts as deselected, and the gate of that system runs it.

    With ``--quick`` also what is slow; the summary of the gate says how much that is. ``--part quick`` leaves it out as
    well and says nothing: another gate runs it.
    """
    other = "posix" if os.name == "nt" else "windows"
    leave_out(config, items, [item for item in items if item.get_closest_marker(other)])
    slow = [item for item in items if item.get_closest_marker("slow") or SERVER in getattr(item, "fixturenames", ())]
    part = config.getoption("part")
    if part == "slow":
        kept = set(slow)
        leave_out(config, items, [item for item in items if item not in kept])
    elif part == "quick" or config.getoption("quick"):
        leave_out(config, items, slow)
        config.stash[SLOW] = len(slow) if config.getoption("quick") else 0


def leave_out(config: pytest.Config, items: list[pytest.Item], unwanted: list[pytest.Item]) -> None:
    """Take these out of the run."""
    if unwanted:
        config.hook.pytest_deselected(items=unwanted)
        gone = set(unwanted)
        items[:] = [item for item in items if item not in gone]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What the gates repeat at their end."""
    left_out = config.stash.get(SLOW, 0)
    if left_out:
        terminalreporter.line(
            f"NOT EXERCISED: {left_out} unit tests that are slow or need a server: make test runs them"
        )
    for major in pgserver.MISSING:
        terminalreporter.line(f"NOT EXERCISED: a server of PostgreSQL {major}: it is not installed")
    if os.name != "nt" and not azurite.program():
        terminalreporter.line(azurite.MISSING.format(why=azurite.why_missing()))


def pytest_configure() -> None:
    """Stop at once, by name, where the link to the collection is missing."""
    if importlib.util.find_spec("ansible_collections") is None:
        raise pytest.UsageError(
            "ansible_collections.wst.backup cannot be imported: run 'make setup' in the repository's root first"
        )
