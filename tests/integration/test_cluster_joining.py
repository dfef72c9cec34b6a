"""How a node joins a cluster: with a token for its first certificate, which it has replaced in time."""

import datetime
import os
import stat
import subprocess
import time

import pytest

from agent import Agent
from api_server import BOOTSTRAP_TOKEN
from clusters import is_true, wait_pod
from conftest import BUILD
from specs import pod, staying

NODE = "joining"
CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client-kubelet"


@pytest.fixture
def agent(containerd, server, tmp_path):
    """It has nothing but a kubeconfig with a token."""
    instance = Agent(containerd, BUILD, {"rotateCertificates": True}, name=tmp_path.name, node=NODE)
    instance.pki = instance.directory / "pki"
    instance.flags = ["--kubeconfig", instance.directory / "kubelet.conf",
                      "--bootstrap-kubeconfig", server.kubeconfig(
                          instance.directory / "bootstrap.conf", token=BOOTSTRAP_TOKEN),
                      "--cert-dir", instance.pki]
    try:
        yield instance
        instance.stop()
    finally:
        instance.kill()


def is_ready(server):
    return is_true(server.get("nodes", NODE), "Ready")


def requests_for_certificates(server):
    return server.list("certificatesigningrequests", None)


def lasts(agent):
    """How many seconds the certificate in use is good for."""
    end = subprocess.run(["openssl", "x509", "-noout", "-enddate", "-in",
                          agent.pki / "kubelet-client-current.pem"],
                         capture_output=True, text=True, check=True).stdout.strip()
    until = datetime.datetime.strptime(end, "notAfter=%b %d %H:%M:%S %Y %Z")
    return (until - datetime.datetime.utcnow()).total_seconds()


def test_check_48_a_token_is_enough(server, agent):
    agent.start()
    server.wait(lambda: is_ready(server), 40, "the node to be ready")
    [csr] = requests_for_certificates(server)
    assert csr["spec"]["signerName"] == CLIENT_SIGNER
    assert sorted(csr["spec"]["usages"]) == ["client auth", "digital signature"]
    assert csr["spec"]["username"].startswith("system:bootstrap:")
    current = agent.pki / "kubelet-client-current.pem"
    assert current.is_symlink() and stat.S_IMODE(os.stat(current).st_mode) == 0o600
    subject = subprocess.run(["openssl", "x509", "-noout", "-subject", "-in", current],
                             capture_output=True, text=True, check=True).stdout
    assert f"CN = system:node:{NODE}" in subject and "O = system:nodes" in subject
    assert stat.S_IMODE(os.stat(agent.directory / "kubelet.conf").st_mode) == 0o600
    [post] = server.requests("POST", r"/api/v1/nodes$")
    assert post.user == f"system:node:{NODE}"
    # The next start asks for nothing, and needs no token.
    (agent.directory / "bootstrap.conf").unlink()
    agent.restart()
    server.wait_request("WATCH", r"/api/v1/nodes", count=2)
    assert len(requests_for_certificates(server)) == 1


def warnings(agent):
    return [line for line in agent.log(1 << 20).splitlines() if " warning " in line]


def test_joining_is_no_trouble(server, agent):
    """Who has no certificate yet asks for one, and for nothing else."""
    server.auto_approve = False
    agent.start()
    [csr] = server.wait(lambda: requests_for_certificates(server), 10, "the request")
    time.sleep(2)
    server.approve(csr["metadata"]["name"])
    server.wait(lambda: is_ready(server), 5, "the node to be ready")
    assert not [record for record in server.requests() if record.user == "system:anonymous"]
    assert warnings(agent) == []


def test_renewals_are_no_trouble(server, agent):
    """Not even to watches that have told nothing between two of them."""
    server.signing_dates = {"not_before": -100, "not_after": 20}
    agent.start()
    server.wait(lambda: is_ready(server), 40, "the node to be ready")
    server.wait(lambda: len([record for record in server.requests("WATCH", "/api/v1/nodes")
                             if record.code == 200]) >= 4, 60, "three renewals")
    assert not [line for line in warnings(agent) if "given up" in line]


def test_check_48_nobody_approves(server, agent):
    """Until somebody does, static pods run, and the agent says what it waits for."""
    server.auto_approve = False
    agent.start()
    agent.add(pod("static", staying(), agent=agent))
    agent.wait_ready("static")
    [csr] = server.wait(lambda: requests_for_certificates(server), 10, "the request")
    assert server.get("nodes", NODE) is None
    server.approve(csr["metadata"]["name"])
    server.wait(lambda: is_ready(server), 40, "the node to be ready")
    agent.remove("static")
    agent.wait_gone()


def test_check_49_a_certificate_is_replaced_in_time(server, agent):
    server.signing_dates = {"not_before": -100, "not_after": 20}  # due within 8 s at the latest
    agent.start()
    server.wait(lambda: is_ready(server), 40, "the node to be ready")
    server.signing_dates = {}
    server.wait(lambda: lasts(agent) > 300, 30, "a certificate that lasts")
    server.create({"kind": "Pod", "metadata": {"name": "web"},
                   "spec": pod("web", staying())["spec"]})
    server.bind("web", NODE)
    wait_pod(server, "web", lambda found: is_true(found, "Ready"), "to be ready", 40)
    assert {csr["spec"]["username"] for csr in requests_for_certificates(server)} == {
        "system:bootstrap:tests", f"system:node:{NODE}"}
    server.delete_pod("web")
    server.wait(lambda: server.get("pods", "web") is None, 30, "the pod to go")


def test_without_either_there_is_no_start(server, agent):
    (agent.directory / "bootstrap.conf").unlink()
    agent.start(wait=False)
    assert agent.process.wait(20) == 1
    agent.process = None
    assert "kubelet.conf" in agent.log() and "bootstrap" in agent.log()
