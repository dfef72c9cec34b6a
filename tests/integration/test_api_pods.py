"""Pods while the API server is not what it should be."""

import time

import pytest

from api_server import ApiServer
from clusters import NODE, bound, is_true, member, patches, wait_node, wait_ready
from conftest import BUILD
from specs import container, pod, staying

TOLD_SECONDS = 30    # until all that is tried again has been
ROUND_SECONDS = 70   # the longest that a watch waits
PAST = {"not_before": -1000, "not_after": -10}


@pytest.fixture(scope="module")
def server(containerd, tmp_path_factory):  # one for each runtime
    with ApiServer(tmp_path_factory.mktemp("cluster")) as instance:
        yield instance


@pytest.fixture(scope="module")
def agent(containerd, server):
    """It starts while nobody listens there."""
    server.stop()
    with member(containerd, BUILD, lambda place: server.kubeconfig(
            place / "kubeconfig", node=NODE)) as instance:
        instance.add(pod("static", staying(), agent=instance))
        yield instance


def containers(agent, name):
    return [(status["containerID"], status["restartCount"])
            for status in agent.pod(name)["status"]["containerStatuses"]]


def test_check_34_static_pods_run_whatever_is_there_instead_of_a_server(server, agent):
    agent.wait_ready("static")
    before = containers(agent, "static")

    def told(sentence):
        start = agent.log_path.stat().st_size
        agent.wait(lambda: sentence in agent.log_path.read_text()[start:],
                   f"\"{sentence}\" in the log", ROUND_SECONDS)

    agent.wait(lambda: "cannot connect: Connection refused" in agent.log(), "a word of it")
    server.use_certificate(**PAST)
    server.start()
    told("the server's certificate must be renewed")
    server.use_certificate(("other.example.org",))
    told("set server or tls-server-name of the kubeconfig")
    with server.faults.refuse(".", 401):
        server.use_certificate()
        told("it does not know who asks")
    wait_node(server)
    server.wait(lambda: is_true(server.get("pods", f"static-{NODE}"), "Ready"), ROUND_SECONDS,
                "the mirror")
    assert containers(agent, "static") == before


def secretive(secret):
    return container("main", None, env=[{"name": "A", "valueFrom": {"secretKeyRef": {
        "name": secret, "key": "a"}}}])


def test_check_43_a_secret_that_is_refused_at_first(server, agent):
    """A pod's node may see its Secrets some time after the pod."""
    wait_node(server)
    server.create({"kind": "Secret", "metadata": {"name": "word"}, "stringData": {"a": "b"}})
    with server.faults.refuse("/secrets", 403, seconds=1) as fault:
        bound(server, agent, "secretive", secretive("word"))
        wait_ready(server, "secretive")
        assert fault.hits


def test_check_42_many_secrets(server, agent):
    """Of few pods; test_api_http2 has a hundred and fifty watches on connections that carry a
    hundred."""
    wait_node(server)
    names = [f"many-{number}" for number in range(12)]
    for name in names:
        server.create({"kind": "Secret", "metadata": {"name": name}, "stringData": {"a": "b"}})
        bound(server, agent, name, secretive(name))
    for name in names:
        wait_ready(server, name, 90)
    for name in names:
        server.delete_pod(name, grace=0)
    agent.wait_gone(*names, seconds=60)


def test_check_39_a_status_of_the_pod_that_was_before(server, agent):
    """The PATCH is on its way while the pod is made anew under its name."""
    wait_node(server)
    bound(server, agent, "twice", container("main", "while ! [ -e /stage/go ]; do sleep 0.1; done"),
          restartPolicy="Never")
    uid = wait_ready(server, "twice")["metadata"]["uid"]
    with server.faults.slow("/pods/twice/status", 2):
        before = len(patches(server, "twice"))
        (agent.stages / "twice" / "go").touch()
        server.wait(lambda: len(patches(server, "twice")) > before)
        server.delete_pod("twice", grace=0)
        (agent.stages / "twice" / "go").unlink()
        bound(server, agent, "twice", staying())
        late = patches(server, "twice")[before]
        server.wait(lambda: late.code, what="the answer to the late one")
    assert late.json["metadata"]["uid"] == uid and late.code in (409, 422)
    seen = []
    deadline = time.monotonic() + TOLD_SECONDS
    while not seen or not is_true(seen[-1], "Ready"):
        seen.append(server.get("pods", "twice"))
        assert time.monotonic() < deadline, seen[-1]
        time.sleep(0.05)
    assert {found["status"]["phase"] for found in seen} <= {"Pending", "Running"}
    assert seen[-1]["metadata"]["uid"] != uid
