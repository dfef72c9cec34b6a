"""The first kinds of volumes: emptyDir and hostPath."""

import os
import stat

from agent import is_ready, restarts, waiting_for
from specs import STAY, container, pod

CONFIG = {"crashLoopBackOff": {"maxContainerRestartPeriod": "1s"}}
QUIET = f"trap 'exit 0' TERM; {STAY}"


def mount(name, path="/data", **more):
    return {"volumeMounts": [{"name": name, "mountPath": path, **more}]}


def empty(name="data", **what):
    return {"name": name, "emptyDir": what}


def host(path, kind=None, name="data"):
    return {"name": name, "hostPath": {"path": str(path), **({"type": kind} if kind else {})}}


def pods(agent):
    there = agent.directory / "there"
    there.mkdir(exist_ok=True)
    (there / "file").write_text("from the node\n")
    look = "exec 2>&1; cat /data/file; echo mine > /data/new && echo written; echo done; "
    return [
        pod("shared", container("writer", "echo both > /data/file; " + QUIET, **mount("data")),
            container("reader", "until cat /data/file; do sleep 0.1; done; stat -c %a /data; "
                      "echo done; " + QUIET, **mount("data")), volumes=[empty()]),
        pod("survives", container("main", "echo x >> /data/runs; wc -l < /data/runs; "
                                  f"[ $(wc -l < /data/runs) -lt 3 ] && exit 1; echo done; {QUIET}",
                                  **mount("data")), volumes=[empty()]),
        pod("memory", container("main", "grep ' /data ' /proc/mounts; echo done; " + QUIET,
                                **mount("data")),
            volumes=[empty(medium="Memory", sizeLimit="4Mi")]),
        pod("group", container("main", "stat -c '%g %a' /data; id; touch /data/x && echo done; "
                               + QUIET, **mount("data")), volumes=[empty()],
            securityContext={"fsGroup": 4000, "runAsUser": 1000}),
        pod("host", container("main", look + QUIET, **mount("data")), volumes=[host(there)]),
        pod("read-only", container("main", look + QUIET, **mount("data", readOnly=True)),
            volumes=[host(there, "Directory")]),
        pod("sub", container("main", "ls /data; echo done; " + QUIET,
                             **mount("data", subPath="a/b")), volumes=[empty()]),
        pod("made", container("main", "echo done; " + QUIET, volumeMounts=[
            {"name": "directory", "mountPath": "/d"}, {"name": "file", "mountPath": "/f"}]),
            volumes=[host(agent.directory / "made" / "directory", "DirectoryOrCreate", "directory"),
                     host(agent.directory / "made-file", "FileOrCreate", "file")]),
        pod("over", container("main", "echo secret > /data/a; echo secret > /memory/a; echo done",
                              volumeMounts=[{"name": "data", "mountPath": "/data"},
                                            {"name": "memory", "mountPath": "/memory"}]),
            volumes=[empty(), empty("memory", medium="Memory")], restartPolicy="Never"),
        pod("own", container("main", "stat -c %a /data; chmod 700 /data; echo done; until rm "
                             "/data/end; do sleep 0.1; done 2>/dev/null; exit 1", **mount("data")),
            volumes=[empty()], securityContext={"fsGroup": 4000}),
        pod("missing", container("main", **mount("data")),
            volumes=[host(agent.directory / "missing", "Directory")]),
        pod("wrong", container("main", **mount("data")), volumes=[host(there, "File")]),
    ]


def volumes_of(agent, name):
    uid = agent.pod(name)["metadata"]["uid"]
    return list(agent.root.glob(f"pods/{uid}/volumes/kubernetes.io~empty-dir/*"))


def test_an_emptydir_is_shared_by_the_containers_of_a_pod(agent):
    assert agent.wait_output("shared", container="reader").endswith("both\n777\ndone\n")


def test_an_emptydir_outlives_its_containers(agent):
    found = agent.wait_pod("survives", lambda pod: is_ready(pod) and restarts(pod) == 2, "two runs")
    assert found["status"]["phase"] == "Running"


def test_the_mode_of_an_emptydir_is_the_pods(agent):
    """Whatever an agent begins with when the container is started again."""
    assert agent.wait_output("own") == "2777\ndone\n"
    [data] = volumes_of(agent, "own")
    agent.restart()
    (data / "end").touch()
    agent.wait_pod("own", lambda pod: restarts(pod) == 1, "another start")
    agent.wait(lambda: agent.output("own", attempt=1) == "700\ndone\n", "the mode it had",
               name="own")


def test_check_15_what_has_ended_has_no_volumes(agent):
    agent.wait_phase("over", "Succeeded")
    agent.wait(lambda: not volumes_of(agent, "over"), "its volumes to go", name="over")
    uid = agent.pod("over")["metadata"]["uid"]
    assert (agent.root / "pods" / uid / "etc-hosts").exists()
    assert uid not in open("/proc/mounts", encoding="utf-8").read()
    assert agent.output("over") == "done\n"


def test_an_emptydir_in_memory_has_its_size(agent):
    line = agent.wait_output("memory").splitlines()[0]
    assert line.split()[2] == "tmpfs" and "size=4096k" in line


def test_a_group_owns_what_the_pod_may_write(agent):
    owner = agent.wait_output("group").splitlines()[0]
    assert owner.split()[0] == "4000"


def test_a_directory_of_the_node(agent):
    assert "from the node\nwritten\n" in agent.wait_output("host")
    assert (agent.directory / "there" / "new").read_text() == "mine\n"


def test_a_directory_of_the_node_that_is_read_only(agent):
    text = agent.wait_output("read-only")
    assert "from the node\n" in text and "Read-only file system" in text


def test_a_part_of_a_volume(agent):
    assert agent.wait_output("sub") == "done\n"


def test_what_is_not_there_may_be_made(agent):
    agent.wait_output("made")
    assert stat.S_IMODE(os.stat(agent.directory / "made" / "directory").st_mode) == 0o755
    assert stat.S_IMODE(os.stat(agent.directory / "made-file").st_mode) == 0o644


def test_check_24_what_is_not_there_is_waited_for(agent):
    for name in ("missing", "wrong"):
        found = agent.wait_pod(name, lambda pod: waiting_for(pod) == "ContainerCreating", "it")
        assert agent.wait_event(name, "FailedMount: ")
        assert not agent.said(name) and found["status"]["phase"] == "Pending"
    (agent.directory / "missing").mkdir()
    agent.wait_ready("missing", seconds=60)


def test_the_directories_of_a_pod_go_with_it(agent):
    agent.wait_ready("shared")
    folder = agent.root / "pods" / agent.pod("shared")["metadata"]["uid"]
    assert (folder / "volumes" / "kubernetes.io~empty-dir" / "data" / "file").exists()
    agent.remove("shared", "memory", "host")
    agent.wait_gone("shared", "memory", "host")
    agent.wait(lambda: not folder.exists(), "the pod's directory to go", 75)
    assert (agent.directory / "there" / "file").exists(), "what is the node's stays"
