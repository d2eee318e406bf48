# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX's answers mean. Decides only."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ansible_collections.wst.backup.plugins.plugin_utils._errors import (
    AwxAccessOpen,
    AwxDenied,
    AwxFailed,
    AwxLogin,
    AwxUnreachable,
    TransportError,
)

# In the words of collection awx.awx, which gives no codes: they are the same in every language.
_NO_WAY = (
    r"error of some kind trying to connect|unknown error when trying to connect|secure connection"
    r"|resolve controller_host"
)
_KINDS: tuple[tuple[str, type[TransportError]], ...] = (
    (r"\(HTTP 403\)|HTTP Error 403", AwxDenied),
    (r"\(HTTP 401\)|HTTP Error 401|Failed to get token", AwxLogin),
    (_NO_WAY, AwxUnreachable),
)


def failure(result: Mapping[str, Any], step: str) -> TransportError:
    """The failure of a task of collection awx.awx, by name.

    :param step: the task's name.
    """
    failed = [each for each in result.get("results") or () if each.get("failed")]
    words = str(failed[0].get("msg") if failed else result.get("msg") or "AWX said nothing.")
    kind = next((kind for pattern, kind in _KINDS if re.search(pattern, words)), AwxFailed)
    return kind(f"{step}: {words.rstrip('.')}.", step=step)


def check_access(grants: Iterable[Mapping[str, Any]], *, team: str, admins: Collection[str]) -> None:
    """Raise AwxAccessOpen where a template of breakglass is open to others.

    :param grants: what AWX says: ``on`` (the template, or the organization above it), ``role``, and the names of the
        ``teams`` and ``users`` that hold it.
    :param team: the one team that may.
    :param admins: users who administer AWX, and may all the same.
    """
    found = []
    for grant in grants:
        found += [f"team {name} has {grant['role']} on {grant['on']}" for name in grant["teams"] if name != team]
        found += [f"user {name} has {grant['role']} on {grant['on']}" for name in grant["users"] if name not in admins]
    if found:
        raise AwxAccessOpen("; ".join(sorted(found)) + ".", found=sorted(found))
