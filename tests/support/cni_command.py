"""nodeagent cni on a node of its own (cni.py): its words, and what a terminal gets."""

import os
import pty
import re
import subprocess

import cni

RESULT = {"cniVersion": "1.0.0", "interfaces": [{"name": "eth0", "sandbox": "/x"}],
          "ips": [{"address": "10.1.2.3/24", "interface": 0}]}
ARGS = "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web;K8S_POD_UID=u"


def network(*plugins, name="net", version="1.0.0", **more):
    return {"cniVersion": version, "name": name, "plugins": list(plugins), **more}


def bridge(node, **more):
    return {"type": "bridge", "bridge": "br0", "isGateway": True,
            "ipam": node.host_local("10.1.0.0/24"), **more}


def rows(text):
    """The cells of tables."""
    return [re.split(r" {2,}", line) for line in text.decode().splitlines()]


class Command:
    """Called as command("status", ...): with the node's directories, in its namespace."""

    def __init__(self, node, program):
        self.node = node
        self.program = program

    def words(self, part, *arguments):
        directory = self.node.directory
        return ["nsenter", f"--net={self.node.host}", self.program, "cni", part,
                "--conf-dir", directory / "conf", "--cache-dir", directory / "cache",
                "--bin-dir", f"{directory / 'bin'}:{cni.PLUGINS}", *arguments]

    def __call__(self, part, *arguments, code=0):
        result = subprocess.run(self.words(part, *arguments), capture_output=True, timeout=120,
                                env={"PATH": os.environ["PATH"], "SECRET": "x"})
        errors = result.stderr.decode(errors="replace")
        assert "Sanitizer" not in errors and "runtime error" not in errors, errors
        assert result.returncode == code, (result.returncode, result.stdout, errors)
        return result

    def attach(self, pod="pod", *more, code=0):
        if not self.node.pod_path(pod).exists():
            self.node.pod(pod)
        return self("add", "--netns", self.node.pod_path(pod), "--id", pod, *more, code=code)

    def on_terminal(self, *arguments):
        """What a terminal gets that is both standard output and standard error."""
        master, slave = pty.openpty()
        process = subprocess.Popen(self.words(*arguments), stdout=slave, stderr=slave,
                                   stdin=subprocess.DEVNULL,
                                   env={"PATH": os.environ["PATH"], "TERM": "xterm"})
        os.close(slave)
        seen = b""
        try:
            while chunk := os.read(master, 65536):
                seen += chunk
        except OSError:  # the other end is closed
            pass
        os.close(master)
        process.wait(timeout=60)
        assert b"Sanitizer" not in seen
        return seen
