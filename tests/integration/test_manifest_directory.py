"""The manifest directory: files come, change, move, break and go, and the pods follow."""

import json
import time

import pytest

from agent import is_ready, restarts, status_of
from specs import container, pod, staying

MANY = 30


def stayer(agent, name, mark="main", **spec):
    return pod(name, staying(mark), agent=agent, **spec)


def leaver(agent, name, mark):
    """Takes two seconds to end."""
    return pod(name, container("main", f"trap 'say {mark} term; sleep 2; say {mark} end; exit 0' "
                               f"TERM; say {mark} up; while :; do sleep 0.1; done"),
               agent=agent, terminationGracePeriodSeconds=20)


def uid(agent, name):
    return agent.pod(name)["metadata"]["uid"]


def uids(agent, name):
    """Two, while one ends and the next one waits."""
    return {item["metadata"]["uid"] for item in agent.ps()
            if item["metadata"]["name"] == f"{name}-node"}


def test_a_manifest_that_appears_is_run_and_one_that_goes_is_ended(agent):
    agent.add(stayer(agent, "come-and-go"))
    agent.wait_ready("come-and-go")
    agent.remove("come-and-go")
    agent.wait_said("come-and-go", "main up", "main term")
    agent.wait_gone("come-and-go")


def test_check_44_a_change_ends_the_old_pod_before_the_new_one_starts(agent):
    agent.add(leaver(agent, "changing", "old"))
    agent.wait_ready("changing")
    old = uid(agent, "changing")
    agent.add(stayer(agent, "changing", "new"))
    agent.wait_said("changing", "old term")
    assert old in uids(agent, "changing"), "the old one is there until it has ended"
    agent.wait_said("changing", "new up")
    assert agent.said("changing") == ["old up", "old term", "old end", "new up"]
    agent.wait_pod("changing", lambda pod: is_ready(pod) and pod["metadata"]["uid"] != old,
                   "the new one to be ready")


def test_check_44_of_many_changes_only_the_last_is_run(agent):
    agent.add(leaver(agent, "restless", "v0"))
    agent.wait_said("restless", "v0 up")
    for i in range(1, 51):
        agent.add(stayer(agent, "restless", f"v{i}"))
        time.sleep(0.01)
    agent.wait_said("restless", "v50 up")
    assert agent.said("restless") == ["v0 up", "v0 term", "v0 end", "v50 up"]


def test_comments_and_layout_change_nothing(agent):
    manifest = stayer(agent, "quiet")
    agent.add(manifest)
    agent.wait_ready("quiet")
    before = agent.pod("quiet")
    agent.write_manifest("quiet.json", json.dumps(manifest, indent=8, sort_keys=True))
    time.sleep(0.3)
    agent.write_manifest("quiet.json", "# a comment\n" + json.dumps(manifest))
    time.sleep(0.7)
    after = agent.pod("quiet")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert status_of(after)["containerID"] == status_of(before)["containerID"]
    assert agent.said("quiet") == ["main up"]


def test_check_45_what_is_removed_and_added_again_runs_again(agent):
    manifest = stayer(agent, "again")
    agent.add(manifest)
    agent.wait_ready("again")
    before = uid(agent, "again")
    agent.remove("again")
    agent.wait_said("again", "main term")
    agent.add(manifest)
    agent.wait(lambda: agent.said("again") == ["main up", "main term", "main up"],
               "the second run", name="again")
    [found] = agent.wait_ready("again")
    assert found["metadata"]["uid"] == before
    assert restarts(found) in (0, 1), "1 if the old container's log is still there"


def test_a_file_that_is_renamed(agent):
    agent.add(stayer(agent, "moved"))
    agent.wait_ready("moved")
    (agent.manifests / "moved.json").rename(agent.manifests / "other-name.json")
    agent.wait(lambda: agent.said("moved") == ["main up", "main term", "main up"],
               "a second run: the path is part of what the pod is", name="moved")
    agent.wait_ready("moved")
    agent.remove("other-name")
    agent.wait_gone("moved")


def test_a_broken_file_keeps_the_last_good_pod(agent):
    agent.add(stayer(agent, "broken"))
    agent.wait_ready("broken")
    before = status_of(agent.pod("broken"))["containerID"]
    path = agent.write_manifest("broken", '{"apiVersion": "v1",\n "kind": "Pod", "spec": ')
    agent.wait(lambda: f"{path.name}:2" in agent.log(), "the place of the mistake in the log")
    time.sleep(0.5)
    assert status_of(agent.pod("broken"))["containerID"] == before
    agent.restart(kill=True)
    agent.add(stayer(agent, "after-broken"))
    agent.wait_ready("after-broken")
    assert agent.said("broken") == ["main up"], "what was never understood ends nothing"
    agent.add(stayer(agent, "broken", "mended"))
    agent.wait_said("broken", "mended up")
    assert agent.said("broken") == ["main up", "main term", "mended up"]


@pytest.mark.parametrize("name", [".hidden.json", ".stable.json.swp", ".#stable.json"])
def test_files_of_editors_are_not_read(agent, name):
    agent.add(stayer(agent, "stable"))
    agent.wait_ready("stable")
    (agent.manifests / name).write_text(json.dumps(stayer(agent, "unwanted")))
    time.sleep(0.5)
    (agent.manifests / name).unlink()
    assert "unwanted" not in agent.pods() and agent.said("stable") == ["main up"]


def test_a_file_that_is_written_slowly_is_read_once_whole(agent):
    text = json.dumps(stayer(agent, "slow-writer"))
    with open(agent.manifests / "slow-writer.json", "w", encoding="utf-8") as file:
        for i in range(0, len(text), 100):
            file.write(text[i:i + 100])
            file.flush()
            time.sleep(0.05)
    agent.wait_ready("slow-writer")
    agent.wait_said("slow-writer", "main up")
    assert agent.said("slow-writer") == ["main up"]


def test_a_file_that_was_never_understood_keeps_no_pod_of_another(agent):
    agent.add(stayer(agent, "beside"))
    agent.wait_ready("beside")
    agent.write_manifest("never.json", "{")
    agent.wait(lambda: "never.json" in agent.log(), "the file to be told of")
    agent.remove("beside")
    agent.wait_gone("beside")
    agent.add(stayer(agent, "beside", "again"))
    agent.wait_ready("beside")
    agent.remove_manifest("never.json")


def test_a_refused_manifest_does_not_disturb_the_others(agent):
    agent.write_manifest("bad", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bad"},
                                 "spec": {"containers": []}})
    agent.write_manifest("noise.yaml", "\0\1\2: [")
    (agent.manifests / "folder").mkdir()
    agent.add(stayer(agent, "among-bad"))
    agent.wait_ready("among-bad")
    agent.wait(lambda: "spec.containers" in agent.log(20000), "the mistake in the log")
    for path in ("bad.json", "noise.yaml"):
        (agent.manifests / path).unlink()
    (agent.manifests / "folder").rmdir()


def test_a_manifest_as_people_write_it(agent):
    agent.write_manifest("people.yaml", """\
apiVersion: v1
kind: Pod
metadata: {name: people}   # a comment
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: nodeagent.dev/example:1
    command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 1000 & wait $!; done"]
""")
    agent.wait_ready("people")
    agent.remove("people.yaml")
    agent.wait_gone("people")


def test_thirty_pods_at_once_come_and_go_and_nothing_is_left(agent):
    """The last of this file: all pods are removed."""
    names = [f"many-{i}" for i in range(MANY)]
    agent.add(*[pod(name, container()) for name in names])
    agent.wait(lambda: sum(is_ready(found) for name, found in agent.pods().items()
                           if name in names) == MANY, "thirty pods to be ready", 60)
    found = agent.pods()
    addresses = {found[name]["status"]["podIP"] for name in names}
    assert len(addresses) == MANY
    assert all(restarts(found[name]) == 0 for name in names)
    for path in agent.manifests.iterdir():
        path.unlink()
    agent.wait_gone(seconds=60)
    assert agent.containerd.leftovers(75) == []
    agent.wait(lambda: not list((agent.root / "pods").glob("*")), "the pods' directories to go", 75)
    agent.wait(lambda: not list(agent.logs.glob("*")), "the pods' logs to go", 75)
