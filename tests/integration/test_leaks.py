"""What pods leave of their networks while plugins fail and programs are killed: nothing."""

import json

import pytest

import leaks
from conftest import BUILD

SEED = 105  # has kills of both, and most faults


@pytest.fixture(scope="module")
def storm():
    with leaks.raging(BUILD, "2", SEED) as instance:
        yield instance


def test_nothing_is_left_of_networks(storm):
    """Few, and without a plugin that hangs; ./dev leaks has hundreds."""
    storm.round(12)
    storm.finish()
    assert storm.wrong == []
    assert set(storm.kills) == {"agent", "containerd"}
    assert {fault for _, _, fault, *_ in storm.machine.runs()} > {"none"}


def test_what_is_left_would_be_found(storm):
    machine, network = storm.machine, storm.network
    (machine.directory / "reserved" / network / "10.1.3.3").write_text("nobody\r\neth0")
    (machine.directory / "cache/results" / f"{network}-nobody-eth0").write_text(
        json.dumps({"netns": "/run/netns/cni-nobody", "result": {"interfaces": []}}))
    for rule in (["-N", f"CNI-{'0' * 24}"],
                 ["-A", "POSTROUTING", "-m", "comment", "--comment",
                  f'name: "{network}" id: "nobody"', "-j", f"CNI-{'0' * 24}"]):
        machine.inside(machine.host, "iptables", "-t", "nat", *rule)
    before = len(storm.wrong)
    storm.check()
    assert {line.partition(":")[0] for line in storm.wrong[before:]} == {
        "addresses", "records", "rules", "chains", "namespaces"}
