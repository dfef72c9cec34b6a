"""Private directories, and everything that a runtime below one of them leaves on the machine.

    places.py            remove what crashed tests and demos left

All of it can be found from the directory's name: processes name it on their command line, mounts
lie below it, the bridge and the cgroup are called after it. A directory whose owner still lives is
not touched.
"""

import contextlib
import hashlib
import ipaddress
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PREFIXES = ["nodeagent-test-", "nodeagent-demo-", "nodeagent-probes-"]
MEMORY = pathlib.Path("/dev/shm")  # where measurements have theirs
ROOTS = pathlib.Path("/srv")  # root's alone up to the top: where programs to be run may be
CGROUPS = pathlib.Path("/sys/fs/cgroup")
CNI_CACHE = pathlib.Path("/var/lib/cni")  # of libcni, which containerd cannot be told to move
BRIDGE_PREFIX = "natest-"
NETWORKS = ipaddress.ip_network("100.64.0.0/10")  # a /22 each: 1,021 pods
PROGRAMS = ["containerd", "runc", "ctr", "docker-registry", "nodeagent"]  # how their names begin
SANDBOX = re.compile(rf'"sandbox":"(/[^"]*/(?:{"|".join(PREFIXES)})[^/"]+)/')
PORTS_CHAIN = "CNI-HOSTPORT-DNAT"  # of all networks: it stays, as the plugin leaves it
SETTLE_SECONDS = 5


# directories


def started_at(pid):
    """When the process started, in ticks since boot; None if there is none."""
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return None


def make(prefix=PREFIXES[0], parent=None):
    """Short, because a socket's path must be: not below pytest's directory."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    directory.chmod(0o755)  # containers that do not run as root reach their files
    (directory / "owner").write_text(f"{os.getpid()} {started_at(os.getpid())}")
    return directory


def is_owned(directory):
    with contextlib.suppress(OSError, ValueError):
        pid, started = (directory / "owner").read_text().split()
        return started_at(pid) == started
    with contextlib.suppress(OSError):  # it may just be being made
        return time.time() - directory.stat().st_mtime < SETTLE_SECONDS
    return False


# what belongs to a directory


def hashed(directory):
    return hashlib.sha256(str(directory).encode()).hexdigest()


def bridge(directory):
    return BRIDGE_PREFIX + hashed(directory)[:8]


def network(directory):
    return list(NETWORKS.subnets(new_prefix=22))[int(hashed(directory)[:3], 16)]


def processes(directory):
    """Those of ours that name the directory or something below it on their command line."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit():
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                if (os.path.basename(words[0]).startswith(tuple(PROGRAMS))
                        and any(f"{directory}/" in f"{word}/" for word in words)):
                    found.append(int(entry.name))
    return found


def mounts(directory):
    lines = pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    return [line.split()[1] for line in lines if line.split()[1].startswith(f"{directory}/")]


def cgroups(directory):
    """Of the pods of an agent whose cgroup root has the directory's name."""
    return [path for path in [CGROUPS / directory.name, *CGROUPS.glob(f"*/{directory.name}")]
            if path.is_dir()]


def pod_cgroups(directory):
    """By either driver: pod<UID> and kubepods-burstable-pod<UID>.slice."""
    return sorted({path.name for root in cgroups(directory) for path in root.rglob("*pod*")
                   if path.is_dir() and re.search(r"(^|-)pod[0-9a-f]", path.name)})


def containers(directory):
    """{id: runc's state}, alive or not."""
    found = {}
    for path in (directory / "runc").glob("*/*/state.json"):
        with contextlib.suppress(OSError, ValueError):
            found[path.parent] = json.loads(path.read_text())
    return found


def addresses(directory):
    """Reserved in the network; each should have a sandbox."""
    return sorted(path.name for path in (directory / "cni").glob("addresses/*/*.*.*.*"))


def ports(directory):
    folder = pathlib.Path("/sys/class/net", bridge(directory), "brif")
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def host_ports(directory):
    """Rules of CNI's portmap plugin that lead to pods of the network."""
    listed = run("iptables", "-t", "nat", "-S", PORTS_CHAIN).stdout
    return [rule for rule in listed.splitlines() if f'"{bridge(directory)}' in rule.replace("\\", "")]


def loopbacks():
    """{libcni's record of a sandbox's loopback: the directory in which its namespace was}"""
    found = {}
    for path in (CNI_CACHE / "results").glob("cni-loopback-*"):
        with contextlib.suppress(OSError):
            place = SANDBOX.search(path.read_text(errors="replace"))
            if place:
                found[path] = pathlib.Path(place[1])
    return found


# making and removing


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True)


def make_bridge(directory):
    """Returns the CNI configuration of a network on it. The host has the first address; there is no
    way out of it."""
    name, subnet = bridge(directory), network(directory)
    run("ip", "link", "delete", name)
    mac = "02:" + ":".join(hashed(directory)[i:i + 2] for i in range(0, 10, 2))
    for command in (["link", "add", name, "address", mac, "type", "bridge"],
                    ["addr", "add", f"{subnet[1]}/{subnet.prefixlen}", "dev", name],
                    ["link", "set", name, "up"]):
        result = run("ip", *command)
        assert result.returncode == 0, f"ip {' '.join(command)}: {result.stderr}"
    return {"cniVersion": "0.4.0", "name": name, "plugins": [{
        "type": "bridge", "bridge": name,
        "ipam": {"type": "host-local", "subnet": str(subnet), "gateway": str(subnet[1]),
                 "rangeStart": str(subnet[2]), "dataDir": str(directory / "cni" / "addresses")},
    }]}


def remove_bridge(directory):
    run("ip", "link", "delete", bridge(directory))
    for path in (CNI_CACHE / "results").glob(f"{bridge(directory)}-*"):
        path.unlink(missing_ok=True)


def remove_loopbacks(directories):
    """A containerd that is ended before its pods leaves their records behind."""
    for path, directory in loopbacks().items():
        if directory in directories:
            path.unlink(missing_ok=True)


def remove_host_ports(directory):
    for rule in host_ports(directory):
        words = shlex.split(rule)
        chain = words[words.index("-j") + 1]
        for command in (["-D", *words[1:]], ["-F", chain], ["-X", chain]):
            run("iptables", "-t", "nat", *command)


def make_cgroups(directory):
    """An agent's cgroup root must exist. On cgroup v1 it is made in each hierarchy."""
    hierarchies = [path for path in [CGROUPS, *CGROUPS.iterdir()]
                   if (path / "cgroup.procs").exists()]
    if CGROUPS in hierarchies:
        hierarchies = [CGROUPS]
    for hierarchy in hierarchies:
        (hierarchy / directory.name).mkdir(exist_ok=True)


def end_containers(directory):
    """runc also removes their cgroups; it needs no containerd for that."""
    states = containers(directory)
    for state in states.values():
        if started_at(state["init_process_pid"]) == str(state["init_process_start"]):
            with contextlib.suppress(ProcessLookupError):
                os.kill(state["init_process_pid"], signal.SIGKILL)
    deletions = [subprocess.Popen(["runc", "--root", path.parent, "delete", "--force", path.name],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                 for path in states]
    for deletion in deletions:
        deletion.wait()


def end_processes(directory):
    """Their sockets, which shims make outside of the directory, go with them."""
    sockets = [address for name in ("address", "bootstrap.json")
               for path in directory.glob(f"state/io.containerd.runtime.v2.task/*/*/{name}")
               for address in re.findall(r"unix://([^\s\"]+)", path.read_text())]
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        found = processes(directory)
        if not found or time.monotonic() > deadline:
            break
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    for path in sockets:
        if path.startswith("/run/containerd/s/"):
            pathlib.Path(path).unlink(missing_ok=True)


def remove_cgroups(directory):
    for root in cgroups(directory):
        folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
        for folder in sorted(folders, key=lambda path: -len(path.parts)):
            with contextlib.suppress(OSError):
                folder.rmdir()


def unmount(directory):
    for target in reversed(mounts(directory)):
        run("umount", "-l", target)


def clear(directory):
    """Ends and removes all that belongs to the directory, but for the directory's own files."""
    end_containers(directory)
    end_processes(directory)
    unmount(directory)
    remove_cgroups(directory)
    remove_host_ports(directory)
    remove_bridge(directory)
    remove_loopbacks([directory])


def remove(directory):
    """A mount that cannot be taken away keeps the directory: files of others may be behind it."""
    clear(directory)
    if not mounts(directory):
        shutil.rmtree(directory, ignore_errors=True)


def left():
    """Directories whose owner is gone, and names of bridges and cgroups that have no directory."""
    temporary = pathlib.Path(tempfile.gettempdir())
    directories = [path for parent in (temporary, MEMORY, ROOTS) for prefix in PREFIXES
                   for path in parent.glob(f"{prefix}*") if path.is_dir()]
    known = {bridge(path) for path in directories}
    bridges = [path.name for path in pathlib.Path("/sys/class/net").glob(f"{BRIDGE_PREFIX}*")
               if path.name not in known]
    groups = {path.name for prefix in PREFIXES for pattern in (f"{prefix}*", f"*/{prefix}*")
              for path in CGROUPS.glob(pattern)} - {path.name for path in directories}
    return ([path for path in directories if not is_owned(path)], bridges,
            [temporary / name for name in sorted(groups)])


def main():
    directories, bridges, groups = left()
    for directory in [*directories, *groups]:
        print(f"cleanup: {directory}")
        remove(directory)
    for name in bridges:
        print(f"cleanup: {name}")
        run("ip", "link", "delete", name)
        for path in (CNI_CACHE / "results").glob(f"{name}-*"):
            path.unlink(missing_ok=True)
    gone = {directory for directory in loopbacks().values() if not directory.exists()}
    if gone:
        print(f"cleanup: records of pods of {len(gone)} directories that are gone")
    remove_loopbacks(gone)
    again = [directory for directory in [*directories, *groups]
             if directory.exists() or cgroups(directory) or mounts(directory)]
    for directory in again:
        print(f"cleanup: {directory} could not be removed", file=sys.stderr)
    if not directories and not bridges and not groups and not gone:
        print("cleanup: nothing is left over")
    return 1 if again else 0


if __name__ == "__main__":
    sys.exit(main())
