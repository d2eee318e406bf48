# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The offsite step: every set that is to be there is there, proved; every copy that is known is looked at."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Dict, Iterator, List, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactDamaged,
    BackupError,
    Locked,
    OffsiteBlobDiffers,
    RecordDamaged,
)
from ansible_collections.wst.backup.plugins.module_utils._fs import ensure_private_directory, translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._mirror.copy import read_sidecar_bytes
from ansible_collections.wst.backup.plugins.module_utils._names import ArtifactName
from ansible_collections.wst.backup.plugins.module_utils._offsite.place import Place
from ansible_collections.wst.backup.plugins.module_utils._offsite.plan import Plan, plan, wanted
from ansible_collections.wst.backup.plugins.module_utils._offsite.protection import protection_of
from ansible_collections.wst.backup.plugins.module_utils._offsite.record import GONE, Copy, Known, Memory
from ansible_collections.wst.backup.plugins.module_utils._offsite.store import Blob, Store
from ansible_collections.wst.backup.plugins.module_utils._offsite.upload import Item, Sent, bring, require_same
from ansible_collections.wst.backup.plugins.module_utils._platform import api as platform
from ansible_collections.wst.backup.plugins.module_utils._sets.catalog import BackupSet
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer, Meter, progress_meter
from ansible_collections.wst.backup.plugins.module_utils._sets.holds import holding
from ansible_collections.wst.backup.plugins.module_utils._sets.reading import read_layer
from ansible_collections.wst.backup.plugins.module_utils._sets.sidecar import Sidecar

ZIP_KIND, SIDECAR_KIND = "application/zip", "application/json"
SENT_AND_READ = 2  # a set's bytes pass the meter twice
_OF_ONE_SET = (OffsiteBlobDiffers, ArtifactDamaged, RecordDamaged)  # the others go on; all else stops the step


@dataclass(frozen=True)
class Request:
    """What is to be offsite, and where."""

    layout: HostLayout
    layer: Layer
    prefix: str
    place: Place
    which: str
    reread_every: timedelta

    @property
    def memory(self) -> Memory:
        """What is known of the copies."""
        return Memory(self.layout.offsite_dir, self.place.told, self.prefix)


@dataclass
class Offsite:
    """What was done. ``problems`` are those of single sets: the others were treated all the same."""

    uploaded: List[str] = field(default_factory=list)  # stems that were sent, and proved
    verified: List[str] = field(default_factory=list)  # stems that were there, and were read back now
    present: List[str] = field(default_factory=list)
    gone: List[str] = field(default_factory=list)  # stems that were there once
    damaged: List[str] = field(default_factory=list)
    bytes: int = 0  # sent
    kept: int = 0  # bytes that an earlier try had sent
    protection: str = ""  # of the newest copy
    warnings: List[str] = field(default_factory=list)
    problems: List[BackupError] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether anything was written, there or here."""
        return bool(self.uploaded or self.verified or self.damaged)


@contextlib.contextmanager
def alone(layout: HostLayout) -> Iterator[None]:
    """One at a time on this host. It is no lock of the host: a backup may run beside. Raises ``Locked``."""
    ensure_private_directory(layout.offsite_dir)
    path = Layer("offsite", layout.offsite_dir).file("lock")
    lock = platform.FileLock(path)
    try:
        if not lock.try_acquire():
            raise Locked("another process of this host works on the offsite copies", path=path)
    except OSError as error:
        raise translate_oserror(error, path) from error
    try:
        yield
    finally:
        lock.release()


def choose(request: Request, store: Store, now: datetime) -> Plan:
    """What there is to do, as things stand. Changes nothing."""
    there = {blob.name: blob for blob in store.list(request.place.blob(""))}
    sets = wanted(read_layer(request.layer, prefix=request.prefix).counting, request.which)
    return plan(sets, request.memory.all(), there, now=now, reread_every=request.reread_every)


def preview(request: Request, store: Store) -> Offsite:
    """What ``keep_offsite`` would do, as far as looking tells."""
    chosen = choose(request, store, utc_now())
    result = Offsite(
        uploaded=[item.artifact.stem for item in chosen.bring],
        verified=[artifact.stem for artifact in chosen.reread],
        present=[artifact.stem for artifact in chosen.present],
        bytes=sum(item.proof.size for item in chosen.bring),
    )
    _tell_gone(result, chosen)
    return result


def keep_offsite(request: Request, store: Store) -> Offsite:
    """Do it. Raises what stops everything (``OffsiteUnauthorised``, ``OffsiteBusy`` ...), ``Cancelled``, ``Locked``.

    What was proved before that stays on record, and is not done again.
    """
    with alone(request.layout):
        chosen = choose(request, store, utc_now())
        result = Offsite(present=[artifact.stem for artifact in chosen.present])
        _tell_gone(result, chosen)
        _Work(request, store, result, request.memory.all()).run(chosen)
    return result


def _tell_gone(result: Offsite, chosen: Plan) -> None:
    result.gone = [artifact.stem for artifact in chosen.gone]
    for stem in result.gone:
        result.warnings.append(f"{stem} was offsite and is no longer: somebody, or a rule of the account, deleted it")


class _Work:
    """One run of the step."""

    def __init__(self, request: Request, store: Store, result: Offsite, known: Dict[ArtifactName, Copy]) -> None:
        self._request = request
        self._store = store
        self._result = result
        self._known = known
        self._container = store.container()

    def run(self, chosen: Plan) -> None:
        total = sum(item.proof.size for item in chosen.bring) * SENT_AND_READ
        total += sum(self._known[artifact].zip.size for artifact in chosen.reread)
        meter = progress_meter(total, self._request.place.told)
        for artifact in chosen.gone:
            self._forget(artifact)
        for item in chosen.bring:
            with self._problems_of_one(item.artifact), holding(self._request.layout, item.artifact.stem):
                self._bring(item, meter)
        for artifact in chosen.reread:
            with self._problems_of_one(artifact):
                self._reread(artifact, meter)

    @contextlib.contextmanager
    def _problems_of_one(self, artifact: ArtifactName) -> Iterator[None]:
        """What is wrong with one set is kept, and put on record where a copy is known."""
        try:
            yield
        except _OF_ONE_SET as error:
            self._result.problems.append(error)
            if isinstance(error, OffsiteBlobDiffers):
                self._result.damaged.append(artifact.stem)
                copy = self._known.get(artifact)
                if copy is not None:
                    self._request.memory.write(artifact, copy.with_problem(error.message))

    def _bring(self, item: BackupSet, meter: Meter) -> None:
        artifact, layer, place = item.artifact, self._request.layer, self._request.place
        data, sidecar = read_sidecar_bytes(layer, artifact)
        run_id = sidecar.run_id
        archive = Item(
            layer.file(artifact.zip), place.blob(artifact.zip), sidecar.size, sidecar.sha256, ZIP_KIND, run_id
        )
        digest = hashlib.sha256(data).hexdigest()
        side = Item(layer.file(artifact.sidecar), place.blob(artifact.sidecar), len(data), digest, SIDECAR_KIND, run_id)
        sent = bring(self._store, archive, meter=meter)
        published = bring(self._store, side, meter=_no_meter)  # last: where it stands, the ZIP was proved
        self._record(artifact, sidecar, sent, published, digest)
        if sent.was_there and published.was_there:
            self._result.verified.append(artifact.stem)
        else:
            self._result.uploaded.append(artifact.stem)
        self._result.bytes += sent.uploaded + published.uploaded
        self._result.kept += sent.kept + published.kept

    def _record(self, artifact: ArtifactName, sidecar: Sidecar, sent: Sent, published: Sent, digest: str) -> None:
        now = utc_now()
        before = self._known.get(artifact)
        protection, until = self._protection(sent.blob, now)
        copy = Copy(
            artifact=artifact.stem,
            place=self._request.place.told,
            zip=_known(sent.blob, sidecar.sha256),
            sidecar=_known(published.blob, digest),
            uploaded_at=before.uploaded_at if before and sent.was_there else now,
            verified_at=now,
            protection=protection,
            immutable_until=until,
        )
        self._request.memory.write(artifact, copy)

    def _reread(self, artifact: ArtifactName, meter: Meter) -> None:
        copy = self._known[artifact]
        archive, side = (self._again(known, each) for known, each in ((copy.zip, meter), (copy.sidecar, _no_meter)))
        now = utc_now()
        protection, until = self._protection(archive, now)
        self._request.memory.write(
            artifact,
            replace(
                copy,
                zip=_known(archive, copy.zip.sha256),
                sidecar=_known(side, copy.sidecar.sha256),
                verified_at=now,
                protection=protection,
                immutable_until=until,
                problem="",
            ),
        )
        self._result.verified.append(artifact.stem)

    def _again(self, known: Known, meter: Meter) -> Blob:
        blob = self._store.look(known.blob)
        if blob is None:
            raise OffsiteBlobDiffers(f"{known.blob} was there a moment ago and is gone", blob=known.blob)
        require_same(self._store, blob, known.sha256, known.size, meter=meter)
        return blob

    def _forget(self, artifact: ArtifactName) -> None:
        copy = self._known[artifact]
        self._request.memory.write(artifact, copy.with_problem(GONE))

    def _protection(self, blob: Blob, now: datetime) -> Tuple[str, Optional[datetime]]:
        found = protection_of(blob, self._container, now)
        self._result.protection = self._result.protection or found.told
        self._result.warnings += [each for each in found.warnings if each not in self._result.warnings]
        return found.told, found.immutable_until


def _known(blob: Blob, sha256: str) -> Known:
    return Known(blob.name, blob.size, sha256, blob.etag, blob.version_id)


def _no_meter(_count: int) -> None:
    """A sidecar is small."""
