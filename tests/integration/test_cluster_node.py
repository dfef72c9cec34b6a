"""The Node object, its Lease and its events, with a real runtime and a double of the API server,
and with a real one if there is one.
Agents are here side by side, each with a Node of its own; none has pods, which it would take from
the others."""

import contextlib
import time

import pytest

import runtime
from agent import Agent
from clusters import condition, is_true
from conftest import BUILD

NODE = "node"
LEASES = "kube-node-lease"
DEFAULT_LABELS = {"beta.kubernetes.io/arch", "beta.kubernetes.io/os", "kubernetes.io/arch",
                  "kubernetes.io/hostname", "kubernetes.io/os"}
# A day of a node in minutes: turns and renewals come as often as that.
QUICK = {"nodeStatusUpdateFrequency": "250ms", "nodeStatusReportFrequency": "1s",
         "nodeLeaseDurationSeconds": 2}
IDLE_FASTER = 20
IDLE = {"nodeStatusUpdateFrequency": f"{10000 // IDLE_FASTER}ms",
        "nodeStatusReportFrequency": f"{300 // IDLE_FASTER}s",
        "nodeLeaseDurationSeconds": 40 // IDLE_FASTER}
IDLE_SECONDS = 10 * 60 / IDLE_FASTER
MANY_TURNS = 4  # reports, between which are three turns
LATER_IMAGE = "example.org/later:1"


@pytest.fixture(scope="module")
def server(cluster_server):
    return cluster_server


@contextlib.contextmanager
def agent_of(containerd, server, name, config=QUICK, flags=()):
    instance = Agent(containerd, BUILD, config, name=f"agent-{name}", node=name)
    instance.flags = ["--kubeconfig",
                      server.kubeconfig(instance.directory / "kubeconfig", node=name), *flags]
    try:
        instance.start()
        yield instance
        instance.stop()
    finally:
        instance.kill()


@pytest.fixture(scope="module")
def agent(containerd, server):
    with agent_of(containerd, server, NODE) as instance:
        yield instance


@pytest.fixture(scope="module", autouse=True)
def idle(containerd, server):
    """A node that nothing happens to while the others are tested: since when that is."""
    with agent_of(containerd, server, "idle", IDLE):
        wait_ready(server, "idle")
        server.wait(lambda: server.get("nodes", "idle")["status"].get("images"), what="its images")
        yield time.time()


def wait_ready(server, name, seconds=30):
    return server.wait(lambda: is_true(server.get("nodes", name), "Ready")
                       and server.get("nodes", name), seconds, f"node {name} to be ready")


@pytest.fixture(scope="module")
def node(server, agent):
    return wait_ready(server, NODE)


def lease_of(server, name=NODE):
    return server.get("leases", name, LEASES)


def of_status(server, name=NODE):
    return server.requests("PATCH", f"/nodes/{name}/status")


def wait_turns(server, name=NODE):
    count = len(of_status(server, name)) + MANY_TURNS
    server.wait(lambda: len(of_status(server, name)) >= count, what="turns of the status")


def node_events(server, reason, name=NODE):
    return [event for event in server.list("events")
            if event["involvedObject"] == {"kind": "Node", "name": name, "apiVersion": "v1",
                                           "uid": server.get("nodes", name)["metadata"]["uid"]}
            and event["reason"] == reason]


def wait_event(server, reason, name=NODE):
    [event] = server.wait(lambda: node_events(server, reason, name), what=f"event {reason}")
    return event


def test_check_08_what_is_sent_for_a_new_node(server, node):
    [post] = server.requests("POST", r"/api/v1/nodes$")[-1:]
    made = post.json
    assert made["metadata"]["name"] == NODE and set(made["metadata"]["labels"]) == DEFAULT_LABELS
    assert "taints" not in made.get("spec", {})
    assert {"capacity", "allocatable", "conditions", "addresses", "nodeInfo"} <= set(made["status"])
    assert {taint["key"] for taint in node["spec"].get("taints", [])} <= {
        "node.kubernetes.io/not-ready"}  # the cluster's own, which a controller takes away


def test_check_13_images_are_named(containerd, server, node):
    found = server.wait(lambda: server.get("nodes", NODE)["status"].get("images"), what="images")
    sizes = [image["sizeBytes"] for image in found]
    assert sizes == sorted(sizes, reverse=True) and all(sizes)
    assert all(len(image["names"]) <= 5 for image in found)
    assert runtime.EXAMPLE_IMAGE in [name for image in found for name in image["names"]]
    containerd.ctr("images", "tag", runtime.EXAMPLE_IMAGE, LATER_IMAGE)  # looked for below


def test_the_runtime_and_this_version_say_what_they_can(containerd, server, node):
    status = server.get("nodes", NODE)["status"]
    if containerd.version == "2":
        assert {"", "runc"} <= {handler["name"] for handler in status["runtimeHandlers"]}
        assert isinstance(status["features"]["supplementalGroupsPolicy"], bool)
    else:  # these do not say
        assert "runtimeHandlers" not in status and "features" not in status
    for handler in status.get("runtimeHandlers", []):
        assert set(handler["features"]) == {"recursiveReadOnlyMounts", "userNamespaces"}
    assert status["declaredFeatures"] == ["RestartAllContainersOnContainerExits"]
    assert "volumesInUse" not in status


def test_a_report_has_nothing_but_heartbeats(server, node):
    wait_turns(server)
    report = of_status(server)[-1]
    assert set(report.json["status"]) == {"conditions", "$setElementOrder/conditions"}
    assert len(report.body) < 600


def test_check_16_conditions_of_others_stay(server, node):
    foreign = {"type": "KernelDeadlock", "status": "False", "reason": "KernelHasNoDeadlock",
               "message": "kernel has no deadlock", "lastHeartbeatTime": "2026-01-02T03:04:05Z",
               "lastTransitionTime": "2026-01-02T03:04:05Z"}
    server.update_status("nodes", NODE, {"conditions": [foreign]})
    wait_turns(server)
    found = server.get("nodes", NODE)
    assert condition(found, "KernelDeadlock") == foreign
    assert is_true(found, "Ready")


def test_check_17_a_lease_that_somebody_deletes(server, node):
    before = server.wait(lambda: lease_of(server), what="the lease")
    server.delete("leases", NODE, LEASES)
    after = server.wait(lambda: lease_of(server), 20, "the lease again")
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert after["metadata"]["ownerReferences"] == before["metadata"]["ownerReferences"] == [
        {"apiVersion": "v1", "kind": "Node", "name": NODE, "uid": node["metadata"]["uid"]}]
    assert after["spec"]["holderIdentity"] == NODE


@pytest.mark.double
def test_check_18_a_lease_that_somebody_changed(server, node):
    path = rf"/leases/{NODE}$"
    with server.faults.refuse(path, 409, method="PUT", count=1) as fault:
        server.wait(lambda: fault.hits, what="the refusal")
    refused = [record for record in server.requests("PUT", path) if record.code == 409][-1]

    def follow():
        records = [record for record in server.requests(None, path) if record.time > refused.time]
        return len(records) > 1 and records[:2]

    read, write = server.wait(follow, what="a second try")
    assert (read.method, write.method) == ("GET", "PUT")
    assert server.wait(lambda: write.code) == 200
    assert write.time - refused.time < 0.25  # in the same turn: the next is later


def test_events_of_a_start(server, node):
    assert wait_event(server, "Starting")["message"] == "Starting kubelet."
    assert wait_event(server, "NodeReady")["message"] == f"Node {NODE} status is now: NodeReady"
    for reason in ("NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID"):
        event = wait_event(server, reason)
        assert event["message"] == f"Node {NODE} status is now: {reason}"
        assert event["type"] == "Normal" and event["metadata"]["namespace"] == "default"
    assert not node_events(server, "Rebooted")


def test_events_of_a_cordon(server, node):
    server.patch("nodes", NODE, {"spec": {"unschedulable": True}})
    wait_event(server, "NodeNotSchedulable")
    server.patch("nodes", NODE, {"spec": {"unschedulable": None}})
    wait_event(server, "NodeSchedulable")


def test_a_reboot_is_told_once(server, agent, node):
    agent.stop()
    server.update_status("nodes", NODE, {"nodeInfo": {"bootID": "another"}})
    agent.start()
    event = wait_event(server, "Rebooted")
    boot = server.get("nodes", NODE)["status"]["nodeInfo"]["bootID"]
    assert event["type"] == "Warning"
    assert event["message"] == f"Node {NODE} has been rebooted, boot id: {boot}"
    wait_turns(server)
    assert node_events(server, "Rebooted")[0]["count"] == 1


@pytest.mark.double
def test_what_a_server_does_not_keep_is_not_told_each_turn(server, agent, node):
    """A field that is switched off there."""
    def drop(_, __, new, *___):
        new["status"].pop("declaredFeatures", None)

    wait_turns(server)
    server.api.admission.update_nodes = lambda target, new, old: drop(None, target, new)
    try:
        server.update_status("nodes", NODE, {"phase": "Running"})  # and so it is gone
        wait_turns(server)
        told = ["declaredFeatures" in record.json["status"] for record in of_status(server)[-3:]]
        since = of_status(server)[-1].time
        wait_turns(server)
        assert time.time() - since > 2.5  # by reports, not by turns
        assert all(told)
    finally:
        del server.api.admission.update_nodes
    wait_turns(server)
    assert server.get("nodes", NODE)["status"]["declaredFeatures"]


def test_check_09_a_node_that_is_there(containerd, server):
    server.create({"kind": "Node", "metadata": {
        "name": "known", "labels": {"kubernetes.io/arch": "vax", "mine": "yes"}}})
    config = {**QUICK, "registerWithTaints": [{"key": "gpu", "value": "x", "effect": "NoSchedule"}]}
    with agent_of(containerd, server, "known", config, ["--node-labels", "a=b"]):
        found = wait_ready(server, "known")
    labels = found["metadata"]["labels"]
    assert "a" not in labels and labels["mine"] == "yes"
    assert labels["kubernetes.io/arch"] != "vax" and labels["kubernetes.io/os"] == "linux"
    assert not [taint for taint in found["spec"].get("taints", ()) if taint["key"] == "gpu"]


def test_check_12_an_address_that_will_not_do(containerd, server):
    with agent_of(containerd, server, "unreachable", flags=["--node-ip", "127.0.0.1"]) as agent:
        found = wait_ready(server, "unreachable")
        wait_turns(server, "unreachable")
        assert "addresses" not in found["status"]
        assert "--node-ip: 127.0.0.1 cannot be a node's address: it is a loopback" in agent.log()


def test_check_19_no_node_no_lease(containerd, server):
    with agent_of(containerd, server, "absent", {**QUICK, "registerNode": False}):
        server.wait_request("GET", "/leases/absent$", count=3)
        assert not [record for record in server.requests("POST", "/leases$")
                    if record.json["metadata"]["name"] == "absent"]
        server.create({"kind": "Node", "metadata": {"name": "absent"}})
        found = wait_ready(server, "absent")
        lease = server.wait(lambda: lease_of(server, "absent"), what="the lease")
        assert lease["metadata"]["ownerReferences"][0]["uid"] == found["metadata"]["uid"]
    assert not [record for record in server.requests("POST", "/api/v1/nodes$")
                if record.user == "system:node:absent"]


def test_check_13_later_images_too(server, agent):
    server.wait(lambda: [image for image in server.get("nodes", NODE)["status"]["images"]
                         if LATER_IMAGE in image["names"]], 45, "an image that came later")


def test_check_14_an_idle_node(server, idle):
    """Ten minutes of it, twenty times as fast; what requests take is not faster."""
    time.sleep(max(0, idle + IDLE_SECONDS - time.time()))
    until = idle + IDLE_SECONDS

    def within(records):
        return [record for record in records if idle < record.time < until]

    assert len(within(of_status(server, "idle"))) <= 4
    renewals = within(server.requests("PUT", "/leases/idle$"))
    assert 50 <= len(renewals) <= 62


def test_check_15_the_runtime_is_away_for_a_while(containerd, server, agent, node):
    wait_turns(server)
    count = len(of_status(server))
    containerd.kill()
    server.wait(lambda: not is_true(server.get("nodes", NODE), "Ready"), 45, "it to be not ready")
    ready = condition(server.get("nodes", NODE), "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "KubeletNotReady")
    assert "container runtime is down" in ready["message"]
    containerd.start()
    wait_ready(server, NODE, 15)
    # A report within a second of another is empty.
    moves = [item for record in of_status(server)[count:]
             for item in record.json.get("status", {}).get("conditions", [])
             if item["type"] == "Ready" and "lastTransitionTime" in item]
    assert [item["status"] for item in moves] == ["False", "True"]
    wait_event(server, "NodeNotReady")
