"""What the integration tests share: the program under test."""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
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
