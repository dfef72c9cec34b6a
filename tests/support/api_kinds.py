"""The kinds of objects that the API server double knows, and how a path names one of them."""

import re
import urllib.parse
from dataclasses import dataclass, field

from api_errors import bad_request

SELECTED_METADATA = ("metadata.name", "metadata.namespace")


@dataclass(frozen=True)
class Kind:
    resource: str
    name: str
    group: str = ""
    namespaced: bool = False
    parts: tuple = ()         # its sub-resources
    selected: tuple = ()      # what its field selectors may name beside metadata
    conditional: bool = False  # an update must say of which version
    put_creates: bool = False

    @property
    def api_version(self):
        return f"{self.group}/v1" if self.group else "v1"

    @property
    def root(self):
        return f"/apis/{self.group}/v1" if self.group else "/api/v1"


STORAGE = "storage.k8s.io"
KINDS = [
    Kind("nodes", "Node", parts=("status",)),
    Kind("pods", "Pod", namespaced=True, parts=("status", "binding"),
         selected=("spec.nodeName", "status.phase", "spec.restartPolicy")),
    Kind("services", "Service", namespaced=True, parts=("status",),
         selected=("spec.clusterIP", "spec.type")),
    Kind("secrets", "Secret", namespaced=True, selected=("type",)),
    Kind("configmaps", "ConfigMap", namespaced=True),
    Kind("serviceaccounts", "ServiceAccount", namespaced=True, parts=("token",)),
    Kind("events", "Event", namespaced=True, selected=(
        "involvedObject.kind", "involvedObject.name", "involvedObject.namespace",
        "involvedObject.uid", "reason", "type")),
    Kind("namespaces", "Namespace", parts=("status",), selected=("status.phase",)),
    Kind("persistentvolumeclaims", "PersistentVolumeClaim", namespaced=True, parts=("status",)),
    Kind("persistentvolumes", "PersistentVolume", parts=("status",)),
    Kind("leases", "Lease", "coordination.k8s.io", namespaced=True, conditional=True,
         put_creates=True),
    Kind("csinodes", "CSINode", STORAGE, conditional=True),
    Kind("csidrivers", "CSIDriver", STORAGE, conditional=True),
    Kind("volumeattachments", "VolumeAttachment", STORAGE, parts=("status",), conditional=True),
    Kind("runtimeclasses", "RuntimeClass", "node.k8s.io", conditional=True),
    Kind("certificatesigningrequests", "CertificateSigningRequest", "certificates.k8s.io",
         parts=("status", "approval"), selected=("spec.signerName",)),
]
# What only controllers make something of, and the double does not know.
WORKLOADS = [
    Kind("deployments", "Deployment", "apps", namespaced=True),
    Kind("daemonsets", "DaemonSet", "apps", namespaced=True),
    Kind("statefulsets", "StatefulSet", "apps", namespaced=True),
    Kind("jobs", "Job", "batch", namespaced=True),
]
BY_RESOURCE = {kind.resource: kind for kind in KINDS + WORKLOADS}
BY_NAME = {kind.name: kind for kind in KINDS + WORKLOADS}
BY_ROOT = {(kind.root, kind.resource): kind for kind in KINDS}

# /ROOT[/namespaces/NAMESPACE]/RESOURCE[/NAME[/PART]]
PATH = re.compile(r"(?P<root>/api/v1|/apis/[^/]+/v1)(?:/namespaces/(?P<namespace>[^/]+))?"
                  r"/(?P<resource>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<part>[^/]+))?)?/?")
# A namespace is an object, too: these paths mean it, and not what is in it.
NAMESPACE = re.compile(r"(?P<root>/api/v1)/(?P<resource>namespaces)"
                       r"(?:/(?P<name>[^/]+)(?:/(?P<part>status|finalize))?)?/?")


@dataclass(frozen=True)
class Target:
    """What a path names: one object, a part of it, or all objects of a kind (in a namespace)."""

    kind: Kind
    namespace: str = ""
    name: str = ""
    part: str = ""

    @property
    def path(self):
        steps = [self.kind.root]
        if self.namespace:
            steps += ["namespaces", self.namespace]
        steps += [self.kind.resource, self.name, self.part]
        return "/".join(step for step in steps if step)


def target_of(path):
    """None: the path names no object that the server knows."""
    match = NAMESPACE.fullmatch(path) or PATH.fullmatch(path)
    if not match:
        return None
    found = {key: urllib.parse.unquote(value or "") for key, value in match.groupdict().items()}
    kind = BY_ROOT.get((found["root"], found["resource"]))
    namespace = found.get("namespace", "")
    if not kind or found["part"] and found["part"] not in kind.parts:
        return None
    if bool(namespace) != kind.namespaced and (namespace or found["name"]):
        return None
    return Target(kind, namespace, found["name"], found["part"])


def target_for(resource, name="", namespace="default", part=""):
    kind = BY_RESOURCE[resource]
    return Target(kind, namespace if kind.namespaced else "", name, part)


def value_at(obj, path):
    for step in path.split("."):
        obj = obj.get(step) if isinstance(obj, dict) else None
    return "" if obj is None else str(obj)


@dataclass(frozen=True)
class Selector:
    """A field selector: all of `terms`, (path, whether it must be equal, value), must hold."""

    terms: tuple = field(default=())

    def accepts(self, obj):
        return all((value_at(obj, path) == value) == equal for path, equal, value in self.terms)

    def value(self, path):
        """What the field must be; None: it may be anything."""
        return next((value for term, equal, value in self.terms if term == path and equal), None)


def selector_of(text):
    terms = []
    for term in filter(None, text.split(",")):
        match = re.fullmatch(r"([\w.]+)(==|!=|=)(.*)", term)
        if not match:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{term}'")
        path, operator, value = match.groups()
        terms.append((path, operator != "!=", value))
    return Selector(tuple(terms))


def check_selector(kind, selector):
    for path, _, _ in selector.terms:
        if path not in SELECTED_METADATA + kind.selected:
            raise bad_request(f"field label not supported: {path}")
