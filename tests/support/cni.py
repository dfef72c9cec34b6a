"""A node of its own for nodeagent-cni: a network namespace that plays the host, others that play
pods, and directories for configuration, plugins and records. All of it goes with the directory."""

import json
import os
import pathlib
import re
import socket
import subprocess
import time

import places
import runtime

PLUGINS = pathlib.Path("/usr/lib/cni")  # Debian's
INTERFACE_SECONDS = 10

# Writes down what it got, and answers ADD with its file TYPE.result, or what came before it.
RECORDER = """#!/usr/bin/python3 -IS
import json, os, pathlib, sys
run, name = pathlib.Path("{run}"), "{name}"
text = sys.stdin.read()
verb = os.environ["CNI_COMMAND"]
with open(run / "calls", "a") as calls:
    calls.write(json.dumps({{"type": name, "verb": verb, "stdin": json.loads(text), "text": text,
                            "environment": dict(os.environ)}}) + "\\n")
if verb == "ADD":
    answer = run / f"{{name}}.result"
    print(answer.read_text() if answer.exists() else json.dumps(json.loads(text)["prevResult"]))
"""


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True,
                          text=True, **options).stdout


class Node:
    def __init__(self, program):
        self.program = program
        self.directory = places.make(parent=places.ROOTS)
        for name in ("conf", "bin", "cache", "pods", "run"):
            (self.directory / name).mkdir()
        self.host = self.make_namespace(self.directory / "host")
        self.mounts = None  # of that host, when they are not the machine's
        self.agent = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.agent.bind(str(self.directory / "agent.sock"))

    def remove(self):
        self.agent.close()
        places.remove(self.directory)

    # namespaces

    def make_namespace(self, path):
        path.touch()
        run("unshare", f"--net={path}", "ip", "link", "set", "lo", "up")
        return path

    def pod(self, name):
        return self.make_namespace(self.directory / "pods" / name)

    def run_netns(self, name):
        """A namespace where runtimes have theirs."""
        path = pathlib.Path("/run/netns", name)
        path.parent.mkdir(exist_ok=True)
        return self.make_namespace(path)

    def pod_path(self, name):
        return self.directory / "pods" / name

    def enter(self):
        """The words before a command that is to run on the host."""
        return ["nsenter", f"--net={self.host}", *([f"--mount={self.mounts}"] * bool(self.mounts))]

    def inside(self, namespace, *command):
        return run("nsenter", f"--net={namespace}", *command)

    def links(self, namespace):
        return {link["ifname"]: link
                for link in json.loads(self.inside(namespace, "ip", "-d", "-j", "addr"))}

    def addresses(self, namespace, ifname="eth0"):
        return [entry["local"] for entry in self.links(namespace)[ifname]["addr_info"]
                if entry["scope"] == "global"]

    # configuration

    def configure(self, name, network):
        """As it should be written: beside its place, then renamed."""
        temporary = self.directory / "conf" / f"{name}.tmp"
        temporary.write_text(network if isinstance(network, str) else json.dumps(network))
        temporary.rename(self.directory / "conf" / name)

    def host_local(self, *subnets, **more):
        return {"type": "host-local", "dataDir": str(self.directory / "reserved"),
                "ranges": [[{"subnet": subnet}] for subnet in subnets],
                "routes": [{"dst": "0.0.0.0/0"}], **more}

    def reserved(self, network="*"):
        return sorted(path.name for path in (self.directory / "reserved").glob(f"{network}/*")
                      if path.name[0].isdigit() or ":" in path.name)

    def plugin(self, name, text):
        path = self.directory / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def recorder(self, name, result=None):
        self.plugin(name, RECORDER.format(run=self.directory / "run", name=name))
        if result is not None:
            (self.directory / "run" / f"{name}.result").write_text(json.dumps(result))

    def calls(self):
        path = self.directory / "run" / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    # calls

    def members(self):
        """What its list says, so that it works here."""
        return {"confDir": str(self.directory / "conf"),
                "binDirs": [str(self.directory / "bin"), str(PLUGINS)],
                "cacheDir": str(self.directory / "cache"),
                "agentSocket": str(self.directory / "agent.sock")}

    def start(self, command, pod="pod", netns=None, **members):
        config = {"cniVersion": "1.0.0", "name": "nodeagent-cni", "type": "nodeagent-cni",
                  **self.members(), **members}
        environment = {
            "PATH": os.environ["PATH"], "SECRET": "x", "CNI_COMMAND": command,
            "CNI_CONTAINERID": pod, "CNI_IFNAME": "eth0", "CNI_PATH": "/nowhere",
            "CNI_NETNS": str(self.pod_path(pod) if netns is None else netns),
            "CNI_ARGS": f"IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME={pod}"}
        process = subprocess.Popen(
            [*self.enter(), self.program], env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdin.write(json.dumps(config))
        process.stdin.close()
        process.stdin = None
        return process

    def call(self, command, pod="pod", **options):
        """Its answer; a failure is an object with a code."""
        process = self.start(command, pod, **options)
        out, errors = process.communicate(timeout=120)
        assert (process.returncode == 0) != ('"code"' in out), (out, errors)
        assert "Sanitizer" not in errors and "runtime error" not in errors, errors
        return json.loads(out) if out else None

    def collect(self, *valid, **options):
        """What a GC found and deleted, by its kind, but for kinds of which there was nothing."""
        report = self.call("GC", report=True, **options, **{"cni.dev/valid-attachments": [
            {"containerID": pod, "ifname": "eth0"} for pod in valid]})
        assert set(report) == {"attachments", "namespaces", "reservations", "rules"}, report
        return {kind: (count["stale"], count["deleted"]) for kind, count in report.items()
                if count["stale"]}

    def add(self, pod="pod", **options):
        if not self.pod_path(pod).exists():
            self.pod(pod)
        answer = self.call("ADD", pod, **options)
        assert "code" not in answer, answer
        return answer

    def delete(self, pod="pod", **options):
        assert self.call("DEL", pod, **options) is None

    def told(self):
        """What the agent was told last."""
        told = None
        self.agent.setblocking(False)
        try:
            while True:
                told = json.loads(self.agent.recv(1 << 16))
        except BlockingIOError:
            return told

    # what is left

    def records(self):
        return sorted(path.name for path in (self.directory / "cache" / "results").glob("*"))

    def rules(self, comment):
        """iptables rules and chains with these words, of both families."""
        return [line for program in ("iptables-save", "ip6tables-save")
                for line in self.inside(self.host, program).splitlines() if comment in line]

    def chains(self):
        """Of single containers, by iptables."""
        return [line for program in ("iptables-save", "ip6tables-save")
                for line in self.inside(self.host, program).splitlines()
                if re.match(r":CNI-(DN-)?[0-9a-f]+ ", line)]

    def age(self, network="*", seconds=600):
        """Reservations and records that were made so long ago."""
        then = time.time() - seconds
        for path in [*(self.directory / "reserved").glob(f"{network}/*"),
                     *(self.directory / "cache/results").glob(f"{network}-*")]:
            os.utime(path, (then, then))

    def interfaces(self):
        return [name for name, link in self.links(self.host).items()
                if link.get("linkinfo", {}).get("info_kind") in ("veth", "ifb")]

    def leftovers(self):
        """What a node without attachments must not have, whatever the plugins were. The kernel
        removes the interfaces of a namespace some time after it."""
        deadline = time.monotonic() + INTERFACE_SECONDS
        while (found := self.interfaces()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return (found + self.reserved() + self.records() + self.rules("id: ") + self.chains())


# between a containerd and its network


def write_list(containerd, node, beside="cni/conf", **members):
    """What containerd is told to call, by a rename from this directory."""
    capabilities = {name: True for name in ("portMappings", "bandwidth", "dns", "cgroupPath")}
    temporary = containerd.directory / beside / "nodeagent.tmp"
    temporary.write_text(json.dumps({
        "cniVersion": "1.0.0", "name": f"{places.bridge(containerd.directory)}-own", "plugins": [
            {"type": "nodeagent-cni", "capabilities": capabilities, **node.members(),
             **members}]}))
    temporary.rename(containerd.directory / "cni/conf" / "00-nodeagent.conflist")


def put_between(containerd, node, *more, **members):
    """containerd calls nodeagent-cni, which finds what containerd had, and more plugins."""
    programs = containerd.directory / "bin"
    programs.mkdir()
    for plugin in runtime.CNI_PROGRAMS.iterdir():
        (programs / plugin.name).symlink_to(plugin)
    (programs / "nodeagent-cni").symlink_to(node.program)
    config = containerd.directory / "config.toml"
    config.write_text(config.read_text().replace(f'"{runtime.CNI_PROGRAMS}"', f'"{programs}"'))
    real = containerd.directory / "cni/conf/10-bridge.conflist"
    network = json.loads(real.read_text())
    network["plugins"] += more
    node.configure(real.name, network)
    real.unlink()
    write_list(containerd, node, **members)
    containerd.restart()
