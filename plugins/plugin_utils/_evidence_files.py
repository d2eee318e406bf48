# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeping evidence on the control node: one JSON document and one page for each drill of a host.

Besides, one line for each drill in ``verification.jsonl``, which is only added to: the weekly verification log. A
drill that died wrote none; who learns of it from the host later does.

They stand in ``hosts/<inventory name>/drills`` below ``wst_backup_control_dir``, named after the moment that the drill
ended. What is older than the doctrine's 400 days goes when a new one comes, and nothing else does.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from ansible_collections.wst.backup.plugins.plugin_utils._control_log import (
    host_directory,
    make_host_directory,
    record,
)
from ansible_collections.wst.backup.plugins.plugin_utils._evidence_page import page
from ansible_collections.wst.backup.plugins.plugin_utils._newfile import write_text

VERIFICATION_LOG = "verification.jsonl"
DIED = {"result": "failure", "code": "interrupted"}  # as ``_compliance`` calls it on the host
KEEP = timedelta(days=400)  # canonical 026, logging
_NAME = re.compile(r"drill-(\d{8}-\d{6})(?:-[0-9a-f]{8})?\.(?:json|html)", re.ASCII)
_STAMP = "%Y%m%d-%H%M%S"


def keep(control_dir: str, host: str, document: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """Write both files, and remove what is too old.

    :param now: UTC.
    :returns: the paths as ``json`` and ``html``, and ``removed``.
    :raises OSError: the control node cannot write.
    """
    directory = make_host_directory(control_dir, host) / "drills"
    directory.mkdir(mode=0o700, exist_ok=True)
    stem = "drill-" + now.strftime(_STAMP)
    suffix = str(document.get("run_id") or "").rpartition("-")[2]
    stem += f"-{suffix}" if suffix else ""
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    paths = {kind: directory / f"{stem}.{kind}" for kind in ("json", "html")}
    try:
        write_text(paths["json"], text)
        write_text(paths["html"], page(document))
        log = record(control_dir, host, _line(document, paths["json"].name), file=VERIFICATION_LOG)
    except OSError:
        for path in paths.values():  # a page that says success must not outlive a drill whose evidence was lost
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        raise
    written = {kind: str(path) for kind, path in paths.items()}
    return {**written, "log": str(log), "removed": _remove_old(directory, now)}


def add_missing(control_dir: str, host: str, drills: Iterable[Mapping[str, Any]]) -> list[str]:
    """A line for each drill that has none here yet: it died, or its evidence was lost.

    :param drills: as the host tells of them, each with ``run_id``, ``result`` and ``code``, and whatever else is known.
    :returns: the ids of those that were added.
    :raises OSError: the control node cannot write, or cannot read the lines that are there.
    """
    known = _known(host_directory(control_dir, host) / VERIFICATION_LOG)
    missing = [drill for drill in drills if drill.get("run_id") and drill["run_id"] not in known]
    for drill in missing:
        rto = drill.get("rto_seconds")
        told = {
            name: drill.get(name) for name in ("run_id", "result", "code", "rpo_seconds", "artifact", "layer", "at")
        }
        entry = {**told, "rto_seconds": None if rto is None else {"total": rto}, "evidence": None}
        record(control_dir, host, entry, file=VERIFICATION_LOG)
    return [str(drill["run_id"]) for drill in missing]


def _known(path: Path) -> set[str]:
    """The runs that have a line. A line that was torn names none."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return set()
    found = set()
    for line in lines:
        try:
            found.add(str(json.loads(line)["run_id"]))
        except (ValueError, KeyError, TypeError):
            continue
    return found


def _line(document: Mapping[str, Any], evidence: str) -> dict[str, Any]:
    """A drill in one line of the verification log."""
    chosen = document.get("set") or {}
    told = {name: document.get(name) for name in ("run_id", "result", "code", "rpo_seconds", "rto_seconds")}
    return {**told, "artifact": chosen.get("artifact"), "layer": chosen.get("layer"), "evidence": evidence}


def _remove_old(directory: Path, now: datetime) -> list[str]:
    removed = []
    for path in sorted(directory.iterdir()):
        match = _NAME.fullmatch(path.name)
        if match is None:
            continue
        try:
            made = datetime.strptime(match[1], _STAMP).replace(tzinfo=timezone.utc)
        except ValueError:
            continue
        if now - made > KEEP:
            path.unlink()
            removed.append(path.name)
    return removed
