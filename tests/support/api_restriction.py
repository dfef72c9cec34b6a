"""What a node may write (NodeRestriction): its own objects, and of those not all. Each check
raises Forbidden; others than nodes are not checked."""

import api_certificates as certificates
import api_errors as errors
from api_kinds import target_for
from api_rules import LEASES_OF_NODES, MIRROR, is_mirror, references

RESTRICTED = "node-restriction.kubernetes.io"
NODE_LABELS = {
    "kubernetes.io/hostname", "kubernetes.io/os", "kubernetes.io/arch", "beta.kubernetes.io/os",
    "beta.kubernetes.io/arch", "topology.kubernetes.io/zone", "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region",
    "node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type"}
NODE_LABEL_DOMAINS = ("kubelet.kubernetes.io", "node.kubernetes.io")
CLAIM_STATUS = {"capacity", "conditions", "allocatedResources", "allocatedResourceStatuses",
                "currentVolumeAttributesClassName", "modifyVolumeStatus"}
GONE = ("the UID in the bound object reference ({}) does not match the UID in record. The object "
        "might have been deleted and then recreated")


def within(domain, *others):
    return any(domain == other or domain.endswith("." + other) for other in others)


def is_forbidden_label(label):
    domain = label.rpartition("/")[0]
    if within(domain, RESTRICTED):
        return True
    return within(domain, "kubernetes.io", "k8s.io") and label not in NODE_LABELS \
        and not within(domain, *NODE_LABEL_DOMAINS)


def forbidden_labels(new, old):
    """Labels that are added, changed or removed and that are not for a node to touch."""
    new, old = (obj["metadata"].get("labels") or {} for obj in (new, old))
    return sorted(label for label in {*new, *old}
                  if new.get(label) != old.get(label) and is_forbidden_label(label))


class Restriction:
    def __init__(self, store):
        self.store = store

    def check(self, node, target, new=None, old=None):
        """Without `new` it is a deletion, without `old` a creation."""
        check = getattr(self, f"check_{target.kind.resource}", None)
        if not check:
            return
        why = check(node, target, new, old)
        if why:
            raise errors.forbidden(target.kind, target.name, why)

    def check_nodes(self, node, target, new, old):
        if target.name != node:
            return f'node "{node}" is not allowed to modify node "{target.name}"'
        if not old:
            labels = forbidden_labels(new, {"metadata": {}})
            return labels and (f'node "{node}" is not allowed to set the following labels: '
                               f'{", ".join(labels)}')
        labels = forbidden_labels(new, old)
        if labels:
            return f'node "{node}" is not allowed to modify labels: {", ".join(labels)}'
        if new["spec"].get("taints") != old["spec"].get("taints"):
            return f'node "{node}" is not allowed to modify taints'
        if new["metadata"].get("ownerReferences") != old["metadata"].get("ownerReferences"):
            return f'node "{node}" is not allowed to modify ownerReferences'
        if new["spec"].get("configSource") != old["spec"].get("configSource"):
            return (f'node "{node}" is not allowed to update configSource to a new non-nil '
                    'configSource')
        return None

    def check_pods(self, node, target, new, old):
        if not old:
            return self.check_mirror(node, new)
        if old["spec"].get("nodeName") != node:
            what = "update pod status for" if new else "delete"
            return f'node "{node}" can only {what} pods with spec.nodeName set to itself'
        if not new:
            return None
        if new["metadata"].get("labels") != old["metadata"].get("labels"):
            return f'node "{node}" cannot update labels through pod status'
        name = "resourceClaimStatuses"
        if new.get("status", {}).get(name) != old.get("status", {}).get(name):
            return f'node "{node}" cannot update resource claim statuses'
        return None

    def check_mirror(self, node, pod):
        if not is_mirror(pod):
            return (f'pod does not have "{MIRROR}" annotation, node "{node}" can only create '
                    'mirror pods')
        can_only = f'node "{node}" can only create pods with '
        if pod["spec"].get("nodeName") != node:
            return can_only + "spec.nodeName set to itself"
        owners = pod["metadata"].get("ownerReferences") or []
        if len(owners) > 1:
            return can_only + "a single owner reference set to itself"
        owner = owners[0] if owners else {}
        if [owner.get(key) for key in ("apiVersion", "kind", "name")] != ["v1", "Node", node]:
            return can_only + "an owner reference set to itself"
        if not owner.get("controller"):
            return can_only + "a controller owner reference set to itself"
        if owner.get("blockOwnerDeletion"):
            return f'node "{node}" must not set blockOwnerDeletion on an owner reference'
        uid = self.store.get(target_for("nodes", node))["metadata"]["uid"]
        if owner.get("uid") != uid:
            return f'node {node} UID mismatch: expected {uid} got {owner.get("uid", "")}'
        if pod["spec"].get("serviceAccountName"):
            return f'node "{node}" can not create pods that reference serviceaccounts'
        for resource in ("secrets", "configmaps", "persistentvolumeclaims"):
            if references(pod, resource):
                return f'node "{node}" can not create pods that reference {resource}'
        for volume in pod["spec"].get("volumes", []):
            sources = volume.get("projected", {}).get("sources", [])
            if "csi" in volume:
                return f'node "{node}" can not create pods that reference csidrivers (via CSI ' \
                       'volumes)'
            if any("serviceAccountToken" in source for source in sources):
                return f'node "{node}" can not create pods that reference serviceaccounts (via ' \
                       'projected volumes)'
        return None

    def check_leases(self, node, target, new, _):
        if target.namespace != LEASES_OF_NODES:
            return f'can only access leases in the "{LEASES_OF_NODES}" system namespace'
        if target.name != node:
            return "can only access node lease with the same name as the requesting node"
        return None

    def check_csinodes(self, node, target, *_):
        if target.name != node:
            return "can only access CSINode with the same name as the requesting node"
        return None

    def check_persistentvolumeclaims(self, node, _, new, old):
        before, after = ({key: value for key, value in (obj.get("status") or {}).items()
                          if key not in CLAIM_STATUS} for obj in (old, new))
        if before != after or new["spec"] != old["spec"] or \
                new["metadata"].get("labels") != old["metadata"].get("labels"):
            return f'node "{node}" is not allowed to update fields other than status.capacity, ' \
                   'status.conditions and status.allocated*'
        return None

    def check_certificatesigningrequests(self, node, _, new, __):
        if new["spec"].get("signerName") not in certificates.USAGES:
            return None
        try:
            subject = certificates.subject_of(certificates.request_of(new))
        except certificates.BadRequest as error:
            return f"unable to parse csr: {error}"
        if subject.common_name != certificates.NODE_PREFIX + node:
            return f"can only create a node CSR with CN={certificates.NODE_PREFIX}{node}"
        return None

    # tokens of service accounts

    def check_token(self, node, target, request):
        why = self.why_no_token(node, target, request["spec"])
        if why:
            raise errors.forbidden(target.kind, target.name, why)

    def why_no_token(self, node, target, spec):
        bound = spec.get("boundObjectRef") or {}
        if (bound.get("apiVersion"), bound.get("kind")) != ("v1", "Pod") or not bound.get("name"):
            return "node requested token not bound to a pod"
        if not bound.get("uid"):
            return "node requested token with a pod binding without a uid"
        pod = self.store.get(target_for("pods", bound["name"], target.namespace))
        if bound["uid"] != pod["metadata"]["uid"]:
            return GONE.format(bound["uid"])
        if pod["spec"].get("nodeName") != node:
            return "node requested token bound to a pod scheduled on a different node"
        return self.why_no_audience(node, pod, spec.get("audiences") or [])

    def why_no_audience(self, node, pod, audiences):
        if len(audiences) > 1:
            return "node may only request 0 or 1 audiences"
        wanted = audiences[0] if audiences else ""
        if wanted in self.audiences_of(pod):
            return None
        return (f'audience "{wanted}" not found in pod spec volume, '
                f"{certificates.NODE_PREFIX}{node} is not authorized to request tokens for this "
                "audience")

    def audiences_of(self, pod):
        """What a pod's volumes want tokens for; "" is the API server."""
        found = set()
        for volume in pod["spec"].get("volumes", []):
            for source in volume.get("projected", {}).get("sources", []):
                if "serviceAccountToken" in source:
                    found.add(source["serviceAccountToken"].get("audience", ""))
            driver = self.driver_of(pod, volume)
            if driver:
                found |= {token.get("audience", "")
                          for token in driver["spec"].get("tokenRequests", [])}
        return found

    def driver_of(self, pod, volume):
        """The CSIDriver behind a volume, in line or claimed; None: there is none."""
        name = volume.get("csi", {}).get("driver")
        claim = volume.get("persistentVolumeClaim", {}).get("claimName")
        if "ephemeral" in volume:
            claim = f'{pod["metadata"]["name"]}-{volume["name"]}'
        if claim:
            found = self.store.find(target_for("persistentvolumeclaims", claim,
                                               pod["metadata"]["namespace"]))
            bound = found and self.store.find(target_for(
                "persistentvolumes", found["spec"].get("volumeName", "")))
            name = bound and bound["spec"].get("csi", {}).get("driver")
        return name and self.store.find(target_for("csidrivers", name))
