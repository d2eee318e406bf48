# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``azure_pitr_info`` through Azure's real packages, against a fake of Azure over TLS (``fake_arm.py``)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.wst.backup.plugins.plugin_utils import (
    _azure,
    _azure_client,
    _azure_options,
    _errors,
    _pitr,
)
from ansible_collections.wst.backup.plugins.plugin_utils._within import within
from ansible_collections.wst.backup.tests.unit.plugins.plugin_utils.fake_arm import (
    GROUP,
    PLACE,
    SECRET,
    SERVER,
    SUBSCRIPTION,
    TENANT,
    Answer,
    FakeArm,
    backup,
    cut,
    refused,
    resource,
    said,
    serving,
)
from wstlab.pki import make_pki

pytestmark = pytest.mark.slow  # a server over TLS, and pauses that are really made

NOW = datetime(2026, 11, 30, 14, 0, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CA of this test alone, and a certificate of localhost."""
    directory = tmp_path_factory.mktemp("pki")
    make_pki(directory)
    return directory


@pytest.fixture
def arm(pki: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeArm]:
    """The fake, trusted."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pki / "ca.pem"))
    with serving(pki) as fake:
        yield fake


def identity(arm: FakeArm) -> dict[str, str]:
    return {
        "AZURE_TENANT_ID": TENANT,
        "AZURE_CLIENT_ID": "an-application",
        "AZURE_CLIENT_SECRET": SECRET,
        "AZURE_AUTHORITY_HOST": arm.url,
    }


def ask(arm: FakeArm, *, timeout: float = 20, environment: dict[str, str] | None = None, **more: Any) -> _azure.Answer:
    place = {"subscription": SUBSCRIPTION, "resource_group": GROUP, "server": SERVER, "endpoint": arm.url, **more}
    return _azure.ask(_azure_options.Question(**place, timeout=timeout), environment or identity(arm))


def facts(arm: FakeArm) -> dict[str, Any]:
    answer = ask(arm)
    return _pitr.facts_of(answer.server, answer.backups, now=NOW)


def test_what_azure_keeps_of_a_server(arm: FakeArm) -> None:
    arm.backups = [
        said(200, {"value": [backup("one", "2026-11-29T01:00:00Z")], "nextLink": f"{arm.url}{PLACE}/backups?page=2"}),
        said(200, {"value": [backup("two", "2026-11-30T01:00:00.5Z"), backup("runs", None)]}),
    ]
    told = facts(arm)
    assert told == {
        "schema": 1,
        "asked_at": "2026-11-30T14:00:00Z",
        "server": {
            "id": PLACE,
            "name": SERVER,
            "location": "West Europe",
            "host": f"{SERVER}.postgres.database.azure.com",
            "version": "17",
            "state": "Ready",
            "created_at": "2026-06-01T18:30:22Z",
        },
        "enabled": True,
        "retention_days": 14,
        "earliest_restore_point": "2026-11-16T14:00:00Z",
        "earliest_restore_point_age": 14 * 86400 - 1,
        "geo_redundant": True,
        "backups": 2,
        "last_backup": {"name": "two", "type": "Full", "completed_at": "2026-11-30T01:00:00Z", "age": 13 * 3600 - 1},
    }
    assert _pitr.remarks_of(told) == []
    assert arm.logins[0]["scope"] == [f"{arm.url}/.default"]
    assert arm.logins[0]["client_secret"] == [SECRET]


def test_a_restore_point_that_is_not_there_yet_is_unknown_and_not_zero(arm: FakeArm) -> None:
    arm.server = [said(200, resource(earliestRestoreDate=None, geoRedundantBackup="Disabled"))]
    told = facts(arm)
    assert (told["enabled"], told["earliest_restore_point"], told["earliest_restore_point_age"]) == (None, None, None)
    assert (told["retention_days"], told["geo_redundant"], told["last_backup"]) == (14, False, None)
    assert "not known" in " ".join(_pitr.remarks_of(told))


NOT_AUTHORIZED, ABSENT = _errors.AzureNotAuthorized, _errors.AzureAbsent
REFUSALS: list[Any] = [
    pytest.param(refused(401, "InvalidAuthenticationToken"), NOT_AUTHORIZED, id="401"),
    pytest.param(refused(403, "AuthorizationFailed"), NOT_AUTHORIZED, id="403"),
    pytest.param(refused(404, "ResourceNotFound"), ABSENT, id="404"),
    pytest.param(refused(429, "TooManyRequests", Retry_After="3600"), _errors.AzureThrottled, id="429"),
    pytest.param(refused(400, "BadRequest"), _errors.AzureTrouble, id="400"),
    pytest.param(said(200, b"<html>a proxy's login</html>"), _errors.AzureTrouble, id="no-json"),
    pytest.param(said(302, {}, Location="http://127.0.0.1:9/"), _errors.AzureTrouble, id="redirect"),
]


@pytest.mark.parametrize("which", ["server", "backups"])
@pytest.mark.parametrize(("answer", "failure"), REFUSALS)
def test_each_refusal_has_its_name_at_once(
    arm: FakeArm, which: str, answer: Answer, failure: type[_errors.TransportError]
) -> None:
    setattr(arm, which, [answer])
    started = time.monotonic()
    with pytest.raises(failure) as caught:
        ask(arm)
    assert time.monotonic() - started < 15
    assert SECRET not in json.dumps(caught.value.as_result())
    assert "t0ken" not in json.dumps(caught.value.as_result())


def test_what_azure_turns_away_for_a_moment_is_asked_again_when_azure_says(arm: FakeArm) -> None:
    arm.server = [refused(429, "TooManyRequests", Retry_After="1"), refused(503, "Busy"), said(200, resource())]
    started = time.monotonic()
    assert facts(arm)["enabled"] is True
    assert time.monotonic() - started >= 2.0
    assert arm.asked.count(f"GET {PLACE}") == 3


def test_trouble_that_stays_is_named_after_some_tries(arm: FakeArm) -> None:
    arm.server = [refused(500, "InternalServerError", Retry_After="0")]
    with pytest.raises(_errors.AzureTrouble) as caught:
        ask(arm)
    assert caught.value.facts["status"] == 500
    assert arm.asked.count(f"GET {PLACE}") == _azure_client.TRIES


def test_a_connection_that_is_cut_is_made_again(arm: FakeArm) -> None:
    arm.server = [cut, said(200, resource())]
    assert facts(arm)["retention_days"] == 14
    arm.server = [cut]
    with pytest.raises(_errors.AzureUnreachable):
        ask(arm, timeout=4)


@pytest.mark.parametrize("how", ["trickle", "silent"])
def test_whoever_answers_for_ever_is_left(arm: FakeArm, how: str) -> None:
    arm.server = [getattr(arm, how)]
    started = time.monotonic()
    with pytest.raises(_errors.AzureTimeout):
        ask(arm, timeout=2)
    assert time.monotonic() - started < 6


def test_nobody_listens(arm: FakeArm) -> None:
    with pytest.raises(_errors.AzureUnreachable):
        ask(arm, endpoint="https://localhost:9", timeout=4)


def test_who_cannot_prove_to_be_azure_gets_no_login(arm: FakeArm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(_errors.AzureTls):
        ask(arm)
    assert arm.logins == []


@pytest.mark.parametrize(
    "answer",
    [
        said(401, {"error": "invalid_client", "error_description": "AADSTS7000215: wrong secret"}),
        said(400, {"error": "unauthorized_client", "error_description": "AADSTS700016: no such application"}),
    ],
)
def test_a_login_that_is_refused_is_named_and_shows_no_secret(arm: FakeArm, answer: Answer) -> None:
    arm.token = [answer]
    with pytest.raises(NOT_AUTHORIZED) as caught:
        ask(arm)
    assert "AADSTS" in caught.value.message
    assert SECRET not in json.dumps(caught.value.as_result())


def test_without_any_identity_it_says_so_or_how_long_it_looked(
    arm: FakeArm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in [name for name in os.environ if name.startswith("AZURE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", str(tmp_path))  # nobody has logged in with a program
    started = time.monotonic()
    with pytest.raises((NOT_AUTHORIZED, _errors.AzureTimeout)):
        ask(arm, timeout=8, environment={"HOME": "/"})
    assert time.monotonic() - started < 12


def test_the_names_of_other_collections_are_taken(arm: FakeArm) -> None:
    known = identity(arm)
    other = {"AZURE_TENANT": known.pop("AZURE_TENANT_ID"), "AZURE_SECRET": known.pop("AZURE_CLIENT_SECRET")}
    assert ask(arm, environment={**known, **other}).server["name"] == SERVER


def test_without_the_packages_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, arm: FakeArm) -> None:
    for name in [name for name in sys.modules if name.startswith("azure")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "azure", None)
    with pytest.raises(_errors.AzureSdkMissing) as caught:
        ask(arm)
    assert "pip install azure-identity" in caught.value.remedy


# --- As Ansible runs it.


def play(arm: FakeArm, tmp_path: Path, *arguments: str) -> dict[str, Any]:
    """What the task answers."""
    environment = {**os.environ, **identity(arm), "ANSIBLE_STDOUT_CALLBACK": "minimal"}
    task = {"wst.backup.azure_pitr_info": dict(each.split("=", 1) for each in arguments)}
    document = [{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]
    (tmp_path / "play.yml").write_text(json.dumps(document))
    root = Path(__file__).parents[4]
    environment["ANSIBLE_COLLECTIONS_PATH"] = str(root / ".cache" / "collections")
    argv = [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", "-c", "local", "-vvv", "play.yml"]
    done = subprocess.run(
        argv, cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert SECRET not in done.stdout + done.stderr
    return {"code": done.returncode, "output": done.stdout + done.stderr}


def test_the_task_answers_and_fails_by_name(arm: FakeArm, tmp_path: Path) -> None:
    place = (f"subscription={SUBSCRIPTION}", f"resource_group={GROUP}", f"server={SERVER}", f"endpoint={arm.url}")
    good = play(arm, tmp_path, *place)
    assert good["code"] == 0, good["output"]
    assert '"retention_days": 14' in good["output"]
    arm.server = [refused(403, "AuthorizationFailed")]
    bad = play(arm, tmp_path, *place)
    assert bad["code"] == 2
    assert "azure_not_authorized" in bad["output"]
    plain = play(arm, tmp_path, *place[:3], "endpoint=http://localhost")
    assert "setting_invalid" in plain["output"]


def test_work_that_raises_is_raised_here() -> None:
    def work() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        within(work, 5)


WARNS = """
import logging, sys, threading, warnings
from ansible_collections.wst.backup.plugins.plugin_utils._within import within

class Held:
    def write(self, text):
        if threading.current_thread() is not threading.main_thread():
            threading.Event().wait()
    def flush(self):
        pass

def work():
    logging.getLogger("azure.core").warning("a connection was cut")
    warnings.warn("a package is old")
    return "done"

shown, sys.stdout, sys.stderr = sys.stdout, Held(), Held()
shown.write(within(work, 5))
"""


def test_a_warning_of_a_package_does_not_wait_for_the_screen() -> None:
    """Up to ansible-core 2.18 it would for ever, for the thread that waits for us has the screen."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    argv = [sys.executable, "-c", WARNS]
    done = subprocess.run(
        argv, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "done"), done.stderr
