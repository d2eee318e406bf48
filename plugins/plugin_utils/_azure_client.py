# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure's resource manager as the control node reaches it, through Azure's own packages: who asks, how long, how often,
and what a failure is called.

They are imported where they are used: who has no server in Azure need not have them. Whatever is asked has one limit of
time. Azure's packages have none that holds: they sleep as long as an answer tells them to, and wait for every next byte
anew.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any, Callable, Optional, TypeVar

from . import _errors
from ._azure_failures import late, named, retry_after
from ._azure_options import CLOUDS, Question
from ._within import within

T = TypeVar("T")

TRIES = 4  # of one request
CONNECT, READ = 10.0, 30.0  # seconds, for one connection and for one piece of an answer
_GRACE = 1.0  # seconds beyond the limit, for what is just ending by itself
_PAUSE = 1.0  # seconds before the second try; then twice as long each time
# As Azure's own packages call them, and as AWX and azure.azcollection do.
_TENANT = ("AZURE_TENANT_ID", "AZURE_TENANT")
_SECRET = ("AZURE_CLIENT_SECRET", "AZURE_SECRET")  # nosec B105  # not-a-secret: the names of variables
_CLIENT = ("AZURE_CLIENT_ID",)


@contextlib.contextmanager
def opened(question: Question, environment: Mapping[str, str]) -> Iterator[Any]:
    """A client of Azure's package. Raises ``AzureSdkMissing``.

    :param environment: where the identity is looked for first (``AZURE_CLIENT_ID`` and its like).
    """
    try:
        from azure.mgmt.postgresqlflexibleservers import PostgreSQLManagementClient
    except ImportError as error:
        raise _errors.AzureSdkMissing(f"a package is missing: {error}.") from error
    with _credential(question, environment) as credential:
        with PostgreSQLManagementClient(credential, question.subscription, **_settings(question)) as client:
            yield client


def answered(work: Callable[[], T], question: Question) -> T:
    """What the work returns; every failure by its name, and ``AzureTimeout`` once the question's time is over."""
    try:
        from azure.core.exceptions import AzureError
    except ImportError as error:
        raise _errors.AzureSdkMissing(f"a package is missing: {error}.") from error
    try:
        return within(work, question.timeout + _GRACE)
    except TimeoutError as error:
        raise late(question) from error
    except AzureError as error:
        raise named(error, question) from error


def persistently(request: Callable[[dict[str, Any]], T], question: Question, deadline: float) -> T:
    """Try it again where that may help and there is time; an answer that tells when is believed."""
    from azure.core.exceptions import AzureError

    for number in range(TRIES):
        left = deadline - time.monotonic()
        if left <= 0:
            raise late(question)
        limits: dict[str, Any] = {"connection_timeout": min(CONNECT, left), "read_timeout": min(READ, left)}
        try:
            return request(limits)
        except AzureError as error:
            failure = named(error, question)
            pause = _pause(error, failure, number)
            if pause is None or number == TRIES - 1 or time.monotonic() + pause >= deadline:
                raise failure from error
        time.sleep(pause)
    raise late(question)


def _pause(error: Exception, failure: _errors.TransportError, number: int) -> Optional[float]:
    """Seconds before the next try; None where there is no use in one."""
    status = failure.facts.get("status")
    busy = isinstance(status, int) and (status == 408 or status == 429 or status >= 500)
    if not busy and not isinstance(failure, _errors.AzureUnreachable):
        return None
    told = retry_after(error)
    return told if told is not None else _PAUSE * 2.0**number


def _settings(question: Question) -> dict[str, Any]:
    """How the client is made. Tries are ours, so it makes none itself; it carries its token to nobody else."""
    from azure.core import AzureClouds

    settings: dict[str, Any] = {
        "retry_total": 0,
        "permit_redirects": False,
        "cloud_setting": AzureClouds[CLOUDS[question.cloud][0]],
    }
    if question.endpoint:
        base = question.endpoint.rstrip("/")
        settings.update(base_url=base, credential_scopes=[f"{base}/.default"])
    return settings


def _credential(question: Question, environment: Mapping[str, str]) -> Any:
    """The identity that is used; looks at the environment, then at managed and workload identities and ``az login``."""
    try:
        from azure.identity import ClientSecretCredential, DefaultAzureCredential
    except ImportError as error:
        raise _errors.AzureSdkMissing(f"a package is missing: {error}.") from error
    host = CLOUDS[question.cloud][1] or environment.get("AZURE_AUTHORITY_HOST")
    common: dict[str, Any] = {"authority": host} if host else {}
    common.update(retry_total=0, connection_timeout=CONNECT, read_timeout=READ)
    if question.endpoint:  # a private cloud has logins that the public one cannot vouch for
        common["disable_instance_discovery"] = True
    tenant, client, secret = (_first(environment, names) for names in (_TENANT, _CLIENT, _SECRET))
    if tenant and client and secret:
        return ClientSecretCredential(tenant, client, secret, **common)
    return DefaultAzureCredential(
        exclude_interactive_browser_credential=True,
        exclude_shared_token_cache_credential=True,
        exclude_visual_studio_code_credential=True,
        process_timeout=max(1, int(question.timeout / 2)),
        **common,
    )


def _first(environment: Mapping[str, str], names: tuple[str, ...]) -> Optional[str]:
    """The value of the first of these variables that is set."""
    return next((environment[name] for name in names if environment.get(name)), None)


def plain(model: Any) -> Mapping[str, Any]:
    """A resource as the interface sent it, without the classes of the package."""
    value = json.loads(json.dumps(model.as_dict(), default=str))
    return value if isinstance(value, dict) else {}
