# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to become of two keys, by what the server says to them. Decides only.

A rotation may die at any point. What it leaves is at most one staged key beside the current one, and one of the two
opens the server: a role has one password.
"""

from __future__ import annotations

from typing import Optional

# What becomes of a staged key that an earlier rotation left.
PROMOTE = "promote"  # it opens the server: it is the key
DISCARD = "discard"
KEEP = "keep"  # no key opens the server, and no other was given: a person must look


def settle(*, staged: Optional[bool], current: Optional[bool], another: bool) -> str:
    """What to do about it.

    :param staged: whether the staged key opens the server; None when its file holds no key, or the current one.
    :param current: whether the current key does; None when there is none.
    :param another: whether a new key came with the task.
    """
    if staged:
        return PROMOTE
    if staged is None or current or another:
        return DISCARD
    return KEEP


# What a new key needs before it can be the key.
TAKE = "take"  # the server has it already
CHANGE = "change"  # the server must be told, by the role itself
AWAIT = "await"  # somebody else tells the server
REFUSE = "refuse"


def way(*, new: bool, current: Optional[bool], change_server: bool, await_server: bool) -> str:
    """How a new key gets into its place.

    :param new: whether it opens the server already.
    :param current: whether the current key does; None when there is none, or it does not matter.
    :param change_server: whether the server may be told.
    :param await_server: whether the key stays staged until somebody else has told the server.
    """
    if new:
        return TAKE
    if await_server:
        return AWAIT
    return CHANGE if change_server and current else REFUSE
