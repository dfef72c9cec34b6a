"""nodeagent probes: what it makes of the agent's answer."""

import json
import os
import pty

import pytest

from agent_socket import OK, AgentSocket, line, refusal


def result(verdict, total, code=0, late=300):
    return {"time": "2026-11-21T18:00:00.000000Z", "verdict": verdict, "code": code,
            "lateMicroseconds": late, "connectedMicroseconds": 100, "firstByteMicroseconds": 300,
            "totalMicroseconds": total}


def probe(container="main", kind="Readiness", **more):
    return {"namespace": "default", "pod": "web-n1", "uid": "5f3c9a20", "container": container,
            "containerID": "c0", "type": kind, "handler": "httpGet", "state": "passing",
            "delayMicroseconds": 0, "periodMicroseconds": 10000000, "timeoutMicroseconds": 1000000,
            "successThreshold": 1, "failureThreshold": 3, "run": 17, "runSucceeded": True,
            "inFlight": False, "nextMicroseconds": 3212345, "attempts": 17, "agentLate": 0,
            "longestLateMicroseconds": 900, "history": [result("success", 1234, 200)], **more}


@pytest.fixture
def probes(nodeagent, tmp_path):
    """probes(items, argument...): (exit code, standard output). Or steps of the socket."""
    def run(items, *arguments, locale="C.UTF-8"):
        steps = items if isinstance(items[0], bytes) else [OK, line({"probes": items})]
        with AgentSocket(tmp_path, {"probes": steps, "metrics": steps}) as agent:
            done = nodeagent("probes", "--run-dir", tmp_path, *arguments,
                             env={**os.environ, "LC_ALL": locale})
        (tmp_path / "nodeagent.sock").unlink()
        run.requests, run.stderr = agent.requests, done.stderr.decode()
        return done.returncode, done.stdout.decode()

    return run


def cells(text):
    return [[cell.strip() for cell in row.split("   ") if cell.strip()]
            for row in text.splitlines()]


def test_a_row(probes):
    code, text = probes([probe()])
    assert code == 0 and probes.requests == [{"command": "probes"}]
    assert cells(text) == [
        ["POD", "CONTAINER", "TYPE", "HANDLER", "STATE", "RUN", "NEXT", "LAST", "TIME", "LATE",
         "HISTORY"],
        ["default/web-n1", "main", "Readiness", "httpGet", "passing", "17 passed", "3.21s",
         "success (200)", "1.23ms", "0.3ms", "▂"]]


def test_wide(probes):
    _, text = probes([probe(text="HTTP probe failed\x1b")], "-o", "wide")
    assert cells(text)[1][10:] == ["10s", "1s", "0.9ms", "17", "▂", "HTTP probe failed\\x1b"]


@pytest.mark.parametrize("fields,run", [
    ({"run": 0}, "-"),
    ({"run": 1}, "1 passed"),
    ({"run": 2, "successThreshold": 3}, "2 of 3 passed"),
    ({"run": 4, "successThreshold": 3}, "4 passed"),
    ({"run": 2, "runSucceeded": False}, "2 of 3 failed"),
    ({"run": 5, "runSucceeded": False}, "5 failed"),
])
def test_runs(probes, fields, run):
    assert cells(probes([probe(**fields)])[1])[1][5] == run


@pytest.mark.parametrize("usec,shown", [
    (0, "0ms"), (3, "0.003ms"), (1234, "1.23ms"), (99999, "100ms"), (999499, "999ms"),
    (999500, "1s"), (1234567, "1.23s"), (59999999, "60s"), (60000000, "60s"), (150000000, "2m30s"),
])
def test_spans(probes, usec, shown):
    assert cells(probes([probe(nextMicroseconds=usec)])[1])[1][6] == shown


def test_ticks(probes):
    gated = probe("b", state="waits for startup", run=0, history=[])
    del gated["nextMicroseconds"]
    _, text = probes([gated, probe("a", inFlight=True), probe("c", kind="Liveness")])
    rows = cells(text)[1:]
    assert [row[1] for row in rows] == ["a", "b", "c"]
    assert [row[6] for row in rows] == ["now", "-", "3.21s"]
    assert rows[1][4:] == ["waits for startup", "-", "-", "-", "-", "-", "-"]


HISTORY = [result("success", usec) for usec in (1, 1000, 4000, 16000, 64000, 256000, 1024000, 5e6)]
HISTORY = [{**entry, "totalMicroseconds": int(entry["totalMicroseconds"])} for entry in HISTORY]
FAILURES = [result(verdict, 5) for verdict in (
    "refused", "connect timeout", "no response in time", "bad status", "TLS", "exec exit",
    "exec timeout", "broken", "agent late", "errored", "warning", "new in another version")]


@pytest.mark.parametrize("locale,bars", [("C.UTF-8", "▁▂▃▄▅▆▇█"), ("C", "_.:-=+*#"),
                                         ("no_SUCH.locale", "_.:-=+*#")])
def test_sparklines(probes, locale, bars):
    assert cells(probes([probe(history=HISTORY)], locale=locale)[1])[1][-1] == bars
    assert cells(probes([probe(history=FAILURES)], locale=locale)[1])[1][-1] == "RCNSTXKBaew?"


def test_colours_on_a_terminal(program, tmp_path):
    history = [result("success", 1), result("refused", 1), result("warning", 4000)]
    leader, terminal = pty.openpty()
    with AgentSocket(tmp_path, {"probes": [OK, line({"probes": [probe(history=history)]})]}):
        pid = os.spawnve(os.P_NOWAIT, "/bin/sh", ["sh", "-c", f"exec {program} probes --run-dir "
                                                  f"{tmp_path} >{os.ttyname(terminal)}"],
                         {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm", "NO_COLOR": ""})
        assert os.waitpid(pid, 0)[1] == 0
    text = os.read(leader, 65536).decode()
    os.close(leader)
    os.close(terminal)
    assert "\x1b[32m▁\x1b[0m\x1b[31m▁\x1b[0m\x1b[33m▃\x1b[0m" in text
    assert "\x1b[32mpassing\x1b[0m" in text


def test_several_pods(probes):
    code, text = probes([probe()], "web", "default/web-n1", "-o", "json")
    assert (code, json.loads(text)) == (0, {"probes": [probe(), probe()]})
    assert probes.requests == [{"command": "probes", "pod": "web"},
                               {"command": "probes", "pod": "default/web-n1"}]


def test_an_unknown_pod(probes):
    assert probes([refusal('there is no pod "wep" on this node')], "wep") == (1, "")
    assert probes.stderr == 'nodeagent probes: there is no pod "wep" on this node\n'


def test_metrics_are_passed_on(probes):
    text = '# HELP prober_probe_total x\nprober_probe_total{pod="web"} 3\n'
    assert probes([OK, line(text)], "--metrics") == (0, text)
    assert probes.requests == [{"command": "metrics"}]
    assert probes([OK, line({})], "--metrics") == (1, "")
    assert "the agent's answer is no text" in probes.stderr


@pytest.mark.parametrize("arguments,text", [
    (["--metrics", "web"], "--metrics is of all pods"),
    (["--metrics", "-o", "json"], "--metrics is of all pods"),
    (["-o", "text"], '-o takes wide or json, not "text"'),
    ([""], "a pod's name must not be empty"),
])
def test_usage(nodeagent, arguments, text):
    done = nodeagent("probes", *arguments)
    assert done.returncode == 2 and text in done.stderr.decode()


@pytest.mark.parametrize("items", [[3, "x", None, []], [{}], [{"history": [1, {}]}],
                                   [{"history": {}, "run": "x", "pod": 3, "state": []}]])
def test_answers_of_another_shape(probes, items):
    code, text = probes(items)
    assert code == 0 and len(text.splitlines()) == 1 + len(items)
    assert probes([OK, line({})])[0] == 1
    assert 'the agent\'s answer has no "probes"' in probes.stderr
