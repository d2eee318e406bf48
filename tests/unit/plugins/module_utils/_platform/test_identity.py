# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose process this is, told so that a person knows why it was denied something."""

from __future__ import annotations

from typing import Any, Optional

import pytest

from ansible_collections.wst.backup.plugins.module_utils._platform._types import ADMINISTRATORS, Identity

SID = "S-1-5-21-1-2-3-1001"


def windows(elevated: Optional[bool], **more: Any) -> str:
    return Identity(name="HOST\\backup", sid=SID, uid=None, elevated=elevated, **more).in_words()


@pytest.mark.parametrize(
    ("elevated", "state"),
    [(True, "elevated"), (False, "not elevated"), (None, "and it could not be told whether it is elevated")],
)
def test_the_account_and_its_elevation(elevated: Optional[bool], state: str) -> None:
    assert windows(elevated) == f"This process is HOST\\backup ({SID}), {state}."


def test_an_administrator_whose_group_only_denies() -> None:
    told = windows(False, deny_only=("S-1-5-114", ADMINISTRATORS), elevation="limited")
    assert told == (
        f"This process is HOST\\backup ({SID}), not elevated. The account is a member of Administrators "
        "(S-1-5-32-544), but that group is deny-only in this filtered token: what Administrators may do, "
        "this process may not. Deny-only too: S-1-5-114."
    )


def test_other_groups_that_only_deny() -> None:
    assert windows(True, deny_only=("S-1-5-114",)).endswith(", elevated. Deny-only groups: S-1-5-114.")


def test_a_user_of_another_system() -> None:
    told = Identity(name="backup", sid=None, uid=34, elevated=False, gid=35).in_words()
    assert told == "This process is backup (uid 34, gid 35)."
