# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several failures as one: the first is raised, all are told."""

from __future__ import annotations

from typing import Any, Sequence

from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError


def gathered(problems: Sequence[BackupError], **facts: Any) -> BackupError:
    """The first problem with all of them in its fact ``problems``, and further facts; to be raised.

    It is a new object: were the list put among the facts of the first itself, they would hold themselves.
    """
    first = problems[0]
    told = [problem.as_problem() for problem in problems]
    return type(first)(first.message, **{**first.facts, **facts, "problems": told})
