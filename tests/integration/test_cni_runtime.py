"""nodeagent-cni between a real containerd and its network, and containerd's own records."""

import json
import pathlib
import shutil

import pytest

import places
import runtime
from conftest import BUILD

CLIENT = BUILD / "tests" / "bench" / "cri-client"
HOST = pathlib.Path("/proc/self/ns/net")


def put_between(containerd, node):
    """containerd calls nodeagent-cni, which finds what containerd had."""
    programs = containerd.directory / "bin"
    programs.mkdir()
    for plugin in runtime.CNI_PROGRAMS.iterdir():
        (programs / plugin.name).symlink_to(plugin)
    (programs / "nodeagent-cni").symlink_to(BUILD / "cni" / "nodeagent-cni")
    config = containerd.directory / "config.toml"
    config.write_text(config.read_text().replace(f'"{runtime.CNI_PROGRAMS}"', f'"{programs}"'))
    real = containerd.directory / "cni/conf/10-bridge.conflist"
    node.configure(real.name, real.read_text())
    real.unlink()
    capabilities = {name: True for name in ("portMappings", "bandwidth", "dns", "cgroupPath")}
    real.with_name("00-nodeagent.conflist").write_text(json.dumps({
        "cniVersion": "1.0.0", "name": f"{places.bridge(containerd.directory)}-own", "plugins": [
            {"type": "nodeagent-cni", "capabilities": capabilities, **node.members()}]}))
    containerd.restart()


@pytest.mark.parametrize("version", ["1.6", "2"])
def test_pods_of_containerd(node, version):
    with runtime.private(version) as containerd:
        put_between(containerd, node)
        containerd.run_pods(CLIENT, "--pods=5", "--flight=5")
        assert containerd.leftovers() == []
        assert node.records() == []
        told = node.told()
        assert (told["verb"], told["network"]) == ("DEL", places.bridge(containerd.directory))
        containerd.run_pods(CLIENT, "--keep")
        record, = node.records()
        address, = places.addresses(containerd.directory)
        told = node.told()
        assert told["addresses"] == [address]
        assert "K8S_POD_NAME=plain-0" in told["args"]
        assert record == f"{told['network']}-{told['containerId']}-eth0"
        node.host = HOST
        assert node.call("GC", **{"cni.dev/valid-attachments": []}) is None
        assert places.addresses(containerd.directory) == node.records() == []


def test_records_of_containerds_own_library(containerd, node):
    """A pod that was there before nodeagent-cni is deleted by it, or collected."""
    containerd.run_pods(CLIENT, "--keep", "--pods=2")
    results = node.directory / "cache" / "results"
    results.mkdir()
    name = places.bridge(containerd.directory)
    for path in (places.CNI_CACHE / "results").glob(f"{name}-*"):
        shutil.copy(path, results)
    first, second = [json.loads((results / record).read_text()) for record in node.records()]
    told_where = "netns" in first  # by 1.6 it is not; then interfaces go with the namespace
    assert len(places.addresses(containerd.directory)) == 2
    node.host = HOST
    node.delete(first["containerId"], netns="")
    address = second["result"]["ips"][0]["address"].partition("/")[0]
    assert places.addresses(containerd.directory) == [address]
    assert len(node.records()) == 1
    real = (containerd.directory / "cni/conf/10-bridge.conflist")
    node.configure(real.name, real.read_text())
    assert node.call("GC", **{"cni.dev/valid-attachments": []}) is None
    assert places.addresses(containerd.directory) == node.records() == []
    assert len(places.ports(containerd.directory)) == (0 if told_where else 2)
