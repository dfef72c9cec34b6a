"""Probes of real containers: all kinds, at the right time, and what becomes of it."""

import datetime
import time

import pytest

from agent import is_ready, restarts, status_of
from probe_servers import Server
from servers import Asked
from specs import container, pod, sidecar, stay

SERVE = "mkdir -p /tmp/www; echo good > /tmp/www/ready; httpd -p 8080 -h /tmp/www; "
FLAG = "test -e /tmp/flag"
HTTP = {"httpGet": {"path": "/ready", "port": "web"}}
TCP = {"tcpSocket": {"port": 8080}}
EXEC = {"exec": {"command": ["sh", "-c", FLAG]}}
PORTS = [{"name": "web", "containerPort": 8080}]
QUICK = {"periodSeconds": 1, "failureThreshold": 2}


@pytest.fixture
def asked():
    server = Asked()
    yield server
    server.close()


def begin(pod):
    """When its container started, by its status: whole seconds."""
    text = status_of(pod)["state"]["running"]["startedAt"]
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def pods(agent):
    serving = SERVE + f"touch /tmp/flag; {stay(quiet=True)}"
    kinds = {"http": HTTP, "tcp": TCP, "exec": EXEC}
    return [
        pod(f"{kind}-{field.lower()}", container("main", serving, ports=PORTS,
                                                 **{f"{field}Probe": {**handler, **QUICK}}),
            agent=agent)
        for kind, handler in kinds.items() for field in ("liveness", "readiness", "startup")
    ] + [
        pod("fails-live", container("main", f"say up; touch /tmp/flag; sleep 3; say bad; "
                                    f"rm /tmp/flag; {stay(quiet=True)}",
                                    livenessProbe={**EXEC, **QUICK}), agent=agent),
        pod("fails-startup", container("main", f"say up; {stay(quiet=True)}",
                                       startupProbe={**EXEC, "periodSeconds": 1,
                                                     "failureThreshold": 3}), agent=agent),
        pod("never-restarted", container("main", f"touch /tmp/flag; sleep 2; rm /tmp/flag; "
                                         f"{stay(quiet=True, on_term='exit 3')}",
                                         livenessProbe={**EXEC, **QUICK}), agent=agent,
            restartPolicy="Never"),
        pod("side", container("main", f"say main; {stay(quiet=True)}"), agent=agent,
            inits=[sidecar("aide", f"say aide; sleep 2; touch /tmp/flag; {stay(quiet=True)}",
                           startupProbe={**EXEC, "periodSeconds": 1, "failureThreshold": 20}),
                   container("next", "say next")]),
        pod("hangs", container("main", stay(quiet=True),
                               readinessProbe={"exec": {"command": ["sleep", "30"]},
                                               "periodSeconds": 1}), agent=agent),
        pod("leaves", container("main", stay(quiet=True),
                                readinessProbe={"exec": {"command": [
                                    "sh", "-c", "sleep 777 & sleep 30"]}, "periodSeconds": 5}),
            agent=agent),
        pod("no-command", container("main", stay(quiet=True),
                                    livenessProbe={"exec": {"command": ["/no/such"]},
                                                   **QUICK}), agent=agent),
        pod("hooked", container("main", serving, ports=PORTS, readinessProbe={**HTTP, **QUICK},
                                lifecycle={"postStart": {"exec": {"command": ["sleep", "2"]}}}),
            agent=agent),
    ]


@pytest.mark.parametrize("kind", ["http", "tcp", "exec"])
@pytest.mark.parametrize("field", ["liveness", "readiness", "startup"])
def test_every_kind_passes(agent, kind, field):
    found = agent.wait_pod(f"{kind}-{field}", is_ready, "ready")
    assert status_of(found)["started"] is True and restarts(found) == 0


def test_readiness_follows_what_the_container_answers(agent):
    """Also check P26: the answer's status is in the event, not its body."""
    agent.wait_ready("http-readiness")
    execute(agent, "http-readiness", "mv /tmp/www/ready /tmp/www/gone")
    found = agent.wait_pod("http-readiness", lambda pod: not is_ready(pod), "not ready")
    messages = {item["type"]: item.get("message") for item in found["status"]["conditions"]}
    assert messages["ContainersReady"] == "containers with unready status: [main]"
    assert restarts(found) == 0
    agent.wait_event("http-readiness", "Unhealthy: Readiness probe failed: HTTP probe failed with "
                     "statuscode: 404")
    blockers = agent.why("http-readiness")["pods"][0]["blockers"]
    assert any(item["reason"] == "ReadinessProbe" and item["container"] == "main" and
               "readiness probe failing" in item["text"] and "statuscode: 404" in item["text"]
               for item in blockers), blockers

    def failing():
        return [item["text"] for item in agent.why("http-readiness")["pods"][0]["blockers"]]

    before = failing()
    agent.wait(lambda: failing() != before, "another attempt to be told of", 5)
    execute(agent, "http-readiness", "mv /tmp/www/gone /tmp/www/ready")
    agent.wait_ready("http-readiness")


def execute(agent, name, script):
    identity = status_of(agent.pod(name))["containerID"].split("://")[1]
    result = agent.containerd.ctr("tasks", "exec", "--exec-id", f"test-{time.monotonic_ns()}",
                                  identity, "sh", "-c", script)
    assert result.returncode == 0, result


def test_a_failed_liveness_probe_restarts_the_container(agent):
    agent.wait_event("fails-live", "Killing: Container main failed liveness probe, will be "
                     "restarted")
    agent.wait_event("fails-live", "Unhealthy: Liveness probe failed: ")
    agent.wait_pod("fails-live", lambda pod: restarts(pod) >= 1, "restarted")
    agent.wait(lambda: agent.said("fails-live").count("up") >= 2, "the second run")
    times = agent.stage("fails-live")
    bad = next(at for at, text in times if text == "bad")
    again = [at for at, text in times if text == "up"][1]
    # Two ticks of a second, the second one at least a second after it went bad; then a second of
    # grace that the container does not need, and the restart.
    assert 1.0 <= again - bad <= 4.5, times


def test_check_07_a_failed_startup_probe_restarts_the_container(agent):
    agent.wait_event("fails-startup", "Killing: Container main failed startup probe, will be "
                     "restarted")
    agent.wait(lambda: agent.said("fails-startup").count("up") >= 2, "the second run")
    found = agent.pod("fails-startup")
    assert not is_ready(found) and status_of(found)["started"] is False


def test_without_restarts_the_pod_fails(agent):
    found = agent.wait_phase("never-restarted", "Failed")
    assert restarts(found) == 0


def test_check_18_a_sidecar_holds_up_the_next_until_it_has_started_up(agent):
    agent.wait_ready("side")
    aide, following, main = agent.wait_said("side", "aide", "next", "main")
    assert 2.0 <= following - aide and following <= main


def test_check_34_a_command_that_takes_too_long(agent):
    agent.wait_event("hangs", 'Unhealthy: Readiness probe failed: command timed out: "sleep 30" '
                     "timed out after 1s")
    assert not is_ready(agent.pod("hangs"))


def test_what_a_command_that_was_killed_left_is_told(agent):
    found = agent.wait_event("leaves", "ProbeLeftovers: Readiness probe: its command took too "
                             "long, was killed, and left running: 1 process: ")
    assert found[0].endswith(" (sleep)"), found
    assert not [text for text in agent.messages("hangs") if "ProbeLeftovers" in text]


def test_a_command_that_is_not_there_never_counts(agent):
    """The runtime cannot run it: that is no answer of the container's."""
    agent.wait_event("no-command", "Unhealthy: Liveness probe errored and resulted in unknown "
                     "state: ")
    time.sleep(3)
    assert restarts(agent.pod("no-command")) == 0


def test_check_39_any_answer_to_a_hook_is_a_success(agent, asked):
    """An HTTPS hook that is answered in the clear is asked for again so."""
    def ask(path, scheme="HTTP"):
        return asked.probe(path)["httpGet"] | {"scheme": scheme}

    asked.status.update({"/began": 500, "/ends": 404})
    agent.add(pod("asks", container("main", stay(quiet=True), lifecycle={
        "postStart": {"httpGet": ask("/began", "HTTPS")},
        "preStop": {"httpGet": ask("/ends")}})))
    agent.wait_ready("asks")
    assert asked.count("/began") == 1
    agent.wait_event("asks", "LifecycleHTTPFallback: request to HTTPS lifecycle hook "
                     f"127.0.0.1:{asked.port} got HTTP response, retry with HTTP succeeded")
    agent.remove("asks")
    agent.wait(lambda: asked.count("/ends"), "its preStop hook")
    agent.wait_gone("asks")
    assert not [text for text in agent.messages("asks") if "Hook:" in text]


def test_a_hook_outlives_the_manifest_that_it_was_begun_with(agent):
    """One that has a UID of its own may say something else under it."""
    def answer(server, client):
        server.requests.append(client.recv(1 << 16))
        server.released.wait()
        client.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")

    with Server(answer) as server:
        hook = {"httpGet": {"host": "127.0.0.1", "port": server.port, "scheme": "HTTPS",
                            "httpHeaders": [{"name": "X-Kept", "value": "whole"}]}}
        manifest = pod("again", container("main", stay(quiet=True), lifecycle={
            "postStart": hook}), agent=agent)
        manifest["metadata"]["uid"] = "again"
        agent.add(manifest)
        agent.wait(lambda: server.requests, "the hook")
        for number in range(3):
            manifest["metadata"]["annotations"] = {"written": str(number)}
            agent.add(manifest)
            agent.wait(lambda: agent.pod("again")["metadata"]["annotations"].get("written")
                       == str(number), "the manifest to be read")
        server.released.set()
        agent.wait_event("again", "LifecycleHTTPFallback: ")
        assert b"X-Kept: whole" in server.requests[-1]
        agent.wait_ready("again")
        assert restarts(agent.pod("again")) == 0
    agent.remove("again")


def test_a_hook_that_nobody_answers_fails(agent):
    agent.add(pod("unheard", container("main", stay(quiet=True), lifecycle={
        "postStart": {"httpGet": {"host": "127.0.0.1", "port": 1}}})))
    agent.wait_event("unheard", "FailedPostStartHook: PostStartHook failed")
    agent.remove("unheard")


def test_probes_wait_for_the_hook(agent):
    agent.wait_ready("hooked")
    assert not [text for text in agent.messages("hooked") if text.startswith("Unhealthy")]


def test_checks_05_06_08_startup_comes_first_and_once(agent, asked):
    asked.status["/startup"] = 500
    agent.add(pod("gated", container(
        startupProbe=asked.probe("/startup", periodSeconds=1, failureThreshold=30),
        readinessProbe=asked.probe("/readiness", periodSeconds=60),
        livenessProbe=asked.probe("/liveness", periodSeconds=60))))
    agent.wait(lambda: asked.count("/startup") >= 3, "three attempts", name="gated")
    assert not asked.count("/readiness") and not asked.count("/liveness")
    asked.status["/startup"] = 200
    agent.wait_ready("gated", seconds=5)
    passed = asked.times["/startup"][-1]
    assert asked.times["/readiness"][0] - passed < 1
    count = asked.count("/startup")
    time.sleep(3)
    assert asked.count("/startup") == count
    agent.remove("gated")


def test_ticks_are_at_the_start_plus_the_delay_plus_whole_periods(agent, asked):
    agent.add(pod("clock", container(readinessProbe=asked.probe("/clock", periodSeconds=1,
                                                                initialDelaySeconds=2))))
    agent.wait(lambda: asked.count("/clock") >= 6, "six attempts", name="clock")
    times = asked.times["/clock"]
    first = times[0]
    # startedAt has whole seconds here, so the container's start is up to one later.
    assert 1.9 <= first - begin(agent.pod("clock")) <= 3.3
    assert all(abs(at - first - index) < 0.1 for index, at in enumerate(times)), times
    agent.remove("clock")


def test_annotations_make_probes_quicker_than_a_second(agent, asked):
    quick = pod("quick", container(readinessProbe=asked.probe("/quick")))
    quick["metadata"]["annotations"] = {
        "nodeagent.dev/probe.main.readiness": "period=200ms,timeout=100ms",
        "nodeagent.dev/probe.main.liveness": "period=200ms"}
    agent.add(quick)
    agent.wait(lambda: asked.count("/quick") >= 10, "ten attempts", name="quick")
    times = asked.times["/quick"][:10]
    assert 1.6 <= times[-1] - times[0] <= 2.1, times
    agent.wait_event("quick", "InvalidProbeAnnotation: annotation "
                     "nodeagent.dev/probe.main.liveness: the pod has no such probe")
    agent.remove("quick")


def test_check_16_a_pod_that_is_deleted_is_asked_for_readiness_alone(agent, asked):
    agent.add(pod("deleted", container(
        readinessProbe=asked.probe("/deleted/ready", periodSeconds=1),
        livenessProbe=asked.probe("/deleted/live", periodSeconds=1),
        lifecycle={"preStop": {"sleep": {"seconds": 5}}}), terminationGracePeriodSeconds=8))
    agent.wait_ready("deleted")
    agent.remove("deleted")
    agent.wait_event("deleted", "Killing: Stopping container main")
    ready, live = asked.count("/deleted/ready"), asked.count("/deleted/live")
    time.sleep(3.5)
    assert asked.count("/deleted/ready") - ready >= 2
    assert asked.count("/deleted/live") == live
    agent.wait_gone("deleted")
    ready = asked.count("/deleted/ready")
    time.sleep(2)
    assert asked.count("/deleted/ready") == ready


def test_checks_13_14_a_killed_agent_forgets_no_result(agent, asked):
    """Nothing flips, and what started up is not asked again."""
    asked.status["/kept/bad"] = 500
    agent.add(
        pod("kept", container(startupProbe=asked.probe("/kept/startup", periodSeconds=1),
                              readinessProbe=asked.probe("/kept/ready", periodSeconds=5))),
        pod("kept-bad", container(readinessProbe=asked.probe("/kept/bad", periodSeconds=5))))
    agent.wait_ready("kept")
    agent.wait(lambda: asked.count("/kept/bad"), "the bad one to be asked", name="kept-bad")
    identity = status_of(agent.pod("kept"))["containerID"]
    count = asked.count("/kept/startup")
    for _ in range(3):
        agent.restart(kill=True)
        until = time.monotonic() + 1
        while time.monotonic() < until:
            shown = agent.pods() or {}
            assert "kept" not in shown or not shown["kept"].get("status") or \
                is_ready(shown["kept"]), shown["kept"]["status"]
            assert "kept-bad" not in shown or not is_ready(shown["kept-bad"])
    assert status_of(agent.pod("kept"))["containerID"] == identity
    assert asked.count("/kept/startup") == count
    count = asked.count("/kept/ready")
    agent.wait(lambda: asked.count("/kept/ready") > count, "it to be asked again", seconds=8)
    agent.remove("kept", "kept-bad")


def test_a_stopped_agent_counts_no_failure(agent, asked):
    """Two seconds of standstill: no probe fails for it."""
    agent.add(pod("stalled", container(
        livenessProbe=asked.probe("/stalled", periodSeconds=1, failureThreshold=1))))
    agent.wait(lambda: asked.count("/stalled") >= 2, "it to be asked", name="stalled")
    for _ in range(3):
        agent.pause()
        time.sleep(2)
        agent.resume()
        time.sleep(1.5)
    assert restarts(agent.pod("stalled")) == 0
    assert not [text for text in agent.messages("stalled") if text.startswith("Unhealthy")]
    agent.remove("stalled")


def test_the_agent_tells_of_its_probes(agent):
    agent.wait_ready("http-readiness")
    probes = agent.ask({"command": "probes", "pod": "http-readiness"})["probes"]
    assert [(item["container"], item["type"], item["handler"], item["state"])
            for item in probes] == [("main", "Readiness", "httpGet", "passing")]
    assert probes[0]["history"][-1]["verdict"] == "success"
    assert probes[0]["history"][-1]["code"] == 200
    metrics = agent.ask({"command": "metrics"})
    assert ('prober_probe_total{container="main",namespace="default",pod="http-readiness-node",'
            in metrics)
