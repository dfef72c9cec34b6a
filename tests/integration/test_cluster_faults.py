"""The agent as a member of a cluster whose API server misbehaves, or the way to it: pods go on,
the log says what is wrong and what to do, nothing is sent in a loop, and all comes right again."""

import json
import pathlib
import random
import re
import time

import pytest

from agent import Agent, restarts
from api_errors import ApiError
from api_server import ApiServer
from clusters import (NODE, bound, condition, is_true, member, patches, said_by, wait_node,
                      wait_pod, wait_ready)
from conftest import BUILD
from relay import Relay
from specs import SAY, container, pod, staying

PODS = r"/api/v1/pods\?"
ARRIVES_SECONDS = 20  # a change, whatever the connection was doing
ROUND_SECONDS = 10    # after which all that went wrong is tried again


@pytest.fixture(scope="module")
def server(containerd, tmp_path_factory):  # one for each runtime
    with ApiServer(tmp_path_factory.mktemp("cluster")) as instance:
        yield instance


@pytest.fixture(scope="module")
def relay(server):
    instance = Relay(server.port)
    yield instance
    instance.close()


@pytest.fixture(scope="module")
def agent(containerd, server, relay):
    with member(containerd, BUILD, lambda place: server.kubeconfig(
            place / "kubeconfig", node=NODE, server=f"https://127.0.0.1:{relay.port}"),
            {"crashLoopBackOff": {"maxContainerRestartPeriod": "1s"}}) as instance:
        yield instance


@pytest.fixture(scope="module")
def steady(server, agent):
    """A pod that all of this leaves alone."""
    wait_node(server)
    bound(server, agent, "steady", staying("main"), staying("side"))
    wait_ready(server, "steady")
    return containers(agent, "steady")


@pytest.fixture(autouse=True)
def pods_go_on(server, agent, steady):
    yield
    server.faults.clear()
    assert containers(agent, "steady") == steady
    assert agent.process.poll() is None


@pytest.fixture
def impatient(server, agent):
    """An agent that has not had trouble lately, and so does not wait long before it tries again."""
    def watches():
        return len([record for record in server.requests("WATCH", PODS) if record.code == 200])

    before = watches()
    agent.restart()
    server.wait(lambda: watches() > before, 20, "the agent to watch its pods")


def containers(agent, name):
    return [(status["name"], status["containerID"], status["restartCount"])
            for status in agent.pod(name)["status"]["containerStatuses"]]


class Log:
    """What the agent says from now on."""

    def __init__(self, agent):
        self.agent = agent
        self.start = agent.log_path.stat().st_size

    @property
    def text(self):
        return self.agent.log_path.read_bytes()[self.start:].decode(errors="replace")

    def wait(self, pattern, seconds=ARRIVES_SECONDS):
        return self.agent.wait(lambda: re.search(pattern, self.text), f"\"{pattern}\" in its log",
                               seconds)


def arrives(server, agent, name):
    """A pod that is bound now is heard of, and one that is deleted then, too."""
    bound(server, agent, name)
    wait_ready(server, name, ARRIVES_SECONDS)
    server.delete_pod(name, grace=0)
    agent.wait_gone(name, seconds=ARRIVES_SECONDS)


def renewals(server):
    return [record for record in server.requests("PUT", f"/leases/{NODE}$") if record.code == 200]


def wait_renewal(server):
    count = len(renewals(server))
    server.wait(lambda: len(renewals(server)) > count, ARRIVES_SECONDS, "the Lease to be renewed")


# watches


def test_check_22_what_happens_in_a_gap_is_found_afterwards(server, agent):
    bound(server, agent, "leaves")
    wait_ready(server, "leaves")
    with server.faults.refuse(PODS, 503):
        server.end_watches(PODS, "reset")
        server.delete_pod("leaves", grace=0)
        bound(server, agent, "joins")
        server.expire()
    agent.wait_gone("leaves")
    wait_ready(server, "joins")


def test_check_22_a_watch_that_is_told_410(server, agent):
    server.wait(lambda: server.end_watches(PODS, ApiError(410, "too old resource version")) == 1,
                ARRIVES_SECONDS, "a watch that can be ended")
    arrives(server, agent, "after-410")


def test_check_24_torn_watches(server, agent, impatient):
    for number in range(2):
        server.faults.torn(PODS)
        arrives(server, agent, f"torn-{number}")


def test_a_watch_that_is_silent_for_a_while(server, agent, impatient):
    with server.faults.silent(PODS, seconds=4):
        arrives(server, agent, "silence")


def test_check_07_dead_connections_are_found_out(server, agent, relay):
    log = Log(agent)
    relay.go_dead()
    arrives(server, agent, "dead-way")
    assert "a connection is dead" in log.text


# statuses


def no_storm(server, name):
    """Of requests for a pod whose status does not get through: what is tried again at once is tried
    again within two seconds."""
    server.wait_request("PATCH", f"/pods/{name}/status")
    time.sleep(2)
    assert len(server.requests(pattern=f"/pods/{name}")) <= 12


@pytest.mark.parametrize("code", [409, 500])
def test_refusals_are_not_answered_with_a_storm(server, agent, code):
    name = f"refused-{code}"
    with server.faults.refuse(f"/pods/{name}/status", code):
        bound(server, agent, name)
        agent.wait_ready(name)
        no_storm(server, name)
    wait_ready(server, name, 2 * ROUND_SECONDS)


def test_answers_that_are_not_understood_do_not_make_a_storm(server, agent):
    """Of which the agent cannot tell what the server knows."""
    log = Log(agent)
    with server.faults.garbage("/pods/babel/status"):
        bound(server, agent, "babel")
        agent.wait_ready("babel")
        no_storm(server, "babel")
    wait_ready(server, "babel", 2 * ROUND_SECONDS)
    log.wait("/pods/babel/status: .*not understood")


def test_a_field_that_the_server_does_not_keep_is_told_once(server, agent):
    def drop(target, new, old):
        for status in new.get("status", {}).get("containerStatuses", []):
            status.pop("volumeMounts", None)
        return admit(target, new, old)

    admit = server.api.admission.update_pods
    server.api.admission.update_pods = drop
    try:
        bound(server, agent, "poor")
        wait_ready(server, "poor")
        time.sleep(2)
        told = len(patches(server, "poor"))
        time.sleep(ROUND_SECONDS + 2)
        assert len(patches(server, "poor")) == told
        assert "volumeMounts" not in server.get("pods", "poor")["status"]["containerStatuses"][0]
    finally:
        del server.api.admission.update_pods
    server.update_status("pods", "poor", {"message": "another's"})
    wait_pod(server, "poor", lambda found: "volumeMounts" in found["status"]["containerStatuses"][0],
             "to be told of again", ARRIVES_SECONDS)


def test_a_mirror_of_a_manifest_that_is_longer_as_json(server, agent):
    """Each quotation mark takes two bytes there."""
    text = "'" + '"' * (6 << 20) + "'"
    agent.write_manifest("long.yaml", f"""\
apiVersion: v1
kind: Pod
metadata: {{name: long}}
spec:
  restartPolicy: Never
  containers: [{{name: main, image: "nowhere:1", imagePullPolicy: Never, env: [
    {{name: a, value: {text}}}]}}]
""")
    server.wait(lambda: server.get("pods", f"long-{NODE}"), 20, "its mirror")
    agent.remove_manifest("long.yaml")
    agent.wait_gone("long")


def test_a_static_pod_whose_name_another_has(server, agent):
    """Its mirror is deleted, and an ordinary pod takes the name while it is told of."""
    name = f"named-{NODE}"
    other = {**pod("named", staying()), "metadata": {"name": name}}
    with server.faults.slow(f"/pods/{name}/status", 1):
        agent.add(pod("named", staying(), agent=agent))
        server.wait(lambda: server.get("pods", name), ARRIVES_SECONDS, "its mirror")
        server.delete_pod(name, grace=0)
        server.create(other)
    uid = server.get("pods", name)["metadata"]["uid"]
    time.sleep(ROUND_SECONDS + 1)
    assert server.get("pods", name)["metadata"]["uid"] == uid
    server.delete_pod(name, grace=0)
    wait_ready(server, name)
    agent.remove("named")
    agent.wait_gone("named")


def test_a_mirror_that_is_deleted_while_the_answer_about_it_is_under_way(server, agent):
    name = f"late-{NODE}"
    with server.faults.late(f"/pods/{name}/status", 2):
        agent.add(pod("late", staying(), agent=agent))
        found = wait_ready(server, name)
        server.delete_pod(name, grace=0)
    server.wait(lambda: (mirror := server.get("pods", name))
                and mirror["metadata"]["uid"] != found["metadata"]["uid"],
                ARRIVES_SECONDS + ROUND_SECONDS, "its next mirror")
    agent.remove("late")
    agent.wait_gone("late")


def test_somebody_else_writes_meanwhile(server, agent):
    bound(server, agent, "shared", container(
        "main", SAY + "while ! [ -e /stage/go ]; do sleep 0.05; done"), restartPolicy="Never")
    wait_ready(server, "shared")
    foreign = {"type": "example.com/seen", "status": "True"}
    with server.faults.slow("/pods/shared/status", 0.3):
        (agent.stages / "shared" / "go").touch()
        for number in range(20):
            server.update_status("pods", "shared", {"conditions": [
                {**foreign, "message": str(number)}]})
            time.sleep(0.1)
    assert [record for record in patches(server, "shared") if record.code == 409]
    found = wait_pod(server, "shared", lambda found: found["status"]["phase"] == "Succeeded",
                     "to succeed", ARRIVES_SECONDS)
    assert condition(found, foreign["type"])["message"] == "19"
    for phase in ("Running", "Failed"):
        server.update_status("pods", "shared", {"phase": phase})
        wait_pod(server, "shared", lambda found: found["status"]["phase"] == "Succeeded",
                 "to have succeeded", ARRIVES_SECONDS)
    assert is_true(server.get("pods", "shared"), foreign["type"])
    assert len(patches(server, "shared")) <= 12


# answers of something that is no API server


ANSWERS = {"HTML": ("garbage", {}, "not understood"),
           "bytes": ("garbage", {"content": b"\x00\xff\x00{"}, "not understood"),
           "bad gateway": ("garbage", {"code": 502}, "answers 502"),
           "a huge answer": ("huge", {}, "more than")}


@pytest.mark.parametrize("kind", ANSWERS)
def test_answers_that_are_none(server, agent, impatient, kind):
    """On the watch of pods, where the Node is made and where its Lease is renewed."""
    fault, values, sentence = ANSWERS[kind]
    log = Log(agent)
    for path, method in ((PODS, "WATCH"), ("/api/v1/nodes$", "POST"), (f"/leases/{NODE}$", "PUT")):
        getattr(server.faults, fault)(path, method=method, count=1, **values)
    server.end_watches(PODS)
    server.delete("nodes", NODE)
    log.wait(f"/api/v1/pods: .*{sentence}")
    log.wait(f"/api/v1/nodes: .*{sentence}")
    if kind != "bad gateway":  # that is tried again at once
        log.wait(f"/leases/{NODE}: .*{sentence}")
    wait_renewal(server)
    wait_node(server)
    arrives(server, agent, "understood")


# a server that is away


def test_check_50_the_server_is_away(server, agent, impatient):
    bound(server, agent, "crashes", container("main", SAY + "say run; sleep 2; exit 1"))
    bound(server, agent, "vanishes")
    wait_ready(server, "vanishes")
    log = Log(agent)
    server.stop()
    before = restarts(agent.pod("crashes"))
    server.delete_pod("vanishes", grace=0)
    agent.wait(lambda: restarts(agent.pod("crashes")) >= before + 2, "two more restarts")
    assert agent.pod("vanishes"), "it was ended though nobody told"
    assert log.text.count("\n") < 60, "the log is flooded"
    server.start()
    agent.wait_gone("vanishes", seconds=60)
    wait_pod(server, "crashes", lambda found: restarts(found) == restarts(agent.pod("crashes")),
             "to be told of", 60)
    server.delete_pod("crashes", grace=0)


# objects that are not as they should be


def test_a_pod_that_is_not_understood(server, agent, impatient):
    log = Log(agent)
    broken = pod("broken", agent=agent)
    broken["spec"]["containers"][0]["ports"] = [{"containerPort": "eighty"}]
    server.create(broken)
    server.bind("broken", NODE)
    invalid = pod("invalid", container("main", image=""), agent=agent)
    server.create(invalid)
    server.bind("invalid", NODE)
    log.wait("default/broken: .*containerPort")
    arrives(server, agent, "beside")
    server.delete_pod("broken", grace=0)
    server.delete_pod("invalid", grace=0)
    agent.wait_gone("broken", "invalid")


def owners(obj):
    return [owner["uid"] for owner in obj["metadata"]["ownerReferences"]] if obj else []


def test_authorizers_hear_of_a_pod_a_little_later_than_its_node(server, agent, impatient):
    server.create({"kind": "ConfigMap", "metadata": {"name": "words"}, "data": {"a": "b"}})
    log = Log(agent)
    server.api.authorizer.delay = 0.1
    try:
        start = time.monotonic()
        bound(server, agent, "first", staying(envFrom=[{"configMapRef": {"name": "words"}}]))
        wait_ready(server, "first")
    finally:
        server.api.authorizer.delay = 0
    assert time.monotonic() - start < 2
    assert " warning " not in log.text


def test_a_node_that_somebody_else_makes_anew(server, agent):
    server.delete("nodes", NODE)
    server.create({"kind": "Node", "metadata": {"name": NODE}})
    found = wait_node(server)
    uid = found["metadata"]["uid"]
    assert found["metadata"]["labels"]["kubernetes.io/os"] == "linux"
    server.delete("leases", NODE, "kube-node-lease")  # as the garbage collector does
    for resource, namespace in (("csinodes", "default"), ("leases", "kube-node-lease")):
        server.wait(lambda: owners(server.get(resource, NODE, namespace)) == [uid],
                    ARRIVES_SECONDS, f"{resource} of the new Node")


# kills


def test_kills_while_pods_come_and_go(server, agent):
    chance = random.Random(50)
    names = [f"storm-{number}" for number in range(8)]
    for name in names:
        bound(server, agent, name, container(
            "main", SAY + "trap 'sleep 0.5; say ended; exit 0' TERM; say up; "
            "while :; do sleep 0.05; done"), terminationGracePeriodSeconds=10)
        if chance.random() < 0.6:
            time.sleep(chance.random())
            agent.restart(kill=True)
    for name in names:
        if chance.random() < 0.5:
            said_by(agent, name, 1)
        server.delete_pod(name)
        if chance.random() < 0.6:
            time.sleep(chance.random())
            agent.restart(kill=True)
    server.wait(lambda: not [name for name in names if server.get("pods", name)], 60,
                "all pods to go")
    boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    for name in names:
        said = agent.stage(name)
        assert [text for _, text in said] in ([], ["up", "ended"]), f"{name}\n{agent.log(1 << 20)}"
        [*_, delete] = [record for record in server.requests("DELETE", f"/pods/{name}$")
                        if record.user and record.code == 200]
        assert not said or said[-1][0] <= delete.time - boot
        assert delete.json["preconditions"]["uid"]
    left = [pod for pod in agent.ps() if pod["metadata"]["name"].startswith("storm-")]
    assert not left


# kubeconfigs


def without(config, *path):
    *way, last = path
    for step in way:
        config = config[step]
    del config[last]


def put(config, value, *path):
    *way, last = path
    for step in way:
        config = config[step]
    config[last] = value


def put_plugin(config, **fields):
    put(config, {"exec": {"apiVersion": f"{PLUGINS}v1", "command": "/bin/true",
                          "interactiveMode": "Never", **fields}}, *USER)


PLUGINS = "client.authentication.k8s.io/"
CLUSTER = ("clusters", 0, "cluster")
USER = ("users", 0, "user")
KUBECONFIGS = {
    "not there": (None, "is not there"),
    "empty": ("", "is empty"),
    "no YAML": ("{", "config:1:"),
    "a list": ("[]", "must be an object"),
    "no context": (lambda config: without(config, "current-context"), "current-context: must be"),
    "an unknown context": (lambda config: put(config, "other", "current-context"),
                           "current-context: names a context"),
    "an unknown cluster": (lambda config: put(config, "x", "contexts", 0, "context", "cluster"),
                           "cluster: names a cluster"),
    "an unknown user": (lambda config: put(config, "x", "contexts", 0, "context", "user"),
                        "user: names a user"),
    "no server": (lambda config: without(config, *CLUSTER, "server"), "server: must be set"),
    "no URL": (lambda config: put(config, "ftp://a", *CLUSTER, "server"), "must begin with https"),
    "two authorities": (lambda config: put(config, "/no/ca.crt", *CLUSTER,
                                           "certificate-authority"), "remove one of them"),
    "no authority": (lambda config: put(config, "aGVsbG8=", *CLUSTER,
                                        "certificate-authority-data"), "certificate-authority"),
    "a certificate without its key": (lambda config: without(config, *USER, "client-key-data"),
                                      "client-key"),
    "no key": (lambda config: put(config, "aGVsbG8=", *USER, "client-key-data"), "its key"),
    "a directory": (pathlib.Path.mkdir, "not a regular file"),
    "no text": ("\0\1", "config:1:1: not YAML"),
    "a mistake in its second line": ("a: b\n  c: d\n", "config:2:4: not YAML"),
    "too much": ("a: " + "x" * (2 << 20), "more than the 1048576 bytes"),
    "no authority is wanted": (lambda config: put(config, True, *CLUSTER,
                                                  "insecure-skip-tls-verify"), "remove one of them"),
    "a proxy that is none": (lambda config: put(config, "ftp://a", *CLUSTER, "proxy-url"),
                             "proxy-url: must be the URL of a proxy"),
    "a certificate and its file": (lambda config: put(config, "/no/crt", *USER,
                                                      "client-certificate"), "remove one of them"),
    "a token and a password": (lambda config: put(config, {
        "token": "a", "username": "b", "password": "c"}, *USER), "remove one of them"),
    "somebody else": (lambda config: put(config, {"token": "a", "as": "b"}, *USER),
                      "acting as somebody else"),
    "a provider": (lambda config: put(config, {"auth-provider": {"name": "a"}}, *USER),
                   "use exec with the plugin"),
    "a plugin of an old version": (lambda config: put_plugin(config, apiVersion=PLUGINS +
                                                             "v1alpha1"), f"{PLUGINS}v1beta1"),
    "a plugin without a program": (lambda config: put_plugin(config, command=""),
                                   "exec.command: must"),
    "a plugin that wants a terminal": (lambda config: put_plugin(config, interactiveMode="Always"),
                                       "use a plugin that asks nothing"),
    "no token's file": (lambda config: config["users"][0].update(
        user={"tokenFile": "/no/token"}), "/no/token"),
}


def test_kubeconfigs_that_are_refused(containerd, server):
    refused = Agent(containerd, BUILD, name="refused", node="refused")
    path = refused.directory / "config"
    good = json.loads(server.kubeconfig(path, node="refused").read_text())
    another = json.loads(server.kubeconfig(path, node="another").read_text())
    kinds = {**KUBECONFIGS, "the key of another": (
        lambda config: put(config, another["users"][0]["user"]["client-key-data"], *USER,
                           "client-key-data"), "its key is another certificate's")}
    refused.flags = ["--kubeconfig", path]
    for kind, (change, sentence) in kinds.items():
        config = json.loads(json.dumps(good))
        path.unlink(missing_ok=True)
        if change is pathlib.Path.mkdir:
            path.mkdir()
        elif callable(change):
            change(config)
            path.write_text(json.dumps(config))
        elif change is not None:
            path.write_text(change)
        log = Log(refused) if refused.log_path.exists() else None
        refused.start(wait=False)
        try:
            assert refused.process.wait(10) == 1, kind
        finally:
            refused.kill()
        if path.is_dir():
            path.rmdir()
        said = log.text if log else refused.log()
        errors = [line for line in said.splitlines() if " error " in line]
        assert len(errors) == 1 and str(path) in errors[0] and sentence in errors[0], (kind, said)
