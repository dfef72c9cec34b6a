"""What tests of API servers share: a node and a namespace of a test's own, answers that refuse,
requests for certificates."""

import base64
import itertools

import api_certificates as certificates

NUMBERS = itertools.count(1)
CSRS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
MIRROR = "kubernetes.io/config.mirror"
SPEC = {"containers": [{"name": "c", "image": "busybox:1.36"}], "serviceAccountName": "default"}
WATCH_LIST = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan",
              "allowWatchBookmarks": "true"}


class Place:
    """A node and a namespace of a test's own; `client` is the node."""

    def __init__(self, server):
        self.server = server
        self.node = f"n{next(NUMBERS)}"
        self.namespace = f"ns-{self.node}"
        self.client = server.client(node=self.node)
        self.pods = f"/api/v1/namespaces/{self.namespace}/pods"
        self.of_node = f"/api/v1/pods?fieldSelector=spec.nodeName%3D{self.node}"
        server.namespace(self.namespace)

    def register(self):
        return self.server.create({"kind": "Node", "metadata": {"name": self.node}})

    def pod(self, name="web", **spec):
        """Bound, and known to the node."""
        self.server.create({"kind": "Pod", "metadata": {"name": name},
                            "spec": {**SPEC, **spec}}, self.namespace)
        pod = self.server.bind(name, self.node, self.namespace)
        self.server.wait(lambda: self.client.get(f"{self.pods}/{name}").code == 200)
        return pod

    def status(self, changes, name="web", **metadata):
        return self.client.patch(f"{self.pods}/{name}/status",
                                 {"metadata": metadata, "status": changes})

    def found(self, name="web"):
        return self.server.get("pods", name, self.namespace)

    def mirror(self, node_uid, **changes):
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {
            "name": f"static-{self.node}", "namespace": self.namespace, "uid": "not-this",
            "annotations": {MIRROR: "hash", "kubernetes.io/config.hash": "hash",
                            "kubernetes.io/config.source": "file"},
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": self.node,
                                 "uid": node_uid, "controller": True}]},
            "spec": {"containers": SPEC["containers"], "nodeName": self.node,
                     "tolerations": [{"operator": "Exists", "effect": "NoExecute"}], **changes}}


def refused(answer, code, reason, *fragments):
    """Whether an answer is a Status with these, and it."""
    status = answer.json
    assert (answer.code, status["kind"], status["status"]) == (code, "Status", "Failure"), status
    assert (status["code"], status.get("reason", "")) == (code, reason), status
    for fragment in fragments:
        assert fragment in status["message"]
    return status


def new_key(directory, common_name, names=""):
    """(path of a key, its certificate signing request as PEM)"""
    key = directory / "key.pem"
    return key, certificates.openssl(
        "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-keyout", key, "-subj", certificates.distinguished_name(common_name, ["system:nodes"]),
        *(["-addext", f"subjectAltName={names}"] if names else []))


def csr(request, usages=("digital signature", "client auth"), signer=certificates.CLIENT_SIGNER):
    return {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
            "metadata": {"generateName": "csr-"},
            "spec": {"request": base64.b64encode(request.encode()).decode(),
                     "signerName": signer, "usages": list(usages)}}
