"""Manifests that are broken in every way: each is told of with its place, the pod that was there
stays as it was, and nobody else notices. Without a runtime: what is to run is what counts here."""

import json
import os
import socket
import types

import pytest

import agent as agents
import places
from conftest import BUILD
from specs import pod

NO_ROOT = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]  # a root that may not read all


def text(name, change=None, **metadata):
    manifest = pod(name)
    manifest["metadata"].update(metadata)
    manifest.update(change or {})
    return json.dumps(manifest, indent=1)


def unreadable(path):
    path.write_text(text("secret"))
    os.chown(path, 65534, 65534)
    path.chmod(0)


def listener(path):
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(path))


GOOD = text("web")
BOMB = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [{', '.join(9 * ['*' + a])}]\n"
                                  for a, b in zip("abcdefghijk", "bcdefghijkl"))

# {file: (its content, or what makes it; what is said of it after its name)}
BROKEN = {
    "syntax.json": ('{"apiVersion": "v1",\n "kind": "Pod", "spec": ', ":2:"),
    "syntax.yaml": ("apiVersion: v1\nkind: Pod\nmetadata: {name: [}\n", ":3:"),
    "tabs.yaml": ("apiVersion: v1\nkind: Pod\n\tmetadata: {}\n", ":3:"),
    "types.yaml": ("apiVersion: v1\nkind: Pod\nmetadata: {name: t}\nspec: {containers: 7}\n",
                   ":4:20: spec.containers: must be a list"),
    "rules.yaml": ("apiVersion: v1\nkind: Pod\nmetadata: {name: r}\nspec:\n  containers: []\n",
                   ":5:15: spec.containers: "),
    "kind.yaml": ("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n", ":"),
    "no-kind.yaml": ("metadata: {name: d}\n", ":"),
    "scalar.yaml": ("just a word\n", ":1:"),
    "empty.yaml": ("", ":1:1: has no object in it; remove the file if it is meant to be none"),
    "comment.yaml": ("# nothing\n", ":1:1: has no object in it"),
    "binary.yaml": (bytes(range(256)), ":2:118: byte 0x80 is not valid UTF-8"),
    "nul.yaml": (GOOD.replace("web", "w\\u0000b"), ":"),
    "latin-1.yaml": (b"apiVersion: v1\nkind: Pod\nmetadata: {name: w, labels: {a: \xe4}}\n", ":3:"),
    "utf-16.json": (GOOD.encode("utf-16"), ":"),
    "deep.json": ("[" * 5000, ":1:"),
    "bomb.yaml": (BOMB, ":"),
    "large.yaml": ("#" * (10 << 20) + "\n" + GOOD, ": has more than the 10 MiB allowed"),
    "unreadable.yaml": (unreadable, ": "),
    "loop.yaml": (lambda path: path.symlink_to("loop.yaml"), ": Too many levels of symbolic links"),
    "name.json": (text("../../etc"), ":5:"),
    "namespace.json": (text("x", namespace="../x"), ":6:"),
    "uid.json": (text("x", uid="../../../etc"), ":6:"),
    "uid-dot.json": (text("x", uid=".."), ":6:"),
}
# What is no file has no pod.
NO_FILES = {
    "directory.yaml": (lambda path: path.mkdir(), ": is a directory, not a file"),
    "fifo.yaml": (os.mkfifo, ": is a fifo, not a file"),
    "device.yaml": (lambda path: path.symlink_to("/dev/zero"), ": is a device, not a file"),
    "socket.yaml": (listener, ": is a socket, not a file"),
    "dangling.yaml": (lambda path: path.symlink_to("nowhere"), ": is a link to nothing"),
}


def name_of(file):
    return "was-" + file.replace(".", "-")


def put(path, content):
    """In the place of what is there, at once."""
    part = path.with_name(f".{path.name}.part")
    if callable(content):
        content(part)
    else:
        part.write_bytes(content if isinstance(content, bytes) else content.encode())
    if path.exists() and part.is_dir():
        path.unlink()
    part.rename(path)


@pytest.fixture(scope="module")
def agent():
    directory = places.make()
    instance = agents.Agent(types.SimpleNamespace(
        directory=directory, log=str, endpoint=f"unix://{directory}/none.sock"), BUILD)
    instance.by = NO_ROOT
    try:
        for file in BROKEN:
            put(instance.manifests / file, text(name_of(file)))
        put(instance.manifests / "good.json", GOOD)
        instance.start()
        instance.wait(lambda: len(instance.pods() or {}) == len(BROKEN) + 1, "all pods")
        yield instance
        instance.stop()
    finally:
        instance.kill()
        places.remove(directory)


def problems(agent):
    """{file: [what is said of it]}, as `why` tells it."""
    found = {}
    for blocker in agent.why("web")["node"]["blockers"]:
        if blocker["reason"].startswith("Manifest"):
            path, file, rest = blocker["text"].partition(f"{agent.manifests}/")
            name = next(file for file in sorted((*BROKEN, *NO_FILES), key=len, reverse=True)
                        if rest.startswith(file))
            found.setdefault(name, []).append(rest.removeprefix(name))
    return found


@pytest.fixture(scope="module")
def broken(agent):
    """All at once; ({file: what is said of it}, the pods before)."""
    before = agent.pods()
    for file, (content, _) in {**BROKEN, **NO_FILES}.items():
        put(agent.manifests / file, content)
    agent.wait(lambda: set(problems(agent)) == {*BROKEN, *NO_FILES}, "all to be told of")
    return problems(agent), before


@pytest.mark.parametrize("file", [*BROKEN, *NO_FILES])
def test_what_is_broken_is_told_with_its_place(agent, broken, file):
    told, _ = broken
    said = {**BROKEN, **NO_FILES}[file][1]
    assert any(sentence.startswith(said) for sentence in told[file]), told[file]
    assert f"{agent.manifests}/{file}{said}" in agent.log(1 << 20)
    assert "\0" not in agent.log(1 << 20) and "\x1b" not in agent.log(1 << 20)


def test_no_pod_is_given_up(agent, broken):
    """What is removed is given up after a moment; so would they have been by then."""
    put(agent.manifests / "leaving.json", text("leaving"))
    agent.wait(lambda: agent.pod("leaving"), "one more pod")
    agent.remove("leaving")
    agent.wait(lambda: "is not wanted any more pod=leaving-node" in agent.log(), "its end")
    assert agent.log(1 << 20).count("is not wanted any more") == 1
    after = agent.pods()
    for name, pod_before in broken[1].items():
        assert after[name]["metadata"] == pod_before["metadata"]
        assert after[name]["spec"] == pod_before["spec"]
    said = [line[line.index(str(agent.manifests)):] for line in agent.log(1 << 20).splitlines()
            if f" {agent.manifests}/" in line]
    assert len(said) == len(set(said)), "told of again, as the directory changed"


def test_what_was_never_understood_has_no_pod(agent, broken):
    agent.restart(kill=True)
    agent.wait(lambda: "web" in (agent.pods() or {}), "the manifests to be read")
    agent.wait(lambda: set(problems(agent)) == {*BROKEN, *NO_FILES}, "all to be told of")
    assert set(agent.pods()) == {"web"}


def test_one_name_has_one_holder(agent, broken):
    for name, content in (("a-copy.json", GOOD), ("z-copy.json", GOOD)):
        put(agent.manifests / name, content)
        where = f"{agent.manifests}/{name}"
        agent.wait(lambda: f"{where}:" in agent.log(), f"{name} to be told of")
        [line] = [line for line in agent.log().splitlines() if f" {where}:" in line][:1]
        assert f"{agent.manifests}/good.json" in line
    assert set(agent.pods()) == {"web"}


def test_of_several_documents_a_broken_one_keeps_all_as_they_were(agent, broken):
    """Without a kubeconfig a file may have several objects."""
    first = f"# YAML\n{text('first')}\n"
    put(agent.manifests / "two.yaml", f"{first}---\n{text('second')}\n")
    agent.wait(lambda: {"first", "second"} <= set(agent.pods()), "both")
    put(agent.manifests / "two.yaml", f"{first}---\nkind: Pod\nspec: 7\n")
    line = first.count("\n") + 2
    agent.wait(lambda: f"{agent.manifests}/two.yaml:{line}:" in agent.log(), "the mistake")
    assert agent.log(1 << 20).count("is not wanted any more") == 1
    assert {"first", "second"} <= set(agent.pods())


def test_a_name_cannot_write_lines_into_the_log(agent, broken):
    put(agent.manifests / "x\n2026-01-01 error planted\x1b[2J.yaml", "kind: 1\n")
    agent.wait(lambda: "planted" in agent.log(), "the file")
    assert "\n2026-01-01 error planted" not in agent.log() and "\x1b" not in agent.log()
