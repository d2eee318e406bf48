# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds: by living processes, of dead ones, and two that meet."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError, Locked
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._platform import api
from ansible_collections.wst.backup.plugins.module_utils._sets.holds import held_stems, holding

HOLDER = (
    "import sys; from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout\n"
    "from ansible_collections.wst.backup.plugins.module_utils._sets.holds import holding\n"
    "with holding(HostLayout(sys.argv[1]), 'wst-backup-20261123-120000'):\n"
    "    print('held', flush=True); sys.stdin.read()\n"
)


@pytest.fixture
def layout(tmp_path: Path) -> HostLayout:
    """A host root."""
    return HostLayout(str(tmp_path))


def test_nothing_is_held_where_nobody_reads(layout: HostLayout) -> None:
    assert held_stems(layout) == set()
    with holding(layout, "a"):
        pass
    assert held_stems(layout) == set()
    assert os.listdir(layout.holds_dir) == []


def test_several_may_hold_one_set(layout: HostLayout) -> None:
    """And each lets go of its own hold only."""
    with holding(layout, "a"):
        with holding(layout, "a"), holding(layout, "b"):
            assert held_stems(layout) == {"a", "b"}
        assert held_stems(layout) == {"a"}
    assert held_stems(layout) == set()


def fail_while_holding(layout: HostLayout) -> None:
    """A reader that meets a failure."""
    with holding(layout, "a"):
        raise LookupError


def test_a_failure_lets_go(layout: HostLayout) -> None:
    with pytest.raises(LookupError):
        fail_while_holding(layout)
    assert held_stems(layout) == set()


def test_a_process_that_dies_lets_go(layout: HostLayout) -> None:
    """However it dies: there is no time after which a hold is dead."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, layout.root],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"held"
        assert held_stems(layout) == {"wst-backup-20261123-120000"}
        holder.kill()
        holder.wait()
        assert held_stems(layout) == set()
    assert os.listdir(layout.holds_dir) == [], "what the dead one left was not removed"


def test_a_hold_whose_file_was_swept_before_it_was_locked_is_taken_anew(
    layout: HostLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep saw a file that nobody had locked yet."""
    real, left = api.FileLock.try_acquire, [2]

    def swept(lock: api.FileLock) -> bool:
        done = real(lock)
        left[0] -= 1
        if left[0] >= 0:
            os.unlink(lock.path)
        return done

    monkeypatch.setattr(api.FileLock, "try_acquire", swept)
    with holding(layout, "a"):
        monkeypatch.undo()
        assert held_stems(layout) == {"a"}


def test_a_hold_that_cannot_be_taken_is_named(layout: HostLayout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.FileLock, "try_acquire", lambda _lock: False)
    with pytest.raises(Locked), holding(layout, "a"):
        pass

    def broken(_lock: api.FileLock) -> bool:
        raise PermissionError(13, "denied")

    monkeypatch.setattr(api.FileLock, "try_acquire", broken)
    with pytest.raises(BackupError), holding(layout, "a"):
        pass
    Path(layout.holds_dir, "a.0123456789ab.hold").touch()
    with pytest.raises(BackupError):
        held_stems(layout)


def test_other_files_there_are_left_alone(layout: HostLayout) -> None:
    os.mkdir(layout.holds_dir)
    Path(layout.holds_dir, "notes.txt").write_text("x")
    assert held_stems(layout) == set()
    assert os.listdir(layout.holds_dir) == ["notes.txt"]
    os.unlink(Path(layout.holds_dir, "notes.txt"))
    os.rmdir(layout.holds_dir)
    Path(layout.holds_dir).touch()
    with pytest.raises(BackupError):
        held_stems(layout)
