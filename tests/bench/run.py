"""Runs the benchmarks of an optimised build and prints one table, with the bound of each figure.

    run.py BUILD

Exits with 1 when a bound is not held. Ratios are of two things measured in one run.
"""

import os
import pathlib
import resource
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# name: (what it is, at most)
BOUNDS = {
    "decode-ratio": ("500-pod list decoded / yajl's bare parse", 2.5),
    "decode-pod-memory": ("memory kept per decoded pod", 12 * 1024),
    "wheel-list-ratio-one": ("wheel arm+cancel / list insert+remove, one timer", 3.0),
    "wheel-list-ratio-many": ("the same, 8,192 timers in shuffled order", 3.0),
    "start-version-cpu": ("CPU of `nodeagent version`, median", 3.0),
}
STARTS = 101
BINARIES = ["commands/nodeagent"]


def measure(program, *arguments):
    """{name: (value, unit)} from the lines `name value unit` of a program."""
    output = subprocess.run([program, *map(str, arguments)], check=True, capture_output=True,
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


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    benches = build / "tests" / "bench"
    rows = {}
    rows.update(measure(benches / "bench-decode", ROOT / "tests" / "data" / "pod-typical.json"))
    rows.update(measure(benches / "bench-wheel"))
    rows.update(measure(benches / "bench-loop"))
    rows.update(start_up(build))
    rows.update(sizes(build))

    failed = 0
    print(f"{'figure':<34}{'value':>12} {'unit':<12}{'at most':>9}")
    for name, (value, unit) in rows.items():
        what, bound = BOUNDS.get(name, ("", None))
        held = bound is None or value <= bound
        failed += not held
        print(f"{name:<34}{value:>12.2f} {unit:<12}"
              f"{'' if bound is None else format(bound, 'g'):>9}"
              f"{'' if held else '  MISSED'}{'  ' + what if what else ''}")
    missing = BOUNDS.keys() - rows.keys()
    for name in sorted(missing):
        print(f"{name}: was not measured")
    return 1 if failed or missing else 0


if __name__ == "__main__":
    sys.exit(main())
