# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files go to a real blob server over a line that breaks, and what stands there in the end is asked of the server."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from offsite.azurite import CONTAINER, Server
from offsite.faultproxy import Call, Fault, Proxy

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    ArtifactDamaged,
    BackupError,
    Cancelled,
    OffsiteBlobDiffers,
    OffsiteBusy,
    OffsiteContainerMissing,
    OffsiteRejected,
    OffsiteUnauthorised,
    OffsiteUnreachable,
)
from ansible_collections.wst.backup.plugins.module_utils._offsite.client import AzureContainer, opened
from ansible_collections.wst.backup.plugins.module_utils._offsite.place import place_of
from ansible_collections.wst.backup.plugins.module_utils._offsite.retrying import Patience
from ansible_collections.wst.backup.plugins.module_utils._offsite.upload import Item, Sent, bring, content_of

pytestmark = [pytest.mark.posix, pytest.mark.slow]  # the lab's Windows Python has no SDK; a server starts

BLOCK = 64 << 10
SIZE = 5 * BLOCK + 1000  # six blocks
PATIENCE = Patience(tries=3, first=0.01, longest=0.05)


def content(size: int = SIZE, seed: bytes = b"wst") -> bytes:
    """Bytes that never repeat, so that blocks in a wrong order would show."""
    parts = (hashlib.sha256(seed + str(number).encode()).digest() for number in range(size // 32 + 1))
    return b"".join(parts)[:size]


@pytest.fixture
def item(tmp_path: Path, prefix: str) -> Item:
    """A file that is to go offsite."""
    path = tmp_path / "set.zip"
    path.write_bytes(content())
    digest = hashlib.sha256(content()).hexdigest()
    return Item(str(path), f"{prefix}/set.zip", SIZE, digest, "application/zip", "20261201-000000-0000aaaa")


@contextlib.contextmanager
def store_at(url: str, sas: str, container: str = CONTAINER, patience: Patience = PATIENCE) -> Iterator[AzureContainer]:
    """The store behind that URL."""
    with opened(place_of(url, container, "unused"), sas, patience) as store:
        yield store


def send(server: Server, proxy: Proxy, item: Item) -> Sent:
    """One try, through the proxy."""
    with store_at(proxy.url, server.sas()) as store:
        return bring(store, item, meter=lambda _count: None, smallest_block=BLOCK)


def standing(server: Server, item: Item) -> bytes | None:
    """What the server has under the name, asked without the proxy and with the account's key."""
    from azure.core.exceptions import ResourceNotFoundError

    with server.container() as client:
        try:
            return bytes(client.get_blob_client(item.blob).download_blob().readall())
        except ResourceNotFoundError:
            return None


def test_a_file_goes_there_and_is_read_back(azurite_server: Server, proxy: Proxy, item: Item) -> None:
    """In blocks, with one commit; a second try sends nothing and reads it back again."""
    sent = send(azurite_server, proxy, item)
    assert (sent.uploaded, sent.kept, sent.was_there) == (SIZE, 0, False)
    assert standing(azurite_server, item) == content()
    assert (proxy.count("stage"), proxy.count("commit"), proxy.count("read")) == (6, 1, 1)
    with azurite_server.container() as client:
        found = client.get_blob_client(item.blob).get_blob_properties()
    assert found.metadata == {"wst_sha256": item.sha256, "wst_run_id": item.run_id}
    again = send(azurite_server, proxy, item)
    assert (again.uploaded, again.was_there, again.blob.etag) == (0, True, sent.blob.etag)
    assert (proxy.count("stage"), proxy.count("commit"), proxy.count("read")) == (6, 1, 2)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(cut_request=1000),
        Fault(status=429, retry_after="0"),
        Fault(status=503),
        Fault(status=500),
        Fault(lose_answer=True),
    ],
    ids=["cut in mid-block", "429", "503", "500", "answer lost"],
)
def test_what_passes_is_waited_for(azurite_server: Server, proxy: Proxy, item: Item, fault: Fault) -> None:
    """One fault on a block in the middle: tried again, and what stands there is the file."""
    proxy.script = lambda call, number: fault if call.name == "stage" and number == 2 else None
    send(azurite_server, proxy, item)
    assert standing(azurite_server, item) == content()
    assert proxy.count("stage") == 7


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(cut_request=1000), OffsiteUnreachable),
        (Fault(status=429), OffsiteBusy),
        (Fault(status=503, retry_after="1000"), OffsiteBusy),
        (Fault(status=500), OffsiteBusy),
    ],
    ids=["cut in mid-block", "429", "503 with a long Retry-After", "500"],
)
def test_what_does_not_pass_has_a_name_and_the_next_try_goes_on_from_there(
    azurite_server: Server, proxy: Proxy, item: Item, fault: Fault, error: type[BackupError]
) -> None:
    """No name is given to half a file; the blocks that arrived are not sent again."""
    proxy.script = lambda call, number: fault if call.name == "stage" and number >= 3 else None
    with pytest.raises(error) as raised:
        send(azurite_server, proxy, item)
    assert raised.value.facts["tries"] == (1 if fault.retry_after else 3)
    assert standing(azurite_server, item) is None
    proxy.script = lambda _call, _number: None
    sent = send(azurite_server, proxy, item)
    assert (sent.kept, sent.uploaded) == (3 * BLOCK, SIZE - 3 * BLOCK)
    assert standing(azurite_server, item) == content()


def test_a_block_that_arrives_changed_is_refused(azurite_server: Server, proxy: Proxy, item: Item) -> None:
    """The server has its MD5. Azure calls it Md5Mismatch, which is tried again; Azurite InvalidOperation."""
    proxy.script = lambda call, number: Fault(flip_request=500) if call.name == "stage" and number == 2 else None
    with pytest.raises(OffsiteRejected):
        send(azurite_server, proxy, item)
    assert standing(azurite_server, item) is None
    with store_at(proxy.url, azurite_server.sas()) as store:
        assert sum(store.staged(item.blob).values()) == 2 * BLOCK


def test_blocks_of_a_file_that_has_changed_since_are_not_used(azurite_server: Server, proxy: Proxy, item: Item) -> None:
    """An earlier try sent another content under the same name: its blocks stay uncommitted."""
    other = content(seed=b"other")
    Path(item.path).write_bytes(other)
    proxy.script = lambda call, _number: Fault(status=503) if call.name == "commit" else None
    with pytest.raises(OffsiteBusy):
        send(azurite_server, proxy, replace(item, sha256=hashlib.sha256(other).hexdigest()))
    proxy.script = lambda _call, _number: None
    Path(item.path).write_bytes(other[:BLOCK] + content()[BLOCK:])
    digest = hashlib.sha256(other[:BLOCK] + content()[BLOCK:]).hexdigest()
    sent = send(azurite_server, proxy, replace(item, sha256=digest))
    assert (sent.kept, sent.uploaded) == (BLOCK, SIZE - BLOCK)
    assert standing(azurite_server, item) == other[:BLOCK] + content()[BLOCK:]


def test_a_commit_whose_answer_was_lost_is_found_done(azurite_server: Server, proxy: Proxy, item: Item) -> None:
    """The second commit is refused, because the blob is there; it is read back and is right."""
    proxy.script = lambda call, number: Fault(lose_answer=True) if call.name == "commit" and number == 0 else None
    send(azurite_server, proxy, item)
    assert proxy.count("commit") == 2
    assert standing(azurite_server, item) == content()


def test_another_blob_of_that_name_is_left_alone(azurite_server: Server, proxy: Proxy, item: Item) -> None:
    """Of the same size, so that only reading tells."""
    with azurite_server.container() as client:
        client.upload_blob(item.blob, content(seed=b"other"))
    with pytest.raises(OffsiteBlobDiffers) as raised:
        send(azurite_server, proxy, item)
    assert raised.value.facts["found"] == hashlib.sha256(content(seed=b"other")).hexdigest()
    assert standing(azurite_server, item) == content(seed=b"other")
    assert proxy.count("commit") == 0


def test_who_came_first_stays(azurite_server: Server, proxy: Proxy, item: Item) -> None:
    """Somebody else's blob gets the name while the blocks are on their way: never written over."""

    def intrude(call: Call, number: int) -> None:
        if call.name == "commit" and number == 0:
            with azurite_server.container() as client:
                client.upload_blob(item.blob, b"theirs", overwrite=True)

    proxy.script = intrude
    with pytest.raises(OffsiteBlobDiffers):
        send(azurite_server, proxy, item)
    assert standing(azurite_server, item) == b"theirs"


def test_what_comes_back_wrong_is_no_proof(azurite_server: Server, proxy: Proxy, item: Item) -> None:
    """One bit of what is read back, with every checksum of the store as it was."""
    proxy.script = lambda call, _number: Fault(flip_answer=77) if call.name == "read" else None
    with pytest.raises(OffsiteBlobDiffers):
        send(azurite_server, proxy, item)


def test_a_reading_that_is_cut_off_is_tried_again(azurite_server: Server, proxy: Proxy, item: Item) -> None:
    """In the middle of the answer."""
    proxy.script = lambda call, number: Fault(cut_answer=5000) if call.name == "read" and number == 0 else None
    send(azurite_server, proxy, item)
    assert proxy.count("read") >= 2


def test_a_blob_that_changes_while_it_is_read_is_no_mixture(
    azurite_server: Server, proxy: Proxy, item: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each part is asked of the very version that was looked at."""
    sent = send(azurite_server, proxy, item)
    monkeypatch.setattr("ansible_collections.wst.backup.plugins.module_utils._offsite.upload.READ_SIZE", 2 * BLOCK)
    with store_at(proxy.url, azurite_server.sas()) as store:
        parts = content_of(store, sent.blob)
        assert next(parts) == content()[: 2 * BLOCK]
        with azurite_server.container() as client:
            client.upload_blob(item.blob, content(seed=b"other"), overwrite=True)
        with pytest.raises(OffsiteBlobDiffers, match="changed or removed"):
            next(parts)


def test_a_source_that_rotted_gets_no_name_there(azurite_server: Server, proxy: Proxy, item: Item) -> None:
    """The file is read once, for the upload: its SHA-256 is known before the commit."""
    Path(item.path).write_bytes(b"\0" + content()[1:])
    with pytest.raises(ArtifactDamaged):
        send(azurite_server, proxy, item)
    assert standing(azurite_server, item) is None
    assert proxy.count("commit") == 0


@pytest.mark.parametrize(
    ("sas", "container", "error"),
    [
        ({"hours": -1}, CONTAINER, OffsiteUnauthorised),
        ({"permissions": "r"}, CONTAINER, OffsiteUnauthorised),
        ({"container": "absent-one"}, "absent-one", OffsiteContainerMissing),
    ],
    ids=["expired", "it may only read", "no such container"],
)
def test_who_may_not_or_finds_no_container_is_told_so_at_once(
    azurite_server: Server, proxy: Proxy, item: Item, sas: dict[str, str], container: str, error: type[BackupError]
) -> None:
    """By name, without trying again, and without the SAS in any word of it."""
    token = azurite_server.sas(**sas)  # type: ignore[arg-type]
    with store_at(proxy.url, token, container) as store, pytest.raises(error) as raised:
        bring(store, item, meter=lambda _count: None, smallest_block=BLOCK)
    secret = dict(pair.split("=", 1) for pair in token.split("&"))["sig"]
    assert secret not in f"{raised.value.message} {raised.value.facts}"
    assert len(proxy.seen) <= 3


def test_nobody_at_home_is_told_without_the_sas(azurite_server: Server, item: Item) -> None:
    """The SDK's own text of it has the whole URL."""
    token = azurite_server.sas()
    with store_at("http://127.0.0.1:9", token) as store, pytest.raises(OffsiteUnreachable) as raised:
        bring(store, item, meter=lambda _count: None, smallest_block=BLOCK)
    assert "sig" not in f"{raised.value.message} {raised.value.facts}".replace("sig=***", "")
    assert raised.value.facts["tries"] == 3
    assert raised.value.__cause__ is not None
    assert raised.value.__cause__.__cause__ is None


def test_a_job_that_is_to_stop_stops(
    azurite_server: Server, proxy: Proxy, item: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two blocks, and while it waits for Azure: nothing gets the name."""

    def stop() -> None:
        if proxy.count("stage") >= 2:
            raise Cancelled("the job was asked to stop")

    monkeypatch.setattr("ansible_collections.wst.backup.plugins.module_utils._jobs.check", stop)
    with pytest.raises(Cancelled):
        send(azurite_server, proxy, item)
    assert proxy.count("stage") == 2
    assert standing(azurite_server, item) is None
