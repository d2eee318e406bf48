# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every failure that a run can name, through the playbook: the code and the remedy on screen, exit code 2, a record of
it on the host, no partial file under a final name, every older set as it was; and the next run is clean."""

from __future__ import annotations

import pytest
from integration import provocations as made
from integration.provocations import Provocation
from integration.world import Played, World

from ansible_collections.wst.backup.plugins.module_utils._errors import all_errors

REMEDIES = {error.code: error.remedy for error in all_errors()}
NOBODYS_PORT = 1
EITHER = pytest.mark.either_lane
RLS = (
    "CREATE TABLE rls_t (i int); ALTER TABLE rls_t OWNER TO wst_backup; ALTER TABLE rls_t ENABLE ROW LEVEL SECURITY;"
    "ALTER TABLE rls_t FORCE ROW LEVEL SECURITY; CREATE POLICY p ON rls_t USING (false)"
)

BEFORE_THE_DUMP = [
    pytest.param("key_missing", made.key_is_gone, id="key_missing", marks=EITHER),
    pytest.param("key_malformed", made.key_holds(b'"quoted"'), id="key_malformed: quotes", marks=EITHER),
    pytest.param(
        "key_malformed", made.key_holds("secret\r\n".encode("utf-16")), id="key_malformed: UTF-16", marks=EITHER
    ),
    pytest.param("key_permissions", made.opened("wst-control/db.key"), id="key_permissions"),
    pytest.param("path_permissions", made.opened("wst-backups"), id="path_permissions"),
    pytest.param("path_unusable", made.source_has_a_device_name, id="path_unusable: a device's name"),
    pytest.param("path_unusable", made.variables(backup_local_dir="C:\\nowhere"), id="path_unusable: no directory"),
    pytest.param("source_missing", made.source_is_gone, id="source_missing (F2)", marks=EITHER),
    pytest.param("mirror_missing", made.mirror_is_gone, id="mirror_missing: directory", marks=EITHER),
    pytest.param("mirror_missing", made.mirror_has_no_marker, id="mirror_missing: marker"),
    pytest.param(
        "mirror_wrong_volume", made.variables(backup_mirror_volume_id="another"), id="mirror_wrong_volume", marks=EITHER
    ),
    pytest.param("no_space", made.variables(backup_min_free=10**15), id="no_space", marks=EITHER),
    pytest.param("tool_missing", made.variables(backup_tools_dir="C:\\nowhere"), id="tool_missing"),
    pytest.param("db_auth_failed", made.key_holds(b"wrong-but-well-formed"), id="db_auth_failed (F1)"),
    pytest.param("db_unreachable", made.database(port=NOBODYS_PORT), id="db_unreachable", marks=EITHER),
    pytest.param("db_not_found", made.database(name="no_such_database"), id="db_not_found", marks=EITHER),
    pytest.param("db_tls_failed", made.certificate_authority_is_another, id="db_tls_failed"),
    pytest.param("db_version_mismatch", made.server_is_newer, id="db_version_mismatch", marks=EITHER),
    pytest.param(
        "db_limits",
        made.sql("ALTER ROLE wst_backup CONNECTION LIMIT 0", "ALTER ROLE wst_backup CONNECTION LIMIT -1"),
        id="db_limits",
        marks=EITHER,
    ),
    pytest.param("input_invalid", made.database(port=6432), id="input_invalid: the pooler's port", marks=EITHER),
]

IN_THE_DUMP = [
    pytest.param("db_row_security", made.sql(RLS, "DROP TABLE rls_t"), id="db_row_security", marks=EITHER),
    pytest.param(
        "db_permission", made.sql("CREATE TABLE closed_t ()", "DROP TABLE closed_t"), id="db_permission", marks=EITHER
    ),
    pytest.param("db_lock_timeout", made.table_is_locked, id="db_lock_timeout", marks=EITHER),
    pytest.param("dump_empty", made.database_is_empty, id="dump_empty (F3)", marks=EITHER),
]

AFTER_THE_DUMP = [
    pytest.param("source_unreadable", made.source_cannot_be_read, id="source_unreadable"),
    pytest.param("source_changed", made.source_keeps_changing, id="source_changed"),
    pytest.param("mirror_mismatch", made.mirror_holds_another_zip, id="mirror_mismatch", marks=EITHER),
]


def failed(world: World, code: str, provocation: Provocation) -> Played:
    """Provoke it, and look at the world while the cause is still there."""
    with provocation(world) as extra:
        sets = {path: digest for path, digest in world.layers().items() if not path.endswith(".state.json")}
        played = world.play("backup.yml", extra=extra)
        assert played.failed_with(code), played.output
        assert played.says(REMEDIES[code]), played.output
        now = world.layers()
        assert sets.items() <= now.items(), "an older set was touched"
    return played


def assert_tidy(world: World, code: str) -> None:
    """The failure is on record, and nothing of the run is left."""
    end = world.audit()[-1]
    assert (end["event"], end["result"], end["code"]) == ("backup_end", "failure", code)
    assert not (world.control / "lock" / "lease.json").exists()
    assert list((world.control / "scratch").iterdir()) == []
    assert list(world.local.rglob("*.partial")) == []


def assert_clean_run(world: World) -> None:
    before = world.artifacts()
    played = world.play("backup.yml")
    assert played.code == 0, played.output
    assert len(world.artifacts()) == len(before) + 1
    assert world.artifacts(world.mirror) == world.artifacts()


@pytest.mark.parametrize(("code", "provocation"), BEFORE_THE_DUMP)
def test_what_is_wrong_before_the_dump(world: World, code: str, provocation: Provocation) -> None:
    before = world.artifacts()
    failed(world, code, provocation)
    assert_tidy(world, code)
    assert world.artifacts() == before


def test_after_all_that_the_next_run_is_clean(world: World) -> None:
    assert_clean_run(world)


@pytest.mark.parametrize(("code", "provocation"), IN_THE_DUMP)
def test_what_goes_wrong_in_the_dump(world: World, code: str, provocation: Provocation) -> None:
    before = world.artifacts()
    failed(world, code, provocation)
    assert_tidy(world, code)
    assert world.artifacts() == before
    assert_clean_run(world)


@pytest.mark.parametrize(("code", "provocation"), AFTER_THE_DUMP)
def test_what_goes_wrong_after_the_dump(world: World, code: str, provocation: Provocation) -> None:
    failed(world, code, provocation)
    assert_tidy(world, code)
    assert_clean_run(world)


def test_preflight_names_every_problem_at_once(world: World) -> None:
    with made.key_is_gone(world), made.mirror_is_gone(world), made.source_is_gone(world):
        played = world.play("backup.yml", extra={"backup_tools_dir": "C:\\nowhere"})
    assert played.code == 2
    for code in ("key_missing", "mirror_missing", "source_missing", "tool_missing"):
        assert f"{code}:" in played.output
