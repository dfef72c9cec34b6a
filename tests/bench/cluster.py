"""What the agent costs as a member of a cluster: pods bound all at once, on a runtime that answers
at once and starts nothing.

    cluster.py BUILD [--quick]

Prints `name value unit` lines. The API server is the tests' double, behind a gateway that speaks
HTTP/2 as a real one does; its share of the time is large, and none of it is in the agent's CPU.
"""

import argparse
import collections
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

import agent as agents  # noqa: E402
import costs  # noqa: E402
import places  # noqa: E402
from api_gateway import Gateway  # noqa: E402
from api_rules import node_user  # noqa: E402
from api_server import ApiServer  # noqa: E402
from clusters import NODE, is_true, wait_node  # noqa: E402

PODS = 110
IMAGE = "model.example/app:1"
TOKEN = "token-of-the-node"
LIMIT_SECONDS = 120
SETTLE_SECONDS = 5
REST_SECONDS = 120
REST_QUICK_SECONDS = 25  # what a burst left is given back every 20 s
OF_EVENTS = "/events"


class Model:
    """As the tests' containerd, as far as an agent's test harness asks."""

    def __init__(self, build, directory):
        self.directory = directory
        self.endpoint = f"unix://{directory}/model.sock"
        self.process = subprocess.Popen([build / "tests/bench/model-runtime",
                                         directory / "model.sock", IMAGE])

    def log(self):
        return ""

    def close(self):
        self.process.kill()
        self.process.wait()


def of_agent(server):
    return [record for record in server.requests() if record.user and
            record.user.startswith("system:node:")]


def most(records, of_pod):
    """The largest number of them for one pod."""
    counts = collections.Counter(of_pod(record) for record in records)
    return max(counts.values(), default=0)


def bind_all(server):
    for number in range(PODS):
        name = f"pod-{number}"
        server.create({"kind": "Pod", "metadata": {"name": name}, "spec": {
            "serviceAccountName": "default", "containers": [{"name": "main", "image": IMAGE}]}})
    began = time.monotonic()
    for number in range(PODS):
        server.bind(f"pod-{number}", NODE)
    return began


def print_requests(records):
    pods = [record for record in records if "/pods" in record.url]
    statuses = [record for record in pods if record.verb == "patch"]
    tokens = [record for record in records if record.url.endswith("/token")]
    watches = [record for record in records if record.verb == "watch"]
    events = [record for record in records if record.url.endswith(OF_EVENTS)]
    reads = [record for record in pods if record.verb in ("get", "list")]
    print(f"cluster-patches-most {most(statuses, lambda record: record.url)} a pod")
    print(f"cluster-tokens {len(tokens) / PODS:.2f} a pod")
    print(f"cluster-reads {len(reads)} of pods")
    print(f"cluster-watches {len(watches)} requests")
    print(f"cluster-events {len(events) / PODS:.2f} a pod")


def print_rest(server, pids, seconds):
    before, cpu = len(of_agent(server)), costs.cpu_ms(pids)
    time.sleep(seconds)
    records = of_agent(server)[before:]
    others = [record for record in records
              if "/leases/" not in record.url and not record.url.endswith(f"/nodes/{NODE}/status")]
    minutes = seconds / 60
    print(f"cluster-rest-usual {(len(records) - len(others)) / minutes:.1f} a minute")
    print(f"cluster-rest-others {len(others) / minutes:.1f} a minute")
    print(f"cluster-rest-cpu {(costs.cpu_ms(pids) - cpu) / 10 / seconds:.2f} %")


def measure(server, agent, rest_seconds):
    wait_node(server)
    pids = costs.members(agent.process.pid)
    print(f"cluster-memory-empty {costs.anonymous_kib(pids)} KiB")
    cpu, before = costs.cpu_ms(pids), len(of_agent(server))
    began = bind_all(server)
    server.wait(lambda: all(is_true(server.get("pods", f"pod-{number}"), "Ready")
                            for number in range(PODS)), LIMIT_SECONDS, "all pods to be ready")
    print(f"cluster-ready {1000 * (time.monotonic() - began):.0f} ms")
    time.sleep(SETTLE_SECONDS)
    print(f"cluster-cpu {(costs.cpu_ms(pids) - cpu) / PODS:.2f} ms a pod")
    print_requests(of_agent(server)[before:])
    print(f"cluster-memory-busy {costs.anonymous_kib(pids)} KiB")
    print_rest(server, pids, rest_seconds)
    print(f"cluster-memory {costs.anonymous_kib(pids)} KiB")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    build = options.build.resolve()
    directory = places.make(parent=places.MEMORY)
    model = Model(build, directory)
    try:
        with ApiServer(directory, plain=True) as server, Gateway(server, directory) as gateway:
            server.tokens[TOKEN] = node_user(NODE)
            server.api.admission.inject_tokens = True
            agent = agents.Agent(model, build, {"maxPods": 2 * PODS})
            agent.flags = ["--kubeconfig", server.kubeconfig(
                directory / "kubeconfig", node=NODE, token=TOKEN, server=gateway.url,
                certificate_authority=str(server.authority.certificate))]
            try:
                agent.start()
                measure(server, agent, REST_QUICK_SECONDS if options.quick else REST_SECONDS)
            finally:
                agent.kill()
    finally:
        model.close()
        places.remove_cgroups(directory)
        places.remove(directory)


if __name__ == "__main__":
    main()
