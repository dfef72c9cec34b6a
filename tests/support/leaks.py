"""Pods that start and stop while plugins fail and programs are killed: what is left of networks?

    leaks.py BUILD [VERSION] [--starts 500] [--round 50] [--seed N]

The node is a machine of its own as far as networks go: a network namespace, and a /run/netns and a
/var/lib/cni of its own. containerd and the agent run there; their network is Debian's bridge,
portmap and bandwidth, with a plugin of the test's own before, between and after them, which does
harm where it is told to; and now and then a record gets lost. After each round all gets quiet; then
one GC, and what is reserved, on record, in iptables, on the bridge and mounted must be that of the
READY sandboxes, one by one.
"""

import argparse
import collections
import contextlib
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import time

import agent as agents
import cni
import places
import runtime
import storm as storms
from specs import container, pod

# A place may have more than one order, for the tries that follow.
FAULTS = {"refuse": 3, "later": 2, "garbage": 3, "hang": 1, "parent": 1, "parent-soon": 1,
          "sibling-soon": 2, "both-soon": 1}
PLACES = ["first", "middle", "last"]
LIMIT_SECONDS = 4  # of a chain
HANG_SECONDS = 10
SOON_SECONDS = 0.25
BUSY_SECONDS = 1
QUIET_SECONDS = 180
GC_TRIES = 3

# {directory}/POD.VERB.PLACE has one order: a fault, how often, and after how many seconds.
# nodeagent-cni writes prevResult last.
FAULTY = """#!/bin/sh
place={place} program={program} directory={directory}
pod=${{CNI_ARGS#*K8S_POD_NAME=}}
order=$directory/${{pod%%;*}}.$CNI_COMMAND.$place
input=$(cat)
if [ "$CNI_COMMAND" = VERSION ]; then
    echo '{{"cniVersion": "1.0.0", "supportedVersions": ["0.4.0", "1.0.0"]}}'
    exit
fi
soon() {{
    setsid sh -c "sleep $seconds; [ \\$(readlink /proc/$PPID/exe) = $program ] && kill -9 $1" \\
        </dev/null >/dev/null 2>&1 &
}}
fault=none
if [ -f "$order" ] && read -r fault times seconds <"$order"; then
    if [ "$times" -gt 1 ]; then
        echo "$fault $((times - 1)) $seconds" >"$order"
    else
        rm -f "$order"
    fi
fi
echo "$CNI_COMMAND $place $fault $CNI_NETNS" >>$directory/log
siblings=/proc/$PPID/task/$PPID/children
case $fault in
refuse) echo '{{"code": 120, "msg": "as it was told"}}'; exit 1 ;;
later) echo '{{"code": 11, "msg": "later, as it was told"}}'; exit 1 ;;
garbage) echo 'neither {{ JSON nor'; exit $((times % 2)) ;;
hang) exec sleep {hang} ;;
parent) kill -9 $PPID ;;
parent-soon) soon $PPID ;;
sibling-soon) soon "\\$(cat $siblings)" ;;
both-soon) soon "\\$(cat $siblings) $PPID" ;;
esac
if [ "$CNI_COMMAND" = ADD ]; then
    result=${{input#*\\"prevResult\\":}}
    [ "$result" = "$input" ] && echo '{{"cniVersion": "1.0.0"}}' || echo "${{result%\\}}}}"
fi
"""

# Programs that live as long as their input give the namespaces a life.
HOLD = """mkdir -p /run/netns /var/lib/cni && mount -t tmpfs none /run/netns &&
mount -t tmpfs none /var/lib/cni && ip link set lo up && echo ready && exec cat
"""

RATES = {"kubernetes.io/ingress-bandwidth": "8M", "kubernetes.io/egress-bandwidth": "16M"}
FIRST_PORT = 20000


def number(name):
    return int(name.rpartition("-")[2])


def on_network(name, ports=False, shaped=False, **spec):
    """A pod that does nothing but be there."""
    mapped = [{"containerPort": 80, "hostPort": FIRST_PORT + number(name), "protocol": protocol}
              for protocol in ("TCP", "UDP")]
    made = pod(name, container("main", **({"ports": mapped} if ports else {})), **spec)
    if shaped:
        made["metadata"]["annotations"] = RATES
    return made


KINDS = {
    "plain": lambda agent, name: on_network(name),
    "ports": lambda agent, name: on_network(name, ports=True),
    "shaped": lambda agent, name: on_network(name, shaped=True),
    "both": lambda agent, name: on_network(name, ports=True, shaped=True),
    "host": lambda agent, name: on_network(name, hostNetwork=True),
}
WITH_PORTS, WITH_RATES = {"ports", "both"}, {"shaped", "both"}


class Machine(cni.Node):
    """The node that containerd and the agent are put on."""

    def __init__(self, program):
        self.holder = subprocess.Popen(["unshare", "--net", "--mount", "sh", "-c", HOLD], text=True,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.holder.stdout.readline() == "ready\n"
        super().__init__(program)
        self.host, self.mounts = [f"/proc/{self.holder.pid}/ns/{kind}" for kind in ("net", "mnt")]
        self.orders = self.directory / "orders"
        self.orders.mkdir()
        self.directories = [f"{self.directory}/bin"]  # by which its plugins' processes are known

    def remove(self):
        super().remove()
        self.holder.stdin.close()
        self.holder.wait()

    def set_up(self, containerd):
        """Puts it and its network there; it is running, and is started again."""
        network = places.bridge(containerd.directory)
        containerd.by = self.enter()
        config = containerd.directory / "config.toml"
        config.write_text(config.read_text().replace("netns_mounts_under_state_dir = true", ""))
        cni.put_between(containerd, self, timeLimitSeconds=LIMIT_SECONDS,
                        agentSocket=str(containerd.directory / "agent/run/cni.sock"))
        self.directories.append(f"{containerd.directory}/bin")
        for place in PLACES:
            self.plugin(f"faulty-{place}", FAULTY.format(
                place=place, directory=self.orders, program=self.program, hang=HANG_SECONDS))
        bridge = {"type": "bridge", "bridge": network, "isGateway": True, "ipMasq": True,
                  "hairpinMode": True, "ipam": self.host_local("10.1.0.0/22", "fd01::/64")}
        portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
        bandwidth = {"type": "bandwidth", "capabilities": {"bandwidth": True}}
        faulty = [{"type": f"faulty-{place}"} for place in PLACES]
        self.configure("10-bridge.conflist", {
            "cniVersion": "1.0.0", "name": network,
            "plugins": [faulty[0], bridge, faulty[1], portmap, bandwidth, faulty[2]]})
        return network

    def is_busy(self):
        """Is nodeagent-cni, a plugin, or what they started, at work?"""
        for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                paths = [word for word in path.read_text(errors="replace").split("\0")
                         if word.startswith("CNI_PATH=")]
                if any(directory in word for word in paths for directory in self.directories):
                    return True
        return False

    def holdings(self):
        """{address: whose}; nobody's when who reserved it was killed."""
        reserved = set(self.reserved())
        return {path.name: path.read_text().partition("\n")[0].strip()
                for path in (self.directory / "reserved").glob("*/*") if path.name in reserved}

    def owners(self, network):
        """{(program, chain, id)} of rules that lead to a container's chains, {(program, chain)}."""
        rules, chains = set(), set()
        comment = re.compile(
            rf'-A (POSTROUTING|CNI-HOSTPORT-DNAT) .*name: \\"{network}\\" id: \\"(\w+)\\"')
        for program in ("iptables-save", "ip6tables-save"):
            text = self.inside(self.host, program)
            rules |= {(program, *found.groups()) for found in comment.finditer(text)}
            chains |= {(program, found[1]) for found in
                       re.finditer(r"^:(CNI-(?:DN-)?[0-9a-f]+) ", text, re.MULTILINE)}
        return rules, chains

    def runs(self):
        """[(verb, place, fault, namespace or nothing)] of the test's own plugin."""
        path = self.orders / "log"
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    def recorded(self):
        return [json.loads(path.read_text())
                for path in (self.directory / "cache/results").glob("[!.]*")]

    def forget(self, name):
        """Loses the record of a pod that is attached; how many there were."""
        count = 0
        for path in (self.directory / "cache/results").glob("[!.]*"):
            with contextlib.suppress(FileNotFoundError):
                record = json.loads(path.read_text())
                if ["K8S_POD_NAME", name] in record["cniArgs"] and "result" in record:
                    path.unlink()
                    count += 1
        return count

    def recorded_namespaces(self):
        return {pathlib.Path(record["netns"]).name for record in self.recorded()}

    def namespaces(self):
        """Mounts where runtimes have theirs."""
        lines = pathlib.Path(f"/proc/{self.holder.pid}/mounts").read_text().splitlines()
        return {path.name for path in (pathlib.Path(line.split()[1]) for line in lines)
                if path.parent == pathlib.Path("/run/netns")}


Sandbox = collections.namedtuple("Sandbox", "id state network name address")


class Storm(storms.Storm):
    def __init__(self, agent, machine, network, seed, client):
        super().__init__(agent, seed, KINDS)
        self.machine = machine
        self.network = network
        self.client = client
        self.collected = collections.Counter()
        self.on_record = set()  # namespaces, before the last GC
        self.lost_namespaces = set()  # by containerd
        self.lost_records = 0

    # the storm

    def order(self, name):
        """Something may go wrong with this pod, at one place or more."""
        while self.random.random() < 0.5:
            verb = self.random.choice(["ADD", "ADD", "DEL"])
            fault = self.random.choice(sorted(FAULTS))
            times = self.random.randint(1, FAULTS[fault])
            seconds = self.random.random() * SOON_SECONDS
            order = f"{name}-{self.agent.node}.{verb}.{self.random.choice(PLACES)}"
            (self.machine.orders / order).write_text(f"{fault} {times} {seconds:.3f}\n")

    def add(self, kind=None):
        kind = kind or self.random.choice(sorted(self.kinds))
        self.order(f"{kind}-{self.count + 1}")
        return super().add(kind)

    def remove(self):
        """Now and then what is needed for a DEL was lost before, and only a GC is left."""
        name = self.random.choice(sorted(self.wanted))
        if self.random.random() < 0.15:
            self.lost_records += self.machine.forget(f"{name}-{self.agent.node}")
        super().remove(name)

    def strike(self):
        """Some changes, some time, and now and then a kill, if it can be while plugins work."""
        for _ in range(self.random.randint(1, 3)):
            self.change()
        time.sleep(self.random.random() ** 2 * 1.5)
        chance, wait = self.random.random(), self.random.random()
        if chance > 0.35:
            return
        deadline = time.monotonic() + BUSY_SECONDS
        while not self.machine.is_busy() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(wait * SOON_SECONDS)
        self.kill("agent" if chance < 0.2 else "containerd")

    def rage(self, starts):
        goal = self.count + starts
        while self.count < goal:
            self.strike()

    # the quiet

    def sandboxes(self):
        result = subprocess.run([self.client, self.agent.containerd.endpoint], check=True,
                                capture_output=True, text=True)
        return [Sandbox(*line.split()) for line in result.stdout.splitlines()]

    def is_quiet(self):
        """Every pod has one sandbox, and there is no other."""
        names = sorted(sandbox.name for sandbox in self.sandboxes())
        return names == sorted(f"{name}-{self.agent.node}" for name in self.wanted)

    def quiet(self):
        if self.removed:  # without names it would be all
            self.agent.wait_gone(*self.removed, seconds=QUIET_SECONDS)
        self.removed = {}
        self.agent.wait_ready(*self.wanted, seconds=QUIET_SECONDS)
        self.agent.wait(self.is_quiet, "one sandbox for each pod", QUIET_SECONDS)
        self.agent.wait(lambda: not self.machine.is_busy(), "plugins to end", QUIET_SECONDS)

    def collect(self):
        """What the agent does, with nothing spared. A plugin may have an order for this, too."""
        valid = [{"containerID": sandbox.id, "ifname": "eth0"} for sandbox in self.sandboxes()]
        self.on_record = self.machine.recorded_namespaces()
        for _ in range(GC_TRIES):
            self.machine.age()
            process = self.machine.start("GC", report=True, **{"cni.dev/valid-attachments": valid})
            report, _, failure = process.communicate(timeout=600)[0].partition("\n")
            for kind, count in json.loads(report).items():
                self.collected[kind] += count["deleted"]
            if process.returncode == 0:
                return
            self.collected["GCs that failed"] += 1
        self.blame("GC", failure)

    # what must hold

    def compare(self, what, there, wanted):
        for thing in sorted(there - wanted, key=str):
            self.blame(what, f"{thing} is left")
        for thing in sorted(wanted - there, key=str):
            self.blame(what, f"{thing} is missing")

    def kind_of(self, sandbox):
        return sandbox.name.partition("-")[0]

    def check(self):
        ready = [sandbox for sandbox in self.sandboxes()
                 if sandbox.state == "ready" and sandbox.network == "own"]
        ids = {sandbox.id for sandbox in ready}
        hashes = {sandbox: hashlib.sha512(f"{self.network}{sandbox.id}".encode()).hexdigest()
                  for sandbox in ready}
        held = self.machine.holdings()
        for family in (".", ":"):
            of_family = {address: owner for address, owner in held.items() if family in address}
            self.compare("addresses", set(of_family.values()), ids)
            if len(of_family) != len(ready):
                self.blame("addresses", f"{len(of_family)} for {len(ready)} sandboxes")
        for sandbox in ready:
            if held.get(sandbox.address) != sandbox.id:
                self.blame("addresses", f"{sandbox} has not reserved its own")
        self.compare("records", set(self.machine.records()),
                     {f"{self.network}-{sandbox.id}-eth0" for sandbox in ready})
        self.check_rules(hashes)
        self.check_interfaces(hashes)

    def check_rules(self, hashes):
        rules, chains = set(), set()
        for sandbox, digest in hashes.items():
            for program in ("iptables-save", "ip6tables-save"):
                rules.add((program, "POSTROUTING", sandbox.id))
                chains.add((program, f"CNI-{digest[:24]}"))
                if self.kind_of(sandbox) in WITH_PORTS:
                    rules.add((program, "CNI-HOSTPORT-DNAT", sandbox.id))
                    chains.add((program, f"CNI-DN-{digest[:21]}"))
        found_rules, found_chains = self.machine.owners(self.network)
        self.compare("rules", found_rules, rules)
        self.compare("chains", found_chains, chains)
        tables = self.machine.inside(self.machine.host, "nft", "list", "tables")
        if "cni" in tables:
            self.blame("nftables", tables)

    def check_interfaces(self, hashes):
        """By what plugins said on ADD, which is on record."""
        interfaces = {interface["name"] for record in self.machine.recorded()
                      for interface in record.get("result", {}).get("interfaces", [])
                      if not interface.get("sandbox")} - {self.network}
        self.compare("rate limits", {name for name in interfaces if name.startswith("bwp")},
                     {f"bwp{digest[:12]}" for sandbox, digest in hashes.items()
                      if self.kind_of(sandbox) in WITH_RATES})
        self.compare("interfaces", self.interfaces(interfaces), interfaces)
        self.check_namespaces(self.machine.recorded_namespaces())

    def interfaces(self, wanted):
        """Those of the host; the kernel removes what is in excess some time after its pod."""
        deadline = time.monotonic() + cni.INTERFACE_SECONDS
        while (found := set(self.machine.interfaces())) > wanted and time.monotonic() < deadline:
            time.sleep(0.05)
        return found

    def check_namespaces(self, wanted):
        """One of which nothing is on record cannot be found: only who made it knows of it."""
        told = {pathlib.Path(namespace).name for verb, _, _, *rest in self.machine.runs()
                for namespace in rest if verb == "ADD"}
        unknown = self.machine.namespaces() - wanted - self.on_record
        self.compare("namespaces", self.machine.namespaces() - unknown, wanted)
        for name in unknown - self.lost_namespaces:
            self.lost["a namespace whose ADD was undone" if name in told else
                      "a namespace without an ADD"] += 1
        self.lost_namespaces |= unknown

    def round(self, starts):
        self.rage(starts)
        self.quiet()
        self.collect()
        self.check()

    def finish(self):
        """All pods go, and nothing at all is left."""
        for name in list(self.wanted):
            super().remove(name)
        self.quiet()
        self.collect()
        self.check()
        for left in self.machine.leftovers():
            self.blame("in the end", left)
        for left in self.agent.containerd.leftovers():
            self.lost[f"a {left.split()[0]}"] += 1

    def figures(self):
        """[lines]"""
        runs = self.machine.runs()
        verbs = collections.Counter(verb for verb, place, *_ in runs if place == "first")
        faults = collections.Counter(f"{fault} ({verb})" for verb, _, fault, *_ in runs
                                     if fault != "none")
        return [f"{self.count} pods, {verbs['ADD']} chains of ADD, {verbs['DEL']} of DEL",
                f"kills: {text_of(self.kills)}; {self.lost_records} records lost",
                f"{sum(faults.values())} faults: " + text_of(faults),
                "collected: " + text_of(self.collected),
                "collected by the agent itself: " + text_of(self.collected_by_agent())]

    def collected_by_agent(self):
        """It does so at its start; what was there at a round's end is old enough."""
        counts = collections.Counter()
        for line in self.agent.log_path.read_text(errors="replace").splitlines():
            if "were left and are removed" in line:
                counts.update({what: int(count) for count, what in re.findall(
                    r"(\d+) (attachments|addresses|rules|namespaces)", line)})
        return counts


def text_of(counter):
    return ", ".join(f"{count} {what}" for what, count in sorted(counter.items())) or "none"


@contextlib.contextmanager
def raging(build, version, seed):
    """A storm that has not begun."""
    machine = Machine(build / "cni" / "nodeagent-cni")
    try:
        with runtime.private(version) as containerd:
            network = machine.set_up(containerd)
            agent = agents.Agent(containerd, build)
            agent.by = machine.enter()
            try:
                agent.start()
                yield Storm(agent, machine, network, seed, build / "tests/bench/cri-sandboxes")
                agent.stop()
            finally:
                agent.kill()
    finally:
        machine.remove()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("build", type=pathlib.Path)
    options.add_argument("version", nargs="?", default="2")
    options.add_argument("--starts", type=int, default=500)
    options.add_argument("--round", type=int, default=50)
    options.add_argument("--seed", type=int, default=int(time.time()))
    asked = options.parse_args()
    print(f"leaks: containerd {asked.version}, seed {asked.seed}, {asked.starts} starts",
          flush=True)
    began = time.monotonic()
    with raging(asked.build.resolve(), asked.version, asked.seed) as storm:
        while storm.count < asked.starts:
            storm.round(min(asked.round, asked.starts - storm.count))
            print(f"leaks: {storm.count} of {asked.starts} after "
                  f"{time.monotonic() - began:.0f} s, {len(storm.wrong)} wrong", flush=True)
        storm.finish()
        for line in storm.figures():
            print(f"leaks: {line}")
    status = storm.tell()
    print(f"leaks: {len(storm.wrong)} wrong")
    return status


if __name__ == "__main__":
    sys.exit(main())
