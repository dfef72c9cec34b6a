"""The node's servers: /healthz, and the port of the node's API with its certificate."""

import contextlib
import http.client
import os
import pathlib
import re
import socket
import ssl
import subprocess
import threading
import time

import pytest

from agent import Agent
from api_certificates import SERVING_SIGNER, Authority, request_of, subject_of
from api_server import BOOTSTRAP_TOKEN, ApiServer
from clusters import is_true
from conftest import BUILD
from node_servers import LOCAL, ask, is_healthy
from registry import free_port

NODE = "serving"
SECONDS = 10
LISTENS = "0A"  # in /proc/net/tcp


def listening(pid):
    """Ports that the process listens on."""
    inodes = set()
    for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            inodes |= set(re.findall(r"socket:\[(\d+)\]", os.readlink(entry)))
    lines = [line.split() for name in ("tcp", "tcp6")
             for line in pathlib.Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]]
    return {int(words[1].rpartition(":")[2], 16) for words in lines
            if words[3] == LISTENS and words[9] in inodes}


def anybody():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def certificate(port):
    """What is served, as openssl prints it; None: there is none yet."""
    try:
        with socket.create_connection((LOCAL, port), SECONDS) as raw, \
                anybody().wrap_socket(raw) as client:
            der = client.getpeercert(binary_form=True)
    except (ssl.SSLError, ConnectionError):
        return None
    return subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-text"], input=der,
                          capture_output=True, check=True).stdout.decode()


@pytest.fixture
def make(containerd, tmp_path):
    """Agents with servers: make(field=value, ...) of the configuration."""
    made = []

    def one(name="agent", **config):
        instance = Agent(containerd, BUILD, {"healthzPort": free_port(), "port": free_port(),
                                             "address": LOCAL, "enableServer": True, **config},
                         name=f"{tmp_path.name}-{name}", node=NODE)
        instance.health, instance.port = instance.config["healthzPort"], instance.config["port"]
        instance.pki = instance.directory / "pki"
        instance.flags = ["--cert-dir", instance.pki]
        made.append(instance)
        return instance

    try:
        yield one
        for instance in made:
            instance.stop()
    finally:
        for instance in made:
            instance.kill()


def wait_healthy(agent):
    agent.wait(lambda: is_healthy(agent.health), "/healthz to answer")


# /healthz


def test_health_is_told_once_the_runtime_has_answered(make, containerd):
    agent = make()
    endpoint = containerd.endpoint
    late = agent.directory / "late.sock"
    agent.flags += ["--container-runtime-endpoint", f"unix://{late}"]
    agent.start()
    assert listening(agent.process.pid) == {agent.port}
    with pytest.raises(ConnectionRefusedError):
        ask(agent.health, "/healthz")
    late.symlink_to(endpoint.removeprefix("unix://"))
    wait_healthy(agent)
    assert listening(agent.process.pid) == {agent.port, agent.health}
    assert ask(agent.health, "/healthz/ping") == (200, "ok")
    assert ask(agent.health, "/healthz?verbose") == (200, "[+]ping ok\nhealthz check passed\n")
    for path in ("/", "/healthz/log", "/metrics", "/pods"):
        assert ask(agent.health, path) == (404, "404 page not found\n")
    # That it is gone again is no matter of this agent's health.
    late.unlink()
    assert is_healthy(agent.health)


def test_check_33_health_is_not_that_of_the_api_server(make, server):
    agent = make()
    agent.flags += ["--kubeconfig", server.kubeconfig(agent.directory / "kubeconfig", node=NODE)]
    agent.start()
    wait_healthy(agent)
    server.stop()
    agent.wait(lambda: "cannot connect" in agent.log(), "the server to be missed")
    assert is_healthy(agent.health)


def test_check_34_no_port_of_health(make):
    agent = make(healthzPort=0)
    agent.start()
    agent.wait(lambda: "the container runtime is" in agent.log(), "the runtime to answer")
    assert listening(agent.process.pid) == {agent.port}


def test_a_port_of_health_that_is_taken_is_waited_for(make):
    agent = make()
    with socket.create_server((LOCAL, agent.health)):
        agent.start()
        agent.wait(lambda: "healthzPort (--healthz-port): cannot listen on "
                   f"{LOCAL}:{agent.health}: Address already in use" in agent.log(), "a warning")
    wait_healthy(agent)


def test_clients_that_keep_connections_do_not_make_it_ill(make):
    agent = make()
    agent.start()
    wait_healthy(agent)
    with contextlib.ExitStack() as stack:
        for number in range(40):  # more than there may be
            idle = stack.enter_context(socket.create_connection((LOCAL, agent.health), SECONDS))
            if number % 2:
                idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        began = time.monotonic()
        assert is_healthy(agent.health)
        assert time.monotonic() - began < 1


# the node's API


def test_the_api_says_what_there_is(make):
    agent = make()
    agent.start()
    for path in ("/pods", "/healthz", "/containerLogs/a/b/c", "/nope"):
        status, text = ask(agent.port, path, anybody())
        assert status == 503 and "does not serve the node's API yet" in text
        assert '"nodeagent why"' in text and text.count("\n") == 1


def test_the_agents_own_certificate(make):
    """It is made once."""
    agent = make()
    agent.start()
    served = certificate(agent.port)
    assert f"Subject: CN = {NODE}" in served and f"DNS:{NODE}" in served
    trusting = ssl.create_default_context(cafile=agent.pki / "kubelet.crt")
    with socket.create_connection((LOCAL, agent.port), SECONDS) as raw, \
            trusting.wrap_socket(raw, server_hostname=NODE) as client:
        assert client.version() == "TLSv1.3"
    agent.restart()
    assert certificate(agent.port) == served


def test_without_a_cluster_an_address_must_be_named(make):
    agent = make()
    del agent.config["address"]
    agent.start()
    wait_healthy(agent)
    assert listening(agent.process.pid) == {agent.health}
    assert not agent.pki.exists()


def test_a_port_that_is_taken_ends_it(make):
    agent = make()
    with socket.create_server((LOCAL, agent.port)):
        agent.start(wait=False)
        assert agent.process.wait(SECONDS) == 1
        agent.process = None
    assert (f"address, port (--address, --port): cannot listen on {LOCAL}:{agent.port}: Address "
            "already in use; another agent or program listens there: stop it, or choose another "
            "port") in agent.log()


def test_versions_and_suites(make):
    agent = make(tlsMinVersion="VersionTLS12",
                 tlsCipherSuites=["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"])
    agent.start()
    old = anybody()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    assert ask(agent.port, "/", old)[0] == 503
    old.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    with pytest.raises(ssl.SSLError):
        ask(agent.port, "/", old)
    agent.stop()
    agent.config.update(tlsMinVersion="VersionTLS13")
    agent.start()
    assert ask(agent.port, "/", anybody())[0] == 503
    newest = anybody()
    newest.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        ask(agent.port, "/", newest)


def test_clients_that_say_nothing_hold_up_nobody(make):
    agent = make()
    agent.start()
    wait_healthy(agent)
    with contextlib.ExitStack() as stack:
        for i in range(2, 5):  # each as many as one client may have, all together more than all may
            for _ in range(40):
                stack.enter_context(socket.create_connection(
                    (LOCAL, agent.port), SECONDS, source_address=(f"127.0.0.{i}", 0)))
        assert is_healthy(agent.health)
        assert agent.pods() is not None
        began = time.monotonic()
        client = http.client.HTTPSConnection(LOCAL, agent.port, timeout=30, context=anybody())
        client.request("GET", "/")
        assert client.getresponse().status == 503
        assert time.monotonic() - began < 25  # those who say nothing have ten seconds, twice
        client.close()


@contextlib.contextmanager
def flood(port, source):
    """Connections that are closed at once, as fast as they can be made."""
    over = threading.Event()

    def come_and_go():
        while not over.is_set():
            with contextlib.suppress(OSError):
                socket.create_connection((LOCAL, port), 1, source_address=(source, 0)).close()

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_client_that_comes_and_goes_holds_up_nobody_else(make):
    agent = make()
    agent.start()
    with flood(agent.port, "127.0.0.2"):
        time.sleep(2)
        for _ in range(5):
            assert ask(agent.port, "/", anybody())[0] == 503


# the operator's certificate


def put(authority, name, directory):
    """Writes a pair, atomically, as `node.crt` and `node.key`."""
    pair = authority.issue(name, [], names=[name])
    for path, end in ((pair.key, "key"), (pair.certificate, "crt")):
        part = directory / f".{end}"
        part.write_bytes(path.read_bytes())
        part.rename(directory / f"node.{end}")


def test_files_are_read_again(make, tmp_path):
    authority = Authority(tmp_path)
    put(authority, "first.test", tmp_path)
    agent = make(tlsCertFile=str(tmp_path / "node.crt"),
                 tlsPrivateKeyFile=str(tmp_path / "node.key"))
    agent.start()
    assert "CN = first.test" in certificate(agent.port)
    (tmp_path / "node.crt").write_text("broken")
    agent.wait(lambda: "node.crt" in agent.log() and "warning" in agent.log(),
               "the file to be missed", 60)
    assert "CN = first.test" in certificate(agent.port)
    put(authority, "second.test", tmp_path)
    agent.wait(lambda: "CN = second.test" in certificate(agent.port), "the other certificate", 60)
    assert not (agent.pki / "kubelet.crt").exists()


@pytest.mark.parametrize("what", ["crt", "key"])
def test_files_that_are_none_end_it(make, tmp_path, what):
    put(Authority(tmp_path), "first.test", tmp_path)
    (tmp_path / f"node.{what}").write_text("secret nonsense")
    agent = make(tlsCertFile=str(tmp_path / "node.crt"),
                 tlsPrivateKeyFile=str(tmp_path / "node.key"))
    agent.start(wait=False)
    assert agent.process.wait(SECONDS) == 1
    agent.process = None
    assert f"{tmp_path}/node.{what}" in agent.log() and "secret nonsense" not in agent.log()


# the cluster's certificate


@pytest.fixture
def server(tmp_path):
    place = tmp_path / "cluster"
    place.mkdir()
    with ApiServer(place) as instance:
        yield instance


@pytest.fixture
def member(make, server):
    """Its addresses are what a cloud says."""
    agent = make(serverTLSBootstrap=True)
    agent.flags += ["--kubeconfig", server.kubeconfig(agent.directory / "kubeconfig", node=NODE),
                    "--cloud-provider=external"]
    return agent


def requests_of(server):
    return [csr for csr in server.list("certificatesigningrequests", None)
            if csr["spec"]["signerName"] == SERVING_SIGNER]


def move_to(server, address):
    server.update_status("nodes", NODE, {"addresses": [
        {"type": "Hostname", "address": NODE}, {"type": "InternalIP", "address": address}]})


def wait_served(agent, text):
    def look():
        served = certificate(agent.port)
        return served if served and text in served else None

    return agent.wait(look, f"a certificate with {text}", 60)


def approve(server, address):
    """The request for a certificate with it that nobody has decided on yet."""
    def look():
        return next((csr for csr in requests_of(server)
                     if not csr.get("status", {}).get("conditions")
                     and f"IP:{address}" in subject_of(request_of(csr)).names), None)

    csr = server.wait(look, 30, f"a request for {address}")
    server.approve(csr["metadata"]["name"])
    return csr["spec"]


def test_the_cluster_gives_a_certificate_and_others_for_other_addresses(server, member):
    """Until somebody approves the node does all but serve."""
    member.start()
    server.wait(lambda: is_true(server.get("nodes", NODE), "Ready"), 40, "the node to be ready")
    assert server.get("nodes", NODE)["status"]["daemonEndpoints"] == {
        "kubeletEndpoint": {"Port": member.port}}
    assert certificate(member.port) is None
    move_to(server, "192.0.2.1")
    server.wait(lambda: requests_of(server), 30, "a request")
    assert certificate(member.port) is None
    spec = approve(server, "192.0.2.1")
    assert sorted(spec["usages"]) == ["digital signature", "server auth"]
    assert spec["username"] == f"system:node:{NODE}"
    served = wait_served(member, "IP Address:192.0.2.1")
    assert f"DNS:{NODE}" in served and f"O = system:nodes, CN = system:node:{NODE}" in served
    current = member.pki / "kubelet-server-current.pem"
    assert current.is_symlink() and current.stat().st_mode & 0o777 == 0o600
    move_to(server, "192.0.2.2")
    approve(server, "192.0.2.2")
    wait_served(member, "IP Address:192.0.2.2")
    # The next start has it at once.
    member.restart()
    assert "IP Address:192.0.2.2" in certificate(member.port)


def test_the_clusters_certificate_is_replaced_in_time(server, member):
    server.signing_dates = {"not_before": -100, "not_after": 20}  # due within 8 s at the latest
    member.start()
    server.wait(lambda: server.get("nodes", NODE), 40, "the node")
    move_to(server, "192.0.2.1")
    approve(server, "192.0.2.1")
    first = wait_served(member, "IP Address:192.0.2.1")
    server.signing_dates = {}
    approve(server, "192.0.2.1")
    member.wait(lambda: certificate(member.port) != first, "another certificate", 60)


def test_by_default_a_member_serves_with_its_own(make, server):
    agent = make()
    agent.flags += ["--kubeconfig", server.kubeconfig(agent.directory / "kubeconfig", node=NODE)]
    agent.start()
    server.wait(lambda: is_true(server.get("nodes", NODE), "Ready"), 40, "the node to be ready")
    assert f"Subject: CN = {NODE}" in certificate(agent.port)
    assert requests_of(server) == []


def test_checks_30_and_33_health_is_no_matter_of_the_cluster(make, server):
    """It is told before there is a client certificate, and after the API server has gone."""
    server.auto_approve = False
    agent = make(rotateCertificates=True)
    agent.flags += ["--kubeconfig", agent.directory / "kubelet.conf", "--bootstrap-kubeconfig",
                    server.kubeconfig(agent.directory / "bootstrap.conf", token=BOOTSTRAP_TOKEN)]
    agent.start()
    wait_healthy(agent)
    assert server.get("nodes", NODE) is None
    assert (agent.directory / "kubelet.conf").exists()
    [csr] = server.wait(lambda: server.list("certificatesigningrequests", None), 10, "the request")
    server.approve(csr["metadata"]["name"])
    server.wait(lambda: server.get("nodes", NODE), 40, "the node")
    server.stop()
    assert is_healthy(agent.health)
