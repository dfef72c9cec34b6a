"""What an API server makes of an object before it keeps it: what it refuses, what it fills in."""

import base64
import ipaddress
import random
import re
import string

import api_errors as errors
from api_certificates import BadRequest, request_of, subject_of
from api_kinds import target_for
from api_rules import MIRROR, is_mirror
from api_store import timestamp

NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
NAME_MAX = 253
SUFFIX = "bcdfghjklmnpqrstvwxz2456789"  # of generated names
NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
EVICTION_SECONDS = 300
SERVICE_NETWORK = ipaddress.ip_network("10.96.0.0/16")
ROOT_CA = "kube-root-ca.crt"
TOKEN_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN_SECONDS = 3607

# Members by the form of their values, wherever they are: nodes write these.
TIMES = {"creationTimestamp", "deletionTimestamp", "expirationTimestamp", "finishedAt",
         "firstTimestamp", "lastHeartbeatTime", "lastProbeTime", "lastTimestamp",
         "lastTransitionTime", "lastUpdateTime", "startTime", "startedAt"}
MICRO_TIMES = {"acquireTime", "eventTime", "renewTime"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)")
INTEGERS = {"Port", "count", "deletionGracePeriodSeconds", "exitCode", "expirationSeconds",
            "generation", "leaseDurationSeconds", "leaseTransitions", "observedGeneration",
            "restartCount", "sizeBytes", "terminationGracePeriodSeconds"}
QUANTITIES = {"allocatable", "allocatedResources", "capacity", "limits", "requests"}
QUANTITY = re.compile(r"([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)")
STRINGS = {"annotations", "labels"}
FREE = {*STRINGS, "binaryData", "data", "nodeSelector", "stringData"}  # their members are anybody's


def check_types(kind, obj):
    """Some of what a server finds while it decodes; a number in place of a text, for example."""
    def refuse(why):
        raise errors.bad_request(f'{kind.name} in version "v1" cannot be handled as a '
                                 f"{kind.name}: {why}")

    def walk(path, key, value):
        if value is None:
            return
        place = f"{kind.name}.{path}".rstrip(".")
        if key in TIMES and not (isinstance(value, str) and TIME.fullmatch(value)):
            refuse(f'{place}: parsing time "{value}" as "2006-01-02T15:04:05Z07:00"')
        if key in MICRO_TIMES and not (isinstance(value, str) and MICRO_TIME.fullmatch(value)):
            refuse(f'{place}: parsing time "{value}" as "2006-01-02T15:04:05.000000Z07:00"')
        if key in INTEGERS and (not isinstance(value, int) or isinstance(value, bool)):
            refuse(f"json: cannot unmarshal {type(value).__name__} into Go struct field {place} "
                   "of type int")
        if key in STRINGS and isinstance(value, dict) and \
                any(not isinstance(member, (str, type(None))) for member in value.values()):
            refuse(f"json: cannot unmarshal into Go struct field {place} of type string")
        if key in QUANTITIES and isinstance(value, dict):
            for member in value.values():
                if not isinstance(member, (str, int, dict)) or \
                        isinstance(member, str) and not QUANTITY.fullmatch(member):
                    refuse(f"{place}: quantities must match the regular expression "
                           f"'^{QUANTITY.pattern}$'")
        if isinstance(value, dict) and key not in FREE:
            for name, member in value.items():
                walk(f"{path}.{name}".lstrip("."), name, member)
        elif isinstance(value, list):
            for index, member in enumerate(value):
                walk(f"{path}[{index}]", "", member)

    walk("", "", obj)


def generate_name(obj):
    metadata = obj["metadata"]
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = metadata["generateName"] + "".join(random.choices(SUFFIX, k=5))


def check_name(kind, name):
    if not name:
        raise errors.invalid(kind, "", "metadata.name", "Required value: name or generateName is "
                                                        "required")
    if len(name) > NAME_MAX or not NAME.fullmatch(name):
        raise errors.invalid(
            kind, name, "metadata.name", f'Invalid value: "{name}": a lowercase RFC 1123 subdomain '
            "must consist of lower case alphanumeric characters, '-' or '.', and must start and "
            "end with an alphanumeric character")


class Admission:
    """`inject_tokens`: pods get the volume with the API's credentials, as in a whole cluster."""

    def __init__(self, store):
        self.store = store
        self.inject_tokens = False

    def check_namespace(self, target):
        """Nothing new is made in a namespace that is not there, or that is going away."""
        if not target.namespace:
            return
        namespace = self.store.get(target_for("namespaces", target.namespace))
        if namespace["metadata"].get("deletionTimestamp") or \
                namespace.get("status", {}).get("phase") == "Terminating":
            error = errors.forbidden(target.kind, target.name, "unable to create new content in "
                                     f"namespace {target.namespace} because it is being terminated")
            error.details["causes"] = [{
                "reason": "NamespaceTerminating", "field": "metadata.namespace",
                "message": f"namespace {target.namespace} is being terminated"}]
            raise error

    def prepare_create(self, user, target, obj):
        prepare = getattr(self, f"create_{target.kind.resource}", None)
        if prepare:
            prepare(user, target, obj)

    def check_update(self, target, new, old):
        check = getattr(self, f"update_{target.kind.resource}", None)
        if check:
            check(target, new, old)

    # by resource: what is filled in when an object is created

    def create_namespaces(self, _, target, obj):
        obj["status"] = {"phase": "Active"}
        obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = target.name

    def create_nodes(self, _, __, node):
        taints = node.setdefault("spec", {}).setdefault("taints", [])
        if NOT_READY not in taints:
            taints.append(dict(NOT_READY))

    def create_leases(self, _, target, obj):
        self.check_lease(target, obj)

    def create_secrets(self, _, __, secret):
        plain = secret.pop("stringData", None) or {}
        data = {key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}
        secret["data"] = {**(secret.get("data") or {}), **data}
        secret.setdefault("type", "Opaque")

    def create_events(self, _, target, event):
        found = event.get("involvedObject", {}).get("namespace", "")
        if found != target.namespace and (found or target.namespace != "default"):
            raise errors.invalid(target.kind, target.name, "involvedObject.namespace",
                                 f'Invalid value: "{found}": does not match event.namespace')

    def create_services(self, _, __, service):
        spec = service.setdefault("spec", {})
        spec.setdefault("type", "ClusterIP")
        for port in spec.get("ports", []):
            port.setdefault("protocol", "TCP")
            port.setdefault("targetPort", port["port"])
        if spec["type"] != "ExternalName" and not spec.get("clusterIP"):
            taken = {other["spec"].get("clusterIP") for target, other in self.store.objects.items()
                     if target.kind.resource == "services"}
            spec["clusterIP"] = next(str(address) for address in SERVICE_NETWORK.hosts()
                                     if str(address) not in taken)
            spec["clusterIPs"] = [spec["clusterIP"]]
        service["status"] = {"loadBalancer": {}}

    def create_persistentvolumeclaims(self, _, __, claim):
        claim["status"] = {"phase": "Pending"}

    def create_certificatesigningrequests(self, user, target, csr):
        try:
            subject_of(request_of(csr))
        except BadRequest as error:
            raise errors.invalid(target.kind, target.name, "spec.request",
                                 f"Invalid value: {error}") from None
        csr["status"] = {}
        csr["spec"].update(user.said())

    def create_pods(self, _, target, pod):
        spec = pod.get("spec", {})
        if not spec.get("containers"):
            raise errors.invalid(target.kind, target.name, "spec.containers", "Required value")
        pod["status"] = {"phase": "Pending", "qosClass": quality(spec)}
        for name, value in (("restartPolicy", "Always"), ("terminationGracePeriodSeconds", 30),
                            ("dnsPolicy", "ClusterFirst"), ("schedulerName", "default-scheduler"),
                            ("enableServiceLinks", True), ("securityContext", {}),
                            ("priority", 0), ("preemptionPolicy", "PreemptLowerPriority")):
            spec.setdefault(name, value)
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            image = container.get("image", "")
            latest = image.endswith(":latest") or ":" not in image.rpartition("/")[2]
            for name, value in (("imagePullPolicy", "Always" if latest else "IfNotPresent"),
                                ("terminationMessagePath", "/dev/termination-log"),
                                ("terminationMessagePolicy", "File"), ("resources", {})):
                container.setdefault(name, value)
        self.tolerate(spec)
        if self.inject_tokens and not is_mirror(pod):
            inject_token(spec)

    def tolerate(self, spec):
        tolerations = spec.setdefault("tolerations", [])
        for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
            if not any(toleration.get("key") in (key, None) and
                       toleration.get("effect") in ("NoExecute", None)
                       for toleration in tolerations):
                tolerations.append({"key": key, "operator": "Exists", "effect": "NoExecute",
                                    "tolerationSeconds": EVICTION_SECONDS})

    # by resource: what may not be changed

    def update_nodes(self, target, new, _):
        status = new.get("status") or {}
        for name in ("capacity", "allocatable"):
            for resource, amount in (status.get(name) or {}).items():
                if str(amount).startswith("-"):
                    raise errors.invalid(target.kind, target.name, f"status.{name}.{resource}",
                                         f'Invalid value: "{amount}": must be greater than or equal '
                                         "to 0")
        addresses = [(item.get("type"), item["address"]) for item in status.get("addresses") or []]
        for index, address in enumerate(addresses):
            if address in addresses[:index]:
                raise errors.invalid(target.kind, target.name, f"status.addresses[{index}]",
                                     f"Duplicate value: {address}")

    def update_leases(self, target, new, _):
        self.check_lease(target, new)

    def check_lease(self, target, lease):
        seconds = lease.get("spec", {}).get("leaseDurationSeconds")
        if seconds is not None and seconds <= 0:
            raise errors.invalid(target.kind, target.name, "spec.leaseDurationSeconds",
                                 f"Invalid value: {seconds}: must be greater than 0")

    def update_secrets(self, target, new, old):
        if old.get("immutable") and (new.get("data"), new.get("immutable")) != \
                (old.get("data"), True):
            raise errors.invalid(target.kind, target.name, "data",
                                 "Forbidden: field is immutable when `immutable` is set")

    update_configmaps = update_secrets

    def update_pods(self, target, new, old):
        mirror = [(pod["metadata"].get("annotations") or {}).get(MIRROR) for pod in (new, old)]
        if mirror[0] != mirror[1]:
            raise errors.invalid(target.kind, target.name, f"metadata.annotations[{MIRROR}]",
                                 "Forbidden: may not remove or update mirror pod annotation")
        status = new.setdefault("status", {})
        kept = old["status"]["qosClass"]
        if status.setdefault("qosClass", kept) != kept:
            raise errors.invalid(target.kind, target.name, "status.qosClass", 'Invalid value: '
                                 f'"{status["qosClass"]}": field is immutable')
        agree_on_addresses(target, status)
        for name in ("containerStatuses", "initContainerStatuses"):
            check_ends(target, new["spec"], name, status, old.get("status") or {})


def quality(spec):
    containers = [*spec["containers"], *spec.get("initContainers", [])]
    asked = [container.get("resources") or {} for container in containers]
    if not any(resources.get("limits") or resources.get("requests") for resources in asked):
        return "BestEffort"
    guaranteed = all(set(resources.get("limits") or {}) >= {"cpu", "memory"} and
                     (resources.get("requests") or resources["limits"]) == resources["limits"]
                     for resources in asked)
    return "Guaranteed" if guaranteed else "Burstable"


def inject_token(spec):
    """The API's credentials, in each container that does not mount something in their place."""
    spec.setdefault("serviceAccountName", "default")
    spec.setdefault("serviceAccount", spec["serviceAccountName"])
    if spec.get("automountServiceAccountToken") is False:
        return
    name = "kube-api-access-" + "".join(random.choices(string.ascii_lowercase, k=5))
    spec.setdefault("volumes", []).append({"name": name, "projected": {
        "defaultMode": 0o644,
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
            {"configMap": {"name": ROOT_CA, "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {
                "apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}}]}})
    for container in [*spec.get("initContainers", []), *spec["containers"]]:
        mounts = container.setdefault("volumeMounts", [])
        if not any(mount["mountPath"] == TOKEN_MOUNT for mount in mounts):
            mounts.append({"name": name, "readOnly": True, "mountPath": TOKEN_MOUNT})


def agree_on_addresses(target, status):
    """`podIP` is the first of `podIPs`; where a client lets them differ, `podIP` counts. `hostIP`
    must agree by itself."""
    address, addresses = status.get("podIP"), status.get("podIPs") or []
    if address and (not addresses or addresses[0]["ip"] != address):
        status["podIPs"] = [{"ip": address}]
    elif addresses:
        status["podIP"] = addresses[0]["ip"]
    hosts = status.get("hostIPs") or []
    for name in ("podIPs", "hostIPs"):
        families = [ipaddress.ip_address(entry["ip"]).version for entry in status.get(name) or []]
        if len(families) > len(set(families)):
            raise errors.invalid(target.kind, target.name, f"status.{name}", "Invalid value: may "
                                 "specify no more than one IP for each IP family")
    if hosts and hosts[0]["ip"] != status.get("hostIP"):
        raise errors.invalid(target.kind, target.name, "status.hostIPs[0].ip",
                             f'Invalid value: "{hosts[0]["ip"]}": must be equal to `hostIP`')


def check_ends(target, spec, name, new, old):
    """A container that has ended for good does not run again."""
    ended = {status["name"]: status["state"]["terminated"] for status in old.get(name) or []
             if status.get("state", {}).get("terminated")}
    policy = spec.get("restartPolicy")
    own_rules = {container["name"]
                 for container in [*spec["containers"], *spec.get("initContainers", [])]
                 if container.get("restartPolicy") or container.get("restartPolicyRules")}
    for index, status in enumerate(new.get(name) or []):
        if status["name"] not in ended or status.get("state", {}).get("terminated"):
            continue
        again = policy == "Always" or status["name"] in own_rules or \
            policy == "OnFailure" and ended[status["name"]].get("exitCode") != 0
        if not again:
            raise errors.invalid(target.kind, target.name, f"status.{name}[{index}].state",
                                 "Forbidden: may not be transitioned to non-terminated state")


def bind(pod, node):
    pod["spec"]["nodeName"] = node
    conditions = pod.setdefault("status", {}).setdefault("conditions", [])
    conditions.append({"type": "PodScheduled", "status": "True", "lastProbeTime": None,
                       "lastTransitionTime": timestamp()})
