"""Kills of the agent at random moments while many pods are probed: no result may be forgotten.

    probe_kills.py BUILD [--count 100] [--pods 110] [--runtime VERSION] [--seed N]

All are Ready before, and must be in each answer of `ps` that tells of them. What the probes ask is
in this process, and counts.
"""

import argparse
import collections
import pathlib
import random
import sys
import threading
import time

import agent as agents
import runtime
from servers import Asked, Listener
from specs import SAY, container, pod, stay

READY_SECONDS = 300
LIFE_SECONDS = 6  # of an agent, at most
PERIODS = {"readiness": 2, "liveness": 3}
SLACK_SECONDS = 1
PATIENCE = {"timeoutSeconds": 5}
POLL_SECONDS = 0.05


class Probed:
    """Pods that are probed, a thread that watches them, and kills of the agent."""

    def __init__(self, agent, pods, seed):
        self.agent = agent
        self.random = random.Random(seed)
        self.asked = Asked()
        self.listeners = {}  # of tcpSocket: what is asked there counts for one pod
        self.commands = set()
        self.names = [f"probed-{number}" for number in range(pods)]
        self.begun = {}  # name: (container's id, restarts, attempts of its startup probe)
        self.wrong = collections.Counter()
        self.kills = self.answers = self.told = 0
        self.judged = collections.Counter()  # lives that were long enough, by the type of probe
        self.complete = (0, 0)  # in which life the agent told of all pods, and since when
        self.over = threading.Event()

    # pods

    def readiness(self, number, name):
        if number % 11 == 10:
            self.commands.add(name)
            return {"exec": {"command": ["sh", "-c", SAY + "say readiness"]}}
        if number % 3 == 2:
            self.listeners[name] = Listener(lambda connection: None)
            return {"tcpSocket": {"host": "127.0.0.1", "port": self.listeners[name].port}}
        return self.asked.probe(f"/{name}/readiness")

    def make(self, number, name):
        probes = {
            "startupProbe": self.asked.probe(f"/{name}/startup", periodSeconds=1,
                                             failureThreshold=READY_SECONDS),
            "readinessProbe": {**self.readiness(number, name),
                               "periodSeconds": PERIODS["readiness"]},
            "livenessProbe": self.asked.probe(f"/{name}/liveness",
                                              periodSeconds=PERIODS["liveness"]),
        }
        probes = {field: {**probe, **PATIENCE} for field, probe in probes.items()}
        return pod(name, container("main", stay(quiet=True), **probes), agent=self.agent)

    def begin(self):
        """Until all are Ready; from then on they are watched."""
        self.agent.add(*(self.make(*item) for item in enumerate(self.names)))
        found = self.agent.wait_ready(*self.names, seconds=READY_SECONDS)
        self.begun = {name: (agents.status_of(pod)["containerID"], agents.restarts(pod),
                             self.asked.count(f"/{name}/startup"))
                      for name, pod in zip(self.names, found)}
        self.watcher = threading.Thread(target=self.watch, daemon=True)
        self.watcher.start()

    def blame(self, name, what):
        self.wrong[f"{name}: {what}"] += 1

    # watching

    def watch(self):
        while not self.over.wait(POLL_SECONDS):
            life = self.kills
            found = self.agent.pods()
            if found is None:
                continue
            self.answers += 1
            for name in self.names:
                self.look(name, found.get(name, {}))
            if self.complete[0] != life and \
                    all(found.get(name, {}).get("status") for name in self.names):
                self.complete = (life, time.monotonic())

    def look(self, name, found):
        if not found.get("status"):
            return  # of this nothing is told before the runtime was looked at
        self.told += 1
        if not agents.is_ready(found):
            self.blame(name, "not Ready")
        status = agents.status_of(found)
        if (status.get("containerID"), status.get("restartCount")) != self.begun[name][:2]:
            self.blame(name, "another container")

    # kills

    def attempts(self):
        """{(name, type of probe): count}, since the beginning."""
        counts = {}
        for name in self.names:
            counts[name, "liveness"] = self.asked.count(f"/{name}/liveness")
            if name in self.commands:
                counts[name, "readiness"] = len(self.agent.said(name))
            elif name in self.listeners:
                counts[name, "readiness"] = len(self.listeners[name].times)
            else:
                counts[name, "readiness"] = self.asked.count(f"/{name}/readiness")
        return counts

    def judge_life(self, before):
        """Who lived for a period has attempted all."""
        life, since = self.complete
        lived = time.monotonic() - since if life == self.kills else 0
        after = self.attempts()
        for kind, period in PERIODS.items():
            if lived < period + SLACK_SECONDS:
                continue
            self.judged[kind] += 1
            for name in self.names:
                if after[name, kind] == before[name, kind]:
                    self.blame(name, f"{kind} was not attempted in {lived:.1f} s")

    def strike(self, seconds=None):
        """Kills the agent and starts it again; the next one comes at any moment after that, or
        after so long."""
        self.agent.kill()
        self.kills += 1
        before = self.attempts()
        self.agent.start(wait=False)
        time.sleep(self.random.random() * LIFE_SECONDS if seconds is None else seconds)
        self.judge_life(before)

    def finish(self):
        """A last look, when all is calm."""
        self.agent.wait(lambda: self.complete[0] == self.kills, "the agent to tell of all pods")
        self.over.set()
        self.watcher.join()
        for name in self.names:
            again = self.asked.count(f"/{name}/startup") - self.begun[name][2]
            if again:
                self.blame(name, f"its startup probe was attempted {again} times again")

    def close(self):
        self.over.set()
        self.asked.close()
        for listener in self.listeners.values():
            listener.close()

    def tell(self):
        for what, count in sorted(self.wrong.items()):
            print(f"WRONG {what} ({count} times)")
        judged = ", ".join(f"{count} for {kind}" for kind, count in sorted(self.judged.items()))
        print(f"probe-kills: {self.kills} kills, {len(self.names)} pods, {self.answers} answers "
              f"with {self.told} statuses, {sum(self.attempts().values())} attempts; lives as long "
              f"as a period: {judged or 'none'}; {len(self.wrong)} wrong")
        return 1 if self.wrong else 0


def main():
    options = argparse.ArgumentParser()
    options.add_argument("build", type=pathlib.Path)
    options.add_argument("--runtime", default="2")
    options.add_argument("--count", type=int, default=100)
    options.add_argument("--pods", type=int, default=110)
    options.add_argument("--seed", type=int, default=int(time.time()))
    asked = options.parse_args()
    print(f"probe-kills: containerd {asked.runtime}, seed {asked.seed}, {asked.count} kills, "
          f"{asked.pods} pods", flush=True)
    with runtime.private(asked.runtime) as containerd:
        agent = agents.Agent(containerd, asked.build.resolve())
        probed = Probed(agent, asked.pods, asked.seed)
        try:
            agent.start()
            probed.begin()
            for done in range(1, asked.count + 1):
                probed.strike()
                if done % 10 == 0:
                    print(f"probe-kills: {done} of {asked.count}, {len(probed.wrong)} wrong",
                          flush=True)
            probed.finish()
            status = probed.tell()
        finally:
            agent.kill()
            probed.close()
    return status


if __name__ == "__main__":
    sys.exit(main())
