"""Pods that a kubelet started, under UIDs of its own: played by manifests that give their UID."""

import shutil

from agent import status_of
from specs import container, pod, sidecar, staying

KUBELET_UID = "0123456789abcdef0123456789abcde{}"


def manifest(agent, name, **fields):
    return pod(name, staying("main", **fields), agent=agent, inits=[sidecar("side")])


def run_as_a_kubelet_did(agent, *names):
    """Afterwards the agent is down, knows nothing, and has the manifests without UIDs."""
    for number, name in enumerate(names):
        made = manifest(agent, name)
        made["metadata"]["uid"] = KUBELET_UID.format(number)
        agent.add(made)
    before = agent.wait_ready(*names)
    agent.stop()
    shutil.rmtree(agent.run / "pods")
    agent.add(*(manifest(agent, name) for name in names))
    return before


def same(before, after):
    for name in ("main", "side"):
        old, new = status_of(before, name), status_of(after, name)
        assert (old["containerID"], old["restartCount"]) == (new["containerID"], new["restartCount"])
    return before["metadata"]["uid"] == after["metadata"]["uid"]


def test_a_kubelets_pods_keep_their_uids_and_run_on(agent):
    before = run_as_a_kubelet_did(agent, "first", "second")
    for kill in (False, True):
        agent.start() if not agent.process else agent.restart(kill)
        after = agent.wait_ready("first", "second")
        assert all(same(*pair) for pair in zip(before, after))
    assert sorted(agent.said("first")) == ["main up", "side up"]
    agent.add(manifest(agent, "first", env=[{"name": "NEW", "value": "1"}]))
    after = agent.wait_pod("first", lambda found: found["metadata"]["uid"] != KUBELET_UID.format(0)
                           and status_of(found).get("ready"), "to be replaced")
    agent.wait(lambda: agent.said("first").count("main up") == 2, "it to run anew")
    agent.remove("first", "second")
    agent.wait_gone("first", "second")


def test_another_image_is_another_pod(agent):
    run_as_a_kubelet_did(agent, "other")
    agent.add(pod("other", container("renamed", "say new; sleep 1000"), agent=agent))
    agent.start()
    agent.wait_said("other", "main term", "new")
    assert agent.pod("other")["metadata"]["uid"] != KUBELET_UID.format(0)
    agent.remove("other")
    agent.wait_gone("other")


def test_nothing_is_left(agent):
    assert agent.containerd.leftovers() == []
