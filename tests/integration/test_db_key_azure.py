# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rotation of the database key through Azure, by its playbook: which password the server has, and which the host.

Azure is a fake over TLS (``fake_arm.py``) behind Azure's real packages. What it is told it sets on the lab's real
server, so that a key is in its place only if it opens that.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from integration.disturbance import playing
from integration.keys import ROLE, Keys, fresh, put_back
from integration.searching import LOUD, forms, has, holders, watched
from integration.world import AS_L5, Played, World

from ansible_collections.wst.backup.tests.unit.plugins.plugin_utils.fake_arm import (
    GROUP,
    PLACE,
    SECRET,
    SERVER,
    SUBSCRIPTION,
    TENANT,
    Answer,
    FakeArm,
    ended,
    refused,
    said,
    server_with,
    serving,
)
from wstlab.pki import make_pki

pytestmark = pytest.mark.either_lane  # the host's part is the same module as without Azure

PATIENCE = 60.0  # seconds; a bound on a hang, not a measure


@dataclass(frozen=True)
class Site:
    """The host's key, and what Azure does."""

    keys: Keys
    arm: FakeArm
    ready: Answer  # the server as Azure shows it

    def told(self, **more: Any) -> dict[str, Any]:
        """What the playbook is."""
        server = {"subscription": SUBSCRIPTION, "resource_group": GROUP, "server": SERVER, "endpoint": self.arm.url}
        way = {"key_rotation_change_server": True, "key_rotation_change_through": "azure"}
        return {**AS_L5, **way, "key_rotation_azure": {**server, **more}}

    def rotate(self, new: str | None, *arguments: str, timeout: int = 60, **more: Any) -> Played:
        """Run the playbook."""
        return self.keys.rotate(new, *arguments, **{**self.told(timeout=timeout), **more})

    def assert_waits(self, old: str, new: str) -> None:
        """The old key is in its place, and the new one beside it."""
        assert (self.keys.file.read_text().strip(), self.keys.staged.read_text()) == (old, new)
        assert self.keys.world.windows or self.keys.staged.stat().st_mode & 0o077 == 0


@pytest.fixture
def site(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A fake that is trusted and calls the backup's role the administrator."""
    pki = tmp_path / "pki"
    pki.mkdir()
    make_pki(pki)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pki / "ca.pem"))
    host = world.record["postgres"]["host"]
    ready = said(200, server_with(administratorLogin=ROLE, fullyQualifiedDomainName=host))
    with put_back(world, tmp_path) as keys, serving(pki) as arm:
        identity = {"TENANT_ID": TENANT, "CLIENT_ID": "an-application", "CLIENT_SECRET": SECRET}
        for name, value in {**identity, "AUTHORITY_HOST": arm.url}.items():
            monkeypatch.setenv(f"AZURE_{name}", value)
        arm.server, arm.sets = [ready], keys.server_has
        yield Site(keys, arm, ready)


def test_a_password_that_is_lost_is_set_by_azure_and_is_nowhere_else(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, world = site.keys, site.keys.world
    old, new, log = keys.file.read_text().strip(), fresh(), tmp_path / "ansible.log"
    keys.server_has(fresh())
    shown = site.rotate(new, "--check")
    assert shown.code == 0, shown.output
    assert "Azure sets the new password" in shown.output
    assert (keys.file.read_text().strip(), keys.staged.exists(), site.arm.passwords) == (old, False, [])
    monkeypatch.setenv("ANSIBLE_LOG_PATH", str(log))
    needles = forms(new)
    with watched(needles) as watch:
        played = site.rotate(new, LOUD, "--diff")
    assert played.code == 0, played.output[-3000:]
    assert site.arm.passwords == [new]
    keys.assert_holds(new)
    assert (watch.looks > 10, watch.seen) == (True, set())
    assert not has(needles, iter([played.output.encode(), log.read_bytes()]))
    places = [Path(world.host["drive_c"]), Path(world.host["drive_d"]), world.records]
    assert holders(needles, *places) == [str(keys.file)]
    assert not has(forms(SECRET), iter([played.output.encode(), log.read_bytes()]))
    last = world.audit()[-1]
    assert (last["event"], last["result"], last["details"]["proven"]) == (
        "rotate_db_key",
        "success",
        ["psycopg", "psql"],
    )
    assert f"Azure sets the new password of {ROLE} on {SERVER}" in last["details"]["changes"]


def test_a_login_that_is_not_the_administrator_s_is_refused_before_anything_is_touched(site: Site) -> None:
    keys, old = site.keys, site.keys.file.read_text().strip()
    site.arm.server = [said(200, server_with(fullyQualifiedDomainName=keys.world.record["postgres"]["host"]))]
    begun = len(keys.world.audit())
    played = site.rotate(fresh())
    assert played.failed_with("azure_password_refused"), played.output
    keys.assert_holds(old)
    assert [record["event"] for record in keys.world.audit()[begun:]] == ["rotate_db_key"]
    assert site.arm.passwords == []


def test_an_operator_has_azure_change_nothing(site: Site) -> None:
    old = site.keys.file.read_text().strip()
    played = site.rotate(fresh(), wst_backup_authority_token="")
    assert played.failed_with("not_authorized"), played.output
    site.keys.assert_holds(old)
    assert site.arm.passwords == []


def test_what_azure_did_not_set_is_taken_away_again(site: Site) -> None:
    old = site.keys.file.read_text().strip()
    site.arm.operation = [ended("Failed", "PasswordTooSimple")]
    played = site.rotate(fresh())
    assert played.failed_with("azure_change_failed"), played.output
    site.keys.assert_holds(old)
    last = site.keys.world.audit()[-1]
    assert (last["event"], last["result"], last["code"]) == ("rotate_db_key", "failure", "azure_change_failed")


def test_both_passwords_are_kept_until_the_server_itself_has_said_which(site: Site) -> None:
    """What Azure says of it is not what counts."""
    arm, old, new = site.arm, site.keys.file.read_text().strip(), fresh()
    arm.sets = lambda _password: None
    for operation, timeout in ((ended("InProgress"), 12), (arm.succeeded, 60)):
        arm.operation = [operation]
        played = site.rotate(new, timeout=timeout)
        assert played.failed_with("azure_password_unsettled"), played.output
        site.assert_waits(old, new)
        assert site.keys.opens(old)
    arm.sets = site.keys.server_has
    arm.update = [arm.set_and_cut, refused(409, "ServerIsBusy")]
    played = site.rotate(new)
    assert played.code == 0, played.output
    site.keys.assert_holds(new)
    assert "azure_password_unsettled, and the server was asked" in str(
        site.keys.world.audit()[-1]["details"]["changes"]
    )


def test_killed_before_and_after_azure_is_told_the_next_run_ends_with_a_key_that_works(site: Site) -> None:
    """Before: at the second look at the server, when the key is staged. After: at the look that follows the change."""
    keys, old, new = site.keys, site.keys.file.read_text().strip(), fresh()
    path = keys.directory / "new-password"
    path.write_text(new)
    lookup = "{{ lookup('ansible.builtin.file', '" + str(path) + "') }}"
    extra = {**site.told(), "wst_backup_db_password_new": lookup, "key_rotation_stale_after": 1}
    for looks, told in ((1, []), (2, [new])):
        reached, over = threading.Event(), threading.Event()

        def held(_handler: BaseHTTPRequestHandler, reached: Any = reached, over: Any = over) -> None:
            reached.set()
            over.wait(PATIENCE)

        site.arm.server = [*[site.ready] * looks, held]
        try:
            with playing(keys.world, "playbooks/rotate_db_key.yml", extra=extra) as run:
                assert reached.wait(PATIENCE), run.output()
                run.kill()
        finally:
            over.set()
        site.assert_waits(old, new)
        assert (site.arm.passwords, site.arm.asked[-1]) == (told, f"GET {PLACE}")
    assert (keys.opens(old), keys.opens(new)) == (False, True)
    site.arm.server = [site.ready]
    again = site.rotate(None, key_rotation_stale_after=1)
    assert again.code == 0, again.output
    keys.assert_holds(new)
    assert site.arm.passwords == [new]
