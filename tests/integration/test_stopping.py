"""Hooks, grace periods, and the order in which a pod that ends is stopped.

All pods are removed at once; each writes down what happened to it, and when."""

import pytest

from agent import is_ready, restarts, state, uptime, waiting_for
from specs import SAY, container, pod, sidecar, stay, staying

CONFIG = {"crashLoopBackOff": {"maxContainerRestartPeriod": "1s"}}
ALIVE = "while :; do say {0} alive; sleep 0.2; done"
DEAF = "trap 'say {0} term' TERM; " + ALIVE
SLOW = "trap 'say {0} term; sleep {1}; say {0} end; exit 0' TERM; say {0} up; {2}"


def hook(script):
    return {"exec": {"command": ["sh", "-c", SAY + script]}}


def slow(name, seconds):
    return SLOW.format(name, seconds, "while :; do sleep 0.1; done")


def deaf(name):
    return DEAF.format(name)


def pods(agent):
    endless = {"preStop": hook("say prestop; sleep 1000")}
    both = {"postStart": hook("say poststart"), "preStop": hook("say prestop; sleep 0.5; say over")}

    def grace(name, seconds, *containers, **spec):
        return pod(name, *containers, agent=agent, terminationGracePeriodSeconds=seconds, **spec)

    return [
        grace("obeys", 20, staying("main")),
        grace("slow", 20, container("main", slow("main", 1.5))),
        grace("deaf", 2, container("main", deaf("main"))),
        grace("hooks", 20, staying("main", lifecycle=both)),
        grace("endless", 2, container("main", deaf("main"), lifecycle=endless)),
        grace("sleeps", 20, staying("main", lifecycle={"preStop": {"sleep": {"seconds": 2}}})),
        grace("sleeps-long", 3, container("main", deaf("main"),
                                          lifecycle={"preStop": {"sleep": {"seconds": 3}}})),
        grace("hook-fails", 20, staying("main", lifecycle={"preStop": hook("exit 1")})),
        grace("hook-of-the-dead", 20, container("main", "exit 0", lifecycle=endless),
              staying("other"), restartPolicy="Never"),
        grace("poststart-fails", 2, staying("main", lifecycle={
            "postStart": hook("say poststart; exit 1"), "preStop": hook("say prestop")})),
        grace("poststart-sleeps", 20, staying("main", lifecycle={
            "postStart": {"sleep": {"seconds": 3}}}), staying("next")),
        grace("sidecars", 20, container("main", slow("main", 1)), inits=[
            sidecar(name, stay(name), lifecycle={"preStop": hook(f"say {name} prestop")})
            for name in ("s1", "s2", "s3")]),
        grace("sidecars-endless", 3, staying("main"), inits=[
            sidecar(name, deaf(name), lifecycle=endless) for name in ("s1", "s2")]),
        grace("sidecars-late", 3, container("main", deaf("main")), inits=[
            sidecar("s1", deaf("s1")), sidecar("s2", slow("s2", 1))]),
        grace("initialising", 3, container("main"), inits=[
            container("i1", f"say up; {deaf('i1')}"), sidecar("s1")]),
    ]


NEVER_READY = {"initialising", "poststart-fails", "hook-of-the-dead"}


@pytest.fixture(scope="module")
def removed(agent):
    """When all were removed."""
    names = [item["metadata"]["name"] for item in pods(agent)]
    agent.wait_ready(*(set(names) - NEVER_READY))
    agent.wait_said("initialising", "up")
    agent.wait_said("hook-of-the-dead", "other up")
    agent.wait_pod("hook-of-the-dead", lambda pod: state(pod, "main")[0] == "terminated", "half")
    agent.wait_event("poststart-fails", "FailedPostStartHook")
    at = uptime()
    agent.remove(*names)
    agent.wait_gone()
    return at


def last(agent, name, container="main"):
    """When it was last alive."""
    return max(at for at, text in agent.stage(name) if text.startswith(container))


def test_check_31_a_poststart_hook_that_fails_restarts_its_container(agent):
    """Check P38 of probes."""
    found = agent.wait_pod("poststart-fails", lambda pod: restarts(pod) >= 1, "a restart")
    assert agent.wait_event("poststart-fails", "FailedPostStartHook: PostStartHook failed")
    assert agent.wait_event("poststart-fails", "Killing: FailedPostStartHook")
    assert not is_ready(found)
    agent.wait_pod("poststart-fails", lambda pod: waiting_for(pod) in (
        "PostStartHookError", "CrashLoopBackOff"), "the reason")
    assert "prestop" in agent.said("poststart-fails")


def test_a_poststart_sleep_holds_up_the_next_container(agent):
    agent.wait_ready("poststart-sleeps")
    first, second = agent.wait_said("poststart-sleeps", "main up", "next up")
    assert 1.5 <= second - first <= 10


def test_a_poststart_hook_is_run_once(agent):
    agent.wait_ready("hooks")
    assert sorted(agent.said("hooks")) == ["main up", "poststart"]


def test_the_first_signal_is_term_and_comes_at_once(agent, removed):
    [term] = agent.wait_said("obeys", "main term")
    assert term - removed < 2
    assert agent.wait_event("obeys", "Killing: Stopping container main")


def test_a_container_has_time_to_end(agent, removed):
    term, end = agent.wait_said("slow", "main term", "main end")
    assert 1.4 <= end - term <= 3


def test_check_26_what_ignores_term_is_killed_after_its_grace(agent, removed):
    [term] = agent.wait_said("deaf", "main term")
    assert 1.5 <= last(agent, "deaf") - term <= 3.5


def test_a_prestop_hook_comes_before_the_signal(agent, removed):
    assert agent.said("hooks")[2:] == ["prestop", "over", "main term"]


def test_check_27_an_endless_prestop_hook_is_left_behind(agent, removed):
    """Check P40 of probes."""
    """The grace is used up by it; two seconds are left for the signal."""
    prestop, term = agent.wait_said("endless", "prestop", "main term")
    assert 1.2 <= term - prestop <= 3.5
    assert 1.5 <= last(agent, "endless") - term <= 3.5


def test_check_28_a_prestop_sleep_delays_the_signal(agent, removed):
    [term] = agent.wait_said("sleeps", "main term")
    assert 1.9 <= term - removed <= 4.5


def test_check_28_a_prestop_sleep_may_use_up_the_grace(agent, removed):
    """Two seconds are left for the signal."""
    [term] = agent.wait_said("sleeps-long", "main term")
    assert 2.5 <= term - removed <= 5
    assert 1.5 <= last(agent, "sleeps-long") - term <= 3.5


def test_check_28_what_has_ended_gets_no_hook(agent, removed):
    assert "prestop" not in agent.said("hook-of-the-dead")
    assert "other term" in agent.said("hook-of-the-dead")


def test_check_30_a_prestop_hook_that_fails_is_told_and_no_more(agent, removed):
    assert agent.wait_event("hook-fails", "FailedPreStopHook: PreStopHook failed")
    assert "main term" in agent.said("hook-fails")


def test_check_08_hooks_of_sidecars_start_together_and_signals_come_in_reverse(agent, removed):
    hooks = agent.wait_said("sidecars", *[f"{name} prestop" for name in ("s1", "s2", "s3")])
    assert max(hooks) - min(hooks) <= 1
    ends = [text for text in agent.said("sidecars") if text.endswith((" term", " end"))]
    assert ends == ["main term", "main end", "s3 term", "s2 term", "s1 term"]


def test_check_09_endless_hooks_of_sidecars_end_together(agent, removed):
    """Grace and two seconds."""
    for name in ("s1", "s2"):
        assert 3.5 <= last(agent, "sidecars-endless", name) - removed <= 7


def test_check_10_sidecars_that_come_late_have_two_seconds(agent, removed):
    term, end = agent.wait_said("sidecars-late", "s2 term", "s2 end")
    main = last(agent, "sidecars-late", "main")
    assert term >= main - 0.5 and 0.9 <= end - term <= 2
    assert last(agent, "sidecars-late", "s1") - removed <= 9


def test_check_11_a_pod_that_is_removed_while_it_initialises_ends_soon(agent, removed):
    assert last(agent, "initialising", "i1") - removed < 5
    assert not any(text.startswith("s1") for text in agent.said("initialising"))


def test_nothing_is_left(agent, removed):
    assert agent.containerd.leftovers(75) == []
    agent.wait(lambda: not list((agent.root / "pods").glob("*")), "the pods' directories to go")
    agent.wait(lambda: not list(agent.logs.glob("*")), "the pods' logs to go", 75)
