# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody at the control node who types what a runbook says, to the letter but for the words that stand for something.

What is put in the place of what:

| in the runbook | in the lab |
|---|---|
| ``INVENTORY``, ``HOST`` | its inventory, its host |
| ``/etc/wst-backup/authority/`` | a directory with ``l5.yml`` and ``l6.yml``, encrypted, and ``new.yml`` |
| ``l5@prompt``, ``l6@prompt`` | the vault's password from a file, since nobody is asked |
| Azure's names of servers and the port 5432 | the lab's server |
| ``C:\\...``, ``.exe`` | on the POSIX lane, where the lab has that drive, and no suffix |
| ``restore_app_pools`` | on the POSIX lane none: it has no IIS |
| what a page names besides | ``words`` of the test of that page |

A command whose program is in no table here is a failure, and so is one that a shell would read as more than one.
"""

from __future__ import annotations

import os
import pty
import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from integration import hostshell
from integration.runbook import CONTROL, FILE, Page, Step
from integration.world import BIN, ROOT, RUN_TIMEOUT, World

PROGRAMS = {
    "ansible-playbook": str(BIN / "ansible-playbook"),
    "ansible-vault": str(BIN / "ansible-vault"),
    "rm": "/bin/rm",
}
ANSIBLE = ("ansible-playbook", "ansible-vault")
AUTHORITY = "/etc/wst-backup/authority"
SERVERS = ("wst-prod.postgres.database.azure.com", "wst-new.postgres.database.azure.com")
_SHELL = re.compile(r"[|;&<>`]|\$[({\w]")
_DRIVE_PATH = re.compile(r"([CD]):[\\/]([^\s\"',}\]]*)")
_POOLS = re.compile(r"^restore_app_pools:.*\n", re.MULTILINE)
_LEFT = re.compile(r"\b(INVENTORY|HOST|ID|NAME|SERVER|ADMIN|azure\.com)\b")


class CannotBeTyped(AssertionError):
    """The runbook has something that this test does not know how to do."""


@dataclass
class Desk:
    """A directory to type in.

    :ivar words: what stands for what on the page at hand.
    :ivar answers: what is typed where a program asks, by a part of the command; one line each.
    :ivar edited: what is written into a file that ``ansible-vault create`` opens, by its name.
    :ivar not_exercised: what was looked at and not run.
    """

    world: World
    directory: Path
    words: dict[str, str] = field(default_factory=dict)
    answers: dict[str, Sequence[str]] = field(default_factory=dict)
    edited: dict[str, str] = field(default_factory=dict)
    not_exercised: list[str] = field(default_factory=list)
    output: str = ""

    # --- acting

    def follow(self, page: Page, *, since: str = "", until: str = "") -> str:
        """Do all of a page, or a part of it: from the first step that has a text on, and before the first that has one.

        What all of it has shown. Raises AssertionError for a command that fails.
        """
        steps = page.steps
        if since:
            steps = steps[next(at for at, step in enumerate(steps) if since in step.text) :]
        if until:
            steps = steps[: next(at for at, step in enumerate(steps) if until in step.text)]
        assert steps, f"{page.title}: there is nothing to do"
        return "".join(self.do(step) for step in steps)

    def do(self, step: Step) -> str:
        """Write a file, or type a command; what it has shown."""
        text = self.said(step)
        if step.where == FILE:
            (self.directory / step.name).write_text(text, encoding="utf-8")
            return ""
        typed = self._on_control_node if step.where == CONTROL else self._on_host
        code, shown = typed(text, step)
        self.output = shown
        assert code == 0, f"line {step.line}: {text}\n{shown[-6000:]}"
        return shown

    def _on_control_node(self, text: str, step: Step) -> tuple[int, str]:
        argv = self.argv(text, step)
        answers = self._answers(text)
        return self._at_a_terminal(argv) if argv[1] == "create" else self._run(argv, answers)

    def argv(self, text: str, step: Step) -> list[str]:
        """The command as a shell would hand it on; raises CannotBeTyped."""
        words = shlex.split(text, comments=True)
        if not words or words[0] not in PROGRAMS:
            raise CannotBeTyped(f"line {step.line}: nobody has told how to run {text!r}")
        outside_quotes = re.sub(r"'[^']*'|\"[^\"]*\"", "", text)
        if _SHELL.search(outside_quotes):
            raise CannotBeTyped(f"line {step.line}: this is more than one command: {text!r}")
        inventory = str(ROOT / "inventory" / "lab")
        if words[0] == "ansible-playbook" and (len(words) < 2 or not self._is_playbook(words[1])):
            raise CannotBeTyped(f"line {step.line}: there is no such playbook: {text!r}")
        if words[0] == "ansible-playbook" and words[2:4] != ["-i", inventory]:
            raise CannotBeTyped(f"line {step.line}: on which hosts? {text!r}")
        for option, value in zip(words, words[1:]):
            if option == "-e" and cut_short(value):
                raise CannotBeTyped(f"line {step.line}: Ansible takes the first word only of {value!r}")
        extra = ["-e", "@inventory.yml"] if (self.directory / "inventory.yml").exists() else []
        return [PROGRAMS[words[0]], *words[1:], *(extra if words[0] == "ansible-playbook" else [])]

    @staticmethod
    def _is_playbook(name: str) -> bool:
        collection, _dot, playbook = name.rpartition(".")
        return collection == "wst.backup" and (ROOT / "playbooks" / f"{playbook}.yml").is_file()

    def _on_host(self, text: str, step: Step) -> tuple[int, str]:
        done = hostshell.run(text, self._answers(text), cwd=self.directory)
        if done is None:
            self.not_exercised.append(f"line {step.line}: {step.text}")
            return 0, ""
        return done

    def _run(self, argv: list[str], answers: str) -> tuple[int, str]:
        done = subprocess.run(
            argv,
            cwd=self.directory,
            env={**self.world.environment(), **self._environment()},
            input=answers.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=RUN_TIMEOUT,
            check=False,
            start_new_session=True,
        )
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def _at_a_terminal(self, argv: list[str]) -> tuple[int, str]:
        """For what opens an editor only there."""
        ours, theirs = pty.openpty()
        try:
            done = subprocess.run(
                argv,
                cwd=self.directory,
                env={**self.world.environment(), **self._environment()},
                stdin=theirs,
                stdout=theirs,
                stderr=subprocess.PIPE,
                timeout=RUN_TIMEOUT,
                check=False,
            )
        finally:
            os.close(theirs)
            os.close(ours)
        return done.returncode, done.stderr.decode("utf-8", "replace")

    def _environment(self) -> Mapping[str, str]:
        """Where the collection is, and an editor that writes what it was told to."""
        editor = self.directory / "editor"
        editor.write_text('#!/bin/sh\ncat "$WST_TEST_EDITED" > "$1"\n')
        editor.chmod(0o700)
        source = self.directory / "to-be-edited"
        return {
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "EDITOR": str(editor),
            "WST_TEST_EDITED": str(source),
        }

    def _answers(self, text: str) -> str:
        for name, content in self.edited.items():
            if text.endswith(name):
                (self.directory / "to-be-edited").write_text(content)
        found = [lines for part, lines in self.answers.items() if part in text]
        return "".join(f"{line}\n" for line in found[0]) if found else ""

    # --- reading

    def said(self, step: Step) -> str:
        """The step with the lab's words in it; raises CannotBeTyped where one stands for nothing."""
        text = step.text
        for word, meaning in sorted({**self._general(), **self.words}.items(), key=lambda each: -len(each[0])):
            bounded = rf"\b{re.escape(word)}\b" if word.isalnum() else re.escape(word)
            text = re.sub(bounded, lambda _match, meaning=meaning: meaning, text)  # type: ignore[misc]
        if not self.world.windows:
            text = _POOLS.sub("", _DRIVE_PATH.sub(self._on_this_machine, text)).replace(".exe", "")
        left = _LEFT.search(text)
        if left is not None:
            raise CannotBeTyped(f"line {step.line}: what is {left.group(1)}? {text!r}")
        return text

    def _general(self) -> dict[str, str]:
        server = self.world.record["postgres"]
        vaults = self.directory / "authority"
        return {
            "INVENTORY": str(ROOT / "inventory" / "lab"),
            "HOST": self.world.host["name"],
            AUTHORITY: str(vaults),
            "l5@prompt": f"l5@{vaults / 'password'}",
            "l6@prompt": f"l6@{vaults / 'password'}",
            **dict.fromkeys(SERVERS, server["host"]),
            "5432": str(server["port"]),
        }

    def _on_this_machine(self, found: re.Match[str]) -> str:
        drive = self.world.host["drive_c" if found.group(1) == "C" else "drive_d"]
        return os.path.join(drive, found.group(2).replace("\\", "/"))


def cut_short(value: str) -> bool:
    """Whether Ansible would take ``key=some words`` for ``key=some``, as it does where no quotes are within it."""
    return value[:1] not in "@{" and not all("=" in word for word in shlex.split(value))


def equipped(world: World, directory: Path) -> Desk:
    """A desk with the tokens in their vaults, as the runbook's chapter on authority has them."""
    vaults = directory / "authority"
    vaults.mkdir()
    (vaults / "password").write_text(os.urandom(16).hex())
    tokens = {level: Path(file).read_text() for level, file in world.record["token_files"].items()}
    texts = {f"{level.lower()}.yml": f"wst_backup_authority_token: {token}\n" for level, token in tokens.items()}
    texts["new.yml"] = "".join(f"wst_backup_{level.lower()}_token_new: {token}\n" for level, token in tokens.items())
    for name, text in texts.items():
        level = "l5" if name.startswith("l5") else "l6"
        argv = [PROGRAMS["ansible-vault"], "encrypt", "--vault-id", f"{level}@{vaults / 'password'}", "--output"]
        subprocess.run([*argv, str(vaults / name)], input=text.encode(), check=True, cwd=directory, capture_output=True)
    return Desk(world, directory)
