"""An API server that is away for a while; ./dev outage has it away for ten minutes."""

import outage
from conftest import BUILD

SECONDS, PODS = 18, 3


def test_check_50_all_goes_on_and_is_told_afterwards(containerd):
    found = outage.run(containerd, BUILD, SECONDS, PODS)
    assert not found.wrong, found.figures
    assert containerd.leftovers() == []
