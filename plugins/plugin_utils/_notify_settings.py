# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of notifications. None is set by default, and then nothing is ever sent.

``wst_backup_notify`` has what is no secret. Addresses that let anybody speak for us, and the password, are secrets:
variables of their own, from a vault. What is wrong with one channel leaves the others as they are.
"""

from __future__ import annotations

import ipaddress
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Callable, Optional

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ._errors import NotifyInvalid
from ._notify_plan import EVENT_LOG, HEARTBEAT, JOBS, MAIL, SETTINGS, WEBHOOK
from ._secrets import read_secrets

VARIABLE = "wst_backup_notify"
STARTTLS, TLS, NO_TLS = ("starttls", "tls", "none")
# not-a-secret: the names of variables
_SECRETS = {
    **{f"heartbeat_{job}": f"wst_backup_heartbeat_{job}" for job in JOBS},
    "webhook": "wst_backup_webhook_url",
    "password": "wst_backup_smtp_password",  # nosec B105  # not-a-secret: the name of a variable
}
_WORDS: dict[str, Any] = {"type": "list", "elements": "str"}
_MAIL_SPEC: dict[str, Any] = {
    "host": {"type": "str", "required": True},
    "port": {"type": "int", "default": 587},
    "security": {"type": "str", "choices": [STARTTLS, TLS, NO_TLS], "default": STARTTLS},
    "user": {"type": "str", "default": ""},
    "sender": {"type": "str", "required": True},
    "recipients": {**_WORDS, "required": True},
}
_SPEC: dict[str, Any] = {
    "smtp": {"type": "dict", "options": _MAIL_SPEC},
    "event_log": {"type": "bool", "default": False},
    "ca_file": {"type": "str", "default": ""},
    "timeout": {"type": "float", "default": 20.0},
    "tries": {"type": "int", "default": 3},
    "pause": {"type": "float", "default": 2.0},
    "repeat_hours": {"type": "float", "default": 24.0},
}


@dataclass(frozen=True)
class Mail:
    """How mail leaves."""

    host: str
    port: int
    security: str
    user: str
    password: str = field(repr=False)
    sender: str
    recipients: tuple[str, ...]


@dataclass(frozen=True)
class Settings:
    """What is configured for one job. ``problems`` has the channels that are, and cannot be used.

    :param timeout: seconds for one attempt.
    :param pause: seconds before the second attempt, then twice as long each time.
    :param repeat: after which the same failure of compliance is told again.
    """

    heartbeat: Optional[str] = field(default=None, repr=False)
    webhook: Optional[str] = field(default=None, repr=False)
    mail: Optional[Mail] = None
    event_log: bool = False
    ca_file: str = ""
    timeout: float = 20.0
    tries: int = 3
    pause: float = 2.0
    repeat: timedelta = timedelta(hours=24)
    problems: Mapping[str, NotifyInvalid] = field(default_factory=dict)

    @property
    def configured(self) -> frozenset[str]:
        """The channels that somebody wants."""
        given = {
            HEARTBEAT: self.heartbeat is not None,
            WEBHOOK: self.webhook is not None,
            MAIL: self.mail is not None,
            EVENT_LOG: self.event_log,
        }
        return frozenset(name for name, is_given in given.items() if is_given) | frozenset(self.problems)


def read_settings(variables: Mapping[str, Any], template: Callable[[Any], Any], job: str) -> Settings:
    """The settings for that job. Raises ``SettingInvalid`` for a secret that is no text."""
    secrets = read_secrets(variables, template, _SECRETS)
    problems: dict[str, NotifyInvalid] = {}
    plain = _plain(template(variables.get(VARIABLE)) or {}, problems)
    webhook = _address(secrets.get("webhook"), WEBHOOK, _SECRETS["webhook"], problems)
    heartbeat = _address(secrets.get(f"heartbeat_{job}"), HEARTBEAT, _SECRETS[f"heartbeat_{job}"], problems)
    return Settings(
        heartbeat=heartbeat,
        webhook=webhook,
        mail=_mail(plain.get("smtp"), secrets.get("password", ""), problems),
        problems=problems,
        repeat=timedelta(hours=plain["repeat_hours"]),
        **{name: plain[name] for name in ("event_log", "ca_file", "timeout", "tries", "pause")},
    )


def _plain(given: Any, problems: dict[str, NotifyInvalid]) -> dict[str, Any]:
    """``wst_backup_notify`` with its defaults; the defaults alone where it makes no sense."""
    wrong = [] if isinstance(given, Mapping) else [f"it must be a dictionary, not {type(given).__name__}"]
    checked = ArgumentSpecValidator(_SPEC).validate(dict(given) if not wrong else {})
    wrong += checked.error_messages
    found: dict[str, Any] = checked.validated_parameters
    if not wrong and not (found["timeout"] > 0 and found["tries"] >= 1 and found["pause"] >= 0):
        wrong = ["timeout must be more than 0, tries at least 1, pause not negative"]
    if wrong:
        problems[SETTINGS] = NotifyInvalid(f"{VARIABLE}: {'; '.join(wrong)}.", variable=VARIABLE)
        found = ArgumentSpecValidator(_SPEC).validate({}).validated_parameters
    return found


def _address(url: Optional[str], channel: str, variable: str, problems: dict[str, NotifyInvalid]) -> Optional[str]:
    """The address, which no message quotes."""
    if url is None:
        return None
    try:
        parts = urllib.parse.urlsplit(url)
        safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        good = safe and bool(parts.hostname) and parts.username is None and url.isprintable() and " " not in url
        _port = parts.port  # raises ValueError
    except ValueError:
        good = False
    if good:
        return url
    told = f"{variable} must be an address with https:// (http:// to this machine alone), without a user or spaces."
    problems[channel] = NotifyInvalid(told, variable=variable)
    return None


def _mail(given: Optional[Mapping[str, Any]], password: str, problems: dict[str, NotifyInvalid]) -> Optional[Mail]:
    if not given:
        return None
    wrong = _wrong_with_mail(given, password)
    if wrong:
        problems[MAIL] = NotifyInvalid(f"{VARIABLE}.smtp: {wrong}.", variable=VARIABLE)
        return None
    names = ("host", "port", "security", "user", "sender")
    recipients = tuple(given["recipients"])
    return Mail(**{name: given[name] for name in names}, password=password, recipients=recipients)


def _wrong_with_mail(given: Mapping[str, Any], password: str) -> str:
    if bool(given["user"]) != bool(password):
        return f"a user and {_SECRETS['password']} are given together or not at all"
    if given["security"] == NO_TLS and (given["user"] or not is_loopback(given["host"])):
        return "security none is for a mail server on this machine, without a user"
    if not given["recipients"]:
        return "there are no recipients"
    if not all(_is_mailbox(each) for each in (given["sender"], *given["recipients"])):
        return "sender and recipients must be addresses such as ops@example.com"
    return ""


def _is_mailbox(text: str) -> bool:
    before, sign, domain = text.partition("@")
    return bool(before and sign and domain) and text.isascii() and text.isprintable() and not set(text) & set(" ,;<>")


def is_loopback(host: str) -> bool:
    """Whether that is this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
