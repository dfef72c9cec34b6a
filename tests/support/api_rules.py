"""Who may do what, as the node authorizer says it: a node sees itself, the pods bound to it, and
what these refer to. What it may write is for api_restriction.py."""

import re
import time
from dataclasses import dataclass

import api_errors as errors
from api_certificates import BOOTSTRAP_GROUP, NODE_GROUP, NODE_PREFIX
from api_kinds import target_for

MASTERS = "system:masters"
LEASES_OF_NODES = "kube-node-lease"
READ = ("get", "list", "watch")
MIRROR = "kubernetes.io/config.mirror"


@dataclass(frozen=True)
class User:
    name: str
    groups: tuple = ()

    @property
    def node(self):
        """The name of the node that it is; None: it is none."""
        if self.name.startswith(NODE_PREFIX) and NODE_GROUP in self.groups:
            return self.name.removeprefix(NODE_PREFIX)
        return None

    def said(self):
        """As it stands in what the server keeps."""
        return {"username": self.name, "groups": list(self.groups)}


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))
ADMIN = User("admin", (MASTERS, "system:authenticated"))


def node_user(name):
    return User(NODE_PREFIX + name, (NODE_GROUP,))


# what pods refer to


def names_in(value, pattern):
    """Values of members whose path, such as "env.valueFrom.secretKeyRef.name", matches."""
    def walk(part, path):
        if isinstance(part, dict):
            for key, member in part.items():
                yield from walk(member, f"{path}.{key}")
        elif isinstance(part, list):
            for element in part:
                yield from walk(element, path)
        elif isinstance(part, str) and re.search(pattern, path):
            yield part

    return set(walk(value, ""))


REFERENCES = {
    "secrets": r"\.(secret|secretKeyRef|secretRef|imagePullSecrets|nodePublishSecretRef)"
               r"\.(name|secretName)$",
    "configmaps": r"\.(configMap|configMapKeyRef|configMapRef)\.name$",
    "persistentvolumeclaims": r"\.persistentVolumeClaim\.claimName$",
    "serviceaccounts": r"^\.(serviceAccountName|serviceAccount)$",
}


def references(pod, resource):
    """Names of the objects of a kind, in its own namespace, that a pod refers to."""
    spec = pod["spec"]
    found = names_in(spec, REFERENCES[resource])
    if resource == "persistentvolumeclaims":
        found |= {f'{pod["metadata"]["name"]}-{volume["name"]}'
                  for volume in spec.get("volumes", []) if "ephemeral" in volume}
    if resource == "serviceaccounts" and not found:
        found = {"default"}
    return found


def is_mirror(pod):
    return MIRROR in (pod["metadata"].get("annotations") or {})


class Authorizer:
    """`delay`: for so many seconds after it was bound a pod gives its node no rights yet."""

    def __init__(self, store):
        self.store = store
        self.delay = 0
        self.bound = {}  # uid of a pod: when it was first seen on its node

    def note_bound(self, pod):
        if pod["spec"].get("nodeName"):
            self.bound.setdefault(pod["metadata"]["uid"], time.monotonic())

    def check(self, user, verb, target, name, selector):
        """Raises Forbidden. `name` is the path's, or that of a selector metadata.name=..."""
        if MASTERS in user.groups:
            return
        why = self.why_not(user, verb, target, name, selector)
        if why is None:
            return
        kind = target.kind
        resource = f"{kind.resource}/{target.part}" if target.part else kind.resource
        place = f'in the namespace "{target.namespace}"' if target.namespace \
            else "at the cluster scope"
        raise errors.forbidden(
            kind, name, f'User "{user.name}" cannot {verb} resource "{resource}" in API '
                               f'group "{kind.group}" {place}' + (why and f": {why}"))

    def why_not(self, user, verb, target, name, selector):
        """None: it may; "": it may not, and there is no more to say."""
        resource = target.kind.resource
        if user.node:
            rule = RULES.get(f"{resource}/{target.part}" if target.part else resource)
            return rule(self, user.node, verb, target, name, selector) if rule else ""
        if BOOTSTRAP_GROUP in user.groups and resource == "certificatesigningrequests" \
                and not target.part and verb in (*READ, "create"):
            return None
        return ""

    # the graph

    def pods_of(self, node):
        for target, pod in list(self.store.objects.items()):
            if target.kind.resource == "pods" and pod["spec"].get("nodeName") == node:
                seen = self.bound.get(pod["metadata"]["uid"], 0)
                if time.monotonic() - seen >= self.delay:
                    yield target, pod

    def related(self, node, resource, namespace, name):
        with self.store.lock:
            if resource == "pods":
                return any((target.namespace, target.name) == (namespace, name)
                           for target, _ in self.pods_of(node))
            if resource == "volumeattachments":
                found = self.store.find(target_for(resource, name))
                return bool(found) and found["spec"].get("nodeName") == node
            if resource == "persistentvolumes":
                return any(claim["spec"].get("volumeName") == name
                           and self.related(node, "persistentvolumeclaims", target.namespace,
                                            target.name)
                           for target, claim in list(self.store.objects.items())
                           if target.kind.resource == "persistentvolumeclaims")
            return any(name in references(pod, resource) for target, pod in self.pods_of(node)
                       if target.namespace == namespace and not is_mirror(pod))


# what a node may do; rules return why it may not, or None

def denied(verb, *allowed):
    return None if verb in allowed else ""


def unrelated(node):
    return f"no relationship found between node '{node}' and this object"


def rule_nodes(_, node, verb, __, name, ___):
    if verb in READ:
        if not name:
            return f"node '{node}' cannot read all nodes, only its own Node object"
        if name != node:
            return f"node '{node}' cannot read '{name}', only its own Node object"
    return denied(verb, *READ, "create", "update", "patch")


def rule_pods(authorizer, node, verb, target, _, selector):
    if verb == "get":
        return None if authorizer.related(node, "pods", target.namespace, target.name) \
            else unrelated(node)
    if verb in READ and selector.value("spec.nodeName") != node:
        return "can only list/watch pods with spec.nodeName field selector"
    return denied(verb, *READ, "create", "delete")


def rule_read_by_name(authorizer, node, verb, target, name, _):
    """Secrets and ConfigMaps: one at a time, when a pod of the node's refers to it."""
    if verb not in READ:
        return "can only read resources of this type"
    if not name:
        return "No Object name found"
    if not target.namespace:
        return "can only read namespaced object of this type"
    return None if authorizer.related(node, target.kind.resource, target.namespace, name) \
        else unrelated(node)


def rule_get(authorizer, node, verb, target, _, __):
    if verb != "get":
        return "can only get individual resources of this type"
    return None if authorizer.related(node, target.kind.resource, target.namespace, target.name) \
        else unrelated(node)


def rule_claim_status(authorizer, node, verb, target, _, __):
    if verb not in ("update", "patch"):
        return "can only update/patch resources of this type"
    return None if authorizer.related(node, "persistentvolumeclaims", target.namespace,
                                      target.name) else unrelated(node)


def rule_token(authorizer, node, verb, target, _, __):
    if verb != "create":
        return "can only create tokens for individual service accounts"
    return None if authorizer.related(node, "serviceaccounts", target.namespace, target.name) \
        else unrelated(node)


def rule_leases(_, node, verb, target, __, ___):
    if verb not in ("get", "create", "update", "patch", "delete"):
        return "can only get, create, update, patch, or delete a node lease"
    if target.namespace != LEASES_OF_NODES:
        return f'can only access leases in the "{LEASES_OF_NODES}" system namespace'
    if verb != "create" and target.name != node:
        return "can only access node lease with the same name as the requesting node"
    return None


def rule_csinodes(_, node, verb, target, __, ___):
    if verb not in ("get", "create", "update", "patch", "delete"):
        return "can only get, create, update, patch, or delete a CSINode"
    if verb != "create" and target.name != node:
        return "can only access CSINode with the same name as the requesting node"
    return None


def only(*verbs):
    return lambda _, __, verb, ___, ____, _____: denied(verb, *verbs)


RULES = {
    "nodes": rule_nodes,
    "nodes/status": only("update", "patch"),
    "pods": rule_pods,
    "pods/status": only("update", "patch"),
    "secrets": rule_read_by_name,
    "configmaps": rule_read_by_name,
    "persistentvolumeclaims": rule_get,
    "persistentvolumeclaims/status": rule_claim_status,
    "persistentvolumes": rule_get,
    "volumeattachments": rule_get,
    "serviceaccounts/token": rule_token,
    "leases": rule_leases,
    "csinodes": rule_csinodes,
    "certificatesigningrequests": only(*READ, "create"),
    "events": only("create", "patch", "update"),
    "services": only(*READ),
    "runtimeclasses": only(*READ),
    "csidrivers": only(*READ),
}
