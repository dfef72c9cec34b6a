"""What the commands that ask the agent have in common, and nodeagent run."""

import os
import pathlib
import shutil
import socket
import stat
import subprocess
import time

import pytest

from agent_socket import OK, AgentSocket, line, refusal

ASKING = ["ps", "why", "probes", "events"]
EMPTY = {"ps": {"kind": "PodList", "items": []}, "why": {"node": {}, "pods": []}, "probes": {"probes": []},
         "events": {"kind": "EventList", "items": []}}


def complaint(result, command):
    assert result.returncode == 1
    assert result.stdout == b""
    text = result.stderr.decode()
    assert text.startswith(f"nodeagent {command}: ") and text.endswith("\n")
    assert text.count("\n") == 1
    return text.removeprefix(f"nodeagent {command}: ").strip()


@pytest.fixture
def ask(nodeagent, tmp_path):
    """ask(command, steps): what the command says to such an answer."""
    def run(command, steps, *arguments, **options):
        with AgentSocket(tmp_path, {command: steps}):
            result = nodeagent(command, "--run-dir", tmp_path, *arguments, **options)
        (tmp_path / "nodeagent.sock").unlink()
        return result

    return run


# no agent


@pytest.mark.parametrize("command", ASKING)
def test_no_agent(nodeagent, tmp_path, command):
    for directory in (tmp_path, tmp_path / "missing"):
        result = nodeagent(command, "--run-dir", directory)
        assert complaint(result, command) == (
            f"no agent is running with run directory {directory} (no socket "
            f"{directory}/nodeagent.sock); start it with 'nodeagent run', or name its directory "
            "with --run-dir")


def test_a_socket_that_nobody_listens_on(nodeagent, tmp_path):
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(tmp_path / "nodeagent.sock"))
    stale.close()
    text = complaint(nodeagent("ps", "--run-dir", tmp_path), "ps")
    assert f"(nobody listens on {tmp_path}/nodeagent.sock)" in text


def test_the_default_directory(nodeagent):
    text = complaint(nodeagent("why"), "why")
    assert "/run/nodeagent/nodeagent.sock" in text


@pytest.mark.parametrize("directory_mode,socket_mode", [(0o700, 0o600), (0o755, 0o600)])
def test_others_than_root(program, directory_mode, socket_mode):
    run_dir = pathlib.Path("/tmp") / f"nodeagent-test-{os.getpid()}"
    run_dir.mkdir()
    try:
        copy = shutil.copy(program, run_dir.with_suffix(".program"))
        with AgentSocket(run_dir, {"ps": [OK, line(EMPTY["ps"])]}):
            os.chmod(run_dir / "nodeagent.sock", socket_mode)
            os.chmod(run_dir, directory_mode)
            result = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                                     copy, "ps", "--run-dir", run_dir], capture_output=True,
                                    timeout=60)
        # A build that measures coverage says that it may not write its figures.
        said = [row for row in result.stderr.decode().splitlines() if "profiling" not in row]
        assert (result.returncode, said) == (1, [
            f"nodeagent ps: {run_dir}/nodeagent.sock: must be root to ask the agent"])
    finally:
        shutil.rmtree(run_dir)
        run_dir.with_suffix(".program").unlink()


def test_a_deep_run_directory(nodeagent, tmp_path):
    deep = tmp_path.joinpath(*["a-directory-with-a-long-name"] * 10)
    deep.mkdir(parents=True)
    with AgentSocket(deep, {"ps": [OK, line(EMPTY["ps"])]}):
        assert nodeagent("ps", "--run-dir", deep).returncode == 0


# answers


@pytest.mark.parametrize("command", ASKING)
def test_an_answer_in_pieces(ask, command):
    whole = OK + line(EMPTY[command])
    assert ask(command, [whole[i:i + 7] for i in range(0, len(whole), 7)]).returncode == 0


@pytest.mark.parametrize("command", ASKING)
def test_a_refusal(ask, command):
    text = complaint(ask(command, [refusal("no \x1b[2J pod\nhere")]), command)
    assert text == "no ?[2J pod?here"


@pytest.mark.parametrize("command", ASKING)
@pytest.mark.parametrize("steps,text", [
    ([], "the agent closed the connection without an answer"),
    ([OK], "the agent closed the connection without an answer"),
    ([b'{"ok":'], "the agent closed the connection within its answer"),
    ([OK, b'{"kind":'], "the agent closed the connection within its answer"),
    ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], "the agent's answer cannot be read: "),
    ([b"\0\xff\x1b\n"], "the agent's answer cannot be read: "),
    ([OK, b"\x1b[2J\n"], "the agent's answer cannot be read: "),
    ([b"{}\n"], 'the agent\'s answer does not begin with {"ok": ...}; is it of another version?'),
    ([b"[1]\n"], 'the agent\'s answer does not begin with {"ok": ...}'),
    ([b'{"ok":"yes"}\n'], 'the agent\'s answer does not begin with {"ok": ...}'),
    ([b'{"ok":false}\n'], 'the agent\'s answer does not begin with {"ok": ...}'),
    ([OK, b"[" * 200 + b"]" * 200 + b"\n"], "the agent's answer cannot be read: "),
    ([OK, b"{}\n"], "the agent's answer "),
    ([OK, b"[]\n"], "the agent's answer "),
    ([OK, b'{"kind":"NodeList","items":[]}\n'], "the agent's answer "),
    ([OK, b'{"kind":"PodList","items":{}}\n'], "the agent's answer "),
])
def test_answers_that_are_none(ask, command, steps, text):
    said = complaint(ask(command, steps), command)
    assert said.startswith(text)
    assert "\x1b" not in said


def test_a_pod_that_cannot_be_read(ask):
    items = [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}, "unknown": 1,
                                           "status": {"phase": 3}}]
    assert complaint(ask("ps", [OK, line({"kind": "PodList", "items": items})]), "ps") == (
        "the agent's answer cannot be read: items[1].status.phase: must be a string, not a number; "
        "put the value in quotes")


def test_an_agent_that_says_nothing(program, tmp_path):
    """Nothing more, that is: it stops within its answer. All commands wait at the same time."""
    with AgentSocket(tmp_path, {command: [OK, b"{", 60] for command in ASKING}):
        began = time.monotonic()
        waiting = [subprocess.Popen([program, command, "--run-dir", tmp_path],
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                   for command in ASKING]
        for command, process in zip(ASKING, waiting):
            output, error = process.communicate(timeout=60)
            text = complaint(subprocess.CompletedProcess([], process.returncode, output, error),
                             command)
            assert text == "the agent said nothing for 5 s; it hangs or is overloaded: see its log"
        assert 4.5 < time.monotonic() - began < 30


def test_an_agent_that_accepts_nobody(nodeagent, tmp_path):
    """Its queue is full."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "nodeagent.sock"))
    listener.listen(0)
    waiting = socket.socket(socket.AF_UNIX)
    waiting.connect(str(tmp_path / "nodeagent.sock"))
    text = complaint(nodeagent("ps", "--run-dir", tmp_path), "ps")
    assert text.startswith(f"{tmp_path}/nodeagent.sock: the agent accepted nobody for 5 s")
    waiting.close()
    listener.close()


def test_an_answer_without_end(ask):
    chunk = b" " * (1 << 20)
    assert complaint(ask("ps", [OK] + [chunk] * 70), "ps") == (
        "the agent's answer is longer than 64 MiB")


def test_a_big_answer(ask):
    pod = {"metadata": {"name": "web", "namespace": "default", "annotations": {"a": "x" * 10000}},
           "spec": {"containers": [{"name": "web"}]}, "status": {"phase": "Running"}}
    result = ask("ps", [OK, line({"kind": "PodList", "items": [pod] * 500})])
    assert result.returncode == 0
    assert len(result.stdout.splitlines()) == 501


@pytest.mark.parametrize("command", ASKING)
def test_output_that_cannot_be_written(program, tmp_path, command):
    with AgentSocket(tmp_path, {command: [OK, line(EMPTY[command])]}), \
            open("/dev/full", "wb") as full:
        result = subprocess.run([program, command, "--run-dir", tmp_path], stdout=full,
                                stderr=subprocess.PIPE, timeout=60)
    assert result.returncode == 1
    assert result.stderr == (b"nodeagent: cannot write the output: No space left on device\n")


# the command line


@pytest.mark.parametrize("arguments,text", [
    (["ps", "-o", "yaml"], '-o takes wide or json, not "yaml"'),
    (["ps", "--output"], "-o needs a value"),
    (["ps", "--run-dir"], "--run-dir needs a value"),
    (["ps", "-x"], "unknown option -x"),
    (["ps", "--follow"], "unknown option --follow"),
    (["ps", ""], '"": a pod\'s name must not be empty'),
    (["ps", "x" * 600], "a pod's name is not that long"),
    (["why", "-o", "wide"], '-o takes text or json, not "wide"'),
    (["why", "a", "b"], 'explains one pod or all; "b" is one too many'),
    (["why", b"\xff"], "a pod's name must be UTF-8"),
    (["events", "-o", "wide"], '-o takes text or json, not "wide"'),
    (["events", "a", "b"], 'lists those of one pod or all; "b" is one too many'),
    (["events", ""], "a pod's name must not be empty"),
])
def test_usage(program, arguments, text):
    result = subprocess.run([program, *arguments], capture_output=True, timeout=60)
    assert result.returncode == 2
    assert result.stdout == b""
    said = result.stderr.decode().splitlines()
    assert said[0].startswith(f"nodeagent {arguments[0]}: ") and text in said[0]
    assert said[1] == f"Try: nodeagent {arguments[0]} --help"


@pytest.mark.parametrize("command", ASKING)
def test_help(nodeagent, command):
    for arguments in (["help", command], [command, "--help"], [command, "-h"]):
        result = nodeagent(*arguments)
        assert result.returncode == 0
        assert result.stdout.decode().startswith(f"Usage: nodeagent {command} ")
        assert all(len(row) <= 88 for row in result.stdout.decode().splitlines())


def test_all_commands_are_listed(nodeagent):
    text = nodeagent("help").stdout.decode()
    for command in (*ASKING, "cni", "probe", "run", "validate", "version"):
        assert f"\n  {command} " in text


# the service

SERVICE = """#!/bin/sh
echo "service $0"
for argument; do echo "[$argument]"; done
exit 7
"""


@pytest.fixture
def installed(program, tmp_path):
    """installed(place): a copy of the program with a stand-in for the service at that place."""
    def install(place):
        folder = tmp_path / "commands"
        folder.mkdir(exist_ok=True)
        copy = pathlib.Path(shutil.copy(program, folder))
        if place:
            service = folder / place
            service.parent.mkdir(exist_ok=True)
            service.write_text(SERVICE)
            service.chmod(0o755)
        return copy

    return install


def run(*arguments, **options):
    return subprocess.run(arguments, capture_output=True, timeout=60, **options)


@pytest.mark.parametrize("place", ["nodeagentd", "../agent/nodeagentd"])
def test_run_becomes_the_service(installed, place):
    program = installed(place)
    result = run(program, "run", "--config", "a b", "", "--", "-v=2", "--help")
    assert result.returncode == 7
    assert result.stdout.decode().splitlines() == [
        f"service {program.parent / place}", "[--config]", "[a b]", "[]", "[--]", "[-v=2]",
        "[--help]"]


@pytest.mark.parametrize("arguments", [["--config", "x"], ["-v", "2"], ["--root-dir=/x", "run"]])
def test_flags_alone_are_the_service(installed, arguments):
    result = run(installed("nodeagentd"), *arguments)
    assert result.returncode == 7
    assert result.stdout.decode().splitlines()[1:] == [f"[{word}]" for word in arguments]


@pytest.mark.parametrize("arguments", [[], ["--version"], ["--help"], ["-h"], ["version"],
                                       ["--kubeconfig", "x"]])
def test_called_as_kubelet(installed, tmp_path, arguments):
    kubelet = tmp_path / "kubelet"
    kubelet.symlink_to(installed("nodeagentd"))
    for call in (kubelet, "./kubelet"):
        result = run(call, *arguments, cwd=tmp_path)
        assert result.returncode == 7
        assert result.stdout.decode().splitlines()[1:] == [f"[{word}]" for word in arguments]


def test_what_is_not_the_service(installed):
    program = installed("nodeagentd")
    assert run(program).returncode == 2
    assert run(program, "version").stdout.startswith(b"nodeagent ")
    assert run(program, "--version").stdout.startswith(b"nodeagent ")
    assert run(program, "--help").stdout.startswith(b"Usage: nodeagent COMMAND")


def test_a_missing_service_names_the_places(installed):
    program = installed(None)
    for arguments in (["run"], ["--config", "x"]):
        folder = program.parent
        text = complaint(run(program, *arguments), "run")
        assert text.startswith(f"the program nodeagentd is not installed; tried {folder}/"
                               f"nodeagentd, {folder}/../agent/nodeagentd, /")
        assert text.endswith("/libexec/nodeagentd")


def test_a_service_that_cannot_be_run(installed):
    program = installed("nodeagentd")
    service = program.parent / "nodeagentd"
    service.chmod(0o644)
    assert complaint(run(program, "run"), "run") == f"{service}: cannot be run: Permission denied"
    assert stat.S_IMODE(service.stat().st_mode) == 0o644
