"""Pods that come and go while something goes wrong: what kills.py and leaks.py share."""

import collections
import random

PODS_MAX = 8
CALM_SECONDS = 120


class Storm:
    """`kinds` make pods: {kind: make(agent, name)}. The seed decides what happens."""

    def __init__(self, agent, seed, kinds):
        self.agent = agent
        self.random = random.Random(seed)
        self.kinds = kinds
        self.wanted = {}  # name: kind
        self.removed = {}
        self.count = 0
        self.kills = collections.Counter()
        self.wrong = []
        self.lost = collections.Counter()

    def add(self, kind=None):
        kind = kind or self.random.choice(sorted(self.kinds))
        self.count += 1
        name = f"{kind}-{self.count}"
        self.wanted[name] = kind
        self.agent.add(self.kinds[kind](self.agent, name))
        return name

    def remove(self, name=None):
        name = name or self.random.choice(sorted(self.wanted))
        self.removed[name] = self.wanted.pop(name)
        self.agent.remove(name)

    def change(self):
        if len(self.wanted) < 2 or (len(self.wanted) < PODS_MAX and self.random.random() < 0.6):
            self.add()
        else:
            self.remove()

    def kill(self, victim):
        """The agent or containerd, which is started again."""
        self.kills[victim] += 1
        if victim == "agent":
            self.agent.restart(kill=True)
        else:
            self.agent.containerd.restart(kill=True)

    def blame(self, name, what):
        self.wrong.append(f"{name}: {what}")

    def tell(self):
        """What was wrong, line by line; the program's exit status."""
        for line in self.wrong:
            print("WRONG", line)
        for what, count in sorted(self.lost.items()):
            print(f"lost by containerd: {what}: {count}")
        return 1 if self.wrong else 0
