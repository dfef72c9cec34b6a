"""Runs the benchmarks of an optimised build and prints one table, with the bound of each figure.

    run.py BUILD [units|load|pods|probes|cluster] [--quick]

Exits with 1 when a bound is not held. Ratios are of two things measured in one run. Rows of pods
(pods.py) end with the containerd that they are of.
"""

import argparse
import os
import pathlib
import resource
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# name: (what it is, at most)
UNIT_BOUNDS = {
    "decode-ratio": ("500-pod list decoded / yajl's bare parse", 2.5),
    "decode-pod-memory": ("memory kept per decoded pod", 12 * 1024),
    "wheel-list-ratio-one": ("wheel arm+cancel / list insert+remove, one timer", 3.0),
    "wheel-list-ratio-many": ("the same, 8,192 timers in shuffled order", 3.0),
    "start-version-cpu": ("CPU of `nodeagent version`, median", 3.0),
    "cni-add-share": ("nodeagent-cni's own time of an ADD of three plugins, median", 3.0),
    "cni-memory": ("its resident size meanwhile", 6 * 1024),
    "cni-gc-100": ("a GC with 100 pods and nothing to do, which holds up others", 100),
}
POD_BOUNDS = {
    "pods-1-ratio-1.7": ("a pod Ready / the plain client's time", 1.1),
    "pods-100-ratio-1.7": ("100 pods Ready / the plain client's best", 1.05),
    "pods-start-cpu-1.7": ("the agent's CPU, 100 at once", 2.5),
    "pods-stop-cpu-1.7": ("the same", 2.0),
    "pods-1-ratio-cni": ("the same with nodeagent-cni / the plain client without it", 1.1),
    "pods-100-ratio-cni": ("the same", 1.05),
}
for version in ("1.6", "1.7", "2"):
    POD_BOUNDS.update({
        f"pods-memory-{version}": ("private, with 100 pods: 4 MB + 20 KiB each", 5906),
        f"pods-idle-cpu-{version}": ("of a core, with 100 pods", 0.3),
        f"pods-idle-forks-{version}": ("processes and threads begun meanwhile", 0),
        f"pods-idle-log-{version}": ("written to the log meanwhile", 0),
        f"pods-restart-decision-{version}": ("from a container's end, by a hint", 50),
        f"pods-restart-decision-after-{version}": ("from when containerd itself shows it", 15),
        f"pods-first-plan-{version}": ("from the agent's start, for all of 100 pods", 150),
    })
PROBE_BOUNDS = {
    "probes-late-p99": ("after its tick, of 3,000 HTTP probes a second", 5),
    "probes-failures": ("of a server that is well", 0),
    "probes-missed": ("ticks without an attempt", 0.1),
    "probes-descriptors": ("in the last third, than in the first", 8),
    "probes-time-wait": ("ports in use for nothing", 10),
    "probes-memory": ("more at the end than after a third", 256),
    "probes-http-ratio": ("CPU of an HTTP probe / a bare curl loop's", 1.15),
    "probes-tcp-ratio": ("CPU of a TCP probe / a bare connect loop's", 1.15),
    "probes-grpc-ratio": ("CPU of a gRPC probe / an HTTP probe's", 1.5),
    "probes-stall-failures": ("counted after the process stood still for 2 s", 0),
    "probes-stall-late-p99": ("from 1 s after that", 5),
    "probes-stall-recovery": ("until the last that began late", 1000),
    "probes-stall-memory": ("more than before it", 4096),
    "probes-idle-cpu": ("of a core, 10,000 probes an hour", 1),
    "probes-idle-memory": ("of a prober", 2048),
}
CLUSTER_BOUNDS = {
    "cluster-patches-most": ("of the pod that has the most", 3),
    "cluster-tokens": ("asked for", 1),
    "cluster-reads": ("GETs and LISTs", 0),
    "cluster-memory": ("private, with 110 pods: 5 MB + 24 KiB each", 7523),
    "cluster-rest-others": ("requests that are neither the Lease's nor the Node's", 0),
}
LOAD_BOUNDS = {
    "load-lease": ("a Lease renewed, head and body", 1024),
    "load-report": ("a Node's status of which nothing changed", 1024),
    "load-pod-status-requests": ("of its status, from its binding to its end", 6),
}
STARTS = 101
BINARIES = ["commands/nodeagent", "cni/nodeagent-cni"]


def measure(program, *arguments):
    """{name: (value, unit)} from the lines `name value unit` of a program."""
    output = subprocess.run([program, *map(str, arguments)], check=True, stdout=subprocess.PIPE,
                            text=True).stdout
    rows = {}
    for line in output.splitlines():
        name, value, unit = line.split(maxsplit=2)
        rows[name] = (float(value), unit)
    return rows


def cpu_of(program, *arguments):
    """CPU time of one run in milliseconds, exec and dynamic linking included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([program, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def start_up(build):
    """The time of a bare program is taken in turn: spawning costs the same for both."""
    program = build / "commands" / "nodeagent"
    times = sorted(cpu_of(program, "version") for _ in range(STARTS))
    bare = sorted(cpu_of("/bin/true") for _ in range(STARTS))
    return {"start-version-cpu": (times[STARTS // 2], "ms"),
            "start-true-cpu": (bare[STARTS // 2], "ms")}


def sizes(build):
    rows = {}
    for name in BINARIES:
        with tempfile.NamedTemporaryFile() as stripped:
            subprocess.run(["strip", "-o", stripped.name, build / name], check=True)
            rows[f"size-{pathlib.Path(name).name}"] = (os.path.getsize(stripped.name) / 1024, "KiB")
    return rows


def units(build):
    benches = build / "tests" / "bench"
    rows = {}
    rows.update(measure(benches / "bench-decode", ROOT / "tests" / "data" / "pod-typical.json"))
    rows.update(measure(benches / "bench-wheel"))
    rows.update(measure(benches / "bench-loop"))
    rows.update(start_up(build))
    rows.update(measure(sys.executable, "-B", ROOT / "tests" / "bench" / "cni.py", build))
    rows.update(sizes(build))
    return rows


def load(build):
    return measure(sys.executable, "-B", ROOT / "tests" / "bench" / "load.py", build)


def pods(build, quick):
    return measure(sys.executable, "-B", ROOT / "tests" / "bench" / "pods.py", build,
                   *(["--quick"] if quick else []))


def probes(build, quick):
    return measure(sys.executable, "-B", ROOT / "tests" / "bench" / "probes.py", build,
                   *(["--quick"] if quick else []))


def cluster(build, quick):
    return measure(sys.executable, "-B", ROOT / "tests" / "bench" / "cluster.py", build,
                   *(["--quick"] if quick else []))


def print_table(rows, bounds):
    """How many bounds were missed."""
    failed = 0
    print(f"{'figure':<36}{'value':>12} {'unit':<12}{'at most':>9}")
    for name, (value, unit) in rows.items():
        what, bound = bounds.get(name, ("", None))
        held = bound is None or value <= bound
        failed += not held
        print(f"{name:<36}{value:>12.2f} {unit:<12}"
              f"{'' if bound is None else format(bound, 'g'):>9}"
              f"{'' if held else '  MISSED'}{'  ' + what if what else ''}")
    missing = bounds.keys() - rows.keys()
    for name in sorted(missing):
        print(f"{name}: was not measured")
    return failed + len(missing)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("part", nargs="?",
                        choices=["units", "load", "pods", "probes", "cluster", "all"],
                        default="all")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    build, rows, bounds = options.build.resolve(), {}, {}
    if options.part in ("units", "all"):
        rows.update(units(build))
        bounds.update(UNIT_BOUNDS)
    if options.part in ("load", "all"):
        rows.update(load(build))
        bounds.update(LOAD_BOUNDS)
    if options.part in ("probes", "all"):
        rows.update(probes(build, options.quick))
        bounds.update(PROBE_BOUNDS)
    if options.part in ("pods", "all"):
        rows.update(pods(build, options.quick))
        bounds.update(POD_BOUNDS)
    if options.part in ("cluster", "all"):
        rows.update(cluster(build, options.quick))
        bounds.update(CLUSTER_BOUNDS)
    return 1 if print_table(rows, bounds) else 0


if __name__ == "__main__":
    sys.exit(main())
