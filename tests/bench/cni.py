"""What nodeagent-cni costs beside the plugins that it runs: lines `name value unit`.

    cni.py BUILD
"""

import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

import cni  # noqa: E402

ADDS = 51
PLUGIN = """#!/bin/sh
while read name value rest
do
    [ $name != VmHWM: ] || echo $value >{place}/memory
done </proc/$PPID/status
[ $CNI_COMMAND != ADD ] ||
    echo '{{"cniVersion":"1.0.0","ips":[{{"address":"10.1.2.3/24"}}]}}'
"""


def median(values):
    return sorted(values)[len(values) // 2]


def spawn_ms(node):
    """A program that does nothing, started the same way."""
    began = time.monotonic()
    cni.run("nsenter", f"--net={node.host}", "/bin/true")
    return 1000 * (time.monotonic() - began)


def add_ms(node):
    """From before it is started to after its end, without the plugins."""
    began = time.monotonic()
    process = node.start("ADD")
    process.communicate()
    total = 1000 * (time.monotonic() - began)
    assert process.returncode == 0
    return total - sum(step["usec"] for step in node.told()["plugins"]) / 1000


def main():
    node = cni.Node(pathlib.Path(sys.argv[1]).resolve() / "cni" / "nodeagent-cni")
    shares, memory = [], []
    try:
        names = ["one", "two", "three"]
        for name in names:
            node.plugin(name, PLUGIN.format(place=node.directory))
        node.configure("10-net.conflist", {"cniVersion": "1.0.0", "name": "net", "plugins": [
            {"type": name} for name in names]})
        node.pod("pod")
        for _ in range(ADDS):
            shares.append(add_ms(node) - spawn_ms(node))
            memory.append(int((node.directory / "memory").read_text()))
            node.delete()
    finally:
        node.remove()
    print(f"cni-add-share {median(shares):.2f} ms")
    print(f"cni-memory {max(memory)} KiB")


if __name__ == "__main__":
    main()
