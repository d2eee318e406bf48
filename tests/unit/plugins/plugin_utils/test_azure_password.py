# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``azure_db_password`` through Azure's real packages, against a fake of Azure over TLS (``fake_arm.py``).

What counts is the difference between "it is not set" and "nobody knows": after the first the new key is thrown away.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.plugin_utils import (
    _azure_client,
    _azure_options,
    _azure_password,
    _errors,
)
from ansible_collections.wst.backup.plugins.plugin_utils._azure_login import Login
from ansible_collections.wst.backup.tests.unit.plugins.plugin_utils.fake_arm import (
    ADMINISTRATOR,
    GROUP,
    HOST,
    PLACE,
    SECRET,
    SERVER,
    SUBSCRIPTION,
    TENANT,
    Answer,
    FakeArm,
    cut,
    ended,
    refused,
    resource,
    said,
    server_with,
    serving,
)
from wstlab.pki import make_pki

pytestmark = pytest.mark.slow  # a server over TLS

NEW = "Planted/New&<0123456789>\\%"  # each of these is written in another way by JSON, by URLs or by pages
LOGIN = Login(ADMINISTRATOR, HOST)
ECHOED = [NEW, json.dumps(NEW)[1:-1], "Planted%2FNew%26%3C0123456789%3E%5C%25", "Planted/New&amp;&lt;0123456789&gt;\\%"]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CA of this test alone, and a certificate of localhost."""
    directory = tmp_path_factory.mktemp("pki")
    make_pki(directory)
    return directory


@pytest.fixture
def arm(pki: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeArm]:
    """The fake, trusted; nobody waits longer than needed."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pki / "ca.pem"))
    monkeypatch.setattr(_azure_password, "POLL", 0.05)
    monkeypatch.setattr(_azure_client, "_PAUSE", 0.05)
    with serving(pki) as fake:
        yield fake


def identity(arm: FakeArm) -> dict[str, str]:
    return {
        "AZURE_TENANT_ID": TENANT,
        "AZURE_CLIENT_ID": "an-application",
        "AZURE_CLIENT_SECRET": SECRET,
        "AZURE_AUTHORITY_HOST": arm.url,
    }


def question(arm: FakeArm, timeout: float = 20) -> _azure_options.Question:
    return _azure_options.Question(SUBSCRIPTION, GROUP, SERVER, timeout, endpoint=arm.url, hidden=NEW)


def tell(arm: FakeArm, *, login: Login = LOGIN, timeout: float = 20) -> None:
    _azure_password.set_password(question(arm, timeout), login, NEW, identity(arm))


def failure(arm: FakeArm, kind: type[_errors.TransportError], **how: Any) -> _errors.TransportError:
    """The failure, which has no secret."""
    with pytest.raises(kind) as caught:
        tell(arm, **how)
    assert type(caught.value) is kind
    told = json.dumps(caught.value.as_result())
    assert not [form for form in (*ECHOED, "Planted", SECRET, "t0ken") if form in told]
    return caught.value


def test_it_returns_when_azure_has_set_it(arm: FakeArm) -> None:
    on_server: list[str] = []
    arm.sets = on_server.append
    arm.operation = [ended("InProgress"), ended("InProgress"), arm.succeeded]
    tell(arm)
    assert arm.passwords == on_server == [NEW]
    assert [asked for asked in arm.asked if PLACE in asked] == [f"GET {PLACE}", f"PATCH {PLACE}", f"GET {PLACE}"]


NOT_AUTHORIZED = _errors.AzureNotAuthorized
REFUSALS: list[Any] = [
    pytest.param(refused(401, "InvalidAuthenticationToken"), NOT_AUTHORIZED, id="401"),
    pytest.param(refused(403, "AuthorizationFailed"), NOT_AUTHORIZED, id="403"),
    pytest.param(refused(404, "ResourceNotFound"), _errors.AzureAbsent, id="404"),
    pytest.param(refused(409, "ServerIsBusy"), _errors.AzureBusy, id="409"),
    pytest.param(refused(429, "TooManyRequests", Retry_After="3600"), _errors.AzureThrottled, id="429"),
    *[pytest.param(refused(400, f"Bad {form}"), _errors.AzureTrouble, id=f"400-{form}") for form in ECHOED],
]


@pytest.mark.parametrize(("answer", "kind"), REFUSALS)
def test_what_azure_refuses_is_not_set(arm: FakeArm, answer: Answer, kind: type[_errors.TransportError]) -> None:
    arm.update = [answer]
    failure(arm, kind)
    assert arm.passwords == [NEW]


@pytest.mark.parametrize(("answer", "kind"), REFUSALS[:5:2])
def test_who_may_not_even_look_does_not_tell(arm: FakeArm, answer: Answer, kind: type[_errors.TransportError]) -> None:
    arm.server = [answer]
    failure(arm, kind)
    assert arm.passwords == []


@pytest.mark.parametrize(
    ("answer", "login", "kind"),
    [
        (server_with(), Login("wst_backup", HOST), _errors.AzurePasswordRefused),
        (server_with(), Login(ADMINISTRATOR, "elsewhere"), _errors.AzurePasswordRefused),
        (server_with(state="Updating"), LOGIN, _errors.AzureBusy),
    ],
)
def test_what_azure_cannot_set_it_is_not_told(arm: FakeArm, answer: Any, login: Login, kind: Any) -> None:
    arm.server = [said(200, answer)]
    failure(arm, kind, login=login)
    with pytest.raises(kind):
        _azure_password.look(question(arm), login, identity(arm))
    assert arm.passwords == []


def test_what_azure_turns_away_for_a_moment_is_told_again_when_azure_says(arm: FakeArm) -> None:
    arm.update = [refused(429, "TooManyRequests", Retry_After="1"), refused(503, "Busy"), arm.accepted]
    started = time.monotonic()
    tell(arm)
    assert time.monotonic() - started >= 1.0
    assert arm.passwords == [NEW] * 3


@pytest.mark.parametrize("status", ["Failed", "Canceled"])
def test_a_change_that_fails_is_not_set(arm: FakeArm, status: str) -> None:
    arm.operation = [ended("InProgress"), ended(status, f"TooSimple: {NEW}")]
    assert "TooSimple" in failure(arm, _errors.AzureChangeFailed).message


UNSETTLED = _errors.AzurePasswordUnsettled


@pytest.mark.parametrize(
    "update",
    [
        pytest.param([refused(500, "InternalServerError")], id="500"),
        pytest.param([cut], id="cut"),
        pytest.param([cut, refused(409, "ServerIsBusy")], id="busy-with-what-was-cut"),
        pytest.param([refused(503, "Busy"), refused(403, "AuthorizationFailed")], id="refused-after-trouble"),
        pytest.param([said(200, resource())], id="200"),
        pytest.param([said(302, {}, Location="http://127.0.0.1:9/")], id="redirect"),
    ],
)
def test_without_an_answer_that_says_so_nobody_knows(arm: FakeArm, update: list[Answer]) -> None:
    arm.update = update
    failure(arm, UNSETTLED)


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param([refused(404, "NotFound")], id="404"),
        pytest.param([refused(403, "AuthorizationFailed")], id="403"),
        pytest.param([said(200, b"<html>a proxy's login</html>")], id="no-json"),
        pytest.param([said(200, {})], id="no-status"),
        pytest.param([ended("InProgress")], id="no-end"),
    ],
)
def test_a_change_that_is_lost_from_sight_may_be_made(arm: FakeArm, operation: list[Answer]) -> None:
    arm.operation = operation
    started = time.monotonic()
    failure(arm, UNSETTLED, timeout=4)
    assert time.monotonic() - started < 10


def test_azure_s_last_word_is_waited_for(arm: FakeArm) -> None:
    """The change has ended well, and the server itself cannot be read after it."""
    arm.server = [said(200, server_with()), refused(403, "AuthorizationFailed")]
    failure(arm, UNSETTLED)


def test_looks_that_fail_are_made_again(arm: FakeArm) -> None:
    arm.operation = [
        cut,
        refused(503, "Busy"),
        ended("InProgress"),
        refused(429, "Many", Retry_After="1"),
        arm.succeeded,
    ]
    tell(arm)


@pytest.mark.parametrize(("which", "kind"), [("update", UNSETTLED), ("server", _errors.AzureTimeout)])
@pytest.mark.parametrize("how", ["trickle", "silent"])
def test_whoever_answers_for_ever_is_left(arm: FakeArm, which: str, kind: Any, how: str) -> None:
    setattr(arm, which, [getattr(arm, how)])
    started = time.monotonic()
    failure(arm, kind, timeout=4)
    assert time.monotonic() - started < 10
    assert len(arm.passwords) == (which == "update")


def test_nothing_is_told_once_the_time_is_over() -> None:
    """The thread that is left to itself may wake up late."""
    telling = _azure_password.Telling()
    assert telling.give_up() is False
    with pytest.raises(TimeoutError):
        telling.begin()
    assert telling.give_up() is False


def test_a_refusal_takes_back_what_it_answers_and_nothing_else() -> None:
    telling = _azure_password.Telling()
    telling.begin()
    telling.refused()
    assert telling.give_up() is False
    telling = _azure_password.Telling()
    telling.begin()
    telling.lost()
    telling.begin()
    telling.refused()
    assert telling.give_up() is True


# --- As Ansible runs it.


@pytest.fixture
def played(arm: FakeArm, tmp_path: Path) -> Any:
    """What a play of one task comes to; no file that it writes and no line that it shows has a secret."""
    root = Path(__file__).parents[4]
    secret, log = tmp_path / "new-password", tmp_path / "log"
    secret.write_text(NEW + "\n")
    common = {"subscription": SUBSCRIPTION, "resource_group": GROUP, "server": SERVER, "endpoint": arm.url}

    def play(*options: str, known: bool = True, **arguments: Any) -> subprocess.CompletedProcess[str]:
        task = {"wst.backup.azure_db_password": {**common, "user": ADMINISTRATOR, "host": HOST, **arguments}}
        lookup = "{{ lookup('ansible.builtin.file', '" + str(secret) + "') }}"
        document = {"hosts": "localhost", "gather_facts": False, "tasks": [task]}
        document["vars"] = {"wst_backup_db_password_new": lookup} if known else {}
        (tmp_path / "play.yml").write_text(json.dumps([document]))
        environment = {**os.environ, **identity(arm), "ANSIBLE_LOG_PATH": str(log)}
        environment["ANSIBLE_COLLECTIONS_PATH"] = str(root / ".cache" / "collections")
        argv = [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", "-c", "local", "play.yml", *options]
        done = subprocess.run(
            argv, cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        shown = done.stdout + done.stderr + log.read_text()
        assert not [form for form in (*ECHOED, "Planted", SECRET) if form in shown]
        return done

    return play


def test_the_task_sets_it_and_shows_it_nowhere(arm: FakeArm, played: Any) -> None:
    checked = played("--check")
    assert (checked.returncode, arm.passwords) == (0, []), checked.stdout
    assert "changed=1" in checked.stdout
    done = played("-vvvvv", "--diff")
    assert (done.returncode, arm.passwords) == (0, [NEW]), done.stdout
    assert "Azure sets the new password" in done.stdout


def test_the_task_fails_by_name(arm: FakeArm, played: Any) -> None:
    looked = played(known=False, state="checked")
    assert (looked.returncode, "changed=0" in looked.stdout) == (0, True), looked.stdout
    assert "setting_invalid" in played(known=False).stdout
    arm.update = [refused(400, f"{NEW} is too simple")]
    failed = played("-vvvvv")
    assert failed.returncode == 2
    assert "azure_trouble" in failed.stdout
    assert "*** is too simple" in failed.stdout
