# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set's state on one layer: what happened to it there after it was published.

``<stem>.state.json`` is a record that is replaced atomically. A set without one, or with a damaged one, is not lost:
it does not count until it has been re-read, which writes a new one. What people had decided about it is lost, though,
and so the new one pins it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Dict, Optional

from ansible_collections.wst.backup.plugins.module_utils._clock import format_time, parse_time, utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import RecordDamaged
from ansible_collections.wst.backup.plugins.module_utils._fs import read_record, write_record
from ansible_collections.wst.backup.plugins.module_utils._names import ArtifactName
from ansible_collections.wst.backup.plugins.module_utils._platform import api as platform
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer, set_aside

SCHEMA_VERSION = 1
OURSELVES = "wst.backup"  # who rules where nobody did
_EVENTS, _RULINGS = ("published", "mirrored", "repaired", "drilled"), ("accepted", "pinned")


@dataclass(frozen=True)
class Event:
    """Something that a run did to the set."""

    at: datetime
    run_id: str


@dataclass(frozen=True)
class Verified:
    """The last time this layer's ZIP was read in full: what its SHA-256 was then, and the level that it stands for."""

    at: datetime
    run_id: str
    level: int
    zip_sha256: str


@dataclass(frozen=True)
class Damage:
    """When a run found the set damaged, and what it found."""

    at: datetime
    run_id: str
    reason: str


@dataclass(frozen=True)
class Ruling:
    """What a person decided about the set, and why. ``by`` is user@control-node."""

    at: datetime
    run_id: str
    by: str
    reason: str


@dataclass(frozen=True)
class SetState:
    """The state file's content. ``layer`` keeps a file that was copied from another layer from proving anything."""

    artifact: str  # the stem
    layer: str
    published: Optional[Event] = None
    verified: Optional[Verified] = None
    mirrored: Optional[Event] = None  # on the source layer: a proven copy stands on the mirror; there: it is one
    repaired: Optional[Event] = None
    drilled: Optional[Event] = None  # restored from this layer, and all of it was as promised
    damaged: Optional[Damage] = None
    accepted: Optional[Ruling] = None
    pinned: Optional[Ruling] = None

    def with_reread(self, *, at: datetime, run_id: str, level: int, zip_sha256: str) -> SetState:
        """The same with the outcome of a full read that found what the sidecar says."""
        return replace(self, verified=Verified(at=at, run_id=run_id, level=level, zip_sha256=zip_sha256), damaged=None)

    def with_damage(self, *, at: datetime, run_id: str, reason: str) -> SetState:
        """The same with damage; what was verified before stays as the time when it was still good."""
        return replace(self, damaged=Damage(at=at, run_id=run_id, reason=reason))


def state_body(state: SetState) -> Dict[str, Any]:
    """The record's body."""
    body: Dict[str, Any] = {"schema_version": SCHEMA_VERSION, "artifact": state.artifact, "layer": state.layer}
    for key in _EVENTS:
        event: Optional[Event] = getattr(state, key)
        if event is not None:
            body[key] = {"at": format_time(event.at), "run_id": event.run_id}
    if state.damaged is not None:
        damaged = state.damaged
        body["damaged"] = {"at": format_time(damaged.at), "run_id": damaged.run_id, "reason": damaged.reason}
    for key in _RULINGS:
        ruling: Optional[Ruling] = getattr(state, key)
        if ruling is not None:
            told = {"run_id": ruling.run_id, "by": ruling.by, "reason": ruling.reason}
            body[key] = {"at": format_time(ruling.at), **told}
    if state.verified is not None:
        body["verified"] = {
            "at": format_time(state.verified.at),
            "run_id": state.verified.run_id,
            "level": state.verified.level,
            "zip_sha256": state.verified.zip_sha256,
        }
    return body


def parse_state(body: Dict[str, Any], *, name: str) -> SetState:
    """The inverse; raises ``RecordDamaged`` for anything but what ``state_body`` made."""
    if body.get("schema_version") != SCHEMA_VERSION:
        raise RecordDamaged(f"{name} is of schema {body.get('schema_version')!r}, not {SCHEMA_VERSION}", path=name)
    try:
        return SetState(
            artifact=str(body["artifact"]),
            layer=str(body["layer"]),
            verified=_verified(body.get("verified")),
            published=_event(body.get("published")),
            mirrored=_event(body.get("mirrored")),
            repaired=_event(body.get("repaired")),
            drilled=_event(body.get("drilled")),
            damaged=_damage(body.get("damaged")),
            accepted=_ruling(body.get("accepted")),
            pinned=_ruling(body.get("pinned")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RecordDamaged(f"{name} lacks what a state file must have", path=name) from error


def read_state(layer: Layer, artifact: ArtifactName) -> Optional[SetState]:
    """The set's state on that layer, None where it has none; raises ``BackupError``."""
    path = layer.file(artifact.state)
    body = read_record(path)
    return None if body is None else parse_state(body, name=path)


def write_state(layer: Layer, artifact: ArtifactName, state: SetState) -> None:
    """Replace the set's state atomically and durably; raises ``BackupError``."""
    write_record(layer.file(artifact.state), state_body(state))


def fresh_state(layer: Layer, artifact: ArtifactName) -> SetState:
    """The state to build on: the one on the disk, or a new one where there is none, or none of use.

    A state file gets its name before the sidecar does. So where the sidecar has its name, a state file that is not
    there is lost, and perhaps a pin with it: the new state is pinned until somebody decides. A damaged file is kept
    beside as evidence.
    """
    try:
        state, how = read_state(layer, artifact), "missing"
    except RecordDamaged:
        set_aside(layer, artifact.state)
        state, how = None, "damaged"
    if state is not None and (state.layer, state.artifact) == (layer.name, artifact.stem):
        return state
    new = SetState(artifact=artifact.stem, layer=layer.name)
    if not os.path.lexists(platform.long_path(layer.file(artifact.sidecar))):
        return new
    reason = f"its state file was {how if state is None else 'that of another set'}: nobody knows whether it was pinned"
    return replace(new, pinned=Ruling(at=utc_now(), run_id="", by=OURSELVES, reason=reason))


def _event(data: Any) -> Optional[Event]:
    return None if data is None else Event(at=parse_time(data["at"]), run_id=str(data["run_id"]))


def _damage(data: Any) -> Optional[Damage]:
    if data is None:
        return None
    return Damage(at=parse_time(data["at"]), run_id=str(data["run_id"]), reason=str(data["reason"]))


def _ruling(data: Any) -> Optional[Ruling]:
    if data is None:
        return None
    return Ruling(at=parse_time(data["at"]), run_id=str(data["run_id"]), by=str(data["by"]), reason=str(data["reason"]))


def _verified(data: Any) -> Optional[Verified]:
    if data is None:
        return None
    return Verified(
        at=parse_time(data["at"]),
        run_id=str(data["run_id"]),
        level=int(data["level"]),
        zip_sha256=str(data["zip_sha256"]),
    )
