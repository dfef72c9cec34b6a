"""Rates of pods, measured: kubernetes.io/ingress-bandwidth and egress-bandwidth, as the runtime
hands them on."""

import subprocess

import pytest

from test_cni_chain import BANDWIDTH, bridge, network

BYTES = 1 << 20
RATE = 8_000_000  # bits a second: a little more than a second
BURST = 256_000  # and 32 ms at once; what runtimes allow would be all of it

# Answers when it has received everything, or sends everything.
SERVER = """
import socket
server = socket.create_server(("", 80))
print("ready", flush=True)
while True:
    with server.accept()[0] as client:
        if client.recv(1) == b"g":
            client.sendall(bytes({bytes}))
        else:
            left = {bytes}
            while left:
                left -= len(client.recv(65536))
            client.sendall(b".")
"""

# Prints how long that took.
CLIENT = """
import socket, time
with socket.create_connection(("{address}", 80), timeout=60) as client:
    began = time.monotonic()
    client.sendall(b"g" if "{way}" == "egress" else b"p" + bytes({bytes}))
    left = {bytes} if "{way}" == "egress" else 1
    while left:
        left -= len(client.recv(65536))
    print(time.monotonic() - began)
"""


def serve(node, pod):
    server = subprocess.Popen(["nsenter", f"--net={node.pod_path(pod)}", "/usr/bin/python3", "-ISc",
                               SERVER.format(bytes=BYTES)], stdout=subprocess.PIPE, text=True)
    assert server.stdout.readline() == "ready\n"
    return server


def seconds(node, pod, way):
    address, = node.addresses(node.pod_path(pod))
    return float(node.inside(node.pod_path("client"), "/usr/bin/python3", "-ISc",
                             CLIENT.format(address=address, way=way, bytes=BYTES)))


@pytest.mark.parametrize("way", ["ingress", "egress"])
def test_check_32_a_rate_is_kept(node, way):
    node.configure("10-net.conflist", network(bridge(node), BANDWIDTH))
    node.add("client")
    node.add("free")
    # The other way has none: a pod that asks for one gets one.
    node.add("limited", runtimeConfig={"bandwidth": {
        f"{way.capitalize()}Rate": RATE, f"{way.capitalize()}Burst": BURST}})
    servers = []
    try:
        servers += [serve(node, "free"), serve(node, "limited")]
        limited, free = seconds(node, "limited", way), seconds(node, "free", way)
        other = seconds(node, "limited", "egress" if way == "ingress" else "ingress")
    finally:
        for server in servers:
            server.kill()
            server.communicate()
    assert 0.8 * 8 * BYTES / RATE < limited < 20 * 8 * BYTES / RATE
    assert free < limited / 5 and other < limited / 5
    for pod in ("client", "free", "limited"):
        node.delete(pod)
    assert node.leftovers() == []
