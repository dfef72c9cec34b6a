"""docs/probe-transcripts.md: what nodeagent probe says of each thing that can come of an attempt,
made by trying it. Run by ./dev transcripts, and by a test that compares what stays the same.

All of it happens in a network namespace of its own, so that addresses and ports are always these."""

import argparse
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "probe-transcripts.md"
POD, SILENT_POD = "10.0.0.7", "10.0.0.9"  # nothing answers at the second
IN_NAMESPACE = "NODEAGENT_TRANSCRIPTS"

HEAD = """\
# Probes that fail, and how

What `nodeagent probe` says of each thing that can come of an attempt. `./dev transcripts` makes
this page by trying them all; times and ids are those of that run.

The verdict is the class that the agent counts by. A success and a warning count as successes, an
attempt that is errored does not count at all, and all others are failures. One more verdict is the
agent's alone: `agent late` is an attempt that failed for want of time while the agent itself was
held up. It does not count either.
"""

# What varies from run to run.
VARYING = [(r"\d+\.\d ms", "N ms"), (r"\b[0-9a-f]{64}\b", "ID")]


def fixed_parts(page):
    for pattern, instead in VARYING:
        page = re.sub(pattern, instead, page)
    return page


class Transcripts:
    def __init__(self, build):
        self.program = build / "commands" / "nodeagent"
        self.page = HEAD
        self.hidden = []  # arguments that are of no interest to readers

    def title(self, title, *lines):
        self.page += f"\n## {title}\n\n" + textwrap.fill(" ".join(lines), 100) + "\n"

    def attempt(self, *arguments, code, shown=None):
        words = shown or shlex.join(map(str, arguments))
        done = subprocess.run([self.program, "probe", *self.hidden, *map(str, arguments)],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
        self.page += textwrap.indent(f"\n$ nodeagent probe {words}\n{done.stdout}", "    ",
                                     lambda row: row.strip())


def over_the_network(page, certificate):
    from probe_servers import (NOT_SERVING, Server, answering, closing, health, over_tls, silent,
                               stalling)

    def at(answer, port):
        return Server(answer, POD, port)

    ready = answering("200 OK", "Content-Type: text/plain", body="ready\n")
    page.title("success", "200 to 299, a connection, `SERVING`, or exit code 0.")
    with at(ready, 8080):
        page.attempt(f"http://{POD}:8080/ready", code=0)
        page.attempt(f"tcp://{POD}:8080", code=0)
    page.title("warning", "A redirection to another host, and what else is from 300 to 399.")
    with at(answering("302 Found", "Location: https://login.example/"), 8080):
        page.attempt(f"http://{POD}:8080/ready", code=0)
    page.title("refused", "The address is there, and nobody listens at the port.")
    page.attempt(f"http://{POD}:8080/ready", "--type", "liveness", code=1)
    page.title("connect timeout", "Nothing answers at the address: a packet filter, a route that",
               "leads nowhere, or a machine that is gone.")
    page.attempt(f"tcp://{SILENT_POD}:8080", code=1)
    page.title("no response in time", "There is a connection, and no answer, or not all of one.")
    with at(silent, 8080):
        page.attempt(f"http://{POD}:8080/ready", "--type", "liveness", "--count", 3, "--period",
                     "1s", code=1)
    with at(stalling, 8080):
        page.attempt(f"http://{POD}:8080/ready", code=1)
    page.title("bad status", "An answer that is neither a success nor a redirection.")
    with at(answering("503 Service Unavailable", "Content-Type: text/plain",
                      body="database: no connection\n"), 8080):
        page.attempt(f"http://{POD}:8080/ready", "--header", "Authorization: Bearer 1234",
                     code=1)
    with at(health(NOT_SERVING), 9000):
        page.attempt(f"grpc://{POD}:9000/shop.Orders", code=1)
    page.title("TLS", "No agreement on encryption. Certificates are never checked.")
    with at(ready, 8080):
        page.attempt(f"https://{POD}:8080/ready", code=1)
    page.title("broken", "The connection ended before the answer did, or what came is none.")
    with at(closing, 8080):
        page.attempt(f"http://{POD}:8080/ready", code=1)
    page.title("Known traps",
               "TLS where plain HTTP is expected, and a host that is the node's own.")
    with at(over_tls(ready, certificate), 8443):
        page.attempt(f"http://{POD}:8443/ready", code=1)


MANIFEST = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - name: main
    image: example
    ports: [{name: http, containerPort: 8080}]
    livenessProbe: {httpGet: {port: http, host: localhost}, timeoutSeconds: 10}
    readinessProbe: {tcpSocket: {port: htpp}}
"""


def of_a_file(page, directory):
    path = directory / "web.yaml"
    path.write_text(MANIFEST)
    page.attempt("-f", path, "--ip", POD, "--type", "liveness", code=1,
                 shown=f"-f web.yaml --ip {POD} --type liveness")
    page.title("errored", "The attempt cannot be made.")
    page.attempt("-f", path, "--ip", POD, "--type", "readiness", code=3,
                 shown=f"-f web.yaml --ip {POD} --type readiness")


def in_a_container(page, build):
    import agent
    import runtime
    from specs import container, pod

    command = ["sh", "-c", "echo checking; ls /data/ready"]
    web = pod("web", container("main", livenessProbe={
        "exec": {"command": command}, "initialDelaySeconds": 3600}), hostNetwork=True)
    with runtime.private("2") as containerd:
        node = agent.Agent(containerd, build)
        try:
            node.start()
            node.add(web)
            node.wait_ready("web")
            page.hidden = ["--run-dir", node.run, "--container-runtime-endpoint",
                           containerd.endpoint]
            page.title("exec exit", "The command ran, and said no.")
            page.attempt("web", code=1)
            page.title("exec timeout", "It did not end in time, and was killed.")
            page.attempt("web", "--timeout", "1s", "--", "sleep", 60, code=1)
            node.remove("web")
            node.wait_gone()
            node.stop()
        finally:
            node.kill()


def make(build):
    """In the namespace: the page."""
    from probe_servers import make_certificate

    for words in (["link", "set", "lo", "up"], ["link", "add", "pods", "type", "bridge"],
                  ["link", "set", "pods", "up"], ["addr", "add", "10.0.0.1/24", "dev", "pods"],
                  ["addr", "add", f"{POD}/24", "dev", "pods"]):
        subprocess.run(["ip", *words], check=True)
    page = Transcripts(build)
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        over_the_network(page, make_certificate(directory / "cert.pem"))
        of_a_file(page, directory)
    in_a_container(page, build)
    return page.page


def run(build):
    """The page, as it is today."""
    done = subprocess.run(["unshare", "-n", sys.executable, "-B", __file__, build],
                          env={**os.environ, IN_NAMESPACE: "1"}, stdout=subprocess.PIPE, text=True,
                          timeout=300)
    assert done.returncode == 0, "the transcripts could not be made"
    return done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    build = parser.parse_args().build.resolve()
    if os.environ.get(IN_NAMESPACE):
        sys.stdout.write(make(build))
    else:
        PAGE.write_text(run(build))


if __name__ == "__main__":
    main()
