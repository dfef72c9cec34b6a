"""An API server that is away: what must go on, what must come after, and what must not.

    outage.py BUILD [--minutes 10] [--pods 20] [--runtime VERSION]

A third of the time its connections say nothing any more, a third it refuses them, a third it takes
them and is silent. Meanwhile pods crash, end, fail their probes; others are deleted, bound and
changed at the server, where nobody can be told. Every wrong thing is a line.
"""

import argparse
import collections
import pathlib
import sys
import tempfile
import time

import agent as agents
import runtime
from api_server import ApiServer
from clusters import NODE, bound, condition, is_true, member, wait_node, wait_ready
from servers import Asked
from specs import SAY, container, pod, staying

CONFIG = {"crashLoopBackOff": {"maxContainerRestartPeriod": "2s"}}
CRASH_SECONDS = 4   # from one of its starts to the next, at most, back-off and runtime included
CATCH_UP_SECONDS = 30
REST_SECONDS = 10   # in which nothing is left to be said
HEARTBEATS = 12     # requests of a minute in which nothing happens: Leases, and the node's status
TRIES = 8           # of a stream, in a minute of silence: 0.8, 1.6 … 30 s
OTHERS = 6          # requests of an agent for itself, when the server is back


class Outage:
    def __init__(self, server, agent, pods):
        self.server = server
        self.agent = agent
        self.steady = [f"steady-{number}" for number in range(pods)]
        self.asked = Asked()
        self.wrong = []
        self.figures = {}

    def blame(self, what):
        self.wrong.append(what)

    def expect(self, what, predicate, seconds=CATCH_UP_SECONDS):
        try:
            return self.server.wait(predicate, seconds, what)
        except AssertionError as error:
            return self.blame(str(error))

    # before

    def begin(self):
        server, agent = self.server, self.agent
        wait_node(server)
        server.create({"kind": "ConfigMap", "metadata": {"name": "words"},
                       "data": {"word": "one"}})
        probe = {"periodSeconds": 1, "failureThreshold": 1}
        for name in self.steady:
            bound(server, agent, name, staying())
        bound(server, agent, "crashes", container("main", SAY + "say ran; sleep 1; exit 1"))
        bound(server, agent, "probed", container(
            "main", readinessProbe={**self.asked.probe("/ready"), **probe}))
        bound(server, agent, "ends", container(
            "main", SAY + "while ! [ -e /stage/go ]; do sleep 0.1; done; say ended"),
            restartPolicy="Never")
        bound(server, agent, "vanishes", staying())
        bound(server, agent, "follows", container(
            "main", SAY + "while ! grep -q two /cfg/word; do sleep 0.2; done; say two; sleep 10000",
            volumeMounts=[{"name": "cfg", "mountPath": "/cfg"}]),
            volumes=[{"name": "cfg", "configMap": {"name": "words"}}])
        agent.add(pod("static", container("main", livenessProbe={
            **self.asked.probe("/alive"), **probe}), agent=agent))
        for name in [*self.steady, "probed", "ends", "vanishes", "follows", f"static-{NODE}"]:
            wait_ready(server, name, 120)
        time.sleep(REST_SECONDS / 2)
        self.before = {name: self.containers(name) for name in self.steady}
        self.ready_since = condition(server.get("nodes", NODE), "Ready")["lastTransitionTime"]
        self.crashed = agents.restarts(agent.pod("crashes"))
        self.watched = self.watches()
        self.streams = len(self.watched)

    def watches(self):
        """What streams are open for: (path, selector)."""
        return {(record.path, record.query.get("fieldSelector"))
                for record in self.server.requests("WATCH") if record.code and not record.ended}

    def containers(self, name):
        return [(status["containerID"], status["restartCount"])
                for status in self.agent.pod(name)["status"]["containerStatuses"]]

    # the server is away

    def go_away(self, seconds):
        server = self.server
        self.left = time.time()
        self.silence()
        connections = next(server.numbers)
        self.change()
        self.pass_time(seconds / 3)
        self.figures["connections in silence"] = next(server.numbers) - connections - 1
        minutes = max(seconds / 3 / 60, 1)
        if self.figures["connections in silence"] > (self.streams + HEARTBEATS) * TRIES * minutes:
            self.blame("it knocks too often")
        server.stop()
        server.faults.clear()
        self.pass_time(seconds / 3)
        self.silence()
        server.start()
        self.pass_time(seconds / 3)

    def silence(self):
        """Of the connections that there are and of those to come."""
        self.server.faults.frozen.set()
        self.server.faults.mute.set()

    def change(self):
        """What nobody at the server is told of, and what the agent is not."""
        self.asked.status["/ready"] = 500
        self.asked.status["/alive"] = 500
        self.agent.wait(lambda: agents.restarts(self.agent.pod("static")) > 0,
                        "the static pod to be restarted", 60)
        self.asked.status["/alive"] = 200
        (self.agent.stages / "ends" / "go").touch()
        self.server.delete_pod("vanishes", grace=0)
        self.server.patch("configmaps", "words", {"data": {"word": "two"}})
        bound(self.server, self.agent, "comes", staying())

    def pass_time(self, seconds):
        """Pods run, crash, and are started again; the static one is probed."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            before = agents.restarts(self.agent.pod("crashes"))
            probed = self.asked.count("/alive")
            time.sleep(min(5 * CRASH_SECONDS, max(ends - time.monotonic(), CRASH_SECONDS)))
            if agents.restarts(self.agent.pod("crashes")) == before:
                self.blame("what crashes was not started again")
            if self.asked.count("/alive") == probed:
                self.blame("the static pod was not probed")
            for name in self.steady:
                if self.agent.pod(name) is None or self.containers(name) != self.before[name]:
                    self.blame(f"{name} did not run on")
            if self.agent.pod("vanishes") is None:
                self.blame("what nobody told to end did")

    # it is back

    def come_back(self):
        server, agent = self.server, self.agent
        server.log.clear()
        self.returned = time.time()
        server.faults.clear()
        self.expect("all to be watched again", lambda: self.watches() >= self.watched)
        self.expect("the node's Lease", lambda: server.requests("PUT", f"/leases/{NODE}$"))
        self.expect("the restarts of what crashes", lambda: agents.restarts(
            server.get("pods", "crashes")) >= self.crashed + 2)
        self.expect("Ready=False of what fails its probe",
                    lambda: not is_true(server.get("pods", "probed"), "Ready"))
        self.expect("the end of what ended", lambda: server.get("pods", "ends")["status"]["phase"]
                    == "Succeeded")
        self.expect("the restart of the static pod", lambda: 0 < agents.restarts(
            server.get("pods", f"static-{NODE}")) == agents.restarts(agent.pod("static")))
        self.expect("what was bound meanwhile", lambda: is_true(server.get("pods", "comes"),
                                                                "Ready"))
        self.expect("what was deleted to end", lambda: agent.pod("vanishes") is None)
        self.expect("the file that follows", lambda: agent.said("follows") == ["two"])
        self.expect("events of the time between", self.told_events)
        self.figures["seconds to catch up"] = round(time.time() - self.returned, 1)
        time.sleep(REST_SECONDS)
        self.judge()

    def told_events(self):
        """Of the crashes, the failed probes and the restart."""
        found = {(event["involvedObject"]["name"], event["reason"])
                 for event in self.server.list("events")}
        return found >= {("crashes", "BackOff"), ("probed", "Unhealthy"), (f"static-{NODE}",
                                                                          "Unhealthy")}

    def judge(self):
        server = self.server
        verbs = collections.Counter(
            "events" if "/events" in record.path else record.verb for record in server.requests()
            if record.user == f"system:node:{NODE}")
        self.figures["requests when it is back"] = dict(verbs)
        told = {name: len(server.requests("PATCH", f"/pods/{name}/status")) for name in
                [*self.steady, "probed", "ends", "follows", f"static-{NODE}"]}
        for name, count in told.items():
            if count > (0 if name in [*self.steady, "follows"] else 3):
                self.blame(f"{name} was told of {count} times")
        self.figures["streams"] = self.streams
        if verbs["list"]:
            self.blame("it lists what it could watch")
        if verbs["watch"] > 2 * self.streams + OTHERS:
            self.blame(f"{verbs['watch']} watches for {self.streams} streams")
        if condition(server.get("nodes", NODE), "Ready")["lastTransitionTime"] != self.ready_since:
            self.blame("the Node was not Ready in between")
        second = [record for record in server.requests() if record.time < self.returned + 1]
        self.figures["requests in the first second"] = len(second)
        if len(second) > self.streams + 2 * len(server.list("pods")) + \
                len(server.list("events")) + OTHERS:
            self.blame(f"{len(second)} requests in the first second")
        for name in self.steady:
            if self.containers(name) != self.before[name]:
                self.blame(f"{name} was restarted")

    def close(self):
        self.asked.close()

    def tell(self):
        for what in self.wrong:
            print(f"WRONG {what}")
        for what, figure in self.figures.items():
            print(f"outage: {what}: {figure}")
        return 1 if self.wrong else 0


def run(containerd, build, seconds, pods):
    """The whole of it; returns the Outage."""
    with tempfile.TemporaryDirectory() as directory, ApiServer(pathlib.Path(directory)) as server:
        with member(containerd, build, lambda place: server.kubeconfig(
                place / "kubeconfig", node=NODE), CONFIG) as agent:
            outage = Outage(server, agent, pods)
            try:
                outage.begin()
                outage.go_away(seconds)
                outage.come_back()
            finally:
                outage.close()
            agent.remove("static")
            for found in server.list("pods"):
                server.delete_pod(found["metadata"]["name"], grace=0)
            agent.wait_gone(seconds=60)
            return outage


def main():
    options = argparse.ArgumentParser()
    options.add_argument("build", type=pathlib.Path)
    options.add_argument("--minutes", type=float, default=10)
    options.add_argument("--pods", type=int, default=20)
    options.add_argument("--runtime", default="2")
    asked = options.parse_args()
    print(f"outage: containerd {asked.runtime}, {asked.minutes:g} minutes, {asked.pods} pods that "
          "stay, 7 that do not", flush=True)
    with runtime.private(asked.runtime) as containerd:
        outage = run(containerd, asked.build.resolve(), asked.minutes * 60, asked.pods)
    return outage.tell()


if __name__ == "__main__":
    sys.exit(main())
