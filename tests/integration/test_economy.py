# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run costs on its way to the host: how many commands, and how much is sent with them."""

from __future__ import annotations

import ast
import base64
import collections
import json
import re
import zlib
from typing import Any

from integration.disturbance import needs_winrm
from integration.searching import Wire
from integration.world import World

MOST_COMMANDS = 12  # of a run, besides polls
MOST_BYTES = 512 << 10  # as sent, of one command: the largest module with all that it imports, most of it Ansible's own


def sent(wire: Wire) -> list[tuple[int, dict[str, Any]]]:
    """Every program that went to the host: its length on the wire, and the request in it."""
    found = []
    for line in wire.path.with_suffix(".in").read_bytes().split():
        program = zlib.decompress(base64.b64decode(line)).decode("utf-8")
        literal = re.search(r"^main\((.*)\)$", program, re.MULTILINE)
        assert literal is not None, program[-300:]
        found.append((len(line), json.loads(ast.literal_eval(literal[1]))))
    return found


def test_a_run_takes_few_commands_and_sends_no_more_than_it_needs(world: World, wire: Wire) -> None:
    needs_winrm(world)
    played = world.play("backup.yml", environment={"PYTHONPATH": ""})  # sources alone, as everywhere but in tests
    assert played.code == 0, played.output
    requests = sent(wire)
    modes = collections.Counter(request["mode"] for _size, request in requests)
    commands = [request for _size, request in requests if request["mode"] != "poll"]
    assert 5 < len(commands) <= MOST_COMMANDS, modes
    sizes = sorted(size for size, _request in requests)
    print(f"{len(commands)} commands, {modes['poll']} polls, {sum(sizes)} bytes sent, the largest {sizes[-1]}")
    assert sizes[-1] <= MOST_BYTES
    assert [size for size, request in requests if request["mode"] == "poll" and size > 20_000] == []
