"""Pods for tests, in few words."""

import runtime

# What a script says goes to a file on the node, with the time; the order of lines is that of the
# events, across the containers of a pod.
SAY = "say() { echo \"$(cut -d' ' -f1 /proc/uptime) $*\" >> /stage/log; }; "
STAY = "while :; do sleep 1000 & wait $!; done"
GRACE = 1


def container(name="main", script=None, **fields):
    """Runs a script with say(); without one it stays until it is told to end."""
    return {"name": name, "image": runtime.EXAMPLE_IMAGE, "imagePullPolicy": "IfNotPresent",
            "command": ["sh", "-c", SAY + (script if script is not None else stay(quiet=True))],
            **fields}


def stay(name="", quiet=False, on_term="exit 0"):
    """Says that it is up, and that it was told to end."""
    if quiet:
        return f"trap '{on_term}' TERM; {STAY}"
    return f"trap 'say {name} term; {on_term}' TERM; say {name} up; {STAY}"


def staying(name="main", on_term="exit 0", **fields):
    return container(name, stay(name, on_term=on_term), **fields)


def sidecar(name, script=None, **fields):
    return container(name, script if script is not None else stay(name), restartPolicy="Always",
                     **fields)


def pod(name, *containers, agent=None, inits=(), volumes=(), **spec):
    """With an agent, every container has the pod's stage at /stage."""
    containers = [dict(item) for item in containers or [container()]]
    inits = [dict(item) for item in inits]
    volumes = list(volumes)
    if agent:
        volumes.append({"name": "stage", "hostPath": {"path": str(agent.stages / name),
                                                      "type": "DirectoryOrCreate"}})
        for item in containers + inits:
            item["volumeMounts"] = [*item.get("volumeMounts", []),
                                    {"name": "stage", "mountPath": "/stage"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"terminationGracePeriodSeconds": GRACE, "containers": containers,
                     **({"initContainers": inits} if inits else {}),
                     **({"volumes": volumes} if volumes else {}), **spec}}
