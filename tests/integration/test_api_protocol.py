"""What a node's agent builds on in an API server: nodes, leases, pods. All of it holds for the
double that other tests use, and, where KUBEBUILDER_ASSETS names a directory with etcd and
kube-apiserver, for these."""

import pytest

from api_patch import MERGE_PATCH
from api_place import SPEC, WATCH_LIST, Place, refused

NODE_LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"


@pytest.fixture
def place(api_server):
    return Place(api_server)


def types_of(conditions):
    return [condition["type"] for condition in conditions]


# who comes


def test_nobody_and_a_wrong_token_are_told_apart(api_server):
    refused(api_server.client().get("/api/v1/pods"), 403, "Forbidden",
            'User "system:anonymous" cannot list resource "pods" in API group "" at the cluster '
            "scope")
    status = refused(api_server.client(token="wrong").get("/api/v1/pods"), 401, "Unauthorized")
    assert status["message"] == "Unauthorized"


def test_health_is_for_all(api_server):
    for path in ("/healthz", "/readyz", "/livez"):
        answer = api_server.client().get(path)
        assert (answer.code, answer.body) == (200, b"ok")


def test_a_node_has_no_other_rights(place):
    for method, path in (("GET", "/api/v1/namespaces"), ("DELETE", f"/api/v1/nodes/{place.node}"),
                         ("GET", "/apis/coordination.k8s.io/v1/leases")):
        refused(place.client.request(method, path), 403, "Forbidden",
                f'User "system:node:{place.node}" cannot')


# the node


def test_a_node_registers_itself(place):
    path = f"/api/v1/nodes/{place.node}"
    refused(place.client.get(path), 404, "NotFound", f'nodes "{place.node}" not found')
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {
        "name": place.node, "labels": {"kubernetes.io/hostname": place.node, "mine": "yes"}},
        "status": {"capacity": {"cpu": "2"}}}
    made = place.client.post("/api/v1/nodes", node)
    assert made.code == 201
    assert made.json["spec"]["taints"] == [
        {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]
    assert made.json["status"]["capacity"] == {"cpu": "2"}
    metadata = made.json["metadata"]
    assert metadata["uid"] and metadata["resourceVersion"] and metadata["creationTimestamp"]
    status = refused(place.client.post("/api/v1/nodes", node), 409, "AlreadyExists",
                     f'nodes "{place.node}" already exists')
    assert (status["details"]["name"], status["details"]["kind"]) == (place.node, "nodes")
    assert place.client.get(path).json["metadata"]["uid"] == metadata["uid"]


def test_a_node_sees_itself_alone(place):
    refused(place.client.get("/api/v1/nodes"), 403, "Forbidden",
            f"node '{place.node}' cannot read all nodes, only its own Node object")
    refused(place.client.get("/api/v1/nodes/other"), 403, "Forbidden",
            f"node '{place.node}' cannot read 'other', only its own Node object")
    refused(place.client.post("/api/v1/nodes", {
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": "other"}}), 403, "Forbidden",
        f'node "{place.node}" is not allowed to modify node "other"')


def test_status_of_a_node_is_patched_by_merge_keys(place):
    place.register()
    path = f"/api/v1/nodes/{place.node}/status"
    place.server.update_status("nodes", place.node, {
        "conditions": [{"type": "KernelDeadlock", "status": "False"}]})
    for address in ("10.0.0.1", "10.0.0.2"):
        assert place.client.patch(path, {
            "metadata": {"labels": {"kubernetes.io/arch": "amd64"}},
            "status": {
                "conditions": [{"type": "Ready", "status": "True"},
                               {"type": "DiskPressure", "status": "False"}],
                "addresses": [{"type": "InternalIP", "address": address},
                              {"type": "InternalIP", "address": "fd00::1"},
                              {"type": "Hostname", "address": place.node}, {"$patch": "replace"}],
                "capacity": {"example.com/a": "1", "pods": "110"}}}).code == 200
    changed = place.client.patch(path, {"status": {
        "$setElementOrder/conditions": [{"type": "DiskPressure"}, {"type": "Ready"}],
        "conditions": [{"type": "Ready", "status": "False"}],
        "capacity": {"example.com/a": None}}}).json
    assert [address["address"] for address in changed["status"]["addresses"]] == [
        "10.0.0.2", "fd00::1", place.node]
    assert changed["status"]["capacity"] == {"pods": "110"}
    conditions = {condition["type"]: condition["status"]
                  for condition in changed["status"]["conditions"]}
    assert conditions == {"KernelDeadlock": "False", "DiskPressure": "False", "Ready": "False"}
    assert [kind for kind in conditions if kind != "KernelDeadlock"] == ["DiskPressure", "Ready"]
    assert changed["metadata"]["labels"]["kubernetes.io/arch"] == "amd64"


@pytest.mark.parametrize("changes, why", [
    ({"spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}},
     "is not allowed to modify taints"),
    ({"metadata": {"labels": {"node-role.kubernetes.io/worker": ""}}},
     "is not allowed to modify labels: node-role.kubernetes.io/worker"),
    ({"metadata": {"labels": {"node-restriction.kubernetes.io/a": "b"}}},
     "is not allowed to modify labels: node-restriction.kubernetes.io/a"),
    ({"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "a",
                                        "uid": "b"}]}},
     "is not allowed to modify ownerReferences")])
def test_what_a_node_may_not_touch_fails_the_whole_patch(place, changes, why):
    place.register()
    before = place.server.get("nodes", place.node)
    refused(place.client.patch(f"/api/v1/nodes/{place.node}/status", {
        "status": {"phase": "Running"}, **changes}), 403, "Forbidden", why)
    assert place.server.get("nodes", place.node) == before


@pytest.mark.parametrize("status, why", [
    ({"capacity": {"cpu": "-1"}}, "must be greater than or equal to 0"),
    ({"capacity": {"cpu": "abc"}}, "quantities must match the regular expression"),
    ({"conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": "today"}]},
     "parsing time"),
    ({"addresses": [*[{"type": "InternalIP", "address": "10.0.0.1"}] * 2, {"$patch": "replace"}]},
     "Duplicate value")])
def test_a_status_that_is_no_nodes_is_refused(place, status, why):
    place.register()
    refused(place.client.patch(f"/api/v1/nodes/{place.node}/status", {"status": status}), 422,
            "Invalid", why)


def test_a_label_of_kubernetes_is_refused_when_a_node_is_created(place):
    refused(place.client.post("/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {
        "name": place.node, "labels": {"foo.kubernetes.io/bar": "x"}}}), 403, "Forbidden",
        "is not allowed to set the following labels: foo.kubernetes.io/bar")


def test_a_patch_that_changes_nothing_writes_nothing(place):
    place.register()
    path = f"/api/v1/nodes/{place.node}/status"
    versions = {place.client.patch(path, {"status": {"capacity": {"cpu": "2"}}}).json[
        "metadata"]["resourceVersion"] for _ in range(3)}
    assert len(versions) == 1


# leases


def lease(node, **metadata):
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": node, "namespace": "kube-node-lease", **metadata},
            "spec": {"holderIdentity": node, "leaseDurationSeconds": 40,
                     "renewTime": "2026-01-02T03:04:05.678901Z"}}


def test_a_lease_is_renewed_by_the_version_last_seen(place):
    path = f"{NODE_LEASES}/{place.node}"
    refused(place.client.get(path), 404, "NotFound",
            f'leases.coordination.k8s.io "{place.node}" not found')
    first = place.client.post(NODE_LEASES, lease(place.node)).json
    renewed = {**first, "spec": {**first["spec"], "renewTime": "2026-01-02T03:04:15.000000Z"}}
    second = place.client.put(path, renewed)
    assert second.code == 200
    assert second.json["metadata"]["resourceVersion"] != first["metadata"]["resourceVersion"]
    refused(place.client.put(path, renewed | {"spec": first["spec"]}), 409, "Conflict",
            "the object has been modified; please apply your changes to the latest version and "
            "try again")
    unversioned = lease(place.node)
    refused(place.client.put(path, unversioned), 422, "Invalid",
            "metadata.resourceVersion", "must be specified for an update")


def test_a_lease_that_was_deleted_is_a_conflict_and_then_absent(place):
    path = f"{NODE_LEASES}/{place.node}"
    made = place.client.post(NODE_LEASES, lease(place.node)).json
    place.server.delete("leases", place.node, "kube-node-lease")
    refused(place.client.put(path, made), 409, "Conflict", "Precondition failed: UID")
    assert place.client.get(path).code == 404
    assert place.client.post(NODE_LEASES, lease(place.node)).code == 201


def test_a_lease_has_its_rules(place):
    refused(place.client.post(NODE_LEASES, lease("other")), 403, "Forbidden",
            "can only access node lease with the same name as the requesting node")
    wrong = lease(place.node)
    wrong["spec"]["renewTime"] = "2026-01-02T03:04:05Z"
    refused(place.client.post(NODE_LEASES, wrong), 400, "BadRequest", "parsing time")


def test_csinodes_are_the_nodes_own(place):
    path = "/apis/storage.k8s.io/v1/csinodes"
    node = place.register()
    made = place.client.post(path, {
        "apiVersion": "storage.k8s.io/v1", "kind": "CSINode",
        "metadata": {"name": place.node, "ownerReferences": [
            {"apiVersion": "v1", "kind": "Node", "name": place.node,
             "uid": node["metadata"]["uid"]}]}, "spec": {"drivers": []}})
    assert made.code == 201
    refused(place.client.get(f"{path}/other"), 403, "Forbidden",
            "can only access CSINode with the same name as the requesting node")
    assert place.client.get(f"{path}/{place.node}").code == 200


# pods


def test_pods_are_listed_by_their_node(place):
    refused(place.client.get("/api/v1/pods"), 403, "Forbidden",
            "can only list/watch pods with spec.nodeName field selector")
    pod = place.pod()
    found = place.client.get(place.of_node + "&limit=500&resourceVersion=0").json
    assert (found["kind"], found["apiVersion"]) == ("PodList", "v1")
    assert found["metadata"]["resourceVersion"]
    assert [item["metadata"]["uid"] for item in found["items"]] == [pod["metadata"]["uid"]]
    assert "kind" not in found["items"][0]


def test_a_pod_that_is_not_there_is_no_business_of_a_node(place):
    """And so not 404, but 403."""
    place.register()
    refused(place.client.get(f"{place.pods}/none"), 403, "Forbidden",
            f"no relationship found between node '{place.node}' and this object")
    refused(place.client.patch(f"{place.pods}/none/status", {"status": {}}), 404, "NotFound",
            'pods "none" not found')


def test_a_pod_is_given_its_defaults(place):
    pod = place.pod()
    spec, status = pod["spec"], pod["status"]
    assert (spec["restartPolicy"], spec["terminationGracePeriodSeconds"]) == ("Always", 30)
    assert (spec["dnsPolicy"], spec["enableServiceLinks"]) == ("ClusterFirst", True)
    assert spec["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    assert (status["phase"], status["qosClass"]) == ("Pending", "BestEffort")
    assert pod["metadata"]["generation"] == 1
    assert {toleration["tolerationSeconds"] for toleration in spec["tolerations"]} == {300}


def test_status_of_a_pod_is_merged(place):
    uid = place.pod()["metadata"]["uid"]
    place.server.update_status("pods", "web", {
        "conditions": [{"type": "example.com/gate", "status": "True"}]}, place.namespace)
    first = place.status({
        "phase": "Running", "podIP": "10.0.0.4", "podIPs": [{"ip": "10.0.0.4"}],
        "conditions": [{"type": "Initialized", "status": "True"},
                       {"type": "Ready", "status": "False", "reason": "ContainersNotReady",
                        "message": "containers with unready status: [c]"}]}, uid=uid)
    assert first.code == 200, first.body
    assert first.json["spec"] == place.found()["spec"]
    second = place.status({
        "$setElementOrder/conditions": [{"type": "example.com/gate"}, {"type": "Ready"},
                                        {"type": "PodScheduled"}],
        "$setElementOrder/podIPs": [{"ip": "10.0.0.5"}],
        "conditions": [{"type": "Ready", "status": "True", "reason": None, "message": None},
                       {"$patch": "delete", "type": "Initialized"}],
        "podIP": "10.0.0.5", "podIPs": [{"ip": "10.0.0.5"}, {"$patch": "delete", "ip": "10.0.0.4"}],
        "containerStatuses": [{"name": "c", "image": "", "imageID": "", "ready": True,
                               "restartCount": 0, "state": {}}]}, uid=uid)
    assert second.code == 200, second.body
    status = second.json["status"]
    conditions = {condition["type"]: condition for condition in status["conditions"]}
    assert set(conditions) == {"example.com/gate", "Ready", "PodScheduled"}
    assert "reason" not in conditions["Ready"] and "message" not in conditions["Ready"]
    assert (status["podIP"], status["podIPs"]) == ("10.0.0.5", [{"ip": "10.0.0.5"}])
    assert (status["phase"], len(status["containerStatuses"])) == ("Running", 1)


def test_an_old_address_stays_until_it_is_deleted(place):
    """And a pod has one address of each kind at most."""
    place.pod()
    place.status({"podIP": "10.0.0.4", "podIPs": [{"ip": "10.0.0.4"}]})
    both = place.status({"podIPs": [{"ip": "10.0.0.4"}, {"ip": "fd00::4"}]}).json["status"]
    assert [address["ip"] for address in both["podIPs"]] == ["10.0.0.4", "fd00::4"]
    refused(place.status({"podIP": "10.0.0.5", "podIPs": [{"ip": "10.0.0.5"}]}), 422, "Invalid",
            "status.podIPs", "may specify no more than one IP for each IP family")
    assert place.found()["status"]["podIPs"] == both["podIPs"]


def test_a_class_of_a_pod_stays(place):
    place.pod()
    refused(place.status({"qosClass": "Guaranteed"}), 422, "Invalid", "status.qosClass",
            "field is immutable")
    assert place.status({"qosClass": None}).json["status"]["qosClass"] == "BestEffort"


def test_the_first_address_is_the_single_one(place):
    place.pod()
    assert place.status({"podIPs": [{"ip": "10.0.0.4"}]}).json["status"]["podIP"] == "10.0.0.4"


def test_the_single_address_counts_where_two_differ(place):
    place.pod()
    place.status({"podIP": "10.0.0.4", "podIPs": [{"ip": "10.0.0.4"}]})
    kept = place.status({"podIPs": [{"ip": "10.0.0.5"}]}).json["status"]
    assert (kept["podIP"], kept["podIPs"]) == ("10.0.0.4", [{"ip": "10.0.0.4"}])


def test_a_write_for_another_pod_of_that_name_fails(place):
    pod = place.pod()
    refused(place.status({"phase": "Running"}, uid="other"), 422, "Invalid", "metadata.uid",
            "field is immutable")
    version = pod["metadata"]["resourceVersion"]
    assert place.status({"phase": "Running"}, resourceVersion=version).code == 200
    refused(place.status({"phase": "Failed"}, resourceVersion=version), 409, "Conflict",
            "the object has been modified")
    assert place.found()["status"]["phase"] == "Running"


def test_status_leaves_the_rest_alone(place):
    place.pod()
    before = place.found()
    after = place.client.patch(f"{place.pods}/web/status", {
        "spec": {"hostNetwork": True}, "status": {"phase": "Running"}})
    assert after.code == 200
    assert after.json["spec"] == before["spec"]
    assert after.json["metadata"]["generation"] == before["metadata"]["generation"]
    refused(place.client.patch(f"{place.pods}/web/status", {"metadata": {"labels": {"a": "b"}}}),
            403, "Forbidden", "cannot update labels through pod status")
    refused(place.client.patch(f"{place.pods}/web", {"metadata": {"labels": {"a": "b"}}}), 403,
            "Forbidden", "cannot patch resource \"pods\"")


def test_the_rest_leaves_status_alone(place):
    place.pod()
    assert place.server.patch("pods", "web", {"status": {"phase": "Failed"}}, place.namespace)[
        "status"]["phase"] == "Pending"


def test_a_merge_patch_replaces_lists(place):
    place.pod()
    changed = place.client.patch(f"{place.pods}/web/status", {"status": {
        "conditions": [{"type": "Ready", "status": "True"}]}}, kind=MERGE_PATCH)
    assert types_of(changed.json["status"]["conditions"]) == ["Ready"]


def test_a_change_of_the_spec_is_a_new_generation(place):
    place.pod()
    changed = place.server.patch("pods", "web", {"spec": {"containers": [
        {"name": "c", "image": "busybox:2"}]}}, place.namespace)
    assert changed["metadata"]["generation"] == 2
    assert changed["spec"]["containers"][0]["image"] == "busybox:2"
    admin = place.server.ask("PATCH", f"{place.pods}/web", {"spec": {"hostNetwork": True}},
                             MERGE_PATCH)
    assert admin[0] == 422 and "pod updates may not change fields" in admin[1]["message"]


def test_a_container_that_has_ended_for_good_stays_so(place):
    place.pod(restartPolicy="Never")

    def written(state):
        return place.status({"containerStatuses": [{
            "name": "c", "image": "", "imageID": "", "ready": False, "restartCount": 0,
            "state": state}]})

    assert written({"terminated": {"exitCode": 0}}).code == 200
    refused(written({"running": {"startedAt": "2026-01-02T03:04:05Z"}}), 422, "Invalid",
            "may not be transitioned to non-terminated state")


# deletion


def test_a_pod_goes_in_steps(place):
    pod = place.pod()
    with place.client.watch("/api/v1/pods", **WATCH_LIST,
                            fieldSelector=f"spec.nodeName={place.node}") as watch:
        watch.until("BOOKMARK")
        place.server.delete_pod("web", place.namespace)
        marked = watch.next()
        metadata = marked["object"]["metadata"]
        assert marked["type"] == "MODIFIED" and metadata["deletionTimestamp"]
        assert (metadata["deletionGracePeriodSeconds"], metadata["generation"]) == (30, 2)
        place.server.delete_pod("web", place.namespace, grace=5)
        assert watch.next()["object"]["metadata"]["deletionGracePeriodSeconds"] == 5
        place.server.delete_pod("web", place.namespace, grace=20)
        place.status({"phase": "Succeeded"})
        ended = watch.next()["object"]
        assert ended["status"]["phase"] == "Succeeded"
        assert ended["metadata"]["deletionGracePeriodSeconds"] == 5
        refused(place.client.delete(f"{place.pods}/web", {
            "gracePeriodSeconds": 0, "preconditions": {"uid": "other"}}), 409, "Conflict",
            "the UID in the precondition (other) does not match the UID in record")
        gone = place.client.delete(f"{place.pods}/web", {
            "gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}})
        assert gone.code == 200 and gone.json["kind"] == "Pod"
        last = watch.until("DELETED")
        assert last[-1]["object"]["status"]["phase"] == "Succeeded"
        assert [event["object"]["metadata"]["deletionGracePeriodSeconds"]
                for event in last[:-1]] == [0]
    refused(place.client.delete(f"{place.pods}/web", {"gracePeriodSeconds": 0}), 404, "NotFound")


def test_a_forced_deletion_is_at_once(place):
    place.pod()
    place.server.delete_pod("web", place.namespace, grace=0)
    assert place.found() is None


def test_a_pod_without_a_node_is_gone_at_once(place):
    place.server.create({"kind": "Pod", "metadata": {"name": "web"}, "spec": SPEC},
                        place.namespace)
    place.server.delete_pod("web", place.namespace)
    assert place.found() is None


def test_a_node_deletes_no_pod_of_another(place):
    other = Place(place.server)
    other.pod()
    refused(place.client.delete(f"{other.pods}/web"), 403, "Forbidden",
            f'node "{place.node}" can only delete pods with spec.nodeName set to itself')
    refused(place.client.patch(f"{other.pods}/web/status", {"status": {"phase": "Failed"}}), 403,
            "Forbidden", "can only update pod status for pods with spec.nodeName set to itself")
