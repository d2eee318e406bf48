# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sending mail. TLS is verified, and without TLS nothing leaves this machine (``_notify_settings``)."""

from __future__ import annotations

import base64
import contextlib
import email.utils
import smtplib
import ssl
from email.message import EmailMessage
from typing import Any

from ._errors import NotifyRefused, NotifyUnreachable, TransportError
from ._notify_plan import Ended, subject, text
from ._notify_settings import STARTTLS, TLS, Mail
from ._notify_web import named

_LONGEST = 200  # characters of the server's own words


def message_of(ended: Ended, mail: Mail) -> EmailMessage:
    """The mail. A second attempt sends the same one, by whose id programs see that it came twice."""
    message = EmailMessage()
    message["Subject"] = subject(ended)
    message["From"] = mail.sender
    message["To"] = ", ".join(mail.recipients)
    message["Date"] = email.utils.format_datetime(ended.at)
    message["Message-ID"] = email.utils.make_msgid(domain=mail.sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text(ended))
    return message


def send(message: EmailMessage, mail: Mail, *, context: ssl.SSLContext, timeout: float) -> None:
    """Hand it to the server.

    :param timeout: seconds for the connection and for each answer.
    :raises NotifyUnreachable: no connection, no answer, or one that was cut.
    :raises NotifyUntrusted: the certificate.
    :raises NotifyRefused: the server takes no TLS, not the login, not the mail, or not for everybody.
    """
    try:
        server = _connected(mail, context, timeout)
        try:
            if mail.security == STARTTLS:
                server.starttls(context=context)
            if mail.user:
                server.login(mail.user, mail.password)
            refused = server.send_message(message)
        finally:  # what was taken stays taken, however they part
            with contextlib.suppress(smtplib.SMTPException, OSError):
                server.quit()
    except smtplib.SMTPException as error:
        raise _named(error, mail) from None
    except (OSError, ValueError) as error:
        raise named(error) from None
    if refused:
        raise NotifyRefused(f"the server took it, but not for {', '.join(sorted(refused))}.", lasting=True)


def _connected(mail: Mail, context: ssl.SSLContext, timeout: float) -> smtplib.SMTP:
    if mail.security == TLS:
        return smtplib.SMTP_SSL(mail.host, mail.port, timeout=timeout, context=context)
    return smtplib.SMTP(mail.host, mail.port, timeout=timeout)


def _named(error: smtplib.SMTPException, mail: Mail) -> TransportError:
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return NotifyUnreachable("the server broke the connection off.")
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return NotifyRefused("the server offers no STARTTLS, or no login that is known here.", lasting=True)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        status, words = next(iter(error.recipients.values()))
        return _refused(status, words, mail)
    if isinstance(error, smtplib.SMTPResponseException):
        return _refused(error.smtp_code, error.smtp_error, mail)
    return NotifyRefused(f"the mail could not be handed over ({type(error).__name__}).", lasting=True)


def _refused(status: int, words: Any, mail: Mail) -> NotifyRefused:
    told = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    told = " ".join(_without_password(told, mail).split())[:_LONGEST]
    return NotifyRefused(f"the server answered {status} {told}.", status=status, lasting=not 400 <= status < 500)


def _without_password(words: str, mail: Mail) -> str:
    """A server that repeats what it was told must not have us repeat it, too."""
    if not mail.password:
        return words
    plain = f"\0{mail.user}\0{mail.password}"
    for secret in (mail.password, *(base64.b64encode(each.encode()).decode() for each in (plain, mail.password))):
        words = words.replace(secret, "***")
    return words
