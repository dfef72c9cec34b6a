"""nodeagent cni status, list and gc: what an operator sees of networks, and what is cleaned up."""

import json
import os
import re
import subprocess
import time

import pytest

from cni import PLUGINS
from cni_command import ARGS, RESULT, bridge, network, rows


# status


def status(cni, code):
    return json.loads(cni("status", "-o", "json", code=code).stdout)


def test_files_in_their_order(cni, node):
    node.recorder("fake")
    node.plugin("fake", '#!/bin/sh\necho \'{"supportedVersions": ["0.4.0"]}\'\n')
    node.configure("00-us.conflist", network({"type": "nodeagent-cni"}, name="us"))
    node.configure("05-bad.conflist", '{"name": "bad",\n "plugins": []}')
    node.configure("10-net.conflist", network({"type": "fake"}, version="0.4.0"))
    node.configure("20-net.conflist", network({"type": "fake"}))
    node.configure("30-more.conflist", network({"type": "fake"}, name="more"))
    conf = node.directory / "conf"
    assert rows(cni("status").stdout) == [
        ["ready: network net"], [f"configuration: {conf}"],
        [f"programs: {node.directory}/bin:{PLUGINS}"], [""],
        ["FILE", "NETWORK", "CNI", "STATE"],
        ["00-us.conflist", "us", "1.0.0", "does not count: it is this project's own plugin"],
        ["05-bad.conflist", "<none>", "<none>",
         f"{conf}/05-bad.conflist:2:13: plugins must be a list of at least one plugin"],
        ["10-net.conflist", "net", "0.4.0", "counts"],
        ["20-net.conflist", "<none>", "<none>",
         f"{conf}/20-net.conflist: the network net is already in {conf}/10-net.conflist; "
         "one of them must go or be renamed"],
        ["30-more.conflist", "more", "1.0.0", "does not count"], [""],
        ["PLUGIN", "PROGRAM", "STATE"], ["fake", f"{node.directory}/bin/fake", "good"], [""],
        ["STATUS: plugins of CNI 0.4.0 do not know it"]]
    told = status(cni, 0)
    assert [file["counts"] for file in told["files"]] == [False, False, True, False, False]
    assert ["problem" in file for file in told["files"]] == [False, True, False, True, False]
    assert told["ready"] and "reason" not in told and told["status"] == {"asked": False}


def test_missing_programs(cni, node):
    node.configure("10-net.conflist", network(
        {"type": "bridge", "ipam": {"type": "nowhere"}}, {"type": "absent"}))
    told = status(cni, 1)
    assert [(part["type"], part["ipam"], part.get("program"), "failure" in part)
            for part in told["plugins"]] == [
        ("bridge", False, str(PLUGINS / "bridge"), False), ("nowhere", True, None, True),
        ("absent", False, None, True)]
    assert 'failed to find plugin "nowhere" in path' in told["reason"]
    text = cni("status", code=1).stdout.decode()
    assert text.startswith('not ready: plugin type="nowhere"')
    assert re.search(r"^nowhere \(ipam\) +<none> +missing$", text, re.MULTILINE)
    assert text.endswith("\nSTATUS: not asked\n")


def test_a_version_that_a_plugin_does_not_know(cni, node):
    node.configure("10-net.conflist", network({"type": "bridge"}, version="1.1.0"))
    told = status(cni, 1)
    assert "it does not know CNI 1.1.0" in told["plugins"][0]["failure"]["sentence"]


@pytest.mark.parametrize("verdict,code", [("", 0), (
    """echo '{"code": 50, "msg": "no route", "details": "yet"}'; exit 1""", 1)])
def test_what_plugins_say_of_themselves(cni, node, verdict, code):
    node.plugin("fake", f"""#!/bin/sh
case $CNI_COMMAND in
VERSION) echo '{{"supportedVersions": ["1.1.0"]}}' ;;
STATUS) {verdict or 'exit 0'} ;;
esac
""")
    node.configure("10-net.conflist", network({"type": "fake"}, version="1.1.0"))
    told = status(cni, code)
    assert told["ready"] == (code == 0) and told["status"]["asked"]
    if code:
        failure = told["status"]["failure"]
        assert (failure["code"], failure["message"], failure["details"]) == (50, "no route", "yet")
        assert told["reason"].startswith('STATUS: code 50: plugin type="fake"')
        assert b"\nSTATUS: code 50: " in cni("status", code=1).stdout
    else:
        assert b"\nSTATUS: all plugins are well\n" in cni("status").stdout


def test_no_configuration(cni, node):
    assert cni("status", code=1).stdout.startswith(b"not ready: no network is configured in ")
    assert status(cni, 1)["files"] == []
    (node.directory / "conf").chmod(0o777)
    result = cni("status", code=3)
    assert result.stdout == b"" and b"can be written by everybody" in result.stderr


# list


def test_a_list_of_all(cni, node):
    node.recorder("fake", RESULT)
    node.configure("10-net.conflist", network({"type": "fake"}))
    cni.attach("pod", "--args", ARGS)
    long = "0123456789abcdef" * 4
    cni("add", "--netns", node.pod(long), "--id", long)
    results = node.directory / "cache" / "results"
    entry = json.loads((results / "net-pod-eth0").read_text())
    del entry["nodeagent"], entry["result"]
    entry.update(containerId="c9", networkName="other", netns="/missing", nodeagentDeleting=True)
    (results / "any").write_text(json.dumps(entry))
    (results / "broken").write_text("{")
    told = json.loads(cni("list", "-o", "json").stdout)
    assert told["networks"] == [{"name": "net", "cniVersion": "1.0.0", "counts": True, "plugins": [
        "fake"], "file": str(node.directory / "conf" / "10-net.conflist")}]
    assert told["problems"] == [] and told["unreadable"] == ["broken"]
    assert told["attachments"] == [
        {"network": "net", "containerId": long, "ifName": "eth0", "addresses": ["10.1.2.3"],
         "complete": True, "deleting": False, "netns": str(node.pod_path(long)), "netnsGone": False, "ours": True,
         "file": f"net-{long}-eth0"},
        {"network": "net", "containerId": "pod", "ifName": "eth0", "pod": "default/web",
         "addresses": ["10.1.2.3"], "complete": True, "deleting": False,
         "netns": str(node.pod_path("pod")), "netnsGone": False, "ours": True, "file": "net-pod-eth0"},
        {"network": "other", "containerId": "c9", "ifName": "eth0", "pod": "default/web",
         "addresses": [], "complete": False, "deleting": True, "netns": "/missing",
         "netnsGone": True, "ours": False, "file": "any"}]
    result = cni("list")
    assert rows(result.stdout)[4:] == [
        ["net", long[:13], "eth0", "<none>", "10.1.2.3", "attached", "there", "nodeagent"],
        ["net", "pod", "eth0", "default/web", "10.1.2.3", "attached", "there", "nodeagent"],
        ["other", "c9", "eth0", "default/web", "<none>", "deleting", "gone", "other"]]
    assert f"{results}/broken: is no record of an attachment" in result.stderr.decode()
    assert rows(cni("list", "-o", "wide").stdout)[4][1::7] == [long, str(node.pod_path(long))]


def test_an_empty_node(cni, node):
    result = cni("list", "--cache-dir", node.directory / "nothing")
    assert (result.stdout, result.stderr) == (b"", b"")
    assert not (node.directory / "nothing").exists()


# gc


def test_what_has_lost_its_namespace(cni, node):
    node.configure("10-net.conflist", network(bridge(node, ipMasq=True)))
    for pod in ("lives", "dead"):
        cni.attach(pod, "--args", ARGS)
    assert cni("gc").stdout == b"nothing is stale\n"
    subprocess.run(["umount", node.pod_path("dead")], check=True)
    assert cni("gc", "--dry-run").stdout == b"would be deleted: net dead eth0 default/web\n"
    assert len(node.records()) == 2
    told = json.loads(cni("gc", "--dry-run", "-o", "json").stdout)
    nothing = {"stale": 0, "deleted": 0}
    assert told == {"dryRun": True, "stale": [
        {"network": "net", "containerId": "dead", "ifName": "eth0", "pod": "default/web",
         "netns": str(node.pod_path("dead")), "deleted": False}],
        "namespaces": nothing, "reservations": nothing, "rules": nothing}
    # A bridge that is not shown a namespace leaves its rules.
    assert cni("gc").stdout == b"deleted: net dead eth0 default/web\nrules: 1 stale, 1 deleted\n"
    assert node.records() == ["net-lives-eth0"]
    assert node.reserved() == ["10.1.0.2"]
    cni("del", "--id", "lives")
    assert node.leftovers() == []


def test_all_but_those_that_are_named(cni, node):
    node.recorder("fake", RESULT)
    node.configure("10-net.conflist", network({"type": "fake"}, version="1.1.0"))
    for ifname in ("eth0", "net1"):
        for pod in ("one", "two", "three"):
            cni.attach(pod, "--ifname", ifname)
    before = len(node.calls())
    valid = ["--valid", "one", "--valid", "two/net1"]
    assert cni("gc", "--dry-run", *valid).stdout.count(b"would be deleted: ") == 3
    assert len(node.calls()) == before
    told = json.loads(cni("gc", "-o", "json", *valid).stdout)
    assert sorted((item["containerId"], item["ifName"]) for item in told["stale"]) == [
        ("three", "eth0"), ("three", "net1"), ("two", "eth0")]
    assert all(item["deleted"] for item in told["stale"])
    assert node.records() == ["net-one-eth0", "net-one-net1", "net-two-net1"]
    last = node.calls()[-1]
    assert last["verb"] == "GC"
    assert sorted((item["containerID"], item["ifname"])
                  for item in last["stdin"]["cni.dev/valid-attachments"]) == [
        ("one", "eth0"), ("one", "net1"), ("two", "net1")]


def test_what_nobody_has_recorded(cni, node):
    """It may live, so that only who names all that lives sweeps it."""
    node.configure("10-net.conflist", network(bridge(node, ipMasq=True)))
    cni.attach()
    subprocess.run(["umount", node.pod_path("pod")], check=True)
    (node.directory / "cache" / "results" / "net-pod-eth0").unlink()
    assert cni("gc", "--valid", "x").stdout == b"nothing is stale\n"  # it may just be begun
    age = time.time() - 600
    os.utime(node.directory / "reserved" / "net" / "10.1.0.2", (age, age))
    assert cni("gc").stdout == b"nothing is stale\n"
    assert cni("gc", "--dry-run", "--valid", "x").stdout == (
        b"reservations: 1 stale, 0 deleted\nrules: 1 stale, 0 deleted\n")
    told = json.loads(cni("gc", "-o", "json", "--valid", "x").stdout)
    assert told["stale"] == [] and told["reservations"] == told["rules"] == {
        "stale": 1, "deleted": 1}
    assert node.leftovers() == []


def test_what_cannot_be_deleted(cni, node):
    node.recorder("fake", RESULT)
    node.configure("10-net.conflist", network({"type": "fake"}))
    for pod in ("one", "two"):
        cni.attach(pod)
        subprocess.run(["umount", node.pod_path(pod)], check=True)
    node.plugin("fake", "#!/bin/sh\n[ $CNI_CONTAINERID = two ] || { echo no >&2; exit 1; }\n")
    result = cni("gc", code=1)
    lines = sorted(result.stdout.decode().splitlines())
    assert lines[0] == "deleted: net two eth0"
    assert lines[1].startswith('not deleted: net one eth0: plugin type="fake"')
    assert b"  stderr: no\n" in result.stderr
    assert node.records() == ["net-one-eth0"]


def test_without_a_configuration(cni, node):
    node.recorder("fake", RESULT)
    node.configure("10-net.conflist", network({"type": "fake"}))
    cni.attach()
    (node.directory / "conf" / "10-net.conflist").unlink()
    subprocess.run(["umount", node.pod_path("pod")], check=True)
    assert cni("gc").stdout == b"deleted: net pod eth0\n"
    assert b"there is no network x in" in cni("gc", "--network", "x", code=3).stderr
