"""What the configuration makes of a node, as its API server, its service manager and other processes
see it. Most of it needs no runtime: the node says that it is not ready, and goes on."""

import contextlib
import json
import pathlib
import re
import socket
import time

import pytest

import places
import runtime
from agent import Agent, refusal
from conftest import BUILD
from specs import container, pod, staying

SECONDS = 30
TAINT = {"key": "example.com/new", "value": "yes", "effect": "NoSchedule"}
PORTS = {"enableServer": False, "healthzPort": 0}
V1 = {"failCgroupV1": False}
CGROUPS = pathlib.Path("/sys/fs/cgroup")


@pytest.fixture
def agents(no_runtime):
    """agents(name, config): a node each, which is not started yet."""
    with contextlib.ExitStack() as stack:
        def make(name="node", config=None):
            agent = Agent(no_runtime, BUILD, config, name=f"agent-{name}", node=name)
            stack.callback(agent.kill)
            return agent

        yield make


def member(agents, server, name, config=None):
    agent = agents(name, config)
    agent.flags = ["--kubeconfig", server.kubeconfig(agent.directory / "kubeconfig", node=name)]
    return agent


def reports(server, name):
    return len(server.requests("PATCH", f"/api/v1/nodes/{name}/status"))


# its Node


def test_check_03_labels(server, agents):
    agent = member(agents, server, "labelled")
    agent.flags += ["--node-labels=a=1", "--node-labels=b=2,example.com/c="]
    agent.start()
    node = server.wait(lambda: server.get("nodes", "labelled"), what="the node")
    labels = node["metadata"]["labels"]
    assert (labels["a"], labels["b"], labels["example.com/c"]) == ("1", "2", "")


def test_check_04_who_wins(server, agents):
    """A flag over a drop-in over the file."""
    cases = {"file": [], "drop-in": ["40"], "flag": ["40"]}
    for name, drop_ins in cases.items():
        agent = member(agents, server, name, {"maxPods": 30})
        folder = agent.directory / "drop-ins"
        folder.mkdir()
        for most in drop_ins:
            (folder / "10.conf").write_text(json.dumps({
                "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
                "maxPods": int(most)}))
        agent.flags += ["--config-dir", folder, *(["--max-pods=50"] if name == "flag" else [])]
        agent.start()
    found = {name: server.wait(lambda: server.get("nodes", name), what=f"node {name}")
             ["status"]["capacity"]["pods"] for name in cases}
    assert found == {"file": "30", "drop-in": "40", "flag": "50"}


def test_check_19_the_file_sets_both_frequencies(server, agents):
    """In the file alone the one means the other; in a drop-in it does not."""
    often = member(agents, server, "often", {"nodeStatusUpdateFrequency": "500ms"})
    seldom = member(agents, server, "seldom")
    folder = seldom.directory / "drop-ins"
    folder.mkdir()
    (folder / "10.conf").write_text(json.dumps({
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "nodeStatusUpdateFrequency": "500ms"}))
    seldom.flags += ["--config-dir", folder]
    seldom.start()
    server.wait(lambda: server.get("nodes", "seldom"), what="node seldom")
    often.start()
    server.wait(lambda: reports(server, "often") >= 8, SECONDS, "eight reports")
    # What the start itself has to say is said by both.
    assert reports(server, "seldom") <= 4


def test_check_38_taints_are_for_new_nodes(server, agents):
    server.create({"kind": "Node", "metadata": {
        "name": "old", "labels": {"kubernetes.io/hostname": "old"}}})
    for name in ("new", "old"):
        agent = member(agents, server, name, {"registerWithTaints": [TAINT]})
        agent.start()
    taints = server.wait(lambda: server.get("nodes", "new"), what="the new node")["spec"]["taints"]
    assert TAINT in taints
    server.wait(lambda: reports(server, "old"), what="a report of the old one")
    assert TAINT not in server.get("nodes", "old")["spec"].get("taints", [])


# the machine


def flags_of(no_runtime, **config):
    path = no_runtime.directory / "config.json"
    path.write_text(json.dumps({"apiVersion": "kubelet.config.k8s.io/v1beta1",
                                "kind": "KubeletConfiguration", **PORTS, **V1, **config}))
    return [f"--config={path}", *(f"--{name}={no_runtime.directory}/{name}"
                                  for name in ("root-dir", "run-dir", "pod-log-dir")),
            f"--container-runtime-endpoint={no_runtime.endpoint}"]


def with_swap(no_runtime):
    """What runs a program on a machine with swap, as /proc/meminfo tells it."""
    fake = no_runtime.directory / "meminfo"
    with open("/proc/meminfo", encoding="ascii") as real:
        lines = [line for line in real if not line.startswith("SwapTotal:")]
    fake.write_text("".join([*lines, "SwapTotal:        1048576 kB\n"]))
    return ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /proc/meminfo && exec "$@"', fake]


def test_check_25_swap(program, no_runtime, agents):
    assert refusal(program, *flags_of(no_runtime), by=with_swap(no_runtime)).startswith(
        "running with swap on is not supported, please disable swap (swapoff -a, and in /etc/fstab) "
        "or set failSwapOn: false (--fail-swap-on=false)")
    agent = agents(config={"failSwapOn": False})
    agent.by = with_swap(no_runtime)
    agent.start()
    agent.stop()


def without_cgroup_v2():
    """What runs a program on a machine whose cgroups are of version 1, or none."""
    return ["unshare", "--mount", "sh", "-c", f'mount -t tmpfs none {CGROUPS} && exec "$@"', "sh"]


def test_check_26_cgroup_v1(program, no_runtime, agents):
    """It is refused; who allows it may have either version, and who does not, version 2."""
    said = refusal(program, *flags_of(no_runtime, failCgroupV1=True), by=without_cgroup_v2())
    assert said.startswith("kubelet is configured to not run on a host using cgroup v1")
    agent = agents(config={"failCgroupV1": (CGROUPS / "cgroup.controllers").exists()})
    agent.start()
    agent.stop()


def test_check_27_the_runtime_knows_its_cgroup_driver():
    """It is told a slice, which runc would refuse otherwise. Where there is no systemd to make one,
    that is the next thing that runc says."""
    with runtime.private("2") as instance:
        path = instance.directory / "config.toml"
        path.write_text(path.read_text().replace(" Root = ", " SystemdCgroup = true\n Root = "))
        instance.restart()
        agent = Agent(instance, BUILD, {"cgroupDriver": "cgroupfs"})
        try:
            agent.start()
            agent.add(pod("web", staying(), agent=agent))
            if pathlib.Path("/run/systemd/system").exists():
                agent.wait_ready("web")
                groups = [state["cgroup_paths"]
                          for state in places.containers(instance.directory).values()]
                assert re.search(r"kubepods\S*\.slice/", json.dumps(groups))
            else:
                said = agent.wait_event("web", "FailedCreatePodSandBox")[0]
                assert "systemd" in said and "cgroupsPath" not in said
            agent.remove("web")
            agent.wait_gone()
            agent.stop()
        finally:
            agent.kill()


# a node without a cluster


def test_check_36_static_pods_need_no_webhooks_switched_off(agents):
    """As kubeadm writes it, and without an API server to ask: nothing is served that would have to
    be asked for, and static pods are run."""
    agent = agents(config={"authentication": {"webhook": {"enabled": True}},
                           "authorization": {"mode": "Webhook"}})
    agent.start()
    agent.add({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
               "spec": {"containers": [{"name": "main", "image": "busybox"}]}})
    agent.wait(lambda: agent.pod("web"), "the pod")
    agent.stop()


def test_check_37_a_token_without_a_cluster(containerd, tmp_path):
    """The pod that wants one never starts; others do."""
    agent = Agent(containerd, BUILD, name=tmp_path.name)
    try:
        agent.start()
        agent.add(pod("tokened", container(
            volumeMounts=[{"name": "v", "mountPath": "/v"}]),
            volumes=[{"name": "v", "projected": {"sources": [
                {"serviceAccountToken": {"path": "token"}}]}}], agent=agent),
            pod("other", staying(), agent=agent))
        agent.wait_ready("other")
        said = agent.command("why", check=False).stdout
        assert "ManifestRefused: " in said and "serviceAccountToken: a static pod may not" in said
        assert not agent.pod("tokened")
        agent.remove("tokened", "other")
        agent.wait_gone()
        agent.stop()
    finally:
        agent.kill()


# the lock file


def test_check_41_contention(program, no_runtime, agents):
    lock = no_runtime.directory / "lock"
    agent = agents()
    agent.flags = [f"--lock-file={lock}", "--exit-on-lock-contention"]
    agent.start()
    lock.read_bytes()
    assert agent.process.wait(SECONDS) == 0
    agent.process = None
    assert f"ends since another process opened {lock}" in agent.log()
    assert "no lock file specified; set --lock-file" in refusal(
        program, *flags_of(no_runtime), "--exit-on-lock-contention")


def test_check_41_a_lock_that_is_held(program, no_runtime, agents):
    lock = no_runtime.directory / "lock"
    agent = agents()
    agent.flags = [f"--lock-file={lock}"]
    agent.start()
    assert f"{lock}: another process has this lock file" in refusal(
        program, *flags_of(no_runtime), f"--lock-file={lock}")
    assert agent.process.poll() is None
    agent.stop()


# the service manager


def test_check_35_it_is_ready_once_and_alive(agents, no_runtime, monkeypatch):
    path = no_runtime.directory / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(SECONDS)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        monkeypatch.setenv("WATCHDOG_USEC", "1000000")
        agent = agents()
        agent.start()
        assert manager.recv(100) == b"READY=1"
        times = []
        for _ in range(4):
            assert manager.recv(100) == b"WATCHDOG=1"
            times.append(time.monotonic())
        assert 1 < times[-1] - times[0] < 10  # one each half second
        agent.stop()
        said = []
        with contextlib.suppress(BlockingIOError):
            manager.setblocking(False)
            while True:
                said.append(manager.recv(100))
        assert set(said) <= {b"WATCHDOG=1", b"STOPPING=1"} and b"STOPPING=1" in said


def test_check_42_the_end_is_quick(agents):
    agent = agents()
    agent.start()
    began = time.monotonic()
    agent.process.terminate()
    assert agent.process.wait(SECONDS) == 0 and time.monotonic() - began < 10
    agent.process = None


def test_check_02_an_unknown_flag(program):
    assert "unknown flag: --no-such-flag" in refusal(program, "--no-such-flag=1")
