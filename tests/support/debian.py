"""Programs from Debian packages that are unpacked, not installed: no service starts, nothing of the
machine changes.

    debian.py            fetch all of them and say what is there

The containerd versions that the tests run against come from three suites. The archive is the one
that this machine takes its own packages from, with the suite's name swapped; apt checks the
signatures. What was fetched stays in build/runtimes.
"""

import contextlib
import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CACHE = ROOT / "build" / "runtimes"
CONTAINERD = ["containerd", "containerd-shim-runc-v2", "ctr"]

# name: (package, suite, programs kept, how their version begins)
#
# Only containerd's own programs are kept: unstable's runc wants a newer libc than Debian 12's, and
# Debian 12's runc works with all of them.
PACKAGES = {
    "1.6": ("containerd", "bookworm", CONTAINERD, "1.6."),
    "1.7": ("containerd", "trixie", CONTAINERD, "1.7."),
    "2": ("containerd", "sid", CONTAINERD, "2."),
    "registry": ("docker-registry", "bookworm", ["docker-registry"], ""),
}


class Missing(Exception):
    """A program that cannot be had, with the package and where it was looked for."""


def version_of(program):
    """What `program --version` calls its version, or None if it does not run."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        result = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30)
        found = re.search(r"\bv?(\d+\.\d+\.[^\s]+)", result.stdout)
        if result.returncode == 0:
            return found.group(1) if found else result.stdout.strip() or "unknown"
    return None


def is_right(program, wanted):
    found = version_of(program)
    return found is not None and found.startswith(wanted)


def programs(name, root=CACHE):
    """The directory that has the programs of this name; Missing if they are not there."""
    package, suite, kept, wanted = PACKAGES[name]
    unpacked = root / name
    if is_right(unpacked / kept[0], wanted):
        return unpacked
    installed = shutil.which(kept[0])
    if installed and is_right(installed, wanted):
        return pathlib.Path(installed).parent
    raise Missing(f"{kept[0]} {wanted}x is not there: the package {package} of Debian {suite} is "
                  f"neither installed nor unpacked in {unpacked}; ./dev runtimes fetches it")


def installed_containerd():
    """The name (1.6, 1.7 or 2) of the machine's own."""
    program = shutil.which("containerd")
    version = version_of(program) if program else None
    for name, (package, _, _, wanted) in PACKAGES.items():
        if package == "containerd" and version and version.startswith(wanted):
            return name
    raise Missing(f"containerd {version or ''} is not one of those known here: install the package "
                  "containerd")


# the archive


def archives(update=True):
    """The (options, URI) of the sources that this machine takes Debian's main packages from."""
    result = subprocess.run(
        ["apt-get", "indextargets", "--format",
         "$(CREATED_BY)|$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)|$(SIGNED_BY)"],
        capture_output=True, text=True)
    found = []
    for line in result.stdout.splitlines():
        created_by, origin, label, component, uri, signed_by = line.split("|")
        if (created_by, origin, label, component) == ("Packages", "Debian", "Debian", "main"):
            keys = f"[signed-by={signed_by}] " if signed_by.startswith("/") else ""
            if (keys, uri) not in found:
                found.append((keys, uri))
    if not found and update:  # without lists apt does not know whose archive it is
        subprocess.run(["apt-get", "-qq", "update"], capture_output=True)
        return archives(update=False)
    if not found:
        raise Missing(f"apt has no source of Debian's main packages\n{result.stderr}")
    return found


def apt(state, *arguments, **options):
    """apt-get on a state of its own: neither the machine's lists nor its packages are touched."""
    command = ["apt-get", "-qq",
               "-o", f"Dir::State={state}", "-o", f"Dir::State::status={state}/status",
               "-o", f"Dir::Cache={state}/cache", "-o", f"Dir::Etc::SourceList={state}/sources",
               "-o", "Dir::Etc::SourceParts=/dev/null", "-o", "Dir::Etc::Preferences=/dev/null",
               "-o", "Dir::Etc::PreferencesParts=/dev/null", "-o", "APT::Sandbox::User=",
               "-o", "Acquire::Languages=none", "-o", "Acquire::Retries=3", *arguments]
    return subprocess.run(command, capture_output=True, text=True, **options)


def download(package, suite, state):
    """The package's file, below `state`."""
    (state / "lists" / "partial").mkdir(parents=True)
    (state / "cache" / "archives" / "partial").mkdir(parents=True)
    (state / "status").touch()
    problems = ""
    for keys, uri in archives():
        (state / "sources").write_text(f"deb {keys}{uri} {suite} main\n")
        for arguments in (["update"], ["download", package]):
            result = apt(state, *arguments, cwd=state)
            problems += result.stderr
        for file in state.glob(f"{package}_*.deb"):
            return file
    raise Missing(f"the package {package} of Debian {suite} cannot be had from "
                  f"{', '.join(uri for _, uri in archives())}:\n{problems.strip()}")


def fetch(name, root=CACHE):
    """Unpacks the programs of this name unless they are there; returns their directory."""
    with contextlib.suppress(Missing):
        return programs(name, root)
    package, suite, kept, _ = PACKAGES[name]
    print(f"runtimes: fetching {package} of Debian {suite}", flush=True)
    scratch = root / f"{name}.new"
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.rmtree(root / name, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        file = download(package, suite, scratch / "apt")
        subprocess.run(["dpkg", "-x", file, scratch / "package"], check=True)
        (scratch / "kept").mkdir()
        for program in kept:
            shutil.copy(scratch / "package" / "usr" / "bin" / program, scratch / "kept" / program)
        os.rename(scratch / "kept", root / name)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    try:
        return programs(name, root)
    except Missing as missing:
        found = version_of(root / name / kept[0])
        raise Missing(f"{missing}; what Debian {suite} has is "
                      f"{found or 'a program that does not run here'}") from None


def fetch_all():
    """Prints what is there; returns how many are missing."""
    CACHE.mkdir(parents=True, exist_ok=True)
    missing = 0
    with open(CACHE / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name, (_, _, kept, _) in PACKAGES.items():
            try:
                directory = fetch(name)
                print(f"runtimes: {kept[0]} {version_of(directory / kept[0])}: {directory}")
            except (Missing, OSError, subprocess.CalledProcessError) as problem:
                missing += 1
                print(f"runtimes: {problem}", file=sys.stderr)
    return missing


if __name__ == "__main__":
    sys.exit(1 if fetch_all() else 0)
