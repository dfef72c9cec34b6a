"""nodeagent why: what it makes of the agent's answer."""

import json
import re

import pytest

from agent_socket import OK, AgentSocket, ago, line, refusal


def event(reason, message, seconds=12, kind="Warning", **more):
    return {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "default"},
            "involvedObject": {"kind": "Pod", "namespace": "default", "name": "web-n1"},
            "reason": reason, "message": message, "type": kind, "count": 1,
            "firstTimestamp": ago(seconds), "lastTimestamp": ago(seconds), **more}


def pod(name="web-n1", ready=False, phase="Pending", blockers=(), events=()):
    return {"namespace": "default", "name": name, "uid": "5f3c9a20", "phase": phase,
            "ready": ready, "blockers": list(blockers), "events": list(events)}


def answer(*pods, node=()):
    return {"node": {"blockers": list(node)}, "pods": list(pods)}


PULL = {"reason": "ImagePullBackOff", "container": "web",
        "text": 'Back-off pulling image "x": not found'}


@pytest.fixture
def why(nodeagent, tmp_path):
    """why(document, argument...): (exit code, standard output) and the request as why.request."""
    def run(document, *arguments):
        steps = [OK, line(document)] if isinstance(document, dict) else document
        with AgentSocket(tmp_path, {"why": steps}) as agent:
            result = nodeagent("why", "--run-dir", tmp_path, *arguments)
        (tmp_path / "nodeagent.sock").unlink()
        run.request, run.stderr = agent.requests[0], result.stderr.decode()
        # The clock goes on while the test runs.
        return result.returncode, re.sub(r"\b1[2-9]s", "12s", result.stdout.decode())

    return run


def test_a_blocked_pod(why):
    code, text = why(answer(pod(blockers=[{**PULL, "since": ago(12), "until": ago(-3600.9)}],
                                events=[event("Failed", "it is not there"),
                                        event("Pulling", "Pulling image", kind="Normal")])),
                     "web")
    assert why.request == {"command": "why", "pod": "web"}
    assert code == 1
    assert text.replace("59m", "60m") == (
        "default/web-n1: not ready (Pending)\n"
        '  container web: ImagePullBackOff: Back-off pulling image "x": not found'
        " (for 12s, next try in 60m)\n"
        "  recent events:\n"
        "    12s   Warning   Failed    it is not there\n"
        "    12s   Normal    Pulling   Pulling image\n")


# `since` and `until` are seconds from now
@pytest.mark.parametrize("blocker,shown", [
    ({"reason": "Starting", "text": "a sandbox is made"}, "Starting: a sandbox is made"),
    ({"reason": "Starting"}, "Starting"),
    ({"text": "waits"}, "waits"),
    ({"reason": "A", "text": "b", "since": -12}, "A: b (for 12s)"),
    ({"reason": "Stopping", "text": "b", "until": 36010}, "Stopping: b (ends in 10h)"),
    ({"reason": "A", "text": "b", "since": "yesterday", "until": True}, "A: b"),
    ({"reason": "A", "text": "b", "since": 100, "until": -100},
     "A: b (for 0s, ends in 0s)"),
    ({"reason": "A\x1b[2J", "container": "c\n", "text": "b\u009b"},
     "container c\\n: A\\x1b[2J: b\\xc2\\x9b"),
])
def test_blockers(why, blocker, shown):
    blocker = {name: ago(-value) if type(value) is int else value
               for name, value in blocker.items()}
    code, text = why(answer(pod(blockers=[blocker])), "web")
    assert (code, text) == (1, f"default/web-n1: not ready (Pending)\n  {shown}\n")


@pytest.mark.parametrize("document,code,shown", [
    (answer(pod(ready=True, phase="Running")), 0, "default/web-n1: ready\n"),
    (answer(pod(phase="Succeeded")), 0, "default/web-n1: completed\n"),
    (answer(pod(phase="Failed")), 1, "default/web-n1: not ready (Failed)\n"),
    (answer(pod(phase="")), 1, "default/web-n1: not ready (no phase yet)\n"),
    # what is ready and still has trouble, and what troubles the node
    (answer(pod(ready=True, blockers=[PULL]),
            node=[{"reason": "RuntimeDown", "text": "no socket"}]),
     1, "node:\n  RuntimeDown: no socket\ndefault/web-n1: ready\n"
        '  container web: ImagePullBackOff: Back-off pulling image "x": not found\n'),
    (answer(pod(ready=True), node=[{"reason": "RuntimeDown", "text": "no socket"}]),
     0, "default/web-n1: ready\n"),
])
def test_one_pod(why, document, code, shown):
    assert why(document, "web") == (code, shown)


@pytest.mark.parametrize("document,code,shown", [
    (answer(), 0, "nothing is blocked: 0 pods are ready or completed\n"),
    (answer(pod(ready=True)), 0, "nothing is blocked: 1 pod is ready or completed\n"),
    (answer(pod(ready=True), pod("b", phase="Succeeded")), 0,
     "nothing is blocked: 2 pods are ready or completed\n"),
    (answer(pod("a", ready=True), pod("b", blockers=[PULL])), 1,
     "default/b: not ready (Pending)\n"
     '  container web: ImagePullBackOff: Back-off pulling image "x": not found\n'),
    (answer(pod("a", ready=True), node=[{"reason": "Manifest", "text": "web.yaml:3: bad"}]), 1,
     "node:\n  Manifest: web.yaml:3: bad\n"),
])
def test_all_pods(why, document, code, shown):
    assert why(document) == (code, shown)
    assert why.request == {"command": "why"}


def test_json_is_the_answer_as_it_came(why):
    document = answer(pod(blockers=[PULL], events=[event("Failed", "no")]))
    code, text = why(document, "-o", "json", "web")
    assert code == 1 and json.loads(text) == document
    assert why(answer(pod(ready=True)), "-o", "json")[0] == 0


def test_an_unknown_pod(why):
    assert why([refusal('no pod "webb"; did you mean web?')], "webb") == (1, "")
    assert why.stderr == 'nodeagent why: no pod "webb"; did you mean web?\n'


@pytest.mark.parametrize("document,complaint", [
    ({}, 'the agent\'s answer has no "pods"; is it of another version?'),
    ({"pods": 3}, 'the agent\'s answer has no "pods"; is it of another version?'),
    ({"pods": [{"blockers": [{}], "events": [{"count": "x"}]}]},
     "the agent's answer cannot be read: items[0].count: must be"),
])
def test_answers_of_another_shape(why, document, complaint):
    code, text = why(document)
    assert (code, text) == (1, "")
    assert complaint in why.stderr


def test_a_strange_manifest_blocks_nothing(why):
    warning = {"reason": "ManifestWarning", "text": "web.yaml:3:1: spec.x: unknown field"}
    code, text = why(answer(node=[warning]))
    assert code == 0
    assert text == ("node:\n  ManifestWarning: web.yaml:3:1: spec.x: unknown field\n"
                    "nothing is blocked: 0 pods are ready or completed\n")
    assert why(answer(node=[warning, {**warning, "reason": "ManifestRefused"}]))[0] == 1


ADD = {"verb": "ADD", "file": "/c/10-\x1bweb.conflist", "usec": 43021, "plugins": [
    {"type": "bridge", "verb": "ADD", "usec": 30149, "failed": False},
    {"type": "portmap", "verb": "ADD", "usec": 12000, "failed": False}]}


def test_how_a_pod_got_its_network(why):
    code, text = why(answer({**pod(ready=True, phase="Running"), "network": ADD}), "web")
    assert (code, text) == (0, "default/web-n1: ready\n  network: /c/10-\\x1bweb.conflist, 43.0 ms "
                               "(bridge 30.1 ms, portmap 12.0 ms)\n")
    undone = {**ADD, "plugins": [*ADD["plugins"], {"type": "bridge", "verb": "DEL", "usec": 500}],
              "failure": {"code": 11, "plugin": "portmap", "message": "portmap: \x07later"}}
    text = why(answer({**pod(blockers=[PULL]), "network": undone}), "web")[1]
    assert "  network: /c/10-\\x1bweb.conflist, failed after 43.0 ms (bridge 30.1 ms, portmap " \
           "12.0 ms, bridge DEL 0.5 ms): portmap: \\x07later\n" in text
    for strange in (7, {}, {"plugins": [3, {}], "usec": "x", "failure": 5}):
        assert why(answer({**pod(ready=True), "network": strange}), "web")[0] == 0
