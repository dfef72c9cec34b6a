"""Disks that are full or cannot be written to: what needs them waits and says why, all else goes on,
and when there is room again nobody has to help. And records that were damaged."""

import json
import os
import shutil
import subprocess

import pytest

import agent as agents
import runtime
from agent import is_ready, restarts, status_of
from conftest import BUILD
from specs import pod, staying

FULL = "No space left on device"
TEMPORARY = ".nodeagent-tmp-"


def mount(path, options):
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], check=True)


@pytest.fixture(scope="module")
def containerd():
    with runtime.private() as instance:
        yield instance


@pytest.fixture(scope="module")
def agent(containerd):
    """Each of its directories is a small disk. One pod runs all the while."""
    instance = agents.Agent(containerd, BUILD)
    mount(instance.run, "size=256k,mode=700")
    mount(instance.root, "size=1m")
    mount(instance.logs, "nr_inodes=50,mode=755")
    try:
        instance.start()
        instance.add(pod("steady", staying(), agent=instance))
        instance.wait_ready("steady")
        yield instance
        instance.stop()
    finally:
        instance.kill()


@pytest.fixture(autouse=True)
def unaffected(agent):
    """The others, whatever happens to one."""
    [before] = agent.wait_ready("steady")
    yield
    [after] = agent.wait_ready("steady")
    assert status_of(before)["containerID"] == status_of(after)["containerID"]
    assert restarts(after) == 0 and agent.said("steady") == ["main up"]


def fill(path):
    """Until there is no byte left; the file that holds them."""
    filler = path / "filler"
    with open(filler, "wb", buffering=0) as file, pytest.raises(OSError, match=FULL):
        while True:
            file.write(b"x" * 4096)
    return filler


def fill_inodes(path):
    folder = path / "filler"
    folder.mkdir()
    with pytest.raises(OSError, match=FULL):
        for number in range(1000):
            (folder / str(number)).touch()
    return folder


def records(agent):
    """All that are there can be read, at any time."""
    return {path.stem: json.loads(path.read_text()) for path in (agent.run / "pods").iterdir()
            if path.suffix == ".json"}


def add_and_wait_for(agent, name, *texts):
    """A pod that cannot start; `why` says all of the texts, in one line."""
    agent.add(pod(name, staying(), agent=agent))
    agent.wait(lambda: [line for line in agent.why_text(name).splitlines()
                        if all(text in line for text in texts)], "the reason", name=name)
    assert agent.said(name) == [] and not is_ready(agent.pod(name))


def goes_on(agent, name):
    agent.wait_ready(name)
    agent.wait_said(name, "main up")
    assert agent.said(name) == ["main up"]
    agent.remove(name)
    agent.wait_gone(name)


def test_without_room_for_records_nothing_is_begun(agent):
    filler = fill(agent.run)
    add_and_wait_for(agent, "unrecorded", "RecordNotWritten", f"{agent.run}/pods/", FULL)
    agent.restart(kill=True)
    agent.wait(lambda: "RecordNotWritten" in agent.why_text("unrecorded"), "the same again")
    # Once for each pod and life of the agent: the new one has something to record of both.
    assert agent.log(1 << 20).count(FULL) <= 3
    assert records(agent) and "unrecorded" not in json.dumps(records(agent))
    filler.unlink()
    goes_on(agent, "unrecorded")
    assert not list((agent.run / "pods").glob(f"{TEMPORARY}*"))


def test_without_room_for_a_pods_files(agent):
    filler = fill(agent.root)
    add_and_wait_for(agent, "no-room", "CreateContainerConfigError", f"{agent.root}/pods/", FULL)
    assert agent.wait_event("no-room", FULL)
    filler.unlink()
    goes_on(agent, "no-room")


def test_a_root_directory_that_cannot_be_written_to(agent):
    subprocess.run(["mount", "-o", "remount,ro", agent.root], check=True)
    agent.restart()
    add_and_wait_for(agent, "read-only", f"{agent.root}/pods/", "Read-only file system")
    assert agent.wait_event("read-only", "FailedMount: ")
    subprocess.run(["mount", "-o", "remount,rw", agent.root], check=True)
    goes_on(agent, "read-only")


def test_without_room_for_logs(agent):
    filler = fill_inodes(agent.logs)
    add_and_wait_for(agent, "speechless", f"{agent.logs}/default_speechless-node_", FULL)
    assert agent.wait_event("speechless", "FailedMount: ")
    shutil.rmtree(filler)
    goes_on(agent, "speechless")


def test_damaged_records_are_not_believed(agent):
    [(uid, record)] = records(agent).items()
    folder = agent.run / "pods"
    text = json.dumps(record)
    agent.stop()
    (folder / f"{uid}.json").write_text(text[:len(text) // 2])
    damaged = {"empty": "", "binary": "\0\1\2", "deep": "[" * 2000, "list": "[]",
               "version": json.dumps({**record, "version": 99}),
               "boot": json.dumps({**record, "boot": "another"}),
               "memory": json.dumps({**record, "memory": {"stage": []}})}
    for name, content in damaged.items():
        (folder / f"{name}.json").write_text(content)
    (folder / "large.json").touch()
    os.truncate(folder / "large.json", 5 << 20)
    os.mkfifo(folder / "fifo.json")
    (folder / "directory.json").mkdir()
    (folder / "link.json").symlink_to("/etc/passwd")
    (folder / f"{TEMPORARY}x").write_text(text)
    agent.start()
    agent.wait_ready("steady")
    for name in (uid, *damaged, "large", "fifo", "directory", "link"):
        assert agent.log(1 << 20).count(f"record {folder}/{name}.json is dropped: ") == 1, name
    agent.wait(lambda: os.listdir(folder) == [f"{uid}.json"], "its new record, and no others")
    assert os.path.exists("/etc/passwd"), "what a link names is not touched"
