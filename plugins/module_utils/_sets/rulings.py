# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person decides about a set: that suspect content is right, or that the set stays for ever.

It is written into the state file of every layer that has the set. A mirror that is away gets it from the mirror step
of a later run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.wst.backup.plugins.module_utils import _context
from ansible_collections.wst.backup.plugins.module_utils._authority.check import require
from ansible_collections.wst.backup.plugins.module_utils._authority.levels import L5
from ansible_collections.wst.backup.plugins.module_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError, InputInvalid
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._lock.holding import Held, held
from ansible_collections.wst.backup.plugins.module_utils._names import ZIP, parse_artifact
from ansible_collections.wst.backup.plugins.module_utils._sets.catalog import UNFINISHED, BackupSet
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.options import layers_of
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import read_layer
from ansible_collections.wst.backup.plugins.module_utils._sets.state import (
    OURSELVES,
    Ruling,
    SetState,
    fresh_state,
    write_state,
)

SHORTEST_REASON = 5  # characters; it is for the auditor
Warn = Callable[[str], None]
Change = Callable[[BackupSet, SetState, Ruling], SetState]


@dataclass(frozen=True)
class Request:
    """Which set, where, and why."""

    layout: HostLayout
    layers: Sequence[Layer]
    prefix: str
    artifact: str  # the stem, or the ZIP's name
    reason: str
    warn: Warn
    dry_run: bool


def ruling_options() -> Dict[str, Any]:
    """Which set, and why; ``doc_fragments/sets.py`` documents them."""
    return {"artifact": {"type": "str", "required": True}, "reason": {"type": "str", "required": True}}


def request_of(params: Mapping[str, Any], *, warn: Warn, dry_run: bool) -> Request:
    """What these, ``set_options`` and ``layer_options`` gave; raises ``InputInvalid``."""
    return Request(
        layout=HostLayout(params["root"]),
        layers=layers_of(params),
        prefix=params["prefix"],
        artifact=params["artifact"],
        reason=params["reason"],
        warn=warn,
        dry_run=dry_run,
    )


Found = Tuple[Layer, BackupSet]


def accept(request: Request) -> Dict[str, Any]:
    """Suspect content is right: the set counts, and is what later ones are compared with. Needs L5.

    Raises ``NotAuthorized`` and as ``_authority.check.require``; ``InputInvalid`` for a set that is nowhere or was
    never suspect, and a reason that says nothing; ``LeaseLost``; and what the file systems have where no layer could
    be told. Where one of them could, the other is a warning.
    """

    def change(item: BackupSet, state: SetState, ruling: Ruling) -> SetState:
        if item.proof.safety:
            raise InputInvalid(
                f"{item.artifact.stem} was made for safety and never counts", artifact=item.artifact.stem
            )
        if not item.proof.suspect:
            raise InputInvalid(f"{item.artifact.stem} is not suspect", artifact=item.artifact.stem)
        return state if state.accepted is not None else replace(state, accepted=ruling)

    return _rule(request, change, authority_for="accept")


def pin(request: Request) -> Dict[str, Any]:
    """Retention never removes the set. Needs no authority, for it only keeps. Raises as ``accept``."""

    def change(_item: BackupSet, state: SetState, ruling: Ruling) -> SetState:
        by_a_person = state.pinned is not None and state.pinned.by != OURSELVES
        return state if by_a_person else replace(state, pinned=ruling)

    return _rule(request, change)


def unpin(request: Request) -> Dict[str, Any]:
    """Retention decides about the set again. Needs L5. Raises as ``accept``."""
    return _rule(request, lambda _item, state, _ruling: replace(state, pinned=None), authority_for="unpin")


def _rule(request: Request, change: Change, *, authority_for: Optional[str] = None) -> Dict[str, Any]:
    """Change the set's state on every layer.

    :param authority_for: the purpose for which L5 must be proven first; None where no authority is needed.
    """
    if len(request.reason.strip()) < SHORTEST_REASON:
        raise InputInvalid("the reason must say something: it is kept for those who ask later", reason=request.reason)
    if authority_for is not None:
        details = {"artifact": request.artifact, "reason": request.reason.strip()}
        require(request.layout, L5, authority_for, details, dry_run=request.dry_run)
    if request.dry_run:
        return _apply(request, change, None)
    with held(request.layout) as lease:
        return _apply(request, change, lease)


def _apply(request: Request, change: Change, lease: Optional[Held]) -> Dict[str, Any]:
    found = _look(request)
    context = _context.current()
    ruling = Ruling(
        at=utc_now(), run_id=context.run_id or "", by=context.controller or "", reason=request.reason.strip()
    )
    changed: List[str] = []
    failed: List[BackupError] = []
    for layer, item in found:
        had = item.state or SetState(artifact=item.artifact.stem, layer=layer.name)
        due = change(item, had, ruling) != had  # what may not be is refused here
        if lease is None:
            changed += [layer.name] if due else []
            continue
        lease.check()
        try:
            changed += [layer.name] if _told(layer, item, change, ruling) else []
        except BackupError as error:  # such as a mirror that somebody has made read-only: the other layer is told
            request.warn(f"layer {layer.name} was not told: {error.code}: {error.message}")
            failed.append(error)
    if len(failed) == len(found):
        raise failed[0]
    return {
        "changed": bool(changed),
        "artifact": found[0][1].artifact.stem,
        "layers": [layer.name for layer, _item in found],
        "changed_layers": changed,
    }


def _told(layer: Layer, item: BackupSet, change: Change, ruling: Ruling) -> bool:
    """Change the layer's state as it is now; whether there was something to change. Raises what the file system has."""
    state = fresh_state(layer, item.artifact)
    new = change(item, state, ruling)
    if new != state:
        write_state(layer, item.artifact, new)
    return new != state


def _look(request: Request) -> List[Found]:
    """Every layer's set of that name; raises ``InputInvalid`` where there is none."""
    name = request.artifact if request.artifact.endswith(ZIP) else request.artifact + ZIP
    artifact = parse_artifact(name, request.prefix)
    if artifact is None:
        raise InputInvalid(f"{request.artifact!r} is no set of prefix {request.prefix}", artifact=request.artifact)
    found: List[Found] = []
    for layer in request.layers:
        try:
            item = read_layer(layer, prefix=request.prefix).find(artifact)
        except BackupError as error:  # the mirror may be away: it is told later
            request.warn(f"layer {layer.name} was not told: {error.code}: {error.message}")
            continue
        if item is not None and item.status != UNFINISHED and item.sidecar is not None:
            found.append((layer, item))
    if not found:
        raise InputInvalid(f"no layer has a whole set {artifact.stem}", artifact=artifact.stem)
    return found
