# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``roles/backup/files/check_artifact.py`` says of every file what ``backup_verify`` says, and shares no code with it.

The fuzzer (``make fuzz``, and the gate of that name) holds the two against each other as well.
"""

from __future__ import annotations

import ast
import json
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tools.proof import bits, checker, corpus, hostile_ours, hostile_zip, mutate
from tools.proof.artifact import STEM, Artifact, small
from tools.proof.case import PROVED, RECORD, Case
from tools.proof.zipbytes import parse

CASES = list(corpus.cases())
SWELLING = [case for case in CASES if case.name.startswith(corpus.SWELLING)]
ARCHIVES = [parse(small(streamed=False).zip), hostile_zip.two(), hostile_zip.later()]
GOLDEN = Path(__file__).parents[3] / "golden"
NEWER = "sidecar/newer-schema"  # there the check says that it cannot tell, where the verification has one name for all


def wrong(case: Case, code: int, reasons: list[str]) -> str:
    """What is wrong with the check's answer; empty where nothing is."""
    wanted = checker.CANNOT_TELL if case.name == NEWER else checker.exit_of(case.code)
    if code != wanted or bool(reasons) != (code != checker.PROVEN):
        return f"{code} instead of {wanted}: {reasons[:3]}"
    return f"{len(''.join(reasons))} characters" if len("".join(reasons)) >= 100_000 else ""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("case", [case for case in CASES if case not in SWELLING], ids=lambda case: case.name)
def test_it_says_of_every_hostile_file_what_the_verification_says(case: Case, tmp_path: Path) -> None:
    path = corpus.place(case, tmp_path)
    try:
        assert wrong(case, *checker.judged(str(path))) == ""
    finally:
        corpus.remove(path)


@pytest.mark.slow
@pytest.mark.posix  # children by fork, and /proc
@pytest.mark.timeout(300)
def test_of_what_might_swell_too_in_the_memory_that_the_verification_may_take(tmp_path: Path) -> None:
    complaints = {}
    for case in SWELLING:
        path = corpus.apart(lambda case=case: corpus.place(case, tmp_path))  # type: ignore[misc]
        answer, used = corpus.apart(lambda path=path: corpus.grown(lambda: checker.judged(str(path))))  # type: ignore[misc]
        corpus.remove(path)
        complaints[case.name] = wrong(case, *answer)
        if used > case.mib << 20:
            complaints[case.name] += f" {used >> 20} MiB of {case.mib}"
    assert len(complaints) > 80
    assert {name: complaint for name, complaint in complaints.items() if complaint} == {}


@pytest.mark.parametrize("path", sorted(GOLDEN.rglob("*.zip")), ids=lambda path: path.parent.name)
def test_golden_artifacts_are_proven_by_plain_python(path: Path) -> None:
    answer = run(path, "--json")
    verdict = json.loads(answer.stdout)
    assert (answer.returncode, verdict["verdict"], verdict["reasons"], verdict["remarks"]) == (0, "proven", [], [])
    assert verdict["sha256"] == json.loads(path.with_suffix(".manifest.json").read_text())["body"]["zip"]["sha256"]


@pytest.fixture(scope="module")
def artifact() -> Artifact:
    """A small one."""
    return small(streamed=False)


def opinions(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return checker.disagreement(str(path), corpus.verified(str(path)))


@pytest.mark.slow
@pytest.mark.posix
def test_they_agree_about_every_third_bit_of_the_structure_and_one_of_every_other_byte(
    artifact: Artifact, tmp_path: Path
) -> None:
    chance = random.Random(artifact.zip)
    meanings = bits.meanings_of(artifact.zip)
    contents = [place * 8 + chance.randrange(8) for place, what in enumerate(meanings) if what == "content"]
    chosen = [*list(bits.structural(artifact.zip))[chance.randrange(3) :: 3], *contents]
    findings = {bit: opinions(tmp_path / f"{STEM}.zip", bits.flipped(artifact.zip, bit)) for bit in chosen}
    assert len(findings) > 3000
    assert {bit: finding for bit, finding in findings.items() if finding} == {}


@pytest.mark.posix  # the code is the same on Windows, and thousands of files take wine minutes
@pytest.mark.slow
def test_no_flipped_bit_passes_beside_the_sidecar_or_in_it(artifact: Artifact, tmp_path: Path) -> None:
    path, sidecar = tmp_path / f"{STEM}.zip", tmp_path / f"{STEM}.manifest.json"
    sidecar.write_bytes(artifact.sidecar)
    for bit in range(3, len(artifact.zip) * 8, 29):
        path.write_bytes(bits.flipped(artifact.zip, bit))
        assert checker.judged(str(path))[0] != checker.PROVEN, bit
    path.write_bytes(artifact.zip)
    for bit in range(3, len(artifact.sidecar) * 8, 7):
        sidecar.write_bytes(bits.flipped(artifact.sidecar, bit))
        assert checker.judged(str(path))[0] == checker.REFUSED, bit


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(which=st.integers(0, len(ARCHIVES) - 1), chance=st.randoms(use_true_random=False))
def test_they_agree_about_mutants(tmp_path: Path, which: int, chance: object) -> None:
    data = mutate.mutated(ARCHIVES[which], chance)  # type: ignore[arg-type]
    assert opinions(tmp_path / "x.zip", data) == ""


def test_a_check_that_looks_away_is_a_disagreement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = next(case for case in CASES if case.name == "ours/planted")
    path = corpus.place(case, tmp_path)
    monkeypatch.setattr(checker.CHECK, "demand", lambda *arguments: None)
    assert "the independent check" in checker.disagreement(str(path), corpus.verified(str(path)))


def test_it_is_of_python_3_9_and_imports_the_standard_library_alone() -> None:
    tree = ast.parse(checker.SCRIPT.read_text(encoding="ascii"), feature_version=(3, 9))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names <= set(sys.stdlib_module_names)


# --- As an auditor runs it.


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-I", str(checker.SCRIPT), *map(str, arguments)]
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)


def put(directory: Path, artifact: Artifact) -> Path:
    path = directory / f"{STEM}.zip"
    path.write_bytes(artifact.zip)
    path.with_suffix(".manifest.json").write_bytes(artifact.sidecar)
    return path


def test_every_damaged_member_is_told_in_a_line_of_its_own(artifact: Artifact, tmp_path: Path) -> None:
    archive = parse(artifact.zip)
    for name in ("wst/index.html", "roles.sql"):
        part = archive.part(name)
        part.data = bytes([part.data[0] ^ 0x40]) + part.data[1:]
    path = tmp_path / "x.zip"
    path.write_bytes(archive.joined())
    answer = run(path)
    lines = answer.stdout.splitlines()
    assert answer.returncode == 1
    assert [line for line in lines if line.startswith("refused: ")] == lines[:2]
    assert "wst/index.html" in lines[0]
    assert "roles.sql" in lines[1]
    assert "REFUSED" in lines[-1]


def test_what_it_says_of_a_good_set_and_of_one_without_its_sidecar(artifact: Artifact, tmp_path: Path) -> None:
    path = put(tmp_path, artifact)
    answer = run(path)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "PROVEN" in answer.stdout
    assert "remark" not in answer.stdout
    path.with_suffix(".manifest.json").unlink()
    assert "remark: no sidecar" in run(path).stdout


def test_a_suspect_set_is_proven_and_told_to_be_suspect(artifact: Artifact, tmp_path: Path) -> None:
    path = put(tmp_path, artifact)
    body: Any = {**json.loads(artifact.sidecar)["body"], "suspect": ["rows fell"]}
    path.with_suffix(".manifest.json").write_bytes(hostile_ours.seal(body))
    answer = run(path)
    assert answer.returncode == 0
    assert "rows fell" in answer.stdout


def test_a_name_that_no_code_page_has_can_be_told(artifact: Artifact, tmp_path: Path) -> None:
    archive = parse(artifact.zip)
    archive.part("wst/ä/日.txt").crc ^= 1
    path = tmp_path / "ж.zip"
    path.write_bytes(archive.joined())
    answer = run(path)
    assert (answer.returncode, answer.stderr) == (1, "")
    assert answer.stdout.isascii()


def nothing(path: Path) -> None:
    """There is none."""


def mkfifo(path: Path) -> None:
    os.mkfifo(path)


PLACES: list[Any] = [
    pytest.param(nothing, id="missing"),
    pytest.param(Path.mkdir, id="directory"),
    pytest.param(mkfifo, id="pipe", marks=pytest.mark.posix),
    pytest.param(lambda path: path.symlink_to("/dev/zero"), id="device", marks=pytest.mark.posix),
    pytest.param(lambda path: path.symlink_to(path.name), id="loop", marks=pytest.mark.posix),
]


@pytest.mark.timeout(30)
@pytest.mark.parametrize("make", PLACES)
def test_what_is_no_file_is_not_waited_for(make: Callable[[Path], object], tmp_path: Path) -> None:
    make(tmp_path / "x.zip")
    answer = run(tmp_path / "x.zip")
    assert (answer.returncode, answer.stderr) == (2, "")
    assert "cannot tell" in answer.stdout


@pytest.mark.timeout(30)
@pytest.mark.parametrize("make", PLACES[1:])
def test_a_sidecar_that_is_no_file_is_no_proof(
    make: Callable[[Path], object], artifact: Artifact, tmp_path: Path
) -> None:
    (tmp_path / "x.zip").write_bytes(artifact.zip)
    make(tmp_path / "x.manifest.json")
    assert checker.judged(str(tmp_path / "x.zip"))[0] in (checker.REFUSED, checker.CANNOT_TELL)


def test_what_changes_while_it_is_read_is_no_proof(
    artifact: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path, artifact)
    whole = checker.CHECK.Check.prove_sidecar

    def meanwhile(check: Any, size: int) -> None:
        whole(check, size)
        with path.open("ab") as file:
            file.write(b"more")

    monkeypatch.setattr(checker.CHECK.Check, "prove_sidecar", meanwhile)
    code, reasons = checker.judged(str(path))
    assert code == checker.CANNOT_TELL
    assert "meanwhile" in reasons[0]


def test_usage_is_no_verdict() -> None:
    assert run().returncode == 2


def test_more_damage_than_a_screen_has_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(30):
            archive.writestr(f"{number}", b"content")
    path.write_bytes(path.read_bytes().replace(b"content", b"Content"))
    answer = run(path)
    assert answer.returncode == 1
    assert answer.stdout.count("refused: ") == 20
    assert "and 10 more" in answer.stdout


def test_the_corpus_has_what_two_readers_differed_about() -> None:
    assert {case.code for case in CASES if case.name == NEWER} == {RECORD}
    assert sum(case.code == PROVED for case in CASES) > 30
    assert list(GOLDEN.rglob("*.zip"))
