# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab as the tests see it: playbooks are run on it from outside, and what they did is read from its disks."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
AS_L5 = {"wst_backup_authority_token": "{{ lab_l5_token }}"}  # a template: the token itself is in no argument list
AS_L6 = {"wst_backup_authority_token": "{{ lab_l6_token }}"}
PACKED = tempfile.TemporaryDirectory(prefix="wst-packed-")  # of this session; see quick/sitecustomize.py
SHARING = {"PYTHONPATH": str(ROOT / "tests" / "integration" / "quick"), "WST_TEST_PACKED_MODULES": PACKED.name}
RUN_TIMEOUT = 600  # seconds; a bound on a hang, not a measure


@dataclass(frozen=True)
class Played:
    """What a run of ansible-playbook came to."""

    code: int
    output: str

    def failed_with(self, code: str) -> bool:
        """The failure's code is on the screen, and Ansible says that a host failed."""
        return self.code == 2 and f"{code}:" in self.output

    def says(self, text: str) -> bool:
        """Whether that is on the screen, wherever its lines are broken."""
        return "".join(text.split()) in "".join(self.output.split())


@dataclass(frozen=True)
class World:
    """One lab with its first host."""

    state: Path
    record: Mapping[str, Any]

    @property
    def host(self) -> Mapping[str, Any]:
        """The host's entry in the lab's record."""
        entry: Mapping[str, Any] = self.record["hosts"][0]
        return entry

    @property
    def windows(self) -> bool:
        """Whether the host is a Windows stand-in; else it is this machine."""
        return bool(self.record["lane"] == "wine")

    @property
    def drive_c(self) -> Path:
        """C: of the host."""
        return Path(self.host["drive_c"])

    @property
    def local(self) -> Path:
        """The local layer."""
        return self.drive_c / "wst-backups"

    @property
    def mirror(self) -> Path:
        """The mirror layer."""
        return Path(self.host["drive_d"]) / "wst-backups"

    @property
    def control(self) -> Path:
        """The host's own directory."""
        return self.drive_c / "wst-control"

    @property
    def sources(self) -> dict[str, Path]:
        """The source trees by their names in the artifact."""
        return {"wst": self.drive_c / "wst" / "wst", "wst-api": self.drive_c / "wst" / "wst-api"}

    @property
    def records(self) -> Path:
        """The control node's own records."""
        return self.state / "control-node"

    # --- acting

    def play(
        self,
        playbook: str,
        *arguments: str,
        extra: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Played:
        """Run a playbook as an operator does.

        :param extra: extra variables.
        :param environment: of the operator's shell, where it is another one.
        """
        variables = {"wst_backup_control_dir": str(self.records), **(extra or {})}
        command = [
            str(BIN / "ansible-playbook"),
            playbook if "." in playbook and not playbook.endswith(".yml") else str(Path("playbooks") / playbook),
            "-i",
            "inventory/lab",
            "-e",
            json.dumps(variables),
            *arguments,
        ]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**self.environment(), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=RUN_TIMEOUT,
            check=False,
        )
        return Played(code=done.returncode, output=done.stdout.decode("utf-8", "replace"))

    def environment(self) -> dict[str, str]:
        """The environment of an operator's shell."""
        lab = {"WST_LAB_DIR": str(self.state), "ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORCE_COLOR": "0"}
        return {**os.environ, **lab, **SHARING}

    def lab(self, *arguments: str) -> str:
        """Run the lab's own command."""
        done = subprocess.run(
            [sys.executable, "-m", "wstlab", *arguments],
            cwd=ROOT,
            env={**self.environment(), "PYTHONPATH": str(ROOT / "tests" / "lab")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=RUN_TIMEOUT,
        )
        return done.stdout.decode()

    def variables(self) -> dict[str, Any]:
        """The host's variables in the lab's inventory."""
        done = subprocess.run(
            ["inventory/lab/hosts.py", "--list"], cwd=ROOT, env=self.environment(), check=True, capture_output=True
        )
        found: dict[str, Any] = json.loads(done.stdout)["_meta"]["hostvars"][self.host["name"]]
        return found

    @contextlib.contextmanager
    def fault(self, name: str, value: float = 1) -> Iterator[None]:
        """A fault of the lab's, for as long as it is needed."""
        self.lab("fault", name, str(value))
        try:
            yield
        finally:
            self.lab("fault", "clear")

    def connect(self, database: str | None = None) -> psycopg.Connection[Any]:
        """A superuser's session on the lab's server."""
        server = self.record["postgres"]
        return psycopg.connect(
            host=server["host"],
            port=server["port"],
            dbname=database or server["database"],
            user=server["superuser"],
            password=Path(server["superuser_password_file"]).read_text().strip(),
            sslmode="verify-full",
            sslrootcert=server["ca"],
            autocommit=True,
        )

    def as_application(self) -> psycopg.Connection[Any]:
        """A session of the role that owns the database, with the password that it always had."""
        server = self.record["postgres"]
        return psycopg.connect(
            host=server["host"],
            port=server["port"],
            dbname=server["database"],
            user=server["user"],
            password=Path(server["password_file"]).read_text().strip(),
            sslmode="verify-full",
            sslrootcert=server["ca"],
            autocommit=True,
        )

    def psql(self, database: str) -> list[str]:
        """The server's own psql, as the superuser."""
        server = self.record["postgres"]
        program = Path(server["bin"]) / "psql"
        return [str(program), "-h", server["host"], "-p", str(server["port"]), "-U", server["superuser"], database]

    def libpq_environment(self) -> dict[str, str]:
        """The environment for ``psql``."""
        server = self.record["postgres"]
        password = Path(server["superuser_password_file"]).read_text().strip()
        return {
            "PGPASSWORD": password,
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": server["ca"],
            "PATH": "/usr/bin:/bin",
        }

    # --- reading

    def artifacts(self, layer: Path | None = None) -> list[str]:
        """The stems of the complete sets on a layer, oldest first."""
        return sorted(
            path.name.removesuffix(".manifest.json") for path in (layer or self.local).glob("*.manifest.json")
        )

    def counting(self) -> list[str]:
        """Those of the local layer that are neither suspect nor made for safety."""
        bodies = {
            stem: json.loads((self.local / f"{stem}.manifest.json").read_text())["body"] for stem in self.artifacts()
        }
        return [stem for stem, body in bodies.items() if not body.get("suspect") and not body.get("safety")]

    def audit(self) -> list[dict[str, Any]]:
        """The records of the host's audit log; of all its segments, where there are several."""
        segments = sorted((self.control / "audit").glob("audit*.jsonl"), key=lambda path: (len(path.name), path.name))
        return [json.loads(line) for path in segments for line in path.read_text().splitlines()]

    def layers(self) -> dict[str, str]:
        """Every file on both layers, by its digest."""
        return {**digests(self.local), **digests(self.mirror)}


def digests(directory: Path) -> dict[str, str]:
    """SHA-256 of every file below a directory, by its path."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }
