"""A node in a real cluster: what its API server, controllers and scheduler make of the agent, and
what the agent makes of them. Only where KUBEBUILDER_ASSETS names a directory with all of them."""

import pathlib
import re
import signal
import socket
import ssl
import time

import pytest

from agent import exit_of, restarts
from api_certificates import CLIENT_SIGNER, SERVING_SIGNER
from api_patch import STRATEGIC_PATCH
from clusters import (HASH, MIRROR, NODE, condition, is_true, member, said_by, wait_node, wait_pod,
                      wait_ready)
from conftest import BUILD
from control_plane import JOINING_TOKEN, ControlPlane
from node_servers import LOCAL
from registry import free_port
from specs import SAY, container, pod, sidecar, staying

SECONDS = 60
DEAD_SECONDS = 90
STORE_SECONDS = 25
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


@pytest.fixture(scope="module")
def server(containerd, tmp_path_factory):  # one for each runtime
    with ControlPlane(tmp_path_factory.mktemp("cluster")) as instance:
        yield instance


@pytest.fixture(scope="module")
def agent(containerd, server):
    """It has nothing but a token when it begins."""
    with member(containerd, BUILD, lambda place: place / "kubelet.conf",
                {"rotateCertificates": True, "serverTLSBootstrap": True, "enableServer": True,
                 "address": LOCAL, "port": free_port()}, lambda place: [
                    "--bootstrap-kubeconfig", server.kubeconfig(place / "bootstrap.conf",
                                                                token=JOINING_TOKEN),
                    "--cert-dir", place / "pki"]) as instance:
        yield instance


@pytest.fixture(scope="module")
def node(server, agent):
    wait_node(server)
    return server.wait(lambda: (found := server.get("nodes", NODE))
                       and not found["spec"].get("taints") and found, 20, "no taint")


@pytest.fixture(autouse=True)
def nothing_is_wrong(request, agent):
    """In a cluster that is well the agent warns of nothing."""
    start = agent.log_path.stat().st_size
    yield
    if "steady" not in request.fixturenames:
        assert warnings(agent, start) == []


def warnings(agent, start=0):
    said = agent.log_path.read_bytes()[start:].decode(errors="replace")
    return re.findall(r".*Z (?:warning|error) .*", said)


# what controllers make


def workload(server, kind, name, obj, **spec):
    labels = {"app": name}
    made = {"kind": kind, "metadata": {"name": name}, "spec": {
        "template": {"metadata": {"labels": labels}, "spec": obj["spec"]}, **spec}}
    if kind != "Job":
        made["spec"]["selector"] = {"matchLabels": labels}
    return server.create(made)


def pods_of(server, name):
    return [found for found in server.list("pods")
            if found["metadata"].get("labels", {}).get("app") == name]


def wait_status(server, resource, name, **wanted):
    def look():
        found = server.get(resource, name)
        status = found["status"]
        return found if status.get("observedGeneration", 1) == found["metadata"].get(
            "generation", 1) and all(
            status.get(key, 0) == value for key, value in wanted.items()) else None

    return server.wait(look, SECONDS, f"{resource} {name} to have {wanted}")


def remove(server, resource, name):
    server.delete(resource, name, propagationPolicy="Foreground")
    server.wait(lambda: server.get(resource, name) is None, SECONDS, f"{resource} {name} to go")


def requests_to_sign(server, signer):
    return [csr for csr in server.list("certificatesigningrequests", None)
            if csr["spec"]["signerName"] == signer]


def test_a_token_is_enough(server, agent, node):
    [csr] = requests_to_sign(server, CLIENT_SIGNER)
    assert csr["spec"]["username"].startswith("system:bootstrap:")
    assert [item["type"] for item in csr["status"]["conditions"]] == ["Approved"]
    assert warnings(agent) == []


def test_a_serving_certificate_is_signed_once_it_is_approved(server, agent, node):
    [csr] = server.wait(lambda: requests_to_sign(server, SERVING_SIGNER), what="the request")
    server.approve(csr["metadata"]["name"])
    context = ssl.create_default_context(cafile=server.ca_file)

    def is_served():
        try:
            with socket.create_connection((LOCAL, agent.config["port"]), 10) as raw, \
                    context.wrap_socket(raw, server_hostname=NODE):
                return True
        except OSError:
            return False

    server.wait(is_served, SECONDS, "a certificate of the cluster's authority")


def test_a_deployment_is_rolled_out_and_scaled(server, agent, node):
    workload(server, "Deployment", "web", pod("web", staying(), agent=agent), replicas=3)
    wait_status(server, "deployments", "web", readyReplicas=3, updatedReplicas=3)
    first = {found["metadata"]["uid"] for found in pods_of(server, "web")}
    server.patch("deployments", "web", {"spec": {"template": {"spec": {"containers": [
        {"name": "main", "env": [{"name": "VERSION", "value": "2"}]}]}}}})
    wait_status(server, "deployments", "web", readyReplicas=3, updatedReplicas=3, replicas=3)
    server.wait(lambda: len(pods_of(server, "web")) == 3, SECONDS, "the former to go")
    second = {found["metadata"]["uid"] for found in pods_of(server, "web")}
    assert not first & second
    server.patch("deployments", "web", {"spec": {"replicas": 1}})
    wait_status(server, "deployments", "web", readyReplicas=1, replicas=1)
    server.wait(lambda: len(pods_of(server, "web")) == 1, SECONDS, "two to go")
    [left] = pods_of(server, "web")
    assert left["metadata"]["uid"] in second and restarts(left) == 0
    remove(server, "deployments", "web")


def test_a_daemon_set_has_its_pod(server, agent, node):
    workload(server, "DaemonSet", "each", pod("each", staying(), agent=agent))
    wait_status(server, "daemonsets", "each", numberReady=1, desiredNumberScheduled=1)
    server.patch("daemonsets", "each", {"spec": {"template": {"spec": {"containers": [
        {"name": "main", "env": [{"name": "VERSION", "value": "2"}]}]}}}})
    wait_status(server, "daemonsets", "each", updatedNumberScheduled=1, numberReady=1,
                numberAvailable=1)
    remove(server, "daemonsets", "each")


def test_a_stateful_set_has_its_names_again(server, agent, node):
    workload(server, "StatefulSet", "db", pod("db", container(
        "main", SAY + "say $(hostname); trap 'say end; exit 0' TERM; "
        "while :; do sleep 0.1; done"), agent=agent), replicas=2, serviceName="db")
    wait_status(server, "statefulsets", "db", readyReplicas=2, availableReplicas=2)
    assert said_by(agent, "db", 2) == ["db-0", "db-1"]
    uid = server.get("pods", "db-0")["metadata"]["uid"]
    server.delete_pod("db-0")
    wait_pod(server, "db-0", lambda found: found["metadata"]["uid"] != uid
             and is_true(found, "Ready"), "to be there again", SECONDS)
    assert said_by(agent, "db", 4) == ["db-0", "db-1", "end", "db-0"]
    remove(server, "statefulsets", "db")


def job_condition(server, name, kind):
    return is_true(server.get("jobs", name), kind)


def test_a_job_is_done(server, agent, node):
    workload(server, "Job", "sums", pod("sums", container(
        "main", SAY + "say done"), agent=agent, restartPolicy="Never"),
        completions=3, parallelism=2)
    server.wait(lambda: job_condition(server, "sums", "Complete"), SECONDS, "the job")
    assert server.get("jobs", "sums")["status"]["succeeded"] == 3
    assert agent.said("sums") == ["done"] * 3
    assert {found["status"]["phase"] for found in pods_of(server, "sums")} == {"Succeeded"}
    remove(server, "jobs", "sums")


@pytest.mark.parametrize("policy", ["Never", "OnFailure"])
def test_a_job_fails_for_good(server, agent, node, policy):
    name = f"fails-{policy.lower()}"
    workload(server, "Job", name, pod(name, container(
        "main", SAY + "say no; exit 3"), agent=agent, restartPolicy=policy), backoffLimit=1)
    server.wait(lambda: job_condition(server, name, "Failed"), SECONDS, "the job")
    assert condition(server.get("jobs", name), "Failed")["reason"] == "BackoffLimitExceeded"
    assert agent.said(name) == ["no"] * 2
    for found in pods_of(server, name):
        [status] = found["status"]["containerStatuses"]
        assert status["state"]["terminated"]["exitCode"] == 3
    remove(server, "jobs", name)


def test_a_job_is_done_when_only_its_sidecar_goes_on(server, agent, node):
    workload(server, "Job", "helped", pod("helped", container("main", SAY + "say done"),
                                          inits=[sidecar("side")], agent=agent,
                                          restartPolicy="Never"))
    server.wait(lambda: job_condition(server, "helped", "Complete"), SECONDS, "the job")
    assert agent.said("helped") == ["side up", "done", "side term"]
    remove(server, "jobs", "helped")


def test_a_job_runs_out_of_time(server, agent, node):
    workload(server, "Job", "endless", pod("endless", staying(), agent=agent,
                                           restartPolicy="Never"), activeDeadlineSeconds=5)
    server.wait(lambda: job_condition(server, "endless", "Failed"), SECONDS, "the job")
    assert condition(server.get("jobs", "endless"), "Failed")["reason"] == "DeadlineExceeded"
    remove(server, "jobs", "endless")


# what pods have


def scheduled(server, agent, name, *containers, **spec):
    """A pod that the scheduler gives to the node."""
    return server.create(pod(name, *containers, agent=agent, **spec))


def test_a_pod_has_its_volumes(server, agent, node):
    server.create({"kind": "ConfigMap", "metadata": {"name": "words"}, "data": {"a": "word"}})
    server.create({"kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"a": "key"}})
    scheduled(server, agent, "full", container(
        "main", SAY + f"""
        say $(cat /words/a) $(cat /keys/a) $(cat /about/name) $(cat /all/a) $(cat /all/cpu)
        say $(cat {ACCOUNT}/namespace) $(cut -c1-3 {ACCOUNT}/token) $(cut -c1-3 /all/token)
        while ! grep -q other /words/a; do sleep 0.1; done; say $(cat /words/a); sleep 1000""",
        volumeMounts=[{"name": name, "mountPath": f"/{name}"}
                      for name in ("words", "keys", "about", "all")],
        resources={"limits": {"cpu": "1", "memory": "64Mi"}}),
        volumes=[{"name": "words", "configMap": {"name": "words"}},
                 {"name": "keys", "secret": {"secretName": "keys"}},
                 {"name": "about", "downwardAPI": {"items": [
                     {"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}},
                 {"name": "all", "projected": {"sources": [
                     {"configMap": {"name": "words"}},
                     {"serviceAccountToken": {"path": "token", "audience": "vault"}},
                     {"downwardAPI": {"items": [{"path": "cpu", "resourceFieldRef": {
                         "containerName": "main", "resource": "limits.cpu"}}]}}]}}])
    assert said_by(agent, "full", 2) == ["word key full word 1", "default eyJ eyJ"]
    server.patch("configmaps", "words", {"data": {"a": "other"}})
    assert said_by(agent, "full", 3)[2] == "other"
    server.delete_pod("full")
    server.wait(lambda: server.get("pods", "full") is None, SECONDS, "the pod to go")


def test_services_are_variables(server, agent, node):
    server.create({"kind": "Service", "metadata": {"name": "my-db"},
                   "spec": {"ports": [{"name": "pg", "port": 5432}]}})
    address = server.get("services", "my-db")["spec"]["clusterIP"]
    time.sleep(1)
    scheduled(server, agent, "linked", container(
        "main", SAY + "say $MY_DB_SERVICE_HOST $MY_DB_SERVICE_PORT_PG $KUBERNETES_SERVICE_PORT; "
        "sleep 1000"))
    assert said_by(agent, "linked", 1) == [f"{address} 5432 443"]
    server.delete_pod("linked")


def test_a_pod_of_a_guaranteed_class(server, agent, node):
    scheduled(server, agent, "sure", staying(resources={
        "limits": {"cpu": "100m", "memory": "64Mi"}}))
    status = wait_ready(server, "sure")["status"]
    assert status["qosClass"] == "Guaranteed"
    server.delete_pod("sure")


def test_a_resize_is_done_or_is_not_told_of(server, agent, node):
    scheduled(server, agent, "grows", staying(resources={
        "limits": {"cpu": "100m", "memory": "64Mi"}}))
    wait_ready(server, "grows", SECONDS)
    code, answer = server.ask("PATCH", "/api/v1/namespaces/default/pods/grows/resize", {
        "spec": {"containers": [{"name": "main", "resources": {
            "limits": {"cpu": "200m"}, "requests": {"cpu": "200m"}}}]}}, STRATEGIC_PATCH)
    if code == 200:
        time.sleep(5)
        found = server.get("pods", "grows")
        limits = found["status"]["containerStatuses"][0]["resources"]["limits"]
        assert limits["cpu"] == ("100m" if condition(found, "PodResizePending") else "200m")
        assert cpu_quota(found) == {"100m": 10000, "200m": 20000}[limits["cpu"]]
    else:
        assert "Pod running on node without support for resize" in answer["message"]
    server.delete_pod("grows")


def cpu_quota(found):
    """Microseconds of 100 ms that its container may have."""
    [status] = found["status"]["containerStatuses"]
    name = status["containerID"].removeprefix("containerd://")
    files = {path.name: path for path in pathlib.Path("/sys/fs/cgroup").rglob(f"{name}/cpu.*")}
    return int(files.get("cpu.max", files.get("cpu.cfs_quota_us")).read_text().split()[0])


def test_a_pod_that_does_not_fit(server, agent, node):
    """Somebody has gone past the scheduler."""
    scheduled(server, agent, "wide", staying(resources={"requests": {"cpu": "1500m"}}))
    wait_ready(server, "wide", SECONDS)
    scheduled(server, agent, "late", staying(resources={"requests": {"cpu": "1500m"}}),
              nodeName=NODE)
    status = wait_pod(server, "late", lambda found: found["status"]["phase"] == "Failed",
                      "to be refused")["status"]
    assert status["reason"] == "OutOfcpu"
    for name in ("wide", "late"):
        server.delete_pod(name)
        wait_gone(server, agent, name)


def test_a_service_finds_its_pods(server, agent, node):
    server.create({"kind": "Service", "metadata": {"name": "found"}, "spec": {
        "ports": [{"port": 80}], "selector": {"app": "found"}}})
    obj = pod("found", staying(readinessProbe={
        "exec": {"command": ["sh", "-c", "test -e /stage/go"]}, "periodSeconds": 1}), agent=agent)
    obj["metadata"]["labels"] = {"app": "found"}
    server.create(obj)

    def endpoints():
        return [(endpoint["addresses"], endpoint["conditions"]["ready"]) for item in server.call(
            "GET", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
            "?labelSelector=kubernetes.io/service-name%3Dfound")["items"]
            for endpoint in item["endpoints"] or []]

    found = wait_pod(server, "found", lambda found: found["status"].get("podIP"), "to have one")
    address = [found["status"]["podIP"]]
    server.wait(lambda: endpoints() == [(address, False)], what="an endpoint that is not ready")
    (agent.stages / "found" / "go").touch()
    server.wait(lambda: endpoints() == [(address, True)], what="an endpoint")
    server.delete_pod("found")
    server.wait(lambda: endpoints() == [], what="no endpoint")


def test_a_container_to_look_with(server, agent, node):
    scheduled(server, agent, "seen", staying())
    wait_ready(server, "seen", SECONDS)
    server.call("PATCH", "/api/v1/namespaces/default/pods/seen/ephemeralcontainers", {
        "spec": {"ephemeralContainers": [container("look", "exit 4")]}}, STRATEGIC_PATCH)
    found = wait_pod(server, "seen", lambda found: exit_of(found, "look"), "to have been seen")
    assert exit_of(found, "look") == (4, "Error") and is_true(found, "Ready")
    server.delete_pod("seen")


# how pods go


def wait_gone(server, agent, name):
    server.wait(lambda: server.get("pods", name) is None, SECONDS, f"pod {name} to go")
    agent.wait_gone(name)


def test_a_pod_is_deleted(server, agent, node):
    scheduled(server, agent, "leaves", staying())
    wait_ready(server, "leaves", SECONDS)
    server.delete_pod("leaves")
    wait_gone(server, agent, "leaves")
    assert agent.said("leaves") == ["main up", "main term"]


def test_a_pod_is_deleted_by_force(server, agent, node):
    scheduled(server, agent, "forced", staying())
    wait_ready(server, "forced", SECONDS)
    server.delete_pod("forced", grace=0)
    assert server.get("pods", "forced") is None
    wait_gone(server, agent, "forced")


def test_a_pod_with_a_finalizer_is_ended_and_stays(server, agent, node):
    obj = pod("final", staying(), agent=agent)
    obj["metadata"]["finalizers"] = ["example.com/kept"]
    server.create(obj)
    wait_ready(server, "final", SECONDS)
    server.delete_pod("final")
    found = wait_pod(server, "final", lambda found: found["status"]["phase"] == "Succeeded",
                     "to end", SECONDS)
    assert found["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 0
    time.sleep(2)
    server.patch("pods", "final", {"metadata": {"finalizers": None}})
    wait_gone(server, agent, "final")


def test_a_pod_is_evicted(server, agent, node):
    scheduled(server, agent, "evicted", staying(), terminationGracePeriodSeconds=5)
    wait_ready(server, "evicted", SECONDS)
    server.call("POST", "/api/v1/namespaces/default/pods/evicted/eviction", {
        "apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "evicted"}})
    wait_gone(server, agent, "evicted")


def test_a_pod_gives_way_to_a_better_one(server, agent, node):
    server.call("POST", "/apis/scheduling.k8s.io/v1/priorityclasses", {
        "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
        "metadata": {"name": "high"}, "value": 1000})
    half = staying(resources={"requests": {"cpu": "1500m"}})
    scheduled(server, agent, "low", half)
    wait_ready(server, "low", SECONDS)
    scheduled(server, agent, "better", half, priorityClassName="high")
    wait_ready(server, "better", SECONDS)
    assert server.get("pods", "low") is None
    server.delete_pod("better")
    wait_gone(server, agent, "better")


def test_a_taint_ends_pods(server, agent, node):
    scheduled(server, agent, "sensitive", staying())
    wait_ready(server, "sensitive", SECONDS)
    server.patch("nodes", NODE, {"spec": {"taints": [{"key": "a", "effect": "NoExecute"}]}})
    wait_gone(server, agent, "sensitive")
    server.patch("nodes", NODE, {"spec": {"taints": None}})


def test_a_namespace_is_deleted(server, agent, node):
    server.create({"kind": "Namespace", "metadata": {"name": "short"}})
    server.wait(lambda: server.get("serviceaccounts", "default", "short"), what="its account")
    obj = pod("web", staying(), agent=agent)
    server.create(obj, "short")
    server.wait(lambda: is_true(server.get("pods", "web", "short"), "Ready"), SECONDS, "the pod")
    server.delete("namespaces", "short")
    server.wait(lambda: server.get("namespaces", "short") is None, SECONDS, "it to go")


def test_a_pod_is_deleted_while_the_agent_is_down(server, agent, node):
    scheduled(server, agent, "meanwhile", staying())
    scheduled(server, agent, "stays", staying())
    before = [wait_ready(server, name, SECONDS) for name in ("meanwhile", "stays")][1]
    agent.stop()
    server.delete_pod("meanwhile")
    scheduled(server, agent, "comes", staying())
    agent.start()
    wait_gone(server, agent, "meanwhile")
    wait_ready(server, "comes", SECONDS)
    assert server.get("pods", "stays")["status"] == before["status"]
    for name in ("stays", "comes"):
        server.delete_pod(name)


# static pods


def test_a_static_pod_has_a_mirror(server, agent, node):
    def mirror():
        return server.get("pods", f"static-{NODE}")

    def wait_mirror(uid=None):
        return server.wait(lambda: (found := mirror()) and is_true(found, "Ready")
                           and found["metadata"]["uid"] != uid and found, SECONDS, "the mirror")

    agent.add(pod("static", staying(), agent=agent))
    found = wait_mirror()
    assert found["metadata"]["annotations"][MIRROR] == found["metadata"]["annotations"][HASH]
    for grace in (None, 0):
        server.delete_pod(f"static-{NODE}", grace=grace)
        found = wait_mirror(found["metadata"]["uid"])
    assert agent.said("static") == ["main up"]
    agent.remove("static")
    server.wait(lambda: mirror() is None, SECONDS, "the mirror to go")


# what goes wrong around it


@pytest.fixture
def steady(server, agent, node):
    """Two pods that none of it may touch."""
    workload(server, "Deployment", "steady", pod("steady", staying(), agent=agent), replicas=2)
    wait_status(server, "deployments", "steady", readyReplicas=2)
    before = containers(server)
    yield
    assert containers(server) == before
    remove(server, "deployments", "steady")


def containers(server):
    return {found["metadata"]["uid"]: [(status["containerID"], status["restartCount"])
                                       for status in found["status"]["containerStatuses"]]
            for found in pods_of(server, "steady")}


def test_the_api_server_is_killed(server, agent, steady):
    scheduled(server, agent, "ends", container("main", "while ! [ -e /stage/go ]; do sleep 0.1; "
                                               "done"), restartPolicy="Never")
    wait_ready(server, "ends", SECONDS)
    server.stop()
    (agent.stages / "ends" / "go").touch()
    agent.wait(lambda: agent.pod("ends")["status"]["phase"] == "Succeeded", "it to end")
    server.start()
    wait_pod(server, "ends", lambda found: found["status"]["phase"] == "Succeeded", "to end")
    scheduled(server, agent, "after", staying())
    wait_ready(server, "after", SECONDS)
    for name in ("ends", "after"):
        server.delete_pod(name)
        wait_gone(server, agent, name)


def test_the_servers_store_answers_nothing_for_a_while(server, agent, steady):
    server.processes["etcd"].send_signal(signal.SIGSTOP)
    time.sleep(STORE_SECONDS)
    server.processes["etcd"].send_signal(signal.SIGCONT)
    server.wait(lambda: server.get("nodes", NODE), SECONDS, "an answer")
    scheduled(server, agent, "after", staying())
    wait_ready(server, "after", SECONDS)
    server.delete_pod("after")
    wait_gone(server, agent, "after")


def test_the_agent_is_away_until_its_node_is_taken_for_dead(server, agent, steady):
    agent.kill()
    server.wait(lambda: condition(server.get("nodes", NODE), "Ready")["status"] == "Unknown",
                DEAD_SECONDS, "the node to be unknown")
    server.wait(lambda: not any(is_true(found, "Ready") for found in pods_of(server, "steady")),
                SECONDS, "its pods not to be ready")
    agent.start()
    server.wait(lambda: is_true(server.get("nodes", NODE), "Ready")
                and not server.get("nodes", NODE)["spec"].get("taints"), SECONDS, "the node")
    server.wait(lambda: all(is_true(found, "Ready") for found in pods_of(server, "steady")),
                SECONDS, "its pods to be ready")


def test_the_node_is_deleted(server, agent, steady):
    former = server.get("nodes", NODE)["metadata"]["uid"]
    server.delete("nodes", NODE)
    found = server.wait(lambda: is_true(server.get("nodes", NODE), "Ready")
                        and server.get("nodes", NODE), 30, "the node again")
    uid = found["metadata"]["uid"]
    assert uid != former
    server.wait(lambda: owner_of(server, "leases", "kube-node-lease") == uid, SECONDS, "its Lease")
    server.wait(lambda: owner_of(server, "csinodes") == uid, SECONDS, "its CSINode")


def owner_of(server, resource, namespace="default"):
    found = server.get(resource, NODE, namespace)
    return found and found["metadata"]["ownerReferences"][0]["uid"]


# Authorizers hear of a pod when its node does, or a little later; and a namespace that goes takes
# no more events.
REFUSED = re.compile(r"/(configmaps\?|secrets\?|serviceaccounts/[^/]+/token|events)")


def test_nothing_is_refused_to_the_node(server, agent):
    """In all of the tests above."""
    records = [record for record in server.requests() if record.user == f"system:node:{NODE}"]
    assert records and not [record for record in records if record.code in {400, 401, 405, 415, 422}
                            or record.code == 403 and not REFUSED.search(record.url)]
