"""A real containerd for tests: private, below a directory of its own, with images made here."""

import contextlib
import gzip
import hashlib
import io
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tarfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAUSE_IMAGE = "nodeagent.dev/pause:1"
EXAMPLE_IMAGE = "nodeagent.dev/example:1"
START_SECONDS = 20
STOP_SECONDS = 10


def needed(program, package):
    """The path of a program that the tests need; its absence is a failure, never a skip."""
    path = shutil.which(program)
    assert path, f"{program} is missing: install the package {package}"
    return path


# images


def _layer(files):
    """A gzipped tar of {path: (bytes, mode)} or {path: link target}; same bytes every time."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        folders = sorted({str(parent) for path in files for parent in pathlib.Path(path).parents
                          if str(parent) != "."})
        for folder in folders:
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            if isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
                tar.addfile(entry)
            else:
                entry.size, entry.mode = len(content[0]), content[1]
                tar.addfile(entry, io.BytesIO(content[0]))
    return raw.getvalue(), gzip.compress(raw.getvalue(), mtime=0)


def write_image(path, name, files, config):
    """An OCI image layout as a tar, as `ctr images import` takes it."""
    blobs = {}

    def blob(data, media_type):
        digest = hashlib.sha256(data).hexdigest()
        blobs[digest] = data
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    raw, packed = _layer(files)
    layer = blob(packed, "application/vnd.oci.image.layer.v1.tar+gzip")
    image = blob(json.dumps({
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine], "os": "linux",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(raw).hexdigest()}"]},
    }).encode(), "application/vnd.oci.image.config.v1+json")
    manifest = blob(json.dumps({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": image, "layers": [layer],
    }).encode(), "application/vnd.oci.image.manifest.v1+json")
    manifest["annotations"] = {"io.containerd.image.name": name}
    with tarfile.open(path, "w") as tar:
        def add(name, data):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))

        add("oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
        add("index.json", json.dumps({"schemaVersion": 2, "manifests": [manifest]}).encode())
        for digest, data in blobs.items():
            add(f"blobs/sha256/{digest}", data)


def write_pause_image(path, scratch):
    program = scratch / "pause"
    subprocess.run(["gcc", "-static", "-Os", "-o", program, ROOT / "packaging/pause/pause.c"],
                   check=True)
    write_image(path, PAUSE_IMAGE, {"pause": (program.read_bytes(), 0o755)},
                {"Entrypoint": ["/pause"]})


def write_example_image(path):
    busybox = pathlib.Path(needed("busybox", "busybox-static")).read_bytes()
    files = {"bin/busybox": (busybox, 0o755), "tmp/.keep": (b"", 0o644),
             "etc/passwd": (b"root:x:0:0:root:/:/bin/sh\n", 0o644)}
    files.update({f"bin/{name}": "busybox" for name in ("sh", "sleep", "echo", "cat", "true",
                                                        "false", "hostname", "date", "touch")})
    write_image(path, EXAMPLE_IMAGE, files, {"Env": ["PATH=/bin"], "Cmd": ["sh"]})


# containerd

CONFIG = """\
version = 2
root = "{root}"
state = "{state}"
oom_score = 0
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
                    "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]

[grpc]
  address = "{socket}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  disable_tcp_service = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{directory}/cni/bin"
    conf_dir = "{directory}/cni/conf"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
"""


class Containerd:
    """One containerd (Debian 12's, 1.6) below `directory`; nothing of the machine's is touched."""

    def __init__(self, directory):
        self.directory = directory
        self.socket = directory / "containerd.sock"
        self.process = None

    def start(self):
        needed("runc", "runc")
        for name in ("cni/bin", "cni/conf"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        config = self.directory / "config.toml"
        config.write_text(CONFIG.format(root=self.directory / "root",
                                        state=self.directory / "state", socket=self.socket,
                                        directory=self.directory, pause=PAUSE_IMAGE))
        with open(self.directory / "containerd.log", "ab") as log:
            self.process = subprocess.Popen(
                [needed("containerd", "containerd"), "--config", config], stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while self.ctr("version", check=False).returncode:
            assert self.process.poll() is None and time.monotonic() < deadline, self.log()
            time.sleep(0.05)

    def log(self):
        return (self.directory / "containerd.log").read_text(errors="replace")[-5000:]

    def ctr(self, *arguments, check=True):
        return subprocess.run([needed("ctr", "containerd"), "--address", self.socket,
                               "--namespace", "k8s.io", *arguments], check=check,
                              capture_output=True, text=True)

    def import_images(self):
        scratch = self.directory / "images"
        scratch.mkdir(exist_ok=True)
        write_pause_image(scratch / "pause.tar", scratch)
        write_example_image(scratch / "example.tar")
        for name in ("pause.tar", "example.tar"):
            self.ctr("images", "import", scratch / name)

    def stop(self):
        """Ends everything that runs below it, then itself."""
        if not self.process:
            return
        tasks = self.ctr("tasks", "list", "-q", check=False).stdout.split()
        for task in tasks:
            self.ctr("tasks", "kill", "--signal", "SIGKILL", "--all", task, check=False)
            self.ctr("tasks", "delete", "--force", task, check=False)
        self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        self.process.kill()
        self.process.wait()
        self.process = None
        self._end_shims()
        self._unmount()

    def _end_shims(self):
        """Shims outlive their containerd; ours name our socket on their command line."""
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                if str(self.socket).encode() in (entry / "cmdline").read_bytes():
                    os.kill(int(entry.name), signal.SIGKILL)

    def _unmount(self):
        mounts = pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
        for mount in reversed(mounts):
            target = mount.split()[1]
            if target.startswith(str(self.directory) + "/"):
                subprocess.run(["umount", "-l", target], check=False, capture_output=True)
