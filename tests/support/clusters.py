"""A node's agent as a member of a cluster: what its tests ask of pods and the Node at the API
server."""

import contextlib
import shutil

from agent import Agent
from specs import pod

NODE = "node"
MIRROR = "kubernetes.io/config.mirror"
HASH = "kubernetes.io/config.hash"


@contextlib.contextmanager
def member(containerd, build, kubeconfig, config=None, flags=lambda _: []):
    """The agent with the kubeconfig that kubeconfig(directory) writes, and more flags(directory).
    What the pods of another server said, which this containerd had before, is not its own."""
    instance = Agent(containerd, build, config)
    shutil.rmtree(instance.stages)
    instance.stages.mkdir()
    instance.flags = ["--kubeconfig", kubeconfig(instance.directory), *flags(instance.directory)]
    try:
        instance.start()
        yield instance
        instance.stop()
    finally:
        instance.kill()


def condition(obj, kind):
    for item in obj.get("status", {}).get("conditions", []):
        if item["type"] == kind:
            return item
    return {}


def is_true(obj, kind):
    return obj is not None and condition(obj, kind).get("status") == "True"


def wait_node(server):
    """The Node, once it is ready."""
    return server.wait(lambda: is_true(server.get("nodes", NODE), "Ready")
                       and server.get("nodes", NODE), 30, "the node to be ready")


def bound(server, agent, name, *containers, **spec):
    """A pod that the cluster gives to the node."""
    obj = pod(name, *containers, agent=agent, **spec)
    server.create(obj)
    server.bind(name, NODE)


def wait_pod(server, name, predicate, what, seconds=30):
    def look():
        found = server.get("pods", name)
        return found and predicate(found) and found

    return server.wait(look, seconds, f"pod {name} {what}")


def wait_ready(server, name, seconds=30):
    return wait_pod(server, name, lambda found: is_true(found, "Ready"), "to be ready", seconds)


def said_by(agent, name, count):
    """What an API pod said: so many lines of it."""
    def look():
        said = [text for _, text in agent.stage(name)]
        return said if len(said) >= count else None

    return agent.wait(look, f"pod {name} to say {count} things")


def patches(server, name):
    return server.requests("PATCH", f"/pods/{name}/status")
