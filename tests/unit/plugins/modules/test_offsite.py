# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules about offsite copies against a real blob server: check, do, check again, do again; and the SAS's file."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Dict, List

import pytest
from offsite.azurite import CONTAINER, Server
from offsite.faultproxy import Fault, Proxy

from ansible_collections.wst.backup.plugins.module_utils._names import artifact_of_run
from ansible_collections.wst.backup.plugins.module_utils._offsite import options
from ansible_collections.wst.backup.plugins.module_utils._offsite.key_step import CARRIED
from ansible_collections.wst.backup.plugins.module_utils._offsite.retrying import Patience
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, Layer
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._authority.authority_kit import (
    TOKENS,
    provisioned,
    recorded,
)
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.layers import (
    PREFIX,
    content,
    publish_set,
    snapshot,
)
from ansible_collections.wst.backup.tests.unit.plugins.modules.host_kit import Host

pytestmark = [pytest.mark.posix, pytest.mark.slow]  # the lab's Windows Python has no SDK; a server starts

RUN, OLD_RUN = "20261123-150000-0123abcd", "20261122-150000-0123abcd"
NEW, OLD = artifact_of_run(RUN, PREFIX), artifact_of_run(OLD_RUN, PREFIX)


class Desk:
    """A host with two sets, a container, and a SAS in its file."""

    def __init__(self, host: Host, server: Server, proxy: Proxy, prefix: str) -> None:
        self.host, self.server, self.proxy, self.prefix = host, server, proxy, prefix
        self.layer = Layer(LOCAL, host.local)
        self.key = Path(host.layout.offsite_key_file)
        self.put_sas(server.sas())
        publish_set(self.layer, OLD_RUN)
        publish_set(self.layer, RUN)

    def put_sas(self, sas: str) -> None:
        """By hand, as a person could."""
        self.key.write_text(sas + "\n")
        self.key.chmod(0o600)

    def params(self, **changes: Any) -> Dict[str, Any]:
        """Those that the three modules have in common."""
        where = {"account_url": self.proxy.url, "container": CONTAINER, "blob_prefix": self.prefix}
        return {**where, **changes}

    def offsite(self, *, check: bool = False, **changes: Any) -> Dict[str, Any]:
        """backup_offsite."""
        layer = {"name": "local", "path": self.host.local}
        return self.host.run("backup_offsite", check=check, **self.params(layer=layer, **changes))

    def fetch(self, *, check: bool = False, **changes: Any) -> Dict[str, Any]:
        """offsite_fetch."""
        return self.host.run("offsite_fetch", check=check, **self.params(**changes))

    def put_key(self, sas: str, *, token: str = TOKENS["L5"], check: bool = False, **changes: Any) -> Dict[str, Any]:
        """offsite_key, with what the control node carries."""
        self.host.carry(token, **{CARRIED: sas})
        return self.host.run("offsite_key", check=check, **self.params(**changes))

    def there(self) -> Dict[str, bytes]:
        """What the server has, asked with the account's key."""
        with self.server.container() as client:
            names = [blob.name for blob in client.list_blobs(self.prefix + "/")]
            return {name[len(self.prefix) + 1 :]: client.download_blob(name).readall() for name in names}


@pytest.fixture
def desk(
    host: Host, azurite_server: Server, proxy: Proxy, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    """As it begins; with less patience than a real one has."""
    for module in ("options", "key_step"):
        name = f"ansible_collections.wst.backup.plugins.module_utils._offsite.{module}.PATIENCE"
        monkeypatch.setattr(name, Patience(tries=2, first=0.01))
    return Desk(host, azurite_server, proxy, prefix)


def told(result: Dict[str, Any]) -> str:
    """Everything that it says."""
    return repr(result)


def test_check_do_check_again_do_again(desk: Desk) -> None:
    """The sets stand there byte for byte, and the host's own layer is as it was."""
    before = snapshot(desk.layer)
    results = [desk.offsite(check=check) for check in (True, False, True, False)]
    assert [result.get("changed") for result in results] == [True, True, False, False], results
    assert [result["uploaded"] for result in results[:2]] == [[NEW.stem, OLD.stem]] * 2
    assert [result["present"] for result in results[2:]] == [[NEW.stem, OLD.stem]] * 2
    assert results[1]["bytes"] > 10000
    assert desk.there() == {name: data for name, data in before.items() if not name.endswith(".state.json")}
    assert snapshot(desk.layer) == before
    assert "no immutability policy" in told(results[1]["warnings"]) or "may not see" in told(results[1]["warnings"])


def test_check_mode_writes_nothing_there(desk: Desk) -> None:
    """Not a block, not a name."""
    desk.offsite(check=True)
    assert desk.there() == {}
    assert {call.method for call in desk.proxy.seen} == {"GET"}


def test_a_set_comes_back(desk: Desk, tmp_path: Path) -> None:
    """Listed first, then fetched in check mode, then really."""
    desk.offsite()
    listed = desk.fetch()
    assert [each["artifact"] for each in listed["sets"]] == [NEW.stem, OLD.stem]
    target = tmp_path / "fetched"
    would = desk.fetch(check=True, target=str(target))
    assert (would["changed"], would["bytes"], target.exists()) == (True, 5000, False)
    back = desk.fetch(target=str(target), artifact=OLD.stem)
    assert (back["changed"], back["path"]) == (True, str(target / OLD.zip)), back
    assert Path(back["path"]).read_bytes() == content(OLD)
    assert sorted(os.listdir(target)) == [OLD.sidecar, OLD.zip]
    assert stat.S_IMODE(target.stat().st_mode) == 0o700
    assert desk.fetch(target=str(target), artifact=OLD.stem)["changed"] is False


def test_what_is_read_back_wrong_fails_by_name_and_the_other_set_is_kept(desk: Desk) -> None:
    """Somebody wrote over the newer blob, with the account's key."""
    desk.offsite()
    with desk.server.container() as client:
        client.upload_blob(f"{desk.prefix}/{NEW.zip}", b"\0" + content(NEW)[1:], overwrite=True)
    result = desk.offsite()
    assert (result["failed"], result["code"]) == (True, "offsite_blob_differs"), result
    assert result["facts"]["damaged"] == [NEW.stem]
    assert len(result["facts"]["problems"]) == 1
    assert desk.fetch(target=str(desk.host.root) + "/x")["code"] == "offsite_blob_differs"


@pytest.mark.parametrize(
    ("sas", "code"),
    [
        ({"hours": -1}, "offsite_unauthorised"),
        ({"permissions": "rl"}, "offsite_unauthorised"),
        ({"container": "another-one"}, "offsite_unauthorised"),
    ],
    ids=["expired", "no writing", "of another container"],
)
def test_a_sas_that_does_not_open_it_is_named_and_not_told(desk: Desk, sas: Dict[str, Any], code: str) -> None:
    """Neither by the module nor in what it leaves on the disk."""
    token = desk.server.sas(**sas)
    desk.put_sas(token)
    result = desk.offsite()
    assert result["code"] == code, result
    secret = dict(pair.split("=", 1) for pair in token.split("&"))["sig"]
    assert secret not in told(result)
    assert desk.there() == {}


def test_a_file_that_is_open_or_missing_or_no_sas_is_named(desk: Desk) -> None:
    """As db.key is."""
    desk.key.chmod(0o644)
    assert desk.offsite()["code"] == "key_permissions"
    desk.key.unlink()
    assert desk.offsite()["code"] == "offsite_key_unusable"
    desk.put_sas("what is this")
    assert desk.offsite()["code"] == "offsite_key_unusable"
    assert desk.proxy.seen == []


def test_trouble_is_named_and_the_next_run_goes_on(desk: Desk) -> None:
    """Azure is busy at the second block of names; what arrived is not sent again."""
    desk.proxy.script = lambda call, _number: Fault(status=503) if call.name == "commit" else None
    result = desk.offsite()
    assert (result["code"], result["facts"]["tries"]) == ("offsite_busy", 2), result
    assert desk.there() == {}
    desk.proxy.script = lambda _call, _number: None
    assert desk.offsite()["bytes_kept"] == 5000


def test_without_the_sdk_it_says_what_to_install(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a host whose runtime has not got it."""
    monkeypatch.setitem(sys.modules, "azure.storage.blob", None)
    result = desk.offsite()
    assert (result["code"], "azure-storage-blob" in result["msg"]) == ("offsite_sdk_missing", True), result
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    assert desk.offsite(identity="managed")["code"] == "offsite_sdk_missing"


def test_a_managed_identity_that_is_not_there_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine is none of Azure's; what the SDK says of it is no defect of ours."""
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:9")
    result = desk.offsite(identity="managed", account_url="https://127.0.0.1:9/lab")
    assert result["code"] in ("offsite_unauthorised", "offsite_unreachable"), result


# --- the SAS's file -------------------------------------------------------------------------------------------------


@pytest.fixture
def keyed(desk: Desk) -> Desk:
    """A host that knows L5, in a run, without a SAS yet."""
    provisioned(desk.host.layout)
    desk.host.begin(RUN)
    desk.key.unlink()
    return desk


def test_a_new_sas_is_tried_then_put_in_its_place(keyed: Desk) -> None:
    """Closed to others; twice in a row changes nothing. Nobody is told it."""
    sas = keyed.server.sas()
    results = [keyed.put_key(sas, check=check) for check in (True, False, True, False)]
    assert [result.get("changed") for result in results] == [True, True, False, False], results
    assert keyed.key.read_text().strip() == sas
    assert stat.S_IMODE(keyed.key.stat().st_mode) == 0o600
    assert results[1]["permissions"] == "racwl"
    secret = dict(pair.split("=", 1) for pair in sas.split("&"))["sig"]
    assert secret not in told({"results": results, "audit": recorded(keyed.host.layout)})
    assert keyed.offsite()["uploaded"] == [NEW.stem, OLD.stem]


@pytest.mark.parametrize("sas", [{"hours": -1}, {"container": "another-one"}, {"permissions": "r"}])
def test_a_sas_that_opens_nothing_leaves_the_file_as_it_is(keyed: Desk, sas: Dict[str, Any]) -> None:
    """And nothing staged."""
    good = keyed.server.sas()
    keyed.put_sas(good)
    result = keyed.put_key(keyed.server.sas(**sas))
    assert result["code"] == "offsite_unauthorised", result
    assert keyed.key.read_text().strip() == good
    assert [path.name for path in keyed.key.parent.glob("offsite.key*")] == ["offsite.key"]


def test_it_needs_l5_and_a_sas(keyed: Desk) -> None:
    """A wrong token asks nobody anything."""
    assert keyed.put_key(keyed.server.sas(), token=TOKENS["L5"] + "x")["code"] == "not_authorized"
    assert keyed.put_key("")["code"] == "offsite_key_unusable"
    assert keyed.put_key("AccountKey=abc")["code"] == "offsite_key_unusable"
    assert not keyed.key.exists()
    assert keyed.proxy.seen == []


def test_the_records_of_the_copies_say_when_they_were_proved(desk: Desk) -> None:
    """One file for each set, for who asks without Azure."""
    desk.offsite()
    names: List[str] = sorted(os.listdir(desk.host.layout.offsite_dir))
    assert names == ["lock", f"{OLD.stem}.json", f"{NEW.stem}.json"]
    assert options.PATIENCE.tries == 2
