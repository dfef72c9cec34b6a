"""The agent as a member of a cluster: its node, its pods and what it tells of them, with real
containers and a double of the API server, and a real one if there is one."""

import time

import pytest

from agent import restarts
from api_tokens import claims_of
from clusters import (HASH, MIRROR, NODE, bound, condition, is_true, member, patches, said_by,
                      wait_node, wait_pod, wait_ready)
from conftest import BUILD
from runtime import PAUSE_IMAGE
from specs import SAY, container, pod, staying

VAULT_SECONDS = 50
QUIET_SECONDS = 12  # one round of all that is done again and again, and a little more


@pytest.fixture(scope="module")
def server(cluster_server):
    return cluster_server


@pytest.fixture(scope="module")
def agent(containerd, server):
    with member(containerd, BUILD, lambda place: server.kubeconfig(
            place / "kubeconfig", node=NODE)) as instance:
        yield instance


@pytest.fixture(scope="module")
def node(server, agent):
    return wait_node(server)


def test_check_08_a_node_is_registered(server, node):
    [post] = server.requests("POST", r"/api/v1/nodes$")
    assert post.code == 201
    labels = node["metadata"]["labels"]
    assert labels["kubernetes.io/hostname"] == NODE and labels["kubernetes.io/os"] == "linux"
    assert {"cpu", "memory", "pods"} <= set(node["status"]["allocatable"])
    assert node["status"]["nodeInfo"]["containerRuntimeVersion"].startswith("containerd://")
    assert node["status"]["nodeInfo"]["kubeletVersion"].startswith("v1.36.")
    assert [item["type"] for item in node["status"]["conditions"]] == [
        "MemoryPressure", "DiskPressure", "PIDPressure", "Ready"]
    assert condition(node, "Ready")["reason"] == "KubeletReady"


@pytest.fixture(scope="module")
def vault(server, agent, node):
    """A pod with a token that does not last long, and where that is."""
    server.store.token_seconds["vault"] = VAULT_SECONDS
    bound(server, agent, "keeper", container(
        "main", "sleep 1000", volumeMounts=[{"name": "tokens", "mountPath": "/tokens"}]),
        volumes=[{"name": "tokens", "projected": {"sources": [
            {"serviceAccountToken": {"path": "vault", "audience": "vault"}}]}}])
    uid = wait_ready(server, "keeper")["metadata"]["uid"]
    return uid, agent.root / "pods" / uid / "volumes/kubernetes.io~projected/tokens/vault"


@pytest.mark.double
def test_check_44_a_token_is_of_its_pod(vault):
    uid, path = vault
    assert claims_of(path.read_text())["kubernetes.io"]["pod"] == {"name": "keeper", "uid": uid}


def test_check_20_the_first_request_for_pods_is_a_set_as_a_stream(server, node):
    requests = [record for record in server.requests("GET") if "/api/v1/pods?" in record.url]
    assert "watch=true" in requests[0].url and "sendInitialEvents=true" in requests[0].url
    assert "resourceVersionMatch=NotOlderThan" in requests[0].url
    assert all("watch=true" in record.url for record in requests)


def test_the_lease_is_there_and_renewed(server, node):
    def lease():
        return server.get("leases", NODE, "kube-node-lease")

    first = server.wait(lease, 15, "the lease")
    assert first["spec"]["holderIdentity"] == NODE
    assert first["spec"]["leaseDurationSeconds"] == 40
    [owner] = first["metadata"]["ownerReferences"]
    assert owner["kind"] == "Node" and owner["uid"] == node["metadata"]["uid"]
    server.wait(lambda: lease()["spec"]["renewTime"] != first["spec"]["renewTime"], 15,
                "the lease to be renewed")


def test_a_bound_pod_runs_and_is_told_of(server, agent, node):
    bound(server, agent, "web", staying("main"), staying("side"))
    found = wait_ready(server, "web")
    status = found["status"]
    assert status["phase"] == "Running" and status["podIP"]
    assert [item["name"] for item in status["containerStatuses"]] == ["main", "side"]
    assert all(item["ready"] and item["containerID"].startswith("containerd://")
               for item in status["containerStatuses"])
    assert status["hostIP"] == status["hostIPs"][0]["ip"]
    assert status["observedGeneration"] == found["metadata"]["generation"]
    assert condition(found, "PodScheduled")["status"] == "True"
    assert len(patches(server, "web")) <= 3
    assert not server.requests("GET", r"/pods/web$")
    assert len([record for record in server.requests("POST", "/serviceaccounts/default/token")
                if record.json["spec"]["boundObjectRef"]["name"] == "web"]) == 1


def test_events_are_told(server, agent, node):
    bound(server, agent, "eventful", staying())
    wait_ready(server, "eventful")

    def reasons():
        return {event["reason"] for event in server.list("events")
                if event["involvedObject"].get("name") == "eventful"}

    server.wait(lambda: {"Pulled", "Created", "Started"} <= reasons(), what="its events")


def test_an_ordinary_pod_has_its_service_account(server, agent, node):
    place = "/var/run/secrets/kubernetes.io/serviceaccount"
    bound(server, agent, "ordinary", container("main", SAY + "say $(cat {0}/namespace) "
                                               "$(wc -c < {0}/ca.crt) $(cut -c1-3 {0}/token); "
                                               "sleep 1000".format(place)))
    wait_ready(server, "ordinary")
    [said] = said_by(agent, "ordinary", 1)
    name_space, size, start = said.split()
    assert name_space == "default" and int(size) > 500 and start == "eyJ"


def test_check_45_services_are_variables(server, agent, node):
    server.create({"kind": "Service", "metadata": {"name": "my-db"},
                   "spec": {"ports": [{"name": "pg", "port": 5432}]}})
    address = server.get("services", "my-db")["spec"]["clusterIP"]
    time.sleep(1)
    bound(server, agent, "linked", container(
        "main", SAY + "say $MY_DB_SERVICE_HOST $MY_DB_SERVICE_PORT_PG $KUBERNETES_SERVICE_PORT; "
        "sleep 1000"))
    assert said_by(agent, "linked", 1) == [f"{address} 5432 443"]


def test_check_41_config_follows(server, agent, node):
    """A variable is as it was at the start, a file follows; what is missing is waited for."""
    bound(server, agent, "configured", container(
        "main", SAY + "say $WORD; while :; do grep -q two /cfg/word && say two && break; "
        "sleep 0.1; done; sleep 1000",
        env=[{"name": "WORD", "valueFrom": {"configMapKeyRef": {"name": "words", "key": "word"}}}],
        volumeMounts=[{"name": "cfg", "mountPath": "/cfg"}]),
        volumes=[{"name": "cfg", "configMap": {"name": "words"}}])
    wait_pod(server, "configured", lambda found: "startTime" in found["status"], "to be seen")
    server.create({"kind": "ConfigMap", "metadata": {"name": "words"}, "data": {"word": "one"}})
    assert said_by(agent, "configured", 1) == ["one"]
    server.patch("configmaps", "words", {"data": {"word": "two"}})
    assert said_by(agent, "configured", 2) == ["one", "two"]


@pytest.mark.double
def test_check_41_what_cannot_change_or_is_over_is_not_watched(server, agent, node):
    def streams(name):
        return server.end_watches(f"/configmaps.*{name}")

    for name, fixed in (("fixed", True), ("open", False)):
        server.create({"kind": "ConfigMap", "metadata": {"name": name}, "immutable": fixed,
                       "data": {"word": name}})
    bound(server, agent, "reader", container(
        "main", "while ! [ -e /stage/go ]; do sleep 0.05; done",
        envFrom=[{"configMapRef": {"name": "fixed"}}, {"configMapRef": {"name": "open"}}]),
        restartPolicy="Never")
    wait_ready(server, "reader")
    server.wait(lambda: not streams("fixed") and streams("open"), 10, "one stream")
    (agent.stages / "reader" / "go").touch()
    wait_pod(server, "reader", lambda found: found["status"]["phase"] == "Succeeded", "to end")
    server.wait(lambda: not streams("open"), 10, "no stream")
    server.delete_pod("reader", grace=0)
    agent.wait_gone("reader")


@pytest.mark.double
def test_runtime_classes(server, agent, node):
    bound(server, agent, "classy", staying(), runtimeClassName="special")
    server.wait(lambda: [event for event in server.list("events")
                         if 'RuntimeClass "special" not found' in event["message"]],
                what="the event")
    server.create({"kind": "RuntimeClass", "metadata": {"name": "special"}, "handler": "runc"})
    wait_ready(server, "classy")


def test_check_40_a_deleted_pod_ends_first(server, agent, node):
    bound(server, agent, "leaves", container("main", SAY + "trap 'sleep 1; exit 0' TERM; "
                                             "while :; do sleep 0.1; done"))
    uid = wait_ready(server, "leaves")["metadata"]["uid"]
    server.delete_pod("leaves")
    server.wait(lambda: server.get("pods", "leaves") is None, 30, "the pod to go")
    [delete] = [record for record in server.requests("DELETE", "/pods/leaves")
                if record.user == f"system:node:{NODE}"]
    assert delete.json["gracePeriodSeconds"] == 0
    assert delete.json["preconditions"] == {"uid": uid}
    last = patches(server, "leaves")[-1]
    assert last.json["status"]["phase"] in ("Succeeded", "Failed")
    assert not [item for item in agent.ps() if item["metadata"]["name"] == "leaves"]


ENDING = SAY + "trap 'sleep 1; say ended; exit 0' TERM; say up; while :; do sleep 0.05; done"


def test_check_25_nothing_is_ended_before_all_sources_have_told(server, agent, node):
    bound(server, agent, "former", container("main", ENDING))
    assert said_by(agent, "former", 1) == ["up"]
    agent.stop()
    server.delete_pod("former", grace=0)
    server.stop()
    try:
        agent.start()
        agent.add(pod("witness", staying(), agent=agent))
        agent.wait_ready("witness")
        assert said_by(agent, "former", 1) == ["up"]
    finally:
        server.start()
    assert said_by(agent, "former", 2) == ["up", "ended"]
    agent.remove("witness")
    agent.wait_gone("witness")


def test_check_26_a_name_is_taken_again_at_once(server, agent, node):
    bound(server, agent, "again", container("main", ENDING))
    first = wait_ready(server, "again")["metadata"]["uid"]
    assert said_by(agent, "again", 1) == ["up"]  # it has set its trap
    server.delete_pod("again", grace=0)
    bound(server, agent, "again", container("main", ENDING))
    second = wait_ready(server, "again")["metadata"]["uid"]
    assert said_by(agent, "again", 3) == ["up", "ended", "up"]
    uids = [record.json["metadata"]["uid"] for record in patches(server, "again")
            if record.code == 200]
    assert uids == sorted(uids, key=[first, second].index)


def test_a_pod_that_is_deleted_by_force_is_ended(server, agent, node):
    bound(server, agent, "forced", staying())
    wait_ready(server, "forced")
    server.delete_pod("forced", grace=0)
    agent.wait(lambda: not [item for item in agent.ps()
                            if item["metadata"]["name"] == "forced"], "it to be gone")


def test_a_pod_that_does_not_fit(server, agent, node):
    bound(server, agent, "huge", staying(resources={"requests": {"cpu": "1000"}}))
    status = wait_pod(server, "huge", lambda found: found["status"]["phase"] == "Failed",
                      "to be refused")["status"]
    assert status["reason"] == "OutOfcpu"
    assert "Node didn't have enough resource: cpu, requested: 1000000" in status["message"]
    server.delete_pod("huge")
    server.wait(lambda: server.get("pods", "huge") is None, 30, "the pod to go")


def test_check_35_what_somebody_else_wrote_is_put_right(server, agent, node):
    bound(server, agent, "tampered", staying())
    wait_ready(server, "tampered")
    server.update_status("pods", "tampered", {"phase": "Failed"})
    wait_pod(server, "tampered", lambda found: found["status"]["phase"] == "Running",
             "to be Running again", 15)


def test_check_37_a_pod_that_has_another_address(server, agent, node):
    """An API server takes one of each kind, and so the former must go with the same write."""
    bound(server, agent, "moves", staying())
    before = wait_ready(server, "moves")
    found = agent.containerd.ctr("containers", "list", "labels.\"io.kubernetes.pod.uid\"=="
                                 + before["metadata"]["uid"]).stdout.splitlines()
    [sandbox] = [line.split()[0] for line in found if PAUSE_IMAGE in line]
    agent.containerd.ctr("tasks", "kill", "--signal", "KILL", sandbox)
    after = wait_pod(server, "moves", lambda found: is_true(found, "Ready")
                     and found["status"]["podIP"] != before["status"]["podIP"], "to have moved")
    assert after["status"]["podIPs"] == [{"ip": after["status"]["podIP"]}]
    assert restarts(after) == 1
    server.delete_pod("moves")


def test_check_36_a_readiness_gate(server, agent, node):
    bound(server, agent, "gated", staying(),
          readinessGates=[{"conditionType": "example.com/gate"}])
    found = wait_pod(server, "gated", lambda found: is_true(found, "ContainersReady"), "to run")
    assert condition(found, "Ready")["reason"] == "ReadinessGatesNotReady"
    server.update_status("pods", "gated", {"conditions": [
        {"type": "example.com/gate", "status": "True"}]})
    found = wait_ready(server, "gated")
    assert is_true(found, "example.com/gate")


def test_checks_28_31_32_mirrors(server, agent, node):
    def mirror():
        return server.get("pods", f"static-{NODE}")

    agent.add(pod("static", staying(), agent=agent))
    found = server.wait(lambda: is_true(mirror(), "Ready") and mirror(), 30, "the mirror")
    annotations = found["metadata"]["annotations"]
    assert annotations[MIRROR] == annotations[HASH]
    [owner] = found["metadata"]["ownerReferences"]
    assert owner["controller"] is True and owner["uid"] == node["metadata"]["uid"]
    before = found["status"]["containerStatuses"]
    server.delete_pod(f"static-{NODE}", grace=0)
    found = server.wait(lambda: is_true(mirror(), "Ready") and mirror(), 30, "the mirror again")
    assert found["status"]["containerStatuses"] == before
    agent.remove("static")
    server.wait(lambda: mirror() is None, 30, "the mirror to go")


def test_check_38_nothing_is_said_of_a_pod_that_stays_as_it_is(server, agent, node):
    """After a restart of the agent either, which changes nothing."""
    bound(server, agent, "steady", staying())
    before = wait_ready(server, "steady")
    time.sleep(1)
    count = len(patches(server, "steady"))
    moved = condition(server.get("nodes", NODE), "Ready")["lastTransitionTime"]
    agent.restart(kill=True)
    time.sleep(QUIET_SECONDS)
    after = server.get("pods", "steady")
    assert after["status"] == before["status"]
    assert len(patches(server, "steady")) == count
    assert condition(server.get("nodes", NODE), "Ready")["lastTransitionTime"] == moved


def test_a_deletion_goes_on_after_a_restart(server, agent, node):
    """With its hook (which the agent that was killed had begun), its grace and its outcome."""
    bound(server, agent, "slow-end", container(
        "main", SAY + "trap 'say term; exit 0' TERM; say up; while :; do sleep 0.1; done",
        lifecycle={"preStop": {"exec": {"command": ["sh", "-c", SAY + "sleep 4; say stopped"]}}}),
        terminationGracePeriodSeconds=30)
    wait_ready(server, "slow-end")
    server.delete_pod("slow-end")
    time.sleep(1)
    agent.restart(kill=True)
    server.wait(lambda: server.get("pods", "slow-end") is None, 40, "the pod to go")
    said = [text for _, text in agent.stage("slow-end")]
    assert said[0] == "up" and said[-1] == "term" and set(said[1:-1]) == {"stopped"}
    last = patches(server, "slow-end")[-1].json["status"]
    assert last["phase"] == "Succeeded", last


def test_a_node_that_was_deleted_is_registered_again(server, agent, node):
    server.delete("nodes", NODE)
    server.wait(lambda: is_true(server.get("nodes", NODE), "Ready"), 30, "the node again")
    assert server.get("nodes", NODE)["metadata"]["uid"] != node["metadata"]["uid"]


@pytest.mark.double
def test_check_44_a_token_is_replaced_in_time(server, vault):
    """When a fifth of its time is left, or a little before."""
    def requests():
        return [record for record in server.requests("POST", "/serviceaccounts/default/token$")
                if record.json["spec"]["audiences"] == ["vault"]]

    uid, path = vault
    before = len(requests())  # an agent that was restarted asks, too
    server.wait(lambda: len(requests()) > before, VAULT_SECONDS, "another request for a token")
    first, second = requests()[before - 1:before + 1]
    assert 0.6 * VAULT_SECONDS <= second.time - first.time <= 0.9 * VAULT_SECONDS
    claims = server.wait(lambda: (found := claims_of(path.read_text()))["exp"] - second.time
                         > 0.9 * VAULT_SECONDS and found, what="the file to be replaced")
    assert claims["kubernetes.io"]["pod"]["uid"] == uid
