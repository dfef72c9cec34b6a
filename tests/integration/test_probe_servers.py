"""Probes against servers that are slow, hang, redirect, break off or speak something else: the
verdict, the event's exact text, and what becomes of the container. Checks P21 to P32 of the
reference."""

import collections
import pathlib

import pytest

from agent import involved, is_ready, restarts, status_of
from conftest import BUILD
from servers import Difficult, Listener, hold
from specs import container, pod, sidecar, stay

# Each container of a pod has its case; of one pod's warnings 25 come through at once.
CASES_OF_A_POD = 5
PERIOD_SECONDS = 5
PATIENT = 10

# In `text`, "{address}" is who is asked, and "{get}" begins as Go's HTTP client does.
Case = collections.namedtuple("Case", "name handler verdict text timeout")

AWAITING = "{get}: context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
READING = "context deadline exceeded (Client.Timeout or context cancellation while reading body)"
REFUSED = "dial tcp {address}: connect: connection refused"
NO_HTTP_1 = ("{get}: net/http: HTTP/1.x transport connection broken: malformed HTTP response: "
             "Received HTTP/0.9 when not allowed")
LEAVING = "Probe terminated redirects, Response body: "
UNCONNECTED = ('timeout: failed to connect service "{{address}}" within {}s: context deadline '
               "exceeded").format


def http(server, path, verdict, text="", timeout=PATIENT, name=None, host="127.0.0.1",
         scheme="HTTP", headers=()):
    return Case(name or path.strip("/"), {"httpGet": {
        "host": host, "port": server, "path": path, "scheme": scheme,
        "httpHeaders": [{"name": key, "value": value} for key, value in headers]}},
        verdict, text, timeout)


def tcp(server, verdict, text="", timeout=PATIENT):
    return Case(f"tcp-{server}", {"tcpSocket": {"host": "127.0.0.1", "port": server}}, verdict,
                text, timeout)


def grpc(server, service, verdict, text="", timeout=PATIENT):
    return Case(f"grpc-{service or server}", {"grpc": {"port": server, "service": service}},
                verdict, text, timeout)


GOOD = [
    http("plain", "/slow", "success"),
    http("plain", "/to-other", "success", name="check-22-other-port"),
    http("plain", "/huge", "success", name="check-27-huge"),
    http("plain", "/enough", "success", name="check-27-enough"),
    http("plain", "/early", "success"),
    http("six", "/ok", "success", name="check-21-six", host="::1"),
    http("plain", "/headers", "success", name="check-31-headers",
         headers=[("Host", "a.example"), ("Accept", "")]),
    http("tls", "/ok", "success", name="check-29-expired", scheme="HTTPS"),
    tcp("silent", "success"),
    http("plain", "/away", "warning", LEAVING + "there", name="check-23-away"),
    http("plain", "/nowhere", "warning", LEAVING, name="check-25-nowhere"),
    http("plain", "/304", "warning", LEAVING, name="check-25-304"),
    http("plain", "/399", "warning", LEAVING + "body", name="check-25-399"),
]

BAD = [
    http("plain", "/late", "no response in time", AWAITING, 1),
    http("silent", "/", "no response in time", AWAITING, 1, name="silent"),
    http("silent", "/", "no response in time", AWAITING, 1, name="silent-tls", scheme="HTTPS"),
    http("full", "/", "connect timeout", AWAITING, 1, name="full"),
    tcp("full", "connect timeout", "dial tcp {address}: i/o timeout", 1),
    http("none", "/", "refused", "{get}: " + REFUSED, name="none"),
    tcp("none", "refused", REFUSED),
    http("plain", "/loop", "broken", "{get}: stopped after 10 redirects", name="check-24-loop"),
    http("plain", "/bad", "bad status", "HTTP probe failed with statuscode: 500",
         name="check-26-bad"),
    http("plain", "/switch", "bad status", "HTTP probe failed with statuscode: 101"),
    http("plain", "/drip", "no response in time", READING, 1),
    http("plain", "/short", "no response in time", READING, 1),
    http("plain", "/close", "broken", "{get}: EOF"),
    http("plain", "/cut-head", "broken", "{get}: EOF"),
    http("plain", "/cut-body", "broken", "unexpected EOF"),
    http("plain", "/reset", "broken", "{get}: read: connection reset by peer"),
    http("plain", "/reset-body", "broken", "unexpected EOF"),
    http("plain", "/ok", "TLS", "{get}: http: server gave HTTP response to HTTPS client",
         name="plain-for-tls", scheme="HTTPS"),
    http("tls", "/ok", "broken", "{get}: read: connection reset by peer", name="tls-for-plain"),
    http("grpc", "/", "broken", NO_HTTP_1, name="http-2-alone"),
]

# Of pods that have the node's address: gRPC asks nobody else.
HEALTH = [
    grpc("grpc", "", "success"),
    grpc("grpc", "down", "bad status", 'service unhealthy (responded with "NOT_SERVING")'),
    grpc("grpc", "missing", "bad status", "error: health rpc probe failed: rpc error: code = "
         "NotFound desc = unknown service"),
    grpc("grpc", "unimplemented", "bad status", "error: this server does not implement the grpc "
         "health protocol (grpc.health.v1.Health): unknown method ä 100%"),
    grpc("grpc", "hang", "no response in time", "timeout: health rpc did not complete within 1s",
         1),
    grpc("none", "", "refused", UNCONNECTED(PATIENT)),
    grpc("tls", "", "broken", UNCONNECTED(PATIENT)),
    grpc("plain", "", "broken", UNCONNECTED(PATIENT)),
    grpc("full", "", "connect timeout", UNCONNECTED(1), 1),
    grpc("silent", "", "no response in time", "timeout: health rpc did not complete within 1s", 1),
]

# Of a pod's own address: its server has stopped, echoes what it is asked, or is not there.
STOPPED, ECHO, NOBODY = 8081, 8082, 8083
INSIDE = [
    http(STOPPED, "/", "no response in time", AWAITING, 1, name="stopped", host=""),
    http(ECHO, "/", "broken", NO_HTTP_1, name="echo", host=""),
    http(NOBODY, "/", "refused", "{get}: " + REFUSED, name="nobody", host=""),
]
SERVERS_INSIDE = sidecar(
    "servers", f"httpd -p {STOPPED}; kill -STOP $(busybox pidof httpd); nc -ll -p {ECHO} -e cat & "
    + stay(quiet=True), startupProbe={"tcpSocket": {"port": ECHO}, "periodSeconds": 1})


def chunks(cases, **options):
    return [(cases[i:i + CASES_OF_A_POD], options) for i in range(0, len(cases), CASES_OF_A_POD)]


PODS = {f"pod-{number}": chunk for number, chunk in enumerate([
    (GOOD, {}), *chunks(BAD), *chunks(HEALTH, hostNetwork=True),
    (INSIDE, {"inits": [SERVERS_INSIDE]})])}


def handler_of(case, served):
    """With the server's port in place of its name."""
    [(kind, action)] = case.handler.items()
    return {kind: {**action, "port": served.ports.get(action["port"], action["port"])}}


def container_of(case, served):
    return container(case.name, readinessProbe={
        **handler_of(case, served), "timeoutSeconds": case.timeout,
        "periodSeconds": PERIOD_SECONDS, "failureThreshold": 1})


def pod_of(name, served):
    cases, options = PODS[name]
    return pod(name, *(container_of(case, served) for case in cases), **options)


def judged(name, field, handler, **fields):
    """A pod whose container is restarted for what its probe says."""
    return lambda served: pod(name, container(**{f"{field}Probe": {
        **handler_of(handler, served), "periodSeconds": 1, "failureThreshold": 1, **fields}}))


JUDGED = {
    "check-28-drip": judged("check-28-drip", "liveness", http("plain", "/drip", "")),
    "live-silent": judged("live-silent", "liveness", http("silent", "/", "")),
    "live-reset": judged("live-reset", "liveness", http("plain", "/reset-body", "")),
    "live-away": judged("live-away", "liveness", http("plain", "/away", "")),
    "up-silent": judged("up-silent", "startup", http("silent", "/", "")),
    "up-away": judged("up-away", "startup", http("plain", "/away", "")),
}


@pytest.fixture(scope="module")
def served(agent):
    with Difficult(BUILD / "tests" / "unit" / "health-server") as difficult:
        agent.add(*(pod_of(name, difficult) for name in PODS),
                  *(make(difficult) for make in JUDGED.values()))
        yield difficult


def history(agent, name, container_name="main"):
    """What was found by the attempts that this agent was not held up in."""
    probes = (agent.ask({"command": "probes", "pod": name}) or {}).get("probes", [])
    return [entry for probe in probes if probe["container"] == container_name
            for entry in probe["history"] if entry["verdict"] != "agent late"]


def messages(agent, name, container_name="main"):
    return {f"{event['reason']}: {event['message']}" for event in agent.events(name)
            if involved(event).get("fieldPath") == f"spec.containers{{{container_name}}}"
            and event["reason"] in ("Unhealthy", "ProbeWarning")}


def event_of(case, served, ip):
    """What is told of it: nothing, or the text."""
    [(kind, action)] = handler_of(case, served).items()
    host = action.get("host") or ip
    address = f"[{host}]:{action['port']}" if ":" in host else f"{host}:{action['port']}"
    url = f"{action.get('scheme', '').lower()}://{address}{action.get('path', '')}"
    text = case.text.format(address=address, get=f'Get "{url}"')
    if case.verdict == "success":
        return set()
    if case.verdict == "warning":
        return {f"ProbeWarning: Readiness probe warning: {text}"}
    return {f"Unhealthy: Readiness probe failed: {text}"}


CASES = [(name, case) for name, (cases, _) in PODS.items() for case in cases]


@pytest.mark.parametrize("name, case", CASES, ids=[case.name for _, case in CASES])
def test_verdict(agent, served, name, case):
    entries = agent.wait(lambda: history(agent, name, case.name), f"attempts of {case.name}",
                         name=name)
    assert {entry["verdict"] for entry in entries} == {case.verdict}
    found = agent.pod(name)
    expected = event_of(case, served, found["status"]["podIP"])
    for text in expected:
        agent.wait_event(name, text)
    assert messages(agent, name, case.name) == expected
    good = case.verdict in ("success", "warning")
    agent.wait_pod(name, lambda found: status_of(found, case.name)["ready"] is good,
                   f"{case.name} {'' if good else 'not '}ready")
    assert restarts(found, case.name) == 0


def test_who_succeeds_makes_the_pod_ready(agent, served):
    agent.wait_ready("pod-0")
    assert not is_ready(agent.pod("pod-1"))


def test_check_22_the_other_port_is_asked(agent, served):
    assert served.requests["/there"]


def test_check_24_ten_requests_are_made(agent, served):
    """Of each attempt; one may be under way."""
    def look():
        before = len(served.requests.get("/loop", []))
        count = len([entry for entry in history(agent, "pod-2", "check-24-loop")])
        return before == len(served.requests.get("/loop", [])) and (before, count)

    requests, attempts = agent.wait(look, "an attempt to be over")
    assert requests == 10 * attempts


def test_check_29_http_2_is_agreed_upon_and_no_name_is_told(agent, served):
    assert served.agreed == {("h2", None)}


def test_check_31_headers(agent, served):
    lines = served.requests["/headers"][0].splitlines()
    assert "Host: a.example" in lines and "Connection: close" in lines
    assert not [line for line in lines if line.lower().startswith("accept")]
    assert [line for line in lines if line.startswith("User-Agent: kube-probe/1.")]


def test_check_32_who_is_no_health_server_is_found_out_at_once(agent, served):
    """As docs/compatibility.md says: not after the whole timeout."""
    for name, (cases, _) in PODS.items():
        for case in cases:
            if case in HEALTH and case.verdict in ("refused", "broken"):
                for entry in history(agent, name, case.name):
                    assert entry["totalMicroseconds"] < PATIENT * 1e6 / 2, case.name


@pytest.mark.parametrize("name", ["check-28-drip", "live-silent", "live-reset"])
def test_liveness_restarts(agent, served, name):
    agent.wait_event(name, "Killing: Container main failed liveness probe, will be restarted")
    agent.wait_pod(name, lambda found: restarts(found) > 0, "restarted")


def test_startup_restarts(agent, served):
    agent.wait_event("up-silent", "Killing: Container main failed startup probe, will be restarted")
    agent.wait_pod("up-silent", lambda found: restarts(found) > 0, "restarted")


@pytest.mark.parametrize("name", ["live-away", "up-away"])
def test_a_warning_is_a_success(agent, served, name):
    found = agent.wait_pod(name, is_ready, "ready")
    kind = "Liveness" if name.startswith("live") else "Startup"
    agent.wait_event(name, f"ProbeWarning: {kind} probe warning: {LEAVING}there")
    assert restarts(found) == 0 and status_of(found)["started"] is True


def time_waits(agent, ports):
    """Ends of connections in TIME_WAIT on the node, with one of these ports at the other end."""
    found = []
    for table in ("tcp", "tcp6"):
        lines = pathlib.Path(f"/proc/{agent.process.pid}/net/{table}").read_text().splitlines()
        for _, local, remote, state, *_ in map(str.split, lines[1:]):
            if state == "06" and int(remote.rpartition(":")[2], 16) in ports:
                found.append((local, remote))
    return found


def test_nothing_of_a_connection_is_left_on_the_node(agent, served):
    for name, case in CASES:
        agent.wait(lambda: history(agent, name, case.name), f"an attempt of {case.name}")
    assert time_waits(agent, {*served.ports.values(), STOPPED, ECHO}) == []


def test_what_is_closed_with_a_fin_is_left_on_the_node(agent, served):
    """As its annotation wants it: so the others' would be seen, too."""
    listener = Listener(hold)
    closing = pod("closing", container(readinessProbe={
        "tcpSocket": {"host": "127.0.0.1", "port": listener.port}}))
    closing["metadata"]["annotations"] = {"nodeagent.dev/probe.close": "fin"}
    agent.add(closing)
    agent.wait_ready("closing")
    agent.wait(lambda: time_waits(agent, {listener.port}), "a connection in TIME_WAIT")
    listener.close()


def test_check_30_proxies_of_the_environment_are_not_used(agent, served):
    proxy = Listener(lambda connection: None)
    agent.by = ["env", *(f"{name}=http://127.0.0.1:{proxy.port}" for name in
                         ("http_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "grpc_proxy"))]
    agent.restart()
    for name, container_name in (("pod-0", "check-29-expired"), ("pod-0", "check-31-headers"),
                                 (next(name for name in PODS if HEALTH[0] in PODS[name][0]),
                                  HEALTH[0].name)):
        entries = agent.wait(lambda: history(agent, name, container_name), "an attempt")
        assert entries[-1]["verdict"] == "success"
    assert proxy.times == []
    proxy.close()
