"""Requests and limits, as the kernel has them: the files of the container's control group."""

import pathlib

from agent import exit_of, restarts, status_of
from specs import container, pod

CGROUPS = pathlib.Path("/sys/fs/cgroup")
UNIFIED = (CGROUPS / "cgroup.controllers").exists()
HOG = "exec dd if=/dev/zero of=/dev/null bs=128M count=1"


def pods(agent):
    def amounts(requests=None, limits=None):
        return {"resources": {**({"requests": requests} if requests else {}),
                              **({"limits": limits} if limits else {})}}

    return [
        pod("none", container()),
        pod("burstable", container(**amounts({"cpu": "100m", "memory": "16Mi"},
                                             {"cpu": "250m", "memory": "32Mi"}))),
        pod("guaranteed", container(**amounts(None, {"cpu": "200m", "memory": "24Mi"}))),
        pod("tiny", container(**amounts({"cpu": "5m"}, {"cpu": "5m"}))),
        pod("hog", container("main", HOG, **amounts(None, {"memory": "32Mi"})),
            restartPolicy="Never"),
        pod("hog-again", container("main", "[ -e /stage/been ] && exit 0; touch /stage/been; "
                                   + HOG, **amounts(None, {"memory": "32Mi"})),
            agent=agent, restartPolicy="OnFailure"),
    ]


def process_of(agent, name):
    identity = status_of(agent.pod(name))["containerID"].removeprefix("containerd://")
    tasks = agent.containerd.ctr("tasks", "list").stdout.splitlines()
    return next(line.split()[1] for line in tasks if line.startswith(identity))


def group_of(agent, name, controller):
    """(the controller's directory of the container, its path below the root)."""
    for line in pathlib.Path(f"/proc/{process_of(agent, name)}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if UNIFIED and not controllers:
            return CGROUPS / path[1:], path
        if not UNIFIED and controller in controllers.split(","):
            return CGROUPS / controller / path[1:], path
    raise AssertionError(f"no {controller} group")


def value(agent, name, controller, v1, v2):
    folder, _ = group_of(agent, name, controller)
    return (folder / (v2 if UNIFIED else v1)).read_text().strip()


def cpu_limit(agent, name):
    """(quota, period), the quota -1 for none."""
    if UNIFIED:
        quota, period = value(agent, name, "cpu", "", "cpu.max").split()
        return (-1 if quota == "max" else int(quota)), int(period)
    return tuple(int(value(agent, name, "cpu", file, "")) for file in (
        "cpu.cfs_quota_us", "cpu.cfs_period_us"))


def shares(agent, name):
    if UNIFIED:
        weight = int(value(agent, name, "cpu", "", "cpu.weight"))
        return ((weight - 1) * 262142) // 9999 + 2
    return int(value(agent, name, "cpu", "cpu.shares", ""))


def memory_limit(agent, name):
    text = value(agent, name, "memory", "memory.limit_in_bytes", "memory.max")
    return None if text == "max" or int(text) > 1 << 60 else int(text)


def test_cri_35_without_resources_there_is_no_limit(agent):
    [found] = agent.wait_ready("none")
    assert found["status"]["qosClass"] == "BestEffort"
    assert cpu_limit(agent, "none")[0] == -1 and shares(agent, "none") == 2
    assert memory_limit(agent, "none") is None
    score = pathlib.Path(f"/proc/{process_of(agent, 'none')}/oom_score_adj").read_text()
    assert score.strip() == "1000"


def test_limits_are_the_kernels(agent):
    [found] = agent.wait_ready("burstable")
    assert found["status"]["qosClass"] == "Burstable"
    assert cpu_limit(agent, "burstable") == (25000, 100000)
    assert memory_limit(agent, "burstable") == 32 << 20
    assert abs(shares(agent, "burstable") - 102) <= 26, "a weight is coarse"


def test_a_limit_alone_is_also_the_request(agent):
    [found] = agent.wait_ready("guaranteed")
    assert found["status"]["qosClass"] == "Guaranteed"
    assert cpu_limit(agent, "guaranteed") == (20000, 100000)
    assert memory_limit(agent, "guaranteed") == 24 << 20


def test_cri_34_the_smallest_quota_is_a_millisecond(agent):
    agent.wait_ready("tiny")
    assert cpu_limit(agent, "tiny") == (1000, 100000)
    if not UNIFIED:
        assert shares(agent, "tiny") == 5


def test_cri_18_pods_have_groups_by_their_class(agent):
    root = f"/{agent.containerd.directory.name}/kubepods"
    agent.wait_ready("none", "burstable", "guaranteed")
    for name, middle in (("none", "/besteffort"), ("burstable", "/burstable"), ("guaranteed", "")):
        uid = agent.pod(name)["metadata"]["uid"]
        _, path = group_of(agent, name, "memory")
        assert path.startswith(f"{root}{middle}/pod{uid}/"), path


def test_a_container_beyond_its_memory_limit_is_oomkilled(agent):
    agent.wait_phase("hog", "Failed")
    # containerd 1.6 and 1.7 may tell the reason some time after the end.
    agent.wait_pod("hog", lambda found: exit_of(found) == (137, "OOMKilled"), seconds=5)


def test_what_was_oomkilled_is_started_again(agent):
    found = agent.wait_phase("hog-again", "Succeeded")
    assert restarts(found) == 1
    assert status_of(found)["lastState"]["terminated"]["reason"] == "OOMKilled"
