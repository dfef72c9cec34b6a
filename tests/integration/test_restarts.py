"""Restart policies, rules for exit codes, and crash loops, with the period lowered to a second."""

import calendar
import time

import runtime
from agent import condition, exit_of, is_ready, restarts, status_of, uptime
from specs import container, pod, sidecar, stay, staying

CONFIG = {"crashLoopBackOff": {"maxContainerRestartPeriod": "1s"}}
COUNT = ("n=$(cat /stage/n 2>/dev/null || echo 0); n=$((n+1)); echo $n > /stage/n; "
         "say run $n; ")
THREE_RUNS = COUNT + f"case $n in 1) exit 1;; 2) exit 0;; *) {stay(quiet=True)};; esac"


def rule(action, *codes, operator="In"):
    return {"action": action, "exitCodes": {"operator": operator, "values": list(codes)}}


def pods(agent):
    policies = [pod(f"three-{policy.lower()}", container("main", THREE_RUNS), agent=agent,
                    restartPolicy=policy) for policy in ("Always", "OnFailure", "Never")]
    return policies + [
        pod("good", container("main", COUNT + "exit 0"), agent=agent, restartPolicy="OnFailure"),
        pod("loop", container("main", COUNT + "echo log $n; exit 3"), agent=agent),
        pod("rule", container("main", COUNT + "[ $n = 1 ] && exit 42; exit 1",
                              restartPolicy="Never", restartPolicyRules=[rule("Restart", 42)]),
            agent=agent, restartPolicy="Never"),
        pod("own", container("main", COUNT + f"[ $n = 1 ] && exit 1; {stay(quiet=True)}",
                             restartPolicy="Always"),
            container("other"), agent=agent, restartPolicy="Never"),
        pod("all", container("main", COUNT + f"[ $n = 1 ] && sleep 1 && exit 42; "
                             f"echo $n > /data/n; {stay(quiet=True)}", restartPolicy="Never",
                             restartPolicyRules=[rule("RestartAllContainers", 42)],
                             volumeMounts=[{"name": "data", "mountPath": "/data"}]),
            staying("other"), agent=agent, restartPolicy="Never",
            inits=[container("init", "say init"), sidecar("side")],
            volumes=[{"name": "data", "emptyDir": {}}]),
    ]


def runs(agent, name):
    return [at for at, text in agent.stage(name) if text.startswith("run")]


def test_check_13_always(agent):
    found = agent.wait_pod("three-always", lambda pod: is_ready(pod) and restarts(pod) == 2,
                           "ready after two restarts")
    assert found["status"]["phase"] == "Running"
    assert status_of(found)["lastState"]["terminated"]["exitCode"] == 0


def test_check_13_onfailure(agent):
    found = agent.wait_phase("three-onfailure", "Succeeded")
    assert restarts(found) == 1 and exit_of(found) == (0, "Completed")
    assert status_of(found)["lastState"]["terminated"]["exitCode"] == 1


def test_check_13_never(agent):
    found = agent.wait_phase("three-never", "Failed")
    assert restarts(found) == 0 and exit_of(found) == (1, "Error")


def test_check_12_onfailure_does_not_restart_what_succeeded(agent):
    agent.wait_phase("good", "Succeeded")
    assert agent.said("good") == ["run 1"]


def test_check_19_the_delays_of_a_crash_loop(agent):
    """0, 1, 1, 1 seconds; up to half of it and a second are the reference's jitter."""
    agent.wait(lambda: len(runs(agent, "loop")) >= 4, "four runs", name="loop")
    began = runs(agent, "loop")
    gaps = [after - before for before, after in zip(began, began[1:])][:3]
    assert all(0.9 <= gap <= 3.5 for gap in gaps[1:]), gaps
    # The first restart was not waited for, however slow the machine is: events have whole seconds.
    [first, *_] = [event["firstTimestamp"] for event in agent.events("loop")
                   if event["reason"] == "BackOff"]
    told = calendar.timegm(time.strptime(first, "%Y-%m-%dT%H:%M:%SZ")) - time.time() + uptime()
    assert told > began[1] - 1, (told, began)


def test_each_run_has_a_log_of_its_own(agent):
    agent.wait(lambda: len(runs(agent, "loop")) >= 3, "three runs", name="loop")
    latest = agent.wait_pod("loop", lambda pod: restarts(pod) >= 2, "two restarts")
    attempt = restarts(latest)
    agent.wait(lambda: agent.output("loop", attempt=attempt) == f"log {attempt + 1}\n",
               "the log of the last run", name="loop")


def test_check_56_of_dead_containers_one_is_kept(agent):
    agent.wait(lambda: len(runs(agent, "loop")) >= 4, "four runs", name="loop")
    uid = agent.pod("loop")["metadata"]["uid"]

    def records():
        return agent.containerd.ctr(
            "containers", "list", "-q", f"labels.\"io.kubernetes.pod.uid\"=={uid},"
            "labels.\"io.kubernetes.container.name\"==main").stdout.split()

    agent.wait(lambda: 0 < len(records()) <= 2, "at most two records", name="loop")
    [logs] = agent.logs.glob(f"*_{uid}/main")
    agent.wait(lambda: len(list(logs.iterdir())) <= 2, "no more logs than records", name="loop")


def test_check_47_a_rule_restarts_what_the_policy_would_not(agent):
    found = agent.wait_phase("rule", "Failed")
    assert restarts(found) == 1 and exit_of(found) == (1, "Error")
    assert agent.said("rule") == ["run 1", "run 2"]


def test_check_47_a_container_has_its_own_policy(agent):
    found = agent.wait_pod("own", lambda pod: is_ready(pod) and restarts(pod) == 1, "restarted")
    assert restarts(found, "other") == 0


def test_check_48_a_rule_restarts_all_containers(agent):
    found = agent.wait_pod("all", lambda pod: is_ready(pod) and restarts(pod) == 1, "restarted")
    assert [restarts(found, name) for name in ("init", "side", "other")] == [1, 1, 1]
    said = agent.said("all")
    assert said.count("init") == said.count("side up") == said.count("other up") == 2
    agent.wait(lambda: condition(agent.pod("all"), "AllContainersRestarting") == "False",
               "the condition's end", name="all")
    sandboxes = [text for text in agent.messages("all") if text.startswith("SandboxChanged")]
    assert sandboxes == []


def test_a_container_that_is_killed_from_outside_is_started_again(agent):
    found = agent.wait_pod("own", lambda pod: is_ready(pod) and restarts(pod) == 1, "restarted")
    before = status_of(found)["containerID"]
    agent.containerd.ctr("tasks", "kill", "--signal", "SIGKILL",
                         before.removeprefix("containerd://"))
    after = agent.wait_pod("own", lambda pod: is_ready(pod) and restarts(pod) == 2, "restarted")
    assert status_of(after)["lastState"]["terminated"] == dict(
        status_of(after)["lastState"]["terminated"], exitCode=137, containerID=before)
    assert status_of(after)["image"] == runtime.EXAMPLE_IMAGE
