"""Each manifest in tests/data/manifests gets the verdict that its first lines expect.

    # expect: accept | refuse
    # error: FIELD.PATH        every error, and no others
    # warning: FIELD.PATH      every warning about unknown or repeated fields
    # why: plain words
"""

import json
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MANIFESTS = sorted((ROOT / "tests" / "data" / "manifests").glob("*/*.yaml"))
MANIFESTS_MIN = 900
BATCH = 100  # manifests a run of the program: starting it under sanitizers takes longest


def expectation(path):
    """(verdict, error paths, warning paths) from the comments at the top of a manifest."""
    verdict, errors, warnings = None, set(), set()
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("# "):
            break
        key, _, value = line[2:].partition(": ")
        if key == "expect":
            verdict = value.strip()
        elif key == "error":
            errors.add(value.strip())
        elif key == "warning":
            warnings.add(value.strip())
    return verdict, errors, warnings


@pytest.fixture(scope="session")
def answers(nodeagent):
    """What the program says of each manifest: {file: [document]}."""
    answers = {}
    for start in range(0, len(MANIFESTS), BATCH):
        result = nodeagent("validate", "-o", "json", *MANIFESTS[start:start + BATCH])
        assert not result.stderr, result.stderr.decode()
        for document in json.loads(result.stdout)["documents"]:
            answers.setdefault(document["file"], []).append(document)
    return answers


def test_there_are_many_manifests():
    assert len(MANIFESTS) >= MANIFESTS_MIN


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_manifest(path, answers):
    verdict, errors, warnings = expectation(path)
    documents = answers[str(path)]
    findings = [finding for document in documents for finding in document["findings"]]
    found_errors = {finding["field"] for finding in findings if finding["level"] == "error"}
    found_warnings = {finding["field"] for finding in findings
                      if finding["level"] == "warning" and finding["reason"] != "NotInStaticPod"}

    assert verdict in ("accept", "refuse"), "the manifest says no verdict"
    assert found_errors == errors
    assert found_warnings == warnings
    refused = any(document["verdict"] == "refused" for document in documents)
    assert refused == (verdict == "refuse")
    for finding in findings:
        assert finding["line"] >= 1 and finding["column"] >= 1 and finding["message"]
