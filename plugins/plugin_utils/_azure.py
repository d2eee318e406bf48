# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks Azure's resource manager about a PostgreSQL flexible server and its backups, from the control node."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from . import _errors
from ._azure_client import answered, opened, persistently, plain
from ._azure_options import Question

MOST_BACKUPS = 1000  # a server keeps 35 days of them


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

    def work() -> Answer:
        place = (question.resource_group, question.server)
        with opened(question, environment) as client:
            try:
                listing = client.backups_automatic_and_on_demand.list_by_server
            except AttributeError as error:
                raise _errors.AzureSdkMissing("azure-mgmt-postgresqlflexibleservers is too old.") from error
            server = persistently(lambda limits: client.servers.get(*place, **limits), question, deadline)
            backups = persistently(
                lambda limits: list(islice(listing(*place, **limits), MOST_BACKUPS)), question, deadline
            )
            return Answer(server=plain(server), backups=[plain(one) for one in backups])

    return answered(work, question)
