# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: ``python -m wstlab up|down|seed|status|env|fault``."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from . import control, lab, processes
from .config import LabError, LabPaths, lab_paths
from .postgres import is_running

FAULTS: dict[str, tuple[str, Callable[[float], dict[str, object]]]] = {
    "stall": ("the next Receive waits N seconds", lambda n: {"stall_seconds": n}),
    "cut": ("N Receives end in a closed connection", lambda n: {"cut_receives": int(n)}),
    "refuse-signal": ("Signal is answered with access denied", lambda n: {"refuse_signal": True}),
    "noise": ("a chatty profile around every output", lambda n: {"noise": True}),
    "bom": ("EF BB BF before the child's input", lambda n: {"bom": True}),
    "constrained": ("ConstrainedLanguage", lambda n: {"constrained": True}),
    "idle": ("shells idle out after N seconds", lambda n: {"idle_seconds": n}),
    "unreachable": ("the ports are closed until cleared", lambda n: {"unreachable": True}),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; LabError becomes exit code 1 and a line on standard error."""
    options = _parser().parse_args(argv)
    try:
        result: int = options.run(lab_paths(), options)
    except LabError as error:
        print(f"wstlab: {error}", file=sys.stderr)
        return 1
    return result


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="wstlab", description="A Windows stand-in on Linux.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="bring the lab up (quick when it is up)")
    up.add_argument("--hosts", type=int, default=1, help="how many hosts (1)")
    up.add_argument("--bare", action="store_true", help="no runtime and no key on the host: for the bootstrap test")
    up.set_defaults(run=_up)
    down = commands.add_parser("down", help="leave nothing running")
    down.add_argument("--purge", action="store_true", help="remove the lab's directory as well")
    down.set_defaults(run=_down)
    seed = commands.add_parser("seed", help="fill sources and database")
    seed.add_argument("--scale", type=float, default=1.0, help="factor on rows and files (1.0)")
    seed.set_defaults(run=_seed)
    commands.add_parser("status", help="what runs").set_defaults(run=_status)
    commands.add_parser("env", help="shell variables of this lab").set_defaults(run=_env)
    fault = commands.add_parser(
        "fault",
        help="switch a fault on: "
        + "; ".join(f"{name} ({text})" for name, (text, _) in FAULTS.items())
        + "; restart (gone for N seconds); clear",
    )
    fault.add_argument("name", choices=[*FAULTS, "restart", "clear"])
    fault.add_argument("value", nargs="?", type=float, default=1.0, help="the N of the fault (1)")
    fault.add_argument("--host", type=int, default=1, help="number of the host (1)")
    fault.set_defaults(run=_fault)
    return parser


def _up(paths: LabPaths, options: argparse.Namespace) -> int:
    started = time.monotonic()
    record = lab.up(paths, hosts=options.hosts, bare=options.bare)
    print(f"lab up in {time.monotonic() - started:.1f} s: {_lanes(record)}, record {paths.record}")
    return 0


def _down(paths: LabPaths, options: argparse.Namespace) -> int:
    lab.down(paths, purge=options.purge)
    return 0


def _seed(paths: LabPaths, options: argparse.Namespace) -> int:
    from .seeding import seed

    started = time.monotonic()
    facts = seed.run(paths, scale=options.scale)
    print(f"seeded in {time.monotonic() - started:.1f} s: {json.dumps(facts, sort_keys=True)}")
    return 0


def _status(paths: LabPaths, options: argparse.Namespace) -> int:
    """What runs; exit code 1 when something of a lab that is up does not."""
    record = lab.read_record(paths)
    print(_lanes(record))
    server = lab.server_of(paths)
    healthy = [is_running(server.data)]
    print(f"postgres {record['postgres']['major']} on port {server.port}: {_word(healthy[0])}")
    for number, entry in enumerate(record["hosts"], start=1):
        line = f"{entry['name']}: {entry['connection']}"
        if entry["connection"] == "winrm":
            alive = processes.running(paths.host(number).run / "listener.pid") is not None
            healthy.append(alive)
            line += f" https {entry['https_port']} http {entry['http_port']}, listener {_word(alive)}"
            if alive:
                line += f", {json.dumps(control.ask(paths.host(number), 'status'))}"
        print(line)
    return 0 if all(healthy) else 1


def _env(paths: LabPaths, options: argparse.Namespace) -> int:
    record = lab.read_record(paths)
    print(f"export WST_LAB_DIR={record['state_dir']}")
    print(f"# {_lanes(record)}")
    return 0


def _fault(paths: LabPaths, options: argparse.Namespace) -> int:
    host = paths.host(options.host)
    if options.name == "clear":
        state = control.ask(host, "clear")
    elif options.name == "restart":
        state = control.ask(host, "restart", seconds=options.value)
    else:
        state = control.ask(host, "set", **FAULTS[options.name][1](options.value))
    print(json.dumps(state, sort_keys=True))
    return 0


def _lanes(record: dict[str, Any]) -> str:
    return f"lane {record['lane']}, powershell {record['powershell']['lane']}, {len(record['hosts'])} host(s)"


def _word(alive: bool) -> str:
    return "running" if alive else "NOT RUNNING"
