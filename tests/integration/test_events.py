"""nodeagent events: the list, and following it."""

import json
import select
import signal
import subprocess
import threading

import pytest

from agent_socket import OK, AgentSocket, ago, line


def event(name, reason="Started", last=3600, first=None, count=1, kind="Normal", about="web-n1",
          message="Started container web", **more):
    return {"apiVersion": "v1", "kind": "Event",
            "metadata": {"name": name, "namespace": "default"},
            "involvedObject": {"kind": "Pod", "namespace": "default", "name": about,
                               "uid": f"5f3c9a20-{about}"},
            "reason": reason, "message": message, "type": kind, "count": count,
            "source": {"component": "kubelet", "host": "n1"},
            "firstTimestamp": ago(first or last), "lastTimestamp": ago(last), **more}


def micro(seconds):
    """A MicroTime."""
    return ago(seconds).replace("Z", ".000000Z")


def event_list(*events):
    return {"apiVersion": "v1", "kind": "EventList", "metadata": {}, "items": list(events)}


@pytest.fixture
def events(nodeagent, tmp_path):
    def run(document, *arguments):
        with AgentSocket(tmp_path, {"events": [OK, line(document)]}) as agent:
            result = nodeagent("events", "--run-dir", tmp_path, *arguments)
        (tmp_path / "nodeagent.sock").unlink()
        run.request = agent.requests[0]
        return result

    return run


def test_a_table_like_kubectls(events):
    result = events(event_list(
        event("b", "BackOff", last=3600, first=7200, count=12, kind="Warning",
              message=" Back-off\nrestarting \x1b[2J\n"),
        event("a", last=14400),
        event("c", last=600, first=14400, reportingComponent="x", about="db-n1",
              series={"count": 3, "lastObservedTime": micro(1200)}, eventTime=micro(36000))))
    assert events.request == {"command": "events"}
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout.decode() == (
        "NAMESPACE   LAST SEEN             TYPE      REASON    OBJECT       MESSAGE\n"
        "default     4h                    Normal    Started   Pod/web-n1   Started container web\n"
        "default     60m (x12 over 120m)   Warning   BackOff   Pod/web-n1   "
        "Back-off\\nrestarting \\x1b[2J\n"
        "default     20m (x3 over 10h)     Normal    Started   Pod/db-n1    "
        "Started container web\n")


def test_equal_times_keep_the_order(events):
    names = ["c", "a", "b"]
    rows = events(event_list(*[event(name, reason=name) for name in names])).stdout.decode()
    assert [row.split()[3] for row in rows.splitlines()[1:]] == names


@pytest.mark.parametrize("wanted,count", [
    ("web-n1", 1), ("web", 1), ("default/web", 1), ("5f3c9a20-db", 1), ("5f3c9a20", 2), ("we", 0)])
def test_those_of_one_pod(events, wanted, count):
    document = event_list(event("a"), event("b", about="db-n1"))
    result = events(document, wanted)
    assert result.returncode == 0
    assert len(result.stdout.splitlines()) == count + 1
    assert len(json.loads(events(document, "-o", "json", wanted).stdout)["items"]) == count


def test_json_is_the_list_as_it_came(events):
    document = event_list(event("a", message="\u009b\x1b"), event("b"))
    result = events(document, "-o", "json")
    assert json.loads(result.stdout) == document
    assert b"\xc2\x9b" not in result.stdout and b"\x1b" not in result.stdout


def follow(program, run_dir, *arguments):
    return subprocess.Popen([program, "events", "-f", "--run-dir", run_dir, *arguments],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_following(program, tmp_path):
    seen = threading.Event()

    def steps(_):
        yield OK
        yield line(event_list(event("a")))
        seen.wait(20)
        later = line(event("b", reason="Killing", last=0)) + line(event("c", about="db-n1"))
        yield later[:50]
        yield 0.1
        yield later[50:]
        yield 60

    with AgentSocket(tmp_path, {"events": steps}) as agent:
        process = follow(program, tmp_path)
        rows = [process.stdout.readline(), process.stdout.readline()]
        assert not select.select([process.stdout], [], [], 0.2)[0]
        seen.set()
        rows += [process.stdout.readline(), process.stdout.readline()]
        assert agent.requests == [{"command": "events", "follow": True}]
        assert [row.split()[4].decode() for row in rows[1:]] == ["Pod/web-n1", "Pod/web-n1",
                                                               "Pod/db-n1"]
        # the columns of later rows stand below those of the earlier
        assert len({row.index(b"Pod/") for row in rows[1:]}) == 1
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == -signal.SIGINT
    process.stdout.close()
    process.stderr.close()


def test_following_as_json_until_the_agent_ends(program, tmp_path):
    documents = [event("a"), event("b"), event("c")]
    with AgentSocket(tmp_path, {"events": [OK, line(event_list(*documents[:2])),
                                           line(event("x", about="other")),
                                           line(documents[2])]}):
        process = follow(program, tmp_path, "-o", "json", "web")
        output, errors = process.communicate(timeout=20)
    assert [json.loads(row) for row in output.splitlines()] == documents
    assert process.returncode == 1
    assert errors == (b"nodeagent events: the agent has ended, or this reader was too slow for "
                      b"it\n")


@pytest.mark.parametrize("bad", [b"garbage\n", b'{"count": "x"}\n', b"[]\n"])
def test_following_garbage(program, tmp_path, bad):
    with AgentSocket(tmp_path, {"events": [OK, line(event_list(event("a"))), bad, 60]}):
        process = follow(program, tmp_path)
        output, errors = process.communicate(timeout=20)
    assert len(output.splitlines()) == 2
    assert process.returncode == 1
    assert errors.startswith(b"nodeagent events: the agent's answer cannot be read")


def test_who_reads_no_more_ends_it(program, tmp_path):
    """events -f | head -1"""
    def steps(_):
        yield OK
        yield line(event_list(event("a")))
        while True:
            yield line(event("b"))
            yield 0.05

    with AgentSocket(tmp_path, {"events": steps}):
        process = follow(program, tmp_path)
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(20) != 0
    process.stderr.close()
