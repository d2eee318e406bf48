# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who we are, who may come in, what the volume is: on the system that the tests run on."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.wst.backup.plugins.module_utils._platform import api


def test_a_private_directory_is_private_from_the_start(tmp_path: Path) -> None:
    path = str(tmp_path / "private")
    api.make_private_directory(path)
    assert api.access_problems(path) == []
    with pytest.raises(FileExistsError):
        api.make_private_directory(path)
    Path(path, "file").write_bytes(b"we may write")


def test_what_is_open_is_named_and_can_be_closed(tmp_path: Path) -> None:
    path = tmp_path / "open"
    path.mkdir()
    open_to_all(path)
    assert any("veryone" in problem and "read" in problem for problem in api.access_problems(str(path)))
    api.protect(str(path))
    assert api.access_problems(str(path)) == []


def test_a_file_can_be_closed(tmp_path: Path) -> None:
    path = tmp_path / "db.key"
    path.write_bytes(b"x")
    open_to_all(path)
    assert api.access_problems(str(path)) != []
    api.protect(str(path))
    assert api.access_problems(str(path)) == []
    assert path.read_bytes() == b"x"


def open_to_all(path: Path) -> None:
    if os.name != "nt":
        path.chmod(0o777)
        return
    from ansible_collections.wst.backup.plugins.module_utils._platform import _windows_security

    sddl = _windows_security._private_sddl
    try:
        _windows_security._private_sddl = lambda operator, directory: (
            sddl(operator, directory=directory) + "(A;;FA;;;WD)"
        )
        api.protect(str(path))
    finally:
        _windows_security._private_sddl = sddl


def test_an_operator_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LookupError):
        api.protect(str(tmp_path), "nobody-of-that-name-here")


@pytest.mark.windows
def test_the_descriptor_as_text(tmp_path: Path) -> None:
    path = str(tmp_path / "private")
    api.make_private_directory(path)
    text = api.sddl(path) or ""
    assert text.startswith("O:S-1-5-")
    assert "(A;OICI;FA;;;SY)" in text
    assert api.explicit_aces(path) == text


@pytest.mark.windows
def test_an_operator_is_a_name_or_a_sid(tmp_path: Path) -> None:
    me = api.identity()
    for operator in (me.sid, me.name.rpartition("\\")[2]):
        api.protect(str(tmp_path), operator)
        assert api.access_problems(str(tmp_path), operator) == []


@pytest.mark.posix
def test_posix_modes(tmp_path: Path) -> None:
    path = tmp_path / "d"
    path.mkdir()
    path.chmod(0o750)
    assert api.access_problems(str(path)) == [f"the group (gid {path.stat().st_gid}) may read, enter or run"]
    api.protect(str(path))
    assert path.stat().st_mode & 0o777 == 0o700
    assert api.sddl(str(path)) is None
    assert api.explicit_aces(str(path)) is None


def test_identity() -> None:
    me = api.identity()
    assert me.name
    assert (me.sid is None) == (os.name != "nt")
    assert (me.uid is None) == (os.name == "nt")
    assert isinstance(me.elevated, bool)
    assert (me.gid is None) == (os.name == "nt")
    assert me.name in me.in_words()
    assert str(me.sid or me.uid) in me.in_words()


@pytest.mark.windows
def test_the_token_tells_its_elevation() -> None:
    me = api.identity()
    assert me.elevation in ("default", "full", "limited")
    assert me.elevated == (me.elevation == "full") or me.elevation == "default"
    assert all(sid.startswith("S-1-") for sid in me.deny_only)


@pytest.mark.windows
def test_what_the_token_does_not_tell_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    from ansible_collections.wst.backup.plugins.module_utils._platform import _windows_security

    real = _windows_security._token

    def mute(token: object, kind: int) -> object:
        if kind in (18, 20):
            raise OSError(0, "not supported", None, 50)
        return real(token, kind)

    monkeypatch.setattr(_windows_security, "_token", mute)
    me = api.identity()
    assert (me.elevated, me.elevation, bool(me.sid)) == (None, None, True)
    assert "it could not be told whether it is elevated" in me.in_words()


@pytest.mark.windows
def test_the_commands_that_close_a_file(tmp_path: Path) -> None:
    """They name whom the list has now; icacls is the stub of the lab, so a person runs them on a real host."""
    path = tmp_path / "db.key"
    path.write_bytes(b"x")
    open_to_all(path)
    me = api.identity().sid
    (command,) = api.closing_commands(str(path))
    assert command.startswith(
        f"icacls '{path}' /inheritance:r /grant:r " + f'"*S-1-5-18:F" "*S-1-5-32-544:F" "*{me}:F"'
    )
    assert '"*S-1-1-0"' in command.partition("/remove:g")[2]
    (command,) = api.closing_commands(str(tmp_path / "gone"), "S-1-5-32-551")
    assert command.endswith(f'"*{me}:F" "*S-1-5-32-551:F"')


@pytest.mark.posix
def test_the_commands_that_close_a_file_here(tmp_path: Path) -> None:
    path = tmp_path / "db's key"
    path.write_bytes(b"x")
    path.chmod(0o666)
    commands = api.closing_commands(str(path))
    assert commands[0].startswith(f"chown {os.geteuid()} ")
    for command in commands:
        subprocess.run(["sh", "-c", command], check=True)
    assert api.access_problems(str(path)) == []
    assert api.closing_commands(str(tmp_path), "backup")[0] == f"chown backup {tmp_path}"
    for command in api.closing_commands(str(tmp_path)):
        subprocess.run(["sh", "-c", command], check=True)
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_the_volume_of_a_directory(tmp_path: Path) -> None:
    volume = api.volume(str(tmp_path))
    assert volume.id
    assert volume.total is not None
    assert volume.free is not None
    assert 0 < volume.free <= volume.total
    assert volume.read_only is False
    assert volume == replace(api.volume(str(tmp_path / ".")), free=volume.free)  # others write to it meanwhile
    assert os.path.normcase(str(tmp_path)).startswith(os.path.normcase(volume.root))


def test_the_volume_of_nothing(tmp_path: Path) -> None:
    if os.name == "nt":  # Windows tells the volume of a path that is not there
        assert api.volume(str(tmp_path / "none")).compressed is None
    else:
        with pytest.raises(FileNotFoundError):
            api.volume(str(tmp_path / "none"))


@pytest.mark.posix
def test_memory_is_no_disk() -> None:
    volume = api.volume("/dev/shm")
    assert (volume.kind, volume.filesystem) == ("ram", "tmpfs")
    assert volume.id != api.volume("/").id


def test_the_boot_id_is_the_same_in_every_process() -> None:
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}\n"
        "from ansible_collections.wst.backup.plugins.module_utils._platform import api\n"
        "print(api.boot_id())"
    )
    other = subprocess.run([sys.executable, "-c", code], stdin=subprocess.PIPE, capture_output=True, check=True)
    assert other.stdout.decode().strip() == api.boot_id()


def test_processes_are_known_by_when_they_started() -> None:
    mine = api.process_started(os.getpid())
    assert mine is not None
    assert mine == api.process_started(os.getpid())
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    started = api.process_started(child.pid)
    assert started is not None
    assert not api.end_process(child.pid, "another time")
    assert api.end_process(child.pid, started)
    assert child.wait() != 0
    child.communicate()
    assert api.process_started(child.pid) is None
    assert not api.end_process(child.pid, started)
