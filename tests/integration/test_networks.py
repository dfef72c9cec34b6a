"""The agent and the network that it does not run itself: is it ready, if not why, how long did its
plugins take, and what does it leave behind?"""

import datetime
import json
import os
import time

import pytest

import agent as agents
import cni
import places
import runtime
from conftest import BUILD
from specs import pod

SPARE_SECONDS = 300


@pytest.fixture(scope="module", params=["1.6", "2"], ids="containerd-{}".format)
def networked(request):
    """An agent, and a containerd that calls nodeagent-cni."""
    node = cni.Node(BUILD.resolve() / "cni" / "nodeagent-cni")
    try:
        with runtime.private(request.param) as containerd:
            agent = agents.Agent(containerd, BUILD)
            cni.put_between(containerd, node, agentSocket=str(agent.run / "cni.sock"))
            try:
                agent.start()
                agent.wait(lambda: "the runtime calls nodeagent-cni" in agent.log(), "the runtime")
                yield agent, node
                agent.stop()
            finally:
                agent.kill()
    finally:
        node.remove()


def why_node(agent):
    return json.loads(agent.command("why", "-o", "json", check=False).stdout)["node"]


def trouble(agent):
    return [blocker["text"] for blocker in why_node(agent)["blockers"]
            if blocker["reason"] == "NetworkNotReady"]


def wait_trouble(agent, *words):
    agent.wait(lambda: any(all(word in text for word in words) for text in trouble(agent)),
               f"a network that is not ready: {words}")


def wait_well(agent):
    agent.wait(lambda: not trouble(agent), "a network that is ready")


def real_network(agent, node):
    path, = (node.directory / "conf").glob("*.conflist")
    return path, json.loads(path.read_text())


def test_no_network_yet(networked):
    agent, node = networked
    path, network = real_network(agent, node)
    wait_well(agent)
    path.rename(node.directory / "away")
    wait_trouble(agent, "no network is configured in ", str(node.directory / "conf"), "(code 50)")
    agent.add(pod("early"))
    agent.wait(lambda: "early" in agent.pods(), "the pod")
    blocker, = agent.wait(lambda: agent.why("early")["pods"][0]["blockers"], "what blocks it")
    assert blocker["reason"] == "NetworkNotReady"
    assert agent.wait_event("early", "NetworkNotReady: network is not ready: ")
    began = time.monotonic()
    (node.directory / "away").rename(path)
    wait_well(agent)
    assert time.monotonic() - began < 2, "a change of the directory is seen at once"
    agent.wait_ready("early")
    agent.remove("early")
    agent.wait_gone("early")


def test_a_plugin_that_is_not_there(networked):
    agent, node = networked
    path, network = real_network(agent, node)
    node.configure(path.name, {**network, "plugins": [*network["plugins"], {"type": "absent"}]})
    wait_trouble(agent, 'failed to find plugin "absent"', "(code 50)")
    node.configure(path.name, network)
    wait_well(agent)


def test_a_wrong_file(networked):
    agent, node = networked
    path, network = real_network(agent, node)
    text = path.read_text()
    node.configure(path.name, text[:-20])
    wait_trouble(agent, f"{path}:1:")
    node.configure(path.name, network)
    wait_well(agent)


def test_a_plugin_that_says_it_is_not_ready(networked):
    agent, node = networked
    path, network = real_network(agent, node)
    node.plugin("moody", f"""#!/bin/sh
case $CNI_COMMAND in
VERSION) echo '{{"cniVersion": "1.1.0", "supportedVersions": ["1.0.0", "1.1.0"]}}' ;;
STATUS) [ -e {node.directory}/well ] || {{ echo '{{"code": 51, "msg": "no route"}}'; exit 1; }} ;;
esac
""")
    node.configure("00-moody.conflist", {"cniVersion": "1.1.0", "name": "moody",
                                         "plugins": [{"type": "moody"}]})
    wait_trouble(agent, "moody", "no route", "(code 51)")
    (node.directory / "well").touch()
    wait_well(agent)
    assert why_node(agent)["networkFile"].endswith("/00-moody.conflist")
    (node.directory / "conf" / "00-moody.conflist").unlink()
    agent.wait(lambda: why_node(agent)["networkFile"] == str(path), "the network of before")


def test_how_long_plugins_took(networked):
    agent, node = networked
    path, network = real_network(agent, node)
    agent.add(pod("timed"))
    agent.wait_ready("timed")
    told = agent.why("timed")["pods"][0]["network"]
    assert (told["verb"], told["file"], told["network"]) == ("ADD", str(path), network["name"])
    types = [plugin["type"] for plugin in network["plugins"]]
    assert [plugin["type"] for plugin in told["plugins"]] == types
    assert 0 < sum(plugin["usec"] for plugin in told["plugins"]) <= told["usec"]
    text = agent.command("why", f"timed-{agent.node}").stdout
    assert f"  network: {path}, " in text and f" ({types[0]} " in text and " ms" in text
    agent.remove("timed")
    agent.wait_gone("timed")
    counted = {(entry["plugin"], entry["verb"]): entry
               for entry in why_node(agent)["networkPlugins"]}
    for kind in types:
        for verb in ("ADD", "DEL"):
            entry = counted[kind, verb]
            assert entry["calls"] >= 1 and 0 < entry["longest"] <= entry["seconds"]


def test_an_add_that_fails_is_told_with_its_plugin(networked):
    agent, node = networked
    path, network = real_network(agent, node)
    node.plugin("breaks", """#!/bin/sh
case $CNI_COMMAND in
VERSION) echo '{"cniVersion": "1.0.0", "supportedVersions": ["0.4.0", "1.0.0"]}' ;;
ADD) echo '{"code": 120, "msg": "out of cables"}'; exit 1 ;;
esac
""")
    node.configure(path.name, {**network, "plugins": [*network["plugins"], {"type": "breaks"}]})
    agent.add(pod("broken"))
    failed = agent.wait(lambda: (agent.why("broken")["pods"][0].get("network") or {}).get("failure"),
                        "an ADD that failed")
    assert (failed["code"], failed["plugin"]) == (120, "breaks")
    text = agent.command("why", f"broken-{agent.node}", check=False).stdout
    assert "failed after " in text and "out of cables" in text
    assert agent.wait_event("broken", "FailedCreatePodSandBox: ")
    node.configure(path.name, network)
    agent.wait_ready("broken", seconds=60)
    agent.remove("broken")
    agent.wait_gone("broken")
    assert node.records() == []


def test_a_plugin_that_hangs_is_one_event_that_counts(networked):
    agent, node = networked
    path, network = real_network(agent, node)
    hangs = "#!/bin/sh\n[ $CNI_COMMAND != ADD ] || exec sleep 600\n"
    own = {"agentSocket": str(agent.run / "cni.sock")}
    node.plugin("hangs", hangs)
    node.configure(path.name, {**network, "plugins": [*network["plugins"], {"type": "hangs"}]})
    cni.write_list(agent.containerd, node, timeLimitSeconds=1, **own)

    def failures():
        return [event for event in agent.events("stuck")
                if event["reason"] == "FailedCreatePodSandBox"]

    agent.add(pod("stuck"))
    event, = agent.wait(lambda: failures() if failures() and failures()[0]["count"] >= 3 else None,
                        "three attempts")
    assert "did not end within 1.0 s and was killed" in event["message"]
    first, last = [datetime.datetime.fromisoformat(event[name])
                   for name in ("firstTimestamp", "lastTimestamp")]
    assert (last - first).total_seconds() >= 3, "attempts have pauses between them"
    node.plugin("hangs", hangs.replace("exec sleep 600", "cat >/dev/null"))
    node.configure(path.name, network)
    cni.write_list(agent.containerd, node, **own)
    agent.wait_ready("stuck", seconds=60)
    agent.remove("stuck")
    agent.wait_gone("stuck")
    assert node.records() == []


def test_what_was_left_is_collected(networked):
    """Of sandboxes that nobody knows any more, but not what may still be in the making."""
    agent, node = networked
    agent.add(pod("stays"))
    agent.wait_ready("stays")
    agent.stop()
    kept = node.records()
    ages = {"old": 2 * SPARE_SECONDS, "new": 0}
    namespaces = {name: node.run_netns(f"cni-{node.directory.name}-{name}") for name in ages}
    try:
        for name, age in ages.items():
            agent.command("cni", "add", "--netns", str(namespaces[name]), "--id",
                          f"{node.directory.name}-{name}", "--conf-dir", str(node.directory / "conf"),
                          "--bin-dir", f"{node.directory}/bin:{cni.PLUGINS}",
                          "--cache-dir", str(node.directory / "cache"), run_dir=False)
            made, = set(node.records()) - set(kept)
            kept = node.records()
            path = node.directory / "cache" / "results" / made
            os.utime(path, (time.time() - age,) * 2)
        agent.start()
        agent.wait(lambda: len(node.records()) == 2, "the older one to be collected")
        assert any("-new-" in name for name in node.records())
        agent.wait(lambda: "1 attachments" in agent.log(), "to be told")
        assert agents.is_ready(agent.pod("stays"))
    finally:
        agent.command("cni", "gc", "--cache-dir", str(node.directory / "cache"), "--conf-dir",
                      str(node.directory / "conf"), "--bin-dir",
                      f"{node.directory}/bin:{cni.PLUGINS}", check=False, run_dir=False)
        for path in namespaces.values():
            if path.exists():
                cni.run("umount", path)
                path.unlink()
    agent.remove("stays")
    agent.wait_gone("stays")


def test_a_runtime_with_networks_of_its_own_is_left_alone():
    with runtime.private("2") as containerd:
        agent = agents.Agent(containerd, BUILD)
        try:
            agent.start()
            agent.add(pod("plain"))
            agent.wait_ready("plain")
            assert why_node(agent)["networkFile"] == ""
            assert "network" not in agent.why("plain")["pods"][0]
            assert "nodeagent-cni" not in agent.log()
            (containerd.directory / "cni/conf/10-bridge.conflist").unlink()
            wait_trouble(agent, "reason:NetworkPluginNotReady")
            agent.stop()
        finally:
            agent.kill()
