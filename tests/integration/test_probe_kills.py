"""A killed agent forgets no result of a probe: few kills; ./dev probe-kills has a hundred."""

import pytest

import probe_kills

PODS, KILLS = 10, 3


@pytest.fixture(scope="module")
def probed(agent):
    instance = probe_kills.Probed(agent, PODS, agent.containerd.version)
    instance.begin()
    yield instance
    instance.close()


def test_what_would_be_wrong_is_found(probed):
    """In another's eyes: a pod that is not Ready, and runs another container."""
    other = probe_kills.Probed(probed.agent, 0, 0)
    other.begun = {"probed-0": ("containerd://other", 0, 0)}
    other.look("probed-0", probed.agent.pod("probed-0"))
    other.look("probed-0", {"status": {"conditions": []}})
    other.close()
    assert set(other.wrong) == {"probed-0: another container", "probed-0: not Ready"}


def test_check_13_nothing_flips_and_all_are_attempted_again(probed):
    for _ in range(KILLS - 1):
        probed.strike()
    probed.strike(probe_kills.LIFE_SECONDS)
    probed.finish()
    assert not probed.wrong
    assert probed.told > PODS and set(probed.judged) == set(probe_kills.PERIODS)


def test_nothing_is_left(agent):
    agent.remove(*agent.pods())
    agent.wait_gone()
    assert agent.containerd.leftovers() == []
