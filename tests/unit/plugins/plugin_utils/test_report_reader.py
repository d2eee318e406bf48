# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report's document is read as its schema says, or refused with the place."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tools.pages.fleet import fleet

from ansible_collections.wst.backup.plugins.plugin_utils._errors import ReportInvalid
from ansible_collections.wst.backup.plugins.plugin_utils._report_schema import fleet_from

DOCUMENT = fleet(seed=5, hosts=11, days=8, runs_a_day=2)
OPTIONAL = {
    *("environment", "known_at", "turns_at", "error", "exemption", "artifact", "code", "bytes", "seconds", "at"),
    *("age_seconds", "rto_seconds", "rpo_seconds", "newest_at", "oldest_at", "free_bytes", "total_bytes"),
    *("full_in_days", "turns_why", "command", "layer", "evidence"),
}
PASSED_OVER = {"files", "rows", "duration_by_step"}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything in the document, but not of what stands within what is passed over."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] + [each for key, part in inner if key not in PASSED_OVER for each in places(part, (*path, key))]


PLACES = places(DOCUMENT)[1:]


def changed(path: tuple[Any, ...], value: Any, *, remove: bool = False) -> dict[str, Any]:
    document = copy.deepcopy(DOCUMENT)
    at: Any = document
    for key in path[:-1]:
        at = at[key]
    if remove:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return document


def test_what_the_generator_makes_is_read_whole() -> None:
    read = fleet_from(DOCUMENT)
    assert [host.name for host in read.hosts] == [host["name"] for host in DOCUMENT["hosts"]]
    assert [len(host.runs) for host in read.hosts] == [16] * 11
    assert read.hosts[7].error is not None
    assert read.hosts[9].requirements[2].exemption is not None
    assert read.hosts[0].runs[0].at.isoformat() == "2026-11-23T02:00:00+00:00"


@settings(max_examples=60)
@given(
    st.sampled_from(PLACES), st.sampled_from([[], {}, -1, True, float("nan"), float("inf"), "x", 1.5, [1], {"a": "b"}])
)
def test_a_wrong_value_is_refused_with_its_place_or_read(path: tuple[Any, ...], value: Any) -> None:
    refused = refusal(changed(path, value))
    if refused is not None:
        place = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")
        found = refused.facts["place"]
        assert found == place or found.startswith((f"{place}.", f"{place}[")) or place.startswith(found)


def refusal(document: dict[str, Any]) -> ReportInvalid | None:
    try:
        fleet_from(document)
    except ReportInvalid as error:
        return error
    return None


@settings(max_examples=60)  # each reads the document of a whole fleet
@given(st.sampled_from([path for path in PLACES if isinstance(path[-1], str)]))
def test_what_is_missing_is_refused_unless_it_may_be(path: tuple[Any, ...]) -> None:
    for document in (changed(path, None, remove=True), changed(path, None)):
        may_be = path[-1] in OPTIONAL and not (path[-1] in ("layer",) and "layers" in path)
        may_be = may_be and not (path[-1] == "at" and "evidence" not in path)
        may_be = may_be and not (path[-1] == "evidence" and "requirements" in path)
        may_be = may_be and not (path[-1] == "bytes" and "layers" in path)
        if may_be:
            fleet_from(document)
        else:
            with pytest.raises(ReportInvalid):
                fleet_from(document)


@pytest.mark.parametrize("document", [None, [], "x", {}, {"schema": 2}, {**DOCUMENT, "schema": 2}])
def test_another_document_is_refused(document: Any) -> None:
    with pytest.raises(ReportInvalid):
        fleet_from(document)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-30",
        "2026-11-30T14:00:00",
        "2026-11-30T14:00:00+00:00",
        "2026-13-30T14:00:00Z",
        "2026-11-30 14:00:00Z",
        5,
    ],
)
def test_only_times_in_utc_are_times(text: Any) -> None:
    with pytest.raises(ReportInvalid, match="made must be a time like"):
        fleet_from({**DOCUMENT, "made": text})


def test_the_message_says_place_wish_and_finding() -> None:
    with pytest.raises(ReportInvalid) as caught:
        fleet_from(changed(("hosts", 3, "runs", 7, "bytes"), "many"))
    assert caught.value.message == "hosts[3].runs[7].bytes must be a number, zero or more and is 'many'"
    with pytest.raises(ReportInvalid, match="is missing"):
        fleet_from(changed(("hosts", 3, "name"), None, remove=True))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("hosts", 0, "reached"), "yes"),
        (("hosts", 0, "verdict"), ["compliant"]),
        (("hosts", 0, "runs"), {}),
        (("hosts", 0, "runs", 0), None),
        (("hosts", 0, "runs", 0, "bytes"), 1.5),
        (("hosts", 0, "runs", 0, "seconds"), -1),
        (("hosts", 0, "runs", 0, "seconds"), True),
        (("hosts", 0, "runs", 0, "seconds"), float("nan")),
        (("hosts", 0, "requirements", 0, "warnings"), [1]),
        (("hosts", 0, "environment"), 7),
        (("hosts", 0, "error"), "text"),
    ],
)
def test_each_kind_of_field_has_its_refusal(path: tuple[Any, ...], value: Any) -> None:
    assert refusal(changed(path, value)) is not None
