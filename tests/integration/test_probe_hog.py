"""Probes while others take all of the CPU; ./dev hog does so for longer."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))

import hog  # noqa: E402
from conftest import BUILD  # noqa: E402

pytestmark = pytest.mark.alone

SECONDS = 20


def test_no_container_is_blamed_for_it():
    attempts, connections, rows = hog.rage(BUILD, SECONDS, 1)
    assert rows["errored"][0] == 0
    assert rows["successes"][0] > len(hog.PROMPT) * SECONDS / hog.PERIOD_SECONDS / 2
    counted, wrong = hog.judge(attempts, connections)
    assert wrong == []
    failed = {attempt.port for attempt in counted}
    assert failed & set(hog.SLOW)


def test_what_should_not_be_counted_would_be_found():
    connection = hog.Connection(1000000)
    connection.accepted, connection.request = 1000010, 1000100
    late = hog.Attempt(hog.FIRST, 1000000, 1000000, 2000000, "no response in time")
    assert hog.complaint(late, [connection]) is None
    assert "never sent" in hog.complaint(late, [])
    assert "300.1 ms after its tick" in hog.complaint(late._replace(tick=700000), [connection])
    connection.answer = 1900000
    assert "900.0 ms after its beginning" in hog.complaint(late, [connection])
    connection.answer = 2100000
    assert hog.complaint(late, [connection]) is None
    assert "refused" in hog.complaint(late._replace(verdict="refused"), [connection])
