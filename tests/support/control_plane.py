"""A whole control plane from the directory that KUBEBUILDER_ASSETS names: beside etcd and
kube-apiserver (api_real.py) its controllers and its scheduler, which do what tests do elsewhere."""

import pathlib

import api_certificates as certificates
from api_admission import ROOT_CA
from api_cluster import SIGNED
from api_real import ASSETS, BOOTSTRAP_ROLE, RealApiServer
from api_rules import MASTERS

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
IS_THERE = bool(ASSETS) and all(pathlib.Path(ASSETS, name).exists() for name in PROGRAMS)
FURNISH_SECONDS = 60
TOKEN_ID, TOKEN_SECRET = "tests0", "0123456789abcdef"
JOINING_TOKEN = f"{TOKEN_ID}.{TOKEN_SECRET}"
APPROVED = "system:certificates.k8s.io:certificatesigningrequests:"


class ControlPlane(RealApiServer):
    """Without `scheduler` tests give pods to nodes, as with the double."""

    def __init__(self, directory, scheduler=True):
        super().__init__(directory)
        self.scheduler = scheduler

    def server_flags(self):
        flags = super().server_flags()
        del flags["disable_admission_plugins"], flags["token_auth_file"]
        return {**flags, "enable_bootstrap_token_auth": "true"}

    def furnish_cluster(self):
        for role, group in ((BOOTSTRAP_ROLE, certificates.BOOTSTRAP_GROUP),
                            (APPROVED + "nodeclient", certificates.BOOTSTRAP_GROUP),
                            (APPROVED + "selfnodeclient", certificates.NODE_GROUP)):
            self.bind_role(role, group)
        self.create({"kind": "Secret", "metadata": {"name": f"bootstrap-token-{TOKEN_ID}"},
                     "type": "bootstrap.kubernetes.io/token", "stringData": {
                         "token-id": TOKEN_ID, "token-secret": TOKEN_SECRET,
                         "usage-bootstrap-authentication": "true"}}, "kube-system")
        access = {"kubeconfig": self.kubeconfig(
            self.directory / "controllers.conf",
            pair=self.authority.issue("controllers", [MASTERS])),
            "leader_elect": "false", "secure_port": "0"}
        self.run("kube-controller-manager", **access, controllers="*,bootstrapsigner,tokencleaner",
                 root_ca_file=self.ca_file, service_account_private_key_file=self.accounts.key,
                 cluster_signing_cert_file=self.ca_file,
                 cluster_signing_key_file=self.authority.key)
        if self.scheduler:
            self.run("kube-scheduler", **access)
        self.wait(lambda: self.get("configmaps", ROOT_CA) and self.get("serviceaccounts", "default"),
                  FURNISH_SECONDS, "the controllers")

    def approve(self, name):
        """Its controllers sign it then."""
        return self.add_condition(name, SIGNED, "approval")
