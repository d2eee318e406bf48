# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Has Azure's resource manager set the password of a server's administrator, and waits until it has.

A failure tells which of three things is so. Azure was not told, or refused: the old password works. Azure ended without
setting it: the same. Or nobody knows (``AzurePasswordUnsettled``): it may have been set, or will be in a moment, and
both passwords must be kept.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any, Callable

from . import _errors
from ._azure_client import CONNECT, READ, TRIES, answered, opened, persistently, plain
from ._azure_failures import named
from ._azure_login import Login, refusal
from ._azure_options import Question

POLL = 2.0  # seconds between two looks at the change, where Azure names none


class Telling:
    """Whether it must be reckoned with that Azure was told.

    The thread that talks to Azure is left to itself when the time is over, and must not begin after that.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._over = False
        self._told = False
        self._lost = False  # an answer was, so that a later refusal says nothing of what it answered

    def begin(self) -> None:
        """From now on Azure may know. Raises TimeoutError where it is too late for that."""
        with self._lock:
            if self._over:
                raise TimeoutError
            self._told = True

    def refused(self) -> None:
        """Azure has said that it will not, or did not."""
        with self._lock:
            self._told = self._lost

    def lost(self) -> None:
        """There was no answer, or none that says what became of it."""
        with self._lock:
            self._lost = True

    def give_up(self) -> bool:
        """Nothing begins from now on; tells whether Azure may know."""
        with self._lock:
            self._over = True
            return self._told


def look(question: Question, login: Login, environment: Mapping[str, str]) -> None:
    """See that Azure can set that login's password; changes nothing. Raises the refusal, or an Azure error by name."""
    deadline = time.monotonic() + question.timeout

    def work() -> None:
        with opened(question, environment) as client:
            _require_settable(client, question, login, deadline)

    answered(work, question)


def set_password(question: Question, login: Login, password: str, environment: Mapping[str, str]) -> None:
    """Have it set, and return when Azure says that it is.

    :param question: its ``hidden`` is the password, which no message then has.
    :raises AzurePasswordUnsettled: nobody knows. AzureChangeFailed: Azure took it and did not set it.
    :raises TransportError: every other one of Azure's: it was not told, or refused.
    """
    deadline = time.monotonic() + question.timeout
    telling = Telling()

    def work() -> None:
        with opened(question, environment) as client:
            _require_settable(client, question, login, deadline)
            poller = persistently(_update(client, question, password, telling), question, deadline)
            _wait(poller, question, deadline, telling)

    try:
        answered(work, question)
    except _errors.TransportError as error:
        if not telling.give_up():
            raise
        raise _errors.AzurePasswordUnsettled(
            f"Azure was told the new password of {login.user}, and it is not known whether it is set: "
            f"{error.code}: {error.message}",
            **error.facts,
        ) from error


def _require_settable(client: Any, question: Question, login: Login, deadline: float) -> None:
    place = (question.resource_group, question.server)
    server = plain(persistently(lambda limits: client.servers.get(*place, **limits), question, deadline))
    refused = refusal(server, login)
    if refused is not None:
        raise refused


def _update(client: Any, question: Question, password: str, telling: Telling) -> Callable[[dict[str, Any]], Any]:
    """The request. Made twice it is the same change, so that it may be made again."""
    from azure.core.exceptions import AzureError
    from azure.mgmt.core.polling.arm_polling import ARMPolling

    body = {"properties": {"administratorLoginPassword": password}}
    place = (question.resource_group, question.server)

    def request(limits: dict[str, Any]) -> Any:
        telling.begin()
        # The looks at the change are tried again by the package itself, as they change nothing.
        looks = ARMPolling(POLL, retry_total=TRIES, connection_timeout=CONNECT, read_timeout=READ)
        try:
            return client.servers.begin_update(*place, body, polling=looks, **limits)
        except AzureError as error:
            (telling.refused if _is_refused(error) else telling.lost)()
            raise

    return request


def _is_refused(error: Exception) -> bool:
    """Whether Azure has certainly not taken it. A connection that breaks may have carried it all the same."""
    status = getattr(error, "status_code", None)
    return isinstance(status, int) and 400 <= status < 500 and status != 408


def _wait(poller: Any, question: Question, deadline: float, telling: Telling) -> None:
    """Until Azure has ended the change, or the question's time is over."""
    from azure.core.exceptions import AzureError
    from azure.core.polling.base_polling import OperationFailed

    try:
        poller.wait(max(0.0, deadline - time.monotonic()))
    except AzureError as error:
        failure = named(error, question)
        if not isinstance(error.__cause__, OperationFailed):
            raise failure from error
        telling.refused()
        raise _errors.AzureChangeFailed(
            f"Azure did not set the password: {failure.message}", **failure.facts
        ) from error
    if not poller.done():
        raise _errors.AzureTimeout(
            f"Azure has not ended the change of {question.server} within {question.timeout:.0f} s.",
            server=question.server,
        )
