"""nodeagent ps: what it says of pods, with a stand-in for the agent."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import time

import pytest

from agent_socket import OK, AgentSocket, ago, line


def container(name, state=None, ready=False, restarts=0, started=None, last=None):
    status = {"name": name, "image": f"example/{name}:1", "imageID": "", "ready": ready,
              "restartCount": restarts, "state": state or {}, "lastState": last or {}}
    return status if started is None else {**status, "started": started}


def running():
    return {"running": {"startedAt": ago(60)}}


def waiting(reason):
    return {"waiting": {"reason": reason} if reason else {}}


def ended(code, reason=None, number=0, seconds=30):
    state = {"exitCode": code, "startedAt": ago(seconds + 1), "finishedAt": ago(seconds)}
    if reason:
        state["reason"] = reason
    if number:
        state["signal"] = number
    return {"terminated": state}


def uid_of(name, namespace="default"):
    """Those of one namespace begin alike."""
    return f"{namespace:a<8.8}-0000-4000-8000-{sum(name.encode()):012x}".replace(" ", "a")


def pod(name="web-n1", namespace="default", containers=(), init=(), phase="Running", sidecars=(),
        age=5 * 86400, conditions=(), metadata=None, status=None):
    def spec_of(items):
        return [{"name": item["name"], "image": item["image"],
                 **({"restartPolicy": "Always"} if item["name"] in sidecars else {})}
                for item in items]

    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace,
                         "uid": uid_of(name, namespace),
                         "creationTimestamp": ago(age), **(metadata or {})},
            "spec": {"nodeName": "n1", "containers": spec_of(containers),
                     **({"initContainers": spec_of(init)} if init else {})},
            "status": {"phase": phase, "containerStatuses": list(containers),
                       "initContainerStatuses": list(init),
                       "conditions": [{"type": kind, "status": value, **more}
                                      for kind, value, more in conditions],
                       **(status or {})}}


def pod_list(*pods):
    return {"apiVersion": "v1", "kind": "PodList", "metadata": {"resourceVersion": "0"},
            "items": list(pods)}


@pytest.fixture
def ps(nodeagent, tmp_path):
    """ps(pods, argument...): the program's result."""
    def run(pods, *arguments, **options):
        with AgentSocket(tmp_path, {"ps": [OK, line(pod_list(*pods))]}):
            result = nodeagent("ps", "--run-dir", tmp_path, *arguments, **options)
        os.unlink(tmp_path / "nodeagent.sock")
        return result

    return run


def cells(result):
    """Rows of a table as lists, headers first."""
    assert result.stderr == b""
    return [re.split(r"   +", row) for row in result.stdout.decode().splitlines()]


WEB = pod(containers=[container("web", running(), ready=True)],
          conditions=[("Ready", "True", {})], status={"podIP": "10.1.0.5",
                                                      "podIPs": [{"ip": "10.1.0.5"}]})


def test_a_table_like_kubectls(ps):
    result = ps([WEB, pod("db-n1", "shop", [container("db", waiting("ContainerCreating"))],
                          phase="Pending", age=3 * 86400)])
    assert result.returncode == 0
    assert result.stdout.decode() == (
        "NAMESPACE   NAME     READY   STATUS              RESTARTS   AGE\n"
        "default     web-n1   1/1     Running             0          5d\n"
        "shop        db-n1    0/1     ContainerCreating   0          3d\n")
    assert result.stderr == b""


def test_wide(ps):
    result = ps([pod("a-n1", containers=[container("x"), container("y")], phase="Pending"), WEB],
                "-o", "wide")
    rows = cells(result)
    assert rows[0][6:] == ["IP", "NODE", "UID", "IMAGES"]
    assert rows[1][6:] == ["<none>", "n1", uid_of("a-n1"), "example/x:1,example/y:1"]
    assert rows[2][6:8] == ["10.1.0.5", "n1"]


def test_rows_are_sorted(ps):
    names = [("b", "z"), ("a", "z"), ("a", "b"), ("b", "a")]
    rows = cells(ps([pod(name, space) for space, name in names]))
    assert [(row[0], row[1]) for row in rows[1:]] == sorted(names)


def test_no_pods_is_an_empty_table(ps):
    assert cells(ps([])) == [["NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE"]]


def test_json_is_the_list_as_it_came(ps):
    other = pod("öther-n1")
    result = ps([WEB, other], "-o", "json")
    assert json.loads(result.stdout) == pod_list(WEB, other)
    assert result.stdout.startswith(b'{\n  "apiVersion": "v1",\n')
    assert json.loads(ps([WEB, other], "-o", "json", "öther").stdout) == pod_list(other)


@pytest.mark.parametrize("wanted,found", [
    (["web-n1"], ["default/web-n1", "shop/web-n1"]),
    (["web"], ["default/web-n1", "shop/web-n1"]),
    (["default/web"], ["default/web-n1"]),
    (["default/web-n1", "shop/webs"], ["default/web-n1", "shop/webs-n1"]),
    ([uid_of("webs-n1", "shop")], ["shop/webs-n1"]),
    (["shopaaaa"], ["shop/web-n1", "shop/webs-n1"]),
])
def test_pods_by_name(ps, wanted, found):
    pods = [WEB, pod("web-n1", "shop"), pod("webs-n1", "shop")]
    assert [f"{row[0]}/{row[1]}" for row in cells(ps(pods, *wanted))[1:]] == found


@pytest.mark.parametrize("wanted", ["we", "web-n2", "n1", "shop/web", "/web", "default/", "defau"])
def test_unknown_pods_are_named(ps, wanted):
    result = ps([WEB], wanted, "web-n1")
    assert result.returncode == 1
    assert b"web-n1" in result.stdout
    assert result.stderr.decode() == f'nodeagent ps: no pod "{wanted}" on this node\n'


# STATUS, READY and RESTARTS: the words of kubectl's printer

DONE = ended(0, "Completed")
STATUS = [
    # STATUS, READY, RESTARTS, pod
    ("Pending", "0/1", "0", pod(phase="Pending", containers=[container("a")])),
    ("Evicted", "0/1", "0", pod(phase="Failed", containers=[container("a")],
                                status={"reason": "Evicted", "containerStatuses": []})),
    ("SchedulingGated", "0/0", "0",
     pod(phase="Pending",
         conditions=[("PodScheduled", "False", {"reason": "SchedulingGated"})])),
    ("ContainerCreating", "0/1", "0",
     pod(phase="Pending", containers=[container("a", waiting("ContainerCreating"))])),
    ("Running", "1/2", "0", pod(containers=[container("a", running(), ready=True),
                                            container("b", running())])),
    ("CrashLoopBackOff", "0/1", "3 (30s ago)",
     pod(containers=[container("a", waiting("CrashLoopBackOff"), restarts=3, last=ended(1))])),
    ("ImagePullBackOff", "1/2", "0",
     pod(phase="Pending", containers=[container("a", waiting("ImagePullBackOff")),
                                      container("b", running(), ready=True)])),
    # the first container has the last word
    ("ErrImagePull", "0/2", "0",
     pod(phase="Pending", containers=[container("a", waiting("ErrImagePull")),
                                      container("b", waiting("ImagePullBackOff"))])),
    ("Completed", "0/1", "0", pod(phase="Succeeded", containers=[container("a", DONE)])),
    ("Error", "0/1", "0", pod(phase="Failed", containers=[container("a", ended(2, "Error"))])),
    ("OOMKilled", "0/1", "1 (5m ago)",
     pod(containers=[container("a", ended(137, "OOMKilled"), restarts=1,
                               last=ended(137, "OOMKilled", seconds=300))])),
    ("ExitCode:3", "0/1", "0", pod(phase="Failed", containers=[container("a", ended(3))])),
    ("Signal:9", "0/1", "0",
     pod(phase="Failed", containers=[container("a", ended(137, number=9))])),
    # one has ended, another runs
    ("NotReady", "1/2", "0", pod(containers=[container("a", DONE),
                                             container("b", running(), ready=True)])),
    ("Running", "1/2", "0", pod(containers=[container("a", DONE),
                                            container("b", running(), ready=True)],
                                conditions=[("Ready", "True", {})])),
    ("Error", "1/2", "0", pod(containers=[container("a", ended(1, "Error")),
                                          container("b", running(), ready=True)])),
    # init containers
    ("Init:0/2", "0/1", "0",
     pod(phase="Pending", containers=[container("a", waiting("PodInitializing"))],
         init=[container("i", waiting("PodInitializing")),
               container("j", waiting("PodInitializing"))])),
    ("Init:1/2", "0/1", "0",
     pod(phase="Pending", containers=[container("a", waiting("PodInitializing"))],
         init=[container("i", DONE, ready=True), container("j", running())])),
    ("PodInitializing", "0/1", "0",
     pod(phase="Pending", containers=[container("a", waiting("PodInitializing"))],
         init=[container("i", DONE, ready=True)])),
    ("Init:ImagePullBackOff", "0/1", "0",
     pod(phase="Pending", containers=[container("a", waiting("PodInitializing"))],
         init=[container("i", waiting("ImagePullBackOff"))])),
    ("Init:CrashLoopBackOff", "0/1", "4 (10s ago)",
     pod(phase="Pending", containers=[container("a", waiting("PodInitializing"))],
         init=[container("i", waiting("CrashLoopBackOff"), restarts=4,
                         last=ended(1, "Error", seconds=10))])),
    ("Init:Error", "0/1", "0",
     pod(phase="Pending", containers=[container("a", waiting("PodInitializing"))],
         init=[container("i", ended(1, "Error"))])),
    ("Init:ExitCode:4", "0/1", "0",
     pod(phase="Pending", containers=[container("a")], init=[container("i", ended(4))])),
    ("Init:Signal:11", "0/1", "0",
     pod(phase="Pending", containers=[container("a")],
         init=[container("i", ended(139, number=11))])),
    # restarts of init containers no longer count once they are through
    ("Running", "1/1", "0",
     pod(containers=[container("a", running(), ready=True)],
         init=[container("i", DONE, ready=True, restarts=2, last=ended(1))])),
    # sidecars
    ("Init:0/2", "0/2", "0",
     pod(phase="Pending", sidecars=["s"], containers=[container("a", waiting("PodInitializing"))],
         init=[container("s", running(), started=False),
               container("i", waiting("PodInitializing"))])),
    ("Init:1/2", "1/2", "0",
     pod(phase="Pending", sidecars=["s"], containers=[container("a", waiting("PodInitializing"))],
         init=[container("s", running(), ready=True, started=True), container("i", running())])),
    ("Running", "2/2", "3 (7s ago)",
     pod(sidecars=["s"], containers=[container("a", running(), ready=True, restarts=1,
                                               last=ended(1, seconds=40))],
         init=[container("s", running(), ready=True, started=True, restarts=2,
                         last=ended(1, seconds=7)),
               container("i", DONE, restarts=5, last=ended(1, seconds=1))])),
    # a sidecar that crashes has the last word, also in a pod that is initialised
    ("Init:CrashLoopBackOff", "1/2", "1 (7s ago)",
     pod(sidecars=["s"], conditions=[("Initialized", "True", {})],
         containers=[container("a", running(), ready=True)],
         init=[container("s", waiting("CrashLoopBackOff"), restarts=1,
                         last=ended(1, seconds=7))])),
    # deletion
    ("Terminating", "1/1", "0",
     pod(containers=[container("a", running(), ready=True)],
         metadata={"deletionTimestamp": ago(5)})),
    ("Unknown", "1/1", "0",
     pod(containers=[container("a", running(), ready=True)], status={"reason": "NodeLost"},
         metadata={"deletionTimestamp": ago(5)})),
    ("Completed", "0/1", "0",
     pod(phase="Succeeded", containers=[container("a", DONE)],
         metadata={"deletionTimestamp": ago(5)})),
    # nothing is known yet
    ("", "0/1", "0", pod(phase="", containers=[container("a")], status={"containerStatuses": []})),
]


@pytest.mark.parametrize("status,ready,restarts,of", STATUS)
def test_status(ps, status, ready, restarts, of):
    row = ps([of]).stdout.decode().splitlines()
    place = row[0].index("STATUS")
    assert row[1][row[0].index("READY"):place].strip() == ready
    assert row[1][place:row[0].index("RESTARTS")].strip() == status
    found = row[1][row[0].index("RESTARTS"):row[0].index("AGE")].strip()
    # Time passes between writing the table of pods and showing one.
    assert found == restarts or found.split("(")[0] == restarts.split("(")[0] and "ago)" in found


@pytest.mark.parametrize("seconds,shown", [
    (-3600, "<invalid>"), (0, "0s"), (59, "59s"), (119, "119s"), (120, "2m"), (200, "3m20s"),
    (599, "9m59s"), (660, "11m"), (10799, "179m"), (10800, "3h"), (11400, "3h10m"), (30000, "8h"),
    (171000, "47h"), (172800, "2d"), (180000, "2d2h"), (691200, "8d"), (40000000, "462d"),
    (63072000, "2y"), (70000000, "2y80d"), (260000000, "8y"),
])
def test_ages_read_like_kubectls(ps, seconds, shown):
    # What is written has whole seconds, and the clock may go on to the next one.
    for _ in range(10):
        before = int(time.time())
        found = cells(ps([pod(age=int(seconds))]))[1][-1]
        if int(time.time()) == before:
            break
    assert found == shown


def test_a_pod_without_times(ps):
    bare = {"metadata": {"name": "a"}, "spec": {"containers": [{"name": "a"}]}}
    assert ps([bare]).stdout.decode() == (
        "NAMESPACE   NAME   READY   STATUS   RESTARTS   AGE\n"
        "            a      0/1              0          <unknown>\n")


def test_a_static_pod_is_as_old_as_its_start(ps):
    static = pod(age=100)
    del static["metadata"]["creationTimestamp"]
    assert cells(ps([static]))[1][-1] == "<unknown>"
    static["status"]["startTime"] = ago(7200 + 60)
    assert cells(ps([static]))[1][-1] == "121m"


# text from pods


def test_text_is_made_safe_for_terminals(ps):
    evil = pod("web\x1b[31m\n\u009b2J", containers=[
        container("a", waiting("\x1b]0;gotcha\x07\u202e"))], phase="Pending")
    result = ps([evil])
    assert b"\x1b" not in result.stdout and b"\xc2\x9b" not in result.stdout
    assert len(result.stdout.splitlines()) == 2
    assert b"web\\x1b[31m\\n\\xc2\\x9b2J" in result.stdout
    raw = ps([evil], "-o", "json")
    assert b"\x1b" not in raw.stdout and b"\xc2\x9b" not in raw.stdout
    assert json.loads(raw.stdout) == pod_list(evil)


def test_columns_count_characters(ps):
    lines = ps([pod("ключ"), pod("zzzz")]).stdout.decode().splitlines()
    assert len({row.index("0/0") for row in lines[1:]}) == 1


# watching


def read_until(descriptor, wanted, after=b"", seconds=20):
    """What comes until `wanted` does, behind `after`."""
    data, end = b"", time.monotonic() + seconds
    while after not in data or wanted not in data[data.index(after):]:
        assert time.monotonic() < end, data
        if select.select([descriptor], [], [], 0.2)[0]:
            data += os.read(descriptor, 65536)
    return data


def test_watch_on_a_terminal(program, tmp_path):
    pods = [WEB]
    with AgentSocket(tmp_path, {"ps": lambda _: [OK, line(pod_list(*pods))]}):
        master, terminal = pty.openpty()
        environment = {**os.environ, "TERM": "xterm"}
        environment.pop("NO_COLOR", None)
        process = subprocess.Popen([program, "ps", "-w", "--run-dir", tmp_path], stdout=terminal,
                                   stderr=terminal, env=environment)
        os.close(terminal)
        first = read_until(master, b"\x1b[32mRunning\x1b[0m")
        assert first.startswith(b"\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[HNAMESPACE")
        pods.append(pod("db-n1", "shop"))
        read_until(master, b"db-n1")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        back, last = read_until(master, b"db-n1", after=b"\x1b[?1049l").split(b"\x1b[?1049l")
        assert back.endswith(b"\x1b[?7h\x1b[?25h")
        assert last.startswith(b"NAMESPACE")  # the last table stays
        os.close(master)


def test_watch_survives_the_agent(program, tmp_path):
    with AgentSocket(tmp_path, {"ps": [OK, line(pod_list(WEB))]}):
        process = subprocess.Popen([program, "ps", "--watch", "--run-dir", tmp_path],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        text = read_until(process.stdout.fileno(), b"\n\nNAMESPACE")
        assert text.startswith(b"NAMESPACE") and b"\x1b" not in text
    read_until(process.stderr.fileno(), b"nobody listens")
    os.unlink(tmp_path / "nodeagent.sock")
    with AgentSocket(tmp_path, {"ps": [OK, line(pod_list(pod("new-n1")))]}):
        read_until(process.stdout.fileno(), b"new-n1")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    process.stdout.close()
    process.stderr.close()


def test_colours_only_where_they_are_wanted(program, tmp_path):
    for settings, wanted in (({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False),
                             ({"TERM": "xterm", "NO_COLOR": "1"}, False)):
        environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        with AgentSocket(tmp_path, {"ps": [OK, line(pod_list(WEB))]}):
            master, terminal = pty.openpty()
            subprocess.run([program, "ps", "--run-dir", tmp_path], stdout=terminal, check=True,
                           env={**environment, **settings})
            os.close(terminal)
            assert (b"\x1b[32m" in read_until(master, b"Running")) == wanted
            os.close(master)
        os.unlink(tmp_path / "nodeagent.sock")
