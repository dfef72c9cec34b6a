"""What the integration tests share: the program under test and the runtimes it runs on."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

import agent as agents  # noqa: E402
import runtime  # noqa: E402
BUILD = pathlib.Path(os.environ.get("NODEAGENT_BUILD", ROOT / "build" / "test"))


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
def plain_program(tmp_path_factory):
    """The program without sanitizers, whose memory says something about the product."""
    build = tmp_path_factory.mktemp("plain") / "build"
    subprocess.run(["meson", "setup", build, ROOT, "-Dtests=false"], check=True,
                   capture_output=True)
    subprocess.run(["ninja", "-C", build, "commands/nodeagent"], check=True, capture_output=True)
    return build / "commands" / "nodeagent"


@pytest.fixture(scope="module", params=runtime.VERSIONS, ids="containerd-{}".format)
def containerd(request):
    """A private containerd with the images, one of each version for each file of tests."""
    with runtime.private(request.param) as instance:
        yield instance


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
