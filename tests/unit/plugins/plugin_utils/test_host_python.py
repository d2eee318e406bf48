# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real base action against recorded hosts: what is sent, what is made of the answers, what the user is told."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible.errors import AnsibleConnectionFailure
from unit.plugins.plugin_utils.transport_kit import Clock, Host, Run, Step, Transcript, done, framed

from ansible_collections.wst.backup.plugins.plugin_utils import _follow

RUN = {"wst_backup_run_id": "20261123-150000-0123abcd"}
CLIXML = (
    '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
    '<Obj S="progress" RefId="0"><MS><I64 N="SourceId">1</I64></MS></Obj></Objs>'
)
NOT_FOUND = (  # Windows PowerShell 5.1 in German: never parsed, only quoted
    '& : Die Benennung "C:\\wst-control\\runtime\\python\\python.exe" wurde nicht als Name eines Cmdlet erkannt.\r\n'
    "    + FullyQualifiedErrorId : CommandNotFoundException\r\n"
)


def events(tmp_path: Path, host: str = "host1") -> list[dict[str, Any]]:
    file = tmp_path / "control" / "hosts" / host / "events.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


# --- what is sent


def test_windows_gets_one_script_and_one_line(run_task: Run) -> None:
    host = Host("{answer}")
    result = run_task(host, runs_as="attached", args={"text": "x"})
    assert result["said"] == "hello"
    assert not result.get("failed")
    (command,) = host.commands
    assert command.startswith(r"$input | & 'C:\wst-control\runtime\python\python.exe' '-I' '-X' 'utf8' '-c' '")
    assert command.endswith("; if ($null -eq $LASTEXITCODE) { exit 127 }; exit $LASTEXITCODE")
    assert '"' not in command
    assert len(command) < 2500
    assert "AnsibleModule" in host.requests[0]["module"] or "_ansiballz_main" in host.requests[0]["module"]


def test_posix_gets_the_same_request_by_its_shell(run_task: Run) -> None:
    host = Host("{answer}")
    result = run_task(host, connection="local", runs_as="attached")
    assert result["said"] == "hello"
    assert " -I -X utf8 -c " in host.commands[0]
    assert host.requests[0]["mode"] == "attached"


def test_environment_of_play_and_task_travels_in_the_payload(run_task: Run) -> None:
    host = Host("{answer}")
    run_task(host, runs_as="attached", task={"environment": [{"A": "1", "B": "outer"}, {"B": "inner", "N": 3}]})
    assert host.requests[0]["environment"] == {"A": "1", "B": "inner", "N": "3"}
    assert "inner" not in host.commands[0]


def test_context_names_run_and_controller(run_task: Run) -> None:
    host = Host("{answer}")
    run_task(host, runs_as="attached", variables=RUN)
    context = host.requests[0]["context"]
    assert context["run_id"] == "20261123-150000-0123abcd"
    assert context["controller_time"].endswith("Z")
    assert "@" in context["controller"]
    assert context["check_mode"] is False


def test_host_variables_choose_python_and_root(run_task: Run) -> None:
    host = Host("{answer}")
    run_task(host, variables={"wst_backup_python": r"E:\py's\python.exe", "wst_backup_root": r"E:\state"})
    assert r"$input | & 'E:\py''s\python.exe' '-I'" in host.commands[0]
    assert host.requests[0]["root"] == r"E:\state"


def test_argument_root_wins(run_task: Run) -> None:
    host = Host("{answer}")
    run_task(host, args={"root": r"F:\x"})
    assert host.requests[0]["root"] == r"F:\x"


def test_delegation_uses_the_other_hosts_python(run_task: Run) -> None:
    host = Host("{answer}")
    delegated = {"other": {"wst_backup_python": r"X:\python.exe", "inventory_hostname": "other"}}
    run_task(host, runs_as="attached", task={"delegate_to": "other"}, variables={"ansible_delegated_vars": delegated})
    assert r"& 'X:\python.exe'" in host.commands[0]


# --- noise


@pytest.mark.parametrize(
    "transcript",
    [
        "Profile loaded.\r\n\ufeff{answer}\r\nBye\r\n",
        CLIXML + "\r\n{answer}" + CLIXML,
        Transcript.of("{answer}", stderr=CLIXML),
        '{"a": "JSON that is not ours"}\r\n{answer}{"b": 1}',
        Transcript.of("{answer}", rc=1),
    ],
)
def test_noise_around_the_answer_is_survived(run_task: Run, transcript: str) -> None:
    result = run_task(Host(transcript), runs_as="attached")
    assert result["said"] == "hello"
    assert not result.get("failed")


def test_a_wrapped_answer_is_survived(run_task: Run) -> None:
    def wrapped(request: dict[str, Any]) -> str:
        text = framed(done(), request["reply"])
        head, tail = text[:140], text[140:]
        return head + "\r\n" + tail

    assert run_task(Host(wrapped), runs_as="attached")["said"] == "hello"


# --- one clear error each


@pytest.mark.parametrize(
    ("transcript", "code", "words"),
    [
        (Transcript.of("", 127, NOT_FOUND), "python_missing", "Benennung"),
        (Transcript.of("", 0), "python_wrong", "said nothing"),
        (Transcript.of("hello world", 0), "python_wrong", "hello world"),
        (Transcript.of("wst-backup-python-too-old 3.8.18\r\n", 97), "python_wrong", "3.8.18; 3.9 or newer"),
        (Transcript.of("wst-backup-payload-damaged 10 of 9000\r\n", 97), "payload_damaged", "10 of 9000"),
        (Transcript.of("wst-backup-runner:{nonce}\r\n", 137), "module_killed", "exit code 137"),
        (Transcript.of("wst-backup-runner:{nonce}\r\nwst-backup-reply:{nonce}:99:ab:eyJz"), "reply_damaged", "cut off"),
        (Transcript.of("wst-backup-reply:{nonce}:4:0000:AAAA:wst-backup-reply-end", 0), "reply_damaged", "altered"),
        (Transcript.of("", 1, "... MethodInvocationNotSupportedInConstrainedLanguage"), "language_mode", "refused"),
    ],
)
def test_every_failure_has_one_code(run_task: Run, transcript: Step, code: str, words: str) -> None:
    result = run_task(Host(transcript), runs_as="attached")
    assert result["failed"]
    assert result["code"] == code
    assert words in result["msg"]
    assert result["remedy"]
    assert result["msg"].endswith(result["remedy"])


def test_a_module_failure_is_the_modules_own(run_task: Run) -> None:
    failure = {"failed": True, "msg": "no", "code": "db_auth_failed"}
    result = run_task(Host(done(failure)), runs_as="attached")
    assert result["code"] == "db_auth_failed"


# --- refused


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"task": {"async": 30}}, "async_refused"),
        ({"become": "ansible.builtin.runas"}, "become_refused"),
        ({"connection": "ssh", "options": {}, "become": "ansible.builtin.su"}, "become_refused"),
        ({"connection": "psrp"}, "connection_unproven"),
        ({"options": {"port": 5985}}, "connection_plain"),
        ({"options": {"scheme": "http", "transport": ["basic"]}}, "connection_plain"),
        ({"options": {"port": 5985, "transport": ["ntlm", "plaintext"]}}, "connection_plain"),
        (
            {"options": {"port": 5985, "transport": ["ntlm"], "ansible_winrm_message_encryption": "never"}},
            "connection_plain",
        ),
        ({"variables": {"wst_backup_reconnect_timeout": "soon"}}, "setting_invalid"),
        ({"variables": {"wst_backup_accept_unproven_connection": "perhaps"}}, "setting_invalid"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_sent(run_task: Run, arguments: Any, code: str) -> None:
    host = Host()
    result = run_task(host, **arguments)
    assert result["failed"]
    assert result["code"] == code
    assert host.commands == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"options": {"port": 5985, "transport": ["ntlm"]}},
        {"options": {"port": 5986, "transport": ["basic"]}},
        {"options": {"scheme": "https", "port": 5985}},
        {"connection": "psrp", "variables": {"wst_backup_accept_unproven_connection": "yes"}},
        {"connection": "local", "become": "ansible.builtin.sudo"},
    ],
)
def test_what_is_safe_goes_through(run_task: Run, arguments: Any) -> None:
    assert run_task(Host("{answer}"), runs_as="attached", **arguments)["said"] == "hello"


def test_keep_remote_files_does_not_put_our_modules_on_disk(run_task: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from ansible import constants

    monkeypatch.setattr(constants, "DEFAULT_KEEP_REMOTE_FILES", True)
    host = Host("{answer}")
    assert run_task(host, runs_as="attached")["said"] == "hello"
    assert len(host.commands) == 1


# --- lost connections


class ReadTimeout(Exception):
    """What requests raises, by its module's name."""

    __module__ = "requests.exceptions"


def test_first_contact_stays_unreachable_and_is_recorded(run_task: Run, tmp_path: Path) -> None:
    host = Host(AnsibleConnectionFailure("no route to host"))
    with pytest.raises(AnsibleConnectionFailure, match="no route to host"):
        run_task(host)
    (event,) = events(tmp_path)
    assert event["event"] == "unreachable"
    assert "no route" in event["message"]
    assert event["host"] == "host1"


def test_first_contact_by_another_exception_is_unreachable_too(run_task: Run) -> None:
    with pytest.raises(AnsibleConnectionFailure):
        run_task(Host(ReadTimeout("read timed out")))


def test_a_first_call_that_breaks_after_the_host_was_reached_is_asked_again(run_task: Run) -> None:
    host = Host(ConnectionResetError("reset"), "{answer}")
    host.opened = True
    assert run_task(host)["said"] == "hello"


@pytest.mark.parametrize("trouble", [AnsibleConnectionFailure("gone"), ReadTimeout("x"), ConnectionResetError("x")])
@pytest.mark.parametrize("runs_as", ["job", "attached"])
def test_after_first_contact_we_ask_again(run_task: Run, clock: Clock, trouble: Exception, runs_as: str) -> None:
    host = Host(trouble, trouble, "{answer}")
    result = run_task(host, variables=RUN, runs_as=runs_as)
    assert result["said"] == "hello"
    assert host.resets == 2
    assert clock.naps == [1, 2]
    assert host.requests[0].get("job") == host.requests[2].get("job")  # attaches, never starts twice


def test_a_connection_that_stays_lost_is_a_failure_not_unreachable(run_task: Run, clock: Clock, tmp_path: Path) -> None:
    host = Host(*[ConnectionResetError("reset by peer")] * 50)
    result = run_task(host, variables={**RUN, "wst_backup_reconnect_timeout": 100})
    assert result["failed"]
    assert result["code"] == "connection_lost"
    assert "unreachable" not in result
    assert "100 s" in result["msg"]
    assert 1100 <= clock.now <= 1135
    assert [event["event"] for event in events(tmp_path)] == ["connection_lost"]


def test_refused_credentials_are_not_tried_again(run_task: Run) -> None:
    host = Host(AnsibleConnectionFailure("ntlm: the specified credentials were rejected by the server"))
    result = run_task(host, variables=RUN)
    assert result["code"] == "connection_lost"
    assert len(host.commands) == 1


def test_a_configuration_error_is_not_a_lost_connection(run_task: Run) -> None:
    from ansible.errors import AnsibleError

    with pytest.raises(AnsibleError, match="not installed"):
        run_task(Host(AnsibleError("winrm or requests is not installed: no module")), variables=RUN)


# --- silence: our process was ended with its shell before it said a word, or Python is gone

SILENCES = [
    pytest.param(Transcript.of("", 127, NOT_FOUND), "python_missing", id="missing"),
    pytest.param(Transcript.of("", 1), "python_wrong", id="killed"),
    pytest.param(Transcript.of("", 0), "python_wrong", id="silent"),
    pytest.param(Transcript.of("wst-backup-payload-damaged 10 of 9000\r\n", 97), "payload_damaged", id="damaged"),
]
RUNNING = {"state": "running", "progress": None}


@pytest.mark.parametrize(("silence", "_code"), SILENCES)
def test_a_poll_that_was_ended_before_it_said_a_word_is_asked_again(run_task: Run, silence: Step, _code: str) -> None:
    host = Host(RUNNING, silence, silence, "{answer}")
    assert run_task(host)["said"] == "hello"
    assert host.modes == ["start", "poll", "poll", "poll"]
    assert host.resets == 2


@pytest.mark.parametrize(("silence", "_code"), SILENCES)
@pytest.mark.parametrize("runs_as", ["job", "attached"])
def test_a_repeated_request_that_was_ended_before_it_said_a_word_is_asked_again(
    run_task: Run, silence: Step, _code: str, runs_as: str
) -> None:
    host = Host(ConnectionResetError("reset"), silence, "{answer}")
    host.opened = True
    assert run_task(host, runs_as=runs_as)["said"] == "hello"


@pytest.mark.parametrize(("silence", "_code"), SILENCES)
def test_a_cancel_that_was_ended_before_it_said_a_word_is_asked_again(
    run_task: Run, silence: Step, _code: str, shown: list[str]
) -> None:
    """Also when the start itself was interrupted: it may have begun a job."""
    host = Host(Timeout(), silence, done())
    with pytest.raises(Timeout):
        run_task(host)
    assert host.modes == ["start", "cancel", "cancel"]
    assert not any("could not be told" in text for text in shown)


@pytest.mark.parametrize(("silence", "code"), SILENCES)
def test_a_python_that_stays_silent_is_named_in_the_end(
    run_task: Run, clock: Clock, silence: Transcript, code: str
) -> None:
    result = run_task(Host(RUNNING, *[silence] * 20), variables={"wst_backup_reconnect_timeout": 100})
    assert result["code"] == code
    assert "may still run on the host" in result["msg"]
    assert result["facts"]["exit_code"] == silence.rc
    assert 1100 <= clock.now <= 1140


@pytest.mark.parametrize(
    "transcript",
    [
        Transcript.of("", 126, "sh: python3: Permission denied"),
        Transcript.of("wst-backup-runner:{nonce}", 1, "permission denied"),
    ],
)
def test_what_the_host_says_is_not_taken_for_refused_credentials(run_task: Run, transcript: Step) -> None:
    assert run_task(Host(RUNNING, transcript, "{answer}"))["said"] == "hello"


def test_a_silence_that_becomes_a_lost_connection_is_one(run_task: Run) -> None:
    host = Host(RUNNING, Transcript.of("", 1), *[ConnectionResetError("reset")] * 20)
    result = run_task(host, variables={"wst_backup_reconnect_timeout": 100})
    assert (result["code"], "reset" in result["msg"]) == ("connection_lost", True)


# --- files of a job that somebody holds

UNREADABLE = {"state": "unreadable", "error": "[WinError 32] result.json", "progress": None}


def test_a_result_that_cannot_be_read_now_is_asked_for_again(run_task: Run) -> None:
    host = Host(UNREADABLE, UNREADABLE, done())
    assert run_task(host)["said"] == "hello"
    assert host.modes == ["start", "poll", "poll"]


def test_a_result_that_cannot_be_read_for_good_is_named(run_task: Run, clock: Clock) -> None:
    result = run_task(Host(RUNNING, *[UNREADABLE] * 50))
    assert result["code"] == "result_unreadable"
    assert "[WinError 32] result.json" in result["msg"]
    assert 1300 <= clock.now <= 1340


def test_patience_with_a_held_file_begins_anew(run_task: Run, clock: Clock) -> None:
    host = Host(*[UNREADABLE] * 12, RUNNING, *[UNREADABLE] * 8, done())
    assert run_task(host)["said"] == "hello"
    assert clock.now > 1300


# --- jobs


def test_a_short_job_takes_one_call(run_task: Run) -> None:
    host = Host("{answer}")
    run_task(host, variables=RUN)
    assert host.modes == ["start"]
    run, step = host.requests[0]["job"]
    assert run == "20261123-150000-0123abcd"
    assert step.startswith("probe-")


def test_a_long_job_is_polled_and_its_progress_shown(run_task: Run, clock: Clock, shown: list[str]) -> None:
    def running(done_bytes: int) -> dict[str, Any]:
        amounts = {"done": done_bytes, "total": 300_000_000, "unit": "bytes", "rate": 45e6}
        return {"state": "running", "progress": {"step": "pg_dump", "item": "orders", **amounts}}

    host = Host(running(123_400_000), *[running(124_000_000)] * 12, done(progress=running(300_000_000)["progress"]))
    result = run_task(host)
    assert result["said"] == "hello"
    assert host.modes == ["start"] + ["poll"] * 13
    assert "  [host1] pg_dump: 123.4 MB of 300.0 MB, 45.0 MB/s, orders" in shown
    assert shown[-1].startswith("  [host1] pg_dump: 300.0 MB of 300.0 MB")
    assert clock.naps[0] == 0.5
    assert max(clock.naps) == 30
    assert clock.naps == sorted(clock.naps)
    assert all(request["wait"] <= 10 for request in host.requests)
    assert "module" not in host.requests[1]  # a poll carries no arguments


def test_no_log_shows_no_progress(run_task: Run, shown: list[str]) -> None:
    progress = {"done": 5, "total": 10, "unit": "bytes", "item": "secret"}
    run_task(Host({"state": "running", "progress": progress}, done()), task={"no_log": True})
    assert not any("secret" in text for text in shown)


def test_check_mode_is_attached(run_task: Run) -> None:
    host = Host("{answer}")
    run_task(host, task={"check_mode": True})
    assert host.modes == ["attached"]


def test_every_execution_is_a_new_job(run_task: Run) -> None:
    first, second = Host("{answer}"), Host("{answer}")
    run_task(first)
    run_task(second)
    assert first.requests[0]["job"] != second.requests[0]["job"]


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ({"state": "died", "progress": {"done": 7}, "stderr": "MemoryError"}, "module_killed"),
        ({"state": "absent"}, "module_killed"),
        ({"state": "cancelled"}, "cancelled"),
        ({"state": "refused", "code": "root_missing", "facts": {"root": "C:\\x"}}, "root_missing"),
        ({"state": "refused", "code": "no_space", "facts": {"error": "full"}}, "no_space"),
        ({"state": "refused", "code": "job_start_failed", "facts": {"error": "?"}}, "job_start_failed"),
    ],
)
def test_what_can_become_of_a_job(run_task: Run, reply: dict[str, Any], code: str) -> None:
    result = run_task(Host(reply))
    assert result["code"] == code
    assert "{" not in result["msg"]


def test_a_poll_that_was_killed_is_asked_again(run_task: Run) -> None:
    host = Host({"state": "running", "progress": None}, Transcript.of("wst-backup-runner:{nonce}", 1), "{answer}")
    assert run_task(host)["said"] == "hello"
    assert host.modes == ["start", "poll", "poll"]


def test_forbidden_breakaway_is_a_warning(run_task: Run) -> None:
    result = run_task(Host(done(warning="breakaway_forbidden")))
    assert result["said"] == "hello"
    assert "job object" in result["warnings"][0]


# --- stopping


class Timeout(BaseException):
    """As Ansible raises for ``timeout:``, at any point of our waiting."""


@pytest.mark.parametrize("where", ["start", "poll"])
def test_a_timeout_cancels_the_job_and_is_passed_on(run_task: Run, where: str) -> None:
    steps: list[Step] = [Timeout(), done()] if where == "start" else [{"state": "running"}, Timeout(), done()]
    host = Host(*steps)
    with pytest.raises(Timeout):
        run_task(host)
    assert host.modes[-1] == "cancel"
    assert host.requests[-1]["job"] == host.requests[0]["job"]
    assert host.resets == 1


def test_a_job_that_does_not_stop_is_killed(run_task: Run, clock: Clock) -> None:
    def stubborn(_request: dict[str, Any]) -> dict[str, Any]:
        clock.now += 8
        return {"state": "running"}

    host = Host(Timeout(), stubborn, stubborn, stubborn, stubborn, {"state": "died", "killed": True})
    with pytest.raises(Timeout):
        run_task(host)
    assert [request.get("kill") for request in host.requests[1:]] == [False, False, False, False, True]


def test_a_cancel_that_gets_nowhere_is_said_and_hides_nothing(run_task: Run, shown: list[str]) -> None:
    host = Host({"state": "running"}, Timeout(), *[ConnectionResetError("gone")] * 20)
    with pytest.raises(Timeout):
        run_task(host)
    assert any("could not be told to stop" in text for text in shown)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_the_job_and_then_does_its_work(run_task: Run, number: int) -> None:
    received: list[int] = []
    before = signal.signal(number, lambda caught, _frame: received.append(caught))
    try:

        def interrupt(_request: dict[str, Any]) -> dict[str, Any]:
            signal.raise_signal(number)
            raise AssertionError("the signal must unwind this")

        host = Host({"state": "running"}, interrupt, done())
        with pytest.raises(BaseException, match="signal"):
            run_task(host)
    finally:
        signal.signal(number, before)
    assert host.modes == ["start", "poll", "cancel"]
    assert received == [number]


class Signals:
    """What SIGINT did in the end, as Ansible's own handler would be told."""

    def __init__(self) -> None:
        self.received: list[int] = []

    def came(self, number: int, _frame: object) -> None:
        self.received.append(number)

    @staticmethod
    def interrupt(number: int = signal.SIGINT) -> None:
        signal.raise_signal(number)


@pytest.fixture
def signals() -> Iterator[Signals]:
    made = Signals()
    before = {number: signal.signal(number, made.came) for number in (signal.SIGINT, signal.SIGTERM)}
    yield made
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("stop", [Signals.interrupt, lambda: _raise(Timeout())])
def test_an_interrupt_that_a_failing_clean_up_covers_still_cancels_the_job(
    run_task: Run, signals: Signals, stop: Callable[[], None]
) -> None:
    """winrm ends a command in a ``finally``; when that fails, only its failure is left of the interrupt."""

    def torn(_request: dict[str, Any]) -> dict[str, Any]:
        try:
            stop()
        finally:
            try:
                raise ConnectionResetError("the connection was torn")
            except ConnectionResetError as error:
                raise AnsibleConnectionFailure("cannot end the command") from error
        return RUNNING

    host = Host(RUNNING, torn, ConnectionResetError("still torn"), done())
    with pytest.raises(_follow.Interrupted if stop is Signals.interrupt else Timeout):
        run_task(host)
    assert host.modes == ["start", "poll", "cancel", "cancel"]
    assert signals.received == ([signal.SIGINT] if stop is Signals.interrupt else [])


def _raise(error: BaseException) -> None:
    raise error


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_that_a_destructor_swallows_still_cancels_the_job(run_task: Run, signals: Signals) -> None:
    class Fragile:
        def __del__(self) -> None:
            signals.interrupt()

    def swallowed(_request: dict[str, Any]) -> dict[str, Any]:
        fragile: Any = Fragile()
        fragile = None
        return {"state": "running", "progress": fragile}

    host = Host(RUNNING, swallowed, done())
    with pytest.raises(BaseException, match="signal"):
        run_task(host)
    assert host.modes == ["start", "poll", "cancel"]
    assert signals.received == [signal.SIGINT]


def test_further_signals_and_the_timeout_do_not_stop_the_clean_up(run_task: Run, signals: Signals) -> None:
    def cancelling(_request: dict[str, Any]) -> dict[str, Any]:
        alarms.append(signal.alarm(0))
        signals.interrupt(signal.SIGTERM)
        signals.interrupt()
        return done()

    alarms: list[int] = []
    host = Host(RUNNING, lambda _request: signals.interrupt(), cancelling)
    signal.alarm(100)  # as Ansible does for timeout:
    with pytest.raises(BaseException, match="signal"):
        run_task(host)
    assert host.modes == ["start", "poll", "cancel"]
    assert (signals.received, alarms) == ([signal.SIGINT], [0])


def test_a_signal_during_the_clean_up_does_its_work_afterwards(run_task: Run, signals: Signals) -> None:
    def cancelling(_request: dict[str, Any]) -> dict[str, Any]:
        signals.interrupt(signal.SIGTERM)
        return done()

    with pytest.raises(Timeout):
        run_task(Host(Timeout(), cancelling))
    assert signals.received == [signal.SIGTERM]


@pytest.mark.parametrize("step", [Timeout(), done()])
def test_a_signal_just_before_the_clean_up_does_not_prevent_it(
    run_task: Run, signals: Signals, monkeypatch: pytest.MonkeyPatch, step: Step
) -> None:
    hush = _follow._Signals.hush

    def late(self: _follow._Signals) -> None:
        monkeypatch.setattr(_follow._Signals, "hush", hush)
        signals.interrupt()
        raise AssertionError("the signal must unwind this")

    monkeypatch.setattr(_follow._Signals, "hush", late)
    host = Host(step, done())
    with pytest.raises(BaseException, match="signal"):
        run_task(host)
    assert host.modes == ["start", "cancel"]
    assert signals.received == [signal.SIGINT]


def test_a_signal_while_the_handlers_are_put_in_place_loses_nothing(
    run_task: Run, signals: Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    install = signal.signal

    def installing(number: int, handler: Any) -> Any:
        before = install(number, handler)
        if number == signal.SIGINT and handler != signals.came:
            signals.interrupt()
        return before

    monkeypatch.setattr(signal, "signal", installing)
    host = Host()
    with pytest.raises(BaseException, match="signal"):
        run_task(host)
    assert host.modes == []
    assert signals.received == [signal.SIGINT]
    assert signal.getsignal(signal.SIGTERM) == signals.came


def test_the_host_is_told_to_stop_before_the_user_is_told_anything(run_task: Run, shown: list[str]) -> None:
    """The way to the screen may be blocked for good: another worker may have died with its lock."""
    seen: list[int] = []

    def cancelling(_request: dict[str, Any]) -> dict[str, Any]:
        seen.append(len(shown))
        return done()

    with pytest.raises(Timeout):
        run_task(Host(Timeout(), ConnectionResetError("gone"), cancelling))
    assert (seen, ["connection lost" in text for text in shown]) == ([0], [True])


@pytest.mark.parametrize("last", [{"state": "died", "killed": True}, {"state": "refused", "facts": {"error": "full"}}])
def test_a_job_that_cannot_even_be_asked_to_stop_is_killed(
    run_task: Run, shown: list[str], last: dict[str, Any]
) -> None:
    host = Host(Timeout(), {"state": "refused", "code": "no_space", "facts": {"error": "full"}}, last)
    with pytest.raises(Timeout):
        run_task(host)
    assert [request.get("kill") for request in host.requests[1:]] == [False, True]
    assert any("may still run" in text for text in shown) is (last["state"] == "refused")


def test_a_job_that_cannot_be_killed_is_said(run_task: Run, clock: Clock, shown: list[str]) -> None:
    def stubborn(_request: dict[str, Any]) -> dict[str, Any]:
        clock.now += 31
        return {"state": "running"}

    with pytest.raises(Timeout):
        run_task(Host(Timeout(), stubborn, stubborn))
    assert any("may still run on the host: running" in text for text in shown)


def test_a_job_is_followed_in_any_thread(run_task: Run) -> None:
    """Signals belong to the main thread; elsewhere they are left alone."""
    host = Host({"state": "running"}, Timeout(), done())
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(run_task, Host("{answer}")).result()["said"] == "hello"
        with pytest.raises(Timeout):
            pool.submit(run_task, host).result()
    assert host.modes[-1] == "cancel"
