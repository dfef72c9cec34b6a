"""A real containerd, private: below a directory of its own, on a bridge of its own, with images
made here. The machine's own containerd is not touched."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import debian
import images
import places

VERSIONS = ["1.6", "1.7", "2"]
PAUSE_IMAGE = images.PAUSE
EXAMPLE_IMAGE = images.EXAMPLE
ROOT = images.ROOT
CNI_PROGRAMS = pathlib.Path("/usr/lib/cni")
START_SECONDS = 20
STOP_SECONDS = 10
PODS_SECONDS = 120
LEFT_SECONDS = 3


def needed(program, package):
    """The path of a program that the tests need; its absence is a failure, never a skip."""
    path = shutil.which(program)
    assert path, f"{program} is missing: install the package {package}"
    return path


COMMON = """\
root = "{directory}/root"
state = "{directory}/state"
oom_score = 0
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
                    "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs",
                    "io.containerd.snapshotter.v1.blockfile",
                    "io.containerd.snapshotter.v1.erofs"]

[grpc]
  address = "{socket}"

[plugins."io.containerd.internal.v1.opt"]
  path = "{directory}/opt"
[plugins."io.containerd.nri.v1.nri"]
  disable = true
"""

CONFIG_1 = "version = 2\n" + COMMON + """\
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  disable_tcp_service = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{cni_programs}"
    conf_dir = "{directory}/cni/conf"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{directory}/registries"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      Root = "{directory}/runc"
"""

CONFIG_2 = "version = 3\n" + COMMON + """\
[plugins."io.containerd.grpc.v1.cri"]
  disable_tcp_service = true
[plugins."io.containerd.cri.v1.images"]
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "{pause}"
  [plugins."io.containerd.cri.v1.images".registry]
    config_path = "{directory}/registries"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["{cni_programs}"]
    conf_dir = "{directory}/cni/conf"
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
      Root = "{directory}/runc"
"""


class Containerd:
    """One containerd below `directory`, which places.make() made. Its shims and containers live on
    when it is killed; stop() ends all of them."""

    def __init__(self, directory, version="1.6"):
        self.directory = directory
        self.version = version
        self.socket = directory / "containerd.sock"
        self.endpoint = f"unix://{self.socket}"
        self.by = []  # what runs it: nsenter, …
        self.process = None
        self.programs = debian.programs(version)

    def start(self):
        """Also after kill(): what the killed one ran is found again."""
        needed("runc", "runc")
        assert (CNI_PROGRAMS / "bridge").exists(), (
            f"{CNI_PROGRAMS}/bridge is missing: install the package containernetworking-plugins")
        config = self.directory / "config.toml"
        if not config.exists():
            self._configure(config)
        environment = {**os.environ, "PATH": f"{self.programs}:{os.environ.get('PATH', '')}"
                       ":/usr/sbin:/sbin"}
        with open(self.directory / "containerd.log", "ab") as log:
            self.process = subprocess.Popen(
                [*self.by, self.programs / "containerd", "--config", config],
                stdout=log, stderr=log, env=environment, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while self.ctr("version", check=False).returncode:
            assert self.process.poll() is None and time.monotonic() < deadline, self.log()
            time.sleep(0.05)

    def _configure(self, config):
        for name in ("cni/conf", "cni/addresses", "registries"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        network = places.make_bridge(self.directory)
        (self.directory / "cni/conf/10-bridge.conflist").write_text(json.dumps(network))
        text = CONFIG_2 if self.version.startswith("2") else CONFIG_1
        config.write_text(text.format(directory=self.directory, socket=self.socket,
                                      pause=PAUSE_IMAGE, cni_programs=CNI_PROGRAMS))

    def log(self):
        return (self.directory / "containerd.log").read_text(errors="replace")[-5000:]

    def ctr(self, *arguments, check=True):
        return subprocess.run([self.programs / "ctr", "--address", self.socket,
                               "--namespace", "k8s.io", *arguments], check=check,
                              capture_output=True, text=True)

    def import_images(self, *names):
        """The pause image and the example image, the latter also under these names."""
        scratch = self.directory / "images"
        scratch.mkdir(exist_ok=True)
        images.pause_image(scratch).write(scratch / "pause.tar", PAUSE_IMAGE)
        images.example_image().write(scratch / "example.tar", EXAMPLE_IMAGE, *names)
        for name in ("pause.tar", "example.tar"):
            self.ctr("images", "import", scratch / name)

    def run_pods(self, client, *options):
        """By the plain client, tests/bench/cri-client."""
        result = subprocess.run([client, *options, self.endpoint, EXAMPLE_IMAGE],
                                capture_output=True, text=True, timeout=PODS_SECONDS)
        assert result.returncode == 0, result.stderr

    # faults

    def kill(self):
        """SIGKILL for containerd alone."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def end(self):
        """SIGTERM for containerd alone: what an upgrade does."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        self.kill()

    def restart(self, kill=False):
        if kill:
            self.kill()
        else:
            self.end()
        self.start()

    def pause(self):
        """It accepts connections and answers nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    # the end

    def leftovers(self, seconds=LEFT_SECONDS, but=()):
        """What is left of pods, but for some kinds; patient, since some of it goes after the call
        that ends it."""
        deadline = time.monotonic() + seconds
        while True:
            found = [what for what in self._leftovers() if what.split()[0] not in but]
            if not found or time.monotonic() > deadline:
                return found
            time.sleep(0.1)

    def _leftovers(self):
        kinds = {
            "container": self.ctr("containers", "list", "-q").stdout.split(),
            "task": self.ctr("tasks", "list", "-q").stdout.split(),
            "mount": places.mounts(self.directory),
            "address": places.addresses(self.directory),
            "port": places.ports(self.directory),
            "host port": places.host_ports(self.directory),
            "cgroup": places.pod_cgroups(self.directory),
            "shim": self.shims(),
        }
        return [f"{kind} {thing}" for kind, things in kinds.items() for thing in things]

    def shims(self):
        found = []
        for pid in places.processes(self.directory):
            with contextlib.suppress(OSError):
                if b"containerd-shim" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(pid)
        return found

    def stop(self):
        """Ends everything that runs below it, then itself."""
        if self.process:
            self.resume()
            places.end_containers(self.directory)
            self.end()
        places.clear(self.directory)


@contextlib.contextmanager
def private(version="1.6", prefix=places.PREFIXES[0], parent=None):
    """A containerd with the images, for as long as the block lasts."""
    directory = places.make(prefix, parent)
    try:
        instance = Containerd(directory, version)
        try:
            instance.start()
            instance.import_images()
            yield instance
        finally:
            instance.stop()
    finally:
        places.remove(directory)
