"""What plugins that were killed, and lost records, leave on a node; and what a GC leaves of it."""

import random
import signal
import subprocess
import time

import pytest

import cni
from test_cni_chain import BANDWIDTH, PORTMAP, PORTS, RATES, bridge, network

RUNTIME = {"portMappings": PORTS, "bandwidth": RATES}


def lose_records(node):
    for path in (node.directory / "cache" / "results").glob("*"):
        path.unlink()


def test_check_25_what_nobody_has_a_record_of(node):
    node.configure("10-net.conflist", network(
        bridge(node, "10.1.0.0/24", "fd01::/64", ipMasq=True), PORTMAP, BANDWIDTH))
    node.add("lost", runtimeConfig=RUNTIME)
    node.add("lives", runtimeConfig={"bandwidth": RATES})
    kept = node.rules('id: \\"lives')
    lose_records(node)
    cni.run("umount", node.pod_path("lost"))
    assert node.collect("lost", "lives") == {}
    # An address of 5 minutes or less may be one of an ADD by somebody else.
    assert node.collect("lives") == {}
    assert len(node.rules('id: \\"lost')) == 10 and len(node.reserved()) == 4
    node.age()
    # Each family has a rule for its masquerading, and one for each protocol of the ports.
    assert node.collect("lives") == {"reservations": (2, 2), "rules": (6, 6)}
    assert node.reserved() == ["10.1.0.3", "fd01::3"]
    assert node.rules("8080") == [] and node.rules('id: \\"lost') == []
    assert node.rules('id: \\"lives') == kept and len(node.chains()) == 2
    assert len([name for name in node.interfaces() if name.startswith("bwp")]) == 1
    cni.run("umount", node.pod_path("lives"))
    assert node.collect() == {"reservations": (2, 2), "rules": (2, 2)}
    assert node.leftovers() == []
    assert node.collect() == {}


def test_networks_of_others_are_left_alone(node):
    """And those that forbid it."""
    node.configure("10-net.conflist", network(bridge(node, ipMasq=True), name="old"))
    node.add("one")
    lose_records(node)
    cni.run("umount", node.pod_path("one"))
    node.age()
    (node.directory / "conf" / "10-net.conflist").unlink()
    assert node.collect() == {}
    node.configure("10-net.conflist", network(bridge(node), name="new"))
    assert node.collect() == {}
    node.configure("10-net.conflist", network(bridge(node), name="old", disableGC=True))
    assert node.collect() == {}
    assert node.reserved() == ["10.1.0.2"] and len(node.chains()) == 1
    node.configure("10-net.conflist", network(bridge(node), name="old"))
    assert node.collect() == {"reservations": (1, 1), "rules": (1, 1)}
    assert node.leftovers() == []


def test_what_was_just_added_is_spared(node):
    """The runtime lists a sandbox only some time after the ADD."""
    node.configure("10-net.conflist", network(bridge(node, ipMasq=True)))
    node.add("new")
    assert node.collect(spareSeconds=300) == {}
    node.age()
    assert node.collect(spareSeconds=300) == {"attachments": (1, 1)}
    assert node.leftovers() == []


def test_a_failure_is_told_after_the_report(node):
    node.plugin("broken", "#!/bin/sh\n[ $CNI_COMMAND = DEL ] && exit 1\necho '{}'\n")
    node.configure("10-net.conflist", network({"type": "broken"}))
    node.add("one")
    process = node.start("GC", report=True, **{"cni.dev/valid-attachments": []})
    report, failure = process.communicate()[0].splitlines()
    assert process.returncode == 1
    assert '"attachments":{"stale":1,"deleted":0}' in report
    assert 'plugin type=\"broken\"' in failure.replace("\\", "")


def test_a_namespace_that_the_runtime_lost(node):
    """Only those under the runtimes' names, of what was deleted."""
    node.configure("10-net.conflist", network(bridge(node)))
    lost, other = [node.run_netns(name) for name in ("cni-natest-lost", "natest-other")]
    try:
        node.add("lost", netns=lost)
        node.add("other", netns=other)
        assert node.collect("lost", "other") == {}
        assert node.collect() == {"attachments": (2, 2), "namespaces": (1, 1)}
        assert not lost.exists() and other.exists()
        assert node.leftovers() == []
    finally:
        for path in (lost, other):
            subprocess.run(["umount", path], capture_output=True)
            path.unlink(missing_ok=True)


@pytest.mark.parametrize("verbs", [["ADD"], ["ADD", "DEL"]])
def test_kills_at_any_moment(node, verbs):
    """Whatever was under way, one GC when all has settled leaves nothing."""
    node.configure("10-net.conflist", network(
        bridge(node, "10.1.0.0/24", "fd01::/64", ipMasq=True), PORTMAP, BANDWIDTH))
    chance = random.Random(11)
    for number in range(16):
        name = f"pod-{number}"
        node.pod(name)
        for verb in verbs:
            process = node.start(verb, name, runtimeConfig=RUNTIME)
            time.sleep(chance.uniform(0, 0.4))
            process.send_signal(signal.SIGKILL)
            process.communicate()
        if chance.random() < 0.5:
            node.delete(name)
    time.sleep(0.5)  # what a killed plugin had started itself has ended by then
    node.age()
    node.collect()
    node.age()
    node.collect()
    assert node.leftovers() == []


# Kills the plugin that it stands for when it has started so many programs.
BROKEN_OFF = """#!/bin/sh
[ $CNI_COMMAND = {verb} ] || exec {plugins}/{name}
export PATH={directory}/shims:$PATH
exec {plugins}/{name}
"""

SHIM = """#!/bin/sh
echo >>{directory}/count
[ $(wc -l <{directory}/count) -ne $(cat {directory}/last) ] ||
    kill -9 $(cat {directory}/program) $PPID
exec /usr/sbin/{name} "$@"
"""


def break_off(node, plugin, verb):
    """The files: how many programs it has started, at which it is killed, and who else is then."""
    (node.directory / "shims").mkdir()
    for name in ("iptables", "ip6tables"):
        shim = node.directory / "shims" / name
        shim.write_text(SHIM.format(directory=node.directory, name=name))
        shim.chmod(0o755)
    node.plugin(plugin, BROKEN_OFF.format(plugins=cni.PLUGINS, name=plugin, verb=verb,
                                          directory=node.directory))
    node.configure("10-net.conflist", network(bridge(node, ipMasq=True), PORTMAP))
    files = [node.directory / name for name in ("count", "last", "program")]
    for path in files:
        path.write_text("")
    return files


@pytest.mark.parametrize("how", ["DEL", "GC"])
@pytest.mark.parametrize("plugin", ["bridge", "portmap"])
def test_a_deletion_that_is_broken_off_at_each_of_its_steps(node, plugin, how):
    """All that is at work is killed right before each of the programs that bridge or portmap
    start; another DEL follows, as runtimes do, or a GC."""
    count, last, program = break_off(node, plugin, "DEL")
    steps, finished = 0, False
    while not finished:
        steps += 1
        node.add(runtimeConfig={"portMappings": PORTS})
        count.write_text("")
        last.write_text(str(steps))
        program.unlink(missing_ok=True)
        process = node.start("DEL")
        program.write_text(str(process.pid))
        process.communicate()
        finished = process.returncode == 0
        last.write_text("0")
        if how == "DEL":
            node.delete()
        time.sleep(0.05)
        assert node.collect() in [{}, {"attachments": (1, 1)}]
        assert node.leftovers() == [], steps
    assert steps > 3


@pytest.mark.parametrize("verb", ["ADD", "DEL"])
def test_a_plugin_alone_that_is_killed_at_each_of_its_steps(node, verb):
    """nodeagent-cni lives, and calls the plugin again; of that nothing is left either."""
    count, last, _ = break_off(node, "bridge", verb)
    step = 0
    while step <= len(count.read_text()):
        step += 1
        node.pod("pod")
        count.write_text("")
        last.write_text(str(step))
        node.call("ADD", runtimeConfig={"portMappings": PORTS})
        node.delete()
        time.sleep(0.05)
        assert node.leftovers() == [], step
        cni.run("umount", node.pod_path("pod"))
    assert step > 3
