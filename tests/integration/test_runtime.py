"""The CRI client against a real containerd: pods start, answer, stop, and leave nothing behind."""

import pathlib
import shutil
import subprocess
import tempfile

import pytest

import runtime

TIMEOUT = 120


@pytest.fixture(scope="module")
def containerd():
    # Not pytest's directory: the socket's path would be longer than a socket's may be.
    directory = pathlib.Path(tempfile.mkdtemp(prefix="nodeagent-test-"))
    instance = runtime.Containerd(directory)
    try:
        instance.start()
        instance.import_images()
        yield instance
    finally:
        instance.stop()
        shutil.rmtree(directory)


@pytest.fixture(scope="module")
def cri_client(program):
    def run(endpoint, image=runtime.EXAMPLE_IMAGE, pods=1, flight=1):
        return subprocess.run([program.parent.parent / "tests" / "bench" / "cri-client", endpoint,
                               image, str(pods), str(flight)],
                              capture_output=True, text=True, timeout=TIMEOUT)

    return run


def leftovers(containerd):
    mounts = pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8")
    return (containerd.ctr("containers", "list", "-q").stdout.split() +
            containerd.ctr("tasks", "list", "-q").stdout.split() +
            [line for line in mounts.splitlines() if str(containerd.directory) in line])


def test_a_pod_starts_answers_and_ends(containerd, cri_client):
    result = cri_client(f"unix://{containerd.socket}")
    assert result.returncode == 0, result.stderr + containerd.log()
    assert result.stdout.startswith("cri-runtime containerd 1.6.")
    assert leftovers(containerd) == []


def test_many_calls_in_flight(containerd, cri_client):
    result = cri_client(f"unix://{containerd.socket}", pods=12, flight=6)
    assert result.returncode == 0, result.stderr + containerd.log()
    assert leftovers(containerd) == []


def test_what_the_runtime_says_to_a_mistake_is_told(containerd, cri_client):
    result = cri_client(f"unix://{containerd.socket}", image="registry.invalid/missing:1")
    assert result.returncode == 1
    assert "CreateContainer: NotFound: " in result.stderr
    assert "registry.invalid/missing:1" in result.stderr


def test_without_a_runtime_the_endpoint_is_named(cri_client, tmp_path):
    result = cri_client(f"unix://{tmp_path}/none.sock")
    assert result.returncode == 1
    assert "Version: Unavailable: " in result.stderr and "none.sock" in result.stderr
