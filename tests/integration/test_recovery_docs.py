# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/recovery.md is followed to the letter: each page is typed, in its order, after what it is for has happened.

What the words of the page stand for in the lab is in ``desk.py``. A page without a test, a command that nobody has told
how to run, and one that fails are failures.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from integration import hostshell
from integration.conftest import SCALE, STATE, standing
from integration.desk import CannotBeTyped, Desk, cut_short, equipped
from integration.disturbance import STALE, crash, jobs, playing, swaps, wait_until
from integration.loud import loudly
from integration.runbook import CONTROL, HOST, NotARunbook, Page, Step, pages_of
from integration.world import AS_L6, ROOT, World, digests
from unit import pgserver

DOCUMENT = ROOT / "docs" / "recovery.md"
PAGES = {page.title: page for page in pages_of(DOCUMENT.read_text(encoding="utf-8")) if page.commands}
TESTED = {
    "Which set",
    "A lost file",
    "A lost tree",
    "A lost table",
    "A lost database",
    "A lost host",
    "A lost server",
    "A lost password",
    "Suspected ransomware",
    "What was replaced stays until you say so",
    "A restore that ended half way",
    "The weekly restore test",
}
REPLACED = PAGES["What was replaced stays until you say so"]
UNREFERENCED = "id NOT IN (SELECT order_id FROM app.documents WHERE order_id IS NOT NULL)"
CONFIG = "config/config.json"
SOON = f"restore_stale_after: {STALE}\nbackup_stale_after: {STALE}\n"


# --- the lab


@pytest.fixture(scope="module")
def site() -> Iterator[World]:
    """A lab of this file's own, for a page loses the host; with a backup, and the roots where a host has them."""
    state = STATE.with_name(f"{STATE.name}-runbook")
    with standing(state, "--scale", SCALE) as world:
        if world.windows:
            pytest.skip(
                "NOT EXERCISED: the recovery runbook on the Windows stand-in, where no database can be restored"
            )
        config = world.sources["wst"] / CONFIG
        config.parent.mkdir()
        config.write_text('{"port": 8080}\n')
        shutil.copyfile(world.record["ca"], roots(world))
        for playbook in ("mirror_init.yml", "authority_provision.yml", "backup.yml"):
            done = world.play(playbook)
            assert done.code == 0, done.output
        yield world


@pytest.fixture
def desk(site: World, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A directory to type in; what could be looked at only is told loudly."""
    desk = equipped(site, tmp_path)
    yield desk
    shutil.rmtree(site.control / "scratch" / "taken-out", ignore_errors=True)  # of a page that failed
    for told in desk.not_exercised:
        loudly(request.config, f"docs/recovery.md, {told}: there is no such disk in a lab")
    if hostshell.engine() is None:
        loudly(request.config, f"docs/recovery.md's PowerShell by an engine: {hostshell.ENGINE} names none")


def roots(world: World) -> Path:
    """The host's file with the roots that it trusts."""
    return world.control / "azure-roots.pem"


def content(tree: Path) -> dict[str, str]:
    """Every file below the tree by its digest and its path in the tree."""
    return {str(Path(path).relative_to(tree)): digest for path, digest in digests(tree).items()}


def trees(world: World) -> dict[str, dict[str, str]]:
    """Production's."""
    return {name: content(tree) for name, tree in world.sources.items()}


def rows(world: World, table: str = "app.orders") -> Any:
    """How many the application finds."""
    with world.as_application() as session:
        return session.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()


def restored(world: World) -> dict[str, Any]:
    """The last restore's record."""
    return next(record for record in reversed(world.audit()) if record["event"] == "restore")


def emptied(tree: Path) -> None:
    """Somebody's deployment."""
    for path in tree.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


# --- the document, and what reads it


def test_every_page_with_commands_is_tested() -> None:
    assert set(PAGES) == TESTED
    assert sum(len(page.commands) for page in PAGES.values()) > 30


@pytest.mark.parametrize(
    "document",
    [
        "## A page\n```console\nansible-playbook x\n```\n",
        "## A page\n```powershell\n$ ls\n```\n",
        "## A page\n```yaml\na: 1\n```\n",
        "## A page\n```\n$ ls\n```\n",
        "## A page\n```console\n$ ls\n",
        "`$ ls`\n## A page\n",
    ],
)
def test_what_no_reader_could_follow_is_refused(document: str) -> None:
    with pytest.raises(NotARunbook):
        pages_of(document)


def test_steps_come_in_the_order_of_the_page() -> None:
    document = (
        "# T\n## P\n`$ a b`, then `host> c`\n1. x\n\n   ```yaml\n   # f.yml\n   k:\n     - v\n   ```\n## Q\ntext\n"
    )
    page, empty = pages_of(document)
    assert [(step.where, step.text) for step in page.steps] == [
        (CONTROL, "a b"),
        (HOST, "c"),
        ("file", "# f.yml\nk:\n  - v\n"),
    ]
    assert (page.steps[2].name, empty.steps) == ("f.yml", [])


@pytest.mark.parametrize(
    "command",
    [
        "curl https://example.com",
        "ansible-playbook wst.backup.no_such -i INVENTORY",
        "ansible-playbook wst.backup.list",
        "ansible-playbook wst.backup.list -i INVENTORY; rm what.yml",
        "ansible-playbook wst.backup.list -i INVENTORY -e x=$(id)",
        "ansible-playbook wst.backup.list -i INVENTORY -e backup_reason='two words'",
        "rm NAME",
    ],
)
@pytest.mark.either_lane
def test_a_command_that_nobody_knows_is_a_failure(desk: Desk, command: str) -> None:
    with pytest.raises(CannotBeTyped):
        desk.do(Step(CONTROL, command, 1))


@pytest.mark.parametrize(
    "command", ["Format-Volume D", "Copy-Item a b; Copy-Item c d", "Copy-Item $(x) b", "& 'a' | b"]
)
def test_powershell_that_nobody_knows_is_a_failure(tmp_path: Path, command: str) -> None:
    with pytest.raises(hostshell.NotUnderstood):
        hostshell.run(command, "", cwd=tmp_path)


def test_no_document_has_a_variable_that_ansible_would_cut_short() -> None:
    """``-e "reason=two words"`` would record the first word only."""
    files = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "playbooks").glob("*.yml")]
    given = [
        found for path in files for found in re.findall(r"""-e ("[^"]*"|'[^']*'|[a-z_]+='[^']*')""", path.read_text())
    ]
    assert len(given) > 5
    assert [value for value in given if cut_short("".join(shlex.split(value)))] == []


# --- the pages


@pytest.mark.either_lane
def test_which_set(desk: Desk, site: World) -> None:
    assert site.counting()[-1] in desk.follow(PAGES["Which set"])


@pytest.mark.either_lane
def test_a_lost_file(desk: Desk, site: World) -> None:
    before = trees(site)
    (site.sources["wst"] / CONFIG).unlink()
    desk.follow(PAGES["A lost file"])
    assert trees(site) == before
    assert list((site.control / "scratch").iterdir()) == []


@pytest.mark.either_lane
def test_a_lost_tree_and_what_was_replaced(desk: Desk, site: World) -> None:
    """Restored, taken back, restored again, and the old one removed."""
    page, tree = PAGES["A lost tree"], site.sources["wst"]
    good = content(tree)
    emptied(tree)
    shown = desk.follow(page)
    assert content(tree) == good
    swap = desk.words["ID"] = restored(site)["details"]["swap"]
    assert f"the swap's id is {swap}" in shown
    old = tree.with_name(f"wst.before-{swap}")
    assert content(old) == {}
    assert "undone" in desk.follow(REPLACED, until="state=absent")
    undone = swap
    assert site.audit()[-1]["details"]["reason"] == "it was the wrong set"
    assert content(tree) == {}
    (tree / "index.html").write_text("down for maintenance")
    desk.words["newest"] = restored(site)["details"]["artifact"]
    desk.follow(page)
    assert content(tree) == good
    swap = desk.words["ID"] = restored(site)["details"]["swap"]
    assert tree.with_name(f"wst.before-{swap}").is_dir()
    assert "removed" in desk.follow(REPLACED, since="state=absent")
    assert not tree.with_name(f"wst.before-{swap}").exists()
    desk.words["ID"] = undone
    desk.follow(REPLACED, since="state=absent")
    assert [path for path in tree.parent.glob("*.restore-*") if any(path.iterdir())] == []


@pytest.mark.either_lane
def test_a_tree_that_is_gone_needs_the_waiver(desk: Desk, site: World) -> None:
    """What the page says when it does not work, and the way out that it names."""
    page, tree = PAGES["A lost tree"], site.sources["wst"]
    good = content(tree)
    shutil.rmtree(tree)
    with pytest.raises(AssertionError, match="source_missing"):
        desk.follow(page)
    file = page.steps[0]
    waived = Step(file.where, f"{file.text}restore_safety_waiver: no safety backup\n", file.line, file.name)
    desk.follow(Page(page.title, [waived, *page.steps[1:]]))
    assert content(tree) == good


@pytest.mark.either_lane
def test_a_lost_table(desk: Desk, site: World) -> None:
    """Some of its rows are gone: they come back, and the others are as they were."""
    server, page = site.record["postgres"], PAGES["A lost table"]
    with site.as_application() as session:
        had = session.execute("SELECT array_agg(o ORDER BY o) FROM app.orders o").fetchone()
        session.execute(f"DELETE FROM app.orders WHERE id IN (SELECT id FROM app.orders WHERE {UNREFERENCED} LIMIT 7)")
    desk.words["SERVER"] = server["host"]
    desk.answers = {"psql": [(site.control / "restore.key").read_text().strip()]}
    shown = desk.follow(page, until=r"\copy app.orders to")
    made = desk.words["wst_dev_tables_20261130_101500"] = restored(site)["details"]["tables_database"]
    assert made in shown
    shown = desk.follow(page, since=r"\copy app.orders to")
    assert "INSERT 0 7" in shown
    with site.as_application() as session:
        assert session.execute("SELECT array_agg(o ORDER BY o) FROM app.orders o").fetchone() == had
    with site.connect("postgres") as session:
        names = [name for (name,) in session.execute("SELECT datname FROM pg_database").fetchall()]
    assert made not in names


@pytest.mark.either_lane
def test_a_lost_database(desk: Desk, site: World) -> None:
    had = rows(site)
    with site.connect() as session:
        session.execute("TRUNCATE app.orders CASCADE")
    shown = desk.follow(PAGES["A lost database"])
    assert rows(site) == had
    record = restored(site)
    desk.words["ID"] = record["run_id"]
    assert f"the swap's id is {record['run_id']}" in shown
    old = record["details"]["old_database"]
    assert "removed" in desk.follow(REPLACED, since="state=absent")
    with site.connect("postgres") as session:
        names = [name for (name,) in session.execute("SELECT datname FROM pg_database").fetchall()]
    assert old not in names


@pytest.mark.either_lane
def test_a_lost_server(desk: Desk, site: World) -> None:
    """The new one is another server, which has nothing but its administrator."""
    keys = {name: (site.control / name).read_bytes() for name in ("db.key", "restore.key")}
    backup, restore = ("Planted" + secrets.token_hex(12) for _ in range(2))
    had, admin, trusted = rows(site), pgserver.PASSWORD, roots(site).read_bytes()
    with pgserver.running(17) as server:
        new = {**site.variables()["backup_database"], "port": server.port, "sslrootcert": str(roots(site))}
        roots(site).write_bytes(server.authority.certificate.read_bytes())
        desk.words.update({"5432": str(server.port), "ADMIN": pgserver.SUPERUSER})
        desk.words["wst_database_host: wst-new.postgres.database.azure.com"] = json.dumps({"backup_database": new})
        desk.answers = {
            "roles.sql": [admin],
            "password wst_backup": [admin, backup, backup],
            "password wst_restore": [admin, restore, restore],
        }
        desk.edited = {
            "db-password.yml": f"wst_backup_db_password_new: {backup}\n",
            "restore-password.yml": f"wst_backup_db_password_new: {restore}\n",
        }
        before = site.counting()
        try:
            desk.follow(PAGES["A lost server"])
            opened = {"user": "wst_backup", "password": backup}
            assert server.rows("SELECT count(*) FROM app.orders", database="wst_dev", **opened) == [had]
            assert [(site.control / name).read_text() for name in keys] == [backup, restore]
            assert len(site.counting()) == len(before) + 1
        finally:
            roots(site).write_bytes(trusted)
            for name, key in keys.items():
                (site.control / name).write_bytes(key)


@pytest.mark.either_lane
def test_a_lost_password(desk: Desk, site: World) -> None:
    server = site.record["postgres"]
    key, new = site.control / "db.key", "Planted" + secrets.token_hex(12)
    old, admin = key.read_text(), Path(server["superuser_password_file"]).read_text()
    with site.connect() as session:
        session.execute("ALTER ROLE wst_backup PASSWORD 'nobody-knows-it'")
    desk.words["ADMIN"] = server["superuser"]
    desk.answers = {"password wst_backup": [admin, new, new]}
    desk.edited = {"db-password.yml": f"wst_backup_db_password_new: {new}\n"}
    try:
        assert site.play("backup.yml", "--check").failed_with("db_auth_failed")
        desk.follow(PAGES["A lost password"])
        assert key.read_text() == new
        assert not (desk.directory / "db-password.yml").exists()
    finally:
        key.write_text(old)
        with site.connect() as session:
            session.execute(f"ALTER ROLE wst_backup PASSWORD '{old}'")


@pytest.mark.either_lane
def test_suspected_ransomware(desk: Desk, site: World) -> None:
    desk.words["N"] = "1"
    name = desk.words["NAME"] = site.counting()[0]
    desk.follow(PAGES["Suspected ransomware"])
    assert len(desk.not_exercised) == 2
    states = [json.loads((layer / f"{name}.state.json").read_text())["body"] for layer in (site.local, site.mirror)]
    assert [state["pinned"]["reason"] for state in states] == ["before the attack"] * 2


def killed(world: World, step: str, suffix: str, *wanted: str) -> None:
    """A restore of a tree and the database that dies, with the host, as soon as that swap of its is one of these.

    From the moment that the host has the job of that step the control node is held: the next step is never sent.
    """
    path, place = (
        world.variables()["backup_sources"][0]["path"],
        "{host}:{port}/{name}".format(**world.variables()["backup_database"]),
    )
    text = f"{path}, {place}"
    told = {
        "restore_trees": [{"source": "wst", "path": path}],
        "restore_database": "{{ lab_restore_database }}",
        "restore_target": text,
        "restore_confirm": text,
        "restore_reason": "a test",
        "restore_stale_after": STALE,
    }
    known, known_jobs = swaps(world, suffix), jobs(world, step)

    def sent() -> bool:
        assert run.process.poll() is None, run.output()
        return any((job / "pid").exists() for job in jobs(world, step) - known_jobs)

    def there() -> bool:
        return any(status in wanted for swap, status in swaps(world, suffix).items() if swap not in known)

    with playing(world, "playbooks/restore.yml", extra={**told, **AS_L6}) as run:
        wait_until(sent, f"no {step} is begun", seconds=300)
        run.freeze()
        wait_until(there, f"no swap is {wanted}", seconds=300)
        crash(world, run)


@pytest.mark.either_lane
def test_a_restore_that_ended_half_way(desk: Desk, site: World) -> None:
    """Between the swap of its tree and that of its database, and as soon as the latter has begun: both or none are new.

    How far that one comes until the host is dead is a matter of milliseconds; unit tests kill it at each statement.
    """
    page, tree = PAGES["A restore that ended half way"], site.sources["wst"]
    new = (content(tree), rows(site))
    (tree / "made-since").write_text("x")
    with site.connect() as session:
        session.execute("TRUNCATE app.orders CASCADE")
    old = (content(tree), rows(site))
    (desk.directory / "inventory.yml").write_text(SOON)

    known = swaps(site, ".database.json")
    killed(site, "files_swap", ".json", "swapped")
    assert swaps(site, ".database.json") == known, "the database was reached too early"
    assert (content(tree), rows(site)) == (new[0], old[1])
    assert site.play("backup.yml", "--check", extra={"backup_stale_after": STALE}).failed_with("restore_unfinished")
    assert "trees: undone" in desk.follow(page)
    assert (content(tree), rows(site)) == old

    killed(site, "pg_swap", ".database.json", "swapping", "swapped")
    desk.follow(page)
    assert (content(tree), rows(site)) in (old, new)


@pytest.mark.either_lane
def test_the_weekly_restore_test(desk: Desk, site: World) -> None:
    evidence = site.records / "hosts" / site.host["name"] / "drills"
    before = set(evidence.glob("*.html")) if evidence.is_dir() else set()
    desk.follow(PAGES["The weekly restore test"])
    assert len(set(evidence.glob("*.html")) - before) == 1


@contextlib.contextmanager
def another_host(world: World) -> Iterator[None]:
    """C: is a new one, as bootstrap leaves it, with the old D: attached."""
    lost = world.drive_c / "lost"
    lost.mkdir()
    for name in ("wst", "wst-control", "wst-backups"):
        (world.drive_c / name).rename(lost / name)
    for directory in (world.control, world.control / "scratch", world.local):
        directory.mkdir(mode=0o700)
    (world.control / "runtime").symlink_to(lost / "wst-control" / "runtime")
    for name in ("db.key", "restore.key", "azure-roots.pem"):
        shutil.copy2(lost / "wst-control" / name, world.control / name)
    world.sources["wst"].parent.mkdir()
    yield


@pytest.mark.either_lane
def test_a_lost_host(desk: Desk, site: World) -> None:
    """The last test of this file: the old C: does not come back."""
    good, known = trees(site), site.artifacts(site.mirror)
    with another_host(site):
        desk.follow(PAGES["A lost host"])
        assert trees(site) == good
        assert len(site.counting()) == 1
        assert set(known) < set(site.artifacts(site.mirror))


@pytest.mark.either_lane
def test_a_lost_host_of_which_one_zip_is_left(desk: Desk, site: World) -> None:
    """And this is the host of the test before."""
    page, good = PAGES["A lost host"], trees(site)
    somewhere = site.drive_c / "somewhere"
    somewhere.mkdir()
    zip_file = somewhere / "wst-backup-20261123-150000.zip"
    shutil.copyfile(site.local / f"{site.counting()[-1]}.zip", zip_file)
    for tree in site.sources.values():
        shutil.rmtree(tree)
    desk.words["restore_layer: mirror"] = f"restore_path: {zip_file}"
    desk.follow(page, since="# what.yml", until="wst.backup.backup")
    assert trees(site) == good
