# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Up, up again, seeded, bare, and down: what is made, and that it is made once."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from wstlab import lab
from wstlab.config import REPOSITORY, LabPaths, lab_paths
from wstlab.drives import on_this_machine
from wstlab.seeding import seed
from wstlab.testing import Lab, processes_of

WALK = (
    "import os;n=b=0\n"
    "for top in (r'C:\\wst\\wst',r'C:\\wst\\wst-api'):\n"
    " for d,_,fs in os.walk(chr(92)*2+'?'+chr(92)+top):\n"
    "  n+=len(fs);b+=sum(os.path.getsize(os.path.join(d,f)) for f in fs)\n"
    "print(n,b)"
)
SERIAL = (
    "import ctypes\n"
    "def serial(d):\n"
    " n=ctypes.c_uint32();ctypes.windll.kernel32.GetVolumeInformationW(d,None,0,ctypes.byref(n),None,None,None,0)\n"
    " return n.value,ctypes.windll.kernel32.GetDriveTypeW(d)\n"
    "print(serial('C:'+chr(92)),serial('D:'+chr(92)))"
)


def run_exec(code: str) -> str:
    """A program of several lines as one without double quotes."""
    return f"exec(bytes.fromhex('{code.encode().hex()}'))"


def test_up_again_changes_nothing_and_is_quick(running: Lab) -> None:
    started = time.monotonic()
    assert lab.up(running.paths, hosts=2, bare=False) == running.record
    assert time.monotonic() - started < 5


def test_drives_have_their_own_serials_and_are_fixed(running: Lab) -> None:
    result = running.client().python_code(run_exec(SERIAL))
    c, d = (0xC0FFEE01, 3), (0xD15C0002, 3)
    assert result.stdout.decode().strip() == f"{c} {d}", result.stderr


def test_hosts_do_not_share_their_drives(running: Lab) -> None:
    for number in (1, 2):
        made = running.client(host=number).python_code(f"open(r'D:\\me','w').write('{number}')")
        assert made.exit_code == 0, made.stderr
    for number in (1, 2):
        assert (running.paths.host(number).drive_d / "me").read_text() == str(number)


def test_key_is_the_password_and_closed_to_others(running: Lab) -> None:
    entry = running.record["hosts"][0]
    key = on_this_machine(running.paths.host(1), entry["paths"]["key_file"])
    assert key.read_bytes() == Path(running.record["postgres"]["password_file"]).read_bytes()
    assert key.stat().st_mode & 0o007 == 0
    facts = json.loads((running.paths.host(1).run / "identity.json").read_text())
    for sddl in facts["sddl"].values():
        assert "WD" not in sddl
        assert "BU" not in sddl


def test_seed_is_seen_by_the_host_and_made_once(running: Lab) -> None:
    facts = seed.run(running.paths, scale=0.02)
    counted = running.client().python_code(run_exec(WALK)).stdout.split()
    assert [int(number) for number in counted] == [facts["wst-lab-1"]["files"], facts["wst-lab-1"]["bytes"]]
    assert facts["database"]["rows"] > 1000
    started = time.monotonic()
    assert seed.run(running.paths, scale=0.02)["database"]["rows"] == facts["database"]["rows"]
    assert time.monotonic() - started < 3


def test_windows_clients_reach_the_server_over_verified_tls(running: Lab) -> None:
    """psycopg and pg_dump.exe: trust by SSL_CERT_FILE, the one way that works under wine."""
    server, entry = running.record["postgres"], running.record["hosts"][0]
    where = (
        f"host=localhost port={server['port']} dbname={server['database']} user={server['user']} "
        "sslmode=verify-full sslrootcert=system sslcertmode=disable"
    )
    variables = {
        "SSL_CERT_FILE": entry["paths"]["ca_file"],
        "PGPASSWORD": Path(server["password_file"]).read_text(),
    }
    asked = "SELECT version FROM pg_stat_ssl WHERE pid=pg_backend_pid()"
    code = f"import psycopg;print(psycopg.connect('{where}').execute('{asked}').fetchone()[0])"
    assert running.client().python_code(code, variables=variables).stdout == b"TLSv1.3\r\n"
    code = (
        f"import subprocess;r=subprocess.run([r'{entry['paths']['tools_dir']}\\pg_dump.exe','-w','-Fc','{where}'],"
        "stdin=-3,stdout=-1,stderr=-1);print(r.returncode,r.stdout[:5])"
    )
    assert running.client().python_code(code, variables=variables).stdout == b"0 b'PGDMP'\r\n"


def test_server_takes_no_plain_connection_and_no_wrong_password(running: Lab) -> None:
    server = lab.server_of(running.paths)
    for refused in ("sslmode=disable", "password=wrong"):
        where = f"host=127.0.0.1 port={server.port} dbname=postgres user=postgres password={server.password} {refused}"
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(where)


def test_bare_host_has_neither_runtime_nor_key(state_dir: Path) -> None:
    paths = LabPaths(state=state_dir / "bare", cache=lab_paths().cache)
    try:
        record = lab.up(paths, hosts=1, bare=True)
        assert not on_this_machine(paths.host(1), record["hosts"][0]["paths"]["root"]).exists()
        assert record["hosts"][0]["https_port"]
    finally:
        lab.down(paths, purge=True)
    assert not paths.state.exists()
    assert processes_of(paths) == []


def test_posix_lane(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WST_LAB_LANE", "posix")
    paths = LabPaths(state=state_dir / "posix", cache=lab_paths().cache)
    monkeypatch.setenv("WST_LAB_DIR", str(paths.state))
    try:
        record = lab.up(paths, hosts=2, bare=False)
        assert (record["lane"], record["powershell"]["lane"]) == ("posix", "none")
        facts = seed.run(paths, scale=0.02)
        assert facts["database"]["rows"] > 1000
        inventory = json.loads(
            subprocess.run(
                [sys.executable, str(REPOSITORY / "inventory/lab/hosts.py")], check=True, capture_output=True
            ).stdout
        )
        assert inventory["wst"]["hosts"] == ["wst-lab-1", "wst-lab-2"]
        for variables in inventory["_meta"]["hostvars"].values():
            assert variables["ansible_connection"] == "local"
            assert all(Path(source["path"]).is_dir() for source in variables["backup_sources"])
            tool = Path(variables["backup_tools_dir"]) / "pg_dump"
            assert b" 17." in subprocess.run([tool, "--version"], check=True, capture_output=True).stdout
            assert Path(variables["backup_key_file"]).stat().st_mode & 0o077 == 0
    finally:
        lab.down(paths, purge=True)
    assert processes_of(paths) == []
