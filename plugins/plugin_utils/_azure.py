# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks Azure's resource manager about a PostgreSQL flexible server, on the control node, through Azure's own packages.

They are imported where they are used: who has no server in Azure need not have them. The whole question has one limit
of time. Azure's packages have none that holds: they sleep as long as an answer tells them to, and wait for every next
byte anew.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Callable, Optional, TypeVar

from . import _errors

T = TypeVar("T")

TRIES = 4  # of one request
MOST_BACKUPS = 1000  # a server keeps 35 days of them
_CONNECT, _READ = 10.0, 30.0  # seconds, for one connection and for one piece of an answer
_GRACE = 1.0  # seconds beyond the limit, for what is just ending by itself
_PAUSE = 1.0  # seconds before the second try; then twice as long each time
_CLOUDS = {  # Azure's names of its clouds, and where their logins are
    "public": ("AZURE_PUBLIC_CLOUD", None),  # None: as AZURE_AUTHORITY_HOST says, or the public one
    "usgovernment": ("AZURE_US_GOVERNMENT", "login.microsoftonline.us"),
    "china": ("AZURE_CHINA_CLOUD", "login.chinacloudapi.cn"),
}
CLOUDS = tuple(_CLOUDS)
# As Azure's own packages call them, and as AWX and azure.azcollection do.
_TENANT = ("AZURE_TENANT_ID", "AZURE_TENANT")
_SECRET = ("AZURE_CLIENT_SECRET", "AZURE_SECRET")  # nosec B105  # not-a-secret: the names of variables
_CLIENT = ("AZURE_CLIENT_ID",)


@dataclass(frozen=True)
class Question:
    """Which server, where, and for how long to ask."""

    subscription: str
    resource_group: str
    server: str
    timeout: float  # seconds
    cloud: str = "public"
    endpoint: Optional[str] = None  # of a resource manager that is none of the three


@dataclass(frozen=True)
class Answer:
    """The server and its backups in the words of Azure's REST interface."""

    server: Mapping[str, Any]
    backups: list[Mapping[str, Any]]


def ask(question: Question, environment: Mapping[str, str]) -> Answer:
    """Ask; raises one of the Azure errors of ``_errors`` within the question's time, whatever answers.

    :param environment: where the identity is looked for first (``AZURE_CLIENT_ID`` and its like).
    """
    deadline = time.monotonic() + question.timeout
    try:
        from azure.core.exceptions import AzureError
        from azure.mgmt.postgresqlflexibleservers import PostgreSQLManagementClient
    except ImportError as error:
        raise _errors.AzureSdkMissing(f"a package is missing: {error}.") from error

    def work() -> Answer:
        place = (question.resource_group, question.server)
        with _credential(question, environment) as credential:
            with PostgreSQLManagementClient(credential, question.subscription, **_settings(question)) as client:
                try:
                    listing = client.backups_automatic_and_on_demand.list_by_server
                except AttributeError as error:
                    raise _errors.AzureSdkMissing("azure-mgmt-postgresqlflexibleservers is too old.") from error
                server = _persistently(lambda limits: client.servers.get(*place, **limits), question, deadline)
                backups = _persistently(
                    lambda limits: list(islice(listing(*place, **limits), MOST_BACKUPS)), question, deadline
                )
                return Answer(server=_plain(server), backups=[_plain(one) for one in backups])

    try:
        return within(work, question.timeout + _GRACE)
    except TimeoutError as error:
        raise _late(question) from error
    except AzureError as error:
        raise named(error, question) from error


def within(work: Callable[[], T], seconds: float) -> T:
    """What the work returns or raises; raises TimeoutError when it takes longer, and leaves it to itself."""
    done: dict[str, Any] = {}

    def run() -> None:
        try:
            done["value"] = work()
        except BaseException as error:  # noqa: BLE001  # raised below, in the thread that waits
            done["error"] = error

    thread = threading.Thread(target=run, daemon=True)  # a daemon: the play's end does not wait for it
    thread.start()
    thread.join(seconds)
    if "error" in done:
        raise done["error"]
    if "value" not in done:
        raise TimeoutError
    value: T = done["value"]
    return value


def _persistently(request: Callable[[dict[str, Any]], T], question: Question, deadline: float) -> T:
    """Try it again where that may help and there is time; an answer that tells when is believed."""
    from azure.core.exceptions import AzureError

    for number in range(TRIES):
        left = deadline - time.monotonic()
        if left <= 0:
            raise _late(question)
        limits: dict[str, Any] = {"connection_timeout": min(_CONNECT, left), "read_timeout": min(_READ, left)}
        try:
            return request(limits)
        except AzureError as error:
            failure = named(error, question)
            pause = _pause(error, failure, number)
            if pause is None or number == TRIES - 1 or time.monotonic() + pause >= deadline:
                raise failure from error
        time.sleep(pause)
    raise _late(question)


def _pause(error: Exception, failure: _errors.TransportError, number: int) -> Optional[float]:
    """Seconds before the next try; None where there is no use in one."""
    status = failure.facts.get("status")
    busy = isinstance(status, int) and (status == 408 or status == 429 or status >= 500)
    if not busy and not isinstance(failure, _errors.AzureUnreachable):
        return None
    told = _retry_after(error)
    return told if told is not None else _PAUSE * 2.0**number


def _retry_after(error: Exception) -> Optional[float]:
    """Seconds that the answer asks to wait; Azure tells whole seconds."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    text = str(headers.get("Retry-After", "")).strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def named(error: Exception, question: Question) -> _errors.TransportError:
    """The failure of ours that a failure of Azure's packages is."""
    from azure.core.exceptions import (
        ClientAuthenticationError,
        HttpResponseError,
        IncompleteReadError,
        ServiceRequestTimeoutError,
        ServiceResponseTimeoutError,
    )

    status = getattr(error, "status_code", None)
    place = f"{question.server} in {question.resource_group}"
    facts = {"server": question.server, "resource_group": question.resource_group, "status": status}
    words = _words(error)
    if isinstance(error, (ServiceRequestTimeoutError, ServiceResponseTimeoutError)):
        return _errors.AzureTimeout(f"Azure did not answer about {place}: {words}.", **facts)
    if _is_tls(error):
        return _errors.AzureTls(f"the certificate of who answers was not accepted: {words}.", **facts)
    if isinstance(error, ClientAuthenticationError) or status in (401, 403):
        return _errors.AzureNotAuthorized(f"Azure refuses to tell about {place}: {words}.", **facts)
    if status == 404:
        return _errors.AzureAbsent(f"Azure has no {place}: {words}.", **facts)
    if status == 429:
        wait = _retry_after(error)
        told = "" if wait is None else f" Azure asks to come back in {wait:.0f} s."
        return _errors.AzureThrottled(f"Azure was asked too often.{told}", retry_after=wait, **facts)
    if isinstance(error, HttpResponseError) and isinstance(status, int) and status >= 300:
        return _errors.AzureTrouble(f"Azure answers {status} about {place}: {words}.", **facts)
    if isinstance(error, HttpResponseError) and not isinstance(error, IncompleteReadError):
        return _errors.AzureTrouble(f"Azure's answer about {place} cannot be read: {words}.", **facts)
    return _errors.AzureUnreachable(f"the connection to Azure failed: {words}.", **facts)


def _is_tls(error: Optional[BaseException]) -> bool:
    """Whether a TLS failure is at the bottom of it; the packages in between have classes of their own for that."""
    for _level in range(10):
        if error is None:
            return False
        if type(error).__name__ == "SSLError" or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return True
        error = getattr(error, "inner_exception", None) or error.__cause__
    return False


def _words(error: Exception) -> str:
    """Its own words, in one line that fits a screen."""
    text = " ".join(str(getattr(error, "message", None) or error).split())
    return (text[:500] + " ..." if len(text) > 500 else text).rstrip(".")


def _late(question: Question) -> _errors.AzureTimeout:
    return _errors.AzureTimeout(
        f"Azure did not answer about {question.server} within {question.timeout:.0f} s.", server=question.server
    )


def _settings(question: Question) -> dict[str, Any]:
    """How the client is made. Tries are ours, so it makes none itself; it carries its token to nobody else."""
    from azure.core import AzureClouds

    settings: dict[str, Any] = {
        "retry_total": 0,
        "permit_redirects": False,
        "cloud_setting": AzureClouds[_CLOUDS[question.cloud][0]],
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
    host = _CLOUDS[question.cloud][1] or environment.get("AZURE_AUTHORITY_HOST")
    common: dict[str, Any] = {"authority": host} if host else {}
    common.update(retry_total=0, connection_timeout=_CONNECT, read_timeout=_READ)
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


def _plain(model: Any) -> Mapping[str, Any]:
    """A resource as the interface sent it, without the classes of the package."""
    value = json.loads(json.dumps(model.as_dict(), default=str))
    return value if isinstance(value, dict) else {}
