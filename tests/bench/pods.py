"""What the agent costs over the runtime alone: the same pods through both, taken in turn.

    pods.py BUILD [--quick]

Prints `name value unit` lines: medians; a name ends with the containerd it is of, or with "cni"
where nodeagent-cni runs the networks of PAIRS_ON. Agent and plain client have a containerd of their
own each: an agent ends pods that nobody told it of. Both are in memory, as a node's run directory
is, so what others do to the disk is not measured.

A pod is started when `ps` shows it Ready and stopped when `ps` no longer shows it, counted from
the manifest's renaming or removal. The runtime alone has started one when ContainerStatus says that
it runs, counted from RunPodSandbox, and stopped one when RemovePodSandbox has returned.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

import agent as agents  # noqa: E402
import cni  # noqa: E402
import costs  # noqa: E402
import places  # noqa: E402
import runtime  # noqa: E402

PAIRS_ON = "1.7"
PODS = 100
FEW = 7                 # containers that end: containerd itself is slower to tell among many
FLIGHTS = [6, 10]       # of the plain client: fewer leave a core idle, more are slower in sum
GRACE = 30              # seconds; the pause program ends at once
QUIET_PART = 0.8        # of the time that the runtime alone took: not asked before that
POLL_SECONDS = 0.002    # for one pod
LIMIT_SECONDS = 300
SETTLE_SECONDS = 3
REST_SECONDS = 12       # until nothing is expected, and hints are relied upon


def manifest(name):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {
        "containers": [{"name": "main", "image": runtime.PAUSE_IMAGE,
                        "imagePullPolicy": "IfNotPresent"}]}}


class Figures:
    def __init__(self):
        self.values = {}

    def add(self, name, value, unit):
        self.values.setdefault((name, unit), []).append(value)

    def median(self, name):
        return statistics.median(next(v for (n, _), v in self.values.items() if n == name))

    def print(self):
        for (name, unit), values in self.values.items():
            print(f"{name} {statistics.median(values):.2f} {unit}")


# the runtime alone


def plain(containerd, build, *options):
    """{figure: ms} of the plain client."""
    logs = containerd.directory / "logs"
    logs.mkdir(exist_ok=True)
    result = subprocess.run(
        [build / "tests/bench/cri-client", *map(str, options), f"--grace={GRACE}",
         "--log-dir", logs, "--cgroup-parent", f"/{containerd.directory.name}",
         containerd.endpoint, runtime.PAUSE_IMAGE, "--"], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    if "--keep" not in options:  # an agent removes pods' cgroups as well
        places.remove_cgroups(containerd.directory)
    rows = [line.split() for line in result.stdout.splitlines()[1:]]
    return {name: float(value) for name, value, _ in rows}


# the agent


def missing(agent, names):
    """Which of them `ps` does not show as Ready."""
    pods = agent.pods() or {}
    return [name for name in names if name not in pods or not agents.is_ready(pods[name])]


def unfinished(agent):
    """How many pods `why` tells of: the short list of those that are not Ready, or are leaving."""
    return len((agent.ask({"command": "why"}) or {"pods": [None]})["pods"])


def remembered(agent):
    """How many pods it has on record, which costs it nothing."""
    return len(list((agent.run / "pods").glob("*.json")))


def until(agent, reached, unfinished, since, expected_ms):
    """Milliseconds since then. An agent that is asked all the time works for that: while there is
    much to do yet, it is asked again after a part of the time that this may take."""
    time.sleep(max(0, expected_ms / 1000 * QUIET_PART - (time.monotonic() - since)))
    while True:
        left = unfinished() if expected_ms > 1000 else 0
        if not left and reached():
            return 1000 * (time.monotonic() - since)
        late = time.monotonic() - since > LIMIT_SECONDS
        assert not late and agent.process.poll() is None, f"it does not get there\n{agent.log()}"
        time.sleep(POLL_SECONDS + left / PODS * expected_ms / 1000 / 4)


def start(agent, names, expected_ms):
    since = time.monotonic()
    agent.add(*map(manifest, names))
    return until(agent, lambda: not missing(agent, names), lambda: unfinished(agent), since,
                 expected_ms)


def stop(agent, names, expected_ms):
    def are_gone():
        pods = agent.pods()
        return pods is not None and not set(names) & set(pods)

    others = remembered(agent) - len(names)
    since = time.monotonic()
    agent.remove(*names)
    return until(agent, are_gone, lambda: remembered(agent) - others, since, expected_ms)


@contextlib.contextmanager
def running(containerd, build):
    agent = agents.Agent(containerd, build)
    agent.start()
    try:
        yield agent
    finally:
        agent.kill()


# is it the same?


def made(containerd, name):
    """What the runtime made of a pod, without what is the pod's own."""
    found = {}
    for uid in containerd.ctr("containers", "list", "-q").stdout.split():
        info = json.loads(containerd.ctr("containers", "info", uid).stdout)
        text = json.dumps([info["Spec"], sorted(info["Labels"])], sort_keys=True)
        for pattern, word in [(rf'"{containerd.directory}[^"]*"', '"FILE"'),
                              (containerd.directory.name, "DIRECTORY"), (name, "NAME"),
                              (r"\b(pod)?([0-9a-f]{32,64}|[0-9a-f]{8}-[0-9a-f-]{27})", r"\1ID"),
                              (r"/proc/\d+/", "/proc/PID/")]:
            text = re.sub(pattern, word, text)
        found[info["Labels"]["io.cri-containerd.kind"]] = text
    return found


def check_same(containerd, agent, build):
    start(agent, ["same-0"], 0)
    ours = made(containerd, "same-0-node")
    stop(agent, ["same-0"], 0)
    with runtime.private(PAIRS_ON, parent=places.MEMORY) as other:
        plain(other, build, "--keep", "--prefix=same")
        theirs = made(other, "same-0")
    assert ours == theirs, f"the agent asks for\n{ours}\nand cri-client-messages.c for\n{theirs}"


# pairs


class Pair:
    """Agent and plain client in turn; `on` ends the figures' names."""

    def __init__(self, build, figures, on, alone, agent):
        self.build, self.figures, self.on = build, figures, on
        self.alone, self.agent = alone, agent

    def add(self, name, value, unit):
        self.figures.add(f"{name}-{self.on}", value, unit)

    def median(self, name):
        return self.figures.median(f"{name}-{self.on}")

    def one_pod(self, number):
        took = plain(self.alone, self.build, f"--prefix=one-{number}")["cri-start-all"]
        self.add("pods-1-plain", took, "ms")
        self.add("pods-1-agent", start(self.agent, [f"one-{number}"], took), "ms")
        stop(self.agent, [f"one-{number}"], 0)

    def many_plain(self):
        for flight in FLIGHTS:
            before = os.times()
            took = plain(self.alone, self.build, f"--pods={PODS}", f"--flight={flight}")
            after = os.times()
            self.add(f"pods-{PODS}-plain-by-{flight}", took["cri-start-all"], "ms")
            self.add(f"pods-{PODS}-plain-stop-by-{flight}",
                     took["cri-stop-all"] + took["cri-remove-all"], "ms")
            # What the calls alone cost whoever makes them, on this machine as it is now.
            self.add("pods-plain-cpu",
                     1000 * (after.children_user + after.children_system -
                             before.children_user - before.children_system) / PODS, "ms/pod")

    def best(self, what):
        return min(self.median(f"pods-{PODS}-plain{what}-by-{flight}") for flight in FLIGHTS)

    def many_agent(self, number):
        names = [f"many-{number}-{i}" for i in range(PODS)]
        pids = costs.members(self.agent.process.pid)
        for what, do in [("", start), ("-stop", stop)]:
            time.sleep(SETTLE_SECONDS)
            before = costs.cpu_ms(pids)
            self.add(f"pods-{PODS}-agent{what}", do(self.agent, names, self.best(what)), "ms")
            time.sleep(1)  # what it does after that counts
            self.add(f"pods-{what.strip('-') or 'start'}-cpu",
                     (costs.cpu_ms(pids) - before) / PODS, "ms/pod")

    def run(self, count, counts_of_many):
        for number in range(count):
            self.one_pod(number)
        for number in range(counts_of_many):
            self.many_plain()
            self.many_agent(number)
        self.add("pods-1-ratio", self.median("pods-1-agent") / self.median("pods-1-plain"), "times")
        for what in ("", "-stop"):
            self.add(f"pods-{PODS}{what}-ratio",
                     self.median(f"pods-{PODS}-agent{what}") / self.best(what), "times")


def pairs(build, figures, count):
    with runtime.private(PAIRS_ON, parent=places.MEMORY) as alone, \
            runtime.private(PAIRS_ON, parent=places.MEMORY) as containerd, \
            running(containerd, build) as agent:
        check_same(containerd, agent, build)
        Pair(build, figures, PAIRS_ON, alone, agent).run(count, count)


def pairs_with_network(build, figures, count):
    """The agent's containerd calls nodeagent-cni; that of the plain client runs the same network by
    itself."""
    node = cni.Node(build / "cni" / "nodeagent-cni")
    try:
        with runtime.private(PAIRS_ON, parent=places.MEMORY) as alone, \
                runtime.private(PAIRS_ON, parent=places.MEMORY) as containerd:
            cni.put_between(containerd, node,
                            agentSocket=str(containerd.directory / "agent/run/cni.sock"))
            with running(containerd, build) as agent:
                agent.wait(lambda: "the runtime calls nodeagent-cni" in agent.log(), "its network")
                Pair(build, figures, "cni", alone, agent).run(count, min(count, 3))
    finally:
        node.remove()


# at rest


def at_rest(agent, figures, version, seconds):
    """Nothing happens: no work but looks, no process, no line."""
    pids = costs.members(agent.process.pid)
    figures.add(f"pods-memory-{version}", costs.anonymous_kib(pids), "KiB")
    log, before, since = agent.log_path.stat().st_size, costs.cpu_ms(pids), time.monotonic()
    figures.add(f"pods-idle-forks-{version}", costs.forks(pids, seconds), "forks")
    used, took = costs.cpu_ms(pids) - before, time.monotonic() - since
    figures.add(f"pods-idle-cpu-{version}", used / took / 10, "%")
    figures.add(f"pods-idle-log-{version}", agent.log_path.stat().st_size - log, "bytes")


def record(agent, pod):
    return agent.run / "pods" / f"{pod['metadata']['uid']}.json"


def main_pid(containerd, uid):
    return next(state["init_process_pid"] for path, state
                in places.containers(containerd.directory).items() if path.name == uid)


class Replaced:
    """A file that is replaced as a whole."""
    def __init__(self, path):
        self.path = path
        self.inode = path.stat().st_ino

    def changed(self):
        before, self.inode = self.inode, self.path.stat().st_ino
        return self.inode != before


def decision_ms(containerd, agent, pod):
    """From the end of its container until containerd has noted that (it shows it from then on), and
    until the next start is on the agent's record, just before it is begun."""
    uid = agents.status_of(pod)["containerID"].rpartition("/")[2]
    note = Replaced(next(containerd.directory.glob(f"root/*/containers/{uid}/status")))
    ours = Replaced(record(agent, pod))
    noted = decided = None
    os.kill(main_pid(containerd, uid), signal.SIGKILL)
    since = time.monotonic()
    while not noted or not decided:
        now = 1000 * (time.monotonic() - since)
        assert now < 1000 * LIMIT_SECONDS
        if not noted and note.changed():
            noted = now
        if not decided and ours.changed() and \
                json.loads(ours.path.read_text())["memory"].get("operations"):
            decided = now
        time.sleep(0.0005)
    return noted, decided


def decisions(containerd, agent, figures, version):
    for name, pod in sorted(agent.pods().items())[:FEW]:
        noted, decided = decision_ms(containerd, agent, pod)
        figures.add(f"pods-end-noted-{version}", noted, "ms")
        figures.add(f"pods-restart-decision-{version}", decided, "ms")
        figures.add(f"pods-restart-decision-after-{version}", decided - noted, "ms")
        agent.wait_pod(name, lambda pod: agents.restarts(pod) == 1 and agents.is_ready(pod))
        time.sleep(1)


def first_plan_ms(agent, count):
    """Until all pods were planned, which is in the log."""
    agent.stop()
    before = agent.log_path.stat().st_size
    since = time.monotonic()
    agent.start(wait=False)
    while f" took up {count} pods, " not in agent.log_path.read_text()[before:]:
        assert time.monotonic() - since < LIMIT_SECONDS, agent.log()
        time.sleep(0.001)
    return 1000 * (time.monotonic() - since)


def rest(build, figures, version, count, seconds):
    few, many = [f"few-{i}" for i in range(FEW)], [f"rest-{i}" for i in range(PODS - FEW)]
    with runtime.private(version, parent=places.MEMORY) as containerd, \
            running(containerd, build) as agent:
        start(agent, few, 0)
        time.sleep(REST_SECONDS)
        decisions(containerd, agent, figures, version)
        start(agent, many, 5000)
        time.sleep(REST_SECONDS)
        at_rest(agent, figures, version, seconds)
        for _ in range(count):
            figures.add(f"pods-first-plan-{version}", first_plan_ms(agent, PODS), "ms")
            agent.wait_ready(*few, *many)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    build, figures = options.build.resolve(), Figures()
    pairs(build, figures, 3 if options.quick else 7)
    pairs_with_network(build, figures, 3 if options.quick else 7)
    for version in runtime.VERSIONS:
        rest(build, figures, version, 3 if options.quick else 7, 10 if options.quick else 30)
    figures.print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
