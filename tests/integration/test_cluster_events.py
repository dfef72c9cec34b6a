"""Events at the API server, when something says much: with real containers and a double of it, and a
real one if there is one."""

import pytest

from clusters import NODE, bound, member, wait_node, wait_pod
from conftest import BUILD
from specs import pod, staying

COMBINED = "(combined from similar events): "


@pytest.fixture(scope="module")
def server(cluster_server):
    return cluster_server


@pytest.fixture(scope="module")
def agent(containerd, server):
    with member(containerd, BUILD, lambda place: server.kubeconfig(
            place / "kubeconfig", node=NODE)) as instance:
        wait_node(server)
        for name, output in (("various", "cat /proc/uptime"), ("same", "echo no")):
            failing = pod(name, staying(readinessProbe={
                "exec": {"command": ["sh", "-c", f"{output}; exit 1"]}}), agent=instance)
            failing["metadata"]["annotations"] = {
                "nodeagent.dev/probe.main.readiness": "period=200ms"}
            server.create(failing)
            server.bind(name, NODE)
        yield instance


def unhealthy(server, name):
    return [event for event in server.list("events")
            if event["involvedObject"].get("name") == name and event["reason"] == "Unhealthy"]


def local_events(agent, name, reason):
    """As the agent itself knows them."""
    return [event for event in agent.events()
            if event["involvedObject"]["name"] == name and event["reason"] == reason]


def writes(server, event):
    """What was sent of an event."""
    name = event["metadata"]["name"]
    return [record for record in server.requests(None, r"/events(/|$)")
            if record.path.endswith(f"/events/{name}")
            or record.method == "POST" and record.json["metadata"]["name"] == name]


def test_check_46_many_messages_of_one_reason(server, agent):
    def combined():
        return [event for event in unhealthy(server, "various")
                if event["message"].startswith(COMBINED) and event["count"] >= 3]

    [last] = server.wait(combined, 40, "messages that are combined")
    events = unhealthy(server, "various")
    assert len(events) == 10 and len({event["message"] for event in events}) == 10
    assert last["message"].startswith(COMBINED + "Readiness probe failed: ")
    assert [record.method for record in writes(server, last)][:3] == ["POST", "PATCH", "PATCH"]


def test_check_47_one_message_many_times(server, agent):
    def local():
        return local_events(agent, "same", "Unhealthy")

    server.wait(lambda: local() and local()[0]["count"] >= 32, 60, "it to fail 32 times")
    [event] = unhealthy(server, "same")
    assert 20 <= event["count"] <= 25  # others of the pod's warnings count, too
    # A write is on the server's record once it has been answered.
    sent = server.wait(lambda: len(writes(server, event)) == event["count"] and
                       writes(server, event), what="all of its writes")
    assert len(sent) <= 26
    assert [record.method for record in sent] == ["POST"] + ["PATCH"] * (len(sent) - 1)
    assert sent[-1].json["count"] == event["count"]


def test_events_of_an_outage_are_told_afterwards(server, agent):
    """Once each, and one after the other."""
    bound(server, agent, "late", staying(lifecycle={"postStart": {"exec": {"command": [
        "sh", "-c", "while ! test -e /stage/go; do sleep 0.1; done"]}}}))
    wait_pod(server, "late", lambda found: found["status"].get("phase") == "Pending", "to begin")
    server.wait(lambda: [event for event in server.list("events") if event["reason"] == "Created"
                         and event["involvedObject"].get("name") == "late"], what="its creation")
    server.stop()
    (agent.stages / "late" / "go").touch()
    agent.wait(lambda: local_events(agent, "late", "Started"), "it to start")
    server.start()

    def told():
        return [event for event in server.list("events") if event["reason"] == "Started"
                and event["involvedObject"].get("name") == "late"]

    [event] = server.wait(told, 40, "what happened meanwhile")
    assert len(writes(server, event)) == 1
