"""Pods of one and of several containers, and what is said of them.

The numbers are those of the checks of pod-lifecycle and (cri) of the runtime's interface."""

import datetime
import http.client
import ipaddress
import json
import time

import places
import runtime
from agent import (condition, condition_of, exit_of, involved, is_ready, restarts, state, status_of,
                   statuses, uptime, waiting_for)
from specs import container, pod, stay, staying

GENERAL = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"]


def write_bytes(count, path="/dev/termination-log"):
    return f"yes abcdefgh | head -c {count - 4} > {path}; echo -n last >> {path}"


def pods(agent):
    quiet = stay(quiet=True)
    long_log = "for i in $(seq 200); do echo line $i; done; exit "
    return [
        pod("single", container("main", f"echo hello; sleep 0.1; echo world >&2; {quiet}")),
        pod("pair", container("z", "exec httpd -f -p 8080 -h /etc"),
            container("a", "until wget -q -O - http://127.0.0.1:8080/passwd; do sleep 0.1; done; "
                      + quiet)),
        pod("ordered", staying("a", lifecycle={"postStart": {"exec": {"command": [
            "sh", "-c", "sleep 1; echo 0 hook >> /stage/log"]}}}), staying("b"), agent=agent),
        pod("once", container("main", "exit 0"), restartPolicy="Never"),
        pod("failed", container("main", "exit 7"), restartPolicy="Never"),
        pod("half", container("bad", "exit 7"), container("good", quiet), restartPolicy="Never"),
        pod("message", container("main", write_bytes(5000)), restartPolicy="Never"),
        pod("messages", *[container(f"c{i:02}", write_bytes(2000)) for i in range(12)],
            restartPolicy="Never"),
        pod("fallback", *[container(f"exit-{code}", long_log + str(code),
                                    terminationMessagePolicy="FallbackToLogsOnError")
                          for code in (0, 1)], restartPolicy="Never"),
        pod("elsewhere", container("main", "echo -n moved > /tmp/why; exit 1",
                                   terminationMessagePath="/tmp/why"), restartPolicy="Never"),
        pod("windows", container(), os={"name": "windows"}),
        pod("deadline", staying("main"), agent=agent, activeDeadlineSeconds=8),
        pod("missing-program", dict(container(), command=["/no/such/program"])),
    ]


def times(found, *kinds):
    return [condition_of(found, kind)["lastTransitionTime"] for kind in kinds]


def test_a_pod_becomes_ready(agent):
    [found] = agent.wait_ready("single")
    status, main = found["status"], status_of(found)
    assert status["phase"] == "Running" and status["qosClass"] == "BestEffort"
    assert [item["type"] for item in status["conditions"]] == GENERAL
    assert all(item["status"] == "True" for item in status["conditions"])
    assert ipaddress.ip_address(status["podIP"]) in places.network(agent.containerd.directory)
    assert status["podIPs"] == [{"ip": status["podIP"]}]
    assert status["hostIP"] and status["startTime"]
    assert main["containerID"].startswith("containerd://") and len(main["containerID"]) == 77
    assert main["image"] == runtime.EXAMPLE_IMAGE and "sha256:" in main["imageID"]
    assert (main["ready"], main["started"], main["restartCount"]) == (True, True, 0)
    assert state(found)[0] == "running" and state(found)[1]["startedAt"] >= status["startTime"]


def test_check_25_without_init_containers_conditions_become_true_in_order(agent):
    [found] = agent.wait_ready("single")
    order = times(found, "PodScheduled", "Initialized", "PodReadyToStartContainers",
                  "ContainersReady", "Ready")
    assert order == sorted(order)


def test_a_static_pod_has_the_names_and_marks_of_one(agent):
    [found] = agent.wait_ready("single")
    metadata, spec = found["metadata"], found["spec"]
    assert (metadata["name"], metadata["namespace"]) == ("single-node", "default")
    assert metadata["annotations"]["kubernetes.io/config.source"] == "file"
    assert metadata["annotations"]["kubernetes.io/config.hash"] == metadata["uid"]
    assert spec["nodeName"] == "node"
    assert {"operator": "Exists", "effect": "NoExecute"} in spec["tolerations"]


def test_the_events_of_a_start(agent):
    agent.wait_ready("single")
    found = agent.wait_event("single", "Started: Container started")
    assert found and [message for message in agent.messages("single")] == [
        f'Pulled: Container image "{runtime.EXAMPLE_IMAGE}" already present on machine and can be '
        "accessed by the pod", "Created: Container created", "Started: Container started"]
    assert all(involved(event)["fieldPath"] == "spec.containers{main}"
               for event in agent.events("single"))


def test_cri_31_what_the_runtime_is_told_of_a_container(agent):
    [found] = agent.wait_ready("single")
    identity = status_of(found)["containerID"].removeprefix("containerd://")
    labels = json.loads(agent.containerd.ctr("containers", "info", identity).stdout)["Labels"]
    assert {key: value for key, value in labels.items() if "kubernetes" in key} == {
        "io.kubernetes.pod.name": "single-node", "io.kubernetes.pod.namespace": "default",
        "io.kubernetes.pod.uid": found["metadata"]["uid"], "io.kubernetes.container.name": "main"}
    assert agent.wait_output("single", "world\n") == "hello\nworld\n"


def test_containers_of_a_pod_share_its_network(agent):
    [found] = agent.wait_ready("pair")
    assert agent.wait_output("pair", container="a", end="sh\n").startswith("root:")
    connection = http.client.HTTPConnection(found["status"]["podIP"], 8080, timeout=5)
    connection.request("GET", "/passwd")
    assert connection.getresponse().read().startswith(b"root:")
    connection.close()


def test_check_58_statuses_are_sorted_by_name(agent):
    [found] = agent.wait_ready("pair")
    assert list(statuses(found)) == ["a", "z"]
    assert [item["name"] for item in found["spec"]["containers"]] == ["z", "a"]


def test_check_01_a_poststart_hook_ends_before_the_next_container_starts(agent):
    agent.wait_ready("ordered")
    agent.wait_said("ordered", "b up")
    assert agent.said("ordered") == ["a up", "hook", "b up"]


def test_check_12_never_ends_as_its_containers_ended(agent):
    good, bad = agent.wait_phase("once", "Succeeded"), agent.wait_phase("failed", "Failed")
    assert (exit_of(good), exit_of(bad)) == ((0, "Completed"), (7, "Error"))
    assert restarts(good) == restarts(bad) == 0
    assert condition_of(good, "Ready")["reason"] == "PodCompleted"
    assert condition_of(bad, "Ready")["reason"] == "PodFailed"
    assert condition(good, "Initialized") == "True"


def test_a_pod_goes_on_with_what_is_left_of_it(agent):
    found = agent.wait_pod("half", lambda pod: exit_of(pod, "bad"), "one of two ended")
    assert found["status"]["phase"] == "Running" and not is_ready(found)
    assert condition_of(found, "ContainersReady")["message"] == (
        "containers with unready status: [bad]")


def test_check_57_a_long_termination_message_keeps_its_end(agent):
    message = state(agent.wait_phase("message", "Succeeded"))[1]["message"]
    assert len(message) == 4096 and message.endswith("last")


def test_check_57_many_containers_share_the_room_for_messages(agent):
    found = agent.wait_phase("messages", "Succeeded")
    messages = [state(found, name)[1]["message"] for name in statuses(found)]
    assert [len(message) for message in messages] == 12 * [1024]


def test_check_57_without_a_message_the_log_of_a_failure_has_one(agent):
    found = agent.wait_phase("fallback", "Failed")
    assert "message" not in state(found, "exit-0")[1]
    lines = state(found, "exit-1")[1]["message"].splitlines()
    assert lines[-1] == "line 200" and len(lines) <= 80


def test_a_termination_message_may_be_elsewhere(agent):
    assert state(agent.wait_phase("elsewhere", "Failed"))[1]["message"] == "moved"


def test_check_51_a_pod_for_another_system_is_refused(agent):
    found = agent.wait_phase("windows", "Failed")
    assert found["status"]["reason"] == "PodOSNotSupported"
    assert found["status"]["message"].startswith("Pod was rejected: ")


def test_check_54_a_pod_past_its_deadline_is_ended(agent):
    agent.wait_said("deadline", "main up", "main term")
    found = agent.wait_phase("deadline", "Failed")
    assert found["status"]["reason"] == "DeadlineExceeded"
    [term] = agent.wait_said("deadline", "main term")
    started = datetime.datetime.fromisoformat(found["status"]["startTime"]).timestamp()
    assert 7.9 <= term + time.time() - uptime() - started <= 13, "startTime has whole seconds"


def test_a_program_that_is_not_there_is_named(agent):
    found = agent.wait_pod("missing-program", lambda pod: waiting_for(pod) in (
        "RunContainerError", "CrashLoopBackOff"), "the runtime's refusal")
    assert found["status"]["phase"] in ("Pending", "Running")
    assert agent.wait_event("missing-program", "/no/such/program")


def test_the_commands_tell_the_same(agent, nodeagent):
    agent.wait_ready("single", "pair")
    names = {item["metadata"]["name"] for item in agent.ps()}
    assert {"single-node", "pair-node", "windows-node"} <= names
    table = agent.command("ps").stdout
    assert "single-node" in table and "<unknown>" not in table
    assert "PodOSNotSupported" in agent.why_text("windows")
