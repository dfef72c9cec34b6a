"""What probes cost, and how punctual they are: lines `name value unit`.

    probes.py BUILD [--quick]

The probers of the agent probe a server in another network namespace. The costs are CPU of the
process for each probe, against those of programs that do the same with the least they can, in
turn; medians of rounds.
"""

import argparse
import pathlib
import signal
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

import probe_network  # noqa: E402

RATE = 3000      # HTTP and gRPC probes a second
TCP_RATE = 10000
PORTS = {"http": 80, "tcp": 81, "grpc": 82}
STALL_SECONDS = 2
STALL_AFTER = 4  # seconds, of which two are measured
STALL_LOOK = 10  # ... until the end
IDLE = 10000
LOAD_FIGURES = ["late-p50", "late-p99", "late-longest", "failures", "agent-late", "missed",
                "descriptors", "time-wait", "memory", "turn-longest"]
STALL_FIGURES = ["failures", "agent-late", "stall-late-p99", "stall-recovery", "stall-memory"]


def show(name, value, unit):
    print(f"probes-{name} {value:.3f} {unit}", flush=True)


def arguments(kind, seconds):
    return kind, probe_network.SERVER, PORTS[kind], TCP_RATE if kind == "tcp" else RATE, seconds


def load(network, seconds):
    rows = network.measure("bench-probes", "load", *arguments("http", seconds))
    for name in LOAD_FIGURES:
        show(name, *rows[name])


def one_round(network, backwards, seconds):
    """{(program, kind): CPU of a probe}"""
    turns = [("probe-bare", "http"), ("bench-probes", "http"), ("bench-probes", "grpc"),
             ("probe-bare", "tcp"), ("bench-probes", "tcp")]
    found = {}
    for program, kind in reversed(turns) if backwards else turns:
        mode = ["load"] if program == "bench-probes" else []
        rows = network.measure(program, *mode, *arguments(kind, seconds))
        found[program, kind] = rows["cpu"][0]
        if rows["failures"][0]:
            show(f"{kind}-failures", *rows["failures"])
    return found


def compare(network, rounds, seconds):
    found = [one_round(network, number % 2, seconds) for number in range(rounds)]

    def ratio(ours, others):
        return statistics.median(costs[ours] / costs[others] for costs in found)

    for kind in PORTS:
        ours = statistics.median(costs["bench-probes", kind] for costs in found)
        show(f"{kind}-cpu", ours, "us")
    for kind in ("http", "tcp"):
        show(f"{kind}-ratio", ratio(("bench-probes", kind), ("probe-bare", kind)), "x")
    show("grpc-ratio", ratio(("bench-probes", "grpc"), ("bench-probes", "http")), "x")


def stall(network):
    process = network.start("prober", "bench-probes", "load", *arguments("http", STALL_LOOK))
    time.sleep(STALL_AFTER)
    process.send_signal(signal.SIGSTOP)
    time.sleep(STALL_SECONDS)
    process.send_signal(signal.SIGCONT)
    rows = network.rows(process)
    for name in STALL_FIGURES:
        show(name if name.startswith("stall") else f"stall-{name}", *rows[name])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    network = probe_network.ProbeNetwork(
        options.build, *(f"{kind}:{port}" for kind, port in PORTS.items()))
    try:
        load(network, 10 if options.quick else 60)
        compare(network, *((3, 3) if options.quick else (7, 5)))
        stall(network)
        for name, row in network.measure("bench-probes", "idle", IDLE, 5).items():
            show(name, *row)
    finally:
        network.remove()


if __name__ == "__main__":
    main()
