"""What is not a container runtime: the agent stays up, says once what is wrong with which socket,
goes on answering, and goes on by itself when there is something else."""

import os
import socket
import subprocess
import time
import types

import pytest

import agent as agents
import bad_runtime as bad
import places
import runtime
from agent import status_of
from bad_runtime import BadRuntime
from conftest import BUILD
from specs import pod, staying

CONFIG = {"runtimeRequestTimeout": "1s"}
NAME_IT = "--container-runtime-endpoint"
NO_ROOT = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]  # a root that may not do everything


def datagrams(path):
    other = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    other.bind(str(path))
    return other


def of_another(path):
    """Somebody else's, whose mode lets nobody in."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    os.chown(path, 65534, 65534)
    os.chmod(path, 0o600)
    return listener


# {case: (what makes the socket, what is said, what to do)}
CASES = {
    "missing": (None, "there is no such socket", NAME_IT),
    "file": (lambda path: path.write_text("x"), "nobody listens on it", NAME_IT),
    "directory": (lambda path: path.mkdir(), "nobody listens on it", NAME_IT),
    "dangling-link": (lambda path: path.symlink_to("nowhere"), "there is no such socket", NAME_IT),
    "datagrams": (datagrams, "is no stream socket", NAME_IT),
    "not-permitted": (of_another, "Permission denied", "must run as root"),
    "says-nothing": (bad.says_nothing, "does not answer", "see its log"),
    "closes": (bad.closes_at_once, "closes connections at once", "see the runtime's log"),
    "bytes": (bad.says_bytes, "does not speak gRPC", NAME_IT),
    "http-1": (bad.speaks_http_1, "does not speak gRPC, but HTTP/1", NAME_IT),
    "closes-within": (bad.closes_within_a_call, "closes connections within calls",
                      "see the runtime's log"),
    "hangs": (bad.hangs_within_calls, "does not answer", "see its log"),
    "no-message": (bad.answers(b"\xff" * 50), "Version: the runtime's answer cannot be decoded",
                   "see the runtime's log"),
    "wrong-message": (bad.answers(b""), "its answer is not that of a container runtime", "log"),
    "fails": (bad.answers(status=13, text="it broke"), "Version: it broke", "see the runtime's log"),
    "no-v1": (bad.answers(status=12, text="unknown service runtime.v1.RuntimeService"),
              "no v1 CRI", "disabled_plugins"),
}
SERVERS = {case for case, (make, _, _) in CASES.items() if getattr(make, "__module__", "")
           == "bad_runtime"}
DOWN = "container runtime is down: "


class Case:
    """An agent on something that is no runtime."""

    def __init__(self, directory, name):
        self.name = name
        self.make, self.said, self.remedy = CASES[name]
        self.path = directory / f"{name}.sock"
        self.server = None
        self.agent = agents.Agent(types.SimpleNamespace(
            directory=directory, log=str, endpoint=f"unix://{self.path}"), BUILD, CONFIG, name)
        if name == "not-permitted":
            self.agent.by = NO_ROOT

    def start(self):
        if self.name in SERVERS:
            self.server = BadRuntime(self.path, self.make)
        elif self.make:
            self.server = self.make(self.path)
        self.agent.add(pod("web", staying()))
        self.agent.start(wait=False)

    def down(self):
        """The sentences about it, in order."""
        return [line.partition(DOWN)[2] for line in self.agent.log().splitlines() if DOWN in line]

    def replace(self):
        """There is something else now, in the same place."""
        if isinstance(self.server, BadRuntime):
            self.server.end()
        elif self.path.is_dir():
            self.path.rmdir()
        else:
            self.path.unlink(missing_ok=True)
        self.server = BadRuntime(self.path, bad.answers(status=13, text="something else"))


@pytest.fixture(scope="module")
def cases():
    """All of them wait at the same time: nothing is to be heard from most of them."""
    directory = places.make()
    found = {name: Case(directory, name) for name in CASES}
    try:
        for case in found.values():
            case.start()
        for case in found.values():
            case.agent.wait(case.down, f"the trouble of {case.name}", 60)
        yield found
    finally:
        for case in found.values():
            case.agent.kill()
        places.remove(directory)


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_with_which_socket_and_what_to_do(cases, name):
    case = cases[name]
    [sentence] = case.down()
    assert sentence.startswith(f"unix://{case.path}: ") and case.said in sentence
    assert case.remedy in sentence and "all addresses" not in sentence


@pytest.mark.parametrize("name", CASES)
def test_commands_answer_and_pods_are_not_ready(cases, name):
    agent = cases[name].agent
    assert agents.condition(agent.pod("web"), "Ready") != "True"
    told = agent.why("web")
    [node] = [blocker for blocker in told["node"]["blockers"] if blocker["reason"] == "RuntimeDown"]
    assert cases[name].said in node["text"]
    assert not told["pods"][0]["ready"] and told["pods"][0]["blockers"]
    assert "default     web-node   0/1 " in agent.command("ps").stdout
    assert agent.command("why", check=False).returncode == 1


def test_it_is_said_once_and_so_is_what_comes_next(cases):
    """Ten seconds hold two more looks. The log tells at its end what came again, and how often."""
    enough = time.monotonic() + 10
    for case in cases.values():
        case.replace()
    for case in cases.values():
        case.agent.wait(lambda: len(case.down()) > 1, f"news from {case.name}", 30)
    time.sleep(max(0, enough - time.monotonic()))
    for case in cases.values():
        case.agent.stop()
        assert len(case.down()) == 2 and "Version: something else" in case.down()[1], case.down()
        assert "repeated" not in case.agent.log(1 << 20)
        assert len(case.agent.log(1 << 20).splitlines()) < 12, case.agent.log(1 << 20)


# a runtime that is away for a while


@pytest.fixture(scope="module")
def containerd():
    with runtime.private() as instance:
        yield instance


def test_what_runs_outlives_a_liar_in_its_place(containerd, agent):
    """Its answers are those of a runtime that has nothing, and whose calls do all they should."""
    agent.add(*[pod(name, staying(), agent=agent, hostNetwork=name == "host")
                for name in ("steady", "host")])
    before = agent.wait_ready("steady", "host")
    containerd.end()
    with BadRuntime(containerd.socket, bad.answers(b"")) as liar:
        agent.wait(lambda: liar.requests > 50, "fifty lies")
        assert set(agent.pods()) == {"steady", "host"}
    containerd.start()
    agent.add(pod("next", staying()))
    agent.wait_ready("next")
    for old, new in zip(before, agent.wait_ready("steady", "host")):
        assert status_of(old)["containerID"] == status_of(new)["containerID"]
    assert agent.said("steady") == agent.said("host") == ["main up"]
