"""Runs every test of a build and ends with one plain line: N passed, N failed.

    run.py BUILD [NAME]     only tests whose name contains NAME
"""

import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILES_SHOWN = 10
FILES_A_CORE = 2
AGAIN_MAX = 5


def run_unit_tests(build, name):
    """The cmocka programs, through meson. Returns (passed, failed)."""
    listing = subprocess.run(["meson", "test", "-C", build, "--list"],
                             capture_output=True, text=True, check=True).stdout.split("\n")
    programs = [line.rsplit(" / ", 1)[-1].strip() for line in listing if " / " in line]
    programs = [program for program in programs if name in program]
    if not programs:
        return 0, 0
    result = subprocess.run(["meson", "test", "-C", build, "--no-rebuild", "--print-errorlogs",
                             *programs], capture_output=True, text=True)
    passed = failed = 0
    broken = []
    with open(pathlib.Path(build, "meson-logs", "testlog.json"), encoding="utf-8") as log:
        for line in log:
            test = json.loads(line)
            output = test.get("stdout", "") + test.get("stderr", "")
            counts = {word: sum(map(int, re.findall(rf"\[  {word}  \] (\d+) test", output)))
                      for word in ("PASSED", "FAILED")}
            passed += counts["PASSED"]
            failed += counts["FAILED"]
            if test["result"] != "OK":
                broken.append(f"{test['name']}: {test['result']}")
                failed += not counts["FAILED"]
            elif not counts["PASSED"]:
                broken.append(f"{test['name']}: ran no test")
                failed += 1
    if broken:
        print(result.stdout, result.stderr, sep="\n")
        print("\n".join(broken))
    elif result.returncode:
        print(result.stdout, result.stderr, sep="\n")
        failed += 1
    return passed, failed


def run_python_tests(build, name):
    """House rules and the real program from outside, through pytest: most tests wait most of the
    time, so two files a core run at once, and those that take all of the CPU afterwards. What is
    told in milliseconds may fail beside others: a few that did are tried once more by themselves."""
    chosen = [*(["-k", name] if name else []), "tests/house", "tests/integration"]
    cases = run_pytest(build, "pytest.xml", [
        "-n", str(FILES_A_CORE * os.cpu_count()), "--dist", "loadfile", "-m", "not alone", *chosen])
    broken = [case.id for case in cases if case.failed]
    if 0 < len(broken) <= AGAIN_MAX:
        print("once more, by themselves:", *broken, sep="\n    ", flush=True)
        cases = [case for case in cases if not case.failed]
        cases += run_pytest(build, "pytest-again.xml", broken)
    cases += run_pytest(build, "pytest-alone.xml", ["-m", "alone", *chosen])
    seconds = collections.Counter()
    for case in cases:
        seconds[case.file] += case.seconds
    if seconds:
        print("the slowest files of tests:", ", ".join(
            f"{file} {taken:.0f} s" for file, taken in seconds.most_common(FILES_SHOWN)))
    failed = sum(case.failed for case in cases)
    return len(cases) - failed, failed


class Case:
    """A test as pytest's report tells of it; a skipped one counts as failed."""

    def __init__(self, element):
        module = element.get("classname")
        self.file = module.rpartition(".")[2]
        self.id = f"{module.replace('.', '/')}.py::{element.get('name')}"
        self.seconds = float(element.get("time"))
        self.failed = any(element.find(what) is not None
                          for what in ("failure", "error", "skipped"))
        if element.find("skipped") is not None:
            print(f"{self.id} was skipped, which counts as failed")


def run_pytest(build, report, options):
    """Returns its cases; where there is no report, one that failed."""
    report = pathlib.Path(build, report)
    report.unlink(missing_ok=True)
    result = subprocess.run(
        ["/usr/bin/python3", "-B", "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider",
         "--tb=short", f"--junitxml={report}", *options],
        cwd=ROOT, env=dict(os.environ, NODEAGENT_BUILD=str(pathlib.Path(build).resolve())),
        capture_output=True, text=True)
    nothing_selected = 5
    if result.returncode not in (0, nothing_selected):
        print(result.stdout[-20000:], result.stderr, sep="\n")
    cases = {}  # one that fails, and again when it is torn down, is told of twice
    if report.exists():
        for element in xml.parse(report).getroot().iter("testcase"):
            case = Case(element)
            case.failed |= case.id in cases and cases[case.id].failed
            cases[case.id] = case
    if result.returncode not in (0, nothing_selected) and not any(
            case.failed for case in cases.values()):
        nothing = xml.Element("testcase", classname=f"pytest.{report.stem}", name="", time="0")
        xml.SubElement(nothing, "error")
        cases[""] = Case(nothing)
    return list(cases.values())


def main():
    build, name = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
    print("tests: unit tests", flush=True)
    unit = run_unit_tests(build, name)
    print("tests: house rules and integration", flush=True)
    python = run_python_tests(build, name)
    passed, failed = unit[0] + python[0], unit[1] + python[1]
    if not passed + failed:
        print(f'no test is named "{name}"')
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
