"""What an API server lets a node have and make for its pods: mirrors, secrets, tokens,
certificates, events; of the double or a real one: see test_api_protocol.py."""

import base64

import pytest

import api_certificates as certificates
import api_tokens
from api_cluster import BOOTSTRAP_TOKEN
from api_place import CSRS, MIRROR, WATCH_LIST, Place, csr, new_key, refused
from api_store import seconds_of

AUDIENCES = {"volumes": [{"name": "tokens", "projected": {"sources": [
    {"serviceAccountToken": {"path": "api", "expirationSeconds": 3607}},
    {"serviceAccountToken": {"path": "vault", "audience": "vault"}}]}}]}


@pytest.fixture
def place(api_server):
    return Place(api_server)


# mirror pods


def test_a_mirror_is_made_and_removed(place):
    uid = place.register()["metadata"]["uid"]
    mirror = place.mirror(uid)
    path = f'{place.pods}/{mirror["metadata"]["name"]}'
    made = place.client.post(place.pods, mirror)
    assert made.code == 201, made.body
    metadata, spec = made.json["metadata"], made.json["spec"]
    assert metadata["uid"] != "not-this"
    assert (metadata["annotations"][MIRROR], spec["priority"]) == ("hash", 0)
    assert "serviceAccountName" not in spec and "volumes" not in spec
    place.server.wait(lambda: place.client.get(path).code == 200)
    assert place.client.patch(f"{path}/status", {
        "metadata": {"uid": metadata["uid"]}, "status": {"phase": "Running"}}).code == 200
    assert place.client.delete(path, {
        "gracePeriodSeconds": 0, "preconditions": {"uid": metadata["uid"]}}).code == 200
    assert place.server.get("pods", mirror["metadata"]["name"], place.namespace) is None


@pytest.mark.parametrize("part, change, why", [
    ("metadata", {"annotations": {}}, f'pod does not have "{MIRROR}" annotation'),
    ("metadata", {"ownerReferences": []}, "with an owner reference set to itself"),
    ("owner", {"controller": False}, "with a controller owner reference set to itself"),
    ("owner", {"blockOwnerDeletion": True}, "must not set blockOwnerDeletion"),
    ("owner", {"uid": "old"}, "UID mismatch: expected"),
    ("spec", {"nodeName": "other"}, "can only create pods with spec.nodeName set to itself"),
    ("spec", {"volumes": [{"name": "v", "secret": {"secretName": "s"}}]},
     "can not create pods that reference secrets"),
    ("spec", {"volumes": [{"name": "v", "projected": {"sources": [
        {"serviceAccountToken": {"path": "t"}}]}}]},
     "can not create pods that reference serviceaccounts")])
def test_a_wrong_mirror_is_refused(place, part, change, why):
    mirror = place.mirror(place.register()["metadata"]["uid"])
    (mirror["metadata"]["ownerReferences"][0] if part == "owner" else mirror[part]).update(change)
    refused(place.client.post(place.pods, mirror), 403, "Forbidden", why)


def test_a_mirror_stays_one(place):
    mirror = place.mirror(place.register()["metadata"]["uid"])
    made = place.client.post(place.pods, mirror).json
    made["metadata"]["annotations"][MIRROR] = "other"
    code, status = place.server.ask("PUT", f'{place.pods}/{made["metadata"]["name"]}', made,
                                    "application/json")
    assert code == 422 and "may not remove or update mirror pod annotation" in status["message"]


# secrets, configmaps, claims


def test_a_secret_is_for_the_nodes_whose_pods_refer_to_it(place):
    path = f"/api/v1/namespaces/{place.namespace}/secrets"
    for name in ("own", "other"):
        place.server.create({"kind": "Secret", "metadata": {"name": name},
                             "stringData": {"k": name}}, place.namespace)
    unrelated = f"no relationship found between node '{place.node}' and this object"
    refused(place.client.get(f"{path}/own"), 403, "Forbidden", unrelated)
    place.pod(volumes=[{"name": "v", "secret": {"secretName": "own"}}])
    found = place.server.wait(lambda: (answer := place.client.get(f"{path}/own")).code == 200
                              and answer).json
    assert base64.b64decode(found["data"]["k"]) == b"own"
    refused(place.client.get(f"{path}/other"), 403, "Forbidden", unrelated)
    refused(place.client.get(path), 403, "Forbidden", "No Object name found")
    refused(place.client.get(path + "?watch=true&fieldSelector=metadata.name%3Dother"), 403,
            "Forbidden", 'secrets "other" is forbidden: User', unrelated)
    with place.client.watch(path, fieldSelector="metadata.name=own", **WATCH_LIST) as stream:
        assert stream.until("BOOKMARK")[0]["object"]["metadata"]["name"] == "own"
        place.server.patch("secrets", "own", {"data": {"k": "bmV3"}}, place.namespace)
        assert stream.next()["object"]["data"]["k"] == "bmV3"


def test_a_configmap_that_is_not_there_is_watched_until_it_comes(place):
    path = f"/api/v1/namespaces/{place.namespace}/configmaps"
    place.pod(containers=[{"name": "c", "image": "busybox", "envFrom": [
        {"configMapRef": {"name": "later"}}]}])
    place.server.wait(lambda: place.client.get(f"{path}/later").code == 404)
    with place.client.watch(path, fieldSelector="metadata.name=later", **WATCH_LIST) as stream:
        assert [event["type"] for event in stream.until("BOOKMARK")] == ["BOOKMARK"]
        place.server.create({"kind": "ConfigMap", "metadata": {"name": "later"},
                             "data": {"a": "b"}}, place.namespace)
        assert stream.next()["object"]["data"] == {"a": "b"}


def test_what_is_immutable_cannot_be_changed(place):
    place.server.create({"kind": "ConfigMap", "metadata": {"name": "fixed"}, "immutable": True,
                         "data": {"a": "b"}}, place.namespace)
    code, status = place.server.ask(
        "PATCH", f"/api/v1/namespaces/{place.namespace}/configmaps/fixed", {"data": {"a": "c"}},
        "application/merge-patch+json")
    assert code == 422 and "field is immutable when `immutable` is set" in status["message"]


def test_claims_and_their_volumes_are_read_through_pods(place):
    volume = f"pv-{place.node}"
    place.server.create({"kind": "PersistentVolume", "metadata": {"name": volume}, "spec": {
        "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
        "csi": {"driver": "d", "volumeHandle": volume}}})
    place.server.create({"kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "storageClassName": "", "volumeName": volume,
        "resources": {"requests": {"storage": "1Gi"}}}}, place.namespace)
    paths = [f"/api/v1/namespaces/{place.namespace}/persistentvolumeclaims/data",
             f"/api/v1/persistentvolumes/{volume}"]
    for path in paths:
        refused(place.client.get(path), 403, "Forbidden", "no relationship found")
    claim = place.server.get("persistentvolumeclaims", "data", place.namespace)
    place.server.patch("persistentvolumes", volume, {"spec": {"claimRef": {
        "namespace": place.namespace, "name": "data", "uid": claim["metadata"]["uid"]}}})
    place.pod(volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}])
    for path in paths:
        place.server.wait(lambda path=path: place.client.get(path).code == 200)


def test_a_node_tells_the_size_of_a_claim_and_no_more(place):
    place.server.create({"kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "storageClassName": "",
        "resources": {"requests": {"storage": "1Gi"}}}}, place.namespace)
    place.pod(volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}])
    path = f"/api/v1/namespaces/{place.namespace}/persistentvolumeclaims/data"
    place.server.wait(lambda: place.client.get(path).code == 200)
    grown = place.client.patch(f"{path}/status", {"status": {"capacity": {"storage": "2Gi"}}})
    assert (grown.code, grown.json["status"]["capacity"]) == (200, {"storage": "2Gi"})
    refused(place.client.patch(f"{path}/status", {"status": {"phase": "Lost"}}), 403, "Forbidden",
            "is not allowed to update fields other than status")


# tokens


def ask_token(place, pod, audiences=(), uid=None, seconds=3607, account="default", **changes):
    bound = {"apiVersion": "v1", "kind": "Pod", "name": pod["metadata"]["name"],
             "uid": pod["metadata"]["uid"] if uid is None else uid}
    path = f"/api/v1/namespaces/{place.namespace}/serviceaccounts/{account}/token"
    spec = {"audiences": list(audiences), "expirationSeconds": seconds, "boundObjectRef": bound}
    return place.client.post(path, {"apiVersion": "authentication.k8s.io/v1",
                                    "kind": "TokenRequest", "spec": {**spec, **changes}})


def test_a_token_is_bound_to_its_pod(place):
    node, pod = place.register(), place.pod(**AUDIENCES)
    answer = place.server.wait(lambda: (asked := ask_token(place, pod)).code == 201 and asked).json
    claims = api_tokens.claims_of(answer["status"]["token"])
    assert claims["sub"] == f"system:serviceaccount:{place.namespace}:default"
    bound = claims["kubernetes.io"]
    assert bound["pod"] == {"name": "web", "uid": pod["metadata"]["uid"]}
    assert bound["node"] == {"name": place.node, "uid": node["metadata"]["uid"]}
    assert claims["aud"] == answer["spec"]["audiences"] == [api_tokens.ISSUER]
    assert answer["status"]["expirationTimestamp"].endswith("Z")
    vault = ask_token(place, pod, ["vault"], seconds=600).json
    assert api_tokens.claims_of(vault["status"]["token"])["aud"] == ["vault"]


def test_an_injected_token_lives_longer_than_is_said(place):
    pod = place.pod(**AUDIENCES)
    answer = place.server.wait(lambda: (asked := ask_token(place, pod)).code == 201 and asked).json
    claims = api_tokens.claims_of(answer["status"]["token"])
    said = seconds_of(answer["status"]["expirationTimestamp"])
    assert abs(said - claims["iat"] - 3607) < 10
    assert claims["exp"] - claims["iat"] > 360 * 24 * 3600
    assert abs(claims["kubernetes.io"]["warnafter"] - said) < 10


def test_a_token_is_refused_with_its_reason(place):
    pod = place.pod(**AUDIENCES)
    place.server.wait(lambda: ask_token(place, pod).code == 201)
    for answer, why in (
            (ask_token(place, pod, ["bar"]), 'audience "bar" not found in pod spec volume, '
             f"system:node:{place.node} is not authorized to request tokens for this audience"),
            (ask_token(place, pod, ["vault", "bar"]), "node may only request 0 or 1 audiences"),
            (ask_token(place, pod, boundObjectRef=None),
             "node requested token not bound to a pod"),
            (ask_token(place, pod, uid=""),
             "node requested token with a pod binding without a uid"),
            (ask_token(place, pod, uid="other"),
             "the UID in the bound object reference (other) does not match"),
            (ask_token(place, pod, account="none"), "no relationship found between node")):
        refused(answer, 403, "Forbidden", why)
    refused(ask_token(place, pod, seconds=60), 422, "Invalid",
            "may not specify a duration less than 10 minutes")


# certificates


def conditions_of(server, name):
    found = server.get("certificatesigningrequests", name).get("status", {})
    return [condition["type"] for condition in found.get("conditions", [])]


def approve(server, name):
    """Where nobody has done it already."""
    if not conditions_of(server, name):
        server.approve(name)


def test_a_node_gets_its_certificate(place, tmp_path):
    key, request = new_key(tmp_path, f"system:node:{place.node}")
    joining = place.server.client(token=BOOTSTRAP_TOKEN)
    made = joining.post(CSRS, csr(request))
    assert made.code == 201 and made.json["metadata"]["name"].startswith("csr-")
    name = made.json["metadata"]["name"]
    assert certificates.BOOTSTRAP_GROUP in made.json["spec"]["groups"]
    with joining.watch(CSRS, fieldSelector=f"metadata.name={name}", **WATCH_LIST) as stream:
        approve(place.server, name)
        while not (status := stream.next()["object"].get("status", {})).get("certificate"):
            pass
    assert [condition["type"] for condition in status["conditions"]] == ["Approved"]
    certificate = tmp_path / "certificate.pem"
    certificate.write_bytes(base64.b64decode(status["certificate"]))
    node = place.server.client(pair=certificates.Pair(certificate, key))
    assert node.get(f"/api/v1/nodes/{place.node}").code == 404
    _, again = new_key(tmp_path, f"system:node:{place.node}")
    assert node.post(CSRS, csr(again)).code == 201
    assert joining.get("/api/v1/nodes/a").code == 403


def test_a_node_asks_for_no_other(place, tmp_path):
    _, request = new_key(tmp_path, "system:node:other")
    refused(place.client.post(CSRS, csr(request)), 403, "Forbidden",
            f"can only create a node CSR with CN=system:node:{place.node}")
    refused(place.client.post(CSRS, csr("no request")), 403, "Forbidden", "unable to parse csr")


def test_a_serving_certificate_is_approved_by_people(place, tmp_path):
    _, request = new_key(tmp_path, f"system:node:{place.node}", "IP:127.0.0.1,DNS:node")
    made = place.client.post(CSRS, csr(request, ("digital signature", "server auth"),
                                       certificates.SERVING_SIGNER)).json
    name = made["metadata"]["name"]
    assert conditions_of(place.server, name) == []
    place.server.approve(name)
    signed = place.client.get(f"{CSRS}/{name}").json["status"]
    text = certificates.openssl("x509", "-noout", "-text", text=base64.b64decode(
        signed["certificate"]).decode())
    assert "IP Address:127.0.0.1" in text and "DNS:node" in text
    assert "TLS Web Server Authentication" in text and "Client" not in text


def test_what_is_asked_wrongly_fails(place, tmp_path):
    _, request = new_key(tmp_path, f"system:node:{place.node}", "DNS:extra")
    name = place.client.post(CSRS, csr(request)).json["metadata"]["name"]
    assert conditions_of(place.server, name) == []
    place.server.approve(name)
    assert conditions_of(place.server, name) == ["Approved", "Failed"]


def test_a_request_may_be_denied(place, tmp_path):
    _, request = new_key(tmp_path, f"system:node:{place.node}", "IP:127.0.0.1")
    name = place.client.post(CSRS, csr(request, ("digital signature", "server auth"),
                                       certificates.SERVING_SIGNER)).json["metadata"]["name"]
    place.server.deny(name)
    assert conditions_of(place.server, name) == ["Denied"]


# events


def event(place, name="web.1", **changes):
    return {"apiVersion": "v1", "kind": "Event",
            "metadata": {"name": name, "namespace": place.namespace},
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": place.namespace,
                               "name": "web", "uid": "u"},
            "reason": "Created", "message": "Container created", "type": "Normal", "count": 1,
            "firstTimestamp": "2026-01-02T03:04:05Z", "lastTimestamp": "2026-01-02T03:04:05Z",
            "source": {"component": "kubelet", "host": place.node}, "eventTime": None,
            "reportingComponent": "kubelet", "reportingInstance": place.node, **changes}


def test_events_are_made_and_counted(place):
    path = f"/api/v1/namespaces/{place.namespace}/events"
    assert place.client.post(path, event(place)).code == 201
    counted = place.client.patch(f"{path}/web.1", {
        "count": 2, "lastTimestamp": "2026-01-02T03:05:05Z"})
    assert (counted.code, counted.json["count"]) == (200, 2)
    assert counted.json["message"] == "Container created"
    refused(place.client.patch(f"{path}/gone", {"count": 2}), 404, "NotFound")
    refused(place.client.delete(f"{path}/web.1"), 403, "Forbidden")
    refused(place.client.post(path, event(place, "web.2", involvedObject={
        "kind": "Node", "name": place.node})), 422, "Invalid", "does not match event.namespace")


def test_events_of_the_node_are_in_the_default_namespace(place):
    made = event(place, f"{place.node}.1", involvedObject={
        "apiVersion": "v1", "kind": "Node", "name": place.node})
    made["metadata"]["namespace"] = "default"
    assert place.client.post("/api/v1/namespaces/default/events", made).code == 201
