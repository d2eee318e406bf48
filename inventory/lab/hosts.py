#!/usr/bin/env python3
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory of the lab that is up, from its record ``$WST_LAB_DIR/lab.json`` (default ``.lab`` in the repository)."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
GROUP = "wst"


def main() -> int:
    """Print the inventory as Ansible's ``script`` plugin wants it."""
    state = Path(os.environ.get("WST_LAB_DIR") or REPOSITORY / ".lab")
    try:
        record = json.loads((state / "lab.json").read_text(encoding="utf-8"))
    except OSError as error:
        print(f"no lab is up in {state}: {error}", file=sys.stderr)
        return 1
    own = {"wst_backup_control_dir": str(state.absolute() / "control-node")}  # goes when the lab goes
    hosts = {entry["name"]: {**own, **variables(entry, record)} for entry in record["hosts"]}
    print(json.dumps({GROUP: {"hosts": sorted(hosts)}, "_meta": {"hostvars": hosts}}, indent=1, sort_keys=True))
    return 0


def variables(entry: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:
    """What Ansible must know about one host."""
    connection = winrm(entry, record) if entry["connection"] == "winrm" else local(record)
    return {**connection, **backup(entry, record)}


def winrm(entry: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:
    """The stock ``winrm`` connection, over TLS by the lab's own authority."""
    return {
        "ansible_host": entry["address"],
        "ansible_port": entry["https_port"],
        "ansible_connection": "winrm",
        "ansible_winrm_scheme": "https",
        "ansible_winrm_transport": "basic",
        "ansible_winrm_ca_trust_path": record["ca"],
        "ansible_user": entry["user"],
        "ansible_password": Path(entry["password_file"]).read_text(encoding="ascii"),
    }


def local(record: dict[str, Any]) -> dict[str, Any]:
    """The POSIX lane: this machine, with the Python that the lab runs on."""
    return {"ansible_connection": "local", "ansible_python_interpreter": record["control_python"]}


def backup(entry: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:
    """What the roles take, in the host's own syntax."""
    paths, server = entry["paths"], record["postgres"]
    windows = entry["connection"] == "winrm"
    # Under wine libpq finds no certificate file by its name, whichever of the packages it comes from; OpenSSL does,
    # through SSL_CERT_FILE. "system" means OpenSSL's built-in paths, never the Windows certificate store: a real host
    # names a PEM file, or sets SSL_CERT_FILE just as here.
    tls = {"sslmode": "verify-full", "sslrootcert": "system" if windows else paths["ca_file"]}
    at = {"host": server["host"], "port": server["port"]}
    return {
        "wst_backup_python": paths["python"],
        "wst_backup_root": paths["root"],
        "backup_sources": [{"name": "wst", "path": paths["web"]}, {"name": "wst-api", "path": paths["api"]}],
        "backup_database": {**at, "name": server["database"], "user": server["user"], **tls},
        # Who restores, for: -e restore_database='{{ lab_restore_database }}'
        "lab_restore_database": {**at, "name": server["database"], "user": server["restore_user"], **tls},
        # PostgreSQL's server does not run under wine, so that drills there restore to the lab's own.
        "restore_test_server": {**at, "name": "postgres", "user": server["restore_user"], **tls} if windows else {},
        "backup_environment": {"SSL_CERT_FILE": paths["ca_file"]} if windows else {},
        "backup_key_file": paths["key_file"],
        "backup_tools_dir": paths["tools_dir"],
        "backup_local_dir": paths["local_dir"],
        "backup_mirror_dir": paths["mirror_dir"],
        "backup_mirror_volume_id": volume_id(entry, windows=windows),
        # Both drives of a lab are directories of one disk, and wine tells little about either.
        "backup_mirror_allow_same_disk": True,
        "backup_mirror_accept_unknown": ["compressed", "disk", "filesystem", "kind", "label", "read_only"],
        **tokens(record),
    }


def tokens(record: dict[str, Any]) -> dict[str, str]:
    """The tokens of authority, as a vault would give them. To do something with L5's: -e
    wst_backup_authority_token='{{ lab_l5_token }}'."""
    files = record["token_files"]
    return {f"lab_{level.lower()}_token": Path(file).read_text(encoding="ascii") for level, file in files.items()}


def volume_id(entry: dict[str, Any], *, windows: bool) -> str:
    """What an operator copies from mirror_init.yml: wine's name of D:, or the device of the directory."""
    if windows:
        return "\\\\?\\Volume{00000000-0000-0000-0000-000000000044}\\"
    status = os.stat(entry["drive_d"])
    return f"{os.major(status.st_dev)}:{os.minor(status.st_dev)}"


if __name__ == "__main__":
    sys.exit(main())
