"""A cluster as tests like to have it: objects made, changed and looked at in one line, whether its
API server is the double (api_server.py) or a real one (api_real.py)."""

import base64
import json
import time
import urllib.parse

import api_certificates as certificates
import api_patch
from api_admission import NOT_READY, ROOT_CA
from api_client import Client
from api_kinds import BY_NAME, target_for
from api_rules import User
from api_store import timestamp

BOOTSTRAP_TOKEN = "bootstrap.tests"
BOOTSTRAPPER = User("system:bootstrap:tests", (certificates.BOOTSTRAP_GROUP,))
WAIT_SECONDS = 10
LOOK_SECONDS = 0.01  # between two looks
SIGNED = {"type": "Approved", "status": "True", "reason": "AutoApproved",
          "message": "approved by tests"}


class Refused(Exception):
    """A request of the tests' own that failed; `status` is what the server said."""

    def __init__(self, method, path, code, status):
        super().__init__(f"{method} {path}: {code}: {status}")
        self.code = code
        self.status = status


class Cluster:
    """Wants of its child classes: `authority`, `url`, `ca_file` (None: plain HTTP), `log` and
    ask(method, path, body, content type), which is an administrator's request and returns (code,
    JSON)."""

    def __init__(self):
        self.clients = []
        self.signing_dates = {}  # not_before, not_after of certificates to be signed

    # requests

    def call(self, method, path, body=None, kind="application/json"):
        code, answer = self.ask(method, path, body, kind)
        if code >= 300:
            raise Refused(method, path, code, answer)
        return answer

    def client(self, node=None, token=None, pair=None, seconds=30):
        """A client that is the node of a name, or whoever has a token or a certificate, or nobody.
        It is closed with the server."""
        if node:
            pair = self.node_pair(node)
        client = Client(self.url, self.ca_file, pair, token, seconds)
        self.clients.append(client)
        return client

    def close_clients(self):
        for client in self.clients:
            client.close()

    def node_pair(self, node):
        return self.authority.issue(certificates.NODE_PREFIX + node, [certificates.NODE_GROUP])

    # objects

    def create(self, obj, namespace=None):
        """Of any kind that the double knows; the namespace is "default" when none is named."""
        kind, metadata = BY_NAME[obj["kind"]], obj.get("metadata", {})
        namespace = namespace or metadata.get("namespace", "default")
        target = target_for(kind.resource, "", namespace)
        return self.call("POST", target.path, {"apiVersion": kind.api_version, **obj})

    def get(self, resource, name, namespace="default"):
        """None: it is not there."""
        try:
            return self.call("GET", target_for(resource, name, namespace).path)
        except Refused as error:
            if error.code == 404:
                return None
            raise

    def list(self, resource, namespace="default", selector=""):
        path = target_for(resource, "", namespace).path
        return self.call("GET", path + "?" + urllib.parse.urlencode(
            {"fieldSelector": selector}))["items"]

    def patch(self, resource, name, changes, namespace="default", part="",
              kind=api_patch.STRATEGIC_PATCH):
        return self.call("PATCH", target_for(resource, name, namespace, part).path, changes, kind)

    def update_status(self, resource, name, changes, namespace="default"):
        return self.patch(resource, name, {"status": changes}, namespace, "status")

    def replace(self, obj):
        """By what was got and changed."""
        metadata = obj["metadata"]
        target = target_for(BY_NAME[obj["kind"]].resource, metadata["name"],
                            metadata.get("namespace", ""))
        return self.call("PUT", target.path, obj)

    def delete(self, resource, name, namespace="default", **options):
        return self.call("DELETE", target_for(resource, name, namespace).path, options or None)

    # what controllers and people do

    def namespace(self, name):
        """With what the controllers put into each: a service account and the CA."""
        self.create({"kind": "Namespace", "metadata": {"name": name}})
        self.furnish(name)

    def furnish(self, namespace):
        self.create({"kind": "ServiceAccount", "metadata": {"name": "default"}}, namespace)
        self.create({"kind": "ConfigMap", "metadata": {"name": ROOT_CA},
                     "data": {"ca.crt": self.authority.text}}, namespace)

    def bind(self, pod, node, namespace="default"):
        """As a scheduler does."""
        self.call("POST", target_for("pods", pod, namespace, "binding").path, {
            "apiVersion": "v1", "kind": "Binding", "metadata": {"name": pod},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node}})
        return self.get("pods", pod, namespace)

    def delete_pod(self, name, namespace="default", grace=None):
        """With a grace of 0 it is gone at once, whatever its node does."""
        options = {} if grace is None else {"gracePeriodSeconds": grace}
        return self.delete("pods", name, namespace, **options)

    def untaint(self, node):
        """As the node controller does for a node that is ready."""
        taints = [taint for taint in self.get("nodes", node)["spec"].get("taints", [])
                  if taint["key"] != NOT_READY["key"]]
        return self.patch("nodes", node, {"spec": {"taints": taints or None}})

    def approve(self, name):
        """A certificate signing request, which is signed then if it is as it must be."""
        target = target_for("certificatesigningrequests", name)
        csr = self.add_condition(name, SIGNED, "approval")
        try:
            certificate = certificates.signed(self.authority, csr, **self.signing_dates)
        except certificates.BadRequest as error:
            return self.add_condition(name, {
                "type": "Failed", "status": "True", "reason": "SignerValidationFailure",
                "message": str(error)}, "status")
        csr["status"]["certificate"] = base64.b64encode(certificate.encode()).decode()
        return self.call("PUT", f"{target.path}/status", csr)

    def deny(self, name, message="denied by tests"):
        return self.add_condition(name, {"type": "Denied", "status": "True", "reason": "Denied",
                                         "message": message}, "approval")

    def add_condition(self, name, condition, part):
        csr = self.get("certificatesigningrequests", name)
        now = timestamp()
        csr.setdefault("status", {}).setdefault("conditions", []).append(
            {"lastUpdateTime": now, "lastTransitionTime": now, **condition})
        return self.call("PUT", target_for("certificatesigningrequests", name, part=part).path, csr)

    # what happened

    def requests(self, method=None, pattern=""):
        """The log's records of a method or verb ("PATCH", "WATCH"), by a pattern of path and
        query."""
        return self.log.find(method, pattern)

    def wait_request(self, method=None, pattern="", count=1, **options):
        """Until so many of them were answered; the last."""
        def found():
            answered = [record for record in self.requests(method, pattern) if record.code]
            return len(answered) >= count and answered[-1]

        return self.wait(found, what=f"request {count} {method} {pattern}", **options)

    # for clients

    def kubeconfig(self, path, node=None, pair=None, token=None, token_file=None, embed=True,
                   server=None, user=None, **cluster):
        """Writes a kubeconfig and returns its path. Who it is: the node of a name, whoever a
        certificate is for, or who has a token, at best one that bootstraps. `embed`: certificates
        stand in it, and not their paths. `user` and further arguments, with "_" for "-", are more
        members of the user and the cluster."""
        if node:
            pair = self.node_pair(node)
        known = {"token": token, "tokenFile": token_file and str(token_file), **(user or {})}
        if pair:
            for name, file in (("client-certificate", pair.certificate), ("client-key", pair.key)):
                known.update(by_value_or_path(name, file, embed))
        where = {"server": server or self.url}
        if self.ca_file:
            where.update(by_value_or_path("certificate-authority", self.ca_file, embed))
        where.update({key.replace("_", "-"): value for key, value in cluster.items()})
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "tests",
            "clusters": [{"name": "tests", "cluster": filled(where)}],
            "users": [{"name": "tests", "user": filled(known)}],
            "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
        }, indent=2))
        path.chmod(0o600)
        return path

    @staticmethod
    def wait(predicate, seconds=WAIT_SECONDS, what="what was waited for"):
        """What the predicate returns as soon as that is true."""
        deadline = time.monotonic() + seconds
        while not (found := predicate()):
            assert time.monotonic() < deadline, f"{what} did not come within {seconds} s"
            time.sleep(LOOK_SECONDS)
        return found


def filled(members):
    return {key: value for key, value in members.items() if value is not None}


def by_value_or_path(name, file, embed):
    if not embed:
        return {name: str(file)}
    return {f"{name}-data": base64.b64encode(file.read_bytes()).decode()}
