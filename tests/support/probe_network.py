"""Two network namespaces with a cable between them: in one the server that probes are aimed at, in
the other whoever probes. All of it goes with the directory, and with this process."""

import pathlib
import subprocess
import threading
import ctypes
import os
import socket

import cni
import places

PREFIX = "nodeagent-probes-"
SERVER = "10.0.0.2"
PROBER = "10.0.0.1"


class ProbeNetwork:
    def __init__(self, build, *ports):
        for directory in places.left()[0]:
            if directory.name.startswith(PREFIX):
                places.remove(directory)
        self.programs = pathlib.Path(build).resolve() / "tests" / "bench"
        self.directory = places.make(PREFIX)
        self.processes = []
        try:
            self.lay_cable()
            server = self.start("server", "probe-server", *ports)
            assert server.stdout.readline() == "ready\n"
        except BaseException:
            self.remove()
            raise

    def lay_cable(self):
        for name in ("prober", "server"):
            (self.directory / name).touch()
            cni.run("unshare", f"--net={self.directory / name}", "ip", "link", "set", "lo", "up")
        cni.run(*self.inside("prober"), "ip", "link", "add", "cable", "type", "veth",
                "peer", "name", "cable", "netns", self.directory / "server")
        for name, address in (("prober", PROBER), ("server", SERVER)):
            cni.run(*self.inside(name), "ip", "addr", "add", f"{address}/24", "dev", "cable")
            cni.run(*self.inside(name), "ip", "link", "set", "cable", "up")

    def inside(self, name):
        """The words before a command; it does not outlive this process."""
        return ["nsenter", f"--net={self.directory / name}", "setpriv", "--pdeathsig", "KILL"]

    def start(self, name, program, *arguments):
        process = subprocess.Popen(
            [*self.inside(name), self.programs / program, *map(str, arguments)],
            stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        return process

    def rows(self, process):
        """{name: (value, unit)} from the lines `name value unit` of a program."""
        output, _ = process.communicate()
        assert process.returncode == 0, f"{process.args}: exit code {process.returncode}"
        return {name: (float(value), unit) for name, value, unit in
                (line.split(maxsplit=2) for line in output.splitlines())}

    def measure(self, program, *arguments):
        return self.rows(self.start("prober", program, *arguments))

    def packets(self, name):
        """A socket with all that goes over the cable, at that end of it."""
        found = []

        def make():
            with open(self.directory / name, "rb") as namespace:
                if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), 0) < 0:
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            found.append(socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3)))
            found[0].bind(("cable", 3))

        thread = threading.Thread(target=make)  # only a thread may change its namespace
        thread.start()
        thread.join()
        return found[0]

    def remove(self):
        for process in self.processes:
            process.kill()
            process.wait()
            process.stdout.close()
        places.remove(self.directory)
