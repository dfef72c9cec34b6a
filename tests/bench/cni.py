"""What nodeagent-cni costs beside the plugins that it runs: lines `name value unit`.

    cni.py BUILD
"""

import concurrent.futures
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

import cni  # noqa: E402

ADDS = 51
MANY = 100
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


def ports(number):
    return [{"hostPort": 10000 + number, "containerPort": 80, "protocol": "tcp"}]


def burst(node, names, at_once):
    """Seconds that ADDs of all take, so many under way at a time, and those of half of them."""
    ended = []

    def add(number):
        node.add(names[number], runtimeConfig={"portMappings": ports(number)})
        ended.append(time.monotonic() - began)

    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        list(pool.map(add, range(len(names))))
    return max(ended), median(ended)


def many(program):
    """With Debian's plugins. All at once, would it be better if fewer of them were let in?"""
    node = cni.Node(program)
    names = [f"pod-{number}" for number in range(MANY)]
    try:
        node.configure("10-net.conflist", {"cniVersion": "1.0.0", "name": "net", "plugins": [
            {"type": "bridge", "bridge": "br0", "isGateway": True, "ipMasq": True,
             "ipam": node.host_local("10.1.0.0/22")},
            {"type": "portmap", "capabilities": {"portMappings": True}}]})
        for name in names:
            node.pod(name)
        for at_once in (8, 16, MANY):
            total, half = burst(node, names, at_once)
            print(f"cni-{MANY}-by-{at_once} {total:.2f} s")
            print(f"cni-{MANY}-by-{at_once}-half {half:.2f} s")
            began = time.monotonic()
            assert node.collect(*names) == {}
            collected = time.monotonic() - began
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                list(pool.map(node.delete, names))
        print(f"cni-gc-{MANY} {1000 * collected:.1f} ms")
    finally:
        node.remove()


def main():
    program = pathlib.Path(sys.argv[1]).resolve() / "cni" / "nodeagent-cni"
    many(program)
    node = cni.Node(program)
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
