# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which secrets of the control node go to a module: those that it asks for, and no other."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.plugin_utils._errors import SettingInvalid
from ansible_collections.wst.backup.plugins.plugin_utils._secrets import AUTHORITY, read_secrets

VARIABLE = AUTHORITY["authority_token"]


def as_is(value: Any) -> Any:
    """A template engine that has nothing to do."""
    return value


def test_only_what_is_asked_for_is_read() -> None:
    variables = {VARIABLE: "Planted-1\r\n", "other_password": "Planted-2"}
    assert read_secrets(variables, as_is, AUTHORITY) == {"authority_token": "Planted-1"}
    assert read_secrets(variables, as_is, {}) == {}


@pytest.mark.parametrize("variables", [{}, {VARIABLE: ""}, {VARIABLE: None}])
def test_what_is_not_set_is_not_there(variables: dict[str, Any]) -> None:
    assert read_secrets(variables, as_is, AUTHORITY) == {}


def test_the_value_is_templated() -> None:
    found = read_secrets({VARIABLE: "{{ vaulted }}"}, {"{{ vaulted }}": "Planted-3"}.__getitem__, AUTHORITY)
    assert found == {"authority_token": "Planted-3"}


def test_an_inline_vault_of_an_older_ansible_is_decrypted() -> None:
    """Up to ansible-core 2.18 it is no text, and templating leaves it as it is."""

    class Vaulted:
        __ENCRYPTED__ = True

        def __str__(self) -> str:
            return "Planted-5"

    assert read_secrets({VARIABLE: Vaulted()}, as_is, AUTHORITY) == {"authority_token": "Planted-5"}


@pytest.mark.parametrize("value", [4711, ["Planted-4"]])
def test_what_is_no_text_is_refused_and_not_quoted(value: Any) -> None:
    with pytest.raises(SettingInvalid) as caught:
        read_secrets({VARIABLE: value}, as_is, AUTHORITY)
    told = f"{caught.value} {caught.value.as_result()}"
    assert VARIABLE in told
    assert "4711" not in told
    assert "Planted" not in told
