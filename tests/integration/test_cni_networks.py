"""Configurations shaped like those of networks in the field drive plugins of the same names, which
write down what they get. What a plugin's author wrote reaches it untouched."""

import json

import pytest

RESULT_0_3_1 = {
    "cniVersion": "0.3.1",
    "interfaces": [{"name": "eth0", "mac": "02:00:00:00:00:01", "sandbox": "/var/run/netns/x"}],
    "ips": [{"version": "4", "interface": 0, "address": "10.244.1.7/24",
             "gateway": "10.244.1.1"}],
    "routes": [{"dst": "10.244.0.0/16"}, {"dst": "0.0.0.0/0", "gw": "10.244.1.1"}], "dns": {}}

# AWS keeps numbers of its own in an interface that does not exist.
RESULT_AWS = {
    "cniVersion": "0.4.0",
    "interfaces": [{"name": "eni0a1b2c3d4e5"}, {"name": "eth0", "sandbox": "/var/run/netns/x"},
                   {"name": "dummy0a1b2c3d4e5", "mac": "0", "sandbox": "2"}],
    "ips": [{"version": "4", "interface": 1, "address": "192.168.7.9/32"}], "dns": {}}

FLANNEL = {
    "name": "cbr0", "cniVersion": "0.3.1", "plugins": [
        {"type": "flannel", "delegate": {"hairpinMode": True, "isDefaultGateway": True}},
        {"type": "portmap", "capabilities": {"portMappings": True}}]}

CALICO = {
    "name": "k8s-pod-network", "cniVersion": "0.3.1", "plugins": [
        {"type": "calico", "log_level": "info", "log_file_path": "/var/log/calico/cni/cni.log",
         "datastore_type": "kubernetes", "nodename": "node-1", "mtu": 0,
         "ipam": {"type": "calico-ipam"}, "policy": {"type": "k8s"},
         "kubernetes": {"kubeconfig": "/etc/cni/net.d/calico-kubeconfig"}},
        {"type": "portmap", "snat": True, "capabilities": {"portMappings": True}},
        {"type": "bandwidth", "capabilities": {"bandwidth": True}}]}

CILIUM = {
    "cniVersion": "0.3.1", "name": "cilium", "plugins": [
        {"type": "cilium-cni", "enable-debug": False, "log-file": "/var/run/cilium/cni.log"}]}

KINDNET = {
    "cniVersion": "0.3.1", "name": "kindnet", "plugins": [
        {"type": "ptp", "ipMasq": False, "mtu": 1500, "ipam": {
            "type": "host-local", "dataDir": "/run/cni-ipam-state",
            "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}],
            "ranges": [[{"subnet": "10.244.1.0/24"}], [{"subnet": "fd00:10:244:1::/64"}]]}},
        {"type": "portmap", "capabilities": {"portMappings": True}}]}

AWS = {
    "cniVersion": "0.4.0", "name": "aws-cni", "disableCheck": True, "plugins": [
        {"name": "aws-cni", "type": "aws-cni", "vethPrefix": "eni", "mtu": "9001",
         "podSGEnforcingMode": "strict", "pluginLogFile": "/var/log/aws-routed-eni/plugin.log",
         "capabilities": {"io.kubernetes.cri.pod-annotations": True}},
        {"name": "egress-cni", "type": "egress-cni", "mtu": "9001", "enabled": "false",
         "randomizeSNAT": "prng", "nodeIP": "", "ipam": {
             "type": "host-local", "ranges": [[{"subnet": "fd00::ac:00/118"}]],
             "routes": [{"dst": "::/0"}], "dataDir": "/run/cni/v4pd/egress-v6-ipam"}},
        {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True}]}

NETWORKS = {
    "10-flannel.conflist": (FLANNEL, RESULT_0_3_1),
    "10-calico.conflist": (CALICO, RESULT_0_3_1),
    "05-cilium.conflist": (CILIUM, RESULT_0_3_1),
    "10-kindnet.conflist": (KINDNET, RESULT_0_3_1),
    "10-aws.conflist": (AWS, RESULT_AWS),
}

# As containerd writes them, and some that nobody here asks for.
RUNTIME = {
    "portMappings": [{"HostPort": 8080, "ContainerPort": 80, "Protocol": "tcp", "HostIP": ""}],
    "bandwidth": {"IngressRate": 10000000, "IngressBurst": 4294967295,
                  "EgressRate": 0, "EgressBurst": 0},
    "io.kubernetes.cri.pod-annotations": {"a/b": "c"},
    "dns": {"Servers": None, "Searches": ["x"], "Options": []},
    "cgroupPath": "/kubepods/x",
}


def request_for(network, plugin, previous):
    """What the specification says the plugin gets."""
    wanted = {name for name, on in plugin.get("capabilities", {}).items() if on}
    runtime = {name: value for name, value in RUNTIME.items() if name in wanted}
    return {**plugin, "cniVersion": network["cniVersion"], "name": network["name"],
            **({"runtimeConfig": runtime} if runtime else {}),
            **({"prevResult": previous} if previous else {})}


@pytest.mark.parametrize("file", NETWORKS)
def test_checks_30_36_and_40_what_plugins_of_the_field_get(node, file):
    network, result = NETWORKS[file]
    types = [plugin["type"] for plugin in network["plugins"]]
    for name in types:
        node.recorder(name)
    node.recorder(types[0], result)
    node.configure(file, network)
    answer = node.add(runtimeConfig=RUNTIME, cniVersion=network["cniVersion"])
    assert answer == result
    node.call("CHECK")
    # The network was changed meanwhile; DEL is about what was added.
    node.configure(file, {**network, "plugins": [{"type": "another"}]})
    node.delete(runtimeConfig={})
    calls = node.calls()
    checked = [] if network["cniVersion"] == "0.3.1" or network.get("disableCheck") else types
    assert [(call["type"], call["verb"]) for call in calls] == (
        [(name, "ADD") for name in types] + [(name, "CHECK") for name in checked]
        + [(name, "DEL") for name in reversed(types)])
    plugins = {plugin["type"]: plugin for plugin in network["plugins"]}
    for index, call in enumerate(calls):
        previous = result if index and call["verb"] == "ADD" else None
        if call["verb"] == "DEL" and network["cniVersion"] != "0.3.1":
            previous = result
        assert call["stdin"] == request_for(network, plugins[call["type"]], previous)
        environment = call["environment"]
        assert set(environment) - {"LC_CTYPE"} == {
            "CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS", "CNI_PATH",
            "PATH"}
        assert environment["CNI_NETNS"] == str(node.pod_path("pod"))
        assert environment["CNI_ARGS"].endswith(";K8S_POD_NAME=pod")
    assert node.records() == []


def test_check_13_numbers_reach_the_plugin_digit_for_digit(node):
    node.recorder("plugin", {"ips": [{"address": "10.1.2.3/24"}]})
    node.configure("10-net.conflist", '{"cniVersion": "1.0.0", "name": "net", "plugins": ['
                                      '{"type": "plugin", "big": 12345678901234567890,'
                                      ' "one": 1.0, "tiny": 1e-7}]}')
    node.add()
    assert '"big":12345678901234567890,"one":1.0,"tiny":1e-7' in node.calls()[0]["text"]


def test_newer_and_older_results_in_one_chain(node):
    """The one is handed to the other as it is; the runtime gets what it asked for."""
    old = {"cniVersion": "0.3.1", "ips": [{"version": "4", "address": "10.1.2.3/24"}], "dns": {}}
    node.recorder("old", old)
    node.recorder("echo")
    node.configure("10-net.conflist", {"cniVersion": "1.0.0", "name": "net", "plugins": [
        {"type": "old"}, {"type": "echo"}]})
    assert node.add() == {"cniVersion": "1.0.0", "dns": {}, "ips": [{"address": "10.1.2.3/24"}]}
    assert node.calls()[1]["stdin"]["prevResult"] == old
    node.delete()
    assert node.calls()[2]["stdin"]["prevResult"] == {
        "cniVersion": "1.0.0", "dns": {}, "ips": [{"address": "10.1.2.3/24"}]}


def test_check_04_plugins_in_a_directory_of_their_own(node):
    """Service meshes put theirs there."""
    node.recorder("main", {"ips": [{"address": "10.1.2.3/24"}]})
    node.recorder("mesh")
    folder = node.directory / "conf" / "net"
    folder.mkdir()
    (folder / "50-mesh.conf").write_text(json.dumps({"type": "mesh", "level": 7}))
    node.configure("10-net.conflist", {"cniVersion": "1.0.0", "name": "net", "plugins": [
        {"type": "main"}]})
    node.add()
    (folder / "50-mesh.conf").unlink()
    node.delete()
    assert [(call["type"], call["verb"]) for call in node.calls()] == [
        ("main", "ADD"), ("mesh", "ADD"), ("mesh", "DEL"), ("main", "DEL")]
    assert node.calls()[2]["stdin"]["level"] == 7
