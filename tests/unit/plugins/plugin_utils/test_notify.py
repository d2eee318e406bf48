# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notifications against real servers over TLS: what arrives, what is recorded; nothing raises or tells a secret."""

from __future__ import annotations

import base64
import email
import email.policy
import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.plugin_utils import _control_log, _notify, _notify_state
from ansible_collections.wst.backup.plugins.plugin_utils._notify_plan import BACKUP, COMPLIANCE, Ended
from ansible_collections.wst.backup.tests.unit.plugins.plugin_utils.notify_kit import (
    CUT,
    DRIP,
    HANG,
    Server,
    mail,
    serving,
    web,
)
from wstlab.pki import make_pki

pytestmark = pytest.mark.slow  # servers over TLS

NOW = datetime(2026, 12, 1, 2, 0, tzinfo=timezone.utc)
SECRET = "planted-Secret-4711"  # not-a-secret: made for this test
GOOD = Ended(BACKUP, "win1", "ada@control", NOW, run_id="20261201-010000-1f2e3d4c", proof="wst-backup-20261201-010000")
BAD = Ended(
    BACKUP,
    "win1",
    "ada@control",
    NOW,
    environment="prod",
    run_id="20261201-010000-1f2e3d4c",
    code="no_space",
    message="no_space: D: has 1.2 GiB free",
    remedy="Make room.",
)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("pki")
    make_pki(directory)
    return directory


@pytest.fixture
def website(pki: Path) -> Iterator[Server]:
    with serving(Server(pki), web) as server:
        yield server


@pytest.fixture
def post(pki: Path) -> Iterator[Server]:
    with serving(Server(pki, immediate_tls=False), mail) as server:
        yield server


class Teller:
    """A control node that tells; nobody waits between two tries."""

    def __init__(self, directory: Path, pki: Path) -> None:
        self.control_dir = str(directory / "control")
        self.plain: dict[str, Any] = {"ca_file": str(pki / "ca.pem"), "timeout": 5}
        self.variables: dict[str, Any] = {}
        self.pauses: list[float] = []

    def tell(self, ended: Ended, **more: Any) -> dict[str, Any]:
        given = {"wst_backup_notify": self.plain, **self.variables}
        sleep = self.pauses.append
        told = _notify.tell(ended, given, lambda value: value, control_dir=self.control_dir, sleep=sleep, **more)
        result = told.as_result()
        kept = [json.dumps(result), *(path.read_text() for path in Path(self.control_dir).rglob("*.json*"))]
        assert SECRET not in "".join(kept)
        assert base64.b64encode(f"\0ops\0{SECRET}".encode()).decode() not in "".join(kept)
        return result

    def codes(self, ended: Ended, **more: Any) -> list[tuple[str, str]]:
        return [(each["channel"], each["code"]) for each in self.tell(ended, **more)["problems"]]

    def events(self) -> list[dict[str, Any]]:
        path = _control_log.host_directory(self.control_dir, "win1") / _control_log.EVENTS
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def broken(self) -> list[str]:
        return _notify_state.broken(_notify_state.read(self.control_dir, "win1"))


@pytest.fixture
def teller(tmp_path: Path, pki: Path) -> Teller:
    return Teller(tmp_path, pki)


def smtp(port: int, **more: Any) -> dict[str, Any]:
    return {"host": "localhost", "port": port, "sender": "b@example.com", "recipients": ["o@example.com"], **more}


def test_nothing_is_configured_and_nothing_is_sent_or_kept(teller: Teller) -> None:
    teller.plain = {}
    for ended in (GOOD, BAD):
        assert teller.tell(ended) == {"sent": [], "problems": [], "warnings": []}
    assert not Path(teller.control_dir).exists()


def test_success_goes_to_the_heartbeat_alone_and_failure_to_people_alone(teller: Teller, website: Server) -> None:
    base = f"https://localhost:{website.port}"
    teller.variables = {
        "wst_backup_heartbeat_backup": f"{base}/ping/{SECRET}",
        "wst_backup_heartbeat_compliance": f"{base}/never",
        "wst_backup_webhook_url": f"{base}/hook/{SECRET}",
    }
    assert teller.tell(GOOD)["sent"] == ["heartbeat"]
    assert [(method, path) for method, path, _headers, _body in website.seen] == [("GET", f"/ping/{SECRET}")]
    website.seen.clear()
    assert teller.tell(BAD)["sent"] == ["webhook"]
    ((method, path, headers, body),) = website.seen
    assert (method, path, headers["content-type"]) == ("POST", f"/hook/{SECRET}", "application/json; charset=utf-8")
    document = json.loads(body)
    assert {name: document[name] for name in ("host", "environment", "job", "run_id", "code", "remedy")} == {
        "host": "win1",
        "environment": "prod",
        "job": "backup",
        "run_id": "20261201-010000-1f2e3d4c",
        "code": "no_space",
        "remedy": "Make room.",
    }
    assert teller.events() == []
    assert teller.broken() == []


@pytest.mark.parametrize(
    ("answers", "code", "tries"),
    [
        ([500], "notify_refused", 3),
        ([429], "notify_refused", 3),
        ([404], "notify_refused", 1),
        ([(302, "Location: https://localhost/elsewhere\r\n")], "notify_refused", 1),
        ([CUT], "notify_unreachable", 3),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nonly this"], "notify_unreachable", 3),
        ([b"220 I am a mail server\r\n"], "notify_unreachable", 3),
        ([500, CUT, 200], "", 3),
    ],
)
def test_what_the_other_side_does(teller: Teller, website: Server, answers: list[Any], code: str, tries: int) -> None:
    website.answers = answers
    teller.variables = {"wst_backup_webhook_url": f"https://localhost:{website.port}/{SECRET}"}
    assert teller.codes(BAD) == ([("webhook", code)] if code else [])
    assert website.connections == tries
    assert teller.pauses == [2.0, 4.0][: tries - 1]
    assert [event["code"] for event in teller.events()] == ([code] if code else [])
    assert len(teller.broken()) == (1 if code else 0)


@pytest.mark.parametrize("answer", [HANG, DRIP])
def test_one_that_never_ends_is_left_alone_when_its_time_is_over(
    teller: Teller, website: Server, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_notify, "_GRACE", 0.1)
    website.answers = [answer]
    teller.plain.update(timeout=0.4, tries=2)
    teller.variables = {"wst_backup_heartbeat_backup": f"https://localhost:{website.port}/"}
    assert teller.codes(GOOD) == [("heartbeat", "notify_unreachable")]
    assert website.connections == 2


def test_certificates_are_verified(teller: Teller, website: Server, pki: Path, tmp_path: Path) -> None:
    with serving(Server(pki), web, address="127.0.0.2") as misnamed:  # the certificate names 127.0.0.1
        teller.variables = {"wst_backup_webhook_url": f"https://127.0.0.2:{misnamed.port}/{SECRET}"}
        assert teller.codes(BAD) == [("webhook", "notify_untrusted")]
        assert (misnamed.connections, misnamed.seen) == (0, [])
    make_pki(tmp_path / "other")
    teller.plain["ca_file"] = str(tmp_path / "other" / "ca.pem")
    teller.variables = {"wst_backup_webhook_url": f"https://localhost:{website.port}/{SECRET}"}
    assert teller.codes(BAD) == [("webhook", "notify_untrusted")]
    teller.plain["ca_file"] = ""
    assert teller.codes(BAD) == [("webhook", "notify_untrusted")]
    assert website.seen == []
    teller.plain["ca_file"] = str(tmp_path / "none.pem")
    assert teller.codes(BAD) == [("webhook", "notify_invalid")]


def test_nobody_listens(teller: Teller, pki: Path) -> None:
    with serving(Server(pki), web) as gone:
        port = gone.port
    teller.variables = {"wst_backup_webhook_url": f"https://localhost:{port}/{SECRET}"}
    teller.plain["smtp"] = smtp(port)
    assert teller.codes(BAD) == [("mail", "notify_unreachable"), ("webhook", "notify_unreachable")]


def test_mail_arrives_with_the_facts_over_tls_with_a_login(teller: Teller, post: Server) -> None:
    teller.plain["smtp"] = smtp(post.port, user="ops", recipients=["o@example.com", "p@example.com"])
    teller.variables = {"wst_backup_smtp_password": SECRET}
    assert teller.tell(GOOD)["sent"] == []
    assert teller.tell(BAD)["sent"] == ["mail"]
    ((login, recipients, raw),) = post.seen
    assert base64.b64decode(login) == f"\0ops\0{SECRET}".encode()
    assert recipients == ["o@example.com", "p@example.com"]
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert message["Subject"] == "wst.backup: backup of win1 failed: no_space"
    text = message.get_content()
    for line in ("Host: win1", "Run: 20261201-010000-1f2e3d4c", "Code: no_space", "What to do: Make room."):
        assert line in text
    assert SECRET not in raw.decode()


@pytest.mark.parametrize(
    ("answers", "code", "tries", "mails"),
    [
        ([{"greeting": "421 busy"}], "notify_refused", 3, 0),
        ([{"greeting": "554 go away"}], "notify_refused", 1, 0),
        ([{"EHLO": "250 lab"}], "notify_refused", 1, 0),  # no STARTTLS: nothing is said in the clear
        ([{"AUTH": f"535 wrong: {SECRET}"}], "notify_refused", 1, 0),
        ([{"MAIL": "451 later"}, {}], "", 2, 1),
        ([{"RCPT": "550 relaying denied"}], "notify_refused", 1, 0),
        ([{"refuses": "p@example.com"}], "notify_refused", 1, 1),
        ([{"DATA": CUT}], "notify_unreachable", 3, 0),
        ([{"END": CUT}, {}], "", 2, 1),
        ([{"END": "554 spam"}], "notify_refused", 1, 0),
        ([{"QUIT": CUT}], "", 1, 1),  # it was taken
        ([{"QUIT": "500 what"}], "", 1, 1),
    ],
)
def test_what_the_mail_server_does(
    teller: Teller, post: Server, answers: list[Any], code: str, tries: int, mails: int
) -> None:
    post.answers = answers
    teller.plain["smtp"] = smtp(post.port, user="ops", recipients=["o@example.com", "p@example.com"])
    teller.variables = {"wst_backup_smtp_password": SECRET}
    assert teller.codes(BAD) == ([("mail", code)] if code else [])
    assert (post.connections, len(post.seen)) == (tries, mails)


def test_a_mail_server_that_hangs_or_is_another(teller: Teller, post: Server, tmp_path: Path) -> None:
    teller.plain.update(smtp=smtp(post.port), timeout=0.3, tries=1)
    post.answers = [{"greeting": HANG}]
    assert teller.codes(BAD) == [("mail", "notify_unreachable")]
    post.answers = [{}]
    make_pki(tmp_path / "other")
    teller.plain.update(ca_file=str(tmp_path / "other" / "ca.pem"), timeout=5)
    assert teller.codes(BAD) == [("mail", "notify_untrusted")]
    assert post.seen == []


def test_tls_from_the_first_byte(teller: Teller, pki: Path) -> None:
    with serving(Server(pki), mail) as post:
        teller.plain["smtp"] = smtp(post.port, security="tls")
        assert teller.tell(BAD)["sent"] == ["mail"]
        assert len(post.seen) == 1


def test_a_broken_channel_stands_until_it_works_and_hinders_no_other(
    teller: Teller, website: Server, post: Server
) -> None:
    teller.plain.update(smtp=smtp(post.port), tries=1)
    teller.variables = {"wst_backup_webhook_url": f"https://localhost:{website.port}/"}
    website.answers = [500]
    told = teller.tell(BAD)
    assert (told["sent"], [each["channel"] for each in told["problems"]]) == (["mail"], ["webhook"])
    assert "win1: notification 'webhook' was not sent: notify_refused" in told["warnings"][0]
    assert "'webhook' of backup failed on 2026-12-01T02:00:00Z: notify_refused" in teller.broken()[0]
    teller.tell(GOOD)
    assert len(teller.broken()) == 1
    website.answers = [200]
    teller.tell(BAD)
    assert teller.broken() == []
    website.answers = [500]
    teller.tell(BAD)
    teller.variables.clear()  # nobody wants it any more
    teller.tell(BAD)
    assert teller.broken() == []


def test_the_same_verdict_is_told_once_a_day_and_another_one_at_once(teller: Teller, website: Server) -> None:
    teller.variables = {"wst_backup_webhook_url": f"https://localhost:{website.port}/"}

    def judged(hours: float, code: str = "non_compliant", proof: str = "R1") -> list[str]:
        at = NOW + timedelta(hours=hours)
        found: list[str] = teller.tell(Ended(COMPLIANCE, "win1", "ada@c", at, code=code, proof=proof))["sent"]
        return found

    assert judged(0) == ["webhook"]
    assert judged(1) == []
    assert judged(2, proof="R1 R3") == ["webhook"]
    assert judged(3, proof="R1 R3") == []
    assert judged(26, proof="R1 R3") == ["webhook"]
    assert judged(25, proof="R1 R3") == ["webhook"]  # the clock went back: rather twice than never
    assert judged(26, code="", proof="compliant") == []
    assert judged(27, proof="R1 R3") == ["webhook"]
    website.answers = [500]
    teller.plain["tries"] = 1
    assert judged(28, proof="R2") == []
    website.answers = [200]
    assert judged(29, proof="R2") == ["webhook"]  # it was never told


def test_the_event_log_of_the_host_is_recorded_as_the_others_are(teller: Teller) -> None:
    teller.plain = {"event_log": True}
    assert teller.tell(BAD, event_log={"written": True})["sent"] == ["event_log"]
    assert teller.codes(BAD, event_log={"written": False, "changed": False}) == []
    assert teller.codes(BAD, event_log={"failed": False, "code": "event_log_failed"}) == [
        ("event_log", "notify_refused")
    ]
    assert teller.codes(BAD, event_log={"unreachable": True}) == [("event_log", "notify_refused")]
    assert len(teller.broken()) == 1


def test_variables_that_cannot_be_read_are_a_problem_and_no_exception(teller: Teller, tmp_path: Path) -> None:
    def locked(value: Any) -> Any:
        raise RuntimeError(f"no vault password for {SECRET}")

    told = _notify.tell(BAD, {}, locked, control_dir=teller.control_dir)
    assert [(each["channel"], each["code"]) for each in told.problems] == [("settings", "notify_invalid")]
    assert SECRET not in json.dumps(told.as_result())
    assert len(teller.broken()) == 1
    teller.variables = {"wst_backup_webhook_url": ["no", "text"]}
    assert teller.codes(BAD) == [("settings", "setting_invalid")]


def test_a_control_node_that_cannot_write_says_so(teller: Teller, website: Server, tmp_path: Path) -> None:
    (tmp_path / "control").write_text("a file where the directory should be")
    website.answers = [404]
    teller.variables = {"wst_backup_webhook_url": f"https://localhost:{website.port}/"}
    told = teller.tell(BAD)
    assert [each["code"] for each in told["problems"]] == ["notify_refused"]
    assert any("could not keep" in warning for warning in told["warnings"])
    assert any("could not record" in warning for warning in told["warnings"])
