# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX's answers mean: failures in the words of collection awx.awx, and who may launch breakglass."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.plugin_utils._awx import check_access, failure
from ansible_collections.wst.backup.plugins.plugin_utils._errors import AwxAccessOpen


@pytest.mark.parametrize(
    ("result", "code"),
    [
        ({"msg": "You don't have permission to POST to /api/v2/teams/ (HTTP 403)."}, "awx_denied"),
        ({"msg": "Invalid authentication credentials for /api/v2/teams/ (HTTP 401)."}, "awx_login"),
        ({"msg": "Failed to get token: HTTP Error 500"}, "awx_login"),
        (
            {"msg": "There was an unknown error when trying to connect to http://a/: URLError refused"},
            "awx_unreachable",
        ),
        ({"msg": "Could not establish a secure connection to your host (a): verify failed."}, "awx_unreachable"),
        ({"msg": "Unable to resolve controller_host (nowhere): x"}, "awx_unreachable"),
        ({"msg": "Request to /api/v2/projects/?name=x returned 0 items, expected 1"}, "awx_failed"),
        (
            {"msg": "All items completed", "results": [{"msg": "ok"}, {"failed": True, "msg": "(HTTP 403)"}]},
            "awx_denied",
        ),
        ({}, "awx_failed"),
    ],
)
def test_a_refusal_has_a_name_and_says_at_which_step(result: dict[str, Any], code: str) -> None:
    named = failure(result, "Teams").as_result()
    assert (named["code"], named["facts"]) == (code, {"step": "Teams"})
    assert named["msg"].startswith(f"{code}: Teams: ")


def grant(**changes: Any) -> dict[str, Any]:
    return {"on": "restore", "role": "execute_role", "teams": ["L6"], "users": [], **changes}


def test_only_the_team_and_named_administrators_may() -> None:
    check_access([], team="L6", admins=[])
    check_access([grant(), grant(role="admin_role", users=["admin"])], team="L6", admins=["admin"])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"teams": ["L6", "L5"]}, "team L5 has execute_role on restore"),
        ({"users": ["intern"]}, "user intern has execute_role on restore"),
        (
            {"on": "WST", "role": "job_template_admin_role", "teams": ["web"]},
            "team web has job_template_admin_role on WST",
        ),
    ],
)
def test_everybody_else_is_named(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(AwxAccessOpen, match=told):
        check_access([grant(), grant(**changes)], team="L6", admins=["admin"])
