# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence pages of drills: one that succeeded, some that did not, one whose every text is hostile."""

from __future__ import annotations

from typing import Any, Optional

from ansible_collections.wst.backup.plugins.plugin_utils._evidence import evidence
from ansible_collections.wst.backup.plugins.plugin_utils._evidence_page import page
from tools.pages.hostile import NASTY

_DIGEST = "6b1f7a0c93d24e5f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f"
_RESULTS: dict[str, Any] = {
    "lock": {"run_id": "20261130-095500-1f2e3d4c"},
    "authority": {"level": "L5"},
    "set": {
        "artifact": "wst-backup-20261130-040000",
        "layer": "mirror",
        "file": r"D:\wst-backups\wst-backup-20261130-040000.zip",
        "size": 5 << 30,
        "sha256": _DIGEST,
        "made_at": "2026-11-30T04:00:00Z",
        "age": 21300,
    },
    "damage": {"offset": 1750382, "bit": 3, "refused_as": "artifact_damaged"},
    "extract": {
        "files": 48211,
        "directories": 3120,
        "links": 2,
        "bytes": 9 << 30,
        "seconds": 611.5,
        "not_restored": {"counts": {}, "first": []},
    },
    "files": {"files": 48211, "directories": 3120, "links": 2, "bytes": 9 << 30, "remarks": ["2 links keep no time"]},
    "scratch": {
        "database": "wst_drill_20261130_095500_1f2e3d4c",
        "server": "a server of the drill's own",
        "server_version": "17.6",
        "disposable": True,
    },
    "restore": {"restored": 6120, "left_out": ["EXTENSION azure: it may be missing"], "roles": 3, "seconds": 402.0},
    "compare": {
        "tables": 212,
        "rows": 18230114,
        "large_objects": 31,
        "sequences": 118,
        "extensions": ["pgcrypto", "plpgsql"],
        "schema_objects": 1822,
        "control": "row 1 of app.orders: column note altered",
        "duration": 233.0,
    },
    "recorded": {"layer": "mirror"},
    "teardown": {"removed": [r"C:\wst-control\scratch\20261130-095500-1f2e3d4c"], "left": [], "problems": []},
}
_NEVER_BEGAN: dict[str, Any] = {key: None for key in _RESULTS if key != "lock"}


def _document(host: str = "wst-prod-1", failed: Optional[dict[str, Any]] = None, **changes: Any) -> dict[str, Any]:
    times = {"began": "2026-11-30T09:55:00Z", "ended": "2026-11-30T10:17:27Z"}
    return evidence({**_RESULTS, **changes}, host=host, failed=failed or {}, began=0.0, ended=1347.0, times=times)


def _failed() -> dict[str, Any]:
    problem = {
        "code": "drill_mismatch",
        "msg": "drill_mismatch: 2 things are not as promised: other rows of app.orders; 17 rows too few in app.log",
        "remedy": "Do not rely on this set. Restore an older one, and find out what altered it.",
        "step": "Compare the database with what the set promises",
        "facts": {"differences": ["other rows of app.orders", "17 rows too few in app.log"]},
    }
    return _document(failed=problem, compare={"failed": True, "code": "drill_mismatch"}, recorded=None)


def _unreached() -> dict[str, Any]:
    problem = {"code": "not_authorized", "msg": "not_authorized: no token was given", "step": "Prove the authority"}
    return _document(failed=problem, **_NEVER_BEGAN)


def _hostile() -> dict[str, Any]:
    problem = {"code": NASTY, "msg": NASTY, "remedy": NASTY, "step": NASTY, "facts": {"differences": [NASTY] * 3}}
    return _document(
        host=NASTY,
        failed=problem,
        set=dict.fromkeys(_RESULTS["set"], NASTY),
        files={"files": NASTY, "remarks": [NASTY]},
        restore={**_RESULTS["restore"], "left_out": [NASTY], "roles": {NASTY: NASTY}},
        compare={"failed": True, "control": NASTY},
        teardown={"removed": [NASTY], "left": [NASTY], "problems": [{"message": NASTY}]},
    )


def evidence_pages() -> dict[str, str]:
    """HTML by name."""
    documents = {"good": _document(), "failed": _failed(), "unreached": _unreached(), "hostile": _hostile()}
    return {f"drill-{name}": page(document) for name, document in documents.items()}
