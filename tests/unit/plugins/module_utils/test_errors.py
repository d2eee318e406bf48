# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The named failures: codes are stable and complete."""

from __future__ import annotations

import re

from ansible_collections.wst.backup.plugins.module_utils import _errors


def test_codes_are_unique_plain_words() -> None:
    codes = [error.code for error in _errors.all_errors()]
    assert len(codes) == len(set(codes))
    assert all(re.fullmatch(r"[a-z][a-z_]+[a-z]", code) for code in codes)


def test_every_failure_says_what_it_is_and_what_to_do() -> None:
    for error in _errors.all_errors():
        assert (error.__doc__ or "").endswith(".")
        assert error.remedy.endswith("."), error.code
        assert error.effect in (_errors.STOP, _errors.CARRY)


def test_the_doctrine_s_failure_modes_have_codes() -> None:
    modes = {error.doctrine for error in _errors.all_errors() if error.doctrine}
    assert modes == {"F1", "F2", "F3"}


def test_a_problem_carries_its_facts() -> None:
    problem = _errors.NoSpace("C: has 1 MB, 2 MB are needed", volume="C:", needed=2).as_problem()
    assert problem["code"] == "no_space"
    assert problem["facts"] == {"volume": "C:", "needed": 2}
    assert problem["message"] == "C: has 1 MB, 2 MB are needed"
