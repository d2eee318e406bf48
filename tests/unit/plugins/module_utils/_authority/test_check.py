# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is granted what on a real disk, what is on record of it, and where a token must not be."""

from __future__ import annotations

import json
import os
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any, List, Optional

import pytest

from ansible_collections.wst.backup.plugins.module_utils._authority import check
from ansible_collections.wst.backup.plugins.module_utils._authority.delay import LONGEST
from ansible_collections.wst.backup.plugins.module_utils._authority.levels import L5, L6, LEVELS, OPERATOR, reaches
from ansible_collections.wst.backup.plugins.module_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    AuthorityDamaged,
    AuthorityMissing,
    BackupError,
    Locked,
    NotAuthorized,
    PathUnusable,
)
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._authority.authority_kit import (
    TOKENS,
    carry,
    directory_target,
    provisioned,
    recorded,
)

WRONG = "Planted-XX-0123456789-wrong!"


@pytest.fixture
def layout(tmp_path: Path) -> HostLayout:
    """A host root."""
    root = tmp_path / "control"
    root.mkdir(mode=0o700)
    return HostLayout(str(root))


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> List[float]:
    """How long it would have waited."""
    slept: List[float] = []
    monkeypatch.setattr(check, "_sleep", slept.append)
    return slept


@pytest.mark.parametrize("needed", LEVELS)
@pytest.mark.parametrize("proven", LEVELS)
def test_each_level_is_granted_what_is_its_own_and_refused_the_rest(
    layout: HostLayout, monkeypatch: pytest.MonkeyPatch, needed: str, proven: str
) -> None:
    provisioned(layout)
    carry(monkeypatch, TOKENS.get(proven))
    if reaches(proven, needed):
        grant = check.require(layout, needed, "restore", {"target": "shop"})
        assert (grant.needed, grant.proven, grant.audit_seq) == (needed, proven, 1)
    else:
        with pytest.raises(NotAuthorized) as refused:
            check.require(layout, needed, "restore", {"target": "shop"})
        assert f"needs {needed}, and {proven} was proven" in refused.value.message
        assert (refused.value.facts["needed"], refused.value.facts["proven"]) == (needed, proven)
    (record,) = recorded(layout)
    assert record["event"] == (check.GRANTED if reaches(proven, needed) else check.REFUSED)
    assert record["code"] == ("" if reaches(proven, needed) else "not_authorized")
    facts = {"needed": needed, "proven": proven, "purpose": "restore", "target": "shop", "check_mode": False}
    assert record["details"] == facts


def test_a_wrong_token_proves_nothing_and_is_nowhere(layout: HostLayout, monkeypatch: pytest.MonkeyPatch) -> None:
    provisioned(layout)
    for token in (WRONG, TOKENS[L5]):
        carry(monkeypatch, token)
        with pytest.raises(NotAuthorized) as refused:
            check.require(layout, L6, "restore")
        told = f"{refused.value.message} {refused.value.facts} {refused.value.remedy}"
        files = [path for path in Path(layout.root).rglob("*") if path.is_file()]
        assert len(files) >= 3
        for place in (told.encode(), *(path.read_bytes() for path in files)):
            assert token.encode() not in place


def test_a_host_without_a_record_must_be_provisioned_first(layout: HostLayout, monkeypatch: pytest.MonkeyPatch) -> None:
    carry(monkeypatch, TOKENS[L6])
    with pytest.raises(AuthorityMissing):
        check.require(layout, OPERATOR, "accept")
    assert [(one["event"], one["code"]) for one in recorded(layout)] == [(check.REFUSED, "authority_missing")]


@pytest.mark.parametrize("change", ["bit", "shape", "version"])
def test_a_record_that_is_not_what_was_written_grants_nothing(
    layout: HostLayout, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    from ansible_collections.wst.backup.plugins.module_utils import _fs

    body = provisioned(layout).as_body()
    path = Path(layout.authority_file)
    if change == "bit":
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(bytes(data))
    elif change == "shape":
        _fs.write_record(str(path), {**body, "hashes": {L6: body["hashes"][L6]}})
    else:
        _fs.write_record(str(path), {**body, "version": 2})
    carry(monkeypatch, TOKENS[L6])
    with pytest.raises(AuthorityDamaged):
        check.require(layout, L6, "restore")
    assert recorded(layout)[0]["code"] == "authority_damaged"


def test_wrong_tokens_make_it_wait_longer_and_longer_and_the_right_one_still_works(
    layout: HostLayout, monkeypatch: pytest.MonkeyPatch, naps: List[float]
) -> None:
    provisioned(layout)
    moment = utc_now()
    monkeypatch.setattr(check, "utc_now", lambda: moment)  # what the test itself takes does not count as waiting

    def attempt(token: Optional[str]) -> None:
        carry(monkeypatch, token)
        try:
            check.require(layout, L5, "restore")
        except NotAuthorized:
            pass

    for _time in range(10):
        attempt(WRONG)
    assert naps == [0, 0, 0, 1, 2, 4, 8, 16, LONGEST, LONGEST]
    naps.clear()
    attempt(None)  # no guess: it waits for nothing and makes nobody wait
    assert naps == []
    attempt(TOKENS[L5])
    assert naps[-1] == LONGEST
    assert recorded(layout)[-1]["event"] == check.GRANTED
    attempt(WRONG)
    assert naps[-1] == LONGEST  # who holds L5 cannot take back wrong guesses at L6
    attempt(TOKENS[L6])
    attempt(WRONG)
    assert naps[-1] == 0  # the highest one began the count anew


def test_a_day_without_a_failure_begins_the_count_anew(
    layout: HostLayout, monkeypatch: pytest.MonkeyPatch, naps: List[float]
) -> None:
    provisioned(layout)
    moment = utc_now()
    carry(monkeypatch, WRONG)
    for later in [0] * 10 + [86_400, 86_401 + 86_400]:
        monkeypatch.setattr(check, "utc_now", lambda later=later: moment + timedelta(seconds=later))
        with pytest.raises(NotAuthorized):
            check.require(layout, L5, "restore")
    attempts = json.loads(Path(layout.authority_attempts).read_text())["body"]
    assert attempts["failures"] == 1


def test_a_process_that_ends_early_has_been_counted(
    layout: HostLayout, monkeypatch: pytest.MonkeyPatch, naps: List[float]
) -> None:
    provisioned(layout)
    carry(monkeypatch, WRONG)

    def dies(_self: Any, _token: str) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("ansible_collections.wst.backup.plugins.module_utils._authority.tokens.TokenHash.matches", dies)
        for _time in range(5):
            with pytest.raises(KeyboardInterrupt):
                check.require(layout, L5, "restore")
    assert naps[-1] > 0


def test_a_lost_count_counts_as_many(layout: HostLayout, monkeypatch: pytest.MonkeyPatch, naps: List[float]) -> None:
    provisioned(layout)
    carry(monkeypatch, TOKENS[L5])
    Path(layout.authority_attempts).write_bytes(b"nothing")
    assert check.require(layout, L5, "restore").proven == L5
    assert naps[-1] > LONGEST - 2
    carry(monkeypatch, TOKENS[L6])
    check.require(layout, L5, "restore")
    check.require(layout, L5, "restore")
    assert naps[-1] == 0


def test_guesses_in_two_processes_wait_for_each_other(layout: HostLayout, monkeypatch: pytest.MonkeyPatch) -> None:
    provisioned(layout)
    carry(monkeypatch, TOKENS[L5])
    other = api.FileLock(layout.authority_lock)
    assert other.try_acquire()
    with monkeypatch.context() as patch:
        patch.setattr(check, "PATIENCE", 0.0)
        with pytest.raises(Locked):
            check.require(layout, L5, "restore")
    assert recorded(layout)[-1]["code"] == "locked"
    done: List[str] = []
    thread = threading.Thread(target=lambda: done.append(check.require(layout, L5, "restore").proven))
    thread.start()
    assert done == []
    other.release()
    thread.join()
    assert done == [L5]


def test_what_cannot_be_put_on_record_is_not_granted(layout: HostLayout, monkeypatch: pytest.MonkeyPatch) -> None:
    provisioned(layout)
    Path(layout.audit_dir).write_text("in the way")
    carry(monkeypatch, TOKENS[L6])
    with pytest.raises(BackupError) as refused:
        check.require(layout, L6, "restore")
    assert isinstance(refused.value, PathUnusable)
    carry(monkeypatch)
    with pytest.raises(NotAuthorized) as refused:
        check.require(layout, L6, "restore")
    assert "could not be put on record" in refused.value.message


def test_nobody_is_kept_out_by_another_s_waiting() -> None:
    assert LONGEST < check.PATIENCE


def test_production_is_found_through_links_and_what_is_not_listed_is_production(
    layout: HostLayout, tmp_path: Path
) -> None:
    live, free, elsewhere = (tmp_path / name for name in ("live", "free", "elsewhere"))
    for path in (live, free, elsewhere):
        path.mkdir()
    authority = provisioned(layout, directory_target(str(live)), directory_target(str(free)))
    assert not authority.is_production_directory(str(free / "new" / "tree"))
    assert authority.is_production_directory(str(elsewhere))
    assert authority.is_production_directory(str(live / "deep"))
    assert authority.is_production_directory(str(free / ".." / "live"))
    assert authority.is_production_directory(str(tmp_path))
    if os.name != "nt":  # wine makes no links
        (free / "link").symlink_to(live, target_is_directory=True)
        assert authority.is_production_directory(str(free / "link" / "x"))
