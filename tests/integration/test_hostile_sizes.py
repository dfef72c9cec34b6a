"""What a manifest of 2 MB may cost that has as many of one thing as fit: time grows with its size,
never with the square of it. One input for each rule that looks for names among others."""

import json
import os
import subprocess

import pytest

BYTES = 2_000_000
CPU_SECONDS_MAX = 5


def many(item, share=1.0):
    """Items made of the numbers 0, 1, 2 ..., as many as fit in the share of the bytes."""
    items, left = [], BYTES * share
    while left > 0:
        items.append(item(f"{len(items):x}"))
        left -= len(json.dumps(items[-1], separators=(",", ":"))) + 1
    return items


def many_members(name, value, share=1.0):
    return {f"{name}{number}": value for number in
            many(lambda number: number, share * 7 / (len(name) + len(json.dumps(value)) + 9))}


def pod(metadata=None, **spec):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", **(metadata or {})},
            "spec": {"containers": [{"name": "a", "image": "a"}], **spec}}


def containers(**fields):
    return pod(containers=[{"name": "a", "image": "a", **fields}])


def names(share=1.0):
    return many(lambda number: {"name": f"n{number}"}, share)


def spread(**fields):
    return {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", **fields}


def with_affinity(term, metadata=None):
    return pod(metadata, affinity={"podAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone", **term}]}})


def mounts(share):
    return many(lambda number: {"name": f"m{number}", "mountPath": f"/m{number}"}, share)


def devices(share):
    return many(lambda number: {"name": f"d{number}", "devicePath": f"/d{number}"}, share)


def claims_of(container, **spec):
    return pod(containers=[{"name": "a", "image": "a", "resources": {"claims": container}}], **spec)


def profiles(prefix, share):
    return {"annotations": many_members(f"container.{prefix}.kubernetes.io/n", "", share)}


def iscsi(name):
    return pod(volumes=[{"name": "a", "iscsi": {"targetPortal": "a", "iqn": name}}])


def service(ports):
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"},
            "spec": {"type": "NodePort", "ports": ports}}


def node(**spec):
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}, "spec": spec}


APP_ARMOR, SECCOMP = "apparmor.security.beta", "seccomp.security.alpha"

INPUTS = {
    "port names": lambda: containers(ports=many(
        lambda number: {"name": f"p{number}", "containerPort": 1})),
    "host ports": lambda: containers(ports=many(
        lambda number: {"hostPort": 1, "hostIP": number})),
    "container names": lambda: pod(containers=names()),
    "init container names": lambda: pod(initContainers=names()),
    "ephemeral container names": lambda: pod(ephemeralContainers=names()),
    "init x containers": lambda: pod(containers=names(0.5), initContainers=many(
        lambda number: {"name": f"i{number}"}, 0.5)),
    "target containers": lambda: pod(initContainers=names(0.3), ephemeralContainers=many(
        lambda number: {"name": f"e{number}", "targetContainerName": "x"}, 0.7)),
    "resize policies": lambda: containers(resizePolicy=many(
        lambda number: {"resourceName": number})),
    "mount paths": lambda: containers(volumeMounts=many(lambda number: {"mountPath": number})),
    "device names": lambda: containers(volumeDevices=devices(1)),
    "mounts x devices": lambda: containers(volumeMounts=mounts(0.5), volumeDevices=devices(0.5)),
    "mounts x volumes": lambda: pod(volumes=names(0.5), containers=[
        {"name": "a", "image": "a", "volumeMounts": mounts(0.5)}]),
    "file keys x volumes": lambda: pod(volumes=names(0.3), containers=[
        {"name": "a", "image": "a", "env": many(
            lambda number: {"valueFrom": {"fileKeyRef": {"volumeName": "x"}}}, 0.7)}]),
    "volumes": lambda: pod(volumes=names()),
    "claims of others": lambda: pod(volumes=many(
        lambda number: {"name": f"v{number}", "ephemeral": {}}, 0.5) + many(
        lambda number: {"name": f"w{number}",
                        "persistentVolumeClaim": {"claimName": f"c{number}"}}, 0.5)),
    "projected files": lambda: pod(volumes=[{"name": "a", "projected": {"sources": [
        {"secret": {"name": "a", "items": many(
            lambda number: {"key": "a", "path": number})}}]}}]),
    "scheduling gates": lambda: pod(schedulingGates=names()),
    "resource claims": lambda: pod(resourceClaims=names()),
    "sysctls": lambda: pod(securityContext={"sysctls": names()}),
    "claims of a container": lambda: claims_of(names()),
    "requests of a claim": lambda: claims_of(many(
        lambda number: {"name": "a", "request": f"r{number}"})),
    "claims x resource claims": lambda: claims_of(names(0.5), resourceClaims=many(
        lambda number: {"name": f"c{number}"}, 0.5)),
    "containers x resource claims": lambda: pod(
        resourceClaims=names(0.3),
        containers=many(lambda number: {"resources": {"claims": [{"name": "x"}]}}, 0.7)),
    "limits": lambda: containers(resources={"limits": many_members("a.b/n", 1)}),
    "limits x requests": lambda: containers(resources={
        "limits": many_members("a.b/n", 1, 0.5), "requests": many_members("a.b/m", 1, 0.5)}),
    "limits of a pod": lambda: pod(
        resources={"limits": many_members("hugepages-1", 1, 0.5)},
        containers=[{"name": "a", "image": "a",
                     "resources": {"limits": many_members("hugepages-2", 1, 0.5)}}]),
    "requests of a pod": lambda: pod(
        resources={"requests": many_members("a.b/n", 1, 0.5)},
        containers=[{"name": "a", "image": "a",
                     "resources": {"requests": many_members("a.b/m", 1, 0.5)}}]),
    "spread pairs": lambda: pod(topologySpreadConstraints=many(
        lambda number: {"topologyKey": number})),
    "spread keys x labels": lambda: pod(
        {"labels": many_members("l", "", 0.3)}, topologySpreadConstraints=[spread(
            labelSelector={"matchLabels": many_members("k", "", 0.3)},
            matchLabelKeys=many(lambda number: f"m{number}", 0.4))]),
    "keys x keys": lambda: with_affinity({
        "labelSelector": {}, "matchLabelKeys": many(lambda number: f"m{number}", 0.5),
        "mismatchLabelKeys": many(lambda number: f"k{number}", 0.5)}),
    "keys x expressions": lambda: with_affinity({
        "labelSelector": {"matchExpressions": many(
            lambda number: {"key": f"e{number}", "operator": "Exists"}, 0.6)},
        "matchLabelKeys": many(lambda number: f"m{number}", 0.4)}),
    "keys that are labels": lambda: with_affinity(
        {"labelSelector": {}, "matchLabelKeys": many(lambda number: f"m{number}", 0.5)},
        {"labels": many_members("m", "", 0.5)}),
    "AppArmor x containers": lambda: pod(profiles(APP_ARMOR, 0.7), containers=many(
        lambda number: {"name": f"c{number}"}, 0.3)),
    "seccomp x containers": lambda: pod(profiles(SECCOMP, 0.7), containers=many(
        lambda number: {"name": f"c{number}", "securityContext": {}}, 0.3)),
    "iSCSI names": lambda: iscsi("iqn.2003-01.a:b" * (BYTES // 15) + " "),
    "iSCSI authorities": lambda: iscsi("iqn.2003-01." * (BYTES // 12)),
    "service ports": lambda: service(many(
        lambda number: {"port": int(number, 16), "name": f"p{number}"})),
    "taints": lambda: node(taints=many(lambda number: {"key": number, "effect": "NoExecute"})),
}


@pytest.mark.parametrize("make", INPUTS.values(), ids=INPUTS.keys())
def test_time_grows_with_the_size(plain_program, tmp_path, make):
    path = tmp_path / "hostile.json"
    path.write_text(json.dumps(make(), separators=(",", ":")))
    assert 0.8 * BYTES < path.stat().st_size < 1.2 * BYTES
    with subprocess.Popen([plain_program, "validate", path], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE) as process:
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in (0, 1), errors
    assert not errors
    assert usage.ru_utime + usage.ru_stime < CPU_SECONDS_MAX
