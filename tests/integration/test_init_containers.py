"""Init containers and sidecars: the order in which they start, and what the pod says meanwhile."""

from agent import (condition, condition_of, exit_of, is_ready, restarts, state, status_of, statuses,
                   waiting_for)
from specs import container, pod, sidecar, stay, staying

CONFIG = {"crashLoopBackOff": {"maxContainerRestartPeriod": "1s"}}


def step(name, seconds=0.3):
    return container(name, f"say {name} begin; sleep {seconds}; say {name} end")


def pods(agent):
    return [
        pod("three", staying("main"), agent=agent, inits=[step("i1"), step("i2"), step("i3")]),
        pod("slow", staying("main"), agent=agent, inits=[
            container("i1", "until [ -e /stage/go ]; do sleep 0.1; done")]),
        pod("fails", staying("main"), agent=agent, inits=[
            container("i1", "say i1 run; exit 1"), step("i2")]),
        pod("fails-once", staying("main"), agent=agent, restartPolicy="Never", inits=[
            step("i1"), container("i2", "exit 1")]),
        pod("retries", container("main", "exit 0"), agent=agent, restartPolicy="OnFailure",
            inits=[container("i1", "[ -e /stage/been ] && exit 0; touch /stage/been; exit 1")]),
        pod("sidecars", staying("main"), agent=agent, inits=[
            sidecar("s1"), step("i1"), sidecar("s2"), step("i2")]),
        pod("done", container("main", "sleep 1; say main end"), agent=agent, restartPolicy="Never",
            inits=[sidecar("s1", stay("s1", on_term="exit 1")), sidecar("s2"),
                   sidecar("s3", stay("s3", on_term="exit 137"))]),
        pod("sidecar-ends", staying("main"), agent=agent, restartPolicy="Never", inits=[
            sidecar("s1", "say s1 run; sleep 0.5; exit 3")]),
    ]


def test_check_02_init_containers_run_one_after_the_other(agent):
    agent.wait_ready("three")
    agent.wait_said("three", "main up")
    assert agent.said("three") == ["i1 begin", "i1 end", "i2 begin", "i2 end", "i3 begin",
                                   "i3 end", "main up"]


def test_check_02_meanwhile_the_pod_is_pending(agent):
    found = agent.wait_pod("slow", lambda pod: state(pod, "i1")[0] == "running", "i1 running")
    assert found["status"]["phase"] == "Pending"
    assert waiting_for(found, "main") == "PodInitializing"
    assert condition(found, "PodReadyToStartContainers") == "True"
    assert condition_of(found, "Initialized")["message"] == (
        "containers with incomplete status: [i1]")
    (agent.stages / "slow" / "go").touch()
    [found] = agent.wait_ready("slow")
    assert exit_of(found, "i1") == (0, "Completed") and status_of(found, "i1")["ready"]


def test_check_25_with_init_containers_conditions_become_true_in_order(agent):
    [found] = agent.wait_ready("slow")
    order = [condition_of(found, kind)["lastTransitionTime"] for kind in (
        "PodScheduled", "PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready")]
    assert order == sorted(order)


def test_check_03_an_init_container_that_fails_is_tried_again_and_again(agent):
    found = agent.wait_pod("fails", lambda pod: restarts(pod, "i1") >= 3, "three restarts")
    assert found["status"]["phase"] == "Pending"
    initialized = condition_of(found, "Initialized")
    assert (initialized["status"], initialized["reason"], initialized["message"]) == (
        "False", "ContainersNotInitialized", "containers with incomplete status: [i1 i2]")
    assert waiting_for(found, "main") == "PodInitializing"
    assert set(agent.said("fails")) == {"i1 run"}


def test_check_04_with_policy_never_the_pod_fails(agent):
    found = agent.wait_phase("fails-once", "Failed")
    assert condition_of(found, "Initialized")["message"] == (
        "containers with incomplete status: [i2]")
    assert list(statuses(found, "initContainerStatuses")) == ["i1", "i2"]
    assert exit_of(found, "i2") == (1, "Error")
    assert waiting_for(found, "main") == "PodInitializing"
    assert agent.said("fails-once") == ["i1 begin", "i1 end"]


def test_with_policy_onfailure_an_init_container_is_tried_again(agent):
    found = agent.wait_phase("retries", "Succeeded")
    assert restarts(found, "i1") == 1 and restarts(found, "main") == 0


def test_sidecars_start_in_their_turn_and_stay(agent):
    [found] = agent.wait_ready("sidecars")
    said = [text for text in agent.said("sidecars")]
    assert [text for text in said if text[0] != "s"] == ["i1 begin", "i1 end", "i2 begin",
                                                        "i2 end", "main up"]
    # A started container says that it is up a moment later.
    assert said.index("s1 up") < said.index("i1 end") < said.index("s2 up") < said.index("i2 end")
    for name in ("s1", "s2"):
        assert state(found, name)[0] == "running"
        assert status_of(found, name)["started"] and status_of(found, name)["ready"]


def test_check_07_sidecars_stop_in_reverse_when_the_work_is_done(agent):
    found = agent.wait_phase("done", "Succeeded")
    said = [text for text in agent.said("done") if text.endswith(("term", "end"))]
    assert said == ["main end", "s3 term", "s2 term", "s1 term"]
    assert [exit_of(found, name)[0] for name in ("s1", "s2", "s3")] == [1, 0, 137]


def test_a_sidecar_is_restarted_whatever_the_policy(agent):
    found = agent.wait_pod("sidecar-ends", lambda pod: restarts(pod, "s1") >= 2, "two restarts")
    assert found["status"]["phase"] == "Running"
    assert state(found, "main")[0] == "running" and restarts(found, "main") == 0
    assert not is_ready(found) or state(found, "s1")[0] == "running"
