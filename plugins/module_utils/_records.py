# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small JSON files that prove themselves: state files, sidecars, leases, facts of a run.

A record is ``{"body": ..., "digest": "sha256:..."}`` in canonical bytes (sorted keys, no spaces, ASCII, one line).
Reading compares the bytes with the canonical form of what was parsed, so any flipped bit anywhere in the file is
found, white space included. The digest finds accidents; a person who edits the file can make a new one.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Dict

from ansible_collections.wst.backup.plugins.module_utils import _json
from ansible_collections.wst.backup.plugins.module_utils._errors import RecordDamaged

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def canonical(value: Any) -> bytes:
    """The one byte form of a JSON value: sorted keys, no spaces, ASCII."""
    return _ENCODER.encode(value).encode("ascii")


def encode_record(body: Dict[str, Any]) -> bytes:
    """The file's bytes for that body."""
    digest = "sha256:" + hashlib.sha256(canonical(body)).hexdigest()
    return canonical({"body": body, "digest": digest}) + b"\n"


def decode_record(data: bytes, *, name: str) -> Dict[str, Any]:
    """The body of a record; raises ``RecordDamaged`` for anything but the exact bytes that were written.

    :param name: what to call the file in the message.
    """
    try:
        value = _json.parse(data)
        body: Dict[str, Any] = value["body"]
        intact = isinstance(body, dict) and encode_record(body) == data
    except (ValueError, KeyError, TypeError) as error:
        raise RecordDamaged(f"{name} is not a record of ours", path=name) from error
    if not intact:
        raise RecordDamaged(f"{name} does not match its own digest", path=name)
    return body
