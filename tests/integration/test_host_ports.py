"""Ports of the node, with CNI's portmap plugin in the chain."""

import http.client
import json

import pytest

import places
import registry
import runtime
from specs import container, pod

SERVE = "mkdir /tmp/www; echo {} > /tmp/www/name; exec httpd -f -p 8080 -h /tmp/www"


@pytest.fixture(scope="module")
def containerd():
    with runtime.private() as instance:
        path = instance.directory / "cni/conf/10-bridge.conflist"
        network = json.loads(path.read_text())
        network["plugins"].append({"type": "portmap", "capabilities": {"portMappings": True}})
        path.write_text(json.dumps(network))
        instance.restart()
        yield instance


def web(name, port):
    """Answers with its name."""
    return pod(name, container("main", SERVE.format(name), ports=[
        {"containerPort": 8080, "hostPort": port}]))


def fetch(port):
    """What is said through the node's port; None if nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/name")
        return connection.getresponse().read().decode().strip()
    except ConnectionRefusedError:
        return None
    finally:
        connection.close()


def test_a_pod_is_reached_through_the_nodes_port_and_has_it_alone(agent):
    port, another = registry.free_port(), registry.free_port()
    agent.add(web("first", port))
    agent.wait_ready("first")
    agent.wait(lambda: fetch(port) == "first", "an answer through the node's port")
    agent.add(web("second", port), web("other", another))
    refused = agent.wait_phase("second", "Failed")["status"]
    text = ("Predicate NodePorts failed: node(s) didn't have free ports for the requested pod "
            "ports")
    assert (refused["reason"], refused["message"]) == ("NodePorts", f"Pod was rejected: {text}")
    assert agent.messages("second") == [f"NodePorts: {text}"]
    assert text in agent.why_text("second")
    agent.wait(lambda: fetch(another) == "other", "an answer from another pod")
    assert fetch(port) == "first"
    agent.remove("first", "second", "other")
    agent.wait_gone()
    assert fetch(port) is None and fetch(another) is None
    assert places.host_ports(agent.containerd.directory) == []
    assert agent.containerd.leftovers() == []
