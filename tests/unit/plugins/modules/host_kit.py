# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module in this process, as Ansible would start it on the host: JSON in, JSON out."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import types
from pathlib import Path
from typing import Any, Dict, Optional

import pytest
from ansible.module_utils import basic
from ansible.module_utils.common import warnings

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._authority.check import CARRIED
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.runlock import RunLock

PACKAGE = "ansible_collections.wst.backup.plugins.modules."


class Host:
    """A host root, and modules that run on it."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = str(root / "control")
        self.local = str(root / "c")
        self.mirror = str(root / "d")
        for path in (self.root, self.local, self.mirror):
            os.mkdir(path, 0o700)
        self.layout = HostLayout(self.root)
        self._secrets: Dict[str, str] = {}
        self.checker: Optional[str] = None  # the text of the independent check, if the control node sends it
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def begin(self, run_id: str) -> None:
        """Be in that run, with its lease."""
        self.begin_without_lease(run_id)
        RunLock(self.layout).acquire(run_id, purpose="test")
        os.makedirs(self.layout.workspace(run_id), exist_ok=True)

    def begin_without_lease(self, run_id: str) -> None:
        """Be in that run, whoever has the host."""
        context: Any = types.ModuleType(_context.CONTEXT_MODULE)
        context.DATA = {"run_id": run_id, "secrets": self._secrets, "checker": self.checker}
        self._monkeypatch.setitem(sys.modules, _context.CONTEXT_MODULE, context)

    def carry(self, token: Optional[str] = None, **secrets: str) -> None:
        """From now on the control node sends this token of authority and these secrets, and no others."""
        self._secrets.clear()
        self._secrets.update({CARRIED: token} if token else {}, **secrets)

    def end(self, run_id: str) -> None:
        """Give the lease back."""
        lock = RunLock(self.layout)
        lease = lock.read()
        assert lease is not None
        assert lease.run_id == run_id
        os.unlink(lock.lease_file)
        self._monkeypatch.delitem(sys.modules, _context.CONTEXT_MODULE)

    def layers(self) -> list[Dict[str, str]]:
        """The parameter of that name."""
        return [{"name": "local", "path": self.local}, {"name": "mirror", "path": self.mirror}]

    def run(self, name: str, *, check: bool = False, diff: bool = False, **params: Any) -> Dict[str, Any]:
        """The module's result; a failure is a result with ``failed``. A parameter that is None is not given."""
        given = {name: value for name, value in {"root": self.root, **params}.items() if value is not None}
        arguments = {**given, "_ansible_check_mode": check, "_ansible_diff": diff}
        self._monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())
        self._monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
        self._be_a_module_of_its_own()
        self._capsys.readouterr()
        with pytest.raises(SystemExit):
            importlib.import_module(PACKAGE + name).main()
        result: Dict[str, Any] = json.loads(self._capsys.readouterr().out)
        return result

    def _be_a_module_of_its_own(self) -> None:
        """No warnings of modules before, and from ansible-core 2.19 on they go into the result, not to a display."""
        warnings._global_warnings.clear()
        if importlib.util.find_spec("ansible.module_utils._internal") is not None:
            self._monkeypatch.setattr("ansible.module_utils._internal.is_controller", False, raising=False)
