"""nodeagent probe: targets, pods, and what is told of attempts."""

import json
import os
import pty
import re
import signal
import subprocess
import time

import pytest

from agent_socket import OK, AgentSocket, line
from probe_servers import (NOT_SERVING, SERVING, Server, answering, closing, health,
                           make_certificate, over_tls, saying, silent, stalling)
from specs import container, pod

UP = answering("200 OK", "Set-Cookie: a=b", body="up\n")
DOWN = answering("500 Internal Server Error", body="database is down\n")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls") / "cert.pem")


@pytest.fixture
def probe(nodeagent):
    """probe(argument...): (exit code, standard output)."""
    def run(*arguments, **options):
        done = nodeagent("probe", *arguments, **options)
        run.stderr = done.stderr.decode()
        return done.returncode, done.stdout.decode()

    return run


@pytest.fixture
def attempt(probe):
    """attempt(argument...): (exit code, what is told as JSON)."""
    def run(*arguments, **options):
        code, text = probe("-o", "json", *arguments, **options)
        return code, json.loads(text)

    return run


def fields(text):
    """{"target": "...", ...} of a block; repeated names and what follows them are joined."""
    found, name = {}, None
    for row in text.splitlines()[1:]:
        name = row[2:12].strip() or name
        found[name] = f"{found[name]}\n{row[13:]}" if name in found else row[13:]
    return found


# targets


def test_a_block(probe):
    with Server(UP) as server:
        code, text = probe(f"http://127.0.0.1:{server.port}/ready?full=1", "--header",
                           "X-Test: yes")
    found = fields(text)
    assert code == 0 and text.startswith("Readiness probe: httpGet\n")
    assert found["target"] == f"http://127.0.0.1:{server.port}/ready?full=1"
    assert found["header"] == "X-Test: yes"
    assert found["timing"] == "timeout 1s, period 10s, thresholds 1 success, 3 failures"
    assert re.fullmatch(r"DNS [\d.]+ ms, connect [\d.]+ ms, first byte [\d.]+ ms, "
                        r"total [\d.]+ ms", found["times"])
    assert found["answer"] == ("HTTP/1.1 200 OK\nSet-Cookie: ***\nContent-Length: 3\n"
                               "Connection: close")
    assert (found["body"], found["verdict"], found["next"]) == ("up", "success", "Ready")
    assert "GET /ready?full=1 HTTP/1.1\r\n" in server.requests[0]
    assert "\r\nUser-Agent: kube-probe/1.36\r\n" in server.requests[0]
    assert "\r\nX-Test: yes\r\n" in server.requests[0]


@pytest.mark.parametrize("answer,url,verdict,event", [
    (DOWN, "http://127.0.0.1:{}/", "bad status", "HTTP probe failed with statuscode: 500"),
    (silent, "http://127.0.0.1:{}/", "no response in time",
     'Get "http://127.0.0.1:{}/": context deadline exceeded'),
    (stalling, "http://127.0.0.1:{}/", "no response in time", "context deadline exceeded"),
    (closing, "http://127.0.0.1:{}/", "broken", 'Get "http://127.0.0.1:{}/": EOF'),
    (saying(b"SSH-2.0-x\r\n"), "http://127.0.0.1:{}/", "broken", "malformed HTTP response"),
    (UP, "https://127.0.0.1:{}/", "TLS", "http: server gave HTTP response to HTTPS client"),
    (health(NOT_SERVING), "grpc://127.0.0.1:{}", "bad status",
     'service unhealthy (responded with "NOT_SERVING")'),
    (silent, "grpc://127.0.0.1:{}", "no response in time", "timeout: "),
])
def test_failures(attempt, answer, url, verdict, event):
    with Server(answer) as server:
        code, told = attempt(url.format(server.port), "--timeout", "300ms", "-t", "liveness")
    assert (code, told["verdict"]) == (1, verdict)
    assert told["event"]["reason"] == "Unhealthy"
    assert told["event"]["message"].startswith(
        f"Liveness probe failed: {told['text']}")
    assert event.format(server.port) in told["text"]
    assert told["next"] == "2 more failures until restart (about 20s)"


def test_nobody_listens(attempt):
    with Server(UP) as server:
        port = server.port
    for url in (f"http://127.0.0.1:{port}/", f"tcp://127.0.0.1:{port}"):
        code, told = attempt(url)
        assert (code, told["verdict"]) == (1, "refused")
        assert f"dial tcp 127.0.0.1:{port}: connect: connection refused" in told["text"]


def test_successes(attempt, certificate):
    for answer, url in [(silent, "tcp://127.0.0.1:{}"), (silent, "tcp://localhost:{}"),
                        (over_tls(UP, certificate), "https://127.0.0.1:{}/x"),
                        (health(SERVING), "grpc://127.0.0.1:{}/a.Service")]:
        with Server(answer) as server:
            code, told = attempt(url.format(server.port))
        assert (code, told["verdict"], told["next"]) == (0, "success", "Ready")
        assert "event" not in told
        assert ("securedMicroseconds" in told["times"]) == url.startswith("https")


def test_ipv6(attempt):
    with Server(UP, "::1") as server:
        code, told = attempt(f"http://[::1]:{server.port}/")
    assert (code, told["target"]) == (0, f"http://[::1]:{server.port}/")


@pytest.mark.parametrize("answer,url,hint", [
    (UP, "https://127.0.0.1:{}/", "the port speaks plain HTTP"),
    ("tls", "http://127.0.0.1:{}/", "the port speaks TLS"),
    (stalling, "http://127.0.0.1:{}/", "its body did not"),
    (answering("302 Found", "Location: http://other.example/"), "http://127.0.0.1:{}/",
     "another host is not followed"),
    ("tls", "grpc://127.0.0.1:{}", "plain HTTP/2"),
])
def test_hints(attempt, certificate, answer, url, hint):
    with Server(over_tls(UP, certificate) if answer == "tls" else answer) as server:
        _, told = attempt(url.format(server.port), "--timeout", "300ms")
    assert hint in "\n".join(told["hints"])


def test_a_warning_is_a_success(attempt):
    with Server(answering("302 Found", "Location: http://other.example/")) as server:
        code, told = attempt(f"http://127.0.0.1:{server.port}/")
    assert (code, told["verdict"], told["event"]["reason"]) == (0, "warning", "ProbeWarning")


def test_the_flags_are_in_the_request(probe):
    with Server(UP) as server:
        code, _ = probe(f"http://127.0.0.1:{server.port}/a", "--path", "/b?c", "--header",
                        "Host: a.example", "--header", "User-Agent: me", "--close", "fin",
                        "--scheme", "HTTP", "--host", "localhost", "--port", server.port)
    assert code == 0
    assert server.requests[0].startswith("GET /b?c HTTP/1.1\r\nHost: a.example\r\n")
    assert "User-Agent: me" in server.requests[0]


def test_secrets(probe):
    secrets = ["Authorization: Bearer 1234", "Cookie: 1234", "X-My-Token: 1234", "Api-Key: 1234"]
    options = [word for header in [*secrets, "X-Plain: shown"] for word in ("--header", header)]
    with Server(UP) as server:
        url = f"http://127.0.0.1:{server.port}/"
        hidden = probe(url, *options)[1] + probe(url, *options, "-o", "json")[1]
        assert "1234" not in hidden and "Authorization: ***" in hidden
        assert "Set-Cookie: a=b" not in hidden and "X-Plain: shown" in hidden
        assert "Cookie: 1234" in server.requests[0]
        shown = probe(url, *options, "--show-secrets")[1]
    assert shown.count("1234") == 4 and "Set-Cookie: a=b" in shown


def test_nothing_moves_the_terminal(probe):
    with Server(saying(b"HTTP/1.1 500 a\x1bb\r\nX: \x1b[2J\r\n\r\n\x1b]0;x\x07\xff")) as server:
        _, text = probe(f"http://127.0.0.1:{server.port}/")
    assert "\x1b" not in text and "\x07" not in text and "\\x1b]0;x" in text


def test_long_answers_are_cut(probe):
    with Server(answering("500 X", body="line\n" * 4000)) as server:
        _, text = probe(f"http://127.0.0.1:{server.port}/")
    assert text.count("line") == 20 and "\n             ...\n" in text


# several


def test_count(probe):
    with Server(DOWN) as server:
        began = time.monotonic()
        code, text = probe(f"http://127.0.0.1:{server.port}/", "--count", "3", "--period", "300ms",
                           "-t", "startup", "--initial-delay", "200ms")
    assert code == 1 and len(server.requests) == 3
    assert 0.7 < time.monotonic() - began < 5
    rows = text.splitlines()[-3:]
    assert rows[0] == "  next       2 more failures until restart (about 600ms)"
    assert re.sub(r"[\d.]+ ms", "1 ms", "\n".join(rows[1:])) == (
        "  #2         bad status again, total 1 ms: 1 more failure until restart (about 300ms)\n"
        "  #3         bad status again, total 1 ms: restart")


def test_thresholds(attempt, probe):
    with Server(UP) as server:
        _, text = probe(f"http://127.0.0.1:{server.port}/", "--success-threshold", "2", "-n", "2",
                        "--period", "1ms", "-o", "json")
    told = [json.loads(row) for row in text.splitlines()]
    assert [(one["run"], one["next"]) for one in told] == [
        (1, "Ready after 1 more success (about 1ms)"), (2, "Ready")]
    assert [one["attempt"] for one in told] == [1, 2]


def test_the_worst_counts(probe):
    answers = iter([DOWN, UP])
    with Server(lambda server, client: next(answers)(server, client)) as server:
        code, text = probe(f"http://127.0.0.1:{server.port}/", "-n", "2", "--period", "1ms")
    assert code == 1 and "verdict    bad status" in text and "verdict    success" in text


def test_watch_until_interrupted(program):
    with Server(UP) as server:
        process = subprocess.Popen(
            [program, "probe", "--watch", "--period", "50ms", f"http://127.0.0.1:{server.port}/"],
            stdout=subprocess.PIPE, text=True)
        rows = [process.stdout.readline() for _ in range(14)]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        process.stdout.close()
    assert sum(" again, " in row for row in rows) >= 2


def test_interrupted_before_there_is_an_answer(program):
    with Server(silent) as server:
        process = subprocess.Popen([program, "probe", "--timeout", "60s",
                                    f"http://127.0.0.1:{server.port}/"])
        time.sleep(1)
        process.terminate()
        assert process.wait(20) == 3


def test_colours_on_a_terminal(program):
    with Server(UP) as server:
        leader, terminal = pty.openpty()
        process = subprocess.Popen([program, "probe", f"http://127.0.0.1:{server.port}/"],
                                   stdout=terminal, env={**os.environ, "TERM": "xterm",
                                                         "NO_COLOR": ""})
        assert process.wait(20) == 0
        text = os.read(leader, 65536).decode()
        os.close(leader)
        os.close(terminal)
    assert "verdict    \x1b[32msuccess\x1b[0m" in text


# the command line


@pytest.mark.parametrize("arguments,sentence", [
    ([], "name a target, a pod, or a file with -f"),
    (["ftp://x"], "must begin with http://, https://, tcp:// or grpc://"),
    (["tcp://x"], "has no port"),
    (["tcp://x:0"], "the port must be a number from 1 to 65535"),
    (["tcp://x:http"], "the port must be a number from 1 to 65535"),
    (["tcp://x:1/y"], "tcp has no path"),
    (["grpc://:1"], "has no host"),
    (["http://[::1"], "or IPv6 in brackets"),
    (["http://::1/"], "or IPv6 in brackets"),
    (["http://u:p@x/"], "--header 'Authorization: ...'"),
    (["http://x/", "http://y/"], "is one target too many"),
    (["http://x/", "-c", "main"], "is no pod"),
    (["exec", "--", "ls"], "exec needs --container ID"),
    (["exec", "-c", "x"], "exec needs --container ID"),
    (["tcp://x:1", "--path", "/"], "--path: no probe that is meant has that"),
    (["http://x/", "--service", "a"], "--service: no probe that is meant has that"),
    (["http://x/", "--port", "70000"], "readinessProbe.httpGet.port: "),
    (["http://x/", "--scheme", "https"], "readinessProbe.httpGet.scheme: "),
    (["http://x/", "--header", "a b: c"], "readinessProbe.httpGet.httpHeaders"),
    (["http://x/", "--header", "a"], "must be NAME: VALUE"),
    (["http://x/", "--timeout", "1"], "must be a duration such as 200ms or 1.5s"),
    (["http://x/", "--timeout", "0s"], "must be at least 1ms"),
    (["http://x/", "--period", "-1s"], "must be a duration"),
    (["http://x/", "--count", "0"], "must be a number from 1"),
    (["http://x/", "--count", "2", "--watch"], "one of them"),
    (["http://x/", "--success-threshold", "2", "-t", "liveness"], "must be 1 but of readiness"),
    (["http://x/", "--type", "live"], "must be liveness, readiness or startup"),
    (["http://x/", "--close", "rst"], '--close takes reset or fin, not "rst"'),
    (["http://x/", "-o", "wide"], '-o takes text or json, not "wide"'),
    (["http://x/", "--nonsense"], "unknown option --nonsense"),
    (["http://x/", "--ip"], "--ip needs a value"),
    ([""], "a pod's name must not be empty"),
])
def test_usage(probe, arguments, sentence):
    code, text = probe(*arguments)
    assert (code, text) == (2, "")
    assert probe.stderr.startswith("nodeagent probe: ") and sentence in probe.stderr
    assert probe.stderr.endswith("\nTry: nodeagent probe --help\n")


def test_help(probe):
    for arguments in (["--help"], ["-h"]):
        code, text = probe(*arguments)
        assert code == 0 and text.startswith("Usage: nodeagent probe ")
        assert all(len(row) <= 88 for row in text.splitlines())


def test_output_that_cannot_be_written(program):
    with Server(UP) as server, open("/dev/full", "wb") as full:
        done = subprocess.run([program, "probe", f"http://127.0.0.1:{server.port}/"], stdout=full,
                              stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 3 and b"cannot write the output" in done.stderr


def test_the_other_half_says_what_it_is(program):
    service = program.parent.parent / "agent" / "nodeagentd"
    for arguments in ([], ["x"], ["1"], ["99"]):
        done = subprocess.run([service, "probe", *arguments], capture_output=True, timeout=60)
        assert done.returncode in (2, 3) and done.stderr.startswith(b"nodeagent probe: ")


# files


def manifest(**probes):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": [
        {"name": "main", "image": "x", "ports": [{"name": "http", "containerPort": 8080}],
         **probes}]}}


def test_a_file(attempt, tmp_path):
    with Server(UP) as server:
        path = tmp_path / "web.yaml"
        path.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n---\n" + json.dumps(
            manifest(readinessProbe={"httpGet": {"port": server.port, "path": "ready"},
                                     "timeoutSeconds": 3})))
        code, told = attempt("-f", path, "--ip", "127.0.0.1")
        assert (code, told["target"]) == (0, f"http://127.0.0.1:{server.port}/ready")
        assert (told["pod"], told["container"], told["timeoutMicroseconds"]) == (
            "web", "main", 3000000)
        code, told = attempt("-f", "-", "--ip", "127.0.0.1", stdin=path.read_text())
        assert code == 0


def test_a_file_without_an_address(attempt, tmp_path):
    path = tmp_path / "web.json"
    path.write_text(json.dumps(manifest(readinessProbe={"tcpSocket": {"port": "http"}})))
    code, told = attempt("-f", path)
    assert (code, told["verdict"]) == (3, "errored")
    assert "the pod has no address yet" in told["text"] and "--ip" in told["hints"][0]


def test_names_of_ports_and_local_hosts(attempt, tmp_path):
    path = tmp_path / "web.json"
    path.write_text(json.dumps(manifest(livenessProbe={
        "httpGet": {"port": "http", "host": "localhost"}, "timeoutSeconds": 10}, readinessProbe={
            "tcpSocket": {"port": "htpp"}})))
    code, told = attempt("-f", path, "--ip", "127.0.0.1", "-t", "liveness")
    assert (code, told["target"]) == (1, "http://localhost:8080/")
    assert ["is the node, not the pod" in hint for hint in told["hints"]] == [True, False]
    assert "the timeout is not shorter than the period" in told["hints"][1]
    code, told = attempt("-f", path, "--ip", "127.0.0.1", "-t", "readiness")
    assert (code, told["verdict"]) == (3, "errored")
    assert "no port of container main has this name" in told["hints"][0]


def test_annotations_count(attempt, tmp_path):
    path = tmp_path / "web.json"
    document = manifest(readinessProbe={"tcpSocket": {"port": 1}})
    document["metadata"]["annotations"] = {
        "nodeagent.dev/probe.main.readiness": "period=200ms,timeout=100ms"}
    path.write_text(json.dumps(document))
    _, told = attempt("-f", path, "--ip", "127.0.0.1")
    assert (told["periodMicroseconds"], told["timeoutMicroseconds"]) == (200000, 100000)
    _, told = attempt("-f", path, "--ip", "127.0.0.1", "--timeout", "2s")
    assert (told["periodMicroseconds"], told["timeoutMicroseconds"]) == (200000, 2000000)


@pytest.mark.parametrize("text,arguments,code,sentence", [
    (None, [], 3, "missing.yaml: "),
    ("a: [", [], 2, ":1:"),
    ("kind: Node\n", [], 2, "has no pod"),
    ("kind: Pod\n---\nkind: Pod\n", [], 2, "has more than one pod"),
    (manifest(), [], 2, "pod web has no probe"),
    (manifest(readinessProbe={"tcpSocket": {"port": 0}}), [], 2,
     "spec.containers[0].readinessProbe.tcpSocket.port: "),
    (manifest(readinessProbe={"tcpSocket": {"port": 1}}), ["-c", "mian"], 2,
     'pod web has no container "mian"'),
    (manifest(readinessProbe={"tcpSocket": {"port": 1}}), ["-t", "startup", "-c", "main"], 2,
     "pod web has no Startup probe in container main"),
])
def test_files_that_are_no_use(probe, tmp_path, text, arguments, code, sentence):
    path = tmp_path / "missing.yaml"
    if text is not None:
        path.write_text(text if isinstance(text, str) else json.dumps(text))
    assert probe("-f", path, *arguments) == (code, "")
    assert sentence in probe.stderr


# pods of an agent that is played


def played(tmp_path, port, known=()):
    document = manifest(readinessProbe={"httpGet": {"port": port}},
                        livenessProbe={"tcpSocket": {"port": port}, "failureThreshold": 5})
    document["metadata"] |= {"name": "web-n1", "namespace": "default", "uid": "5f3c9a20-aa"}
    document["spec"]["nodeName"] = "n1"
    document["status"] = {"podIP": "127.0.0.1", "podIPs": [{"ip": "127.0.0.1"}]}
    other = json.loads(json.dumps(document))
    other["metadata"] |= {"namespace": "other", "uid": "77777777-bb"}
    return AgentSocket(tmp_path, {
        "ps": [OK, line({"kind": "PodList", "items": [document, other]})],
        "probes": [OK, line({"probes": list(known)})]})


def test_what_the_agent_has_seen_counts(attempt, probe, tmp_path):
    known = [{"container": "main", "type": "Readiness", "state": "passing", "run": 2,
              "runSucceeded": False},
             {"container": "main", "type": "Liveness", "state": "waits for startup", "run": 0}]
    with Server(DOWN) as server, played(tmp_path, server.port, known) as socket:
        code, told = attempt("default/web", "--run-dir", tmp_path, "-t", "readiness")
        assert (code, told["run"], told["next"]) == (1, 3, "not Ready: 1 success needed")
        assert told["state"] == "passing" and told["target"] == f"http://127.0.0.1:{server.port}/"
        assert socket.requests == [{"command": "ps"},
                                   {"command": "probes", "pod": "default/web-n1"}]
        code, text = probe("5f3c9a20", "--run-dir", tmp_path)
        assert code == 1 and text.count("\nverdict") == 0
        assert "Liveness probe of pod default/web-n1, container main: tcpSocket" in text
        assert "\n  agent      waits for startup\n" in text
        assert "before the startup probe has passed" in text


@pytest.mark.parametrize("name,sentence", [
    ("web", '"web" may be pod default/web-n1 or other/web-n1'),
    ("wep", 'there is no pod "wep" on this node'),
])
def test_pods_that_are_not_meant(probe, tmp_path, name, sentence):
    with played(tmp_path, 1):
        assert probe(name, "--run-dir", tmp_path) == (2, "")
    assert sentence in probe.stderr


def test_no_agent(probe, tmp_path):
    assert probe("web", "--run-dir", tmp_path) == (3, "")
    assert "no agent is running" in probe.stderr


# pods on a real runtime


def pods(agent):
    script = "mkdir /www; echo up > /www/ok; exec httpd -f -p 8080 -h /www"
    command = ["sh", "-c", "echo out; echo err >&2; exit ${CODE:-0}"]
    return [pod("web", container(
        "main", script, ports=[{"name": "http", "containerPort": 8080}],
        env=[{"name": "FILE", "value": "ok"}],
        readinessProbe={"httpGet": {"port": "http", "path": "/ok"}, "periodSeconds": 1},
        livenessProbe={"exec": {"command": command}, "periodSeconds": 1},
        startupProbe={"tcpSocket": {"port": "http"}, "periodSeconds": 1, "failureThreshold": 60}))]


@pytest.fixture
def of_web(agent, attempt):
    """Arguments for the agent's pod and its runtime."""
    agent.wait_ready("web")
    agent.wait(lambda: "undecided" not in agent.command("probes", "web").stdout, "all to be made")
    return ["--run-dir", agent.run, "--container-runtime-endpoint", agent.containerd.endpoint]


def test_all_probes_of_a_pod(of_web, agent, probe):
    code, text = probe("web", *of_web)
    assert code == 0, text
    titles = [row for row in text.splitlines() if not row.startswith(" ") and row]
    assert titles == [f"{kind} probe of pod default/web-node, container main: {handler}"
                      for kind, handler in [("Startup", "tcpSocket"), ("Readiness", "httpGet"),
                                            ("Liveness", "exec")]]
    blocks = [fields(block) for block in text.split("\n\n")]
    address = agent.pod("web")["status"]["podIP"]
    assert blocks[1]["target"] == f"http://{address}:8080/ok (port http), the pod's address"
    assert [block["agent"] for block in blocks] == ["passed", "passing", "passing"]
    assert (blocks[2]["exit code"], blocks[2]["output"]) == ("0", "out\nerr")


def test_other_commands_in_a_container(of_web, agent, attempt):
    code, told = attempt("web", *of_web, "-t", "liveness", "--", "sh", "-c",
                         "echo no; cat /www/$(FILE); exit 3")
    assert (code, told["verdict"], told["code"], told["body"]) == (1, "exec exit", 3, "no\nup\n")
    assert told["event"]["message"] == "Liveness probe failed: no\nup\n"
    assert told["next"].startswith("2 more failures until restart")
    identity = told["containerID"]
    code, told = attempt("exec", "--container", identity, *of_web[2:], "--timeout", "500ms", "--",
                         "sleep", "30")
    assert (code, told["verdict"]) == (1, "exec timeout")
    code, told = attempt("exec", "--container", identity, *of_web[2:], "--", "no-such-program")
    assert code in (1, 3)
    assert "the command is not in the container's image" in told["hints"]
    code, told = attempt("exec", "--container", "0" * 64, *of_web[2:], "--", "true")
    assert (code, told["verdict"]) == (3, "errored")


def test_nobody_but_the_operator_notices(of_web, agent, attempt):
    code, told = attempt("web", *of_web, "-t", "readiness", "--path", "/missing", "--count", "1")
    assert (code, told["code"]) == (1, 404)
    assert not [event for event in agent.messages("web") if "404" in event]


def test_probes_lists_them(of_web, agent):
    rows = agent.command("probes", "web").stdout.splitlines()
    assert [row.split()[1:5] for row in rows[1:]] == [
        ["main", "Liveness", "exec", "passing"], ["main", "Readiness", "httpGet", "passing"],
        ["main", "Startup", "tcpSocket", "passed"]]
    assert "prober_probe_total{" in agent.command("probes", "--metrics").stdout


def test_no_runtime(attempt, tmp_path):
    code, told = attempt("exec", "-c", "x", "--container-runtime-endpoint",
                         f"unix://{tmp_path}/no.sock", "--", "true")
    assert (code, told["verdict"]) == (3, "errored")
    assert f"no runtime answers at unix://{tmp_path}/no.sock" in told["hints"][0]
