# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WS-Management envelopes: what a request asks for, what an answer or a fault looks like (MS-WSMV)."""

from __future__ import annotations

import re
import uuid
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

ENVELOPE = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
WSMAN_FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
CMD_SHELL = SHELL + "/cmd"
NAMES = {"s": ENVELOPE, "a": ADDRESSING, "w": WSMAN, "rsp": SHELL}

OPERATION_TIMEOUT = 2150858793
SHELL_NOT_FOUND = 2150858843
RESOURCE_NOT_FOUND = 2150858752
INVALID_PARAMETER = 87
ACCESS_DENIED = 5

_DURATION = re.compile(r"PT(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?$")


class Fault(Exception):
    """A SOAP fault: WSManFault code, SOAP subcode and a reason that a person can read."""

    def __init__(self, code: int, subcode: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.subcode = subcode
        self.reason = reason


@dataclass(frozen=True)
class Request:
    """One parsed envelope."""

    action: str
    resource: str
    message_id: str
    shell_id: str | None
    timeout: float
    options: dict[str, str]
    body: ET.Element


def parse(data: bytes) -> Request:
    """The request in an envelope; Fault when it is none or lacks what every request must have."""
    try:
        root = ET.fromstring(data)
    except ET.ParseError as error:
        raise Fault(INVALID_PARAMETER, "w:SchemaValidationError", f"not an XML envelope: {error}") from error
    header, body = root.find("s:Header", NAMES), root.find("s:Body", NAMES)
    if header is None or body is None:
        raise Fault(INVALID_PARAMETER, "w:SchemaValidationError", "an envelope has a header and a body")
    selector = next(
        (item for item in header.iterfind("w:SelectorSet/w:Selector", NAMES) if item.get("Name") == "ShellId"), None
    )
    return Request(
        action=_text(header, "a:Action"),
        resource=_text(header, "w:ResourceURI"),
        message_id=_text(header, "a:MessageID"),
        shell_id=None if selector is None else selector.text,
        timeout=seconds(_text(header, "w:OperationTimeout") or "PT60S"),
        options={item.get("Name", ""): item.text or "" for item in header.iterfind("w:OptionSet/w:Option", NAMES)},
        body=body,
    )


def seconds(duration: str) -> float:
    """An ISO 8601 duration of minutes and seconds, as WinRM clients write it."""
    match = _DURATION.match(duration)
    if not match:
        raise Fault(INVALID_PARAMETER, "w:SchemaValidationError", f"duration {duration!r} is not understood")
    return float(match[1] or 0) * 60 + float(match[2] or 0)


def _text(parent: ET.Element, path: str) -> str:
    found = parent.find(path, NAMES)
    return (found.text or "").strip() if found is not None else ""


def answer(request: Request, body: str) -> bytes:
    """The envelope that answers a request; ``body`` is XML."""
    return _envelope(request.action + "Response", request.message_id, body)


def fault_envelope(fault: Fault, message_id: str) -> bytes:
    """The envelope of a fault; the client finds its number in ``WSManFault/@Code``."""
    body = (
        "<s:Fault><s:Code><s:Value>s:Receiver</s:Value>"
        f"<s:Subcode><s:Value>{escape(fault.subcode)}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{escape(fault.reason)}</s:Text></s:Reason>'
        f'<s:Detail><f:WSManFault xmlns:f="{WSMAN_FAULT}" Code="{fault.code}" Machine="localhost">'
        f"<f:Message>{escape(fault.reason)}</f:Message></f:WSManFault></s:Detail></s:Fault>"
    )
    return _envelope("http://schemas.dmtf.org/wbem/wsman/1/wsman/fault", message_id, body)


def _envelope(action: str, relates_to: str, body: str) -> bytes:
    return (
        f'<s:Envelope xmlns:s="{ENVELOPE}" xmlns:a="{ADDRESSING}" xmlns:w="{WSMAN}" xmlns:x="{TRANSFER}" '
        f'xmlns:rsp="{SHELL}"><s:Header><a:Action>{escape(action)}</a:Action>'
        f"<a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID>"
        f"<a:To>{ADDRESSING}/role/anonymous</a:To><a:RelatesTo>{escape(relates_to)}</a:RelatesTo></s:Header>"
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def attribute(value: str) -> str:
    """A value with its quotes, for an attribute."""
    return quoteattr(value)
