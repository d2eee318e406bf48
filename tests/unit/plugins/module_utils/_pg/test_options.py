# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``database`` parameter."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid
from ansible_collections.wst.backup.plugins.module_utils._pg.options import argument_spec, from_params

GOOD = {"host": "db.example", "name": "shop", "user": "reader"}


def test_defaults_verify_the_server_in_full() -> None:
    options = from_params(GOOD)
    assert (options.port, options.sslmode, options.sslrootcert) == (5432, "verify-full", "system")
    assert options.place == "db.example:5432/shop"


@pytest.mark.parametrize(
    "change",
    [
        {"port": 6432},
        {"port": 70000},
        {"host": ""},
        {"host": "a,b"},
        {"name": "a\nb"},
        {"user": ""},
        {"sslmode": "require"},
        {"sslmode": "prefer"},
        {"sslmode": "disable"},
        {"sslmode": "verify-ca"},
        {"connect_timeout": 1},
    ],
)
def test_refuses(change: dict[str, Any]) -> None:
    with pytest.raises(InputInvalid):
        from_params({**GOOD, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"sslmode": "disable", "host": "localhost"},
        {"sslmode": "disable", "host": "/run/postgresql"},
        {"sslmode": "verify-ca", "sslrootcert": "C:\\roots.pem"},
        {"name": "a=b 'c' ünï"},
    ],
)
def test_accepts(change: dict[str, Any]) -> None:
    options = from_params({**GOOD, **change})
    assert all(getattr(options, name) == value for name, value in change.items())


def test_the_module_offers_no_mode_that_does_not_verify() -> None:
    assert argument_spec()["options"]["sslmode"]["choices"] == ["verify-full", "verify-ca", "disable"]
