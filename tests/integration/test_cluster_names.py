"""A node whose name means an address that is not its default route's."""

import contextlib
import subprocess

import pytest

from agent import Agent
from api_server import ApiServer
from clusters import NODE, bound, wait_node, wait_ready
from conftest import BUILD
from specs import pod, staying

INTERFACE = "natest-name"
ADDRESS = "192.0.2.77"


def ip(*arguments, check=True):
    subprocess.run(["ip", *arguments], check=check, capture_output=True)


@pytest.fixture
def address():
    """On an interface that leads nowhere."""
    ip("link", "delete", INTERFACE, check=False)
    ip("link", "add", INTERFACE, "type", "bridge")
    try:
        ip("address", "add", f"{ADDRESS}/32", "dev", INTERFACE)
        ip("link", "set", INTERFACE, "up")
        yield ADDRESS
    finally:
        ip("link", "delete", INTERFACE)


@contextlib.contextmanager
def with_hosts(containerd, server, text):
    """An agent that has a hosts file of its own."""
    agent = Agent(containerd, BUILD)
    hosts = agent.directory / "hosts"
    hosts.write_text(text)
    agent.by = ["unshare", "--mount", "--propagation", "slave", "sh", "-c",
                f'mount --bind {hosts} /etc/hosts && exec "$0" "$@"']
    agent.flags = ["--kubeconfig", server.kubeconfig(agent.directory / "kubeconfig", node=NODE)]
    try:
        agent.start()
        yield agent
        agent.stop()
    finally:
        agent.kill()


def internal(node):
    return [item["address"] for item in node["status"]["addresses"]
            if item["type"] == "InternalIP"]


def test_the_node_has_the_address_of_its_name(containerd, tmp_path, address):
    """And so have its pods; the first thing that is said of it is right."""
    text = f"127.0.0.1 localhost\n{address} {NODE}\n"
    with ApiServer(tmp_path) as server, with_hosts(containerd, server, text) as agent:
        assert internal(wait_node(server)) == [address]
        bound(server, agent, "web", staying(), hostNetwork=True)
        status = wait_ready(server, "web")["status"]
        assert status["hostIP"] == status["podIP"] == address
        told = [record.json["status"] for record in server.requests(None, r"/nodes(/node/status)?$")
                if record.method in ("POST", "PATCH")]
        assert [internal({"status": status}) for status in told if "addresses" in status] == [
            [address]]


def test_static_pods_have_it_without_an_api_server(containerd, tmp_path, address):
    """The server's own may be among them."""
    text = f"127.0.0.1 localhost\n{address} {NODE}\n"
    with ApiServer(tmp_path) as server:
        server.stop()
        with with_hosts(containerd, server, text) as agent:
            agent.add(pod("first", staying(), agent=agent, hostNetwork=True))
            agent.wait_phase("first", "Running")
            [status] = [item["status"] for item in agent.ps()]
            assert status["hostIPs"] == status["podIPs"] == [{"ip": address}]
            server.start()  # nothing ends before all is known that is to run
            agent.remove("first")
            agent.wait_gone("first")
