# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A managed identity over TLS: the real SDK, a real server that takes its tokens, and a named fake of the metadata."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from offsite import azurite, identity

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    OffsiteTlsFailed,
    OffsiteUnauthorised,
)
from ansible_collections.wst.backup.plugins.module_utils._offsite.client import managed_identity, opened
from ansible_collections.wst.backup.plugins.module_utils._offsite.place import place_of
from ansible_collections.wst.backup.plugins.module_utils._offsite.retrying import Patience
from ansible_collections.wst.backup.plugins.module_utils._offsite.upload import Item, Sent, bring

pytestmark = [pytest.mark.posix, pytest.mark.slow]  # the lab's Windows Python has no SDK; a server starts

CONTENT = b"wst" * 50_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[azurite.Server]:
    """One that speaks TLS and takes tokens."""
    directory = tmp_path_factory.mktemp("azurite-tls")
    try:
        with azurite.running(str(directory), certificate=identity.certificate(directory)) as running:
            yield running
    except LookupError as error:
        pytest.skip(str(error))


@pytest.fixture
def metadata(server: azurite.Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[identity.FakeMetadata]:
    """Azure's metadata service beside this host, which trusts the server's certificate."""
    with identity.metadata() as fake:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", fake.url)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(server.verify))
        yield fake


def send(server: azurite.Server, tmp_path: Path, client_id: str | None = None) -> Sent:
    """A file goes there as the host's own identity."""
    path = tmp_path / "set.zip"
    path.write_bytes(CONTENT)
    digest = hashlib.sha256(CONTENT).hexdigest()
    item = Item(str(path), f"{tmp_path.name}/set.zip", len(CONTENT), digest, "application/zip", "run")
    place = place_of(server.url, azurite.CONTAINER, tmp_path.name)
    with managed_identity(client_id) as credential, opened(place, credential, Patience(tries=2, first=0.01)) as store:
        return bring(store, item, meter=lambda _count: None)


def test_the_hosts_own_identity_opens_the_container(
    server: azurite.Server, metadata: identity.FakeMetadata, tmp_path: Path
) -> None:
    """No secret is on the host. The token is for storage; the client id goes along."""
    sent = send(server, tmp_path, "11111111-1111-1111-1111-111111111111")
    with server.container() as client:
        assert client.download_blob(sent.blob.name).readall() == CONTENT
    assert {query["resource"][0] for query in metadata.asked} == {"https://storage.azure.com"}
    assert {query["client_id"][0] for query in metadata.asked} == {"11111111-1111-1111-1111-111111111111"}


def test_a_host_without_an_identity_is_named(
    server: azurite.Server, metadata: identity.FakeMetadata, tmp_path: Path
) -> None:
    """As the service says it."""
    metadata.status = 400
    with pytest.raises(OffsiteUnauthorised):
        send(server, tmp_path)


def test_who_cannot_prove_to_be_azure_is_told_nothing(
    server: azurite.Server, metadata: identity.FakeMetadata, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate that nobody vouches for; it is not tried again."""
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(OffsiteTlsFailed) as raised:
        send(server, tmp_path)
    assert "tries" not in raised.value.facts
