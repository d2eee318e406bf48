# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planted credentials are found, stand-ins are not, and no finding repeats the value."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.credentials import scan_file, scan_line

# Put together here, so that this file does not hold what the scan looks for.
KEY = "-----BEGIN " + "RSA PRIVATE KEY-----"
AZURE = "AccountKey" + "=" + "a" * 86 + "=="
URL = "postgres" + "://backup:" + "hunter2" + "@db.example.com/wst"


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("inventory/example/hosts.yml", "ansible_password: hunter2"),
        ("inventory/example/hosts.yml", 'ansible_password: "hunter2"'),
        ("inventory/lab", "ansible_password=hunter2"),
        ("playbooks/x.yml", "    login_password: hunter2  # old"),
        ("plugins/module_utils/_pg/x.py", 'connect(password="hunter2")'),
        ("plugins/module_utils/_pg/x.py", "PGPASSWORD = 'hunter2'"),
        ("plugins/modules/x.py", '{"api_key": "abcdef"}'),
        ("docs/runbook.md", "set `password: 'hunter2'`"),
        ("tests/lab/wstlab/x.py", 'secret = "hunter2"'),
        ("README.md", KEY),
        ("tests/unit/x.py", KEY),
        ("tests/unit/x.py", AZURE),
        ("docs/x.md", URL),
    ],
)
def test_a_planted_credential_is_found(path: str, line: str) -> None:
    findings = list(scan_line(line, path=path))
    assert len(findings) == 1
    assert "hunter2" not in findings[0]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("inventory/example/hosts.yml", "ansible_password: '{{ vault_ansible_password }}'"),
        ("inventory/example/hosts.yml", "ansible_password: !vault |"),
        ("inventory/example/hosts.yml", "vault_ansible_password: <the operator's password>"),
        ("roles/backup/meta/argument_specs.yml", "      no_log_password: true"),
        ("roles/backup/meta/argument_specs.yml", "      backup_token:"),
        ("roles/backup/defaults/main.yml", "backup_key_secret: ''"),
        ("roles/backup/defaults/main.yml", "key_password: C:\\wst-control\\db.key"),
        ("plugins/module_utils/_pg/x.py", "connect(password=password)"),
        ("plugins/module_utils/_pg/x.py", 'SECRET = "secret"'),
        ("plugins/module_utils/_pg/x.py", "def f(password: str) -> None:"),
        ("plugins/module_utils/_pg/x.py", 'environment["PGPASSWORD"] = read_key(path)'),
        ("tests/unit/x.py", 'connect(password="hunter2")'),
        ("tests/unit/x.py", URL),
        ("README.md", "The password never leaves the host: modules read it there."),
        ("docs/x.md", "postgres://backup@db.example.com/wst"),
    ],
)
def test_what_stands_for_a_secret_is_no_finding(path: str, line: str) -> None:
    assert list(scan_line(line, path=path)) == []


def test_a_marked_line_is_passed_over_with_its_reason_only(tmp_path: Path) -> None:
    file = tmp_path / "x.yml"
    file.write_text(
        "password: abc  # not-a-secret: format of the page\npassword: abc  # not-a-secret:\n", encoding="utf-8"
    )
    assert list(scan_file(tmp_path, Path("x.yml"))) == ["x.yml:2: literal value for password"]
