# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Seeding: a WST that looks like one, made once and found again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .. import lab
from ..config import LabPaths
from ..drives import on_this_machine
from ..postgres import BACKUP_ROLE, DATABASE
from . import database, files

VERSION = 1


def run(paths: LabPaths, *, scale: float) -> dict[str, Any]:
    """Fill every host's sources and the database; what is there already in this version and scale stays."""
    record = lab.read_record(paths)
    facts: dict[str, Any] = {}
    for number, entry in enumerate(record["hosts"], start=1):
        host = paths.host(number)
        facts[entry["name"]] = _files(
            host.run / "seeded.json",
            scale=scale,
            web=on_this_machine(host, entry["paths"]["web"]),
            api=on_this_machine(host, entry["paths"]["api"]),
        )
    server = lab.server_of(paths)
    with server.connect(DATABASE, user=BACKUP_ROLE, password=lab.secret(paths, "database")) as connection:
        facts["database"] = database.fill(connection, version=VERSION, scale=scale)
    return facts


def _files(noted: Path, *, scale: float, web: Path, api: Path) -> dict[str, Any]:
    wanted = {"version": VERSION, "scale": scale}
    if noted.is_file() and web.is_dir() and api.is_dir():
        facts: dict[str, Any] = json.loads(noted.read_text(encoding="ascii"))
        if {name: facts.get(name) for name in wanted} == wanted:
            return facts
    facts = {**wanted, **files.fill(web=web, api=api, scale=scale)}
    noted.parent.mkdir(parents=True, exist_ok=True)
    noted.write_text(json.dumps(facts), encoding="ascii")
    return facts
