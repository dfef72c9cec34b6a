"""An image registry on loopback: Debian's docker-registry, with or without credentials.

Container runtimes speak plain HTTP to 127.0.0.1 by themselves."""

import base64
import contextlib
import http.client
import json
import socket
import subprocess
import time

import debian
import images

USER = "puller"
PASSWORD = "correct-horse"
# bcrypt of it, the only kind of hash that docker-registry takes.
HTPASSWD = f"{USER}:$2b$05$jmzTV1Qi.urKdW6C8izjB.p.rixzORlU8ze7o3zFaTxXGFSkdkEB."
START_SECONDS = 10

CONFIG = """\
version: 0.1
log: {{level: warn}}
storage:
  filesystem: {{rootdirectory: {directory}/registry}}
http:
  addr: 127.0.0.1:{port}
"""
CONFIG_AUTH = """\
auth:
  htpasswd: {{realm: tests, path: {directory}/htpasswd}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Registry:
    """Below a directory that places.make() made; may share it with a Containerd."""

    def __init__(self, directory, credentials=False):
        self.directory = directory / ("registry-auth" if credentials else "registry-open")
        self.credentials = credentials
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        self.directory.mkdir(exist_ok=True)
        config = self.directory / "config.yml"
        config.write_text((CONFIG + (CONFIG_AUTH if self.credentials else "")).format(
            directory=self.directory, port=self.port))
        (self.directory / "htpasswd").write_text(HTPASSWD + "\n")
        program = debian.programs("registry") / "docker-registry"
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen([program, "serve", config], stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self.process.poll() is None and time.monotonic() < deadline, self.log()
            time.sleep(0.02)

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def log(self):
        return (self.directory / "log").read_text(errors="replace")[-5000:]

    def _answers(self):
        with contextlib.suppress(OSError):
            return self._request("GET", "/v2/")[0] in (200, 401)
        return False

    def _request(self, method, path, body=None, content_type="application/octet-stream"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Content-Type": content_type}
        if self.credentials:
            headers["Authorization"] = "Basic " + self.basic()
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def basic(self):
        return base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    def docker_config(self):
        """What a node's or a user's config.json says of it."""
        return {"auths": {self.host: {"auth": self.basic()}}}

    def push(self, image, name, tag):
        """Returns the reference to pull."""
        for digest, data in image.blobs.items():
            status, headers, _ = self._request("POST", f"/v2/{name}/blobs/uploads/")
            assert status == 202, (status, self.log())
            location = headers["Location"].partition(self.host)[2] or headers["Location"]
            mark = "&" if "?" in location else "?"
            path = f"{location}{mark}digest=sha256:{digest}"
            status, _, answer = self._request("PUT", path, data)
            assert status == 201, answer
        status, _, answer = self._request("PUT", f"/v2/{name}/manifests/{tag}",
                                          json.dumps(image.manifest), images.MANIFEST_TYPE)
        assert status == 201, answer
        return f"{self.host}/{name}:{tag}"
