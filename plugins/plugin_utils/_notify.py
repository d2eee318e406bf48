# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells those who are to know that a job has ended. Never raises: what fails here must not fail what it tells of.

A channel that failed is recorded on the control node, comes back as a problem, and stands beside the verdict until it
works.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from . import _control_log, _notify_mail, _notify_state, _notify_web
from ._clock import format_time
from ._errors import NotifyInvalid, NotifyRefused, NotifyUnreachable, TransportError
from ._notify_plan import EVENT_LOG, HEARTBEAT, MAIL, SETTINGS, SUCCESS, Ended, came_to, document, wanted, what_failed
from ._notify_settings import Settings, read_settings
from ._within import within

_GRACE = 1.0  # seconds beyond the limit of an attempt, for what is just ending by itself


@dataclass
class Told:
    """What came of it: the channels that were used, and what is wrong with others."""

    sent: list[str] = field(default_factory=list)
    problems: list[dict[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def as_result(self) -> dict[str, Any]:
        """For Ansible."""
        return {"sent": self.sent, "problems": self.problems, "warnings": self.warnings}


def tell(
    ended: Ended,
    variables: Mapping[str, Any],
    template: Callable[[Any], Any],
    *,
    control_dir: str,
    event_log: Optional[Mapping[str, Any]] = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Told:
    """Tell it by every channel that is configured and wanted.

    :param event_log: what the module ``event_log`` left on the host, where it was asked.
    """
    told = Told()
    known = _notify_state.read(control_dir, ended.host)
    last = known.get(ended.job, {})
    try:
        settings = read_settings(variables, template, ended.job)
        failures: dict[str, TransportError] = dict(settings.problems)
        for channel in wanted(ended, settings.configured - set(settings.problems), last, settings.repeat):
            failure = _attempt(channel, ended, settings, sleep)
            if failure is None:
                told.sent.append(channel)
            else:
                failures[channel] = failure
        _add_event_log(event_log or {}, told, failures)
        configured = settings.configured
    except TransportError as error:
        failures, configured = {SETTINGS: error}, frozenset(last) | {SETTINGS}
    except Exception as error:  # noqa: BLE001  # such as a vault without its password; the text may hold anything
        invalid = NotifyInvalid(f"the variables of notifications cannot be used ({type(error).__name__}).")
        failures, configured = {SETTINGS: invalid}, frozenset(last) | {SETTINGS}
    _keep(ended, configured, known, told, failures, control_dir)
    return told


def _attempt(
    channel: str, ended: Ended, settings: Settings, sleep: Callable[[float], None]
) -> Optional[TransportError]:
    """Why it failed after as many tries as there may be; None where it was taken."""
    try:
        send = _sender(channel, ended, settings)
    except TransportError as error:
        return error
    failure: Optional[TransportError] = None
    for number in range(settings.tries):
        if number:
            sleep(settings.pause * 2.0 ** (number - 1))
        try:
            within(send, settings.timeout + _GRACE)
        except TimeoutError:
            failure = NotifyUnreachable("there was no answer in time.")
        except TransportError as error:
            failure = error
            if not isinstance(error, NotifyUnreachable) and error.facts.get("lasting", True):
                break
        else:
            return None
    return failure


def _sender(channel: str, ended: Ended, settings: Settings) -> Callable[[], None]:
    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise NotifyInvalid(f"ca_file {settings.ca_file} cannot be used: {reason}.") from error
    if channel == MAIL and settings.mail is not None:
        mail, message = settings.mail, _notify_mail.message_of(ended, settings.mail)
        return lambda: _notify_mail.send(message, mail, context=context, timeout=settings.timeout)
    body = None if channel == HEARTBEAT else document(ended)
    url = (settings.heartbeat if channel == HEARTBEAT else settings.webhook) or ""
    return lambda: _notify_web.ask(url, context=context, timeout=settings.timeout, document=body)


def _add_event_log(result: Mapping[str, Any], told: Told, failures: dict[str, TransportError]) -> None:
    """The host's part: what its module left."""
    if result.get("written"):
        told.sent.append(EVENT_LOG)
    elif result.get("code") or result.get("failed") or result.get("unreachable"):
        code = result.get("code") or ("unreachable" if result.get("unreachable") else "failed")
        failures[EVENT_LOG] = NotifyRefused(f"the host's event log was not written: {code}.")


def _keep(
    ended: Ended,
    configured: frozenset[str],
    known: dict[str, dict[str, Any]],
    told: Told,
    failures: Mapping[str, TransportError],
    control_dir: str,
) -> None:
    """On the control node: what happened now, so that nothing that failed is forgotten."""
    at = format_time(ended.at)
    last_told = {"told": what_failed(ended), "told_at": at}
    attempts: dict[str, dict[str, Any]] = {name: {"at": at, "problem": "", **last_told} for name in told.sent}
    for channel, failure in failures.items():
        attempts[channel] = {"at": at, "problem": f"{failure.code}: {failure.message}"}
    well = came_to(ended) == SUCCESS
    job = _notify_state.after(known.get(ended.job, {}), attempts, configured=configured, ended_well=well)
    if job != known.get(ended.job, {}):
        try:
            _notify_state.write(control_dir, ended.host, {**known, ended.job: job})
        except OSError as error:
            told.warnings.append(f"the control node could not keep what became of notifications: {error.strerror}")
    for channel, failure in failures.items():
        _note(told, ended, channel, failure, control_dir)


def _note(told: Told, ended: Ended, channel: str, failure: TransportError, control_dir: str) -> None:
    """On the screen and in the control node's own record."""
    told.problems.append(
        {"channel": channel, "code": failure.code, "message": failure.message, "remedy": failure.remedy}
    )
    told.warnings.append(
        f"{ended.host}: notification '{channel}' was not sent: {failure.code}: {failure.message} {failure.remedy}"
    )
    entry = {"event": "notification", "result": "failure", "code": failure.code, "message": failure.message}
    try:
        about = {"job": ended.job, "channel": channel, "run_id": ended.run_id, "about": ended.code}
        _control_log.record(control_dir, ended.host, {**entry, **about})
    except OSError as error:
        told.warnings.append(f"the control node could not record that: {error.strerror}")
