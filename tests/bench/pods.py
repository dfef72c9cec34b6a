"""What the agent costs over the runtime alone: the same pods through both, taken in turn.

    pods.py BUILD [--runtime 1.6] [--pairs 7] [--pods 100] [--flights 6,10] [--idle 30]

Prints `name value unit` lines: medians over the pairs. A pod is started when `ps` shows it Ready,
and stopped when `ps` no longer shows it; the runtime alone has started one when ContainerStatus
says that it runs, and stopped one when StopPodSandbox has returned.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

import agent as agents  # noqa: E402
import runtime  # noqa: E402

POLL_SECONDS = 0.01  # what a time may be wrong by
QUIET_PART = 0.8     # of the time that the runtime alone took: not asked before that
LIMIT_SECONDS = 180
TICK = os.sysconf("SC_CLK_TCK")


def manifest(name):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {
        "containers": [{"name": "main", "image": runtime.PAUSE_IMAGE,
                        "imagePullPolicy": "IfNotPresent"}]}}


# the runtime alone


def plain(containerd, build, *options):
    """{figure: ms} of the plain client."""
    logs = containerd.directory / "plain-logs"
    logs.mkdir(exist_ok=True)
    result = subprocess.run(
        [build / "tests/bench/cri-client", *map(str, options), "--grace=30", "--log-dir", logs,
         "--cgroup-parent", f"/{containerd.directory.name}", containerd.endpoint,
         runtime.PAUSE_IMAGE, "--"], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    rows = [line.split() for line in result.stdout.splitlines()[1:]]
    return {name: float(value) for name, value, _ in rows}


# the agent


def processes(agent):
    """The agent and its helper: they share a session."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == agent.process.pid:
            found.append((path.parent, fields))
    return found


def cpu_ms(agent):
    return sum(1000 * (int(fields[11]) + int(fields[12])) / TICK for _, fields in processes(agent))


def anonymous_kib(agent):
    total = 0
    for folder, _ in processes(agent):
        for line in (folder / "status").read_text().splitlines():
            total += int(line.split()[1]) if line.startswith("RssAnon:") else 0
    return total


def until(agent, condition, since, quiet_ms):
    """Milliseconds since then."""
    time.sleep(max(0, quiet_ms / 1000 * QUIET_PART - (time.monotonic() - since)))
    while not condition():
        late = time.monotonic() - since > LIMIT_SECONDS
        assert not late and agent.process.poll() is None, f"it does not get there\n{agent.log()}"
        time.sleep(POLL_SECONDS)
    return 1000 * (time.monotonic() - since)


def start(agent, names, quiet_ms):
    wanted = set(names)
    since = time.monotonic()
    agent.add(*map(manifest, names))

    def are_ready():
        pods = agent.pods() or {}
        return wanted <= set(pods) and all(agents.is_ready(pods[name]) for name in names)

    return until(agent, are_ready, since, quiet_ms)


def stop(agent, names, quiet_ms):
    wanted = set(names)
    since = time.monotonic()
    agent.remove(*names)

    def are_gone():
        pods = agent.pods()
        return pods is not None and not wanted & set(pods)

    return until(agent, are_gone, since, quiet_ms)


# pairs


def add(rows, name, value):
    rows.setdefault(name, []).append(value)


def one_pair(containerd, agent, build, rows, number, options):
    alone = plain(containerd, build, f"--prefix=one-{number}")
    add(rows, "one-alone", alone["cri-start-all"])
    add(rows, "one-agent", start(agent, [f"one-{number}"], 0))
    stop(agent, [f"one-{number}"], 0)
    best_start = best_stop = None
    for flight in options.flights.split(","):
        many = plain(containerd, build, f"--pods={options.pods}", f"--flight={flight}")
        add(rows, f"many-alone-flight-{flight}", many["cri-start-all"])
        add(rows, f"many-alone-stop-flight-{flight}", many["cri-stop-all"])
        best_start = min(filter(None, [best_start, many["cri-start-all"]]))
        best_stop = min(filter(None, [best_stop, many["cri-stop-all"]]))
    names = [f"many-{number}-{i}" for i in range(options.pods)]
    before = cpu_ms(agent)
    add(rows, "many-agent", start(agent, names, best_start))
    add(rows, "start-cpu", (cpu_ms(agent) - before) / options.pods)
    add(rows, "many-ratio", rows["many-agent"][-1] / best_start)
    add(rows, "memory-many", anonymous_kib(agent))
    before = cpu_ms(agent)
    add(rows, "many-agent-stop", stop(agent, names, best_stop))
    add(rows, "stop-cpu", (cpu_ms(agent) - before) / options.pods)
    add(rows, "many-stop-ratio", rows["many-agent-stop"][-1] / best_stop)


def at_rest(agent, rows, options):
    """With all pods running, and nothing to do."""
    names = [f"rest-{i}" for i in range(options.pods)]
    start(agent, names, 0)
    time.sleep(10)
    before, lines, members = cpu_ms(agent), agent.log_path.stat().st_size, len(processes(agent))
    time.sleep(options.idle)
    add(rows, "idle-cpu", (cpu_ms(agent) - before) / options.idle / 10)
    add(rows, "idle-log", agent.log_path.stat().st_size - lines)
    assert len(processes(agent)) == members
    agent.stop()
    since = time.monotonic()
    agent.start(wait=False)
    add(rows, "restart", until(agent, lambda: len(agent.pods() or {}) == options.pods, since, 0))
    stop(agent, names, 0)


UNITS = {"start-cpu": "ms/pod", "stop-cpu": "ms/pod", "many-ratio": "times",
         "many-stop-ratio": "times", "memory-many": "KiB", "memory-empty": "KiB",
         "idle-cpu": "%", "idle-log": "bytes"}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--runtime", default="1.6")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--pods", type=int, default=100)
    parser.add_argument("--flights", default="6,10")
    parser.add_argument("--idle", type=int, default=30)
    options = parser.parse_args()
    build, rows = options.build.resolve(), {}
    with runtime.private(options.runtime) as containerd:
        agent = agents.Agent(containerd, build)
        agent.start()
        try:
            time.sleep(3)
            add(rows, "memory-empty", anonymous_kib(agent))
            plain(containerd, build, "--prefix=warm")
            for number in range(options.pairs):
                one_pair(containerd, agent, build, rows, number, options)
            at_rest(agent, rows, options)
        finally:
            agent.kill()
    for name, values in rows.items():
        print(f"pods-{name} {statistics.median(values):.2f} {UNITS.get(name, 'ms')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
