# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeping the fleet's verdict on the control node, and what is known of each host for when it cannot be reached.

Below ``wst_backup_control_dir``: ``fleet/compliance.json``, ``.html`` and ``.prom``, and ``compliance.json`` in the
directory of each host. A play with ``--limit`` leaves ``fleet/limited.json`` and ``.html`` instead: the fleet's own
files must not lose the hosts that it left out, and an alert that has no sample any more does not fire.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Optional

from ansible_collections.wst.backup.plugins.plugin_utils._control_log import host_directory, make_host_directory
from ansible_collections.wst.backup.plugins.plugin_utils._fleet_metrics import metrics
from ansible_collections.wst.backup.plugins.plugin_utils._newfile import write_text
from ansible_collections.wst.backup.plugins.plugin_utils._report_page import page

NAME = "compliance.json"


def last_known(control_dir: str, hosts: Iterable[str]) -> dict[str, Any]:
    """What was last known of each host, for those of which anything is. Raises OSError."""
    found = {host: _read(host_directory(control_dir, host) / NAME) for host in hosts}
    return {host: part for host, part in found.items() if part is not None}


def evidence_pages(control_dir: str, host: str) -> dict[str, str]:
    """The pages of the host's drills, relative to ``fleet``, by the end of their run's id. Raises OSError."""
    directory = host_directory(control_dir, host)
    found = sorted((directory / "drills").glob("drill-*-*-*.html")) if (directory / "drills").is_dir() else []
    return {path.stem.rpartition("-")[2]: f"../hosts/{directory.name}/drills/{path.name}" for path in found}


def keep(control_dir: str, document: Mapping[str, Any], *, metrics_file: Optional[str]) -> dict[str, str]:
    """Write the fleet's files, and what is known of each host that was judged.

    :param metrics_file: where Prometheus' node exporter looks, besides; everybody may read it.
    :returns: the paths as ``json``, ``html`` and, of a whole fleet, ``metrics``.
    :raises OSError: the control node cannot write.
    """
    for host in document["hosts"]:
        if host["reached"] and not host["error"]:
            write_text(make_host_directory(control_dir, host["name"]) / NAME, _json(host))
    directory = Path(control_dir).expanduser() / "fleet"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = "limited" if document["limit"] else "compliance"
    paths = {
        "json": write_text(directory / f"{name}.json", _json(document)),
        "html": write_text(directory / f"{name}.html", page(document)),
    }
    if not document["limit"]:
        text = metrics(document)
        paths["metrics"] = write_text(directory / "compliance.prom", text)
        if metrics_file:
            paths["metrics"] = write_text(Path(metrics_file).expanduser(), text, mode=0o644)
    return {kind: str(path) for kind, path in paths.items()}


def _json(document: Mapping[str, Any]) -> str:
    """On one line: with an indent, a year of 100 hosts takes eight seconds instead of one."""
    return json.dumps(document, sort_keys=True) + "\n"


def _read(path: Path) -> Optional[dict[str, Any]]:
    """A file that is no document of ours says nothing: the next good evaluation replaces it."""
    try:
        part = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return part if isinstance(part, dict) else None
