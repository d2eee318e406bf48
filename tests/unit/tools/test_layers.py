# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each rule of the architecture is broken once on purpose, and found."""

from __future__ import annotations

import ast

import pytest
from tools.layers import Source, check

LICENCE = "# SPDX-License-Identifier: GPL-3.0-or-later\n"
UTILS = "ansible_collections.wst.backup.plugins.module_utils"
CONTROL = "ansible_collections.wst.backup.plugins.plugin_utils"


def source(path: str, code: str) -> Source:
    text = code if path.endswith("__init__.py") else LICENCE + code
    return Source(path, text, ast.parse(text))


@pytest.mark.parametrize(
    ("path", "code", "reason"),
    [
        ("plugins/module_utils/_fs.py", f"from {CONTROL} import _errors", "code of the control node"),
        ("plugins/modules/pg_dump.py", f"import {CONTROL}._payload", "code of the control node"),
        ("plugins/plugin_utils/_payload.py", f"from {UTILS} import _errors", "code of the host"),
        ("plugins/action/pg_dump.py", f"from {UTILS}._errors import BackupError", "code of the host"),
        ("plugins/module_utils/_fs.py", "import msvcrt", "only _platform knows"),
        ("plugins/module_utils/_fs.py", "def f():\n    import ctypes", "only _platform knows"),
        ("plugins/module_utils/_fs.py", "import os\nx = os.name", "only _platform knows"),
        ("plugins/modules/pg_dump.py", "import sys\nx = sys.platform", "only _platform knows"),
        ("plugins/module_utils/_platform/api.py", "import platform", "crashes"),
        ("plugins/module_utils/_fs.py", f"from {UTILS}._pg import dump", "foundations import no concern"),
        (
            "plugins/module_utils/_pg/dump.py",
            "from ansible_collections.wst.backup.plugins.modules import pg_dump",
            "upwards",
        ),
        ("plugins/module_utils/_pg/dump.py", "import psycopg", "only inside functions of _pg"),
        ("plugins/module_utils/_archive/walk.py", "def f():\n    import psycopg", "only inside functions of _pg"),
        ("plugins/module_utils/_fs.py", "import yaml", "not in the standard library"),
        ("plugins/module_utils/_fs.py", "from ansible.errors import AnsibleError", "only ansible.module_utils"),
        ("plugins/modules/pg_dump.py", "def f(module):\n    module.run_command([])", "does not work on Windows"),
        ("plugins/module_utils/_fs.py", "import subprocess\nsubprocess.run('x', shell=True)", "argv lists"),
        ("plugins/module_utils/_pg/__init__.py", "x = 1", "stay empty"),
    ],
)
def test_a_broken_rule_is_found(path: str, code: str, reason: str) -> None:
    problems = check([source(path, code)])
    assert len(problems) == 1, problems
    assert reason in problems[0]
    assert problems[0].startswith(path)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("plugins/module_utils/_platform/_windows.py", "import ctypes, msvcrt, os\nx = os.name"),
        ("plugins/plugin_utils/_control_log.py", "import fcntl"),
        ("plugins/module_utils/_pg/session.py", "def f():\n    import psycopg"),
        (
            "plugins/module_utils/_pg/session.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import psycopg",
        ),
        (
            "plugins/modules/pg_dump.py",
            f"from ansible.module_utils.basic import AnsibleModule\nfrom {UTILS} import _edge",
        ),
        ("plugins/action/pg_dump.py", f"from {CONTROL}._host_python import HostPythonAction"),
        ("plugins/module_utils/_pg/__init__.py", ""),
        ("plugins/module_utils/_fs.py", "class A:\n    name = 1\n    def f(self):\n        return self.name"),
    ],
)
def test_what_is_allowed_is_no_problem(path: str, code: str) -> None:
    assert check([source(path, code)]) == []


def test_a_file_without_its_licence_is_found() -> None:
    assert check([Source("plugins/module_utils/_x.py", "", ast.parse(""))])


def test_circular_imports_are_found_once() -> None:
    problems = check(
        [
            source("plugins/module_utils/_a.py", f"from {UTILS} import _b"),
            source("plugins/module_utils/_b.py", f"from {UTILS}._c import thing"),
            source("plugins/module_utils/_c.py", f"import {UTILS}._a"),
            source("plugins/module_utils/_d.py", f"from {UTILS} import _a"),
        ]
    )
    assert len(problems) == 1
    assert "circular" in problems[0]


def test_relative_imports_are_seen_through() -> None:
    problems = check([source("plugins/module_utils/_fs.py", "from ..plugin_utils import _errors")])
    assert len(problems) == 1
    assert "control node" in problems[0]
