"""What the integration tests share: the program under test and the runtimes it runs on."""

import fcntl
import os
import pathlib
import signal
import subprocess
import sys
import types

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

import agent as agents  # noqa: E402
import api_real  # noqa: E402
import api_server as api_servers  # noqa: E402
import cni as nodes  # noqa: E402
import cni_command  # noqa: E402
import control_plane  # noqa: E402
import places  # noqa: E402
import runtime  # noqa: E402

BUILD = pathlib.Path(os.environ.get("NODEAGENT_BUILD", ROOT / "build" / "test")).resolve()

# Without a control plane its tests are not there at all.
collect_ignore = [] if control_plane.IS_THERE else ["test_cluster_real.py"]

# A shell without job control starts what it puts into the background with SIGINT ignored, and all
# programs that the tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def program():
    return BUILD / "commands" / "nodeagent"


@pytest.fixture(scope="session")
def nodeagent(program):
    """Runs the program: nodeagent("validate", "web.yaml")."""
    def run(*arguments, stdin=subprocess.DEVNULL, **options):
        if isinstance(stdin, (str, bytes)):
            options["input"] = stdin.encode() if isinstance(stdin, str) else stdin
        else:
            options["stdin"] = stdin
        return subprocess.run([program, *map(str, arguments)], capture_output=True,
                              timeout=options.pop("timeout", 60), **options)

    return run


@pytest.fixture(scope="session")
def plain_program():
    """The program without sanitizers, whose memory says something about the product. Who comes
    first builds it, and it is kept: others, and later runs, have little to do."""
    build = ROOT / "build" / "plain"
    build.mkdir(parents=True, exist_ok=True)
    with open(build / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (build / "build.ninja").exists():
            subprocess.run(["meson", "setup", build, ROOT, "-Dtests=false"], check=True,
                           capture_output=True)
        subprocess.run(["ninja", "-C", build, "commands/nodeagent"], check=True,
                       capture_output=True)
    return build / "commands" / "nodeagent"


# 1.7 is much like 1.6, and time is short: these are tried on it always, the others on request.
ALWAYS_ON_ALL = {"test_runtime", "test_pods", "test_stopping", "test_faults"}
# What these ask of the runtime other files try on all.
ALWAYS_ON_NEWEST = {"test_probe_servers", "test_probe_exec", "test_probe_kills",
                    "test_probe_command", "test_probes_command", "test_cluster",
                    "test_api_outage", "test_api_pods", "test_api_pods_http2",
                    "test_cluster_events", "test_cluster_faults", "test_cluster_joining",
                    "test_cluster_names", "test_cluster_node", "test_cluster_real",
                    "test_config_checks", "test_kubeadm", "test_log_rotation",
                    "test_manifest_directory", "test_offline", "test_probes",
                    "test_projected_volumes", "test_serving", "test_volumes"}
# These take longest, and begin first: at the end no worker is alone with one.
LONGEST = {"test_faults", "test_offline", "test_cluster_faults", "test_cni_sweep", "test_serving"}
ALL_ON_ALL = os.environ.get("NODEAGENT_RUNTIMES") == "all"  # ./dev integration


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: takes all of the CPU, or needs it; runs beside no other")
    config.addinivalue_line("markers", "double: asks of the API server what only the double does")


def pytest_collection_modifyitems(config, items):
    left_out = [item for item in items if not ALL_ON_ALL
                and ("containerd-1.7" in item.name
                     and item.module.__name__ not in ALWAYS_ON_ALL
                     or "containerd-1" in item.name
                     and item.module.__name__ in ALWAYS_ON_NEWEST)
                or item.get_closest_marker("double")
                and item.callspec.params.get("cluster_server") == "real"]
    items[:] = sorted((item for item in items if item not in set(left_out)),
                      key=lambda item: item.module.__name__ not in LONGEST)
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="module", params=runtime.VERSIONS, ids="containerd-{}".format)
def containerd(request):
    """A private containerd with the images, one of each version for each file of tests."""
    with runtime.private(request.param) as instance:
        yield instance


@pytest.fixture
def no_runtime():
    """A runtime that is not there, and a directory for agents."""
    directory = places.make()
    try:
        yield types.SimpleNamespace(directory=directory, log=str,
                                    endpoint=f"unix://{directory}/runtime.sock")
    finally:
        places.remove(directory)


@pytest.fixture(scope="module")
def agent(containerd, request):
    """The agent on it, one for each file and version, with the file's CONFIG and its pods(), which
    all start at once: the tests wait together."""
    instance = agents.Agent(containerd, BUILD, getattr(request.module, "CONFIG", None))
    try:
        instance.start()
        if hasattr(request.module, "pods"):
            instance.add(*request.module.pods(instance))
        yield instance
        instance.stop()
    finally:
        instance.kill()


@pytest.fixture
def node():
    """A node of its own for nodeagent-cni: see cni.py."""
    instance = nodes.Node(BUILD / "cni" / "nodeagent-cni")
    try:
        yield instance
    finally:
        instance.remove()


@pytest.fixture
def cni(node, program):
    """nodeagent cni on that node: see cni_command.py."""
    return cni_command.Command(node, program)


API_SERVERS = {"double": api_servers.ApiServer,
               **({"real": api_real.RealApiServer} if api_real.ASSETS else {})}


@pytest.fixture(scope="module", params=API_SERVERS)
def api_server(request, tmp_path_factory):
    """An API server for a file of tests: the double, and then the real one if there is one."""
    with API_SERVERS[request.param](tmp_path_factory.mktemp("api")) as server:
        yield server


CLUSTERS = {"double": lambda place: api_servers.ApiServer(place, inject_tokens=True),
            "real": lambda place: control_plane.ControlPlane(place, scheduler=False)}


@pytest.fixture(scope="module", **({"params": CLUSTERS} if control_plane.IS_THERE else {}))
def cluster_server(request, containerd, tmp_path_factory):
    """The same for tests of the agent, one for each runtime; its pods have tokens. Where there is
    no real one it shows in no test's name."""
    kind = getattr(request, "param", "double")
    with CLUSTERS[kind](tmp_path_factory.mktemp("cluster")) as server:
        yield server


@pytest.fixture
def server(tmp_path):
    """A double of a test's own, which may have faults and be stopped: see api_server.py."""
    with api_servers.ApiServer(tmp_path) as server:
        yield server
