"""The agent's client of the API server over real HTTP/2: nghttpx stands between it and the double,
with TLS, client certificates and the limit of streams that kube-apiserver has."""

import json
import subprocess
import time

import pytest

from api_driver import Driver
from api_gateway import STREAMS, Gateway
from api_rules import node_user
from api_server import ApiServer
from clusters import NODE
from conftest import BUILD
from relay import Relay
from specs import pod

TOKEN = "token-of-the-node"
PODS = "/api/v1/pods"
OF_NODE = f"spec.nodeName={NODE}"
NODE_PATH = f"/api/v1/nodes/{NODE}"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
SECRETS = 150
BODIES = 20


@pytest.fixture
def server(tmp_path):
    with ApiServer(tmp_path, plain=True) as instance:
        instance.tokens[TOKEN] = node_user(NODE)
        instance.create({"kind": "Node", "metadata": {"name": NODE}})
        yield instance


@pytest.fixture
def gateway(server, tmp_path):
    with Gateway(server, tmp_path) as instance:
        yield instance


@pytest.fixture
def relay(gateway):
    """On the way to the gateway: it knows of each connection."""
    instance = Relay(gateway.port)
    yield instance
    instance.close()


@pytest.fixture
def driver(server, gateway, relay, tmp_path):
    path = server.kubeconfig(
        tmp_path / "kubeconfig", node=NODE, token=TOKEN, server=f"https://127.0.0.1:{relay.port}",
        certificate_authority=str(server.authority.certificate))
    with Driver(BUILD, path, tmp_path / "driver.log") as instance:
        yield instance


def add_secret(server, number):
    """A pod with a Secret of its own."""
    name = f"secret-{number}"
    server.create({"kind": "Secret", "metadata": {"name": name}, "stringData": {"a": "b"}})
    server.create({"kind": "Pod", "metadata": {"name": f"pod-{number}"}, "spec": {
        "containers": [{"name": "c", "image": "busybox:1.36", "envFrom": [
            {"secretRef": {"name": name}}]}], "serviceAccountName": "default"}})
    server.bind(f"pod-{number}", NODE)
    return name


def watch_secrets(driver, names):
    for name in names:
        driver.watch(name, "Secret", "/api/v1/namespaces/default/secrets", f"metadata.name={name}")
    driver.wait_complete(*names)


def test_check_42_more_watches_than_a_connection_carries(server, gateway, relay, driver):
    names = [add_secret(server, number) for number in range(SECRETS)]
    driver.watch("pods", "Pod", PODS, OF_NODE)
    watch_secrets(driver, names)
    assert all(driver.objects[name] == {
        f"default/{name}": server.get("secrets", name)["metadata"]["resourceVersion"]}
        for name in names)
    for number in range(20):
        driver.ask(f"ask-{number}", "GET", NODE_PATH)
    for number in range(20):
        assert driver.wait_answer(f"ask-{number}", seconds=5)[0] == 200
    for name in names:
        server.patch("secrets", name, {"stringData": {"a": "c"}})
    for name in names:
        version = server.get("secrets", name)["metadata"]["resourceVersion"]
        driver.wait(lambda: driver.objects[name][f"default/{name}"] == version, f"{name} to change")
    assert len(relay.pairs) == -(-(SECRETS + 1) // STREAMS)
    assert len(server.requests("WATCH")) == SECRETS + 1 and not server.requests("LIST")
    assert {protocol for _, protocol, _, _ in gateway.answered()} == {"h2"}


def test_a_server_that_lets_few_streams_onto_a_connection(server, tmp_path):
    """It refuses what was sent before it said so, and those streams find a connection, too."""
    with Gateway(server, tmp_path, streams=10) as gateway:
        relay = Relay(gateway.port)
        path = server.kubeconfig(tmp_path / "few", node=NODE, token=TOKEN,
                                 server=f"https://127.0.0.1:{relay.port}",
                                 certificate_authority=str(server.authority.certificate))
        with Driver(BUILD, path, tmp_path / "few.log") as driver:
            names = watch_some(server, driver, 45)
            change_all(server, driver, names)
            assert {watched(server, name) for name in names} == {1}
            assert 5 <= len(relay.pairs) <= len(names)
        relay.close()


def test_long_bodies_beside_each_other(server, relay, driver):
    """Both ways, more than fits into what the other side takes at a time."""
    names = watch_some(server, driver)
    for number in range(BODIES):
        driver.ask(f"put-{number}", "PATCH", f"{NODE_PATH}/status", json.dumps({"metadata": {
            "annotations": {f"filler-{number}": str(number) * (100 << 10)}}}))
    assert {driver.wait_answer(f"put-{number}")[0] for number in range(BODIES)} == {200}
    for number in range(BODIES):
        driver.ask(f"get-{number}", "GET", NODE_PATH)
    for number in range(BODIES):
        code, size = driver.wait_answer(f"get-{number}")
        assert code == 200 and size > BODIES * (100 << 10)
    kept = server.get("nodes", NODE)["metadata"]["annotations"]
    assert {len(kept[f"filler-{number}"]) for number in range(10)} == {100 << 10}
    change_all(server, driver, names)
    assert len(relay.pairs) == 1


def watch_some(server, driver, count=10):
    names = [add_secret(server, number) for number in range(count)]
    watch_secrets(driver, names)
    return names


def change_all(server, driver, names, **options):
    """Whether each watch tells of a change that is made now."""
    for name in names:
        server.patch("secrets", name, {"stringData": {"now": str(time.monotonic())}})
    for name in names:
        version = server.get("secrets", name)["metadata"]["resourceVersion"]
        driver.wait(lambda: driver.objects[name][f"default/{name}"] == version,
                    f"{name} to change", **options)


def watched(server, name):
    return len(server.requests("WATCH", f"metadata.name%3D{name}&"))


def test_goaway_loses_nothing(server, gateway, relay, driver):
    """What is under way ends where it began, what comes after goes to the next."""
    names = watch_some(server, driver)
    with server.faults.slow(NODE_PATH, 2):
        for number in range(10):
            driver.ask(f"before-{number}", "PATCH", f"{NODE_PATH}/status",
                       '{"metadata":{"labels":{"a":"%d"}}}' % number)
        server.wait(lambda: len(server.requests("PATCH", NODE_PATH)) == 10)
        gateway.replace()
    for number in range(10):
        driver.ask(f"after-{number}", "GET", NODE_PATH)
    assert {driver.wait_answer(f"{when}-{number}")[0] for when in ("before", "after")
            for number in range(10)} == {200}
    assert len(server.requests("PATCH", NODE_PATH)) == 10
    change_all(server, driver, names)
    assert len(relay.pairs) == 2


def test_connections_that_end_with_their_proxy(server, gateway, driver):
    names = watch_some(server, driver)
    gateway.stop()
    for name in names[:5]:
        server.patch("secrets", name, {"stringData": {"meanwhile": "changed"}})
    server.delete("secrets", names[0])
    gateway.start()
    change_all(server, driver, names[1:])
    driver.wait(lambda: not driver.objects[names[0]], "the one that is gone to go")


def test_a_stream_that_is_reset_is_its_own_trouble(server, relay, driver):
    first, *others = watch_some(server, driver)
    server.faults.torn(f"metadata.name%3D{first}&")
    change_all(server, driver, [first])
    change_all(server, driver, others)
    assert watched(server, first) == 2
    assert {watched(server, name) for name in others} == {1}
    assert len(relay.pairs) == 1


def test_streams_that_are_ended_in_time_are_begun_again(server, relay, driver):
    names = watch_some(server, driver)
    time.sleep(1)  # a shorter life is trouble
    assert server.end_watches("/secrets") == len(names)
    server.wait(lambda: {watched(server, name) for name in names} == {2})
    change_all(server, driver, names)
    assert not server.requests("LIST") and len(relay.pairs) == 1


def test_check_07_a_way_that_loses_all_silently(server, relay, driver):
    """Of the connections that there are; new ones work. Nobody asks for anything meanwhile."""
    names = watch_some(server, driver)
    ports = [client.getpeername()[1] for client, _ in relay.pairs]
    table = f"nodeagent_test_{relay.port}"
    rules = "".join(f"tcp sport {port} drop; tcp dport {port} drop; " for port in ports)
    subprocess.run(["nft", f"table inet {table} {{ chain silent {{ type filter hook output "
                           f"priority 0; {rules}}}; }}"], check=True)
    try:
        began = time.monotonic()
        change_all(server, driver, names, seconds=45)
        assert time.monotonic() - began < 20
    finally:
        subprocess.run(["nft", "delete", "table", "inet", table], check=True)


def test_check_07_a_way_that_acknowledges_for_the_dead(server, relay, driver):
    """Then a heartbeat finds it out."""
    names = watch_some(server, driver)
    relay.go_dead()
    driver.beat("lease", "POST", LEASES, '{"apiVersion":"coordination.k8s.io/v1","kind":"Lease",'
                f'"metadata":{{"name":"{NODE}"}}}}')
    assert driver.wait_answer("lease", seconds=10)[0] == 200
    driver.wait_log("a connection is dead")
    change_all(server, driver, names, seconds=10)
