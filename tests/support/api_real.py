"""A real etcd and kube-apiserver, from the directory that KUBEBUILDER_ASSETS names, so that tests
of the protocol can show that the double (api_server.py) is like them.

Controllers there are none, and no ServiceAccount admission: as with the double, tests do what these
would do."""

import os
import pathlib
import socket
import subprocess

import api_certificates as certificates
from api_cluster import BOOTSTRAP_TOKEN, BOOTSTRAPPER, Cluster
from api_rules import MASTERS
from api_server import NAMES, NAMESPACES

ASSETS = os.environ.get("KUBEBUILDER_ASSETS")
START_SECONDS = 60
BOOTSTRAP_ROLE = {
    "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
    "metadata": {"name": "tests-bootstrap"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                "name": "system:node-bootstrapper"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group",
                  "name": certificates.BOOTSTRAP_GROUP}]}


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports


class RealApiServer(Cluster):
    def __init__(self, directory):
        super().__init__()
        self.directory = directory / "real-api-server"
        self.directory.mkdir(parents=True)
        self.authority = certificates.Authority(self.directory)
        self.ca_file = self.authority.certificate
        self.processes = []
        self.port, self.etcd_port, self.peer_port = free_ports(3)
        self.url = f"https://127.0.0.1:{self.port}"
        self.admin = self.client(pair=self.authority.issue("admin", [MASTERS]))

    def start(self):
        etcd = f"http://127.0.0.1:{self.etcd_port}"
        peer = f"http://127.0.0.1:{self.peer_port}"
        self.run("etcd", data_dir=self.directory / "etcd", listen_client_urls=etcd,
                 advertise_client_urls=etcd, listen_peer_urls=peer,
                 initial_advertise_peer_urls=peer, initial_cluster=f"default={peer}",
                 unsafe_no_fsync="true")
        server = self.authority.issue("kube-apiserver", [], NAMES)
        accounts = self.authority.issue("service-accounts")
        tokens = self.directory / "tokens"
        tokens.write_text(f'{BOOTSTRAP_TOKEN},{BOOTSTRAPPER.name},1,'
                          f'"{",".join(BOOTSTRAPPER.groups)}"\n')
        self.run("kube-apiserver", etcd_servers=etcd, bind_address="127.0.0.1",
                 secure_port=self.port, cert_dir=self.directory,
                 tls_cert_file=server.certificate, tls_private_key_file=server.key,
                 client_ca_file=self.ca_file, token_auth_file=tokens,
                 authorization_mode="Node,RBAC", enable_admission_plugins="NodeRestriction",
                 disable_admission_plugins="ServiceAccount", allow_privileged="true",
                 service_cluster_ip_range="10.96.0.0/16", endpoint_reconciler_type="none",
                 service_account_issuer="https://kubernetes.default.svc.cluster.local",
                 service_account_key_file=accounts.certificate,
                 service_account_signing_key_file=accounts.key)
        self.wait(self.is_ready, START_SECONDS, "kube-apiserver")
        self.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
                  BOOTSTRAP_ROLE)
        self.furnish("default")

    def run(self, program, **flags):
        path = pathlib.Path(ASSETS, program)
        assert path.exists(), f"KUBEBUILDER_ASSETS is {ASSETS}, which has no {program}"
        with open(self.directory / f"{program}.log", "ab") as log:
            self.processes.append(subprocess.Popen(
                [path, *(f"--{name.replace('_', '-')}={value}" for name, value in flags.items())],
                stdout=log, stderr=log))

    def is_ready(self):
        for process in self.processes:
            assert process.poll() is None, f"{process.args[0]} ended: see {self.directory}"
        try:
            return self.admin.get("/readyz").code == 200 and \
                all(self.get("namespaces", name) for name in NAMESPACES)
        except OSError:
            return False

    def ask(self, method, path, body, kind):
        answer = self.admin.request(method, path, body, kind)
        return answer.code, answer.json

    def close(self):
        self.close_clients()
        for process in reversed(self.processes):
            process.terminate()
            process.wait()

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()
