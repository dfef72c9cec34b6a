"""Kills at random moments while pods start, restart and end: what must hold all the same.

    kills.py BUILD [--runtime VERSION] [--kill agent|containerd] [--count 200] [--seed N]

The pods of a storm say on their stage what they do; every wrong thing is a line. What a killed
containerd loses itself (shims that it forgot, containers that it started but does not know) is
counted apart, by name.
"""

import argparse
import collections
import pathlib
import sys
import time

import agent as agents
import runtime
import storm as storms
from specs import SAY, container, pod, sidecar, staying
from storm import CALM_SECONDS

CONFIG = {"crashLoopBackOff": {"maxContainerRestartPeriod": "1s"}}


def ends_well(agent, name):
    return pod(name, container("main", "say ran"), agent=agent, restartPolicy="Never",
               inits=[container("init", "say init")])


def stays(agent, name):
    return pod(name, staying("main"), agent=agent,
               inits=[container("init", "say init"), sidecar("side")])


def crashes(agent, name):
    return pod(name, container("main", "say ran; sleep 0.3; exit 3"), agent=agent)


def takes_time(agent, name):
    hook = {"preStop": {"exec": {"command": ["sh", "-c", SAY + "say prestop; sleep 0.3"]}}}
    return pod(name, staying("main", lifecycle=hook), staying("other"), agent=agent,
               terminationGracePeriodSeconds=5)


KINDS = {"done": ends_well, "steady": stays, "crash": crashes, "slow": takes_time}


class Storm(storms.Storm):
    def __init__(self, agent, seed, what="agent"):
        super().__init__(agent, seed, KINDS)
        self.victim = what

    # the storm

    def strike(self):
        """One or two changes, and after some time the kill."""
        for _ in range(self.random.randint(1, 2)):
            self.change()
        time.sleep(self.random.random() ** 2 * 1.5)
        self.kill(self.victim)

    def rage(self, count):
        for _ in range(count):
            self.strike()

    # the calm

    def tolerate(self, name, what):
        """What a killed containerd may do to a pod, and a killed agent may not."""
        if self.victim == "containerd":
            self.lost[what] += 1
        else:
            self.blame(name, what)

    def is_settled(self, name, kind):
        found = self.agent.pod(name)
        if kind == "done":
            return found and found["status"].get("phase") in ("Succeeded", "Failed")
        if kind == "crash":
            return found and agents.restarts(found) > 0
        return found and agents.is_ready(found)

    def judge(self, name, kind):
        said = collections.Counter(self.agent.said(name))
        found = self.agent.pod(name)
        once = {"done": ["init", "ran"], "steady": ["init", "main up", "side up"],
                "slow": ["main up", "other up"], "crash": []}[kind]
        for text in once:
            if said[text] != 1:
                self.tolerate(name, f"\"{text}\" was said {said[text]} times")
        if kind == "done" and found["status"]["phase"] != "Succeeded":
            self.tolerate(name, f"is {found['status']['phase']}")
        for container_name in ("main", "other", "init", "side"):
            again = agents.restarts(found, container_name)
            if kind != "crash" and again:
                self.tolerate(name, f"{container_name} has {again} restarts")
        if kind == "crash":
            runs, counted = said["ran"], agents.restarts(found) + 1
            if not counted - 1 <= runs <= counted + 1:
                self.tolerate(name, f"ran {runs} times and counts {counted}")

    def judge_removed(self, name, kind):
        said = collections.Counter(self.agent.said(name))
        for text in ("main up", "other up", "side up", "init"):
            if said[text] > 1:
                self.tolerate(name, f"\"{text}\" was said {said[text]} times")
        for who in ("main", "other"):
            if said[f"{who} up"] and kind != "crash" and not said[f"{who} term"]:
                self.tolerate(name, f"{who} was not told to end")

    def calm(self):
        """What is wanted runs as declared; then all of it goes."""
        for name, kind in sorted(self.wanted.items()):
            self.agent.wait(lambda: self.is_settled(name, kind), f"{name} to settle", CALM_SECONDS,
                            name)
            self.judge(name, kind)
        for name, kind in sorted(self.removed.items()):
            self.agent.wait_gone(name, seconds=CALM_SECONDS)
            self.judge_removed(name, kind)
        ending = dict(self.wanted)
        self.agent.remove(*ending)
        self.agent.wait_gone(*ending, seconds=CALM_SECONDS)
        for name, kind in sorted(ending.items()):
            self.judge_removed(name, kind)

    def search(self):
        """Afterwards: what is left behind."""
        for left in self.agent.containerd.leftovers():
            kind = left.split()[0]
            if kind == "shim":  # whose container containerd 2 has stopped and removed, it said
                self.lost["a shim without a container"] += 1
            else:
                self.tolerate("left behind", kind)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("build", type=pathlib.Path)
    options.add_argument("--runtime", default="1.7")
    options.add_argument("--kill", choices=("agent", "containerd"), default="agent")
    options.add_argument("--count", type=int, default=200)
    options.add_argument("--seed", type=int, default=int(time.time()))
    asked = options.parse_args()
    print(f"kills: containerd {asked.runtime}, seed {asked.seed}, {asked.count} kills of the "
          f"{asked.kill}", flush=True)
    with runtime.private(asked.runtime) as containerd:
        agent = agents.Agent(containerd, asked.build.resolve(), CONFIG)
        agent.start()
        storm = Storm(agent, asked.seed, asked.kill)
        try:
            for done in range(0, asked.count, 10):
                storm.rage(min(10, asked.count - done))
                print(f"kills: {done + 10} of {asked.count}, {storm.count} pods", flush=True)
            storm.calm()
            storm.search()
            agent.stop()
        finally:
            agent.kill()
    status = storm.tell()
    print(f"kills: {asked.count} kills, {storm.count} pods, {len(storm.wrong)} wrong")
    return status


if __name__ == "__main__":
    sys.exit(main())
