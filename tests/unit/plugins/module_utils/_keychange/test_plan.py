# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of two keys: every case, and what must hold in all of them."""

from __future__ import annotations

import itertools
from typing import Optional

import pytest

from ansible_collections.wst.backup.plugins.module_utils._keychange import plan

ASKED = (True, False, None)


@pytest.mark.parametrize(("staged", "current", "another"), list(itertools.product(ASKED, ASKED, (True, False))))
def test_a_key_that_opens_the_server_is_never_thrown_away(
    staged: Optional[bool], current: Optional[bool], another: bool
) -> None:
    verdict = plan.settle(staged=staged, current=current, another=another)
    assert (verdict == plan.PROMOTE) is bool(staged)
    if verdict == plan.KEEP:
        assert (staged, bool(current), another) == (False, False, False)


@pytest.mark.parametrize(
    ("new", "current", "change", "awaited"),
    list(itertools.product((True, False), ASKED, (True, False), (True, False))),
)
def test_the_server_is_told_by_a_key_that_works_and_only_when_it_was_asked_for(
    new: bool, current: Optional[bool], change: bool, awaited: bool
) -> None:
    how = plan.way(new=new, current=current, change_server=change, await_server=awaited)
    if how == plan.CHANGE:
        assert (new, current, change, awaited) == (False, True, True, False)
    assert (how == plan.TAKE) is new
    assert (how == plan.AWAIT) is (awaited and not new)
