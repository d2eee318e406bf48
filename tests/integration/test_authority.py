# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what, through the playbooks: refused and granted, on record, and no token anywhere."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from integration.planting import Planted, fresh
from integration.world import AS_L5, AS_L6, BIN, World

WRONG = {"wst_backup_authority_token": "Planted-XX-0123456789-wrong!"}
ELSEWHERE = "D:\\restore"


def from_file(directory: Path, variable: str, token: str) -> dict[str, str]:
    """The variable as a vault gives it: its value is in no argument list."""
    path = directory / variable
    path.write_text(token)
    return {variable: "{{ lookup('ansible.builtin.file', '" + str(path) + "') }}"}


def authority_of(world: World) -> dict[str, Any]:
    """The host's record."""
    body: dict[str, Any] = json.loads((world.control / "authority.json").read_text())["body"]
    return body


def failures(world: World) -> int:
    """Wrong tokens in a row."""
    return int(json.loads((world.control / "authority.attempts.json").read_text())["body"]["failures"])


def events(world: World, after: int) -> list[tuple[str, str, str]]:
    """What the audit log says since: event, needed, proven."""
    found = [record for record in world.audit() if record["seq"] > after and record["event"].startswith("authority_g")]
    found += [record for record in world.audit() if record["seq"] > after and record["event"] == "authority_refused"]
    found.sort(key=lambda record: record["seq"])
    return [(one["event"], one["details"]["needed"], one["details"]["proven"]) for one in found]


def seq(world: World) -> int:
    """Where the audit log stands."""
    return int(world.audit()[-1]["seq"])


@pytest.fixture
def record(world: World) -> Iterator[Path]:
    """The host's record, put back as it was."""
    path = world.control / "authority.json"
    kept = path.read_bytes()
    yield path
    path.write_bytes(kept)


@pytest.mark.either_lane
def test_a_token_tells_its_level_and_a_wrong_one_fails(world: World) -> None:
    before = seq(world)
    for extra, level in (({}, "operator"), (AS_L5, "L5"), (AS_L6, "L6")):
        told = world.play("authority_check.yml", extra=extra)
        assert told.code == 0, told.output
        assert f"level: {level}" in told.output
        assert world.variables()["backup_database"]["name"] in told.output  # what is production
    for extra in ({**AS_L5, "authority_level": "L6"}, {"authority_level": "L5"}, WRONG):
        assert world.play("authority_check.yml", extra=extra).failed_with("not_authorized")
    assert events(world, before) == [
        ("authority_granted", "operator", "operator"),
        ("authority_granted", "L5", "L5"),
        ("authority_granted", "L5", "L6"),
        ("authority_refused", "L6", "L5"),
        ("authority_refused", "L5", "operator"),
        ("authority_refused", "L5", "operator"),
    ]


@pytest.mark.either_lane
@pytest.mark.parametrize("inline", [True, False])
def test_a_token_comes_from_a_vault_of_its_level(world: World, tmp_path: Path, inline: bool) -> None:
    """As the runbook has it: a file that is encrypted as a whole, or a value in it."""
    password, variables = tmp_path / "l5-vault-password", tmp_path / "l5.yml"
    password.write_text(secrets.token_hex(16))
    token = Path(world.record["token_files"]["L5"]).read_text()
    vault = [str(BIN / "ansible-vault"), "encrypt_string" if inline else "encrypt", "--vault-id", f"l5@{password}"]
    text = token if inline else f"wst_backup_authority_token: {token}\n"
    options = ["--stdin-name", "wst_backup_authority_token"] if inline else ["--output", "-"]
    done = subprocess.run([*vault, *options], input=text.encode(), capture_output=True, check=True, cwd=tmp_path)
    variables.write_bytes(done.stdout)
    assert token not in variables.read_text()
    arguments = ["--vault-id", f"l5@{password}", "-e", f"@{variables}"]
    told = world.play("authority_check.yml", *arguments, extra={"authority_level": "L5"})
    assert told.code == 0, told.output
    assert "level: L5" in told.output


@pytest.mark.either_lane
def test_wrong_tokens_are_counted_and_lock_nobody_out(world: World) -> None:
    assert world.play("authority_check.yml", extra=AS_L6).code == 0
    assert failures(world) == 0
    for number in (1, 2, 3, 4):
        assert world.play("authority_check.yml", extra=WRONG).failed_with("not_authorized")
        assert failures(world) == number
    assert world.play("authority_check.yml", extra=AS_L5).code == 0
    assert failures(world) == 4  # who holds L5 cannot take back wrong guesses at L6
    assert world.play("authority_check.yml", extra=AS_L6).code == 0
    assert failures(world) == 0


def test_what_is_production_is_changed_by_l6_alone(world: World, record: Path) -> None:
    path = ELSEWHERE if world.windows else "/srv/restore"
    more = {"authority_other_directories": [path]}
    before, told = record.read_bytes(), authority_of(world)
    assert told["not_production"] == {"databases": [], "directories": []}
    assert len(told["production"]["directories"]) == 2
    for extra in ({}, AS_L5, WRONG):
        assert world.play("authority_provision.yml", extra={**more, **extra}).failed_with("not_authorized")
    assert world.play("authority_provision.yml", "--check", "--diff", extra={**more, **AS_L6}).code == 0
    assert record.read_bytes() == before
    done = world.play("authority_provision.yml", extra={**more, **AS_L6})
    assert done.code == 0, done.output
    after = authority_of(world)
    assert after["not_production"]["directories"] == [path.lower()]
    assert after["hashes"] == told["hashes"]
    last = world.audit()[-1]
    assert (last["event"], last["result"]) == ("authority_provision", "success")
    assert last["details"]["not_production"]["directories"] == [path.lower()]
    everything = {**AS_L6, "authority_other_directories": [world.variables()["backup_sources"][0]["path"]]}
    assert world.play("authority_provision.yml", extra=everything).failed_with("input_invalid")
    assert authority_of(world) == after


@pytest.mark.either_lane
def test_a_token_is_replaced_by_its_holder_and_the_old_one_is_worth_nothing(
    world: World, record: Path, tmp_path: Path
) -> None:
    token = secrets.token_urlsafe(24)
    fresh = from_file(tmp_path, "wst_backup_l5_token_new", token)
    own = from_file(tmp_path, "wst_backup_authority_token", token)
    kept = record.read_bytes()
    for level, extra in (("L5", {}), ("L6", AS_L5), ("L5", WRONG)):
        refused = world.play("authority_rotate.yml", extra={"authority_level": level, **fresh, **extra})
        assert refused.failed_with("not_authorized"), refused.output
    weak = {**AS_L5, "authority_level": "L5", "wst_backup_l5_token_new": "too-short"}
    assert world.play("authority_rotate.yml", extra=weak).failed_with("input_invalid")
    same = {**AS_L5, "authority_level": "L5", "wst_backup_l5_token_new": "{{ lab_l6_token }}"}
    assert world.play("authority_rotate.yml", extra=same).failed_with("input_invalid")
    assert world.play("authority_rotate.yml", "--check", extra={"authority_level": "L5", **fresh, **AS_L5}).code == 0
    assert record.read_bytes() == kept
    rotated = world.play("authority_rotate.yml", extra={"authority_level": "L5", **fresh, **AS_L5})
    assert rotated.code == 0, rotated.output
    assert world.play("authority_check.yml", extra=AS_L5).failed_with("not_authorized")
    told = world.play("authority_check.yml", extra=own)
    assert told.code == 0, told.output
    assert "level: L5" in told.output
    assert world.play("authority_check.yml", extra={**AS_L6, "authority_level": "L6"}).code == 0


@pytest.mark.either_lane
def test_a_lost_token_is_made_good_by_hand_and_the_next_record_says_so(world: World, record: Path) -> None:
    artifact = {"backup_set": world.artifacts()[-1], "backup_reason": "as the runbook says"}
    grants = [one for one in world.audit() if one["event"] == "authority_granted"]
    record.unlink()
    refused = world.play("accept.yml", extra={**artifact, **AS_L5})
    assert refused.failed_with("authority_missing"), refused.output
    assert "authority_provision.yml" in refused.output
    made = world.play("authority_provision.yml")
    assert made.code == 0, made.output
    assert "somebody removed the record" in " ".join(made.output.split())
    last = world.audit()[-1]
    assert (last["event"], last["details"]["first"]) == ("authority_provision", True)
    assert last["details"]["earlier"]["seq"] == grants[-1]["seq"]


def test_no_token_is_shown_started_or_written(planted: Planted, record: Path, tmp_path: Path) -> None:
    """Granted, refused and replaced, at the highest verbosity."""
    new, wrong = fresh(), fresh()
    rotation = {"authority_level": "L5", **from_file(tmp_path, "wst_backup_l5_token_new", new)}
    bad = from_file(tmp_path, "wst_backup_authority_token", wrong)
    with planted.watched(new, wrong) as watch:
        played = [
            planted.play("authority_check.yml", extra=AS_L6),
            planted.play("authority_check.yml", extra=bad),
            planted.play("authority_rotate.yml", "--diff", extra={**rotation, **AS_L5}),
            planted.play("authority_provision.yml", "--diff", extra=AS_L6),
        ]
    assert [one.code for one in played] == [0, 2, 0, 0], played[-1].output[-3000:]
    for one in played:
        planted.assert_unshown(one, new, wrong)
    planted.assert_nowhere(played[-1], watch, new, wrong)
