# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store of blobs that is Azure: the one file that uses its packages, which are imported where they are used."""

from __future__ import annotations

import contextlib
import time
from datetime import datetime, timezone
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, TypeVar

from ansible_collections.wst.backup.plugins.module_utils import _jobs
from ansible_collections.wst.backup.plugins.module_utils._errors import (
    BackupError,
    OffsiteBlobDiffers,
    OffsiteSdkMissing,
)
from ansible_collections.wst.backup.plugins.module_utils._offsite import failures
from ansible_collections.wst.backup.plugins.module_utils._offsite.place import Place
from ansible_collections.wst.backup.plugins.module_utils._offsite.retrying import Patience, patiently
from ansible_collections.wst.backup.plugins.module_utils._offsite.store import Blob, ContainerFacts

CONNECT_TIMEOUT = 20  # seconds
READ_TIMEOUT = 120  # seconds without a byte
_STEP = 0.5  # seconds between two looks at whether the job is to stop

T = TypeVar("T")


def pause(seconds: float) -> None:
    """Wait; raises ``Cancelled``."""
    end = time.monotonic() + seconds
    while True:
        _jobs.check()
        left = end - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(_STEP, left))


class AzureContainer:
    """A container of Azure Blob, as ``store.Store``."""

    def __init__(self, client: Any, place: Place, patience: Patience, wait: Callable[[float], None] = pause) -> None:
        self._client = client
        self._place = place
        self._patience = patience
        self._wait = wait

    def container(self) -> Optional[ContainerFacts]:
        """See ``Store``. A SAS for the container alone may not ask this."""

        def ask() -> Optional[ContainerFacts]:
            try:
                found = self._client.get_container_properties()
            except Exception as error:
                if getattr(error, "status_code", None) == 403:
                    return None
                raise
            return ContainerFacts(
                immutability_policy=bool(found.has_immutability_policy),
                legal_hold=bool(found.has_legal_hold),
                version_level_immutability=bool(found.immutable_storage_with_versioning_enabled),
            )

        return self._ask(ask, self._place.container)

    def look(self, name: str) -> Optional[Blob]:
        """See ``Store``."""

        def ask() -> Optional[Blob]:
            try:
                return _blob(name, self._client.get_blob_client(name).get_blob_properties())
            except Exception as error:
                if failures.is_absent(error):
                    return None
                raise

        return self._ask(ask, name)

    def staged(self, name: str) -> Dict[str, int]:
        """See ``Store``."""

        def ask() -> Dict[str, int]:
            try:
                _committed, waiting = self._client.get_blob_client(name).get_block_list("uncommitted")
            except Exception as error:
                if failures.is_absent(error):
                    return {}
                raise
            return {block.id: int(block.size) for block in waiting}

        return self._ask(ask, name)

    def stage(self, name: str, block_id: str, content: bytes) -> None:
        """See ``Store``. Its MD5 goes along, and the server refuses what does not have it."""
        blob = self._client.get_blob_client(name)
        self._ask(lambda: blob.stage_block(block_id, content, length=len(content), validate_content=True), name)

    def commit(self, name: str, block_ids: Sequence[str], *, kind: str, notes: Mapping[str, str]) -> bool:
        """See ``Store``."""
        from azure.core import MatchConditions
        from azure.storage.blob import BlobBlock, ContentSettings

        blob = self._client.get_blob_client(name)

        def ask() -> bool:
            try:
                blob.commit_block_list(
                    [BlobBlock(block_id=each) for each in block_ids],
                    content_settings=ContentSettings(content_type=kind),
                    metadata=dict(notes),
                    match_condition=MatchConditions.IfMissing,
                    validate_content=True,
                )
            except Exception as error:
                if failures.is_taken(error):
                    return False
                raise
            return True

        return self._ask(ask, name)

    def read(self, blob: Blob, offset: int, length: int) -> bytes:
        """See ``Store``."""
        from azure.core import MatchConditions

        client = self._client.get_blob_client(blob.name)

        def ask() -> bytes:
            try:
                stream = client.download_blob(
                    offset=offset, length=length, etag=blob.etag, match_condition=MatchConditions.IfNotModified
                )
                return bytes(stream.readall())
            except Exception as error:
                if failures.is_changed(error) or failures.is_absent(error):
                    raise OffsiteBlobDiffers(
                        f"{self._told(blob.name)} was changed or removed while it was read", blob=blob.name
                    ) from error
                raise

        return self._ask(ask, blob.name)

    def list(self, prefix: str) -> List[Blob]:
        """See ``Store``."""
        return self._ask(lambda: [_blob(each.name, each) for each in self._client.list_blobs(prefix)], prefix)

    def _ask(self, call: Callable[[], T], name: str) -> T:
        """Patiently, and with our names of failures. A connection that hangs ends by its timeouts."""

        def translated() -> T:
            _jobs.check()
            try:
                return call()
            except BackupError:
                raise
            except Exception as error:
                if not failures.is_of_azure(error):
                    raise
                raise failures.named(error, self._told(name)) from None  # its text may have the SAS

        return patiently(translated, patience=self._patience, pause=self._wait)

    def _told(self, name: str) -> str:
        return f"{self._place.account_url}/{self._place.container}/{name}"


@contextlib.contextmanager
def opened(place: Place, credential: Any, patience: Patience) -> Iterator[AzureContainer]:
    """The container for the block. Raises ``OffsiteSdkMissing``. Nothing is asked before the first method is called.

    :param credential: a SAS as text, or what ``managed_identity`` gave.
    """
    try:
        from azure.storage.blob import ContainerClient
    except ImportError as error:
        raise missing("azure-storage-blob", error) from error
    client = ContainerClient(
        place.account_url,
        place.container,
        credential=credential,
        retry_total=0,  # see retrying.py
        connection_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        logging_enable=False,
    )
    with client:
        yield AzureContainer(client, place, patience)


@contextlib.contextmanager
def managed_identity(client_id: Optional[str]) -> Iterator[Any]:
    """The identity that Azure gave this host. Raises ``OffsiteSdkMissing``.

    :param client_id: which one, where the host has several.
    """
    try:
        from azure.identity import ManagedIdentityCredential
    except ImportError as error:
        raise missing("azure-identity", error) from error
    with ManagedIdentityCredential(client_id=client_id or None) as credential:
        yield credential


def missing(package: str, error: ImportError) -> OffsiteSdkMissing:
    """The failure for a package that cannot be imported; what it lacks itself may be the reason."""
    return OffsiteSdkMissing(f"{package} cannot be imported: {error}", package=package)


def _blob(name: str, found: Any) -> Blob:
    policy = getattr(found, "immutability_policy", None)
    until = getattr(policy, "expiry_time", None)
    mode = getattr(policy, "policy_mode", None)
    return Blob(
        name=name,
        size=int(found.size),
        etag='"{}"'.format(str(found.etag).strip('"')),  # a listing has it without the quotes
        version_id=found.version_id or None,
        immutable_until=_utc(until),
        immutability_mode=str(getattr(mode, "value", mode)).lower() if mode else None,
        legal_hold=None if found.has_legal_hold is None else bool(found.has_legal_hold),
    )


def _utc(moment: Any) -> Optional[datetime]:
    if not isinstance(moment, datetime):
        return None
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)
