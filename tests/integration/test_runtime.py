"""The CRI client against real containerds: pods start, answer, stop, and leave nothing behind. And
what the other tests build upon: the runtimes outlive their faults, and everything is removable."""

import http.client
import pathlib
import subprocess
import sys
import time

import pytest

import debian
import images
import places
import registry
import runtime

TIMEOUT = 120


@pytest.fixture(scope="module")
def cri_client(program):
    def run(endpoint, *options, image=runtime.EXAMPLE_IMAGE):
        return subprocess.run([program.parent.parent / "tests" / "bench" / "cri-client",
                               *options, endpoint, image],
                              capture_output=True, text=True, timeout=TIMEOUT)

    return run


def test_a_pod_starts_answers_and_ends(containerd, cri_client):
    result = cri_client(containerd.endpoint, "--exec")
    assert result.returncode == 0, result.stderr + containerd.log()
    assert result.stdout.startswith("cri-runtime containerd ")
    assert result.stdout.split()[2].lstrip("v").startswith(f"{containerd.version}.")
    assert containerd.leftovers() == []


def test_many_calls_in_flight(containerd, cri_client):
    result = cri_client(containerd.endpoint, "--exec", "--host-network", "--pods=12", "--flight=6")
    assert result.returncode == 0, result.stderr + containerd.log()
    assert containerd.leftovers() == []


def test_what_the_runtime_says_to_a_mistake_is_told(containerd, cri_client):
    result = cri_client(containerd.endpoint, "--host-network", image="registry.invalid/missing:1")
    assert result.returncode == 1
    assert "CreateContainer: NotFound: " in result.stderr
    assert "registry.invalid/missing:1" in result.stderr


def test_without_a_runtime_the_endpoint_is_named(cri_client, tmp_path):
    result = cri_client(f"unix://{tmp_path}/none.sock")
    assert result.returncode == 1
    assert "Version: Unavailable: " in result.stderr and "none.sock" in result.stderr


# the runtimes themselves


def tasks(containerd):
    return sorted(line.split() for line in containerd.ctr("tasks", "list").stdout.splitlines()[1:])


def test_what_runs_outlives_a_killed_containerd(containerd, cri_client):
    result = cri_client(containerd.endpoint, "--keep", "--prefix=kept")
    assert result.returncode == 0, result.stderr
    before = tasks(containerd)
    assert len(before) >= 2
    containerd.restart(kill=True)
    assert tasks(containerd) == before
    containerd.restart()
    assert tasks(containerd) == before


def test_a_paused_containerd_answers_later(containerd):
    containerd.pause()
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            subprocess.run([containerd.programs / "ctr", "--address", containerd.socket, "version"],
                           timeout=1, capture_output=True)
    finally:
        containerd.resume()
    assert containerd.ctr("version").returncode == 0


def passwords(containerd):
    """What web servers in pods say of their /etc/passwd."""
    bodies = []
    for address in places.addresses(containerd.directory):
        connection = http.client.HTTPConnection(address, 8080, timeout=5)
        try:
            connection.request("GET", "/passwd")
            bodies.append(connection.getresponse().read())
        except ConnectionRefusedError:
            pass  # another test's pod
        finally:
            connection.close()
    return bodies


def test_pods_are_reached_through_their_bridge(containerd, program):
    """A web server in a pod, in the network namespace that the CNI plugins made."""
    client = program.parent.parent / "tests" / "bench" / "cri-client"
    result = subprocess.run([client, "--keep", "--prefix=web", containerd.endpoint,
                             runtime.EXAMPLE_IMAGE, "--",
                             "httpd", "-f", "-p", "8080", "-h", "/etc"],
                            capture_output=True, text=True, timeout=TIMEOUT)
    assert result.returncode == 0, result.stderr
    deadline = time.monotonic() + 10
    while not (bodies := passwords(containerd)) and time.monotonic() < deadline:
        time.sleep(0.05)  # it runs, and is about to listen
    assert len(bodies) == 1 and bodies[0].startswith(b"root:")


@pytest.mark.parametrize("credentials", [False, True], ids=["open", "closed"])
def test_images_are_pulled_from_a_registry(containerd, cri_client, credentials):
    source = registry.Registry(containerd.directory, credentials)
    source.start()
    try:
        wanted = images.example_image(Labels={"closed": str(credentials)})
        reference = source.push(wanted, "example", "1")
        prefix = f"--prefix=pull-{credentials}"
        if credentials:
            for login in ([], ["--user=puller", "--password=wrong"]):
                refused = cri_client(containerd.endpoint, "--pull", prefix, *login, image=reference)
                assert refused.returncode == 1 and "PullImage: " in refused.stderr
        result = cri_client(containerd.endpoint, "--pull", prefix, f"--user={registry.USER}",
                            f"--password={registry.PASSWORD}", image=reference)
        assert result.returncode == 0, result.stderr + source.log()
    finally:
        source.stop()


CRASH = """
import os, sys
sys.path.insert(0, sys.argv[1])
import places, runtime
directory = places.make()
containerd = runtime.Containerd(directory, "1.6")
containerd.start()
containerd.import_images()
os.system(f"{sys.argv[2]} --keep {containerd.endpoint} {runtime.EXAMPLE_IMAGE} >&2")
print(directory, flush=True)
os.kill(os.getpid(), 9)
"""


def test_what_a_crashed_test_left_is_found_and_removed(program):
    support = runtime.ROOT / "tests" / "support"
    client = program.parent.parent / "tests" / "bench" / "cri-client"
    crashed = subprocess.run([sys.executable, "-B", "-c", CRASH, support, client],
                             capture_output=True, text=True, timeout=TIMEOUT)
    directory = pathlib.Path(crashed.stdout.strip())
    assert directory.name.startswith(places.PREFIXES[0]), crashed.stderr
    assert len(places.processes(directory)) == 2, "containerd and a shim"
    assert places.mounts(directory) and places.ports(directory)
    assert directory in places.left()[0] and directory in places.loopbacks().values()
    cleaned = subprocess.run([sys.executable, "-B", support / "places.py"], capture_output=True,
                             text=True, timeout=TIMEOUT)
    assert cleaned.returncode == 0 and str(directory) in cleaned.stdout, cleaned.stderr
    assert not directory.exists()
    assert not places.processes(directory) and not places.mounts(directory)
    assert directory not in places.loopbacks().values()
    assert not pathlib.Path("/sys/class/net", places.bridge(directory)).exists()


def test_what_a_living_test_uses_is_left_alone(containerd):
    assert containerd.directory not in places.left()[0]


def test_a_version_that_is_not_there_is_named(tmp_path):
    with pytest.raises(debian.Missing) as missing:
        debian.programs("1.7", tmp_path)
    for word in ("containerd 1.7", "package containerd", "Debian trixie", "./dev runtimes"):
        assert word in str(missing.value)
