"""What a node asks of its API server: requests and bytes, at rest and for the life of a pod, and what
that is in a cluster of 5,000 nodes.

    load.py BUILD

Prints `name value unit` lines. A request's bytes are its head and body as HTTP/1.1 writes them,
before TLS; HTTP/2 writes heads shorter. docs/operations.md has the sums.
"""

import collections
import pathlib
import re
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

import agent as agents  # noqa: E402
import places  # noqa: E402
import runtime  # noqa: E402
from api_server import ApiServer  # noqa: E402
from clusters import bound, is_true  # noqa: E402
from specs import staying  # noqa: E402

NODE = agents.NODE
RUNTIME = "2"
PODS = 20
SETTLE_SECONDS = 15     # until the last detail of a pod is told, and its images
REST_SECONDS = 60
REPORTS = "20s"         # in place of five minutes, to see some; they are as long as ever

NODES = 5000
NODE_PODS = 30          # the largest cluster that Kubernetes is tested with
CHURN = 20              # pods a second that begin, and as many that end: all anew in two hours
LEASE_SECONDS = 10.2    # a quarter of 40 s, and up to 4 % more
REPORT_SECONDS = 300
WATCH_SECONDS = 450     # from 300 to 600

KINDS = [
    ("lease", "PUT", r"/leases/"),
    ("report", "PATCH", r"/nodes/[^/]+/status$"),
    ("pod-status", "PATCH", r"/pods/[^/]+/status$"),
    ("pod-delete", "DELETE", r"/pods/[^/]+$"),
    ("token", "POST", r"/token$"),
    ("event", None, r"/events(/[^/]+)?$"),
]


def kind_of(record):
    if record.verb == "watch":
        return "watch"
    for kind, method, pattern in KINDS:
        if method in (None, record.method) and re.search(pattern, record.path):
            return kind
    return "other"


def size_of(record):
    head = sum(len(name) + len(value) + 4 for name, value in record.headers.items())
    return len(f"{record.method} {record.url} HTTP/1.1\r\n") + head + 2 + len(record.body)


def by_kind(server, since):
    """{kind: records} of the agent's requests since then."""
    kinds = collections.defaultdict(list)
    for record in server.requests():
        if record.time >= since and record.user == f"system:node:{NODE}":
            kinds[kind_of(record)].append(record)
    return kinds


def bytes_of(records):
    return statistics.mean(size_of(record) for record in records)


def life_of_pods(server, agent):
    """What is sent while pods come, get ready and go; and how many watches stand meanwhile."""
    names = [f"web-{number}" for number in range(PODS)]
    since = time.time()
    for name in names:
        bound(server, agent, name, staying())
    server.wait(lambda: all(is_true(server.get("pods", name), "Ready") for name in names), 120,
                "the pods to be ready")
    time.sleep(SETTLE_SECONDS)
    watches = len([record for record in server.requests("WATCH") if record.ended is None])
    for name in names:
        server.delete_pod(name)
    server.wait(lambda: not server.list("pods"), 120, "the pods to go")
    time.sleep(SETTLE_SECONDS)
    return by_kind(server, since), watches


def rows_of(rest, life, watches):
    yield "load-lease", bytes_of(rest["lease"]), "B"
    yield "load-report", bytes_of(rest["report"]), "B"
    sent = 0
    for kind in ("pod-status", "event", "token", "pod-delete"):
        sent += sum(size_of(record) for record in life[kind]) / PODS
        yield f"load-{kind}-requests", len(life[kind]) / PODS, "a pod"
        yield f"load-{kind}", bytes_of(life[kind]), "B"
    requests = sum(len(records) for kind, records in life.items()
                   if kind in ("pod-status", "event", "token", "pod-delete")) / PODS
    yield "load-pod-requests", requests, "a pod"
    yield "load-pod", sent / 1024, "KiB"
    yield "load-watches", watches, "streams"
    leases, reports = NODES / LEASE_SECONDS, NODES / REPORT_SECONDS
    yield "load-5000-leases", leases, "/s"
    yield "load-5000-lease-bytes", leases * bytes_of(rest["lease"]) / 1024, "KiB/s"
    yield "load-5000-reports", reports, "/s"
    yield "load-5000-report-bytes", reports * bytes_of(rest["report"]) / 1024, "KiB/s"
    yield "load-5000-watches", NODES * watches / WATCH_SECONDS, "/s"
    yield "load-5000-pods", CHURN * requests, "/s"
    yield "load-5000-pod-bytes", CHURN * sent / 1024, "KiB/s"


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    with runtime.private(RUNTIME, parent=places.MEMORY) as containerd, \
            ApiServer(containerd.directory) as server:
        server.api.admission.inject_tokens = True
        agent = agents.Agent(containerd, build, {"nodeStatusReportFrequency": REPORTS})
        agent.flags = ["--kubeconfig",
                       server.kubeconfig(agent.directory / "kubeconfig", node=NODE)]
        try:
            agent.start()
            server.wait(lambda: is_true(server.get("nodes", NODE), "Ready"), 30, "the node")
            life, watches = life_of_pods(server, agent)
            since = time.time()
            time.sleep(REST_SECONDS)
            rest = by_kind(server, since)
            agent.stop()
        finally:
            agent.kill()
    for name, value, unit in rows_of(rest, life, watches):
        print(f"{name} {value:.2f} {unit}")


if __name__ == "__main__":
    main()
