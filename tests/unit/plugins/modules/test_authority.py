# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's authority record: made, changed, asked; by whom, and what is on record of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest

from ansible_collections.wst.backup.plugins.module_utils._authority import check, manage
from ansible_collections.wst.backup.plugins.module_utils._authority.levels import L5, L6
from ansible_collections.wst.backup.plugins.module_utils._authority.record import Authority, comparable, read_authority
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._authority.authority_kit import (
    TOKENS,
    provisioned,
    recorded,
)
from ansible_collections.wst.backup.tests.unit.plugins.modules.host_kit import Host

RUN = "20261123-150000-0123abcd"
NEW = {L5: "Another-L5-0123456789-ghijkl", L6: "Another-L6-9876543210-lkjihg"}
SHOP = {"host": "db.example", "name": "shop"}
DRILLS = {"host": "db.example", "port": 5433, "name": "drill_*"}


@pytest.fixture(autouse=True)
def run(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run whose wrong tokens wait for nothing."""
    monkeypatch.setattr(check, "_sleep", lambda _seconds: None)
    host.begin(RUN)


def new_tokens(tokens: Dict[str, str]) -> Dict[str, str]:
    """As they stand among the secrets."""
    return {manage.NEW[level]: token for level, token in tokens.items()}


def targets(host: Host) -> Dict[str, Any]:
    """The parameters: one directory is production, one is not."""
    return {
        "state": "provisioned",
        "production": {"directories": [str(Path(host.root).parent / "live")], "databases": [SHOP]},
        "not_production": {"directories": [str(Path(host.root).parent / "free")], "databases": [DRILLS]},
    }


def record_of(host: Host) -> Optional[bytes]:
    """The record's bytes."""
    path = Path(host.layout.authority_file)
    return path.read_bytes() if path.exists() else None


def proves(authority: Authority, tokens: Dict[str, str]) -> bool:
    """Whether these are its tokens."""
    return all(authority.hashes[level].matches(token) for level, token in tokens.items())


def events(host: Host) -> List[str]:
    """What the audit log says, shortest."""
    return ["{event} {details[purpose]} {details[proven]}".format(**one) for one in recorded(host.layout)]


def test_the_first_record_is_made_without_a_token_and_says_what_is_production(host: Host) -> None:
    host.carry(**new_tokens(TOKENS))
    shown = host.run("authority", check=True, diff=True, **targets(host))
    assert (shown["changed"], shown["first"], record_of(host)) == (True, True, None)
    assert "production: db.example:5432/shop" in shown["diff"]["after"]
    made = host.run("authority", **targets(host))
    assert (made["changed"], made["first"], made["earlier"], made["tokens"]) == (True, True, None, [L5, L6])
    authority = read_authority(host.layout)
    assert proves(authority, TOKENS)
    assert authority.is_production_database("db.example", 5432, "shop")
    assert not authority.is_production_database("db.example", 5433, "drill_3")
    assert authority.production.directories == (comparable(str(Path(host.root).parent / "live")),)
    assert events(host) == ["authority_granted provision operator"]
    assert recorded(host.layout)[0]["details"]["first"] is True
    for place in (str(made), record_of(host), Path(host.layout.audit_dir, "audit.jsonl").read_bytes()):
        assert not any(token in str(place) for token in TOKENS.values())


def test_provisioning_twice_changes_nothing_and_needs_l6(host: Host) -> None:
    host.carry(**new_tokens(TOKENS))
    host.run("authority", **targets(host))
    before = record_of(host)
    assert host.run("authority", **targets(host))["code"] == "not_authorized"
    host.carry(TOKENS[L5], **new_tokens(NEW))
    for dry in (True, False):
        assert host.run("authority", check=dry, **targets(host))["code"] == "not_authorized"
    assert record_of(host) == before
    host.carry(TOKENS[L6], **new_tokens(TOKENS))
    again = host.run("authority", **targets(host))
    assert (again["changed"], again["tokens"], again["first"]) == (False, [], False)
    assert record_of(host) == before


def test_l6_changes_what_is_production_and_both_tokens(host: Host) -> None:
    since = provisioned(host.layout).since
    host.carry(TOKENS[L6])
    wanted = targets(host)
    shown = host.run("authority", check=True, diff=True, **wanted)
    assert (shown["changed"], shown["tokens"]) == (True, [])
    assert "drill_*" in shown["diff"]["after"]
    assert "drill_*" not in shown["diff"]["before"]
    assert host.run("authority", **wanted)["changed"] is True
    assert host.run("authority", **wanted)["changed"] is False
    changed = read_authority(host.layout)
    assert (proves(changed, TOKENS), changed.since) == (True, since)
    assert not changed.is_production_database("db.example", 5433, "drill_3")
    host.carry(TOKENS[L6], **new_tokens(NEW))
    assert host.run("authority", **wanted)["tokens"] == [L5, L6]
    assert proves(read_authority(host.layout), NEW)


@pytest.mark.parametrize(("level", "by"), [(L5, L5), (L5, L6), (L6, L6)])
def test_a_token_is_replaced_by_who_holds_its_level(host: Host, level: str, by: str) -> None:
    provisioned(host.layout)
    host.carry(TOKENS[by], **new_tokens(NEW))
    before = record_of(host)
    assert host.run("authority", check=True, state="rotated", level=level)["changed"] is True
    assert record_of(host) == before
    rotated = host.run("authority", state="rotated", level=level)
    assert (rotated["changed"], rotated["tokens"]) == (True, [level])
    assert proves(read_authority(host.layout), {**TOKENS, level: NEW[level]})
    if by == level:
        assert host.run("authority", state="rotated", level=level)["code"] == "not_authorized"
    host.carry(NEW[level])
    assert host.run("authority", level=level)["level"] == level


@pytest.mark.parametrize(("level", "by"), [(L5, None), (L6, None), (L6, L5)])
def test_nobody_else_replaces_it(host: Host, level: str, by: Optional[str]) -> None:
    provisioned(host.layout)
    before = record_of(host)
    host.carry(TOKENS[by] if by else None, **new_tokens(NEW))
    for dry in (True, False):
        assert host.run("authority", check=dry, state="rotated", level=level)["code"] == "not_authorized"
    assert record_of(host) == before
    assert {one["event"] for one in recorded(host.layout)} == {check.REFUSED}


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ({}, "no new token"),
        ({L5: "short"}, "5 characters"),
        ({L5: "a" * 30}, "different"),
        ({L5: TOKENS[L6]}, "is the one of L6"),
        ({L5: TOKENS[L5]}, "is the one that it has"),
    ],
)
def test_a_token_that_cannot_be_one_is_refused_and_not_quoted(host: Host, new: Dict[str, str], words: str) -> None:
    provisioned(host.layout)
    before = record_of(host)
    host.carry(TOKENS[L5], **new_tokens(new))
    for dry in (True, False):
        refused = host.run("authority", check=dry, state="rotated", level=L5)
        assert refused["code"] == "input_invalid"
        assert words in refused["msg"]
        assert not any(token in str(refused) for token in new.values() if token != "short")
    assert record_of(host) == before


@pytest.mark.parametrize(
    ("tokens", "change", "words"),
    [
        ({L5: NEW[L5]}, {}, "new token of L6"),
        ({}, {}, "L5 and of L6"),
        ({L5: NEW[L5], L6: NEW[L5]}, {}, "the same"),
        (NEW, {"production": {}}, "no production"),
        (NEW, {"production": {"directories": ["live"]}}, "no absolute path"),
        (NEW, {"production": {"databases": [{**SHOP, "port": 0}]}}, "a port"),
        (NEW, {"not_production": {"databases": [SHOP]}}, "covers shop of production"),
        (NEW, {"not_production": {"directories": [os.path.abspath(os.sep)]}}, "whole drive"),
    ],
)
def test_what_makes_no_sense_makes_no_record(
    host: Host, tokens: Dict[str, str], change: Dict[str, Any], words: str
) -> None:
    host.carry(**new_tokens(tokens))
    for dry in (True, False):
        refused = host.run("authority", check=dry, **{**targets(host), **change})
        assert refused["code"] == "input_invalid"
        assert words in refused["msg"]
    assert record_of(host) is None
    assert recorded(host.layout) == []


def test_a_record_that_somebody_removed_is_told_when_the_next_one_is_made(host: Host) -> None:
    host.carry(**new_tokens(TOKENS))
    host.run("authority", **targets(host))
    os.unlink(host.layout.authority_file)
    host.carry(**new_tokens(NEW))
    made = host.run("authority", **targets(host))
    assert made["earlier"] == {"seq": 1, "time": recorded(host.layout)[0]["time"]}
    assert "somebody removed the record" in str(made["warnings"])
    assert recorded(host.layout)[1]["details"]["earlier"] == made["earlier"]
    assert proves(read_authority(host.layout), NEW)


def test_a_record_that_was_changed_is_evidence_and_stays(host: Host) -> None:
    provisioned(host.layout)
    Path(host.layout.authority_file).write_bytes(b"{}")
    host.carry(TOKENS[L6], **new_tokens(NEW))
    assert host.run("authority", **targets(host))["code"] == "authority_damaged"
    assert record_of(host) == b"{}"


def test_asking_tells_the_level_and_a_token_of_none_is_a_failure(host: Host) -> None:
    provisioned(host.layout)
    for token, level in ((None, "operator"), (TOKENS[L5], L5), (TOKENS[L6], L6)):
        host.carry(token)
        told = host.run("authority")
        assert (told["changed"], told["level"]) == (False, level)
    assert told["production"]["databases"] == [{**SHOP, "port": 5432}]
    host.carry("Planted-XX-0123456789-wrong!")
    assert host.run("authority")["code"] == "not_authorized"
    host.carry(TOKENS[L5])
    assert host.run("authority", level=L6)["code"] == "not_authorized"
    assert [event.split()[0] for event in events(host)] == [check.GRANTED] * 3 + [check.REFUSED] * 2


def test_without_the_lease_nothing_changes(host: Host) -> None:
    host.end(RUN)
    host.begin_without_lease(RUN)
    host.carry(**new_tokens(TOKENS))
    assert host.run("authority", **targets(host))["code"] == "lease_lost"
    assert record_of(host) is None


@pytest.mark.posix  # Windows has no modes; its access lists are tested with the platform
def test_no_record_is_made_where_others_may_write(host: Host) -> None:
    os.chmod(host.root, 0o777)
    host.carry(**new_tokens(TOKENS))
    try:
        assert host.run("authority", **targets(host))["code"] == "path_permissions"
    finally:
        os.chmod(host.root, 0o700)
    assert record_of(host) is None


def test_what_cannot_be_put_on_record_is_not_provisioned(host: Host) -> None:
    Path(host.layout.audit_dir).write_text("in the way")
    host.carry(**new_tokens(TOKENS))
    assert host.run("authority", **targets(host))["code"] == "path_unusable"
    assert record_of(host) is None
