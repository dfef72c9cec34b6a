"""Beginning without the API server: a node in the edge profile runs its pods from its checkpoint,
with real containers and a double of the API server. A reboot is played by ending all that runs and
taking away what lies in memory."""

import contextlib
import json
import shutil
import time

import pytest

import places
from agent import Agent
from api_server import BOOTSTRAP_TOKEN, ApiServer
from clusters import NODE, condition, is_true
from conftest import BUILD
from specs import SAY, container, pod, staying

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
ANNOTATION = "nodeagent.dev/run-offline"
WAIT_SECONDS = 1
EDGE = """\
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
---
apiVersion: nodeagent.dev/v1alpha1
kind: NodeAgentConfiguration
{}
"""


class EdgeNode:
    """An agent in the edge profile, its API server, and what both have of pods."""

    def __init__(self, containerd, directory):
        self.containerd = containerd
        self.server = ApiServer(directory)
        self.server.start()
        self.server.api.admission.inject_tokens = True
        self.agent = Agent(containerd, BUILD)
        self.settings = self.agent.directory / "settings"
        self.settings.mkdir(exist_ok=True)
        self.checkpoint = self.agent.root / "nodeagent" / "checkpoint"
        self.agent.flags = ["--config-dir", self.settings, "--kubeconfig", self.server.kubeconfig(
            self.agent.directory / "kubeconfig", node=NODE)]
        self.configure()

    def configure(self, text=f"profile: edge\noffline: {{wait: {WAIT_SECONDS}s}}"):
        (self.settings / "edge.conf").write_text(EDGE.format(text))

    def empty(self):
        """A node that is up, in a cluster without pods."""
        self.agent.kill()
        self.server.faults.clear()
        if not self.server.front:
            self.server.start()
        self.configure()
        shutil.rmtree(self.checkpoint, ignore_errors=True)
        for found in self.server.list("pods"):
            self.server.delete_pod(found["metadata"]["name"], grace=0)
        self.agent.start()
        self.agent.wait(lambda: self.agent.pods() == {}, "no pods")

    def disconnect(self, *names):
        """Once these are in the checkpoint the server is away, and the node boots."""
        self.wait_saved(*names)
        self.server.stop()
        self.reboot()

    def reboot(self):
        """The agent is not started."""
        place = self.containerd.directory
        self.agent.kill()
        self.containerd.kill()
        places.end_containers(place)
        places.end_processes(place)
        places.unmount(place)
        for path in (self.agent.run, place / "state", place / "runc"):
            shutil.rmtree(path, ignore_errors=True)
        for path in self.agent.stages.glob("*/log"):
            path.unlink()
        self.containerd.start()

    def bound(self, name, *containers, annotations=None, owners=(), **spec):
        obj = pod(name, *containers, agent=self.agent, **spec)
        obj["metadata"].update(annotations=annotations or {}, ownerReferences=list(owners))
        self.server.create(obj)
        self.server.bind(name, NODE)

    def wait_ready(self, name):
        def ready():
            found = self.server.get("pods", name)
            return is_true(found, "Ready") and found

        return self.agent.wait(ready, f"pod {name} to be ready for the server")

    def file(self, name):
        return self.checkpoint / f"pod-{self.server.get('pods', name)['metadata']['uid']}.json"

    def wait_saved(self, *names):
        """The server's last word of these is in the checkpoint."""
        def saved(name):
            with contextlib.suppress(FileNotFoundError, ValueError):
                return is_true(json.loads(self.file(name).read_text())["objects"][0], "Ready")

        self.agent.wait(lambda: all(saved(name) for name in names)
                        and (self.checkpoint / "node.json").exists(), "the checkpoint")

    def node_blockers(self):
        answer = self.agent.ask({"command": "why"})
        return {(item["reason"], item["text"]) for item in answer["node"]["blockers"]}

    def wait_blocker(self, reason, text):
        return self.agent.wait(
            lambda: [said for why, said in self.node_blockers() if why == reason and text in said],
            f"{reason}: {text}")

    def wait_running(self, *names, seconds=30):
        self.agent.wait(lambda: all(is_true(self.agent.pod(name), "Ready") for name in names),
                        f"{names} to be ready here", seconds)

    def edit(self, name, change):
        """A pod's file, or the node's, as somebody else has it."""
        path = self.file(name) if name else self.checkpoint / "node.json"
        document = json.loads(path.read_text())
        change(document)
        path.write_text(json.dumps(document))

    def close(self):
        self.agent.kill()
        self.server.close()


STATEFUL = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "1"}


def ids(obj):
    return [item["containerID"] for item in obj["status"]["containerStatuses"]]


@pytest.fixture(scope="module")
def place(containerd, tmp_path_factory):
    instance = EdgeNode(containerd, tmp_path_factory.mktemp("offline"))
    try:
        yield instance
    finally:
        instance.close()


@pytest.fixture
def edge(place):
    place.empty()
    return place


def test_a_rebooted_node_runs_its_pods(edge):
    server, agent = edge.server, edge.agent
    server.create({"kind": "ConfigMap", "metadata": {"name": "words"}, "data": {"word": "one"}})
    server.create({"kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"key": "hush"}})
    server.create({"kind": "Service", "metadata": {"name": "my-db"},
                   "spec": {"ports": [{"name": "pg", "port": 5432}]}})
    edge.bound("plain", staying())
    edge.bound(
        "rich", container(
            "main", SAY + "say $WORD $(cat /cfg/word) $(cat /keys/key) $MY_DB_SERVICE_PORT "
            "$(cut -c1-3 {0}/token) $(cat {0}/namespace); ls /none | grep -c . || true; "
            "trap 'exit 0' TERM; while :; do sleep 0.1; done".format(ACCOUNT),
            env=[{"name": "WORD",
                  "valueFrom": {"configMapKeyRef": {"name": "words", "key": "word"}}}],
            volumeMounts=[{"name": "cfg", "mountPath": "/cfg"},
                          {"name": "keys", "mountPath": "/keys"},
                          {"name": "none", "mountPath": "/none"}]),
        volumes=[{"name": "cfg", "configMap": {"name": "words"}},
                 {"name": "keys", "secret": {"secretName": "keys"}},
                 {"name": "none", "configMap": {"name": "missing", "optional": True}}])
    edge.bound("deleted", staying())
    edge.bound("stateful", staying(), owners=[STATEFUL])
    edge.bound("annotated", staying(), annotations={ANNOTATION: "true"}, owners=[STATEFUL])
    edge.bound("done", container("main", SAY + "say ran; exit 0"), restartPolicy="Never")
    names = ["plain", "rich", "deleted", "stateful", "annotated"]
    before = {name: edge.wait_ready(name) for name in names}
    server.wait(lambda: server.get("pods", "done")["status"].get("phase") == "Succeeded", 30,
                "pod done to be done")
    edge.disconnect(*names)
    agent.start()
    edge.wait_running("plain", "rich", "deleted", "annotated")
    edge.wait_blocker("Checkpoint", "5 of the pods of the checkpoint of 20")
    [why] = edge.wait_blocker("CheckpointRefused", "stateful")
    assert "it is of StatefulSet db" in why and ANNOTATION in why
    assert agent.said("rich") == ["one one hush 5432 eyJ default"]
    assert agent.said("done") == [] and agent.pod("done")["status"]["phase"] == "Succeeded"
    assert not agent.pod("stateful")
    here = {name: agent.pod(name) for name in ("plain", "rich", "annotated")}

    server.delete_pod("deleted", grace=0)
    server.start()
    edge.wait_running("stateful")
    agent.wait(lambda: not agent.pod("deleted"), "the deleted pod to end")
    for name, found in here.items():
        now = server.wait(lambda name=name, found=found: ids(server.get("pods", name))
                          == ids(found) and server.get("pods", name), 30, f"{name} to be told of")
        assert now["metadata"]["uid"] == before[name]["metadata"]["uid"]
        assert ids(agent.pod(name)) == ids(found), "restarted"
    assert not [why for why, _ in edge.node_blockers() if why.startswith("Checkpoint")]


def test_files_are_roots_alone_and_written_when_there_is_news(edge):
    server = edge.server
    server.create({"kind": "Secret", "metadata": {"name": "news"}, "stringData": {"key": "old"}})
    edge.bound("reader", staying(), volumes=[{"name": "keys", "secret": {"secretName": "news"}}])
    edge.bound("other", staying())
    edge.wait_ready("reader")
    edge.wait_ready("other")
    edge.wait_saved("reader", "other")
    assert edge.checkpoint.stat().st_mode & 0o7777 == 0o700
    assert {path.stat().st_mode & 0o7777 for path in edge.checkpoint.iterdir()} == {0o600}
    mine, others = edge.file("reader"), edge.file("other").stat()
    written = mine.stat()
    server.patch("secrets", "news", {"stringData": {"key": "new"}, "data": {"key": "bmV3"}})
    edge.agent.wait(lambda: '"bmV3"' in mine.read_text(), "the Secret in the checkpoint")
    assert mine.stat().st_ino != written.st_ino
    assert edge.file("other").stat().st_ino == others.st_ino
    server.delete_pod("reader")
    edge.agent.wait(lambda: not mine.exists(), "the file to go with its pod")
    assert edge.file("other").stat().st_ino == others.st_ino


def test_what_is_too_old_is_not_started(edge):
    edge.bound("old", staying())
    edge.wait_ready("old")
    edge.disconnect("old")
    edge.edit(None, lambda file: file.update(heard="2020-01-02T03:04:05Z"))
    edge.agent.start()
    [why] = edge.wait_blocker("Checkpoint", "2020-01-02T03:04:05Z")
    assert "longer ago than offline.maxAge (168h0m0s): no pod is started" in why
    assert edge.agent.pods() == {}
    edge.server.start()
    edge.wait_running("old")


def test_a_broken_file_leaves_out_its_pod(edge):
    names = ["good", "torn", "shared"]
    for name in names:
        edge.bound(name, staying())
    for name in names:
        edge.wait_ready(name)
    edge.disconnect(*names)
    torn = edge.file("torn")
    torn.write_text(torn.read_text()[:500])
    edge.file("shared").chmod(0o644)
    edge.agent.start()
    edge.wait_running("good")
    [why] = edge.wait_blocker("CheckpointRefused", torn.name)
    assert "the JSON text ends too early; its pod is left out" in why
    [why] = edge.wait_blocker("CheckpointRefused", edge.file("shared").name)
    assert "has mode 0644" in why
    assert set(edge.agent.pods()) == {"good"}
    edge.server.start()
    edge.wait_running(*names)
    edge.wait_saved(*names)
    edge.agent.wait(lambda: edge.file("shared").stat().st_mode & 0o7777 == 0o600,
                    "the file to be root's alone")


def test_what_was_ending_ends(edge):
    """It was deleted, and the node lost its power before the pod had ended."""
    edge.bound("ending", staying())
    edge.bound("goes-on", staying())
    edge.wait_ready("ending")
    edge.wait_ready("goes-on")
    edge.disconnect("ending", "goes-on")
    edge.server.delete_pod("ending")
    edge.edit("ending", lambda file: file["objects"][0]["metadata"].update(
        deletionTimestamp="2026-01-02T03:04:05Z", deletionGracePeriodSeconds=1))
    edge.agent.start()
    edge.wait_running("goes-on")
    edge.agent.wait(lambda: edge.agent.pod("ending")["status"]["phase"] in ("Failed", "Succeeded"),
                    "its end")
    assert edge.agent.said("ending") == []
    edge.server.start()
    edge.agent.wait(lambda: edge.server.get("pods", "ending") is None, "the pod to go")


def test_a_restarted_agent_looks_after_its_pods(edge):
    """No boot, no server: what runs is not touched, what ends is started again, and a pod that may
    run elsewhere by now is here as it was."""
    edge.bound("steady", staying())
    edge.bound("crashes", container("main", SAY + "say run; sleep 3; exit 1"))
    edge.bound("member", staying(), owners=[STATEFUL])
    edge.bound("probed", container(
        "main", SAY + "say up; touch /tmp/fine; trap 'exit 0' TERM; while :; do sleep 0.1; done",
        readinessProbe={"exec": {"command": ["sh", "-c", "test -e /tmp/fine"]}, "periodSeconds": 1}))
    names = ["steady", "member", "probed"]
    before = {name: ids(edge.wait_ready(name)) for name in names}
    edge.wait_saved(*names)
    edge.agent.wait(lambda: edge.file("crashes").exists(), "the checkpoint")
    edge.server.stop()
    edge.agent.kill()
    runs = len(edge.agent.said("crashes"))
    edge.agent.start()
    edge.wait_blocker("Checkpoint", "4 of the pods of the checkpoint")
    edge.wait_running(*names)
    edge.agent.wait(lambda: len(edge.agent.said("crashes")) > runs, "the restart", 60)
    for name in names:
        assert ids(edge.agent.pod(name)) == before[name]
    assert edge.agent.ask({"command": "probes", "pod": "probed"})["probes"]
    edge.server.start()
    edge.agent.wait(lambda: edge.server.get("pods", "crashes")["status"]["containerStatuses"][0]
                    ["restartCount"] > 0, "the restart to be told of")
    for name in names:
        found = edge.wait_ready(name)
        assert ids(found) == before[name]
        assert condition(found, "Ready")["lastTransitionTime"] == condition(
            edge.agent.pod(name), "Ready")["lastTransitionTime"]


def test_a_server_that_refuses_is_not_away(edge):
    edge.bound("refused", staying())
    edge.wait_ready("refused")
    edge.wait_saved("refused")
    edge.server.faults.refuse("/api/v1/pods", 403)
    edge.reboot()
    edge.agent.start()
    edge.wait_blocker("ApiServerTrouble", "403")
    count = len(edge.server.requests("WATCH", "/api/v1/pods"))
    edge.server.wait_request("WATCH", "/api/v1/pods", count + 2)
    assert edge.agent.pods() == {}
    assert not [why for why, _ in edge.node_blockers() if why.startswith("Checkpoint")]
    edge.server.faults.clear()
    edge.wait_running("refused", seconds=60)  # it asks again and again, ever more rarely


def test_a_server_that_has_yet_to_give_a_certificate_is_not_away(edge, tmp_path):
    """What is in the checkpoint may be of a node that was removed since."""
    edge.bound("unsure", staying())
    edge.wait_ready("unsure")
    edge.wait_saved("unsure")
    edge.reboot()
    flags, edge.server.auto_approve = edge.agent.flags, False
    edge.agent.flags = ["--config-dir", edge.settings, "--kubeconfig", tmp_path / "kubelet.conf",
                        "--cert-dir", tmp_path / "pki", "--bootstrap-kubeconfig",
                        edge.server.kubeconfig(tmp_path / "bootstrap", token=BOOTSTRAP_TOKEN)]
    edge.agent.start()
    [csr] = edge.server.wait(lambda: edge.server.list("certificatesigningrequests", None), 10,
                             "the request")
    time.sleep(3 * WAIT_SECONDS)
    assert edge.agent.pods() == {}
    edge.server.approve(csr["metadata"]["name"])
    edge.wait_running("unsure", seconds=60)
    edge.agent.kill()
    edge.agent.flags, edge.server.auto_approve = flags, True


def test_without_a_checkpoint_none_is_left(edge):
    edge.bound("plain", staying())
    edge.wait_ready("plain")
    edge.wait_saved("plain")
    edge.agent.stop()
    edge.configure("profile: edge\noffline: {checkpoint: false}")
    edge.agent.start()
    edge.agent.wait(lambda: not edge.checkpoint.exists(), "the checkpoint to be removed")
