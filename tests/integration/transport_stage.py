# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage of the transport's end-to-end tests: ``ansible-playbook`` against the lab, with probe modules."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Optional

import pytest
import yaml
from integration.world import SHARING

from wstlab import control, lab
from wstlab.config import LabError, LabPaths, lab_paths

REPOSITORY = Path(__file__).resolve().parents[2]
COLLECTIONS = [REPOSITORY / ".cache" / "collections", REPOSITORY / "tests" / "integration" / "probe_collections"]
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
PATIENCE = 180.0  # seconds for a playbook, the stalls that tests make included

Task = dict[str, Any]


@dataclass
class Played:
    """A playbook that ran: its exit code, its screen, and the result of each task by its name."""

    code: int
    screen: str
    results: dict[str, Any]

    def __getitem__(self, name: str) -> dict[str, Any]:
        assert name in self.results, self.screen
        found: dict[str, Any] = self.results[name]
        return found


@dataclass
class Playing:
    """A playbook that runs."""

    process: subprocess.Popen[str]
    results: Path

    def end(self) -> Played:
        """Wait for its end."""
        try:
            screen, _ = self.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.terminate()
            raise
        found = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in self.results.glob("*.json")}
        return Played(self.process.returncode, screen, found)


@dataclass
class Stage:
    """One host of the lab, reached as the inventory says or by local connection."""

    scratch: Path
    paths: LabPaths
    record: dict[str, Any]
    connection: str
    variables: dict[str, Any] = field(default_factory=dict)

    @property
    def host(self) -> dict[str, Any]:
        entry: dict[str, Any] = self.record["hosts"][0]
        return entry

    @property
    def windows(self) -> bool:
        return self.connection == "winrm"

    @property
    def root(self) -> Path:
        """The host root as this machine sees it."""
        return Path(self.host["drive_c"]) / "wst-control" if self.windows else self.scratch / "root"

    def witness(self, name: str = "witness") -> tuple[str, Path]:
        """A file that a module writes: its name on the host, and here."""
        file = f"{secrets.token_hex(4)}-{name}"  # never the file of an earlier session
        if self.windows:
            return f"C:\\wst-lab\\{file}", Path(self.host["drive_c"]) / "wst-lab" / file
        return str(self.scratch / file), self.scratch / file

    def start(self, tasks: list[Task], **play: Any) -> Playing:
        """Begin a playbook with these tasks; each needs a name and its result is kept under it."""
        results = self.scratch / f"results-{time.monotonic_ns()}"
        results.mkdir()
        book = self.scratch / "play.yml"
        book.write_text(yaml.safe_dump([self._play(tasks, results, play)], allow_unicode=True), encoding="utf-8")
        argv = [str(PLAYBOOK), "-i", str(self._inventory()), str(book)]
        process = subprocess.Popen(
            argv,
            cwd=self.scratch,
            env=self._environment(),
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        return Playing(process, results)

    def play(self, tasks: list[Task], **play: Any) -> Played:
        """Run a playbook with these tasks to its end."""
        return self.start(tasks, **play).end()

    def fault(self, **switches: object) -> None:
        """Switch faults of the listener on; none: all off."""
        control.ask(self.paths.host(1), *(["set"] if switches else ["clear"]), **switches)

    def restart(self, seconds: float) -> None:
        """Restart the WinRM service; its shells and what runs in them are gone."""
        control.ask(self.paths.host(1), "restart", seconds=seconds)

    def jobs(self, run: str = "adhoc") -> list[Path]:
        """The directories of the jobs of a run, oldest first."""
        return sorted((self.root / "runs" / run).glob("*"), key=lambda path: path.stat().st_mtime)

    def _play(self, tasks: list[Task], results: Path, play: dict[str, Any]) -> dict[str, Any]:
        kept = []
        for number, task in enumerate(tasks):
            if "block" in task:
                kept.append(task)
                continue
            name = task.get("name", f"task{number}")
            keep = {
                "name": f"keep {name}",
                "ansible.builtin.copy": {"content": "{{ it | to_json }}", "dest": f"{results}/{name}.json"},
                "delegate_to": "localhost",
                "environment": {},
                "vars": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable},
            }
            wanted = {"ignore_errors": True, "ignore_unreachable": True, "register": "it", **task, "name": name}
            kept += [wanted, keep]
        return {"hosts": "stage", "gather_facts": False, "tasks": kept, **play}

    def _inventory(self) -> Path:
        entry = self.host
        common = {"wst_backup_control_dir": str(self.scratch / "control")}
        if self.windows:
            common.update(
                ansible_connection="winrm",
                ansible_host=entry["address"],
                ansible_port=entry["https_port"],
                ansible_user=entry["user"],
                ansible_password=Path(entry["password_file"]).read_text(encoding="ascii").strip(),
                ansible_winrm_scheme="https",
                ansible_winrm_transport="basic",
                ansible_winrm_ca_trust_path=self.record["ca"],
                wst_backup_python=entry["paths"]["python"],
                wst_backup_root=entry["paths"]["root"],
            )
        else:
            common.update(
                ansible_connection="local", ansible_python_interpreter=sys.executable, wst_backup_root=str(self.root)
            )
        inventory = {"all": {"children": {"stage": {"hosts": {"stage1": {**common, **self.variables}}}}}}
        file = self.scratch / "inventory.yml"
        file.write_text(yaml.safe_dump(inventory), encoding="utf-8")
        return file

    def _environment(self) -> dict[str, str]:
        config = self.scratch / "ansible.cfg"
        config.write_text("[defaults]\nretry_files_enabled = False\ninternal_poll_interval = 0.01\n", encoding="ascii")
        return {
            **os.environ,
            **SHARING,
            "ANSIBLE_CONFIG": str(config),
            "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(map(str, COLLECTIONS)),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_HOST_KEY_CHECKING": "0",
        }


def wait_until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Return as soon as the condition holds; fail when it does not within the time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def grown(path: Path, lines: int = 1) -> Callable[[], bool]:
    """A condition: the file has so many lines."""
    return lambda: path.exists() and path.read_text(encoding="ascii").count("\n") >= lines


@pytest.fixture(scope="session")
def the_lab() -> Iterator[tuple[LabPaths, dict[str, Any]]]:
    """The lab that is up, or one of our own for as long as the tests last."""
    paths = lab_paths()
    try:
        record: Optional[dict[str, Any]] = lab.read_record(paths)
    except LabError:
        record = None
    if record is not None:
        yield paths, record
        return
    yield paths, lab.up(paths, hosts=1, bare=False)
    lab.down(paths, purge=False)
