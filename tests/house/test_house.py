"""The rules of the house hold, and each check of them finds a planted violation."""

import os
import pathlib
import shutil
import subprocess

import pytest

import check_arrows
import check_pure

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("NODEAGENT_BUILD", ROOT / "build" / "test"))
FILE_LINES_MAX = 600
TESTED_FROM_OUTSIDE = ["commands"]
ROOMS = list(check_arrows.read_rooms(ROOT))
SOURCES = [*ROOMS, "include", "packaging", "docs"]


def test_includes_follow_the_table():
    assert check_arrows.violations(ROOT, BUILD) == []


def test_pure_rooms_are_pure():
    assert check_pure.pure_rooms(ROOT)
    assert check_pure.violations(ROOT, BUILD) == []


def test_files_are_short():
    """A file that grows beyond has a second object in it that wants a file of its own."""
    long = [str(path) for folder in SOURCES for path in (ROOT / folder).rglob("*.[ch]")
            if len(path.read_text(encoding="utf-8").splitlines()) > FILE_LINES_MAX]
    assert long == []


# What wires the parts of agent/ together is tested as a whole: in the simulation (tests/sim), and on
# real runtimes (tests/integration), as is what nodeagent-cni begins with.
PLAYED_WHOLE = {
    "agent/admitting", "agent/agent", "agent/cluster", "agent/cluster-bootstrap",
    "agent/cluster-client", "agent/cluster-csi",
    "agent/cluster-events", "agent/cluster-lease", "agent/cluster-mirror", "agent/cluster-names",
    "agent/cluster-node", "agent/cluster-objects", "agent/cluster-report", "agent/cluster-tokens",
    "agent/container-files", "agent/hook-http", "agent/images", "agent/images-pull",
    "agent/main", "agent/network", "agent/network-gc", "agent/node-view",
    "agent/observing", "agent/planning", "agent/pods", "agent/probe-exec", "agent/probe-left",
    "agent/probing", "agent/queries", "agent/record-file", "agent/runtime-state", "agent/serving",
    "agent/sweep", "agent/taking-over", "agent/task-container", "agent/task-files",
    "agent/task-hook", "agent/task-image", "agent/task-sandbox", "agent/tasks", "agent/translating",
    "agent/volume-files", "cni/main"}


def unit_test_of(room, stem):
    """The unit test of a source file: its own, or that of the file whose part it is."""
    while stem:
        test = ROOT / "tests" / "unit" / room / f"test-{stem}.c"
        if test.exists():
            return test
        stem = stem.rpartition("-")[0]
    return None


def test_every_source_file_has_a_unit_test():
    """child-job.c is a part of child.c: tests of either will do. What is said to be played whole must
    be there, and have none."""
    without = {f"{room}/{path.stem}" for room in ROOMS if room not in TESTED_FROM_OUTSIDE
               for path in (ROOT / room).glob("*.c") if not unit_test_of(room, path.stem)}
    assert sorted(without) == sorted(PLAYED_WHOLE)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the tree with a build of its own, to plant violations in."""
    tree = tmp_path_factory.mktemp("house")
    for name in (*SOURCES, "meson.build", "meson_options.txt"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name)
        else:
            shutil.copy(source, tree / name)
    subprocess.run(["meson", "setup", tree / "build", tree, "-Dtests=false", "-Doptimization=0"],
                   check=True, capture_output=True)
    compile_tree(tree).check_returncode()
    return tree


def compile_tree(tree):
    """The pure rooms, where violations are planted, and a file of each other one."""
    pure = check_pure.pure_rooms(tree)
    others = [f"../{min((tree / room).glob('*.c')).relative_to(tree)}^"
              for room in ROOMS if room not in ["base", *pure]]
    return subprocess.run(["ninja", "-C", tree / "build", *(f"{room}/lib{room}.a" for room in ["base", *pure]),
                           *others], capture_output=True, text=True)


@pytest.fixture
def plant(copy):
    """plant(file, text) appends; everything is as it was afterwards."""
    before = {}

    def append(name, text):
        path = copy / name
        before.setdefault(path, path.read_text(encoding="utf-8"))
        path.write_text(before[path] + text, encoding="utf-8")
        return copy

    yield append
    for path, text in before.items():
        path.write_text(text, encoding="utf-8")
    compile_tree(copy).check_returncode()


def test_the_copy_is_clean(copy):
    assert check_arrows.violations(copy, copy / "build") == []
    assert check_pure.violations(copy, copy / "build") == []


def test_an_upward_include_does_not_compile(plant):
    tree = plant("base/str.c", '\n#include "nodeagent/sys/clock.h"\n')
    result = compile_tree(tree)
    assert result.returncode != 0
    assert "nodeagent/sys/clock.h" in result.stdout


def test_a_relative_include_is_found(plant):
    tree = plant("objects/values.c", '\n#include "../include/nodeagent/sys/clock.h"\n')
    compile_tree(tree).check_returncode()
    assert any("objects may not use sys" in found
               for found in check_arrows.violations(tree, tree / "build"))


def test_a_foreign_private_header_is_found(plant):
    tree = plant("objects/values.c", '\n#include "../base/json-build.h"\n')
    compile_tree(tree).check_returncode()
    assert any("private to base" in found
               for found in check_arrows.violations(tree, tree / "build"))


def test_an_impure_call_is_found(plant):
    tree = plant("objects/values.c",
                 "\n#include <unistd.h>\nint planted(void);\n"
                 "int planted(void)\n{\n    return (int)getpid();\n}\n")
    compile_tree(tree).check_returncode()
    assert check_pure.violations(tree, tree / "build") == [
        "objects: calls getpid, which is not on the list of pure symbols"]
