# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose password Azure can set: one login, on one server, that is ready."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.plugin_utils import _errors
from ansible_collections.wst.backup.plugins.plugin_utils._azure_login import Login, aliases_of, refusal
from ansible_collections.wst.backup.tests.unit.plugins.plugin_utils.fake_arm import ADMINISTRATOR, HOST, server_with

ALIAS = "wst.writer.postgres.database.azure.com"
LOGIN = Login(ADMINISTRATOR, HOST)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("host", [HOST, HOST.upper(), f"{HOST}.", f" {HOST}"])
def test_the_administrator_of_a_server_that_is_ready(host: str) -> None:
    assert refusal(server_with(), Login(ADMINISTRATOR, host)) is None


def test_a_name_that_somebody_vouches_for() -> None:
    assert refusal(server_with(), Login(ADMINISTRATOR, ALIAS, aliases_of(["", ALIAS, None]))) is None
    refused = refusal(server_with(), Login(ADMINISTRATOR, ALIAS))
    assert refused is not None
    assert HOST in refused.message


@pytest.mark.parametrize(
    ("properties", "login", "word"),
    [
        ({}, Login("wst_backup", HOST), ADMINISTRATOR),
        ({}, Login(ADMINISTRATOR.upper(), HOST), ADMINISTRATOR),
        ({"administratorLogin": None}, LOGIN, "unknown"),
        ({}, Login(ADMINISTRATOR, "wst-dev-db.postgres.database.azure.com"), HOST),
        ({"fullyQualifiedDomainName": None}, LOGIN, "nothing"),
        ({"fullyQualifiedDomainName": ""}, Login(ADMINISTRATOR, ""), "nothing"),
        ({"authConfig": {"passwordAuth": "Disabled"}}, LOGIN, "takes no passwords"),
        ({"replicationRole": "AsyncReplica"}, LOGIN, "replica"),
        ({"replicationRole": "GeoAsyncReplica"}, LOGIN, "replica"),
    ],
)
def test_whom_azure_cannot_help(properties: dict[str, Any], login: Login, word: str) -> None:
    refused = refusal(server_with(**properties), login)
    assert isinstance(refused, _errors.AzurePasswordRefused)
    assert word in refused.message


@pytest.mark.parametrize("state", ["Updating", "Stopped", None])
def test_a_server_that_is_not_ready_is_waited_for(state: object) -> None:
    """An update that is under way may be that of an earlier rotation: until it has ended nobody knows the password."""
    refused = refusal(server_with(state=state), LOGIN)
    assert isinstance(refused, _errors.AzureBusy)
    assert str(state or "unknown") in refused.message


@pytest.mark.parametrize("auth", [None, {}, {"passwordAuth": "Enabled"}])
def test_what_azure_does_not_say_of_passwords_does_not_stop_it(auth: object) -> None:
    assert refusal(server_with(authConfig=auth, replicationRole=None), LOGIN) is None


@settings(max_examples=40)
@given(JSON, JSON, JSON)
def test_no_answer_makes_another_login_the_administrator(properties: Any, name: Any, more: Any) -> None:
    answers: list[Any] = [{"properties": properties, "name": name}, {"properties": more}, server_with(authConfig=more)]
    for answer in answers:
        if refusal(answer, LOGIN) is None:
            assert answer["properties"]["administratorLogin"] == ADMINISTRATOR
            assert answer["properties"]["fullyQualifiedDomainName"] == HOST
            assert answer["properties"]["state"] == "Ready"
