"""A node as kubeadm finds and leaves it: the service kubelet of packaging/systemd, started as systemd
would, and the files that kubeadm writes, all below the agent's directory."""

import pathlib
import re
import shlex
import subprocess

from agent import START_SECONDS, Agent

PACKAGED = pathlib.Path(__file__).resolve().parent.parent.parent / "packaging" / "systemd"

# What init and join write, zeroes and all; {0} is the node's root, {1} what a test adds.
CONFIG = """\
apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: false
  webhook:
    cacheTTL: 0s
    enabled: true
  x509:
    clientCAFile: {0}/etc/kubernetes/pki/ca.crt
authorization:
  mode: Webhook
  webhook:
    cacheAuthorizedTTL: 0s
    cacheUnauthorizedTTL: 0s
cgroupDriver: systemd
clusterDNS:
- 10.96.0.10
clusterDomain: cluster.local
cpuManagerReconcilePeriod: 0s
crashLoopBackOff: {{}}
evictionPressureTransitionPeriod: 0s
fileCheckFrequency: 0s
httpCheckFrequency: 0s
imageMaximumGCAge: 0s
imageMinimumGCAge: 0s
kind: KubeletConfiguration
logging:
  flushFrequency: 0
  options:
    json:
      infoBufferSize: "0"
    text:
      infoBufferSize: "0"
  verbosity: 0
memorySwap: {{}}
nodeStatusReportFrequency: 0s
nodeStatusUpdateFrequency: 0s
rotateCertificates: true
runtimeRequestTimeout: 0s
shutdownGracePeriod: 0s
shutdownGracePeriodCriticalPods: 0s
staticPodPath: {0}/etc/kubernetes/manifests
streamingConnectionIdleTimeout: 0s
syncFrequency: 0s
volumeStatsAggPeriod: 0s
{1}"""


def packaged(name, bindir="/usr/bin"):
    """The text of a unit or drop-in, as it is in the build that makes the packages."""
    stem, _, kind = name.rpartition(".")
    values = {"bindir": bindir, "command": f"{bindir}/{stem}", "description": stem,
              "other": "other.service"}
    template = "service.in" if kind == "service" else f"{name}.in"
    return re.sub(r"@(\w+)@", lambda found: str(values[found[1]]),
                  (PACKAGED / template).read_text())


def settings(*texts):
    """What units and drop-ins set, one after the other: {name: values}. An empty value takes back
    all before it."""
    found = {}
    for line in "\n".join(texts).splitlines():
        name, equals, value = line.partition("=")
        if not equals or line.startswith("#"):
            continue
        found[name] = [*found.get(name, []), value] if value else []
    return found


def environment_of(found):
    """The variables of a service. A file may be missing, where its name begins with "-"."""
    variables = dict(word.split("=", 1) for value in found["Environment"]
                     for word in shlex.split(value))
    for name in found["EnvironmentFile"]:
        path = pathlib.Path(name.removeprefix("-"))
        if path.exists() or not name.startswith("-"):
            variables.update(word.split("=", 1) for word in shlex.split(path.read_text()))
    return variables


def command_of(found):
    """The words of its command line: a variable that is a word of its own becomes several."""
    [line] = found["ExecStart"]
    variables, words = environment_of(found), []
    for word in line.split():
        words += shlex.split(variables.get(word[1:], "")) if word.startswith("$") else [word]
    return words


class Node(Agent):
    """An agent that is started as kubeadm's drop-in says. `place` is the node's root directory."""

    def __init__(self, containerd, build, name, node):
        super().__init__(containerd, build, name=name, node=node)
        self.place = self.directory / "node"
        self.kubernetes = self.place / "etc" / "kubernetes"
        self.manifests = self.kubernetes / "manifests"
        self.pki = self.place / "var" / "lib" / "kubelet" / "pki"
        self.kubelet = self.place / "usr" / "bin" / "kubelet"
        self.drop_ins = [packaged("09-kubeadm.conf")]
        for path in (self.manifests, self.kubernetes / "pki", self.pki, self.kubelet.parent,
                     self.place / "etc" / "default"):
            path.mkdir(parents=True)
        self.kubelet.symlink_to(self.program)
        # The operator's part: what else would be among the machine's own directories.
        self.write("etc/default/kubelet", 'KUBELET_EXTRA_ARGS="{}"\n'.format(" ".join([
            f"--root-dir={self.root}", f"--run-dir={self.run}", f"--pod-log-dir={self.logs}",
            f"--cert-dir={self.pki}"])))

    def write(self, name, text):
        path = self.place / name
        path.write_text(text)
        return path

    def write_config(self, **more):
        """/var/lib/kubelet/config.yaml"""
        more = {"failCgroupV1": "false", "enableServer": "false", "healthzPort": "0",
                "cgroupRoot": f"/{self.containerd.directory.name}",
                "resolvConf": self.directory / "resolv.conf", **more}
        lines = "".join(f"{name}: {value}\n" for name, value in more.items())
        self.write("var/lib/kubelet/config.yaml", CONFIG.format(self.place, lines))

    def write_flags(self, *flags):
        """/var/lib/kubelet/kubeadm-flags.env"""
        self.write("var/lib/kubelet/kubeadm-flags.env",
                   'KUBELET_KUBEADM_ARGS="{}"\n'.format(" ".join(map(str, flags))))

    def service(self):
        """What the unit and its drop-ins say, with this node's root directory."""
        texts = [packaged("kubelet.service"), *self.drop_ins]
        return settings(*(re.sub(r"(?<![\w/.])/(?=(etc|usr|var)/)", f"{self.place}/", text)
                          for text in texts))

    def command_line(self):
        return command_of(self.service())

    def start(self, wait=True):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command_line(), stdout=log, stderr=log,
                                            start_new_session=True)
        if wait:
            self.wait(lambda: self.pods() is not None, "the agent to answer", START_SECONDS)
