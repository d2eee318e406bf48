# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is told what, and what makes no sense: decisions without a server."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.plugin_utils import _notify_plan, _notify_settings, _notify_state
from ansible_collections.wst.backup.plugins.plugin_utils._notify_plan import (
    BACKUP,
    COMPLIANCE,
    FAILURE,
    HEARTBEAT,
    JOBS,
    MAIL,
    NEITHER,
    SUCCESS,
    WEBHOOK,
    Ended,
)

NOW = datetime(2026, 12, 1, 2, 0, tzinfo=timezone.utc)
DAY = timedelta(days=1)
BASE = Ended(BACKUP, "win1", "ada@control", NOW)
ALL = (HEARTBEAT, WEBHOOK, MAIL)


@pytest.mark.parametrize(
    ("code", "proof", "result", "told"),
    [
        ("", "wst-backup-1", SUCCESS, (HEARTBEAT,)),
        ("", "", NEITHER, ()),
        ("no_space", "", FAILURE, (MAIL, WEBHOOK)),
        ("content_anomaly", "wst-backup-1", FAILURE, (MAIL, WEBHOOK)),
        ("host_paused", "", NEITHER, ()),
        ("host_paused", "wst-backup-1", NEITHER, ()),
    ],
)
def test_success_needs_a_proof_and_no_code(code: str, proof: str, result: str, told: tuple[str, ...]) -> None:
    ended = dataclasses.replace(BASE, code=code, proof=proof)
    assert _notify_plan.came_to(ended) == result
    assert _notify_plan.wanted(ended, ALL, {}, DAY) == told
    assert _notify_plan.wanted(ended, (), {}, DAY) == ()


@given(job=st.sampled_from(JOBS), code=st.sampled_from(["", "x", "host_paused"]), proof=st.sampled_from(["", "set"]))
def test_a_heartbeat_and_a_failure_are_never_told_together(job: str, code: str, proof: str) -> None:
    told = _notify_plan.wanted(dataclasses.replace(BASE, job=job, code=code, proof=proof), ALL, {}, DAY)
    assert told in ((), (HEARTBEAT,), (MAIL, WEBHOOK))
    assert (HEARTBEAT in told) == (not code and bool(proof))


def test_what_was_told_last_silences_compliance_alone() -> None:
    last = {MAIL: {"told": "x", "told_at": "2026-12-01T01:00:00Z"}}
    assert _notify_plan.wanted(dataclasses.replace(BASE, code="x"), ALL, last, DAY) == (MAIL, WEBHOOK)
    judged = dataclasses.replace(BASE, job=COMPLIANCE, code="x")
    assert _notify_plan.wanted(judged, ALL, last, DAY) == (WEBHOOK,)
    for when in ("", "soon", "2026-12-01T03:00:00Z", "2026-11-30T02:00:00Z"):
        assert _notify_plan.wanted(judged, ALL, {MAIL: {"told": "x", "told_at": when}}, DAY) == (MAIL, WEBHOOK)


@given(st.text(max_size=300))
def test_no_header_and_no_fact_is_continued_by_what_a_host_says(words: str) -> None:
    ended = dataclasses.replace(BASE, host=words, code=words, environment=words)
    assert len(_notify_plan.subject(ended).splitlines()) == 1
    assert len(_notify_plan.text(ended).splitlines()) <= 9
    json.dumps(_notify_plan.document(ended))


def test_a_message_that_has_the_remedy_is_not_told_it_again() -> None:
    ended = dataclasses.replace(BASE, code="x", message="x: full. Make room.", remedy="Make room.")
    assert _notify_plan.text(ended).count("Make room.") == 1
    assert len(_notify_plan.text(dataclasses.replace(ended, message="y" * 99999))) < 5000


def read(job: str = BACKUP, **variables: Any) -> _notify_settings.Settings:
    return _notify_settings.read_settings(variables, lambda value: value, job)


SMTP = {"host": "mail.example.com", "sender": "b@example.com", "recipients": ["o@example.com"]}


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/x",
        "ftp://example.com/x",
        "https:///x",
        "https://user:pw@example.com/",
        "https://example.com/a b",
        "https://example.com:port/",
        "https://example.com/\x07",
        "hc-ping.com/uuid",
        "https://[::1/",
    ],
)
def test_addresses_that_are_refused_and_not_quoted(url: str) -> None:
    settings = read(wst_backup_webhook_url=url)
    assert settings.webhook is None
    assert url not in settings.problems[WEBHOOK].message


@pytest.mark.parametrize("url", ["https://example.com/x", "http://127.0.0.1:9/x", "http://localhost/", "http://[::1]/"])
def test_addresses_that_are_taken(url: str) -> None:
    settings = read(wst_backup_webhook_url=f"{url}\n", wst_backup_heartbeat_compliance=url)
    assert (settings.webhook, settings.heartbeat, settings.configured) == (url, None, {WEBHOOK})
    assert url not in repr(settings)


@pytest.mark.parametrize(
    ("smtp", "password"),
    [
        ({**SMTP, "user": "u"}, ""),
        (SMTP, "pw"),
        ({**SMTP, "security": "none"}, ""),
        ({**SMTP, "security": "none", "host": "localhost", "user": "u"}, "pw"),
        ({**SMTP, "recipients": []}, ""),
        ({**SMTP, "recipients": ["o@example.com\nBcc: x@example.com"]}, ""),
        ({**SMTP, "sender": "nobody"}, ""),
    ],
)
def test_mail_that_is_refused(smtp: dict[str, Any], password: str) -> None:
    settings = read(wst_backup_notify={"smtp": smtp, "event_log": True}, wst_backup_smtp_password=password)
    assert (settings.mail, set(settings.problems), settings.event_log) == (None, {MAIL}, True)


def test_mail_that_is_taken() -> None:
    settings = read(wst_backup_notify={"smtp": {**SMTP, "user": "u"}}, wst_backup_smtp_password="pw-4711")
    assert settings.mail is not None
    assert (settings.mail.port, settings.mail.security, settings.problems) == (587, "starttls", {})
    assert "pw-4711" not in repr(settings)
    assert read(wst_backup_notify={"smtp": {**SMTP, "host": "127.0.0.1", "security": "none"}}).mail is not None


@pytest.mark.parametrize(
    "given", ["text", ["a"], {"typo": 1}, {"smtp": {"host": "x"}}, {"timeout": 0}, {"tries": 0}, {"pause": -1}]
)
def test_what_makes_no_sense_leaves_the_other_channels(given: Any) -> None:
    settings = read(wst_backup_notify=given, wst_backup_webhook_url="https://example.com/x")
    assert set(settings.problems) == {"settings"}
    assert (settings.webhook, settings.timeout, settings.tries) == ("https://example.com/x", 20.0, 3)


def test_the_state_forgets_what_is_not_configured_and_what_was_told_once_all_is_well() -> None:
    last = {MAIL: {"at": "1", "problem": "", "told": "x", "told_at": "1"}, WEBHOOK: {"at": "1", "problem": "p"}}
    kept = _notify_state.after(last, {MAIL: {"problem": "q"}}, configured={MAIL}, ended_well=False)
    assert kept == {MAIL: {"at": "1", "problem": "q", "told": "x", "told_at": "1"}}
    kept = _notify_state.after(last, {}, configured={MAIL, WEBHOOK}, ended_well=True)
    assert (kept[MAIL]["told"], kept[WEBHOOK]["problem"]) == ("", "p")
    assert last[MAIL]["told"] == "x"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"schema": 2, "jobs": {}}',
        '{"schema": 1, "jobs": [1]}',
        '{"schema": 1, "jobs": {"backup": 1}}',
    ],
)
def test_a_state_that_cannot_be_read_says_nothing(tmp_path: Any, content: str) -> None:
    assert _notify_state.read(str(tmp_path), "win1") == {}
    _notify_state.write(str(tmp_path), "win1", {"backup": {"mail": {"problem": "p"}}})
    assert _notify_state.read(str(tmp_path), "win1") == {"backup": {"mail": {"problem": "p"}}}
    (tmp_path / "hosts" / "win1" / _notify_state.NAME).write_text(content)
    assert _notify_state.read(str(tmp_path), "win1") == {}
