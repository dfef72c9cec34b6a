"""nodeagent run, without a runtime: what it refuses to start with, and agents that stand still or in
each other's way."""

import subprocess

import pytest

from agent import Agent, refusal
from conftest import BUILD
from specs import pod

SECONDS = 30
NOBODY = 65534


@pytest.fixture
def agent(no_runtime):
    instance = Agent(no_runtime, BUILD)
    try:
        instance.start()
        yield instance
        instance.stop()
    finally:
        instance.kill()


# what cannot be: {what must be said: arguments}; {} is a directory
WRONG = {
    "unknown flag: --no-such-flag": ["--no-such-flag"],
    "unknown command start": ["start"],
    "flag needs an argument: --root-dir": ["--root-dir"],
    'invalid argument "many" for "--max-pods" flag: must be a whole number': ["--max-pods=many"],
    "maxPods (--max-pods) -1 must not be a negative number": ["--max-pods=-1"],
    "path: {}/missing.yaml, error: cannot open {}/missing.yaml: No such file": [
        "--config", "{}/missing.yaml"],
    "cannot read {}: it is not a regular file": ["--config", "{}"],
    "broken.yaml:3:1: not YAML": ["--config", "{}/broken.yaml"],
    "types.yaml:3:10: maxPods: must be a whole number": ["--config", "{}/types.yaml"],
    "cannot make directory /proc/1/root-dir": ["--root-dir=/proc/1/root-dir"],
    "--root-dir: cannot open /dev/null: Not a directory": ["--root-dir=/dev/null"],
    "--run-dir: cannot open /dev/null: Not a directory": ["--run-dir=/dev/null"],
    "--pod-log-dir: cannot open /dev/null: Not a directory": ["--pod-log-dir=/dev/null"],
    "--root-dir and --run-dir are both {}/root; each needs a directory of its own": [
        "--run-dir={}/root"],
    "nodeagent.sock: is not a socket; remove it, or give the agent another --run-dir": [
        "--run-dir={}/no-socket"],
    'runtime endpoint "tcp://127.0.0.1:1": only unix:// sockets are supported': [
        "--container-runtime-endpoint=tcp://127.0.0.1:1"],
    'runtime endpoint "unix://run.sock" has no path; write three slashes': [
        "--container-runtime-endpoint=unix://run.sock"],
    "set another --hostname-override": ["--hostname-override=a_b"],
    'static pod URL "ftp://x": must begin with http:// or https://': ["--manifest-url=ftp://x"],
}


@pytest.mark.parametrize("said", WRONG)
def test_what_is_wrong_is_named(program, no_runtime, said):
    there = no_runtime.directory
    (there / "root").mkdir()
    (there / "no-socket").mkdir()
    (there / "no-socket" / "nodeagent.sock").write_text("")
    (there / "broken.yaml").write_text("kind: KubeletConfiguration\nmaxPods: [\n")
    (there / "types.yaml").write_text("apiVersion: kubelet.config.k8s.io/v1beta1\n"
                                      "kind: KubeletConfiguration\nmaxPods: many\n")
    ours = [f"--root-dir={there}/root", f"--run-dir={there}/run", f"--pod-log-dir={there}/logs",
            "--fail-cgroupv1=false", f"--container-runtime-endpoint={no_runtime.endpoint}"]
    arguments = [word.format(there) for word in WRONG[said]]
    assert said.format(there, there) in refusal(program, *ours, *arguments)


def test_only_root_may_run_it(program, no_runtime):
    no_runtime.directory.chmod(0o777)
    text = refusal(program, f"--root-dir={no_runtime.directory}/root",
                   by=["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"])
    assert text.startswith(f"must run as root, not as user {NOBODY}: ") and "sudo" in text
    assert not (no_runtime.directory / "root").exists()


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_output_that_cannot_be_written(program, argument):
    with open("/dev/full", "wb") as full:
        result = subprocess.run([program, "run", argument], stdout=full, stderr=subprocess.PIPE,
                                text=True, timeout=SECONDS)
    assert result.returncode == 1
    assert "cannot write the output: No space left on device" in result.stderr


# two agents


def second(agent, **change):
    """What an agent with the first one's directories, but for a change, says."""
    own = {"root": agent.root, "run": agent.run, "log": agent.logs, **change}
    return refusal(agent.program, f"--root-dir={own['root']}", f"--run-dir={own['run']}",
                   f"--pod-log-dir={own['log']}", "--fail-cgroupv1=false",
                   f"--container-runtime-endpoint={agent.containerd.endpoint}")


def test_a_second_agent_is_refused_and_touches_nothing(agent):
    records = agent.run / "pods"
    kept = [records / ".nodeagent-tmp-of-the-first", records / "unfinished.json"]
    for path in kept:
        path.write_text("")
    other = agent.directory / "other"
    for _ in range(2):
        assert (f"{agent.run}/nodeagent.sock: another agent listens on it; stop that one, or give "
                "this one another --run-dir") in second(agent, root=other)
        assert (f"{agent.root}: another agent has this root directory; stop that one, or give this "
                "one another --root-dir") in second(agent, run=other)
        agent.pause()  # one that hangs is there all the same
    agent.resume()
    assert all(path.exists() for path in kept)
    assert agent.pods() == {}
    agent.restart(kill=True)  # who is killed leaves nothing locked
    assert not any(path.exists() for path in kept)


# an agent that stands still


def test_commands_do_not_wait_for_an_agent_that_hangs(agent):
    agent.add(pod("web"))
    agent.wait(lambda: agent.pod("web"), "the pod")
    agent.pause()
    asking = [subprocess.Popen([agent.program, command, "--run-dir", agent.run],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
              for command in ("ps", "why", "events")]
    for process in asking:
        output, error = process.communicate(timeout=SECONDS)
        assert process.returncode == 1 and not output
        assert "the agent said nothing for 5 s; it hangs or is overloaded: see its log" in error
    agent.resume()
    assert "web-node" in agent.command("ps").stdout
