# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Levels, tokens, delays and targets: every decision, and what must hold in all of them."""

from __future__ import annotations

import itertools
import os
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._authority import delay, targets, tokens
from ansible_collections.wst.backup.plugins.module_utils._authority.levels import L5, L6, LEVELS, OPERATOR, reaches
from ansible_collections.wst.backup.plugins.module_utils._authority.targets import Database, Targets
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._authority.authority_kit import HASHES, TOKENS

NOW = datetime(2026, 11, 27, 20, 0, tzinfo=timezone.utc)
ROOT = os.path.abspath(os.sep)


def at(*names: str) -> str:
    """An absolute path of this system."""
    return os.path.join(ROOT, *names)


def test_each_level_may_do_what_those_below_it_may() -> None:
    for (low, below), (high, above) in itertools.product(enumerate(LEVELS), repeat=2):
        assert reaches(above, below) is (high >= low)
    with pytest.raises(ValueError):
        reaches("L7", L5)
    assert (OPERATOR, L5, L6) == LEVELS


# --- tokens


def test_a_hash_knows_its_token_and_no_other_and_has_a_salt_of_its_own() -> None:
    for level, token in TOKENS.items():
        real = tokens.hash_of(token)
        assert (real.n, real.r, real.p) == (1 << 15, 8, 1)  # what a guess costs
        for made in (real, HASHES[level]):
            assert made.matches(token)
            assert not made.matches(token[:-1] + "?")
            assert not made.matches("\udcff")
            assert token not in str(made.as_body())
            assert tokens.hash_from(made.as_body()) == made
    assert tokens.hash_of(TOKENS[L5]).salt != HASHES[L5].salt


@pytest.mark.parametrize(
    "wrong",
    [
        {"kdf": "md5"},
        {"n": 1000},
        {"n": 1 << 21},
        {"n": 1},
        {"n": True},
        {"n": "32768"},
        {"r": 0},
        {"r": 33},
        {"p": 0},
        {"p": 17},
        {"salt": "zz" * 16},
        {"salt": "00"},
        {"salt": None},
        {"digest": "00"},
        {"digest": ""},
    ],
)
def test_a_hash_that_is_none_is_refused(wrong: Dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        tokens.hash_from({**HASHES[L5].as_body(), **wrong})
    with pytest.raises(KeyError):
        tokens.hash_from({name: value for name, value in HASHES[L5].as_body().items() if name not in wrong})


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("", "0 characters"),
        ("abcdefghij123456789", "19 characters"),
        ("abcdefghij" * 26, "260 characters"),
        ("abcdefghij 0123456789", "spaces"),
        ("abcdefghij0123456789ä", "printable ASCII"),
        ("abcdefghij0123456789\n", "printable ASCII"),
        ("aaaaaaaaaaaaaaaaaaaabc", "different"),
    ],
)
def test_a_weak_token_is_refused_without_quoting_it(token: str, words: str) -> None:
    told = tokens.weakness(token)
    assert told is not None
    assert words in told
    assert token == "" or token not in told
    assert tokens.weakness(TOKENS[L6]) is None


# --- delays


@given(st.integers(0, 10_000), st.integers(-(10**7), 10**7))
def test_the_wait_grows_and_has_an_end(failures: int, passed: int) -> None:
    attempts = delay.Attempts(failures, NOW)
    seconds = delay.wait(attempts, NOW + timedelta(seconds=passed))
    assert 0 <= seconds <= delay.LONGEST
    assert seconds <= delay.penalty(failures) <= delay.penalty(failures + 1)
    assert (seconds == 0) is (max(passed, 0) >= delay.penalty(failures))
    assert delay.attempts_from(attempts.as_body()) == attempts


def test_the_first_mistakes_are_free_and_later_ones_double() -> None:
    assert [delay.penalty(number) for number in range(10)] == [0, 0, 0, 1, 2, 4, 8, 16, 30, 30]


@pytest.mark.parametrize("wrong", [{"failures": -1}, {"failures": "1"}, {"failures": True}, {"last": "yesterday"}])
def test_a_count_that_is_none_is_refused(wrong: Dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        delay.attempts_from({"failures": 1, "last": "2026-11-27T20:00:00Z", **wrong})


# --- targets

PRODUCTION = Targets(
    (at("wst", "wst"),), (Database("db.example", 5432, "shop"), Database("db.example", 5432, "wst_dev"))
)
OTHER = Targets((at("scratch"),), (Database("db.example", 5432, "shop_test*"), Database("127.0.0.1", 5433, "any*")))


@pytest.mark.parametrize(
    ("path", "production"),
    [
        (at("scratch"), False),
        (at("scratch", "a", "b"), False),
        (at("scratchy"), True),
        (at("wst", "wst"), True),
        (at("wst", "wst", "uploads"), True),
        (at("wst"), True),
        (ROOT, True),
        (at("wst", "wst2"), True),
    ],
)
def test_a_directory_is_production_unless_it_is_listed_as_not(path: str, production: bool) -> None:
    assert targets.is_production_directory(path, PRODUCTION, OTHER) is production


@pytest.mark.parametrize(
    ("database", "production"),
    [
        (("db.example", 5432, "shop"), True),
        (("DB.Example.", 5432, "shop"), True),
        (("db.example", 5432, "shop_test"), False),
        (("DB.EXAMPLE", 5432, "shop_test_2"), False),
        (("db.example", 5433, "shop_test"), True),
        (("db.example", 5432, "Shop_test"), True),
        (("10.0.0.4", 5432, "shop_test"), True),
        (("127.0.0.1", 5433, "any thing"), False),
        (("127.0.0.1", 5433, "an"), True),
    ],
)
def test_a_database_is_production_unless_it_is_listed_as_not(database: Tuple[str, int, str], production: bool) -> None:
    assert targets.is_production_database(Database(*database), PRODUCTION, OTHER) is production


PARTS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=4).map(lambda names: at(*names))
LISTS = st.lists(PARTS, max_size=3).map(lambda paths: Targets(directories=tuple(paths)))


@settings(max_examples=300)
@given(PARTS, LISTS, LISTS)
def test_no_list_of_the_others_makes_production_anything_else(path: str, production: Targets, other: Targets) -> None:
    """Whatever else is listed; and with nothing listed, everything is production."""
    assert targets.is_production_directory(path, production, Targets())
    if any(path == each or path.startswith(os.path.join(each, "")) for each in production.directories):
        assert targets.is_production_directory(path, production, other)
    if not targets.contradictions(production, other, root=at("control")):
        assert all(targets.is_production_directory(each, production, other) for each in production.directories)
        assert not any(targets.is_production_directory(each, production, other) for each in other.directories)


@pytest.mark.parametrize(
    ("production", "other", "words"),
    [
        (Targets(), Targets(), "no production"),
        (PRODUCTION, Targets(directories=(ROOT,)), "whole drive"),
        (PRODUCTION, Targets(directories=(at("wst"),)), "not apart from"),
        (PRODUCTION, Targets(directories=(at("wst", "wst", "tmp"),)), "not apart from"),
        (PRODUCTION, Targets(directories=(at("control", "scratch"),)), "not apart from"),
        (PRODUCTION, Targets(databases=(Database("db.example", 5432, "shop*"),)), "covers shop of production"),
        (PRODUCTION, Targets(databases=(Database("db.example", 5432, "shop"),)), "covers shop of production"),
        (PRODUCTION, Targets(databases=(Database("other", 5432, "*"),)), "too much"),
        (PRODUCTION, Targets(databases=(Database("other", 5432, "ab*"),)), "too much"),
        (PRODUCTION, Targets(databases=(Database("other", 5432, "a*b"),)), "not at its end"),
        (Targets(databases=(Database("db.example", 5432, "sh*"),)), Targets(), "must not"),
    ],
)
def test_lists_that_contradict_each_other_are_told(production: Targets, other: Targets, words: str) -> None:
    assert words in "; ".join(targets.contradictions(production, other, root=at("control")))
    assert targets.contradictions(PRODUCTION, OTHER, root=at("control")) == []


def test_targets_stand_in_the_record_as_they_are() -> None:
    for each in (PRODUCTION, OTHER, Targets()):
        assert targets.targets_from(each.as_body()) == each


@pytest.mark.parametrize(
    "wrong",
    [
        {"directories": [""]},
        {"directories": [1]},
        {"databases": [{"host": "h", "port": 0, "name": "n"}]},
        {"databases": [{"host": "h", "port": True, "name": "n"}]},
        {"databases": [{"host": "h", "port": "5432", "name": "n"}]},
    ],
)
def test_targets_that_are_none_are_refused(wrong: Dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        targets.targets_from({"directories": [], "databases": [], **wrong})
