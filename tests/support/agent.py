"""The agent on a private containerd, with everything that it touches below the same directory."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

import places

NODE = "node"
START_SECONDS = 20
STOP_SECONDS = 20
WAIT_SECONDS = 30
POLL_SECONDS = 0.05
LOG_TAIL = 6000


def uptime():
    """The clock of stage() lines: /proc/uptime in a container."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Agent:
    """Pods of its manifests are called NAME-NODE; the methods take NAME."""

    def __init__(self, containerd, build, config=None, name="agent", node=NODE):
        self.containerd = containerd
        self.node = node
        self.program = pathlib.Path(build) / "commands" / "nodeagent"
        self.directory = containerd.directory / name
        self.root = self.directory / "root"
        self.run = self.directory / "run"
        self.manifests = self.directory / "manifests"
        self.logs = self.directory / "logs"
        self.stages = self.directory / "stages"
        self.log_path = self.directory / "agent.log"
        self.by = []  # what runs it: setpriv, …
        self.flags = []  # more of its command line
        self.process = None
        for path in (self.root, self.run, self.manifests, self.logs, self.stages):
            path.mkdir(parents=True, exist_ok=True)
        (self.directory / "resolv.conf").write_text("nameserver 192.0.2.53\nsearch example.org\n")
        self.config = {
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
            "failCgroupV1": False, "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{containerd.directory.name}", "enableServer": False, "healthzPort": 0,
            "resolvConf": str(self.directory / "resolv.conf"), "clusterDNS": ["192.0.2.10"],
            "clusterDomain": "cluster.local", **(config or {})}

    # its life

    def start(self, wait=True):
        places.make_cgroups(self.containerd.directory)
        path = self.directory / "config.json"
        path.write_text(json.dumps(self.config))
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.by, self.program, "run", "--config", path, "--root-dir", self.root,
                 "--run-dir", self.run, "--pod-manifest-path", self.manifests,
                 "--pod-log-dir", self.logs, "--hostname-override", self.node,
                 "--container-runtime-endpoint", self.containerd.endpoint, *self.flags],
                stdout=log, stderr=log, start_new_session=True)
        if wait:
            self.wait(lambda: self.pods() is not None, "the agent to answer", START_SECONDS)

    def stop(self):
        """SIGTERM, as a service manager does; pods stay."""
        if not self.process:
            return
        self.process.terminate()
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the agent does not end\n{self.log()}") from None
        self.process = None
        assert code == 0, f"the agent ended with {code}\n{self.log()}"

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def restart(self, kill=False):
        if kill:
            self.kill()
        else:
            self.stop()
        self.start()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def log(self, size=LOG_TAIL):
        return self.log_path.read_text(errors="replace")[-size:]

    # manifests

    def write_manifest(self, name, pod):
        """Text, or an object; the file appears whole. A name without an extension is JSON's."""
        text = pod if isinstance(pod, str) else json.dumps(pod, indent=1)
        path = self.manifests / (name if "." in name else f"{name}.json")
        part = path.with_name(f".{path.name}.part")
        part.write_text(text)
        part.rename(path)
        return path

    def remove_manifest(self, name):
        (self.manifests / (name if "." in name else f"{name}.json")).unlink()

    def add(self, *pods):
        for pod in pods:
            self.write_manifest(pod["metadata"]["name"], pod)

    def remove(self, *names):
        for name in names:
            self.remove_manifest(name)

    # what it says

    def command(self, *arguments, check=True, run_dir=True):
        at = ["--run-dir", self.run] if run_dir else []
        result = subprocess.run([self.program, *arguments, *at],
                                capture_output=True, text=True, timeout=30)
        assert not check or result.returncode == 0, (arguments, result.stderr, self.log())
        return result

    def ps(self):
        return json.loads(self.command("ps", "-o", "json").stdout)["items"]

    def why(self, name):
        """The exit code is 1 when something is blocked."""
        return json.loads(self.command("why", f"{name}-{self.node}", "-o", "json",
                                       check=False).stdout)

    def why_text(self, name):
        result = self.command("why", f"{name}-{self.node}", check=False)
        return result.stdout + result.stderr

    def events(self, name=None):
        """All, or those of a pod."""
        items = json.loads(self.command("events", "-o", "json").stdout)["items"]
        return [event for event in items
                if not name or involved(event).get("name") == f"{name}-{self.node}"]

    def messages(self, name):
        """The pod's events as "reason: message"."""
        return [f"{event['reason']}: {event.get('message', event.get('note', ''))}"
                for event in self.events(name)]

    def ask(self, question):
        """Over the socket, without a process of its own: for polling. None if nobody answers."""
        with contextlib.suppress(OSError, ValueError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            # The run directory's path may be longer than a socket's may be.
            folder = os.open(self.run, os.O_PATH | os.O_DIRECTORY)
            try:
                client.connect(f"/proc/self/fd/{folder}/nodeagent.sock")
            finally:
                os.close(folder)
            client.sendall(json.dumps(question).encode() + b"\n")
            with client.makefile("rb") as lines:
                if json.loads(lines.readline()).get("ok"):
                    return json.loads(lines.readline())
        return None

    def pods(self):
        """{NAME: Pod}; None if the agent does not answer."""
        answer = self.ask({"command": "ps"})
        if answer is None:
            return None
        return {pod["metadata"]["name"].removesuffix(f"-{self.node}"): pod
                for pod in answer.get("items") or []}

    def pod(self, name):
        return (self.pods() or {}).get(name)

    # waiting

    def wait(self, predicate, what, seconds=WAIT_SECONDS, name=None):
        """Until it returns something true, which is returned."""
        deadline = time.monotonic() + seconds
        while True:
            found = predicate()
            if found:
                return found
            ended = self.process and self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                break
            time.sleep(POLL_SECONDS)
        lines = [f"waited {seconds} s for {what}" if not ended else
                 f"the agent ended with {self.process.returncode}, waiting for {what}"]
        if not ended:
            pods = self.pods() or {}
            for shown in [name] if name else sorted(pods)[:10]:
                lines += [self.why_text(shown), json.dumps(pods.get(shown, {}).get("status"))]
        lines += ["the agent's log:", self.log(),
                  "containerd's log:", self.containerd.log()[-1500:]]
        raise AssertionError("\n".join(lines))

    def wait_pod(self, name, predicate, what="it to be so", seconds=WAIT_SECONDS):
        """predicate(pod) of a pod that is there; returns the pod."""
        def look():
            pod = self.pod(name)
            return pod if pod and predicate(pod) else None

        return self.wait(look, f"pod {name}: {what}", seconds, name)

    def wait_ready(self, *names, seconds=WAIT_SECONDS):
        return [self.wait_pod(name, is_ready, "ready", seconds) for name in names]

    def wait_phase(self, name, phase, seconds=WAIT_SECONDS):
        return self.wait_pod(name, lambda pod: pod["status"].get("phase") == phase, phase, seconds)

    def wait_event(self, name, text, seconds=WAIT_SECONDS):
        """An event "reason: message" that contains the text."""
        return self.wait(lambda: [event for event in self.messages(name) if text in event],
                         f"pod {name}: the event \"{text}\"", seconds, name)

    def wait_gone(self, *names, seconds=WAIT_SECONDS):
        """Out of `ps`; without names, all."""
        def look():
            pods = self.pods()
            return pods is not None and not (set(names) & set(pods) if names else pods)

        return self.wait(look, f"{' '.join(names) or 'all pods'}: gone", seconds)

    # what pods leave on the node

    def stage(self, name):
        """Lines of the pod's /stage/log: [(uptime, text)], what say() of specs.py wrote."""
        path = self.stages / name / "log"
        if not path.exists():
            return []
        words = [line.split(" ", 1) for line in path.read_text().splitlines()]
        return [(float(word[0]), word[1]) for word in words if len(word) == 2]

    def said(self, name):
        return [text for _, text in self.stage(name)]

    def wait_said(self, name, *texts, seconds=WAIT_SECONDS):
        """Until all of these were said; returns the uptime of each."""
        def look():
            times = {text: at for at, text in reversed(self.stage(name))}
            return [times[text] for text in texts] if all(text in times for text in texts) else None

        return self.wait(look, f"pod {name} to say {', '.join(texts)}", seconds, name)

    def output(self, name, container="main", attempt=0):
        """What the container wrote, from its log file."""
        pod = self.pod(name)
        metadata = pod["metadata"]
        path = (self.logs / f"{metadata['namespace']}_{metadata['name']}_{metadata['uid']}"
                / container / f"{attempt}.log")
        if not path.exists():
            return ""
        text = ""
        for line in path.read_text().splitlines():
            _, _, tag, content = (line.split(" ", 3) + [""])[:4]
            text += content + ("\n" if tag == "F" else "")
        return text

    def wait_output(self, name, end="done\n", container="main", seconds=WAIT_SECONDS):
        """What it wrote, once that ends so."""
        return self.wait(lambda: self.pod(name) and self.output(name, container).endswith(end)
                         and self.output(name, container),
                         f"pod {name}: output of {container} that ends with {end!r}", seconds, name)


def refusal(program, *arguments, **options):
    """What `nodeagent run` says at the end, when it does not start."""
    result = subprocess.run([*options.pop("by", []), program, "run", *arguments],
                            capture_output=True, text=True, timeout=WAIT_SECONDS, **options)
    assert result.returncode == 1 and not result.stdout, result
    said = [line for line in result.stderr.splitlines() if "profiling" not in line]
    _, _, sentence = said[-1].partition(' error "command failed" err="')
    assert sentence.endswith('"'), result.stderr
    return sentence[:-1]


# what a pod says of itself


def involved(event):
    return event.get("involvedObject") or event.get("regarding") or {}


def condition(pod, kind):
    """"True", "False", or None if the pod does not have the condition."""
    return condition_of(pod, kind).get("status")


def condition_of(pod, kind):
    conditions = pod["status"].get("conditions") or []
    return next((item for item in conditions if item["type"] == kind), {})


def is_ready(pod):
    return condition(pod, "Ready") == "True"


def statuses(pod, kind="containerStatuses"):
    return {status["name"]: status for status in pod["status"].get(kind) or []}


def status_of(pod, container="main"):
    for kind in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        if container in statuses(pod, kind):
            return statuses(pod, kind)[container]
    return {}


def state(pod, container="main"):
    """("running", {...}), ("waiting", {...}) or ("terminated", {...})."""
    return next(iter(status_of(pod, container).get("state", {}).items()), ("none", {}))


def exit_of(pod, container="main"):
    """(exit code, reason) of a container that has ended for good."""
    kind, what = state(pod, container)
    return (what.get("exitCode"), what.get("reason")) if kind == "terminated" else None


def waiting_for(pod, container="main"):
    """The reason it waits for, or None."""
    kind, what = state(pod, container)
    return what.get("reason", "") if kind == "waiting" else None


def restarts(pod, container="main"):
    return status_of(pod, container).get("restartCount", 0)
