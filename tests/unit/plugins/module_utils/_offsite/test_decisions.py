# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is decided without asking anybody: places, SAS, blocks, patience, names of failures, protection, the plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._errors import (
    BackupError,
    Cancelled,
    InputInvalid,
    OffsiteBusy,
    OffsiteContainerMissing,
    OffsiteKeyUnusable,
    OffsiteRejected,
    OffsiteTlsFailed,
    OffsiteUnauthorised,
    OffsiteUnreachable,
    RecordDamaged,
)
from ansible_collections.wst.backup.plugins.module_utils._names import ArtifactName, artifact_of_run
from ansible_collections.wst.backup.plugins.module_utils._offsite import failures
from ansible_collections.wst.backup.plugins.module_utils._offsite.blocks import (
    MOST_BLOCKS,
    SMALLEST,
    block_id,
    block_size,
    in_blocks,
)
from ansible_collections.wst.backup.plugins.module_utils._offsite.place import place_of
from ansible_collections.wst.backup.plugins.module_utils._offsite.plan import NEWEST, plan, wanted
from ansible_collections.wst.backup.plugins.module_utils._offsite.protection import protection_of
from ansible_collections.wst.backup.plugins.module_utils._offsite.record import (
    GONE,
    Copy,
    Known,
    copy_body,
    parse_copy,
)
from ansible_collections.wst.backup.plugins.module_utils._offsite.retrying import (
    Patience,
    patiently,
    wait_before_next,
)
from ansible_collections.wst.backup.plugins.module_utils._offsite.sas import check_sas, parse_sas, read_sas, sas_from
from ansible_collections.wst.backup.plugins.module_utils._offsite.store import Blob, ContainerFacts
from ansible_collections.wst.backup.plugins.module_utils._sets.catalog import COMPLETE, BackupSet
from ansible_collections.wst.backup.plugins.module_utils._sets.sidecar import Sidecar

NOW = datetime(2026, 12, 1, 12, tzinfo=timezone.utc)
URL = "https://wstbackups.blob.core.windows.net"
SIGNATURE = "planted%2Bsignature%3D"
SAS = f"sv=2025-01-05&sr=c&sp=rcwl&se=2027-06-01T00:00:00Z&sig={SIGNATURE}"


# --- place ----------------------------------------------------------------------------------------------------------


def test_a_place_has_a_name_for_every_file() -> None:
    """Under the host's prefix; a slash at the URL's end changes nothing."""
    place = place_of(URL + "/ ", "wst-backups", "prod/host1")
    assert place.blob("a.zip") == "prod/host1/a.zip"
    assert place.told == f"{URL}/wst-backups/prod/host1"
    assert place_of("http://127.0.0.1:10000/lab", "wst", "h").account_url == "http://127.0.0.1:10000/lab"


@pytest.mark.parametrize(
    "url",
    [
        f"{URL}?{SAS}",
        f"{URL}/?{SAS}",
        f"{URL}#x",
        "https://user:planted@wst.blob.core.windows.net",
        "http://wstbackups.blob.core.windows.net",
        "wstbackups.blob.core.windows.net",
        "https://",
        "https://[planted",
        "ftp://127.0.0.1",
        "",
    ],
)
def test_a_url_that_is_none_or_has_a_secret_is_refused_and_not_quoted(url: str) -> None:
    """The message must not carry on what should not have been there."""
    with pytest.raises(InputInvalid) as raised:
        place_of(url, "wst-backups", "h")
    assert "planted" not in f"{raised.value.message} {raised.value.facts}"


@pytest.mark.parametrize("container", ["", "ab", "Wst", "a--b", "-ab", "ab-", "a_b", "a" * 64, "wst/x"])
def test_a_container_has_azures_name(container: str) -> None:
    """Azure's own rule."""
    with pytest.raises(InputInvalid):
        place_of(URL, container, "h")


@pytest.mark.parametrize("prefix", ["", "/h", "h/", "h//x", "../h", "h/..", "h.", "h x", "h\\x", "h?x", "ü", "a" * 257])
def test_a_prefix_that_would_be_another_name_there_is_refused(prefix: str) -> None:
    """A dot at the end, for one, Azure drops."""
    with pytest.raises(InputInvalid):
        place_of(URL, "wst-backups", prefix)


# --- SAS ------------------------------------------------------------------------------------------------------------


def test_a_sas_says_when_it_ends_and_what_it_allows() -> None:
    """With or without the question mark; a stored policy may keep both to itself."""
    sas = parse_sas("?" + SAS, path="offsite.key")
    assert sas.token == SAS
    assert (sas.expires, sas.permissions) == (datetime(2027, 6, 1, tzinfo=timezone.utc), "rcwl")
    assert SIGNATURE not in repr(sas)
    stored = parse_sas(f"sv=1&si=policy&sig={SIGNATURE}", path="offsite.key")
    assert (stored.expires, stored.permissions) == (None, None)
    assert check_sas(stored, NOW) == []
    assert sas_from(SAS.encode() + b"\r\n", name="the new SAS").token == SAS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "planted",
        f"{URL}/c?{SAS}",
        "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=planted==",
        SAS.replace("sig=", "gis="),
        SAS.replace("sv=", "vs="),
        SAS + "&se=2030-01-01",
        SAS.replace("se=2027-06-01T00:00:00Z", "se=soon-planted"),
        SAS.replace("&sp=rcwl", ""),
        SAS.replace("&se=2027-06-01T00:00:00Z", ""),
    ],
)
def test_what_is_no_sas_is_refused_and_not_quoted(text: str) -> None:
    """A whole URL, a connection string, half of one."""
    with pytest.raises(OffsiteKeyUnusable) as raised:
        parse_sas(text, path="offsite.key")
    told = f"{raised.value.message} {raised.value.facts}"
    assert "planted" not in told
    assert raised.value.__cause__ is None


def test_the_file_holds_the_sas_alone(tmp_path: Path) -> None:
    """Missing, or something else, is told as what it is here and not as a database password."""
    path = tmp_path / "offsite.key"
    with pytest.raises(OffsiteKeyUnusable):
        read_sas(str(path))
    path.write_text("planted words")
    with pytest.raises(OffsiteKeyUnusable) as raised:
        read_sas(str(path))
    assert "planted" not in raised.value.message
    path.write_text(SAS + "\n")
    assert read_sas(str(path)).token == SAS


def test_what_can_be_no_key_is_no_sas() -> None:
    """The rules of db.key: UTF-16, quotes."""
    for data in (SAS.encode("utf-16"), f"'{SAS}'".encode(), b""):
        with pytest.raises(OffsiteKeyUnusable):
            sas_from(data, name="the new SAS")


@pytest.mark.parametrize(
    ("expires", "warned"),
    [("2026-12-01T12:00:01Z", True), ("2026-12-14", True), ("2026-12-15T12:00Z", False), ("2027-01-01", False)],
)
def test_a_sas_that_ends_soon_is_told(expires: str, warned: bool) -> None:
    """Two weeks before."""
    sas = parse_sas(SAS.replace("2027-06-01T00:00:00Z", expires), path="k")
    assert bool(check_sas(sas, NOW)) is warned


def test_a_sas_that_has_ended_or_does_not_suffice_asks_nobody() -> None:
    """To the second."""
    with pytest.raises(OffsiteUnauthorised, match="ended"):
        check_sas(parse_sas(SAS.replace("2027-06-01T00:00:00Z", "2026-12-01T12:00:00Z"), path="k"), NOW)
    with pytest.raises(OffsiteUnauthorised, match="write, list"):
        check_sas(parse_sas(SAS.replace("rcwl", "rc"), path="k"), NOW)


def test_a_sas_that_may_delete_is_warned_of() -> None:
    """It would undo what an offsite copy is for."""
    (warning,) = check_sas(parse_sas(SAS.replace("rcwl", "rcwldx"), path="k"), NOW)
    assert "delete, delete versions" in warning


# --- blocks ---------------------------------------------------------------------------------------------------------


@given(st.integers(min_value=0, max_value=200 << 40))
def test_every_file_fits_into_the_blocks_that_a_blob_may_have(size: int) -> None:
    """And no block is larger than it need be."""
    block = block_size(size)
    assert size <= block * MOST_BLOCKS
    assert block == SMALLEST or size > block // 2 * MOST_BLOCKS


@given(st.lists(st.binary(max_size=50)), st.integers(min_value=1, max_value=30))
def test_blocks_are_the_stream(chunks: List[bytes], size: int) -> None:
    """In order, each but the last of that size, none empty."""
    blocks = list(in_blocks(chunks, size))
    assert b"".join(blocks) == b"".join(chunks)
    assert all(len(block) == size for block in blocks[:-1])
    assert all(0 < len(block) <= size for block in blocks)


@given(st.integers(min_value=0, max_value=MOST_BLOCKS), st.binary(max_size=20), st.binary(max_size=20))
def test_a_blocks_name_is_its_place_and_content(number: int, content: bytes, other: bytes) -> None:
    """All names are of one length, which Azure wants, and at most 64 bytes."""
    name = block_id(number, content)
    assert len(name) == len(block_id(0, b"")) <= 64
    assert (name == block_id(number, other)) == (content == other)
    assert name != block_id(number + 1, content)


# --- patience -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tried", "asked", "expected"),
    [
        (1, None, 1),
        (2, None, 2),
        (4, None, 8),
        (5, None, 10),
        (1, 7.0, 7),
        (2, 1.0, 2),
        (1, 10.5, None),
        (6, None, None),
    ],
)
def test_the_wait_doubles_and_is_never_shorter_than_azure_asks(
    tried: int, asked: Optional[float], expected: Optional[float]
) -> None:
    """Who asks for more than the longest is not waited for."""
    assert wait_before_next(tried, asked, Patience(tries=6, first=1, longest=10)) == expected


@pytest.mark.parametrize("error", [OffsiteBusy, OffsiteUnreachable])
def test_what_may_pass_is_tried_again_and_in_the_end_told_with_how_often(error: type) -> None:
    """The waits are those that were decided."""
    waits: List[float] = []
    answers: List[Any] = [error("no", retry_after=3.0), error("no"), 42]

    def call() -> int:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return int(answer)

    assert patiently(call, patience=Patience(tries=3), pause=waits.append) == 42
    assert waits == [3.0, 2.0]
    answers[:] = [error("no", retry_after=3.0)] * 9
    with pytest.raises(error, match=r"no \(tried 3 times; Azure asks to come back in 3 s\)") as raised:
        patiently(call, patience=Patience(tries=3), pause=waits.append)
    assert raised.value.facts["tries"] == 3


def test_what_does_not_pass_is_not_tried_again() -> None:
    """And who is to stop while it waits stops."""
    calls: List[int] = []

    def refuse() -> None:
        calls.append(1)
        raise OffsiteUnauthorised("no")

    with pytest.raises(OffsiteUnauthorised):
        patiently(refuse, patience=Patience(), pause=lambda _seconds: None)
    assert calls == [1]

    def busy() -> None:
        raise OffsiteBusy("no")

    def stop(_seconds: float) -> None:
        raise Cancelled("the job was asked to stop")

    with pytest.raises(Cancelled):
        patiently(busy, patience=Patience(), pause=stop)


# --- names of failures ----------------------------------------------------------------------------------------------


class Answer(Exception):
    """What the SDK raises, as far as we look at it."""

    def __init__(self, status: Optional[int] = None, code: str = "", text: str = "", after: str = "") -> None:
        super().__init__(text)
        self.status_code = status
        self.error_code = code
        self.response = type("Response", (), {"headers": {"Retry-After": after} if after else {}})()


class SSLError(Exception):
    """Of the ssl module, by its name."""


class CredentialUnavailableError(Exception):
    """Of azure-identity, by its name."""


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(401), OffsiteUnauthorised),
        (Answer(403, "AuthenticationFailed"), OffsiteUnauthorised),
        (Answer(403, "AuthorizationFailure"), OffsiteUnauthorised),
        (CredentialUnavailableError("no identity"), OffsiteUnauthorised),
        (Answer(404, "ContainerNotFound"), OffsiteContainerMissing),
        (Answer(409, "ContainerBeingDeleted"), OffsiteContainerMissing),
        (Answer(404), OffsiteContainerMissing),
        (Answer(404, "BlobNotFound"), OffsiteRejected),
        (Answer(408), OffsiteBusy),
        (Answer(429), OffsiteBusy),
        (Answer(500, "InternalError"), OffsiteBusy),
        (Answer(503, "ServerBusy"), OffsiteBusy),
        (Answer(400, "Md5Mismatch"), OffsiteBusy),
        (Answer(409, "BlobArchived"), OffsiteRejected),
        (Answer(400, "InvalidHeaderValue"), OffsiteRejected),
        (Answer(301), OffsiteRejected),
        (Answer(text="connection reset"), OffsiteUnreachable),
        (SSLError("bad"), OffsiteTlsFailed),
        (Answer(text="[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"), OffsiteTlsFailed),
    ],
)
def test_every_answer_has_a_name(answer: Exception, expected: type) -> None:
    """And Azure's own code among its facts."""
    error = failures.named(answer, "the place")
    assert type(error) is expected
    assert error.facts["azure_code"] == (failures.azure_code(answer) or None)
    assert "the place" in error.message


def test_tls_is_found_at_the_bottom() -> None:
    """Also where a package in between wraps it, and not without end."""
    outer = Answer(text="failed")
    outer.inner_exception = SSLError("bad")  # type: ignore[attr-defined]
    assert isinstance(failures.named(outer, "p"), OffsiteTlsFailed)
    ring = Answer(text="failed")
    ring.inner_exception = ring  # type: ignore[attr-defined]
    assert isinstance(failures.named(ring, "p"), OffsiteUnreachable)


@pytest.mark.parametrize(
    ("text", "seconds"), [("12", 12.0), ("", None), ("soon", None), ("-3", None), ("9" * 10, None), ("٣", None)]
)
def test_retry_after_is_whole_seconds(text: str, seconds: Optional[float]) -> None:
    """As Azure tells it."""
    assert failures.retry_after(Answer(429, after=text)) == seconds
    assert failures.retry_after(ValueError()) is None


@pytest.mark.parametrize(
    "text",
    [
        f"Max retries exceeded with url: /backups/x.zip?comp=block&sig={SIGNATURE} (Caused by ...)",
        f"HTTPSConnectionPool: url 'https://h/x?{SAS}' failed",
        f"sig={SIGNATURE}&sv=1",
        "Authorization: Bearer planted.token.here",
        "SharedKey account:planted",
        '{"access_token": "planted"}',
        "AccountKey=planted;x",
        f"next=%2Fx%26sig%3D{SIGNATURE}",
    ],
)
def test_nobody_elses_words_carry_a_secret(text: str) -> None:
    """However it is written."""
    told = failures.named(Answer(text=text), "p").message
    assert "planted" not in told
    assert SIGNATURE not in told


def test_long_words_are_cut_and_no_words_are_a_class() -> None:
    """One line that fits a screen."""
    assert len(failures.named(Answer(text="x" * 5000), "p").message) < 400
    assert "Answer" in failures.named(Answer(), "p").message


def test_what_is_there_changed_or_absent_is_told_apart() -> None:
    """By status and code."""
    assert failures.is_absent(Answer(404, "BlobNotFound"))
    assert not failures.is_absent(Answer(404, "ContainerNotFound"))
    assert not failures.is_absent(Answer(403))
    assert failures.is_changed(Answer(412))
    assert failures.is_taken(Answer(409, "BlobAlreadyExists"))
    assert failures.is_taken(Answer(409, "BlobImmutableDueToPolicy"))
    assert failures.is_taken(Answer(403, "UnauthorizedBlobOverwrite"))
    assert failures.is_taken(Answer(412))
    assert not failures.is_taken(Answer(409, "LeaseIdMissing"))
    assert not failures.is_of_azure(ValueError())
    assert failures.is_of_azure(type("Error", (Exception,), {"__module__": "azure.core.exceptions"})())


# --- protection -----------------------------------------------------------------------------------------------------

BLOB = Blob("x", 1, '"1"')
OPEN = ContainerFacts(immutability_policy=False, legal_hold=False, version_level_immutability=False)


@pytest.mark.parametrize(
    ("blob", "container", "told", "warned"),
    [
        (BLOB, None, "", "may not see"),
        (BLOB, OPEN, "", "nothing keeps"),
        (replace(BLOB, version_id="v"), OPEN, "", "the account keeps versions"),
        (replace(BLOB, immutable_until=NOW, immutability_mode="locked"), OPEN, "", "ended on 2026-12-01"),
        (
            replace(BLOB, immutable_until=NOW + timedelta(days=30), immutability_mode="locked"),
            None,
            "immutable until 2026-12-31 (locked)",
            "",
        ),
        (
            replace(BLOB, immutable_until=NOW + timedelta(days=30), immutability_mode="unlocked"),
            None,
            "immutable until 2026-12-31 (unlocked)",
            "may lift it",
        ),
        (
            replace(BLOB, immutable_until=NOW + timedelta(days=30)),
            None,
            "immutable until 2026-12-31 (of an unknown mode)",
            "of an unknown mode",
        ),
        (replace(BLOB, legal_hold=True), OPEN, "a legal hold", ""),
        (BLOB, replace(OPEN, immutability_policy=True), "an immutability policy of the container", ""),
        (BLOB, replace(OPEN, legal_hold=True), "a legal hold of the container", ""),
    ],
)
def test_what_protects_a_copy_is_told_and_what_does_not_is_warned_of(
    blob: Blob, container: Optional[ContainerFacts], told: str, warned: str
) -> None:
    """Nothing is taken for protection that the same rights could lift."""
    found = protection_of(blob, container, NOW)
    assert found.told == told
    assert (warned in " ".join(found.warnings)) if warned else not found.warnings


# --- the plan -------------------------------------------------------------------------------------------------------

OLD, MIDDLE, NEW = (artifact_of_run(f"2026112{day}-120000-0000aaaa", "wst-backup") for day in (1, 2, 3))
MONTH = timedelta(days=30)


def a_set(artifact: ArtifactName, sha256: str = "aa") -> BackupSet:
    """A set that counts."""
    sidecar = Sidecar(artifact.zip, 10, sha256, "bb", level=3, run_id="r")
    return BackupSet(artifact, COMPLETE, True, "", 10, sidecar)


def a_copy(artifact: ArtifactName, **changes: Any) -> Copy:
    """What is known of it."""
    copy = Copy(
        artifact=artifact.stem,
        place="p",
        zip=Known(artifact.zip, 10, "aa", '"1"'),
        sidecar=Known(artifact.sidecar, 5, "cc", '"2"', "v1"),
        uploaded_at=NOW - MONTH,
        verified_at=NOW - timedelta(days=1),
    )
    return replace(copy, **changes)


def blobs_of(*artifacts: ArtifactName, etag: str = '"1"') -> Dict[str, Blob]:
    """The blobs that stand there."""
    found = {each.zip: Blob(each.zip, 10, etag) for each in artifacts}
    return {**found, **{each.sidecar: Blob(each.sidecar, 5, '"2"') for each in artifacts}}


def planned(
    sets: List[BackupSet], known: Dict[ArtifactName, Copy], there: Dict[str, Blob], every: timedelta = MONTH
) -> Dict[str, List[ArtifactName]]:
    """The plan by names."""
    found = plan(sets, known, there, now=NOW, reread_every=every)
    lists = {"bring": [each.artifact for each in found.bring], "reread": found.reread}
    lists.update(present=found.present, gone=found.gone)
    return {name: each for name, each in lists.items() if each}


def test_sets_that_are_not_there_are_brought_and_the_others_looked_at() -> None:
    """Also a copy whose set is no longer on the host."""
    known = {OLD: a_copy(OLD), MIDDLE: a_copy(MIDDLE)}
    there = blobs_of(OLD, MIDDLE)
    assert planned([a_set(NEW), a_set(MIDDLE)], known, there) == {"bring": [NEW], "present": [MIDDLE, OLD]}
    assert planned([a_set(NEW)], {}, {}) == {"bring": [NEW]}


@pytest.mark.parametrize(
    ("copy", "there", "every"),
    [
        (a_copy(OLD), blobs_of(OLD, etag='"9"'), MONTH),
        (a_copy(OLD, sidecar=Known(OLD.sidecar, 5, "cc", '"8"')), blobs_of(OLD), MONTH),
        (a_copy(OLD, zip=Known(OLD.zip, 11, "aa", '"1"')), blobs_of(OLD), MONTH),
        (a_copy(OLD, problem="it was wrong"), blobs_of(OLD), MONTH),
        (a_copy(OLD, verified_at=NOW - MONTH), blobs_of(OLD), MONTH),
        (a_copy(OLD, verified_at=NOW + timedelta(seconds=1)), blobs_of(OLD), MONTH),
        (a_copy(OLD), blobs_of(OLD), timedelta(0)),
    ],
    ids=["zip touched", "sidecar touched", "another size", "it was wrong", "due", "in the future", "each time"],
)
def test_what_may_have_changed_or_is_due_is_read_back(copy: Copy, there: Dict[str, Blob], every: timedelta) -> None:
    """A problem stays until a reading finds it gone."""
    assert planned([], {OLD: copy}, there, every) == {"reread": [OLD]}


def test_a_copy_that_is_gone_is_told_once_and_brought_again_where_the_set_is_still_here() -> None:
    """The ZIP or the sidecar alone is as good as nothing."""
    known = {OLD: a_copy(OLD)}
    half = {OLD.zip: blobs_of(OLD)[OLD.zip]}
    assert planned([], known, {}) == {"gone": [OLD]}
    assert planned([], known, half) == {"gone": [OLD]}
    assert planned([], {OLD: a_copy(OLD, problem=GONE)}, half) == {}
    assert planned([a_set(OLD)], known, {}) == {"gone": [OLD], "bring": [OLD]}
    assert planned([], {OLD: a_copy(OLD, problem=GONE)}, blobs_of(OLD)) == {"reread": [OLD]}


def test_a_copy_of_another_set_of_that_name_is_held_against_this_one() -> None:
    """It is not taken for this one's because of its name."""
    known = {OLD: a_copy(OLD)}
    assert planned([a_set(OLD, sha256="ff")], known, blobs_of(OLD)) == {"bring": [OLD]}


def test_only_the_newest_or_all_of_them() -> None:
    """The newest first."""
    sets = [a_set(OLD), a_set(NEW), a_set(MIDDLE)]
    assert [each.artifact for each in wanted(sets, "all")] == [NEW, MIDDLE, OLD]
    assert [each.artifact for each in wanted(sets, NEWEST)] == [NEW]
    assert wanted([], NEWEST) == []


# --- records --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("copy", [a_copy(OLD), a_copy(OLD, problem="x", immutable_until=NOW, protection="a hold")])
def test_a_record_comes_back_as_it_was(copy: Copy) -> None:
    """With and without what may be missing."""
    assert parse_copy(copy_body(copy), name="r") == copy


@pytest.mark.parametrize("change", [{"schema_version": 2}, {"zip": {}}, {"uploaded_at": "x"}, {"sidecar": None}])
def test_what_is_no_record_is_refused(change: Dict[str, Any]) -> None:
    """By name."""
    with pytest.raises(RecordDamaged):
        parse_copy({**copy_body(a_copy(OLD)), **change}, name="r")


def test_every_failure_here_leaves_the_local_sets_alone() -> None:
    """The remedies say what to do, and none of them says to delete."""
    for error in (OffsiteBusy, OffsiteUnreachable, OffsiteUnauthorised):
        assert issubclass(error, BackupError)
        assert "delete" not in error.remedy
