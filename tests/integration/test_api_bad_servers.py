"""API servers that send what they should not: garbage, endless and huge things, redirections. The
client says so, keeps what it knew, takes no more memory than it is meant to, and all is well when
the server is."""

import functools
import gzip
import itertools
import json
import time

import pytest

from api_driver import Driver
from api_server import ApiServer
from clusters import NODE
from conftest import BUILD

PODS = r"/api/v1/pods\?"
NODE_PATH = f"/api/v1/nodes/{NODE}"
HUGE = 100 << 20
SLICE = 1 << 20
BUSY_LAST = 200  # changes of a slice each
MIB = 1 << 10  # in the KiB that memory is counted in
WELL_SECONDS = 40  # after the longest back-off that these lead to


@pytest.fixture
def server(tmp_path):
    with ApiServer(tmp_path) as instance:
        instance.create({"kind": "Node", "metadata": {"name": NODE}})
        for name in ("one", "two"):
            instance.create({"kind": "Pod", "metadata": {"name": name}, "spec": {
                "containers": [{"name": "c", "image": "busybox:1.36"}],
                "serviceAccountName": "default"}})
            instance.bind(name, NODE)
        yield instance


@pytest.fixture
def newcomer(server, tmp_path):
    path = server.kubeconfig(tmp_path / "config", node=NODE)
    with Driver(BUILD, path, tmp_path / "driver.log") as instance:
        yield instance


def watch(driver):
    driver.watch("pods", "Pod", "/api/v1/pods", f"spec.nodeName={NODE}")
    driver.wait_complete("pods")


@pytest.fixture
def driver(newcomer):
    """It knows the pods."""
    watch(newcomer)
    return newcomer


def answer(*body, headers=b"", code=b"200 OK"):
    """What raw() of the double's faults wants, of an answer that ends with its connection."""
    return lambda: itertools.chain([b"HTTP/1.1 " + code + b"\r\n" + headers + b"\r\n"], *[
        [part] if isinstance(part, bytes) else part() for part in body])


def is_well(server, driver):
    """What was known is known still, and what changes is heard of."""
    assert set(driver.objects["pods"]) >= {"default/one", "default/two"}
    assert ("pods", "gone") not in {event[:2] for event in driver.events}
    version = server.update_status("pods", "one", {"message": str(time.monotonic())})[
        "metadata"]["resourceVersion"]
    driver.wait(lambda: driver.objects["pods"]["default/one"] == version, "the change",
                seconds=WELL_SECONDS)


def event(kind="ADDED", name="x", filler="", **metadata):
    return json.dumps({"type": kind, "object": {
        "metadata": {"name": name, "namespace": "default", "uid": name, "resourceVersion": "1",
                     "annotations": {"filler": filler}, **metadata},
        "spec": {"nodeName": NODE, "containers": [{"name": "c", "image": "busybox"}]}}}
    ).encode() + b"\n"


GARBAGE = {
    "null": b"null\n",
    "a number": b"42\n",
    "a list": b"[]\n",
    "another object": b'{"kind":"PodList","apiVersion":"v1","items":[]}\n',
    "no object": b'{"type":"ADDED"}\n',
    "another type": b'{"type":"REPLACED","object":{}}\n',
    "no name": b'{"type":"ADDED","object":{"metadata":{"uid":"1","resourceVersion":"1"}}}\n',
    "no uid": b'{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"1"}}}\n',
    "no JSON": b"<html>\n",
    "NUL": b"\0\0\0\0\n",
    "deep": b'{"type":"ADDED","object":' + b"[" * 1000000 + b"\n",
    "gzip, unasked": gzip.compress(b'{"type":"ADDED"}\n'),
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_streams_that_are_not_understood(server, newcomer, kind):
    server.faults.raw(PODS, answer(GARBAGE[kind]), count=1)
    watch(newcomer)
    assert "the API server's answer is not understood" in newcomer.log
    assert "all is well again" in newcomer.log
    is_well(server, newcomer)
    assert newcomer.memory_kib() < 100 * MIB


def test_garbage_takes_nothing_away(server, driver):
    server.faults.raw(PODS, answer(GARBAGE["another object"]), count=1)
    server.end_watches(PODS)
    driver.wait_log("the API server's answer is not understood")
    is_well(server, driver)


def lines_without_end():
    return itertools.repeat(b"x" * SLICE, HUGE // SLICE)


def objects_without_end():
    return (event(name=f"endless-{number}", filler="x" * SLICE)
            for number in range(4 * HUGE // SLICE))


def changes_without_end():
    return (event("MODIFIED", "busy", "x" * SLICE, resourceVersion=str(number))
            for number in range(1, BUSY_LAST + 1))


@pytest.mark.parametrize("what, sentence, mib", [
    (lines_without_end, "an event of more than 16 MiB", 120),
    (objects_without_end, "more objects than the 256 MiB", 400)])
def test_streams_without_an_end(server, driver, what, sentence, mib):
    fault = server.faults.raw(PODS, answer(what), count=1)
    server.end_watches(PODS)
    server.wait(lambda: fault.hits)
    driver.wait_log(sentence)
    is_well(server, driver)
    assert driver.memory_kib() < mib * MIB


def test_an_object_that_changes_without_an_end(server, driver):
    """Only its newest version is kept."""
    fault = server.faults.raw(PODS, answer(changes_without_end), count=1)
    server.end_watches(PODS)
    driver.wait(lambda: driver.objects["pods"].get("default/busy") == str(BUSY_LAST),
                "the last of its changes")
    server.wait(lambda: len(server.requests("WATCH", PODS)) > 2, what="another watch")
    assert fault.hits == 1
    is_well(server, driver)
    assert driver.memory_kib() < 100 * MIB


@functools.cache
def bomb():
    """256 MiB, packed."""
    return [gzip.compress(b"\0" * (1 << 28), 1)]


ANSWERS = {
    "huge": (answer(lines_without_end), "more than the 67108864 bytes allowed"),
    "huge, as it says": (answer(lines_without_end, headers=b"Content-Length: %d\r\n" % HUGE),
                         "more than the 67108864 bytes allowed"),
    "a bomb": (answer(bomb, headers=b"Content-Encoding: gzip\r\n"),
               "more than the 67108864 bytes allowed"),
    "not what it says": (answer(b"{}", headers=b"Content-Encoding: gzip\r\n"), "ncoding"),
    "an unknown encoding": (answer(b"{}", headers=b"Content-Encoding: rot13\r\n"), "ncoding"),
    "a head without an end": (answer(lines_without_end, headers=b"X: "),
                              "head of the answer is too long"),
    "a redirection": (answer(code=b"302 Found", headers=b"Location: https://192.0.2.1/\r\n"),
                      "redirects to https://192.0.2.1/"),
    "an error of one line": (answer(b"no healthy upstream", code=b"503 Oh"), "no healthy upstream"),
    "an endless error": (answer(lines_without_end, code=b"500 Oh"), "bytes allowed"),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_answers_that_are_no_good(server, newcomer, kind):
    """Of a call, and of a watch that has to list."""
    pieces, sentence = ANSWERS[kind]
    server.faults.raw(NODE_PATH, pieces, count=1)
    newcomer.ask("node", "GET", NODE_PATH)
    code, said = newcomer.wait_answer("node", seconds=60)
    assert code != 200 and sentence in said
    server.faults.refuse(PODS + ".*sendInitialEvents", 400, count=1)
    server.faults.raw(PODS, pieces, method="LIST", count=1)
    watch(newcomer)
    assert sentence in newcomer.log
    is_well(server, newcomer)
    assert newcomer.memory_kib() < 200 * MIB


def test_a_redirection_without_an_end(server, driver):
    server.faults.raw(NODE_PATH, answer(
        code=b"302 Found", headers=b"Location: " + NODE_PATH.encode() + b"\r\n"))
    driver.ask("node", "GET", NODE_PATH)
    assert "redirects more than" in driver.wait_answer("node")[1]
    assert len(server.requests("GET", NODE_PATH)) < 20
    is_well(server, driver)
