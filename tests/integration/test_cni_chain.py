"""nodeagent-cni with Debian's plugins, on a node that is a network namespace of the test's."""

import concurrent.futures
import json
import signal
import subprocess
import time

import pytest

import cni


def bridge(node, *subnets, **more):
    return {"type": "bridge", "bridge": "br0", "isGateway": True, "hairpinMode": True,
            "ipam": node.host_local(*(subnets or ["10.1.0.0/24"])), **more}


PORTMAP = {"type": "portmap", "capabilities": {"portMappings": True}}
BANDWIDTH = {"type": "bandwidth", "capabilities": {"bandwidth": True}}
PORTS = [{"HostPort": 8080, "ContainerPort": 80, "Protocol": "tcp", "HostIP": ""},
         {"HostPort": 8080, "ContainerPort": 53, "Protocol": "udp", "HostIP": ""}]
RATES = {"IngressRate": 8000000, "IngressBurst": 4294967295,
         "EgressRate": 16000000, "EgressBurst": 4294967295}


def network(*plugins, name="net", version="1.0.0", **more):
    return {"cniVersion": version, "name": name, "plugins": list(plugins), **more}


def test_check_17_a_pod_comes_and_goes(node):
    node.configure("10-net.conflist", network(bridge(node)))
    result = node.add()
    assert result["cniVersion"] == "1.0.0"
    assert [entry["address"] for entry in result["ips"]] == ["10.1.0.2/24"]
    assert node.addresses(node.pod_path("pod")) == ["10.1.0.2"]
    assert node.reserved() == ["10.1.0.2"]
    assert node.records() == ["net-pod-eth0"]
    told = node.told()
    assert (told["verb"], told["network"], told["addresses"]) == ("ADD", "net", ["10.1.0.2"])
    assert [step["type"] for step in told["plugins"]] == ["bridge"]
    node.inside(node.pod_path("pod"), "busybox", "ping", "-c1", "-W2", "10.1.0.1")
    assert node.call("CHECK") is None
    assert node.call("STATUS") is None
    node.delete()
    assert "eth0" not in node.links(node.pod_path("pod"))
    assert node.leftovers() == []
    node.delete()
    node.delete()


def test_a_missing_interface_fails_its_check(node):
    node.configure("10-net.conflist", network(bridge(node)))
    node.add()
    node.inside(node.pod_path("pod"), "ip", "addr", "flush", "dev", "eth0")
    assert 'plugin type="bridge" name="net" failed (check)' in node.call("CHECK")["msg"]
    node.delete()
    assert node.leftovers() == []


def test_checks_12_and_18_four_plugins_two_families_ports_and_rates(node):
    node.configure("10-net.conflist", network(
        bridge(node, "10.1.0.0/24", "fd01::/64", ipMasq=True),
        {"type": "tuning", "mac": "02:00:00:00:00:07"}, PORTMAP, BANDWIDTH))
    result = node.add(runtimeConfig={"portMappings": PORTS, "bandwidth": RATES, "dns": {}})
    assert [entry["address"] for entry in result["ips"]] == ["10.1.0.2/24", "fd01::2/64"]
    pod = node.pod_path("pod")
    assert node.addresses(pod) == ["10.1.0.2", "fd01::2"]
    assert node.links(pod)["eth0"]["address"] == "02:00:00:00:00:07"
    rules = "\n".join(node.rules("--dport 8080"))
    assert "-p tcp" in rules and "-p udp" in rules and "10.1.0.2:80" in rules
    shaped = node.inside(node.host, "tc", "qdisc")
    assert "tbf" in shaped and "rate 8Mbit" in shaped and "rate 16Mbit" in shaped
    node.delete()
    assert node.leftovers() == []
    assert node.rules("8080") == []


# Says its name to whoever asks by TCP or UDP.
SERVER = """
import socket, threading
tcp, udp = socket.create_server(("", 80)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("", 53))
def answer():
    while True:
        udp.sendto(b"udp {name}", udp.recvfrom(64)[1])
threading.Thread(target=answer, daemon=True).start()
print("ready", flush=True)
while True:
    with tcp.accept()[0] as client:
        client.sendall(b"tcp {name}")
"""

CLIENT = """
import socket
with socket.create_connection(("{address}", {tcp}), timeout=5) as client:
    print(client.recv(64).decode())
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
    client.settimeout(5)
    client.sendto(b"?", ("{address}", {udp}))
    print(client.recv(64).decode())
"""


def ask(node, namespace, address, tcp, udp):
    return node.inside(namespace, "/usr/bin/python3", "-ISc",
                       CLIENT.format(address=address, tcp=tcp, udp=udp)).split("\n")[:2]


def test_pods_are_reached_by_pods_the_node_and_its_ports(node):
    node.configure("10-net.conflist", network(bridge(node, ipMasq=True), PORTMAP))
    node.add("server", runtimeConfig={"portMappings": PORTS})
    node.add("client")
    server = subprocess.Popen(
        ["nsenter", f"--net={node.pod_path('server')}", "/usr/bin/python3", "-ISc",
         SERVER.replace("{name}", "server")], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout.readline() == "ready\n"
        said = ["tcp server", "udp server"]
        assert ask(node, node.pod_path("client"), "10.1.0.2", 80, 53) == said
        assert ask(node, node.host, "10.1.0.2", 80, 53) == said
        assert ask(node, node.host, "10.1.0.1", 8080, 8080) == said
        assert ask(node, node.pod_path("client"), "10.1.0.1", 8080, 8080) == said
        node.delete("server")
        with pytest.raises(subprocess.CalledProcessError):
            ask(node, node.host, "10.1.0.1", 8080, 8080)
    finally:
        server.kill()
        server.communicate()
    node.delete("client")
    assert node.leftovers() == []


def test_check_20_the_final_result_is_checked(node):
    """tuning changed what bridge had said."""
    node.configure("10-net.conflist",
                   network(bridge(node), {"type": "tuning", "mac": "02:00:00:00:00:07"}))
    node.add()
    assert node.call("CHECK") is None


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("how", ["exit 1", "echo '{\"code\":11,\"msg\":\"later\"}'; exit 1",
                                 "echo garbage", "head -c 1000000 /dev/zero", "kill -9 $$"])
def test_checks_10_and_35_a_plugin_that_fails_leaves_nothing(node, place, how):
    plugins = [bridge(node, ipMasq=True), PORTMAP]
    plugins.insert(place, {"type": "broken"})
    node.plugin("broken", f"#!/bin/sh\n[ $CNI_COMMAND = DEL ] && exit 0\n{how}\n")
    node.configure("10-net.conflist", network(*plugins))
    node.pod("pod")
    failure = node.call("ADD", runtimeConfig={"portMappings": PORTS})
    assert 'plugin type="broken" name="net" failed (add)' in failure["msg"]
    assert failure["code"] == 11 if "later" in how else failure["code"] in (6, 999)
    assert node.told()["failure"]["plugin"] == "broken"
    assert "eth0" not in node.links(node.pod_path("pod"))
    assert node.leftovers() == []
    node.delete()


def test_check_34_a_plugin_that_hangs_is_ended_and_undone(node):
    node.plugin("slow", "#!/bin/sh\n[ $CNI_COMMAND = DEL ] || sleep 1000\n")
    node.configure("10-net.conflist", network(bridge(node), {"type": "slow"}))
    node.pod("pod")
    began = time.monotonic()
    failure = node.call("ADD", timeLimitSeconds=1)
    assert time.monotonic() - began < 30
    assert failure["code"] == 11
    assert "did not end within 1.0 s and was killed" in failure["msg"]
    assert node.leftovers() == []


def test_no_address_is_left_over_when_there_is_none(node):
    """The bridge plugin leaves its interface behind then."""
    node.configure("10-net.conflist", network(bridge(node, "10.1.0.0/30")))
    node.add("first")
    node.pod("second")
    for _ in range(2):
        assert "no IP addresses available in range set" in node.call("ADD", "second")["msg"]
        assert "eth0" not in node.links(node.pod_path("second"))
    assert node.reserved() == ["10.1.0.2"]
    node.delete("first")
    assert node.add("second")["ips"][0]["address"] == "10.1.0.2/30"
    node.delete("second")
    assert node.leftovers() == []


@pytest.mark.parametrize("how", ["unmounted", "gone", "not given"])
def test_checks_15_and_16_a_namespace_that_is_gone(node, how):
    node.configure("10-net.conflist", network(bridge(node)))
    node.add()
    pod = node.pod_path("pod")
    cni.run("umount", pod)
    if how == "gone":
        pod.unlink()
    node.delete(netns="" if how == "not given" else None)
    assert node.leftovers() == []
    assert not pod.exists()


def test_check_42_the_network_is_replaced_while_pods_run(node):
    node.configure("10-net.conflist", network(bridge(node)))
    node.add("old")
    node.configure("05-new.conflist", network(
        bridge(node, "10.2.0.0/24", bridge="br1"), name="new"))
    assert node.add("new")["ips"][0]["address"] == "10.2.0.2/24"
    (node.directory / "conf" / "10-net.conflist").unlink()
    node.delete("old")
    assert node.reserved() == ["10.2.0.2"]
    (node.directory / "conf" / "05-new.conflist").unlink()
    node.delete("new")
    assert node.leftovers() == []
    assert node.call("STATUS")["code"] == 50


def test_a_wrong_file_is_named_and_the_next_one_counts(node):
    node.configure("00-bad.conflist", '{"name": "bad",\n "plugins": []}')
    node.configure("10-net.conf", {"cniVersion": "0.3.1", "name": "net", **bridge(node)})
    result = node.add()
    assert result["ips"][0]["address"] == "10.1.0.2/24"
    assert node.told()["problems"] == [
        f"{node.directory}/conf/00-bad.conflist:2:13: plugins must be a list of at least one "
        "plugin"]
    node.delete()
    assert node.leftovers() == []


def test_check_39_killed_in_the_middle(node):
    """What the plugins did until then is on record, and undone by the DEL that follows."""
    node.plugin("hangs", "#!/bin/sh\n[ $CNI_COMMAND = DEL ] || exec sleep 1000\n")
    node.configure("10-net.conflist", network(bridge(node), {"type": "hangs"}))
    pod = node.pod("pod")
    process = node.start("ADD")
    deadline = time.monotonic() + 60
    while not ("eth0" in node.links(pod) and node.reserved()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert node.records() == ["net-pod-eth0"]
    (node.directory / "conf" / "10-net.conflist").unlink()
    node.delete()
    assert "eth0" not in node.links(pod)
    assert node.leftovers() == []


def test_check_45_many_at_once_get_an_address_each(node):
    node.configure("10-net.conflist", network(bridge(node), PORTMAP))
    names = [f"pod-{number}" for number in range(100)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        results = list(pool.map(node.add, names))
        assert len({result["ips"][0]["address"] for result in results}) == len(names)
        assert len(node.reserved()) == len(node.records()) == len(names)
        list(pool.map(node.delete, names))
    assert node.leftovers() == []


def test_check_24_collecting(node):
    node.configure("10-net.conflist", network(bridge(node, ipMasq=True)))
    for name in ("one", "two", "three"):
        node.add(name)
    assert node.call("GC")["code"] == 7
    assert len(node.reserved()) == 3
    valid = [{"containerID": "two", "ifname": "eth0"}]
    assert node.call("GC", **{"cni.dev/valid-attachments": valid}) is None
    assert node.records() == ["net-two-eth0"]
    assert node.reserved() == ["10.1.0.3"]
    node.delete("two")
    assert node.leftovers() == []


def test_check_23_a_collection_waits_for_what_is_at_work(node):
    log = node.directory / "run" / "log"
    node.plugin("slow", f"#!/bin/sh\necho begin $CNI_COMMAND >>{log}\n"
                        "[ $CNI_COMMAND != ADD ] || { sleep 1; echo '{}'; }\n"
                        f"echo end $CNI_COMMAND >>{log}\n")
    node.configure("10-net.conflist", network({"type": "slow"}, version="1.1.0"))
    node.pod("one")
    process = node.start("ADD", "one")
    while not log.exists():
        time.sleep(0.01)
    node.call("GC", **{"cni.dev/valid-attachments": [{"containerID": "one", "ifname": "eth0"}]})
    process.communicate()
    assert log.read_text().splitlines() == ["begin ADD", "end ADD", "begin GC", "end GC"]
    assert node.records() == ["net-one-eth0"]


def test_the_built_in_network(node):
    allowed = {"subnets": ["10.3.0.0/24", "fd03::/64"], "bridge": "nat0"}
    node.pod("pod")
    failure = node.call("ADD")
    assert failure["code"] == 11 and "no network is configured in" in failure["msg"]
    result = node.add(builtIn=allowed, runtimeConfig={"portMappings": PORTS})
    pod = node.pod_path("pod")
    try:
        assert [entry["address"] for entry in result["ips"]] == ["10.3.0.2/24", "fd03::2/64"]
        assert node.addresses(pod) == ["10.3.0.2", "fd03::2"]
        assert "default via 10.3.0.1" in node.inside(pod, "ip", "route")
        assert "default via fd03::1" in node.inside(pod, "ip", "-6", "route")
        assert node.rules("--dport 8080")
        assert (node.directory / "cache/networks/nodeagent-built-in/10.3.0.2").exists()
    finally:
        node.delete(builtIn=allowed)
    assert not (node.directory / "cache/networks/nodeagent-built-in/10.3.0.2").exists()
    assert node.leftovers() == []


def test_the_record_is_libcnis(node):
    """The record is what containerd's own library would have written and can take over."""
    node.configure("10-net.conflist", network(bridge(node)))
    result = node.add(runtimeConfig={"portMappings": PORTS})
    record = json.loads((node.directory / "cache/results/net-pod-eth0").read_text())
    assert {name: record[name] for name in (
        "kind", "containerId", "ifName", "networkName", "netns", "cniArgs", "capabilityArgs",
        "result")} == {
            "kind": "cniCacheV1", "containerId": "pod", "ifName": "eth0", "networkName": "net",
            "netns": str(node.pod_path("pod")),
            "cniArgs": [["IgnoreUnknown", "1"], ["K8S_POD_NAMESPACE", "default"],
                        ["K8S_POD_NAME", "pod"]],
            "capabilityArgs": {"portMappings": PORTS}, "result": result}
