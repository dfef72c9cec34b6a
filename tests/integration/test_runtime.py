"""The CRI client against real containerds: pods start, answer, stop, and leave nothing behind."""

import subprocess

import pytest

import runtime

TIMEOUT = 120


@pytest.fixture(scope="module")
def cri_client(program):
    def run(endpoint, image=runtime.EXAMPLE_IMAGE, pods=1, flight=1):
        return subprocess.run([program.parent.parent / "tests" / "bench" / "cri-client", endpoint,
                               image, str(pods), str(flight)],
                              capture_output=True, text=True, timeout=TIMEOUT)

    return run


def test_a_pod_starts_answers_and_ends(containerd, cri_client):
    result = cri_client(containerd.endpoint)
    assert result.returncode == 0, result.stderr + containerd.log()
    assert result.stdout.startswith("cri-runtime containerd ")
    assert result.stdout.split()[2].lstrip("v").startswith(f"{containerd.version}.")
    assert containerd.leftovers() == []


def test_many_calls_in_flight(containerd, cri_client):
    result = cri_client(containerd.endpoint, pods=12, flight=6)
    assert result.returncode == 0, result.stderr + containerd.log()
    assert containerd.leftovers() == []


def test_what_the_runtime_says_to_a_mistake_is_told(containerd, cri_client):
    result = cri_client(containerd.endpoint, image="registry.invalid/missing:1")
    assert result.returncode == 1
    assert "CreateContainer: NotFound: " in result.stderr
    assert "registry.invalid/missing:1" in result.stderr


def test_without_a_runtime_the_endpoint_is_named(cri_client, tmp_path):
    result = cri_client(f"unix://{tmp_path}/none.sock")
    assert result.returncode == 1
    assert "Version: Unavailable: " in result.stderr and "none.sock" in result.stderr
