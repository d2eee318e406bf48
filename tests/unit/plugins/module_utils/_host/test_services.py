# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services: against a little service control manager, and on Windows against the real one."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    InputInvalid,
    RestoreTargetRefused,
    ServiceFailed,
    ToolMissing,
)
from ansible_collections.wst.backup.plugins.module_utils._host import services as ours
from ansible_collections.wst.backup.plugins.module_utils._host.services import Steward, Unit, run, units_of
from ansible_collections.wst.backup.plugins.module_utils._platform import api


def windows_error(code: int) -> OSError:
    """As Windows reports it."""
    error = OSError(22, f"error {code}.")
    error.winerror = code  # type: ignore[attr-defined]
    return error


class Manager:
    """Services that take some looks to change their state.

    :ivar stuck: those that never come to where they go.
    :ivar refusing: those that refuse with that error, as often as said.
    """

    def __init__(self, states: Dict[str, str], slow: int = 2) -> None:
        self.states = dict(states)
        self.slow = slow
        self.goals: Dict[str, List[str]] = {}
        self.stuck: set[str] = set()
        self.crashing: set[str] = set()
        self.refusing: Dict[str, List[int]] = {}
        self.log: List[str] = []
        self.time = 0.0

    def state(self, name: str) -> str | None:
        """A look, after which it may have come further."""
        now = self.states.get(name)
        waiting = self.goals.get(name)
        if waiting and name not in self.stuck:
            self.states[name] = waiting.pop(0)
        return now

    def stop(self, name: str) -> None:
        """In the place of the platform's."""
        self._ask("stop", name, ["stop_pending"] * self.slow + ["stopped"])

    def start(self, name: str) -> None:
        """The same."""
        end = "stopped" if name in self.crashing else "running"
        self._ask("start", name, ["start_pending"] * self.slow + [end])

    def _ask(self, verb: str, name: str, goals: List[str]) -> None:
        if self.refusing.get(name):
            raise windows_error(self.refusing[name].pop(0))
        self.log.append(f"{verb} {name}")
        self.states[name] = goals[0]
        self.goals[name] = goals[1:]

    def sleep(self, seconds: float) -> None:
        """Time goes on only here."""
        self.time += seconds

    def steward(self) -> Steward:
        """One that lives in this time."""
        return Steward(timeout=30, clock=lambda: self.time, sleep=self.sleep)


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Manager:
    """Three that run and one that does not."""
    return installed(monkeypatch, Manager({"web": "running", "worker": "running", "mail": "paused", "old": "stopped"}))


def installed(monkeypatch: pytest.MonkeyPatch, manager: Manager) -> Manager:
    """In the place of the platform's."""
    monkeypatch.setattr(api, "service_state", manager.state)
    monkeypatch.setattr(api, "stop_service", manager.stop)
    monkeypatch.setattr(api, "start_service", manager.start)
    monkeypatch.setattr(api, "dependent_services", lambda name: ("reports", "mailer"))
    return manager


def units(*names: str) -> List[Unit]:
    """Services of these names."""
    return units_of(names, [])


def names(found: List[Unit]) -> List[str]:
    """Their names."""
    return [unit.name for unit in found]


def test_what_runs_is_stopped_in_order_and_started_in_reverse(manager: Manager) -> None:
    stopped = manager.steward().stop(units("worker", "old", "web", "mail"))
    assert names(stopped) == ["worker", "web", "mail"]
    assert set(manager.states.values()) == {"stopped"}
    assert names(manager.steward().start(stopped)) == ["mail", "web", "worker"]
    assert manager.log == ["stop worker", "stop web", "stop mail", "start mail", "start web", "start worker"]
    assert manager.states == {"web": "running", "worker": "running", "mail": "running", "old": "stopped"}
    assert manager.steward().start(stopped) == []


def test_one_that_is_missing_stops_nothing(manager: Manager) -> None:
    for action in (manager.steward().stop, manager.steward().start):
        with pytest.raises(RestoreTargetRefused) as caught:
            action(units("web", "nope", "old", "gone"))
        assert caught.value.message == "there is no service nope, no service gone"
    assert manager.log == []


def test_one_that_does_not_stop_lets_the_others_run_again(manager: Manager) -> None:
    manager.stuck.add("web")
    with pytest.raises(ServiceFailed) as caught:
        manager.steward().stop(units("mail", "worker", "web"))
    assert "service web is stop_pending and not stopped after 30 seconds" in caught.value.message
    assert caught.value.facts["left_stopped"] == []
    assert {name: manager.states[name] for name in ("mail", "worker")} == {"mail": "running", "worker": "running"}


def test_one_that_cannot_be_started_again_is_named(manager: Manager) -> None:
    manager.stuck.add("web")
    manager.crashing.add("mail")
    with pytest.raises(ServiceFailed) as caught:
        manager.steward().stop(units("mail", "worker", "web"))
    assert caught.value.facts["left_stopped"] == ["service mail"]
    assert "service mail" in caught.value.message
    assert manager.states["worker"] == "running"


def test_who_needs_it_is_named(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    manager.refusing["web"] = [1051]
    with pytest.raises(ServiceFailed, match="these need it: reports, mailer"):
        manager.steward().stop(units("web"))

    def refuse(name: str) -> Any:
        raise windows_error(5)

    monkeypatch.setattr(api, "dependent_services", refuse)
    manager.refusing["web"] = [1051]
    with pytest.raises(ServiceFailed):
        manager.steward().stop(units("web"))


def test_one_that_takes_no_request_now_is_asked_again(manager: Manager) -> None:
    manager.refusing = {"web": [1061, 1061], "old": [1061]}
    assert names(manager.steward().stop(units("web"))) == ["web"]
    assert names(manager.steward().start(units("old"))) == ["old"]
    assert manager.states == {"web": "stopped", "worker": "running", "mail": "paused", "old": "running"}


def test_a_refusal_is_quoted(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    manager.refusing["web"] = [5]
    with pytest.raises(ServiceFailed) as caught:
        manager.steward().stop(units("web"))
    assert (caught.value.message, caught.value.facts["winerror"]) == ("service web: error 5", 5)

    def refuse(name: str) -> Any:
        raise windows_error(5)

    monkeypatch.setattr(api, "service_state", refuse)
    with pytest.raises(ServiceFailed, match="error 5"):
        manager.steward().look(units("web"))


def test_one_that_does_not_start_keeps_no_other_from_it(manager: Manager) -> None:
    manager.states.update(web="stopped", worker="stopped")
    manager.crashing.add("worker")
    with pytest.raises(ServiceFailed) as caught:
        manager.steward().start(units("web", "worker", "old"))
    assert "service worker stopped as soon as it was started" in caught.value.message
    assert caught.value.facts["started"] == ["service old", "service web"]
    assert manager.states["web"] == manager.states["old"] == "running"


def test_check_mode_asks_for_nothing(manager: Manager) -> None:
    told = run(units("web", "old"), stop=True, timeout=1, dry_run=True)
    assert told == {"changed": True, "services": ["web"], "app_pools": []}
    told = run(units("web", "old"), stop=False, timeout=1, dry_run=True)
    assert told == {"changed": True, "services": ["old"], "app_pools": []}
    assert manager.log == []


STATES = st.sampled_from(["running", "stopped", "paused", "start_pending", "stop_pending"])


@given(st.dictionaries(st.sampled_from("abcde"), STATES), st.integers(0, 3), st.sets(st.sampled_from("abcde")))
def test_whatever_happens_nothing_is_left_stopped_unsaid(states: Dict[str, str], slow: int, stuck: set[str]) -> None:
    """After a failure to stop, everything that ran before runs, or is named."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        manager = installed(monkeypatch, Manager(states, slow=slow))
        for name, state in states.items():
            if state.endswith("pending"):
                manager.goals[name] = ["running" if state == "start_pending" else "stopped"]
        manager.stuck = stuck
        asked = units(*states)
        try:
            stopped = manager.steward().stop(asked)
        except ServiceFailed as error:
            left = error.facts["left_stopped"]
            ours_stopped = {line.partition(" ")[2] for line in manager.log if line.startswith("stop")}
            for name in ours_stopped - stuck:
                assert manager.states[name] == "running" or f"service {name}" in left
        else:
            assert all(manager.states[name] == "stopped" for name in states)
            assert {name for name, state in states.items() if state in ("running", "paused")} <= set(names(stopped))


@pytest.mark.parametrize(("services", "pools"), [(["a", "A"], []), ([], ["p", "p"]), ([" "], [])])
def test_a_name_twice_or_none_is_refused(services: List[str], pools: List[str]) -> None:
    with pytest.raises(InputInvalid):
        units_of(services, pools)


def test_pools_are_stopped_before_services() -> None:
    assert [unit.kind for unit in units_of(["a"], ["a"])] == [ours.POOL, ours.SERVICE]
    assert units_of([], ["a"])[0].dependents() == []


APPCMD = """#!{python}
import pathlib, sys
verb, kind, name, *more = sys.argv[1:]
assert kind == "apppool" and name.startswith("/apppool.name:")
path = pathlib.Path({directory!r}) / name.partition(":")[2]
if not path.exists():
    print("Kein APPPOOL-Objekt gefunden")
    sys.exit(1)
if verb == "list":
    assert more == ["/text:state"]
    print(path.read_text())
elif path.read_text() == "Broken":
    print("ERROR ( hresult:80070005,", "message:Zugriff verweigert )")
    sys.exit(5)
else:
    path.write_text({{"stop": "Stopped", "start": "Started"}}[verb])
"""


@pytest.fixture
def iis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pools as files with their states, and a program that steers them as appcmd does."""
    pools = tmp_path / "pools"
    pools.mkdir()
    program = tmp_path / "appcmd"
    program.write_text(APPCMD.format(python=sys.executable, directory=str(pools)))
    program.chmod(stat.S_IRWXU)
    monkeypatch.setattr(api, "appcmd", lambda: str(program))
    return pools


@pytest.mark.posix
def test_pools_are_stopped_and_started_through_appcmd(iis: Path) -> None:
    (iis / "My Pool").write_text("Started")
    (iis / "idle").write_text("Stopped")
    asked = units_of([], ["My Pool", "idle"])
    assert run(asked, stop=True, timeout=5, dry_run=False) == {
        "changed": True,
        "services": [],
        "app_pools": ["My Pool"],
    }
    assert (iis / "My Pool").read_text() == "Stopped"
    assert run(asked, stop=True, timeout=5, dry_run=False)["changed"] is False
    assert run(asked[:1], stop=False, timeout=5, dry_run=False)["app_pools"] == ["My Pool"]
    assert [path.read_text() for path in (iis / "My Pool", iis / "idle")] == ["Started", "Stopped"]


@pytest.mark.posix
def test_what_appcmd_refuses_is_quoted(iis: Path) -> None:
    with pytest.raises(RestoreTargetRefused, match="application pool gone"):
        run(units_of([], ["gone"]), stop=True, timeout=5, dry_run=False)
    (iis / "odd").write_text("Broken")
    with pytest.raises(ServiceFailed, match="is unknown"):
        run(units_of([], ["odd"]), stop=True, timeout=0, dry_run=False)
    with pytest.raises(ServiceFailed, match="Zugriff verweigert"):
        units_of([], ["odd"])[0].stop()


def test_a_host_without_iis_has_no_pools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "appcmd", lambda: None)
    with pytest.raises(ToolMissing):
        run(units_of([], ["pool"]), stop=True, timeout=5, dry_run=False)


@pytest.mark.posix
def test_elsewhere_there_are_no_services() -> None:
    with pytest.raises(RestoreTargetRefused):
        run(units("Spooler"), stop=True, timeout=5, dry_run=False)
    for call in (api.stop_service, api.start_service):
        with pytest.raises(OSError):
            call("Spooler")
    assert (api.dependent_services("Spooler"), api.appcmd()) == ((), None)


@pytest.mark.windows
def test_real_services_are_stopped_and_started() -> None:
    asked = units("Spooler", "BITS")
    run(asked, stop=False, timeout=30, dry_run=False)
    assert [api.service_state(unit.name) for unit in asked] == ["running", "running"]
    told = run([*asked, *units("TermService")], stop=True, timeout=30, dry_run=False)
    assert told == {"changed": True, "services": ["Spooler", "BITS"], "app_pools": []}
    assert [api.service_state(unit.name) for unit in asked] == ["stopped", "stopped"]
    assert api.dependent_services("Spooler") == ()
    for call in (api.stop_service, api.start_service):
        with pytest.raises(OSError):
            call("no-such-service")
    with pytest.raises(RestoreTargetRefused):
        run([*asked, *units("no-such-service")], stop=False, timeout=30, dry_run=False)
    assert [api.service_state(unit.name) for unit in asked] == ["stopped", "stopped"]
    assert api.service_state("a/b") is None
    api.start_service("Spooler")
    api.start_service("Spooler")  # that it runs already is no failure
    api.stop_service("Spooler")
