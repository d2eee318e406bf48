# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which volume may be the mirror, and which sets go there: decisions over facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Dict, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wst.backup.plugins.module_utils._mirror.marker import Marker
from ansible_collections.wst.backup.plugins.module_utils._mirror.selection import select
from ansible_collections.wst.backup.plugins.module_utils._mirror.volume import ACCEPTABLE, Tolerance, judge_volume
from ansible_collections.wst.backup.plugins.module_utils._names import ArtifactName
from ansible_collections.wst.backup.plugins.module_utils._platform.api import Volume
from ansible_collections.wst.backup.plugins.module_utils._retention.plan import Candidate, Policy, plan
from ansible_collections.wst.backup.plugins.module_utils._sets.catalog import BackupSet, Catalog, Foreign
from ansible_collections.wst.backup.plugins.module_utils._sets.files import MIRROR
from ansible_collections.wst.backup.plugins.module_utils._sets.sidecar import Sidecar
from ansible_collections.wst.backup.plugins.module_utils._sets.state import SetState, Verified
from ansible_collections.wst.backup.tests.unit.plugins.module_utils._sets.layers import NOW

C = Volume(
    id="\\\\?\\Volume{c}\\",
    root="C:\\",
    filesystem="NTFS",
    label="System",
    kind="fixed",
    disk="0",
    bus="sata",
    read_only=False,
    compressed=False,
    locked=False,
    total=10**12,
    free=10**11,
)
D = replace(C, id="\\\\?\\Volume{d}\\", root="D:\\", label="Backup", disk="1", bus="usb")
MARKER = Marker(str(D.id), NOW, "host", "wst-backup")


def codes(volume: Volume, **options: Any) -> List[str]:
    """The problems' codes."""
    arguments: Dict[str, Any] = {"expected_id": D.id, "marker": MARKER, "source_volume": C, **options}
    return [problem.code for problem in judge_volume(volume, **arguments).problems]


def test_a_fit_volume_has_no_problem_and_no_warning() -> None:
    """An external NTFS drive; USB drives say that they are fixed, and are welcome."""
    judgement = judge_volume(D, expected_id=D.id, marker=MARKER, source_volume=C, needed=10**11)
    assert (judgement.problems, judgement.warnings) == ((), ())
    assert codes(D, expected_id=None, marker=None) == []
    assert codes(D, expected_id=str(D.id).upper()) == []


@pytest.mark.parametrize(
    "change",
    [
        {"id": "\\\\?\\Volume{e}\\"},
        {"id": None},
        {"disk": "0"},
        {"disk": "1+0"},
        {"disk": ""},
        {"kind": "removable"},
        {"kind": "remote"},
        {"kind": "optical"},
        {"kind": "ram"},
        {"label": "Temporary Storage"},
        {"label": " temporary storage"},
        {"filesystem": "FAT32"},
        {"filesystem": "FAT"},
        {"filesystem": "vfat"},
        {"read_only": True},
        {"compressed": True},
        {"locked": True},
    ],
)
def test_a_volume_that_must_not_be_the_mirror(change: Dict[str, Any]) -> None:
    """Each of them alone is enough, and accepting unknown facts does not help a bad one."""
    wrong = replace(D, **change)
    assert set(codes(wrong)) == {"mirror_wrong_volume"}
    if change not in ({"disk": ""},):
        assert set(codes(wrong, tolerance=Tolerance(frozenset(ACCEPTABLE)))) == {"mirror_wrong_volume"}


def test_the_source_itself_is_no_mirror() -> None:
    """Whatever the disks say: the same volume is the same disk."""
    same = replace(C, disk=None)
    assert "mirror_wrong_volume" in codes(same, expected_id=C.id, marker=None, tolerance=Tolerance(frozenset(["disk"])))


def test_the_temporary_disks_readme() -> None:
    """Azure writes it there."""
    assert codes(D, temporary_readme=True) == ["mirror_wrong_volume"]


def test_another_marker() -> None:
    """The right id in the inventory does not help."""
    assert codes(D, marker=replace(MARKER, volume_id="x")) == ["mirror_wrong_volume"]


@pytest.mark.parametrize(("free", "expected"), [(99, ["no_space"]), (100, []), (None, [])])
def test_space(free: int, expected: List[str]) -> None:
    """Before a byte is written."""
    assert codes(replace(D, free=free), needed=100) == expected


@pytest.mark.parametrize("fact", ACCEPTABLE)
def test_an_unknown_fact_is_wrong_until_it_is_accepted_by_name(fact: str) -> None:
    """And then it is a warning, every time."""
    unknown = replace(D, **{fact: None})
    assert codes(unknown) == ["mirror_wrong_volume"]
    others = frozenset(ACCEPTABLE) - {fact}
    assert codes(unknown, tolerance=Tolerance(others)) == ["mirror_wrong_volume"]
    judgement = judge_volume(
        unknown, expected_id=D.id, marker=MARKER, source_volume=C, tolerance=Tolerance(frozenset([fact]))
    )
    assert judgement.problems == ()
    assert [fact in warning for warning in judgement.warnings] == [True]


def test_the_same_disk_is_accepted_by_its_own_option_only() -> None:
    """A lab's."""
    same = replace(D, disk="0")
    assert codes(same, tolerance=Tolerance(frozenset(ACCEPTABLE))) == ["mirror_wrong_volume"]
    judgement = judge_volume(
        same, expected_id=D.id, marker=MARKER, source_volume=C, tolerance=Tolerance(same_disk=True)
    )
    assert judgement.problems == ()
    assert "allow_same_disk" in judgement.warnings[0]


def test_every_problem_at_once() -> None:
    """So that a person drives to the host once."""
    worst = replace(D, id="x", disk="0", kind="ram", filesystem="FAT32", label=None, read_only=True, free=0)
    assert len(codes(worst, needed=1)) == 8


# --- selection ------------------------------------------------------------------------------------------------------


def a_set(age_days: int, *, sound: bool = True, sha256: str = "aa", **more: Any) -> BackupSet:
    """A complete set."""
    time = NOW - timedelta(days=age_days)
    name = ArtifactName(time=time, stem="wst-backup-" + time.strftime("%Y%m%d-%H%M%S"))
    sidecar = Sidecar(name.zip, 10, sha256, "mm", 3, "run")
    verified = Verified(NOW, "run", 3, sha256) if sound else None
    values: Dict[str, Any] = {
        "artifact": name,
        "status": "complete",
        "sound": sound,
        "reason": "" if sound else "doubt",
        "size": 10,
        "sidecar": sidecar,
        "state": SetState(name.stem, MIRROR, verified=verified),
        **more,
    }
    return BackupSet(**values)


def ages(sets: List[BackupSet]) -> List[int]:
    """Their ages in days."""
    return [(NOW - s.artifact.time).days for s in sets]


def catalog(*sets: BackupSet, foreign: List[str] = []) -> Catalog:  # noqa: B006 - never changed
    """A layer."""
    ordered = sorted(sets, key=lambda s: s.artifact, reverse=True)
    return Catalog(tuple(ordered), tuple(Foreign(name, 1, "it has no sidecar of ours") for name in foreign))


def test_this_runs_set_first_then_newest_first() -> None:
    """A short window must not go by with old sets."""
    source = catalog(a_set(0), a_set(1), a_set(2))
    chosen = select(source, catalog(), policy=Policy(), now=NOW, first=a_set(1).artifact)
    assert ages(chosen.copy) == [1, 0, 2]


def test_only_what_counts_and_is_missing_and_would_be_kept() -> None:
    """Everything has its place."""
    source = catalog(*(a_set(n) for n in range(20)), a_set(30, sound=False))
    target = catalog(a_set(0), a_set(1, sound=False), a_set(2, sound=False, status="damaged"))
    chosen = select(source, target, policy=Policy(), now=NOW, first=None)
    assert ages(chosen.present) == [0]
    assert ages(chosen.reread) == [1]
    assert ages(chosen.damaged) == [2]
    assert ages(chosen.copy) == list(range(3, 15))
    assert len(chosen.skipped) == 5
    assert all("would not keep it" in reason for reason in chosen.skipped.values())
    assert chosen.conflicts == []


@pytest.mark.parametrize(
    "there",
    [
        catalog(a_set(3, sha256="bb")),
        catalog(a_set(3, sha256="bb", sound=False, status="damaged")),
        catalog(a_set(3, sound=False, status="unfinished")),
        catalog(a_set(3, sound=False, status="unfinished", size=None)),
        catalog(a_set(3, sound=False, status="unfinished", sidecar=None)),
        catalog(foreign=[a_set(3).artifact.zip]),
        catalog(foreign=[a_set(3).artifact.zip.upper()]),
    ],
)
def test_a_taken_name_is_a_conflict_and_is_left_alone(there: Catalog) -> None:
    """Named, untouched, and no obstacle to the other sets."""
    chosen = select(catalog(a_set(3), a_set(4)), there, policy=Policy(), now=NOW, first=None)
    assert [conflict.code for conflict in chosen.conflicts] == ["mirror_mismatch"]
    assert ages(chosen.copy) == [4]


def test_a_leftover_without_final_names_is_no_conflict() -> None:
    """A partial of a dead run."""
    left = a_set(3, sound=False, status="unfinished", size=None, sidecar=None)
    chosen = select(catalog(a_set(3)), catalog(left), policy=Policy(), now=NOW, first=None)
    assert ages(chosen.copy) == [3]


@pytest.mark.parametrize("gone", [{"size": None}, {"sidecar": None}, {}])
def test_a_damaged_copy_is_said_and_not_copied_over(gone: Dict[str, Any]) -> None:
    """It is for the repair, which looks at both."""
    there = a_set(3, sound=False, status="damaged", **gone)
    chosen = select(catalog(a_set(3), a_set(4)), catalog(there), policy=Policy(), now=NOW, first=None)
    assert (ages(chosen.damaged), ages(chosen.copy), chosen.conflicts) == ([3], [4], [])


def test_suspect_sets_are_mirrored_whatever_the_policy_says() -> None:
    """Retention never removes them, so the two cannot chase each other; and one that is there is there."""
    source = catalog(*(a_set(n) for n in range(20)), *(a_set(n, status="suspect") for n in (40, 41)))
    target = catalog(*(a_set(n) for n in range(20)), a_set(41, status="suspect"))
    chosen = select(source, target, policy=Policy(), now=NOW, first=None)
    assert ages(chosen.copy) == [40]
    assert 41 in ages(chosen.present)


POLICIES = st.builds(
    lambda low, more, daily: Policy(keep_min=low, keep_max=low + more, keep_daily=daily),
    st.integers(1, 5),
    st.integers(0, 5),
    st.integers(0, 3),
)


@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)), POLICIES)
def test_mirror_and_retention_do_not_chase_each_other(here: set[int], there: set[int], policy: Policy) -> None:
    """Nothing that was just copied is removed, and after retention there is nothing to copy again."""
    source = catalog(*(a_set(n) for n in here))
    chosen = select(source, catalog(*(a_set(n) for n in there)), policy=policy, now=NOW, first=None)
    copied = set(ages(chosen.copy))
    assert copied <= here - there
    after = [Candidate(a_set(n).artifact, True) for n in there | copied]
    gone = {(NOW - a.time).days for a in plan(after, policy, NOW).removals}
    assert not gone & copied
    left = catalog(*(a_set(n) for n in (there | copied) - gone))
    assert select(source, left, policy=policy, now=NOW, first=None).copy == []
