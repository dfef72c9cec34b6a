"""Probes' commands in containers: what they say, and those that do not end."""

import contextlib
import os
import pathlib
import re
import time

import pytest

from agent import restarts, status_of
from specs import container, pod, stay

# Commands are known by what they sleep, which no other test's do.
MARK = 1_000_000 + os.getpid()
HANGING, LEFT, DETACHED, PARENT = (f"{MARK}.{digit}" for digit in range(1, 5))
TIMED_OUT = "Unhealthy: Readiness probe failed: command timed out: "


def probe(*command, **fields):
    return {"exec": {"command": list(command)}, "periodSeconds": 1, **fields}


def probed(name, *command, field="readiness", env=(), **fields):
    return pod(name, container(env=[{"name": key, "value": value} for key, value in env],
                               **{f"{field}Probe": probe(*command, **fields)}))


def pods(agent):
    return [
        probed("hanging", "sleep", HANGING),
        probed("leaving", "sh", "-c", f"sleep {LEFT} & exec sleep {PARENT}"),
        probed("detaching", "sh", "-c",
               f"setsid sleep {DETACHED} </dev/null >/dev/null 2>&1 & exec sleep {PARENT}"),
        probed("loud", "sh", "-c", "echo bad >&2; yes | head -c 20480; exit 3"),
        probed("words", "sh", "-c", "echo \"$0\"; exit 1", "$(A) $(B) $$(A)",
               env=[("A", "value")]),
        probed("steady", "true", field="liveness", failureThreshold=1),
        pod("two", container(readinessProbe=probe("sleep", "1000"),
                             livenessProbe=probe("sleep", "3", timeoutSeconds=10))),
    ]


def sleeping(seconds):
    """The processes that sleep so long."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if path.read_bytes().split(b"\0")[:-1] == [b"sleep", seconds.encode()]:
                found.append(path.parent.name)
    return found


def history(agent, name):
    probes = (agent.ask({"command": "probes", "pod": name}) or {}).get("probes", [])
    return [entry for entry in probes[0]["history"] if entry["verdict"] != "agent late"] \
        if probes else []


def wait_attempts(agent, name, count):
    return agent.wait(lambda: len(history(agent, name)) >= count and history(agent, name),
                      f"{count} attempts", name=name)


def test_another_command_that_goes_on_was_not_left(agent):
    wait_attempts(agent, "two", 5)
    agent.wait_event("two", TIMED_OUT)
    assert not [text for text in agent.messages("two") if "ProbeLeftovers" in text]


def test_check_34_a_command_that_goes_on_is_killed(agent):
    """Before the next one begins."""
    most = 0
    until = time.monotonic() + 6
    while time.monotonic() < until:
        most = max(most, len(sleeping(HANGING)))
        time.sleep(0.02)
    assert most == 1
    assert {entry["verdict"] for entry in wait_attempts(agent, "hanging", 3)} == {"exec timeout"}
    agent.wait_event("hanging", TIMED_OUT + f'"sleep {HANGING}" timed out after 1s')


@pytest.mark.parametrize("name", ["leaving", "detaching"])
def test_what_a_command_leaves_running_holds_nothing_up(agent, name):
    entries = wait_attempts(agent, name, 3)
    assert {entry["verdict"] for entry in entries} == {"exec timeout"}
    agent.wait_event(name, TIMED_OUT)
    assert max(entry["totalMicroseconds"] for entry in entries) < 10e6
    assert not status_of(agent.pod(name))["ready"]


@pytest.mark.parametrize("name, seconds", [("leaving", LEFT), ("detaching", DETACHED)],
                         ids=["leaving", "detaching"])
def test_what_a_command_left_running_is_told(agent, name, seconds):
    """With a process and its name."""
    for event in agent.wait_event(name, "ProbeLeftovers: Readiness probe: its command took too "
                                  "long, was killed, and left running: "):
        pids = re.findall(r"(\d+) \(sleep\)", event)
        assert pids and set(pids) <= set(sleeping(seconds)), event


def test_nothing_is_told_of_who_left_nothing(agent):
    agent.wait_event("hanging", TIMED_OUT)
    assert not [text for text in agent.messages("hanging") if "ProbeLeftovers" in text]


def test_check_33_what_it_says(agent):
    """Of 20 KiB the first ten count, and of those an event has one; stdout is first."""
    assert {entry["verdict"] for entry in wait_attempts(agent, "loud", 1)} == {"exec exit"}
    assert history(agent, "loud")[-1]["code"] == 3
    [event] = agent.wait_event("loud", "Unhealthy: ")
    assert event.startswith("Unhealthy: Readiness probe failed: y\ny\n")
    assert event.endswith("y\n...") or event.endswith("y..."), event
    assert len(event) <= len("Unhealthy: ") + 1024


def test_check_36_variables(agent):
    agent.wait_event("words", "Unhealthy: Readiness probe failed: value $(B) $(A)\n")


def test_check_35_a_runtime_that_is_away_fails_no_probe(agent):
    agent.wait_ready("steady")
    agent.containerd.kill()
    try:
        agent.wait_event("steady", "Unhealthy: Liveness probe errored and resulted in unknown "
                         "state: ")
        assert {"errored", "success"} >= {item["verdict"] for item in history(agent, "steady")}
    finally:
        agent.containerd.start()
    before = len(history(agent, "steady"))
    agent.wait(lambda: history(agent, "steady")[-1]["verdict"] == "success" and
               len(history(agent, "steady")) >= min(before + 1, 10), "an attempt that succeeds")
    assert restarts(agent.pod("steady")) == 0
