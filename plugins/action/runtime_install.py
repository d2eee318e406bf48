# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action ``runtime_install``: the one operation that works on a Windows host without Python."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Optional

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.wst.backup.plugins.plugin_utils import _connection, _powershell, _runtime
from ansible_collections.wst.backup.plugins.plugin_utils._errors import PackageMissing, SettingInvalid, TransportError
from ansible_collections.wst.backup.plugins.plugin_utils._settings import read_settings


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no type hints to give
    """See the module's documentation. Every request is short, can be repeated, and leaves a usable host."""

    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        """What is on the host afterwards, and what was changed."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        self._name = str((task_vars or {}).get("inventory_hostname"))
        arguments = self.validate_argument_spec(argument_spec=_runtime.ARGUMENTS)[1]
        if not _connection.is_windows(self._connection):
            return {**result, "changed": False, "platform": "posix", "installed": [], "directories": {}}
        try:
            return {**result, **self._install(arguments, task_vars or {})}
        except TransportError as error:
            return {**result, **error.as_result()}

    def _install(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        settings = read_settings(task_vars, self._templar.template, windows=True, root=arguments["root"])
        become = bool(self._connection.become) or bool(self._play_context.become)
        _connection.check_windows(self._connection, become=become, accept_unproven=settings.accept_unproven)
        components = arguments["components"]
        _runtime.check_components(components)
        self._base = {
            "root": arguments["root"],
            "operator": arguments["operator"],
            "directories": self._directories(arguments),
            "components": [{"name": each["name"], "check": each["check"]} for each in components],
        }
        before = self._status()
        missing = _runtime.outdated(components, before)
        changed = bool(before.unprotected or missing)
        packages = {
            part["sha256"]: self._package(part) for each, _digest in missing for part in each["parts"] if part["source"]
        }
        if changed and not self._task.check_mode:
            self._ask({"do": "protect"})
            for component, digest in missing:
                self._install_component(component, digest, packages)
        return self._result(before, missing, changed=changed)

    def _directories(self, arguments: Mapping[str, Any]) -> list[str]:
        root = arguments["root"].rstrip("\\/")
        return list(dict.fromkeys([root, root + "\\runtime", *arguments["directories"]]))

    def _result(
        self, before: _runtime.Status, missing: list[tuple[Mapping[str, Any], str]], *, changed: bool
    ) -> dict[str, Any]:
        names = [component["name"] for component, _digest in missing]
        after = before if self._task.check_mode or not changed else self._status()
        planted = {path: state for path, state in before.directories.items() if state.startswith("open ")}
        warnings = [
            f"{path} stood open to others with {state.split()[1]} entries in it: see that nobody planted any of them"
            for path, state in planted.items()
            if state != "open 0"
        ]
        result = {
            "changed": changed,
            "platform": "windows",
            "powershell": before.powershell,
            "identity": before.identity,
            "operator_sid": before.operator,
            "installed": names,
            "directories": after.directories,
        }
        if self._task.diff:
            result["diff"] = [
                {"before": _listing(before, {}), "after": _listing(before, dict.fromkeys(names, "as pinned"))}
            ]
        if warnings:
            result["warnings"] = warnings
        return result

    def _package(self, part: Mapping[str, Any]) -> Optional[Path]:
        """The package on the control node, checked; None for one that the host gets by itself."""
        if part["location"] != "control":
            return None
        try:
            path = Path(self._find_needle("files", part["source"]))
        except AnsibleError as error:
            raise PackageMissing(f"There is no file {part['source']} on the control node.") from error
        _runtime.check_package(path, part["sha256"])
        return path

    def _install_component(
        self, component: Mapping[str, Any], digest: str, packages: Mapping[str, Optional[Path]]
    ) -> None:
        name = component["name"]
        for part in component["parts"]:
            if part["source"]:
                self._bring(part, packages[part["sha256"]], name=name)
        self._display.display(f"  [{self._host()}] {name}: unpacking")
        self._ask(
            {
                "do": "install",
                "name": name,
                "check": component["check"].replace("/", "\\"),
                "digest": digest,
                "nonce": secrets.token_hex(4),
                "parts": _runtime.request_parts(component),
            }
        )

    def _bring(self, part: Mapping[str, Any], package: Optional[Path], *, name: str) -> None:
        sha256 = part["sha256"].lower()
        if part["location"] == "url":
            if not part["source"].startswith(("https://", "http://")):
                raise SettingInvalid(f"runtime_components: {part['source']} is no URL.")
            self._ask({"do": "download", "sha256": sha256, "url": part["source"]})
        elif package is None:
            self._ask({"do": "copy", "sha256": sha256, "path": part["source"]})
        else:
            size = package.stat().st_size
            for offset, last, chunks in _runtime.pieces(package, size, line=_powershell.LINE):
                self._ask({"do": "upload", "sha256": sha256, "offset": offset, "last": last}, chunks)
                done = min(offset + _runtime.PIECE, size)
                self._display.display(f"  [{self._host()}] {name}: {package.name} {done:,} of {size:,} bytes")

    def _host(self) -> str:
        return str(self._task.delegate_to or self._name)

    def _status(self) -> _runtime.Status:
        return _runtime.read_status(self._ask({"do": "status"}))

    def _ask(self, request: Mapping[str, Any], chunks: Iterable[bytes] = ()) -> list[tuple[str, str]]:
        text = _powershell.script_text({**self._base, **request})
        outcome = self._low_level_execute_command(
            _powershell.command(text), sudoable=False, in_data=_powershell.standard_input(text, chunks)
        )
        return _powershell.answer(outcome, what="the bootstrap")


def _listing(status: _runtime.Status, replaced: Mapping[str, str]) -> str:
    lines = [f"{path}: {'protected' if replaced else state}" for path, state in status.directories.items()]
    for name, digest in status.components.items():
        lines.append(f"{name}: {replaced.get(name) or ('as pinned' if digest else 'absent or outdated')}")
    return "\n".join(lines) + "\n"
