"""What kubeadm does to a node, played step by step: the agent is the kubelet that it finds."""

import re
import shutil
import subprocess

import kubeadm
import places
import pytest

from api_server import BOOTSTRAP_TOKEN
from clusters import is_true, wait_pod
from conftest import BUILD
from node_servers import is_healthy
from registry import free_port
from specs import pod, staying

NODE = "joined"
JOIN_SECONDS = 40  # kubeadm's own patience is 4 minutes
PAUSE = "registry.k8s.io/pause:3.10"


@pytest.fixture
def node(containerd, tmp_path):
    places.make_cgroups(containerd.directory)
    instance = kubeadm.Node(containerd, BUILD, tmp_path.name, NODE)
    try:
        yield instance
        instance.stop()
    finally:
        instance.kill()


def certificate_in(path):
    """The client certificate's file that a kubeconfig names, if both are there."""
    if not path.exists():
        return None
    found = re.search(r"client-certificate: *\"?([^\"\s]+)", path.read_text())
    file = found and path.parent / found[1]
    return file if file and file.exists() else None


def is_ready(server):
    return is_true(server.get("nodes", NODE), "Ready")


# the service


DROP_INS = {"nodeagent": [[]],
            "kubelet": [[], ["09-kubeadm.conf"], ["09-kubeadm.conf", "10-kubeadm.conf"]]}


@pytest.mark.parametrize("name", DROP_INS)
def test_the_unit_is_one(tmp_path, name):
    """systemd's own opinion of it, with and without kubeadm's drop-ins."""
    (tmp_path / name).symlink_to("/bin/true")
    unit = tmp_path / f"{name}.service"
    unit.write_text(kubeadm.packaged(unit.name, tmp_path))
    folder = tmp_path / f"{unit.name}.d"
    folder.mkdir()
    for drop_ins in DROP_INS[name]:
        for drop_in in drop_ins:
            (folder / drop_in).write_text(kubeadm.packaged("09-kubeadm.conf", tmp_path))
        result = subprocess.run(["systemd-analyze", "verify", "--man=no", unit],
                                capture_output=True, text=True, timeout=60)
        assert (result.returncode, result.stderr) == (0, "")


def test_drop_ins_of_both_say_the_same():
    unit, drop_in = kubeadm.packaged("kubelet.service"), kubeadm.packaged("09-kubeadm.conf")
    assert kubeadm.command_of(kubeadm.settings(unit, drop_in)) == \
        kubeadm.command_of(kubeadm.settings(unit, drop_in, drop_in))


def test_check_01_the_version(node):
    """The preflight reads it; nothing else is done."""
    result = subprocess.run([node.kubelet, "--version"], capture_output=True, text=True, timeout=30,
                            env={}, cwd="/")
    assert result.returncode == 0 and re.fullmatch(r"Kubernetes v1\.36\.\d+\n", result.stdout)
    assert not list(node.root.iterdir()) and not list(node.run.iterdir())


def test_check_29_before_init(node):
    """It ends at once with one line, each ten seconds."""
    found = node.service()
    assert found["Restart"] == ["always"] and found["RestartSec"] == ["10"]
    assert found["StartLimitIntervalSec"] == ["0"]
    (node.place / "etc" / "default" / "kubelet").unlink()
    result = subprocess.run(node.command_line(), capture_output=True, text=True, timeout=10)
    [line] = [said for said in result.stderr.splitlines() if "profiling" not in said]
    assert result.returncode == 1 and not result.stdout
    assert f"path: {node.place}/var/lib/kubelet/config.yaml" in line
    assert "No such file or directory" in line and "kubeadm init or kubeadm join" in line


# join


def prepare_join(server, node, *flags):
    """What kubeadm join has written when it starts the service."""
    assert server.get("nodes", NODE) is None
    server.kubeconfig(node.kubernetes / "bootstrap-kubelet.conf", token=BOOTSTRAP_TOKEN)
    shutil.copy(server.ca_file, node.kubernetes / "pki" / "ca.crt")
    node.write_flags(f"--hostname-override={NODE}", *flags)


def test_check_30_join(server, node):
    health, kubelet_conf = free_port(), node.kubernetes / "kubelet.conf"
    node.write_config(containerRuntimeEndpoint=node.containerd.endpoint, healthzPort=health)
    prepare_join(server, node, "--register-with-taints=example.com/new=yes:NoSchedule")
    server.auto_approve = False
    node.start()
    server.wait(lambda: is_healthy(health), JOIN_SECONDS, "/healthz, which needs no certificate")
    [csr] = server.wait(lambda: server.list("certificatesigningrequests", None), what="the request")
    assert not certificate_in(kubelet_conf)
    server.approve(csr["metadata"]["name"])
    certificate = server.wait(lambda: certificate_in(kubelet_conf), JOIN_SECONDS, "kubelet.conf")
    assert certificate == node.pki / "kubelet-client-current.pem"
    (node.kubernetes / "bootstrap-kubelet.conf").unlink()
    server.wait(lambda: is_ready(server), JOIN_SECONDS, "the node to be ready")
    taints = server.get("nodes", NODE)["spec"]["taints"]
    assert {"key": "example.com/new", "value": "yes", "effect": "NoSchedule"} in taints
    [csr] = server.list("certificatesigningrequests", None)
    assert "certificate" in csr["status"]
    # Restarted, as by an upgrade, it goes on with its own certificate.
    node.restart()
    server.wait_request("WATCH", r"/api/v1/nodes", count=2)
    assert len(server.list("certificatesigningrequests", None)) == 1


def test_checks_27_32_flags_of_an_older_kubeadm(server, node):
    """They win over the file, and what is no flag any more harms nobody. Of cgroup drivers the
    runtime's word counts, if it has one: the file says systemd."""
    driver = [] if node.containerd.version.startswith("2") else ["--cgroup-driver=cgroupfs"]
    node.write_config(containerRuntimeEndpoint="unix:///run/nobody/there.sock")
    prepare_join(server, node, f"--container-runtime-endpoint={node.containerd.endpoint}",
                 f"--pod-infra-container-image={PAUSE}", *driver)
    node.start()
    server.wait(lambda: is_ready(server), JOIN_SECONDS, "the node to be ready")
    server.create(pod("web", staying()))
    server.bind("web", NODE)
    wait_pod(server, "web", lambda found: is_true(found, "Ready"), "to be ready", JOIN_SECONDS)
    uid = server.get("pods", "web")["metadata"]["uid"]
    assert places.pod_cgroups(node.containerd.directory) == [f"pod{uid}"]  # no slice
    server.delete_pod("web")
    server.wait(lambda: server.get("pods", "web") is None, JOIN_SECONDS, "the pod to go")


# init


def control_plane(name):
    obj = pod(name, staying(), hostNetwork=True, priorityClassName="system-node-critical")
    obj["metadata"]["namespace"] = "kube-system"
    obj["metadata"]["labels"] = {"component": name, "tier": "control-plane"}
    return obj


def test_check_31_init(server, node):
    """The control plane's pods run before there is a server, and have their mirrors after."""
    names = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]
    server.stop()
    node.write_config(containerRuntimeEndpoint=node.containerd.endpoint)
    node.write_flags(f"--hostname-override={NODE}")
    server.kubeconfig(node.kubernetes / "kubelet.conf", node=NODE)
    node.add(*map(control_plane, names))
    node.start()
    node.wait_ready(*names)
    server.start()
    for name in names:
        server.wait(lambda: is_true(server.get("pods", f"{name}-{NODE}", "kube-system"), "Ready"),
                    JOIN_SECONDS, f"the mirror of {name}")
    server.wait(lambda: is_ready(server), JOIN_SECONDS, "the node to be ready")
    node.remove(*names)
    node.wait_gone()
