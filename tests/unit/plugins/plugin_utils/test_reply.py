# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An answer that arrived whole, and what it may hold."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.plugin_utils import _reply
from ansible_collections.wst.backup.plugins.plugin_utils._errors import ReplyDamaged

ANSWER = {"state": "done", "result": {"rc": 0, "stdout": "x" * 5000}}


def sent(packed: bytes) -> str:
    body = base64.b64encode(packed)
    digest = hashlib.sha256(body).hexdigest()[:16]
    return f"noise\nwst-backup-reply:ab:{len(body)}:{digest}:{body.decode()}:wst-backup-reply-end\n"


def read(packed: bytes) -> dict[str, Any]:
    return _reply.read(sent(packed), "", 0, nonce="ab", python="python")


def test_an_answer_comes_back_and_travels_small() -> None:
    packed = zlib.compress(json.dumps(ANSWER).encode())
    assert read(packed) == ANSWER
    assert len(sent(packed)) < 500


def test_an_answer_without_measure_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_reply, "LARGEST", 1 << 20)
    with pytest.raises(ReplyDamaged, match="more than"):
        read(zlib.compress(b"0" * (8 << 20)))


@pytest.mark.parametrize(
    "packed",
    [
        b"not compressed",
        zlib.compress(b"not JSON"),
        zlib.compress(json.dumps(ANSWER).encode())[:-6],
    ],
)
def test_an_answer_that_no_runner_wrote_is_refused(packed: bytes) -> None:
    with pytest.raises(ReplyDamaged):
        read(packed)
