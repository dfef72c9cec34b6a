"""Who the API server is, and who its client: certificates, names, versions of TLS, and what listens
on that port but is no API server. Each failure names what is to be done about it."""

import itertools
import json
import ssl
import warnings

import pytest

from api_certificates import NODE_GROUP, NODE_PREFIX, Authority
from api_driver import Driver
from api_gateway import Gateway
from api_rules import node_user
from api_server import ApiServer
from clusters import NODE
from conftest import BUILD
from relay import Proxy
from servers import Listener

TOKEN = "token-of-the-node"
NODE_PATH = f"/api/v1/nodes/{NODE}"
PAST = {"not_before": -1000, "not_after": -10}
FUTURE = {"not_before": 1000, "not_after": 2000}
FOLLOW_SECONDS = 25  # two looks at a certificate that is replaced


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with ApiServer(tmp_path_factory.mktemp("server")) as instance:
        instance.create({"kind": "Node", "metadata": {"name": NODE}})
        yield instance


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """An authority that nobody knows."""
    return Authority(tmp_path_factory.mktemp("other"))


@pytest.fixture
def said(tmp_path):
    """said(kubeconfig): what came of a request, (code, sentence), and what the log has of a
    watch."""
    logs = (tmp_path / f"driver-{number}.log" for number in itertools.count())

    def ask(path):
        with Driver(BUILD, path, next(logs)) as driver:
            driver.ask("node", "GET", NODE_PATH)
            answer = driver.wait_answer("node")
            before = len(driver.log)
            driver.watch("pods", "Pod", "/api/v1/pods", f"spec.nodeName={NODE}")
            driver.wait(lambda: driver.complete["pods"] or "warning" in driver.log[before:],
                        "something of the watch")
            return answer, driver.log

    return ask


def fails(said, path, *sentences, code=0):
    (found, sentence), log = said(path)
    assert found == code and sentence.startswith(("https://", "http://", "GET /")), sentence
    for wanted in sentences:
        assert wanted in sentence and wanted in log, (sentence, log)
    assert "PRIVATE KEY" not in log and TOKEN not in log


def works(said, path):
    (code, sentence), log = said(path)
    assert code == 200 and "warning" not in log, (sentence, log)


def believing(path, authority):
    """A kubeconfig with the authority of a file."""
    config = json.loads(path.read_text())
    cluster = config["clusters"][0]["cluster"]
    del cluster["certificate-authority-data"]
    cluster["certificate-authority"] = str(authority)
    path.write_text(json.dumps(config))
    return path


# whom the agent believes


@pytest.fixture
def certificate(server):
    """Replaces the server's, which is as it was afterwards."""
    yield server.use_certificate
    server.use_certificate()


def test_a_server_that_is_what_it_says(server, said, tmp_path):
    works(said, server.kubeconfig(tmp_path / "config", node=NODE))


@pytest.mark.parametrize("dates, sentence", [
    (PAST, "has expired; the server's certificate must be renewed"),
    (FUTURE, "is not yet valid; this machine's clock may be wrong")])
def test_a_server_whose_certificate_is_not_valid_now(server, certificate, said, tmp_path, dates,
                                                     sentence):
    certificate(**dates)
    fails(said, server.kubeconfig(tmp_path / "config", node=NODE), sentence)


def test_a_server_of_another_authority(server, other, said, tmp_path):
    path = believing(server.kubeconfig(tmp_path / "config", node=NODE), other.certificate)
    fails(said, path, "must certificate-authority of the kubeconfig be replaced?")


def test_check_05_the_name_in_the_certificate(server, certificate, said, tmp_path):
    certificate(("api.example.org",))
    fails(said, server.kubeconfig(tmp_path / "config", node=NODE),
          "set server or tls-server-name of the kubeconfig")
    fails(said, server.kubeconfig(tmp_path / "config", node=NODE, tls_server_name="api.example"),
          "'api.example'; the server's certificate is for other names")
    server.log.clear()
    works(said, server.kubeconfig(tmp_path / "config", node=NODE,
                                  tls_server_name="api.example.org"))
    assert {record.server_name for record in server.requests()} == {"api.example.org"}
    assert {record.headers["host"] for record in server.requests()} == {
        f"127.0.0.1:{server.port}"}


def test_a_name_in_the_certificate_is_for_tls_alone(server, certificate, said, tmp_path):
    """Neither a proxy nor a redirection is asked for it."""
    certificate(("api.example.org",))
    for location in (NODE_PATH, server.url + NODE_PATH):
        server.log.clear()
        head = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n"
        with Proxy() as proxy:
            server.faults.raw(NODE_PATH, lambda head=head: iter([head.encode()]), count=1)
            works(said, server.kubeconfig(tmp_path / "config", node=NODE, proxy_url=proxy.url,
                                          tls_server_name="api.example.org"))
        assert set(proxy.asked) == {f"127.0.0.1:{server.port}"}
        assert {record.server_name for record in server.requests()} == {"api.example.org"}
        assert {record.headers["host"] for record in server.requests()} == {
            f"127.0.0.1:{server.port}"}
        assert len(server.requests("GET", NODE_PATH)) == 2


def test_check_01_files_are_beside_the_kubeconfig(server, said, tmp_path, monkeypatch):
    place, elsewhere = tmp_path / "kubernetes", tmp_path / "elsewhere"
    place.mkdir()
    elsewhere.mkdir()
    (place / "ca.crt").write_text(server.authority.text)
    (elsewhere / "ca.crt").write_text("another")
    path = believing(server.kubeconfig(place / "config", node=NODE), "ca.crt")
    monkeypatch.chdir(elsewhere)
    works(said, path)


# who the agent is


def pair_of(authority, **dates):
    return authority.issue(NODE_PREFIX + NODE, [NODE_GROUP], **dates)


def test_a_client_certificate_that_the_server_does_not_take(server, other, said, tmp_path):
    """kube-apiserver says 401 of one whose time is over, and so does the double; of a foreign one
    TLS says it here."""
    for dates in (PAST, FUTURE):
        fails(said, server.kubeconfig(tmp_path / "config", pair=pair_of(server.authority, **dates)),
              "answers 401: Unauthorized; it does not know who asks", code=401)
    fails(said, server.kubeconfig(tmp_path / "config", pair=pair_of(other)),
          "accept the client's certificate")
    fails(said, server.kubeconfig(tmp_path / "config", token="nobody's"),
          "answers 401: Unauthorized", code=401)


def test_a_proxy_that_does_not_take_the_client_certificate(other, said, tmp_path):
    with ApiServer(tmp_path, plain=True) as server, Gateway(server, tmp_path) as gateway:
        server.create({"kind": "Node", "metadata": {"name": NODE}})
        server.tokens[TOKEN] = node_user(NODE)

        def kubeconfig(pair):
            return server.kubeconfig(tmp_path / "config", pair=pair, token=TOKEN,
                                     server=gateway.url,
                                     certificate_authority=str(server.authority.certificate))

        for pair in (None, pair_of(server.authority, **PAST), pair_of(server.authority, **FUTURE),
                     pair_of(other)):
            fails(said, kubeconfig(pair), "accept the client's certificate")
        works(said, kubeconfig(pair_of(server.authority)))


def test_a_certificate_that_is_replaced_while_it_runs(server, tmp_path):
    """By another of that node, as a rotation does it, whose files alone are looked at so often."""
    place = tmp_path / "kubelet-client-current.pem"

    def put(pair):
        place.with_suffix(".new").write_text(pair.certificate.read_text() + pair.key.read_text())
        place.with_suffix(".new").rename(place)

    put(pair_of(server.authority))
    path = server.kubeconfig(tmp_path / "config", user={
        "client-certificate": str(place), "client-key": str(place)})
    server.log.clear()
    with Driver(BUILD, path, tmp_path / "driver.log") as driver:
        driver.watch("pods", "Pod", "/api/v1/pods", f"spec.nodeName={NODE}")
        driver.wait_complete("pods")
        [before] = server.requests("WATCH")
        put(pair_of(server.authority))
        server.wait(lambda: len(server.requests("WATCH")) == 2, FOLLOW_SECONDS, "another watch")
        after = server.requests("WATCH")[1]
        assert before.ended and after.connection != before.connection
        driver.ask("node", "GET", NODE_PATH)
        assert driver.wait_answer("node")[0] == 200
        place.write_text("half a certificate")
        driver.wait_log(place.name, seconds=FOLLOW_SECONDS)
        driver.ask("again", "GET", NODE_PATH)
        assert driver.wait_answer("again")[0] == 200


# what is no API server


PORTS = {
    "plain HTTP": (lambda client: (client.recv(1), client.sendall(
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")), "does not speak TLS"),
    "SSH": (lambda client: (client.sendall(b"SSH-2.0-OpenSSH\r\n"), client.recv(1)),
            "does not speak TLS"),
    "nothing": (lambda client: None, "right port"),
}


@pytest.mark.parametrize("kind", PORTS)
def test_a_port_without_tls(server, said, tmp_path, kind):
    serve, sentence = PORTS[kind]
    listener = Listener(serve)
    try:
        fails(said, server.kubeconfig(tmp_path / "config", node=NODE,
                                      server=f"https://127.0.0.1:{listener.port}"), sentence)
    finally:
        listener.close()


def test_a_port_with_tls_that_is_asked_without(server, said, tmp_path):
    fails(said, server.kubeconfig(tmp_path / "config", node=NODE,
                                  server=f"http://127.0.0.1:{server.port}"), "http or https")


def test_a_port_that_says_nothing(server, tmp_path):
    """A heartbeat is told so soon: it is sent again over a second connection, and then given up."""
    silent = Listener(lambda client: client.recv(1 << 16) and client.recv(1))
    path = server.kubeconfig(tmp_path / "config", node=NODE,
                             server=f"https://127.0.0.1:{silent.port}")
    try:
        with Driver(BUILD, path, tmp_path / "driver.log") as driver:
            driver.beat("lease", "GET", NODE_PATH)
            assert "no TLS handshake within 4 s" in driver.wait_answer("lease", seconds=15)[1]
            assert len(silent.times) == 2
    finally:
        silent.close()


def test_versions_of_tls(tmp_path, said):
    with ApiServer(tmp_path) as server, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        server.create({"kind": "Node", "metadata": {"name": NODE}})
        path = server.kubeconfig(tmp_path / "config", node=NODE)
        server.context.set_ciphers("ALL:@SECLEVEL=0")  # else it does not speak the old ones
        for version in ("TLSv1_2", "TLSv1_3", "TLSv1_1", "TLSv1"):
            limit = getattr(ssl.TLSVersion, version)
            server.context.minimum_version = min(limit, ssl.TLSVersion.TLSv1_2)
            server.context.maximum_version = limit
            server.context.minimum_version = limit
            if limit >= ssl.TLSVersion.TLSv1_2:
                works(said, path)
            else:
                fails(said, path, "must speak TLS 1.2")


def test_a_handshake_that_is_cut_is_begun_once_more(server, tmp_path):
    """Nothing was asked yet, so that holds for what changes something, too."""
    met = []

    def serve(client):
        met.append(client.recv(1 << 16))

    listener = Listener(serve)
    path = server.kubeconfig(tmp_path / "config", node=NODE,
                             server=f"https://127.0.0.1:{listener.port}")
    try:
        with Driver(BUILD, path, tmp_path / "driver.log") as driver:
            driver.ask("patch", "PATCH", "/api/v1/nodes/x/status", "{}")
            assert driver.wait_answer("patch")[0] == 0
        assert len(met) == 2
    finally:
        listener.close()
