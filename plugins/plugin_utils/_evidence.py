# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a drill when it is over, as one document. Decides only.

It is made of the results of the role's steps, whether all of them came about or not. A step that was not reached proves
nothing, and a drill succeeds only when none is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

SCHEMA_VERSION = 1
OK, FAILED, NOT_REACHED = "ok", "failed", "not reached"

# The steps in their order: the key of the step's result, what it proves, and which of its facts are kept.
STEPS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("authority", "Authority was proven", ("level",)),
    ("set", "There is a set, and it is fresh", ("artifact", "layer", "file", "size", "sha256", "made_at", "age")),
    ("damage", "A copy with one flipped bit was refused", ("offset", "bit", "refused_as")),
    (
        "extract",
        "Its files were restored",
        ("files", "directories", "links", "bytes", "not_restored", "seconds"),
    ),
    ("files", "Every file is what the set promises", ("files", "directories", "links", "bytes", "not_compared")),
    ("scratch", "A database was made for it", ("database", "server", "server_version", "disposable")),
    ("restore", "The dump was restored", ("restored", "left_out", "roles", "seconds")),
    (
        "compare",
        "The database is what the set promises, and an altered row was found",
        (
            "tables",
            "rows",
            "large_objects",
            "sequences",
            "extensions",
            "schema_objects",
            "fresh",
            "control",
            "duration",
        ),
    ),
    ("recorded", "The set's record says that it was drilled", ("layer",)),
)


def evidence(
    results: Mapping[str, Any],
    *,
    host: str,
    failed: Mapping[str, Any],
    began: float,
    ended: float,
    times: Mapping[str, str],
) -> dict[str, Any]:
    """The document.

    :param results: the registered results by the keys of ``STEPS``, and of ``lock`` and ``teardown``; what is missing
        or empty was not reached.
    :param failed: what ``failure`` made of what stopped the drill, or an empty mapping.
    :param began: and ``ended``: seconds since 1970; ``times`` has both as text.
    """
    steps = [_step(results.get(key), title, facts) for key, title, facts in STEPS]
    problem = dict(failed) or _teardown_problem(results.get("teardown"))
    if not problem and any(step["result"] != OK for step in steps):
        lacking = next(step["proves"] for step in steps if step["result"] != OK)
        problem = {"code": "not_proved", "msg": f"not_proved: a step of the drill was not reached: {lacking}"}
    chosen = _facts(results.get("set"), STEPS[1][2])
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "restore_test",
        "host": host,
        "run_id": str((results.get("lock") or {}).get("run_id") or ""),
        "result": "failure" if problem else "success",
        "code": str(problem.get("code") or "not_proved") if problem else "",
        "message": str(problem.get("msg") or ""),
        "remedy": str(problem.get("remedy") or ""),
        "failed_at": str(problem.get("step") or ""),
        "differences": list((problem.get("facts") or {}).get("differences") or []),
        **times,
        "seconds": round(ended - began, 1),
        "set": chosen,
        "rpo_seconds": chosen.get("age"),
        "rto_seconds": _rto(results),
        "steps": steps,
        "teardown": _facts(results.get("teardown"), ("removed", "left", "problems")),
    }


def lost(document: Mapping[str, Any], failure: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a drill whose evidence could not be kept: what nobody can look up is no success.

    :param failure: with ``code``, ``msg`` and ``remedy``. What had failed before stays the reason.
    """
    if document["result"] == "failure":
        return dict(document)
    told = {"code": failure["code"], "message": failure["msg"], "remedy": failure["remedy"]}
    return {**document, **told, "result": "failure", "failed_at": "Keep the evidence"}


def _step(result: Any, title: str, facts: tuple[str, ...]) -> dict[str, Any]:
    outcome = NOT_REACHED
    if isinstance(result, Mapping) and result and not result.get("skipped"):
        outcome = FAILED if result.get("failed") else OK
    remarks = list(result.get("remarks") or []) if isinstance(result, Mapping) else []
    return {"proves": title, "result": outcome, "facts": _facts(result, facts), "remarks": remarks}


def _facts(result: Any, names: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(result, Mapping):
        return {}
    return {name: result[name] for name in names if name in result}


def _rto(results: Mapping[str, Any]) -> Optional[dict[str, float]]:
    """What getting the data back took, without what only a drill does; None where it did not come to its end."""
    extract, restore = (_facts(results.get(name), ("seconds",)) for name in ("extract", "restore"))
    if not extract or not restore:
        return None
    files, database = float(extract["seconds"]), float(restore["seconds"])
    return {"files": files, "database": database, "total": round(files + database, 1)}


def _teardown_problem(teardown: Any) -> dict[str, Any]:
    """A drill that leaves something behind has not succeeded."""
    if not isinstance(teardown, Mapping) or not teardown.get("failed"):
        return {}
    return {
        "code": str(teardown.get("code") or ""),
        "msg": str(teardown.get("msg") or ""),
        "remedy": str(teardown.get("remedy") or ""),
        "step": "teardown",
    }
