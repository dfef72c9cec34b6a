"""The double of the API server: what tests order of it, what it tells them, and what goes wrong on
demand. What it has in common with a real one is in test_api_protocol.py and beside it."""

import base64
import gc
import http.client
import json
import os
import socket
import ssl
import threading
import time

import pytest

import api_errors
from api_certificates import NODE_GROUP, Authority, Pair
from api_client import Client
from api_cluster import BOOTSTRAP_TOKEN, Refused
from api_place import CSRS, SPEC, WATCH_LIST, csr, new_key, refused
from api_rules import MASTERS, User, node_user
from api_server import ApiServer

PODS = "/api/v1/namespaces/default/pods"
OF_NODE = {"fieldSelector": "spec.nodeName=a", "allowWatchBookmarks": "true"}
BROKEN = (ConnectionError, http.client.HTTPException, ssl.SSLError)
SOON = 0.3  # seconds in which nothing comes that does not come at all


@pytest.fixture
def server(server):
    """With a node "a" and a pod "web" on it."""
    server.create({"kind": "Node", "metadata": {"name": "a"}})
    add_pod(server, "web")
    return server


@pytest.fixture
def node(server):
    return server.client(node="a")


def add_pod(server, name, **spec):
    server.create({"kind": "Pod", "metadata": {"name": name}, "spec": {**SPEC, **spec}})
    return server.bind(name, "a")


def watch(node, **query):
    return node.watch("/api/v1/pods", **{**OF_NODE, **query})


def watch_list(node):
    """A watch of which everything that there is has been told."""
    stream = watch(node, **WATCH_LIST)
    stream.until("BOOKMARK")
    return stream


def touch(server, name="web"):
    touched = str(time.monotonic())
    return server.update_status("pods", name, {"message": touched})


def told_to_wait(answer, code, seconds):
    assert answer.code == code
    assert answer.headers.get("Retry-After") == seconds
    return answer.json["reason"]


# life


def test_nothing_is_left_behind(tmp_path):
    gc.collect()
    before = threading.active_count(), len(os.listdir("/proc/self/fd"))
    with ApiServer(tmp_path) as server:
        server.create({"kind": "Node", "metadata": {"name": "a"}})
        node = server.client(node="a")
        with watch_list(node), watch_list(node):
            assert node.get("/api/v1/nodes/a").code == 200
            with server.faults.blackhole("/leases"), pytest.raises(TimeoutError):
                server.client(node="a", seconds=0.1).get(
                    "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/a")
        port = server.port
    gc.collect()
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == before
    assert list(tmp_path.iterdir()) == []
    socket.create_server(("127.0.0.1", port)).close()


def test_it_comes_back_as_it_was(server, node):
    before = server.get("pods", "web")
    stream = watch_list(node)
    server.stop()
    with pytest.raises(BROKEN):
        stream.next()
    with pytest.raises(OSError):
        node.get("/api/v1/nodes/a")
    touch(server)
    server.start()
    version = before["metadata"]["resourceVersion"]
    with watch(node, resourceVersion=version) as stream:
        event = stream.next()
        assert (event["type"], event["object"]["metadata"]["uid"]) == (
            "MODIFIED", before["metadata"]["uid"])


def test_stopping_waits_for_nobody(server, node):
    with server.faults.blackhole("nodes"):
        waiting = threading.Thread(target=pytest.raises,
                                   args=[BROKEN, node.get, "/api/v1/nodes/a"])
        waiting.start()
        server.wait(lambda: server.requests("GET", "/nodes/a"))
        silent = socket.create_connection(("127.0.0.1", server.port))
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 1
        silent.close()
        waiting.join()


# the log


def test_every_request_is_on_record(server, node):
    patch = {"status": {"phase": "Running"}}
    node.patch(f"{PODS}/web/status?fieldManager=x", patch)
    node.get(f"{PODS}/none")
    (record,) = server.requests("PATCH", r"/pods/web/status")
    assert (record.verb, record.code, record.user) == ("patch", 200, "system:node:a")
    assert (record.path, record.query) == (f"{PODS}/web/status", {"fieldManager": "x"})
    assert record.json == patch
    assert record.headers["content-type"] == "application/strategic-merge-patch+json"
    (other,) = server.requests("GET", "/none$")
    assert (other.code, other.connection) == (403, record.connection)
    assert record.time <= record.ended <= other.time <= time.time()
    with watch_list(node):
        (stream,) = server.requests("WATCH", "spec.nodeName")
        assert stream.connection != record.connection
        assert (stream.code, stream.ended) == (200, None)
        assert server.requests("LIST") == []
    server.wait(lambda: stream.ended)
    server.log.clear()
    assert server.requests() == []


def test_requests_can_be_waited_for(server, node):
    threading.Timer(0.1, node.get, ["/api/v1/nodes/a"]).start()
    assert server.wait_request("GET", "/nodes/a").code == 200
    with pytest.raises(AssertionError, match="did not come within"):
        server.wait_request("GET", "/nodes/b", seconds=0.05)


def test_tests_own_requests_are_not_on_record_and_fail_aloud(server):
    assert server.get("pods", "none") is None
    with pytest.raises(Refused, match="404"):
        server.delete("pods", "none")
    assert server.requests() == []


# TLS and credentials


def test_the_protocol_is_http_1_over_tls_1_2_or_more(server):
    context = ssl.create_default_context(cafile=server.ca_file)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_connection(("127.0.0.1", server.port)) as plain, \
            context.wrap_socket(plain, server_hostname="kubernetes") as secured:
        assert secured.selected_alpn_protocol() == "http/1.1"
        assert secured.version() in ("TLSv1.2", "TLSv1.3")
        secured.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert secured.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")
    (record,) = server.requests("GET", "/healthz")
    assert record.server_name == "kubernetes"


def test_dates_of_certificates_can_be_wrong(server, node):
    server.use_certificate(not_after=-1)
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        node.get("/api/v1/nodes/a")
    server.use_certificate(not_before=100)
    with pytest.raises(ssl.SSLCertVerificationError, match="not yet valid"):
        node.get("/api/v1/nodes/a")
    server.use_certificate(["elsewhere"])
    with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
        node.get("/api/v1/nodes/a")
    server.use_certificate()
    assert node.get("/api/v1/nodes/a").code == 200
    server.wait(lambda: server.handshake_errors)


@pytest.mark.parametrize("dates", [{"not_after": -1}, {"not_before": 100}])
def test_a_client_certificate_out_of_date_is_a_401(server, dates):
    pair = server.authority.issue("system:node:a", [NODE_GROUP], **dates)
    refused(server.client(pair=pair).get("/api/v1/nodes/a"), 401, "Unauthorized")


def test_a_client_of_another_authority_is_turned_away(server, tmp_path):
    (tmp_path / "other").mkdir()
    pair = Authority(tmp_path / "other").issue("system:node:a", [NODE_GROUP])
    with pytest.raises(BROKEN):
        server.client(pair=pair).get("/api/v1/nodes/a")


def test_tokens_are_a_table(server):
    server.tokens["t"] = User("me", (MASTERS,))
    client = server.client(token="t")
    assert len(client.get("/api/v1/nodes").json["items"]) == 1
    del server.tokens["t"]
    refused(client.get("/api/v1/nodes"), 401, "Unauthorized")


def test_plain_http_on_demand(tmp_path):
    with ApiServer(tmp_path, plain=True, anonymous=node_user("a")) as server:
        assert server.url.startswith("http://")
        server.create({"kind": "Node", "metadata": {"name": "a"}})
        assert server.client().get("/api/v1/nodes/a").code == 200
        with server.faults.reset_before("/nodes/a"), \
                socket.create_connection(("127.0.0.1", server.port)) as plain:
            plain.sendall(b"GET /api/v1/nodes/a HTTP/1.1\r\nHost: x\r\n\r\n")
            with pytest.raises(ConnectionResetError):
                plain.recv(1)
        server.kubeconfig(tmp_path / "kubeconfig")
        assert json.loads((tmp_path / "kubeconfig").read_text())["clusters"][0]["cluster"] == {
            "server": server.url}


def test_kubeconfigs_are_of_every_kind(server, tmp_path):
    def written(**options):
        path = server.kubeconfig(tmp_path / "kubeconfig", **options)
        assert path.stat().st_mode & 0o777 == 0o600
        config = json.loads(path.read_text())
        assert config["current-context"] == config["contexts"][0]["name"]
        return config["clusters"][0]["cluster"], config["users"][0]["user"]

    cluster, user = written(node="a")
    assert base64.b64decode(cluster["certificate-authority-data"]) == server.ca_file.read_bytes()
    assert set(user) == {"client-certificate-data", "client-key-data"}
    pair = server.node_pair("a")
    cluster, user = written(pair=pair, embed=False, tls_server_name="kubernetes")
    assert cluster["tls-server-name"] == "kubernetes"
    assert cluster["certificate-authority"] == str(server.ca_file)
    assert user == {"client-certificate": str(pair.certificate), "client-key": str(pair.key)}
    assert written(token=BOOTSTRAP_TOKEN)[1] == {"token": BOOTSTRAP_TOKEN}
    assert written(token_file=tmp_path / "t")[1] == {"tokenFile": str(tmp_path / "t")}
    assert written(user={"username": "u"}, server="https://lb/k8s")[0]["server"] == "https://lb/k8s"


# requests that fail


def test_faults_are_counted_and_go_away(server, node):
    fault = server.faults.refuse("/nodes/a", 503, count=2, skip=1)
    assert [node.get("/api/v1/nodes/a").code for _ in range(4)] == [200, 503, 503, 200]
    assert fault.hits == 3
    server.faults.refuse("/nodes/a", 500, seconds=0.2)
    assert node.get("/api/v1/nodes/a").code == 500
    server.wait(lambda: node.get("/api/v1/nodes/a").code == 200)
    with server.faults.refuse("/nodes/a", 500, method="PATCH"):
        assert node.get("/api/v1/nodes/a").code == 200
        assert node.patch("/api/v1/nodes/a/status", {}).code == 500
    assert node.patch("/api/v1/nodes/a/status", {}).code == 200
    with server.faults.refuse("/nodes", 500, user="system:node:b"):
        assert node.get("/api/v1/nodes/a").code == 200


def test_a_server_that_is_busy(server, node):
    status = {"status": {"phase": "Running"}}
    with server.faults.refuse("/pods/web/status", 429, retry_after=2):
        answer = node.patch(f"{PODS}/web/status", status)
        assert told_to_wait(answer, 429, "2") == "TooManyRequests"
        assert answer.json["details"]["retryAfterSeconds"] == 2
    with server.faults.refuse("/pods/web/status", 500):
        assert told_to_wait(node.patch(f"{PODS}/web/status", status), 500, None) == "InternalError"
    assert server.get("pods", "web")["status"]["phase"] == "Pending"


def test_a_server_that_is_slow(server, node):
    with server.faults.slow("/nodes/a", 0.2):
        began = time.monotonic()
        assert node.get("/api/v1/nodes/a").code == 200
        assert time.monotonic() - began >= 0.2


def test_connections_that_break(server, node):
    status = f"{PODS}/web/status"
    with server.faults.reset_before(status), pytest.raises(ConnectionResetError):
        node.patch(status, {"status": {"message": "before"}})
    assert "message" not in server.get("pods", "web")["status"]
    with server.faults.reset_after(status), pytest.raises(ConnectionResetError):
        node.patch(status, {"status": {"message": "after"}})
    assert server.get("pods", "web")["status"]["message"] == "after"
    with server.faults.blackhole(status, seconds=0.1), pytest.raises(BROKEN):
        node.patch(status, {"status": {"message": "never"}})
    assert server.get("pods", "web")["status"]["message"] == "after"


def test_servers_that_say_nothing(server):
    hurried = server.client(node="a", seconds=SOON)
    with server.faults.blackhole("/nodes/a"), pytest.raises(TimeoutError):
        hurried.get("/api/v1/nodes/a")
    server.faults.mute.set()
    with pytest.raises(TimeoutError):
        hurried.get("/api/v1/nodes/a")
    server.faults.mute.clear()
    assert hurried.get("/api/v1/nodes/a").code == 200
    server.faults.frozen.set()
    with pytest.raises(TimeoutError):
        hurried.get("/api/v1/nodes/a")
    server.faults.clear()
    assert hurried.get("/api/v1/nodes/a").code == 200


def test_a_server_that_stops_reading(server):
    """Who sends more than fits into buffers is stuck."""
    hurried = server.client(node="a", seconds=SOON)
    with server.faults.unread("/status"), pytest.raises(TimeoutError):
        hurried.patch(f"{PODS}/web/status", b"x" * (32 << 20))


def test_answers_that_are_none(server, node):
    with server.faults.garbage("/nodes/a", b"\x00\xff{", 200):
        answer = node.get("/api/v1/nodes/a")
        assert (answer.code, answer.body) == (200, b"\x00\xff{")
    size = 100 << 20
    with server.faults.huge("/nodes/a", size):
        answer = node.get("/api/v1/nodes/a")
        assert (answer.headers["Content-Length"], len(answer.body)) == (str(size), size)
        assert answer.body.startswith(b'{"kind":"Huge"') and answer.body.endswith(b'"}')


def test_large_answers_are_compressed(server, node):
    server.create({"kind": "ConfigMap", "metadata": {"name": "big"}, "data": {"k": "x" * 200000}})
    add_pod(server, "reader", containers=[{"name": "c", "image": "i", "envFrom": [
        {"configMapRef": {"name": "big"}}]}])
    path = "/api/v1/namespaces/default/configmaps/big"
    assert node.get(path).headers["Content-Encoding"] is None
    answer = node.get(path, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip" and len(answer.body) < 10000


def test_a_body_may_come_in_chunks(server):
    client = Client(server.url, server.ca_file, server.node_pair("a"))
    connection = client.connect()
    connection.request("PATCH", f"{PODS}/web/status", iter([b'{"status":', b'{"message":"m"}}']),
                       {"Content-Type": "application/merge-patch+json"}, encode_chunked=True)
    assert connection.getresponse().status == 200
    connection.close()
    assert server.get("pods", "web")["status"]["message"] == "m"


# watches that fail


def test_a_watch_that_is_torn(server, node):
    with watch_list(node) as stream:
        server.faults.torn("watch=true.*spec.nodeName")
        touch(server)
        with pytest.raises(BROKEN):
            while stream.next():
                pass
    with watch_list(node) as stream:
        touch(server)
        assert stream.next()["type"] == "MODIFIED"


def test_a_watch_that_goes_silent(server, node):
    version = server.get("pods", "web")["metadata"]["resourceVersion"]
    with watch(node, resourceVersion=version) as stream, server.faults.silent("watch=true"):
        touch(server)
        assert stream.silent(SOON)
    with watch_list(node) as stream:
        with server.faults.silent("watch=true"):
            touch(server)
        assert stream.next()["type"] == "MODIFIED"


@pytest.mark.parametrize("how, kind", [("end", None), (api_errors.ApiError(500, "no"), "ERROR")])
def test_watches_that_are_ended(server, node, how, kind):
    with watch_list(node) as stream:
        assert server.end_watches("spec.nodeName", how) == 1
        event = stream.next()
        assert (event and event["type"]) == kind
        assert stream.next() is None


def test_watches_whose_connection_breaks(server, node):
    with watch_list(node) as stream:
        server.end_watches(how="reset")
        with pytest.raises(BROKEN):
            stream.next()
    with watch_list(node) as stream:
        server.hang_up()
        with pytest.raises(BROKEN):
            stream.next()
    assert node.get("/api/v1/nodes/a").code == 200


def test_a_watch_whose_version_has_expired(server, node):
    old = server.get("pods", "web")["metadata"]["resourceVersion"]
    with watch_list(node) as stream:
        server.expire()
        event = stream.next()
        assert (event["type"], event["object"]["kind"]) == ("ERROR", "Status")
        assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")
        assert stream.next() is None
    with watch(node, resourceVersion=old) as stream:
        assert stream.next()["object"]["code"] == 410
    server.api.expired_as = "http"
    with watch(node, resourceVersion=old) as stream:
        assert (stream.code, stream.body()["reason"]) == (410, "Expired")
    with watch_list(node) as stream:
        touch(server)
        assert stream.next()["type"] == "MODIFIED"


def test_a_server_without_watch_lists(server, node):
    server.api.watch_list = False
    with watch(node, **WATCH_LIST) as stream:
        assert stream.code == 422
        assert "unless the WatchList feature gate is enabled" in stream.body()["message"]
    found = node.get("/api/v1/pods?fieldSelector=spec.nodeName%3Da&resourceVersion=0").json
    with watch(node, resourceVersion=found["metadata"]["resourceVersion"]) as stream:
        touch(server)
        assert stream.next()["type"] == "MODIFIED"


def test_bookmarks_are_sent(server, node):
    with watch_list(node) as stream, node.watch("/api/v1/pods", fieldSelector="spec.nodeName=a",
                                                resourceVersion="0") as unmarked:
        server.create({"kind": "Namespace", "metadata": {"name": "unseen"}})
        assert server.send_bookmarks() == 2
        mark = stream.next()
        assert (mark["type"], mark["object"]["kind"]) == ("BOOKMARK", "Pod")
        assert int(mark["object"]["metadata"]["resourceVersion"]) == server.store.version
        unmarked.next()
        assert unmarked.silent(SOON)
    server.api.bookmark_seconds = 0.05
    with watch_list(node) as stream:
        assert {stream.next()["type"] for _ in range(2)} == {"BOOKMARK"}


def test_who_leaves_a_watch_is_noticed(server, node):
    watch_list(node).close()
    server.wait(lambda: server.requests("WATCH")[0].ended)


# lists that are old, and in pages


def test_a_cache_may_lag(server, node):
    path = "/api/v1/pods?fieldSelector=spec.nodeName%3Da"
    server.store.freeze_cache()
    add_pod(server, "new")
    stale = node.get(path + "&resourceVersion=0").json
    assert [item["metadata"]["name"] for item in stale["items"]] == ["web"]
    assert len(node.get(path).json["items"]) == 2
    with watch(node, resourceVersion=stale["metadata"]["resourceVersion"]) as stream:
        assert stream.next()["object"]["metadata"]["name"] == "new"
    server.store.thaw_cache()
    assert len(node.get(path + "&resourceVersion=0").json["items"]) == 2


def test_a_cache_gives_all_that_it_has(server, node):
    add_pod(server, "other")
    path = "/api/v1/pods?fieldSelector=spec.nodeName%3Da&limit=1"
    assert len(node.get(path).json["items"]) == 1
    assert len(node.get(path + "&resourceVersion=0").json["items"]) == 2


def test_a_list_in_pages_is_of_the_version_that_it_names(server, node):
    """Unless it says that a newer one will do; also when no watch goes on from there."""
    path = "/api/v1/pods?fieldSelector=spec.nodeName%3Da"
    old = node.get(path).json["metadata"]["resourceVersion"]
    add_pod(server, "new")
    touch(server)
    server.delete_pod("web", grace=0)
    server.expire()

    def names(query):
        found = node.get(f"{path}&resourceVersion={old}{query}").json
        return [item["metadata"]["name"] for item in found["items"]], \
            found["metadata"]["resourceVersion"] == old

    for exact in ("&limit=500", "&resourceVersionMatch=Exact"):
        assert names(exact) == (["web"], True)
    for newer in ("", "&limit=500&resourceVersionMatch=NotOlderThan"):
        assert names(newer) == (["new"], False)
    refused(node.get(f"{path}&resourceVersionMatch=Exact"), 422, "Invalid",
            "resourceVersionMatch is forbidden unless resourceVersion is provided")
    server.store.compacted = server.store.version
    refused(node.get(f"{path}&limit=500&resourceVersion={old}"), 410, "Expired",
            "too old resource version")


def test_what_leaves_a_selection_is_deleted_for_its_watch(server):
    server.tokens["t"] = User("me", (MASTERS,))
    with server.client(token="t").watch("/api/v1/pods", fieldSelector="status.phase=Pending",
                                        **WATCH_LIST) as stream:
        stream.until("BOOKMARK")
        changed = server.update_status("pods", "web", {"phase": "Running"})
        event = stream.next()
    assert (event["type"], event["object"]["status"]["phase"]) == ("DELETED", "Pending")
    assert event["object"]["metadata"]["resourceVersion"] == \
        changed["metadata"]["resourceVersion"]


def test_pages_expire(server, node):
    for name in "bcd":
        add_pod(server, name)
    server.api.page_max = 2
    path = "/api/v1/pods?fieldSelector=spec.nodeName%3Da&limit=500&resourceVersion=0"
    first = node.get(path).json
    token = first["metadata"]["continue"]
    assert len(first["items"]) == 2
    assert len(node.get(f"{path}&continue={token}").json["items"]) == 2
    token = node.get(path).json["metadata"]["continue"]
    server.expire()
    refused(node.get(f"{path}&continue={token}"), 410, "Expired", "continue parameter is too old")


# rights that come late, certificates, tokens


def test_the_graph_of_rights_may_lag(server, node):
    server.api.authorizer.delay = 0.2
    server.create({"kind": "Secret", "metadata": {"name": "s"}})
    add_pod(server, "reader", volumes=[{"name": "v", "secret": {"secretName": "s"}}])
    path = "/api/v1/namespaces/default/secrets/s"
    refused(node.get(path), 403, "Forbidden", "no relationship found between node 'a'")
    server.wait(lambda: node.get(path).code == 200)


def test_tokens_are_injected_on_demand(server):
    server.api.admission.inject_tokens = True
    pod = add_pod(server, "injected")
    (volume,) = pod["spec"]["volumes"]
    assert volume["name"].startswith("kube-api-access-")
    assert pod["spec"]["containers"][0]["volumeMounts"][0]["name"] == volume["name"]
    assert server.get("configmaps", "kube-root-ca.crt")["data"]["ca.crt"] == server.authority.text


def test_a_node_becomes_ready(server):
    assert server.get("nodes", "a")["spec"]["taints"]
    assert not server.untaint("a")["spec"].get("taints")


def test_certificates_are_signed_when_they_are_to_be(server, tmp_path):
    server.auto_approve = False
    joining = server.client(token=BOOTSTRAP_TOKEN)
    made = joining.post(CSRS, csr(new_key(tmp_path, "system:node:b")[1])).json
    name = made["metadata"]["name"]
    assert not server.get("certificatesigningrequests", name)["status"].get("conditions")
    server.signing_dates = {"not_before": -7200, "not_after": -3600}
    signed = base64.b64decode(server.approve(name)["status"]["certificate"])
    (tmp_path / "signed").write_bytes(signed)
    pair = Pair(tmp_path / "signed", tmp_path / "key.pem")
    refused(server.client(pair=pair).get("/api/v1/nodes/b"), 401, "Unauthorized")
    server.auto_approve, server.signing_dates = True, {}
    made = joining.post(CSRS, csr(new_key(tmp_path, "system:node:b")[1])).json
    status = server.get("certificatesigningrequests", made["metadata"]["name"])["status"]
    assert status["certificate"]


def test_nothing_is_made_in_a_namespace_that_goes_away(server, node):
    server.create({"kind": "Namespace", "metadata": {"name": "going"}})
    server.update_status("namespaces", "going", {"phase": "Terminating"})
    event = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"},
             "involvedObject": {"namespace": "going"}}
    refused(node.post("/api/v1/namespaces/going/events", event), 403, "Forbidden",
            "unable to create new content in namespace going because it is being terminated")


def test_a_pod_is_bound_once(server):
    with pytest.raises(Refused, match="is already assigned to node"):
        server.bind("web", "b")


def test_finalizers_are_waited_for(server):
    server.patch("pods", "web", {"metadata": {"finalizers": ["a/b"]}})
    server.delete_pod("web", grace=0)
    assert server.get("pods", "web")["metadata"]["deletionTimestamp"]
    server.patch("pods", "web", {"metadata": {"finalizers": None}})
    assert server.get("pods", "web") is None


# values


@pytest.mark.parametrize("status", [
    {"startTime": "yesterday"}, {"containerStatuses": [{"name": "c", "restartCount": "1"}]},
    {"allocatedResources": {"cpu": "much"}}, {"observedGeneration": 1.5}])
def test_values_of_the_wrong_form_are_refused(server, node, status):
    refused(node.patch(f"{PODS}/web/status", {"status": status}), 422, "Invalid",
            "cannot be handled as a Pod")
