"""The agent ends, is killed, or is away while things change; the runtime too; what runs stays."""

import time

import pytest

import kills
from agent import condition_of, exit_of, restarts, state, status_of, uptime
from specs import SAY, container, pod, sidecar, staying

CONFIG = kills.CONFIG


def hook(script):
    return {"preStop": {"exec": {"command": ["sh", "-c", SAY + script]}}}


def pods(agent):
    return [
        pod("steady", staying("main"), staying("other"), agent=agent,
            inits=[container("init", "say init"), sidecar("side")]),
        pod("done", container("main", "say ran"), agent=agent, restartPolicy="Never"),
    ]


def same(before, after):
    """Nothing that ran was restarted, and nothing that was said of it changed."""
    assert before["metadata"]["uid"] == after["metadata"]["uid"]
    for name in ("main", "other", "side", "init"):
        old, new = status_of(before, name), status_of(after, name)
        for key in ("containerID", "restartCount", "started", "ready", "state"):
            assert old.get(key) == new.get(key), (name, key)
    for kind in ("Ready", "ContainersReady", "Initialized", "PodScheduled"):
        assert condition_of(before, kind) == condition_of(after, kind)
    assert before["status"]["startTime"] == after["status"]["startTime"]


@pytest.mark.parametrize("kill", [False, True], ids=["sigterm", "sigkill"])
def test_check_36_a_restart_of_the_agent_changes_nothing(agent, kill):
    [before] = agent.wait_ready("steady")
    agent.restart(kill)
    [after] = agent.wait_ready("steady")
    same(before, after)
    assert sorted(agent.said("steady")) == ["init", "main up", "other up", "side up"]


def test_check_40_what_has_ended_is_not_run_again(agent):
    before = agent.wait_phase("done", "Succeeded")
    agent.restart(kill=True)
    after = agent.wait_phase("done", "Succeeded")
    assert exit_of(after) == exit_of(before) == (0, "Completed")
    time.sleep(1)
    assert agent.said("done") == ["ran"]


@pytest.mark.parametrize("victim", ["agent", "containerd"])
def test_kills_while_pods_start_restart_and_end(agent, victim):
    """Few; ./dev kills has hundreds."""
    storm = kills.Storm(agent, f"{agent.containerd.version} {victim}", victim)
    storm.rage(6)
    storm.calm()
    assert storm.wrong == []


def test_check_35_what_is_removed_while_the_agent_is_away_is_ended(agent):
    agent.add(pod("forgotten", container("main", "trap 'say term' TERM; say up; "
                                         "while :; do say alive; sleep 0.2; done",
                                         lifecycle=hook("say prestop")),
                  agent=agent, terminationGracePeriodSeconds=30))
    agent.wait_ready("forgotten")
    agent.stop()
    agent.remove("forgotten")
    agent.start()
    agent.wait_said("forgotten", "term")
    agent.wait_gone("forgotten")
    [term] = agent.wait_said("forgotten", "term")
    died = agent.stage("forgotten")[-1][0]
    agent.wait(lambda: uptime() - agent.stage("forgotten")[-1][0] > 1, "its end")
    died = agent.stage("forgotten")[-1][0]
    assert 1 <= died - term <= 4 and "prestop" not in agent.said("forgotten")


def test_what_ends_while_the_agent_is_away_is_noticed(agent):
    agent.add(pod("mortal", container("main", "sleep 2; exit 5"), restartPolicy="Never"))
    agent.wait_pod("mortal", lambda pod: state(pod)[0] == "running", "it to run")
    agent.stop()
    time.sleep(2)
    agent.start()
    assert exit_of(agent.wait_phase("mortal", "Failed")) == (5, "Error")


def kill_sandbox(agent, name):
    """As if somebody had killed the pause process."""
    uid = agent.pod(name)["metadata"]["uid"]
    [sandbox] = agent.containerd.ctr(
        "containers", "list", "-q", f"labels.\"io.kubernetes.pod.uid\"=={uid},"
        "labels.\"io.cri-containerd.kind\"==sandbox").stdout.split()
    agent.containerd.ctr("tasks", "kill", "--signal", "SIGKILL", sandbox)


def test_check_42_a_sandbox_that_dies_is_replaced_and_all_begins_again(agent):
    agent.add(pod("beheaded", staying("main"), agent=agent, inits=[container("init", "say init")]))
    agent.wait_ready("beheaded")
    kill_sandbox(agent, "beheaded")
    agent.wait(lambda: agent.said("beheaded").count("main up") == 2, "a second run", 60, "beheaded")
    assert agent.said("beheaded").count("init") == 2
    assert agent.wait_event("beheaded", "SandboxChanged: Pod sandbox changed, it will be killed "
                            "and re-created.")
    [found] = agent.wait_ready("beheaded")
    assert restarts(found) == 1


def test_check_42_with_policy_never_it_is_not(agent):
    agent.add(pod("beheaded-once", staying("main", on_term="exit 1"), agent=agent,
                  restartPolicy="Never"))
    agent.wait_ready("beheaded-once")
    kill_sandbox(agent, "beheaded-once")
    agent.wait_phase("beheaded-once", "Failed")
    assert agent.said("beheaded-once").count("main up") == 1


@pytest.mark.parametrize("kill", [False, True], ids=["sigterm", "sigkill"])
def test_a_restart_of_the_runtime_changes_nothing(agent, kill):
    [before] = agent.wait_ready("steady")
    agent.containerd.restart(kill)
    agent.add(pod("after-restart", container()))
    agent.wait_ready("after-restart", seconds=60)
    [after] = agent.wait_ready("steady")
    same(before, after)
    agent.remove("after-restart")
    agent.wait_gone("after-restart")


def test_a_runtime_that_hangs_is_waited_for(agent):
    [before] = agent.wait_ready("steady")
    agent.containerd.pause()
    try:
        agent.add(pod("patient", container()))
        time.sleep(3)
        assert agent.pods() is not None, "the agent answers all the while"
    finally:
        agent.containerd.resume()
    agent.wait_ready("patient", seconds=60)
    same(before, agent.pod("steady"))


def test_without_a_runtime_the_agent_says_so_and_goes_on_when_there_is_one(agent):
    agent.containerd.end()
    try:
        agent.restart()
        agent.wait(lambda: "containerd.sock" in agent.log(), "the socket's name in the log")
    finally:
        agent.containerd.start()
    agent.wait_ready("steady", seconds=60)
    assert sorted(agent.said("steady")) == ["init", "main up", "other up", "side up"]


def test_nothing_is_left_in_the_end(agent):
    for path in agent.manifests.iterdir():
        path.unlink()
    agent.wait_gone(seconds=60)
    # A containerd that is killed while it starts a pod may forget a shim, or an address that its
    # CNI plugins reserved; nobody else can know of them.
    assert agent.containerd.leftovers(but=("shim", "address")) == []
