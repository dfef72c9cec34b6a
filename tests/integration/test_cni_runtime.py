"""nodeagent-cni between a real containerd and its network, and containerd's own records."""

import json
import pathlib
import shutil
import time

import pytest

import agent as agents
import cni
import places
import runtime
from conftest import BUILD
from specs import pod

CLIENT = BUILD / "tests" / "bench" / "cri-client"
HOST = pathlib.Path("/proc/self/ns/net")


@pytest.mark.parametrize("version", ["1.6", "2"])
def test_pods_of_containerd(node, version):
    with runtime.private(version) as containerd:
        cni.put_between(containerd, node)
        containerd.run_pods(CLIENT, "--pods=5", "--flight=5")
        assert containerd.leftovers() == []
        assert node.records() == []
        told = node.told()
        assert (told["verb"], told["network"]) == ("DEL", places.bridge(containerd.directory))
        containerd.run_pods(CLIENT, "--keep")
        record, = node.records()
        address, = places.addresses(containerd.directory)
        told = node.told()
        assert told["addresses"] == [address]
        assert "K8S_POD_NAME=plain-0" in told["args"]
        assert record == f"{told['network']}-{told['containerId']}-eth0"
        node.host = HOST
        assert node.call("GC", **{"cni.dev/valid-attachments": []}) is None
        assert places.addresses(containerd.directory) == node.records() == []


def test_check_43_a_list_that_is_renamed_beside_its_place_is_seen(node):
    """From another directory it is not: whoever installs one must know."""
    with runtime.private("2") as containerd:
        cni.put_between(containerd, node)
        results = {name: node.directory / name / "results" for name in ("away", "beside")}
        for name, path in results.items():
            cni.write_list(containerd, node, **({"beside": "."} if name == "away" else {}),
                       cacheDir=str(path.parent))
            time.sleep(1)
            containerd.run_pods(CLIENT, "--keep", f"--prefix={name}")
        assert not results["away"].exists() and len(node.records()) == 1
        assert len(list(results["beside"].iterdir())) == 1


BANDWIDTH = {"type": "bandwidth", "capabilities": {"bandwidth": True}}
LATER = """#!/bin/sh
[ $CNI_COMMAND = ADD ] || exit 0
echo >>{directory}/tries
[ $(wc -l <{directory}/tries) -gt 2 ] || { echo '{"code": 11, "msg": "later"}'; exit 1; }
exec {plugins}/bandwidth
"""


@pytest.fixture(scope="module")
def networked():
    """An agent and a containerd with nodeagent-cni, whose plugins are the node's."""
    node = cni.Node(BUILD / "cni" / "nodeagent-cni")
    try:
        with runtime.private("2") as containerd:
            cni.put_between(containerd, node, {**BANDWIDTH, "type": "later"})
            node.plugin("later", f"#!/bin/sh\nexec {cni.PLUGINS}/bandwidth\n")
            agent = agents.Agent(containerd, BUILD)
            try:
                agent.start()
                yield agent, node
                agent.stop()
            finally:
                agent.kill()
    finally:
        node.remove()


def with_rate(name, rate):
    shaped = pod(name)
    shaped["metadata"]["annotations"] = {"kubernetes.io/ingress-bandwidth": rate}
    return shaped


def test_check_32_a_rate_that_a_pod_asks_for(networked):
    agent, node = networked
    agent.add(with_rate("shaped", "10M"))
    agent.wait_ready("shaped")
    record, = [json.loads((node.directory / "cache/results" / name).read_text())
               for name in node.records()]
    asked = {name.lower(): value for name, value in record["capabilityArgs"]["bandwidth"].items()}
    assert asked["ingressrate"] == 10_000_000 and asked["ingressburst"] > 0
    port, = places.ports(agent.containerd.directory)
    assert "rate 10Mbit" in cni.run("tc", "qdisc", "show", "dev", port)
    agent.remove("shaped")
    agent.wait_gone("shaped")
    assert node.records() == []


def test_check_33_a_rate_that_is_none_is_refused_before_any_plugin(networked):
    agent, node = networked
    node.told()
    agent.add(with_rate("typo", "10x"))
    event, = agent.wait_event("typo", "FailedCreatePodSandBox")[:1]
    assert "10x" in event or "bandwidth" in event
    assert node.told() is None and node.records() == []
    agent.remove("typo")
    agent.wait_gone("typo")


def test_check_28_a_network_that_says_later_is_tried_again(networked):
    agent, node = networked
    node.plugin("later", LATER.replace("{directory}", str(node.directory))
                .replace("{plugins}", str(cni.PLUGINS)))
    agent.add(pod("patient"))
    agent.wait_event("patient", "later")
    agent.wait_ready("patient")
    assert len((node.directory / "tries").read_text()) == 3
    assert len(node.records()) == len(places.addresses(agent.containerd.directory)) == 1
    agent.remove("patient")
    agent.wait_gone("patient")
    assert node.records() == places.addresses(agent.containerd.directory) == []


def test_records_of_containerds_own_library(containerd, node):
    """A pod that was there before nodeagent-cni is deleted by it, or collected."""
    containerd.run_pods(CLIENT, "--keep", "--pods=2")
    results = node.directory / "cache" / "results"
    results.mkdir()
    name = places.bridge(containerd.directory)
    for path in (places.CNI_CACHE / "results").glob(f"{name}-*"):
        shutil.copy(path, results)
    first, second = [json.loads((results / record).read_text()) for record in node.records()]
    told_where = "netns" in first  # by 1.6 it is not; then interfaces go with the namespace
    assert len(places.addresses(containerd.directory)) == 2
    node.host = HOST
    node.delete(first["containerId"], netns="")
    address = second["result"]["ips"][0]["address"].partition("/")[0]
    assert places.addresses(containerd.directory) == [address]
    assert len(node.records()) == 1
    real = (containerd.directory / "cni/conf/10-bridge.conflist")
    node.configure(real.name, real.read_text())
    assert node.call("GC", **{"cni.dev/valid-attachments": []}) is None
    assert places.addresses(containerd.directory) == node.records() == []
    assert len(places.ports(containerd.directory)) == (0 if told_where else 2)
