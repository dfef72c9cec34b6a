"""nodeagent cni add, check and del: an operator attaches namespaces by hand. Debian's plugins work
on a node that is a network namespace of the test's; plugins of the test's own misbehave."""

import json
import os
import re
import signal
import subprocess
import time

import pytest

from cni import PLUGINS
from cni_command import ARGS, RESULT, bridge, network, rows

PARTS = ["status", "list", "add", "check", "del", "gc"]
ESCAPE = "\x1b]0gone\x07\r\x1b[2J\x9b31m"  # hides a line, clears the screen, turns red
PORTMAP = {"type": "portmap", "capabilities": {"portMappings": True}}
PORTS = json.dumps({"portMappings": [
    {"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]})


# the life of an attachment


def test_with_real_plugins(cni, node):
    node.configure("10-net.conflist", network(bridge(node), PORTMAP))
    assert cni("status").stdout.startswith(b"ready: network net\n")
    result = json.loads(cni.attach("pod", "--args", ARGS, "--capabilities", PORTS).stdout)
    assert [entry["address"] for entry in result["ips"]] == ["10.1.0.2/24"]
    assert node.addresses(node.pod_path("pod")) == ["10.1.0.2"]
    assert node.rules("--dport 8080")
    assert rows(cni("list").stdout) == [
        ["NETWORK", "CNI", "COUNTS", "PLUGINS", "FILE"],
        ["net", "1.0.0", "yes", "bridge,portmap", str(node.directory / "conf/10-net.conflist")],
        [""],
        ["NETWORK", "CONTAINER", "INTERFACE", "POD", "ADDRESSES", "STATE", "NETNS", "WRITTEN-BY"],
        ["net", "pod", "eth0", "default/web", "10.1.0.2", "attached", "there", "nodeagent"]]
    # It goes as it was recorded, whatever the configuration says now.
    node.configure("10-net.conflist", network(bridge(node)))
    for part in ("del", "del"):
        assert cni(part, "--id", "pod").stdout == b""
    assert node.leftovers() == []
    assert node.rules("8080") == []


def test_check(cni, node):
    node.configure("10-net.conflist", network(bridge(node)))
    cni.attach()
    where = ["--netns", node.pod_path("pod"), "--id", "pod"]
    result = cni("check", *where)
    assert (result.stdout, result.stderr) == (b"", b"")
    node.inside(node.pod_path("pod"), "ip", "addr", "flush", "dev", "eth0")
    result = cni("check", *where, code=1)
    assert b'plugin type="bridge" name="net" failed (check)' in result.stderr
    cni("del", "--id", "pod")
    result = cni("check", *where, code=1)
    assert b"nothing is attached to container pod as eth0" in result.stderr
    assert node.leftovers() == []


def test_a_version_without_check(cni, node):
    node.configure("10-net.conflist", network(bridge(node), version="0.3.1"))
    cni.attach()
    result = cni("check", "--netns", node.pod_path("pod"), "--id", "pod", code=3)
    assert b"CNI 0.3.1 does not support the CHECK command" in result.stderr
    cni("del", "--id", "pod")
    assert node.leftovers() == []


def test_a_namespace_that_is_gone(cni, node):
    node.configure("10-net.conflist", network(bridge(node)))
    cni.attach()
    subprocess.run(["umount", node.pod_path("pod")], check=True)
    assert rows(cni("list").stdout)[-1][5:] == ["attached", "gone", "nodeagent"]
    cni("del", "--id", "pod")
    assert node.records() == node.reserved() == []


def test_nothing_recorded(cni, node):
    node.recorder("fake", RESULT)
    node.configure("10-net.conflist", network({"type": "fake"}))
    result = cni("del", "--id", "pod")
    assert b"nothing to undo is recorded of container pod as eth0" in result.stderr
    assert node.calls() == []
    assert cni("del", "--id", "pod", "--unrecorded").stderr == b""
    assert [call["verb"] for call in node.calls()] == ["DEL"]


# what add refuses


def test_the_hosts_own_namespace(cni, node):
    node.recorder("fake", RESULT)
    node.configure("10-net.conflist", network({"type": "fake"}))
    for path in (node.host, "/proc/self/ns/net"):
        result = cni("add", "--netns", path, "--id", "pod", "--ifname", "lo", code=1)
        assert f'the network namespace "{path}" is the host\'s'.encode() in result.stderr
    assert node.calls() == [] and node.records() == []


@pytest.mark.parametrize("path,text", [
    ("missing", '"/run/netns/missing" does not exist'),
    ("/missing", '"/missing" does not exist'),
    ("/etc", '"/etc" is not a network namespace'),
    ("/dev/null", '"/dev/null" is not a network namespace'),
])
def test_what_is_no_namespace(cni, node, path, text):
    node.recorder("fake", RESULT)
    node.configure("10-net.conflist", network({"type": "fake"}))
    assert text in cni("add", "--netns", path, "--id", "pod", code=1).stderr.decode()
    assert node.calls() == []


def test_a_namespace_that_is_attached_already(cni, node):
    """Under another id, too: undoing the failed ADD would take the first one's interface."""
    node.configure("10-net.conflist", network(bridge(node)))
    cni.attach()
    for name in ("pod", "other"):
        result = cni("add", "--netns", node.pod_path("pod"), "--id", name, code=1)
        assert b"has an interface eth0 already" in result.stderr
    assert node.addresses(node.pod_path("pod")) == ["10.1.0.2"]
    assert node.records() == ["net-pod-eth0"]
    # What leaves no interface is known by its record.
    node.recorder("fake", RESULT)
    node.configure("20-fake.conflist", network({"type": "fake"}, name="fake"))
    more = ["--ifname", "net1", "--network", "fake"]
    cni.attach("pod", *more)
    result = cni.attach("pod", *more, code=1)
    assert b"container pod is attached to network fake as net1 already" in result.stderr
    cni("del", "--id", "pod")
    cni("del", "--id", "pod", "--ifname", "net1")
    assert node.leftovers() == []


def test_a_name_of_ip_netns(cni, node):
    node.recorder("fake", RESULT)
    node.configure("10-net.conflist", network({"type": "fake"}))
    name = node.directory.name
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        cni("add", "--netns", name, "--id", "pod")
        assert node.calls()[0]["environment"]["CNI_NETNS"] == f"/run/netns/{name}"
        cni("del", "--id", "pod")
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)


def test_the_network(cni, node):
    node.recorder("fake", RESULT)
    result = cni.attach(code=3)
    assert b"no network is configured in " in result.stderr
    node.configure("00-bad.conflist", '{"name": "bad",\n "plugins": 7}')
    assert b"00-bad.conflist:2:13: plugins must be a list" in cni.attach(code=3).stderr
    node.configure("10-one.conflist", network({"type": "fake"}, name="one"))
    node.configure("20-two.conflist", network({"type": "fake"}, name="two"))
    result = cni.attach("pod", "--network", "three", code=3)
    assert b"there is no network three in " in result.stderr
    result = cni.attach("pod", "--network", "two")
    assert b"passed over: " in result.stderr and b"00-bad.conflist:2:13: " in result.stderr
    cni.attach("other")
    assert [call["stdin"]["name"] for call in node.calls()] == ["two", "one"]


# plugins that misbehave


def test_an_error_in_the_plugins_words(cni, node):
    node.plugin("fake", """#!/bin/sh
echo "first line" >&2
echo "second line" >&2
echo '{"code": 117, "msg": "no", "details": "not today"}'
exit 1
""")
    node.configure("10-net.conflist", network({"type": "fake"}))
    result = cni.attach(code=1)
    assert result.stdout == b""
    lines = result.stderr.decode().splitlines()
    assert lines[0].startswith('nodeagent cni add: plugin type="fake" name="net" failed (add): no')
    assert lines[1:] == ["  code 117", "  msg: no", "  details: not today",
                         "  stderr: first line", "  stderr: second line"]


def test_a_missing_program(cni, node):
    node.configure("10-net.conflist", network({"type": "fake"}))
    result = cni.attach(code=1)
    assert b'failed to find plugin "fake" in path [' in result.stderr


@pytest.mark.parametrize("verb,part", [("ADD", "add"), ("CHECK", "check"), ("DEL", "del"),
                                       ("STATUS", "status"), ("VERSION", "status")])
def test_a_hanging_plugin(cni, node, verb, part):
    node.plugin("fake", f"""#!/bin/sh
[ $CNI_COMMAND != {verb} ] || exec sleep 600
[ $CNI_COMMAND != VERSION ] || echo '{{"cniVersion":"1.1.0","supportedVersions":["1.1.0"]}}'
[ $CNI_COMMAND != ADD ] || echo '{json.dumps(RESULT)}'
""")
    node.configure("10-net.conflist", network({"type": "fake"}, version="1.1.0"))
    where = ["--netns", node.pod("pod"), "--id", "pod"]
    if part in ("check", "del"):
        cni("add", *where)
    began = time.monotonic()
    # who does not answer VERSION may do its work all the same
    result = cni(part, "--timeout", "1", *([] if part == "status" else where),
                 code=0 if verb == "VERSION" else 1)
    assert b"did not end within 1.0 s and was killed" in result.stdout + result.stderr
    assert time.monotonic() - began < 20


def test_a_command_that_was_killed(cni, node):
    """What it began is on record."""
    pid = node.directory / "run" / "pid"
    node.plugin("fake", f"""#!/bin/sh
[ $CNI_COMMAND = ADD ] || exit 0
echo $$ >{pid}.new
mv {pid}.new {pid}
exec sleep 60
""")
    node.configure("10-net.conflist", network({"type": "fake"}))
    words = cni.words("add", "--netns", node.pod("pod"), "--id", "pod")
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while not pid.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait()
    os.kill(int(pid.read_text()), signal.SIGKILL)
    assert rows(cni("list").stdout)[-1][4:] == ["<none>", "incomplete", "there", "nodeagent"]
    assert cni("gc").stdout == b"nothing is stale\n"
    cni("del", "--id", "pod")
    assert node.records() == []


@pytest.mark.parametrize("answer,knows_version", [
    ("garbage", None), ("", None), ("[]", False), ('{"cniVersion": "9.9.9"}', False),
    ('{"ips": [{"address": "x"}]}', False), ("\\377\\376", None),
    ('{"ips": [{"address": "10.1.2.3/24", "interface": 4}]}', False)])
def test_garbage(cni, node, answer, knows_version):
    node.plugin("fake", f"#!/bin/sh\nprintf '%b' '{answer}'\n")
    node.configure("10-net.conflist", network({"type": "fake"}))
    result = cni.attach(code=1)
    assert b'plugin type="fake" name="net" failed (add)' in result.stderr
    result.stderr.decode()
    shown = cni("status", code=1 if knows_version is False else 0).stdout
    assert b'plugin type="fake" name="net" failed (version)' in shown
    assert node.records() == []


HOSTILE = f"""#!/usr/bin/python3 -IS
import os, sys
text = {ESCAPE!r}
raw = text.encode() + b"\\x9b2J\\xff"
sys.stderr.buffer.write(raw + b"\\nline\\n")
"""


def hostile_words(node):
    yield "status", []
    yield "list", []
    yield "gc", ["--valid", "x"]
    yield "add", ["--netns", node.pod("other"), "--id", "other"]
    yield "check", ["--netns", node.pod_path("pod"), "--id", "pod"]
    yield "del", ["--id", "pod"]


@pytest.mark.parametrize("answer", [
    # an error object, an error that is none, a result, a result with escapes in its strings
    'import json; print(json.dumps({"code": 7, "msg": text, "details": text})); sys.exit(1)',
    "sys.stdout.buffer.write(raw); sys.exit(1)",
    "sys.stdout.buffer.write(raw)",
    'import json; print(json.dumps({"cniVersion": "1.0.0", "supportedVersions": ["1.0.0"], '
    '"dns": {"domain": text}, "interfaces": [{"name": text}]}, ensure_ascii=False))',
])
def test_escape_sequences_stay_off_the_terminal(cni, node, answer):
    """Nothing that a plugin or a file says moves the cursor or changes colours."""
    name = f"net{ESCAPE}"
    node.recorder("fake", RESULT)
    node.configure("10-net.conflist", network({"type": "fake"}))
    cni.attach("pod", "--args", f"K8S_POD_NAMESPACE={ESCAPE};K8S_POD_NAME={ESCAPE}")
    node.configure("00-bad.conflist", network({"type": "fake"}, name=name))
    node.configure(f"01-{ESCAPE}.conflist", "{")
    (node.directory / "cache" / "results" / f"x{ESCAPE}").write_text("{")
    node.plugin("fake", HOSTILE + answer + "\n")
    for part, words in hostile_words(node):
        for more in ([], ["--trace"]):
            seen = cni.on_terminal(part, *words, *more)
            plain = re.sub(rb"\x1b\[(3[123]|0)m", b"", seen)  # the colours of tables
            text = plain.decode().replace("\r\n", "\n")  # and it is UTF-8
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text), (part, text)


# what is traced


def test_a_trace_is_exact(cni, node):
    node.plugin("fake", f"""#!/usr/bin/python3 -IS
import os, sys
sys.stderr.buffer.write(b"raw \\x1b[1m \\xff")
if os.environ["CNI_COMMAND"] == "ADD":
    print('{json.dumps(RESULT)}')
""")
    node.configure("10-net.conflist", network({"type": "fake", "number": 12345678901234567890}))
    result = cni.attach("pod", "--trace", "--args", ARGS)
    assert json.loads(result.stdout) == RESULT
    lines = result.stderr.split(b"\n")
    program = node.directory / "bin" / "fake"
    assert re.fullmatch(rf"=== ADD by {program} for network net: succeeded in \d+\.\d ms",
                        lines[0].decode())
    stdin = (b'{"cniVersion":"1.0.0","name":"net","type":"fake","number":12345678901234567890}')
    assert lines[1:-1] == [
        b"--- environment", b"CNI_COMMAND=ADD", b"CNI_CONTAINERID=pod",
        b"CNI_NETNS=" + os.fsencode(node.pod_path("pod")), b"CNI_IFNAME=eth0",
        b"CNI_ARGS=" + ARGS.encode(), b"CNI_PATH=" + os.fsencode(node.directory / "bin") + b":"
        + os.fsencode(PLUGINS),
        b"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        b"--- stdin: %d bytes" % len(stdin), stdin,
        b"--- stdout: %d bytes" % (len(json.dumps(RESULT)) + 1), json.dumps(RESULT).encode(),
        b"--- stderr: 10 bytes", b"raw \x1b[1m \xff"]
    assert b"SECRET" not in result.stderr


def test_a_trace_of_a_failure(cni, node):
    node.recorder("one", RESULT)
    node.plugin("two", "#!/bin/sh\n[ $CNI_COMMAND != ADD ] || exit 9\n")
    node.configure("10-net.conflist", network({"type": "one"}, {"type": "two"}))
    result = cni.attach("pod", "--trace", code=1)
    steps = re.findall(r"^=== (\w+) by \S+/(\w+) for network net: (\S+)", result.stderr.decode(),
                       re.MULTILINE)
    assert steps == [("ADD", "one", "succeeded"), ("ADD", "two", "failed"),
                     ("DEL", "two", "succeeded"), ("DEL", "one", "succeeded")]
    assert b"failed with code 999" in result.stderr


# the command line


@pytest.mark.parametrize("arguments,text", [
    ([], "cni: say what: status, list, add, check, del or gc"),
    (["stauts"], 'cni: there is no "stauts"; did you mean status?'),
    (["x\x1b[2J"], 'cni: there is no "x?[2J"'),
    (["status", "-o", "yaml"], 'cni status: -o takes text or json, not "yaml"'),
    (["list", "-o", "text"], 'cni list: -o takes wide or json, not "text"'),
    (["add", "-o", "json"], "cni add: unknown option -o"),
    (["status", "--netns", "x"], "cni status: unknown option --netns"),
    (["add", "--unrecorded"], "cni add: unknown option --unrecorded"),
    (["status", "x"], 'cni status: unexpected argument "x"'),
    (["add", "--netns", "x"], "cni add: name the container with --id"),
    (["add", "--id", "x"], "cni add: name the network namespace with --netns"),
    (["check", "--id", "x"], "cni check: name the network namespace with --netns"),
    (["del"], "cni del: name the container with --id"),
    (["add", "--netns", "a/b"], 'cni add: --netns takes a name or an absolute path, not "a/b"'),
    (["add", "--netns", ""], "cni add: --netns takes a name or an absolute path"),
    (["add", "--capabilities", "{"], "cni add: --capabilities: "),
    (["add", "--capabilities", "[]"], "cni add: --capabilities takes an object, not a list"),
    (["gc", "--valid", "/x"], 'cni gc: --valid takes ID or ID/IFNAME, not "/x"'),
    (["gc", "--valid", "x/"], "cni gc: --valid takes ID or ID/IFNAME"),
    (["gc", "--valid", ""], "cni gc: --valid takes ID or ID/IFNAME"),
    (["gc", "--valid"], "cni gc: --valid needs a value"),
    (["status", "--timeout", "0"], 'cni status: --timeout takes seconds from 1 to 3600, not "0"'),
    (["status", "--timeout", "1m"], "cni status: --timeout takes seconds from 1 to 3600"),
    (["status", "--bin-dir", "a"], 'cni status: the directory of CNI plugins "a" must be an '),
    (["status", "--bin-dir", "/a:"], 'cni status: the directory of CNI plugins "" must be an '),
    (["status", "--bin-dir", ":".join(["/a"] * 17)],
     "cni status: there are more than 16 directories of plugins"),
])
def test_usage(nodeagent, arguments, text):
    result = nodeagent("cni", *arguments)
    assert result.returncode == 2
    assert result.stdout == b""
    said = result.stderr.decode().splitlines()
    assert said[0].startswith("nodeagent ") and text in said[0]
    known = arguments and arguments[0] in PARTS
    assert said[1] == f"Try: nodeagent cni {arguments[0] + ' ' if known else ''}--help"


def test_help(nodeagent):
    text = nodeagent("help", "cni").stdout.decode()
    assert text == nodeagent("cni", "--help").stdout.decode()
    for part in PARTS:
        assert f"\n  {part} " in text
        told = nodeagent("cni", part, "--help")
        assert told.returncode == 0
        lines = told.stdout.decode().splitlines()
        assert lines[0].startswith(f"Usage: nodeagent cni {part} ")
        assert all(len(line) <= 88 for line in lines)
        assert told.stdout == nodeagent("cni", part, "-h").stdout


@pytest.mark.parametrize("name,value,text", [
    ("--id", "a b", "the container id "), ("--ifname", "x" * 16, "the interface name "),
    ("--args", "A=B=C", "CNI_ARGS ")])
def test_names(cni, node, name, value, text):
    node.recorder("fake", RESULT)
    node.configure("10-net.conflist", network({"type": "fake"}))
    result = cni.attach("pod", name, value, code=1)
    assert result.stderr.decode().startswith(f"nodeagent cni add: {text}")
    assert result.stderr.endswith(b"\n  code 4\n")
    assert node.calls() == []
