"""Shows the agent at work: the example pods, static-only, on a private containerd.

    demo.py BUILD        until Ctrl-C; without a terminal until the pods are up or have completed

Everything is below one directory in /tmp and on a bridge of its own, and is removed at the end; the
machine's own containerd, images, networks and pods are not touched.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

import agent as agents  # noqa: E402
import debian  # noqa: E402
import places  # noqa: E402
import runtime  # noqa: E402

PREFIX = places.PREFIXES[1]
EXAMPLES = ROOT / "packaging" / "examples"
UP_SECONDS = 120
GONE_SECONDS = 60


def interrupt(*_):
    raise KeyboardInterrupt


def say(text):
    print(f"demo: {text}", flush=True)


def is_settled(pod):
    return agents.is_ready(pod) or pod["status"].get("phase") == "Succeeded"


def watch(agent):
    """The live table, until Ctrl-C or until the agent ends."""
    with subprocess.Popen([agent.program, "ps", "--watch", "--run-dir", agent.run]) as table:
        try:
            table.wait()
        except KeyboardInterrupt:
            table.send_signal(signal.SIGINT)
            table.wait()


def show(agent, count):
    """What the table ends at, once; raises if the pods do not get there."""
    agent.wait(lambda: len(agent.pods() or {}) == count
               and all(map(is_settled, agent.pods().values())),
               f"{count} pods to be ready or completed", UP_SECONDS)
    for command in ("ps", "events"):
        print(f"\n$ nodeagent {command}\n{agent.command(command).stdout}", flush=True)


def demonstrate(containerd, build, manifests):
    agent = agents.Agent(containerd, build, {"resolvConf": "/etc/resolv.conf"},
                         node=os.uname().nodename.lower())
    for manifest in manifests:
        shutil.copy(manifest, agent.manifests)
    say(f"nodeagent runs the manifests in {agent.manifests}; change them, add others, ask it:")
    say(f"    {os.path.relpath(agent.program)} why web --run-dir {agent.run}")
    try:
        agent.start()
        if sys.stdout.isatty():
            watch(agent)
        else:
            show(agent, len(manifests))
    finally:
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sign, signal.SIG_IGN)
        say("cleaning up")
        finish(agent)


def finish(agent):
    """The agent leaves pods running when it ends, by design; so they are told to end first."""
    for manifest in agent.manifests.iterdir():
        manifest.unlink()
    if agent.process and agent.process.poll() is None:
        with contextlib.suppress(AssertionError):
            agent.wait_gone(seconds=GONE_SECONDS)
    agent.stop()


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    if os.geteuid() != 0:
        print("demo: containers, cgroups and a bridge need root: sudo ./dev run", file=sys.stderr)
        return 1
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, interrupt)
    for directory in places.left()[0]:
        places.remove(directory)
    try:
        with runtime.private(debian.installed_containerd(), PREFIX) as containerd:
            version = debian.version_of(containerd.programs / "containerd")
            say(f"containerd {version} runs below {containerd.directory}, without a registry")
            demonstrate(containerd, pathlib.Path(sys.argv[1]).resolve(),
                        sorted(EXAMPLES.glob("*.yaml")))
    except (AssertionError, debian.Missing, OSError, subprocess.CalledProcessError) as problem:
        print(f"demo: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
