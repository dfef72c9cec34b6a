"""A member of a cluster over HTTP/2, whose proxy is replaced while pods come and go."""

import pytest

from api_gateway import Gateway
from api_rules import node_user
from api_server import ApiServer
from clusters import NODE, bound, member, wait_node, wait_ready
from conftest import BUILD
from relay import Relay
from specs import container, staying

TOKEN = "token-of-the-node"
PODS = 12


@pytest.fixture(scope="module")
def place(containerd, tmp_path_factory):
    """(server, gateway, relay on the way to it), for each runtime"""
    directory = tmp_path_factory.mktemp("cluster")
    with ApiServer(directory, plain=True) as server, Gateway(server, directory) as gateway:
        server.tokens[TOKEN] = node_user(NODE)
        relay = Relay(gateway.port)
        yield server, gateway, relay
        relay.close()


@pytest.fixture(scope="module")
def agent(containerd, place):
    server, _, relay = place
    with member(containerd, BUILD, lambda directory: server.kubeconfig(
            directory / "kubeconfig", node=NODE, token=TOKEN,
            server=f"https://127.0.0.1:{relay.port}",
            certificate_authority=str(server.authority.certificate))) as instance:
        yield instance


def add(server, agent, name):
    """With a Secret of its own, in its environment."""
    server.create({"kind": "Secret", "metadata": {"name": name}, "stringData": {"a": name}})
    bound(server, agent, name, staying(), container("other", env=[{
        "name": "A", "valueFrom": {"secretKeyRef": {"name": name, "key": "a"}}}]))


def test_pods_come_and_go_while_the_proxy_is_replaced(agent, place):
    server, gateway, relay = place
    wait_node(server)
    names = [f"pod-{number}" for number in range(PODS)]
    for name in names[:PODS // 2]:
        add(server, agent, name)
    gateway.replace()
    for name in names[PODS // 2:]:
        add(server, agent, name)
    for name in names:
        wait_ready(server, name, 90)
    gateway.replace()
    for name in names:
        server.delete_pod(name)
    server.wait(lambda: not [name for name in names if server.get("pods", name)], 60,
                "all pods to go")
    assert {protocol for _, protocol, _, _ in gateway.answered()} == {"h2"}
    assert len(relay.pairs) == 3, "one of each proxy"
    _, log = agent.log(1 << 20).split("runs as node")
    assert " warning " not in log, log
