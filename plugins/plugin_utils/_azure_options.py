# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which server in Azure is meant: the options that the actions about it have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from ._errors import SettingInvalid

CLOUDS = {  # Azure's names of its clouds, and where their logins are
    "public": ("AZURE_PUBLIC_CLOUD", None),  # None: as AZURE_AUTHORITY_HOST says, or the public one
    "usgovernment": ("AZURE_US_GOVERNMENT", "login.microsoftonline.us"),
    "china": ("AZURE_CHINA_CLOUD", "login.chinacloudapi.cn"),
}
SHORTEST, LONGEST = 1, 600  # seconds
DEFAULT_TIMEOUT = 60  # seconds


@dataclass(frozen=True)
class Question:
    """Which server, where, and for how long to ask."""

    subscription: str
    resource_group: str
    server: str
    timeout: float  # seconds
    cloud: str = "public"
    endpoint: Optional[str] = None  # of a resource manager that is none of the three
    hidden: str = field(default="", repr=False)  # what no message may have, such as a password that is sent


def argument_spec() -> dict[str, dict[str, Any]]:
    """The options; their documentation is the fragment ``azure``."""
    return {
        "subscription": {"type": "str"},
        "resource_group": {"type": "str", "required": True},
        "server": {"type": "str", "required": True},
        "cloud": {"type": "str", "default": "public", "choices": list(CLOUDS)},
        "endpoint": {"type": "str"},
        "timeout": {"type": "int", "default": DEFAULT_TIMEOUT},
    }


def question_of(arguments: Mapping[str, Any], environment: Mapping[str, str], *, hidden: str = "") -> Question:
    """What those options mean; raises ``SettingInvalid``.

    :param environment: where the subscription is looked for, if it is no option.
    """
    subscription = arguments["subscription"] or environment.get("AZURE_SUBSCRIPTION_ID")
    endpoint = arguments["endpoint"] or None
    if not subscription:
        raise SettingInvalid("subscription is not set, and AZURE_SUBSCRIPTION_ID is not either.")
    if endpoint and not endpoint.startswith("https://"):
        raise SettingInvalid("endpoint must begin with https://.", endpoint=endpoint)
    if not SHORTEST <= arguments["timeout"] <= LONGEST:
        raise SettingInvalid(f"timeout must be {SHORTEST} to {LONGEST} seconds.", timeout=arguments["timeout"])
    return Question(
        subscription=subscription,
        resource_group=arguments["resource_group"],
        server=arguments["server"],
        timeout=float(arguments["timeout"]),
        cloud=arguments["cloud"],
        endpoint=endpoint,
        hidden=hidden,
    )
