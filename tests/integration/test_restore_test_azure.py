# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set from a managed server, drilled on a server of the drill's own, and as an administrator who is no superuser."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from integration.test_restore_test import drill, evidence, nothing_is_left
from integration.world import AS_L6, World

SIMULATED = ("azure", "pgaadauth")  # every managed server has them, and no other does; the default list allows them
OURS = "ours"


@contextlib.contextmanager
def managed(world: World) -> Iterator[None]:
    """Production's server has those extensions, and the database, too; after the block neither has."""
    programs = Path(world.record["postgres"]["bin"])
    (directory,) = (path.parent for path in programs.parent.rglob("plpgsql.control"))
    names = (*SIMULATED, OURS)
    made = []
    for name in names:
        made += [directory / f"{name}.control", directory / f"{name}--1.0.sql"]
        made[-2].write_text("default_version = '1.0'\ncomment = 'simulated'\n")
        made[-1].write_text(f"CREATE FUNCTION {name}_there() RETURNS int LANGUAGE sql AS 'SELECT 1';\n")
    try:
        with world.connect() as session:
            for name in names:
                session.execute(f"CREATE EXTENSION {name}".encode())
        yield
    finally:
        for path in made:
            path.unlink()
        with world.connect() as session:
            for name in names:
                session.execute(f"DROP EXTENSION {name}".encode())


@pytest.fixture(scope="module")
def azure_like(world: World) -> str:
    """The stem of a set of such a server; the servers that it is restored on have none of this."""
    with managed(world):
        backup = world.play("backup.yml")
        assert backup.code == 0, backup.output
    return world.counting()[-1]


@pytest.fixture(params=["a server of its own", "an administrator who is no superuser"])
def server(request: pytest.FixtureRequest, world: World) -> dict[str, Any]:
    """Where the drill restores."""
    if request.param == "a server of its own":
        return {}
    with world.connect() as session:
        row = session.execute(
            "SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = %s", (world.record["postgres"]["restore_user"],)
        ).fetchone()
    assert row == (False, True)
    return {"restore_test_server": "{{ lab_restore_database | combine({'name': 'postgres'}) }}"}


@pytest.mark.either_lane
def test_extensions_that_may_be_missing_are_left_out_and_no_others(
    world: World, azure_like: str, server: dict[str, Any]
) -> None:
    told = {"restore_test_layer": "local", "restore_test_set": azure_like, **server}
    for allowed, lacked in ({}, OURS), ({"restore_test_allow_missing_extensions": []}, "azure, ours, pgaadauth"):
        failed = drill(world, **told, **allowed)
        assert failed.failed_with("db_extension_missing"), failed.output
        assert failed.says(f"lacks the extensions {lacked}"), failed.output
        document, _page = evidence(world)
        assert (document["result"], document["failed_at"]) == ("failure", "Restore the database")
    passed = drill(world, **told, restore_test_allow_missing_extensions=[*SIMULATED, OURS])
    assert passed.code == 0, passed.output
    document, _page = evidence(world)
    assert (document["result"], document["set"]["artifact"]) == ("success", azure_like)
    for name in SIMULATED:
        assert f"EXTENSION {name}: it may be missing" in str(document["steps"])
    nothing_is_left(world)


@pytest.mark.either_lane
def test_it_takes_the_place_of_production_with_the_list_and_touches_nothing_without(
    world: World, azure_like: str
) -> None:
    """Restored for good, by the same administrator."""
    place = "{host}:{port}/{name}".format(**world.variables()["backup_database"])
    told = {
        **AS_L6,
        "restore_reason": "the managed server is lost",
        "restore_set": azure_like,
        "restore_database": "{{ lab_restore_database }}",
        "restore_target": place,
        "restore_confirm": place,
    }
    with world.as_application() as session:
        rows = session.execute("SELECT count(*) FROM app.employees").fetchone()
        session.execute("CREATE TABLE app.made_since (a int)")
    refused = world.play("restore.yml", extra=told)
    assert refused.failed_with("db_extension_missing"), refused.output
    assert refused.says("lacks the extensions ours")
    assert refused.says("Production is as it was.")
    with world.as_application() as session:
        session.execute("SELECT FROM app.made_since")
    done = world.play("restore.yml", extra={**told, "restore_allow_missing_extensions": [*SIMULATED, OURS]})
    assert done.code == 0, done.output
    with world.as_application() as session:
        assert session.execute("SELECT count(*) FROM app.employees").fetchone() == rows
        assert session.execute("SELECT to_regclass('app.made_since')").fetchone() == (None,)
