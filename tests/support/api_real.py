"""A real etcd and kube-apiserver, from the directory that KUBEBUILDER_ASSETS names, so that tests
of the protocol can show that the double (api_server.py) is like them.

Controllers there are none, and no ServiceAccount admission: as with the double, tests do what these
would do."""

import json
import os
import pathlib
import socket
import subprocess

import api_audit
import api_certificates as certificates
from api_cluster import BOOTSTRAP_TOKEN, BOOTSTRAPPER, Cluster
from api_rules import MASTERS
from api_server import NAMES, NAMESPACES

ASSETS = os.environ.get("KUBEBUILDER_ASSETS")
START_SECONDS = 60
BOOTSTRAP_ROLE = "system:node-bootstrapper"
RBAC = "rbac.authorization.k8s.io"


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
        self.processes = {}
        self.port, etcd_port, self.peer_port = free_ports(3)
        self.url = f"https://127.0.0.1:{self.port}"
        self.etcd = f"http://127.0.0.1:{etcd_port}"
        self.accounts = self.authority.issue("service-accounts")
        self.log = api_audit.AuditLog(self.directory / "audit.log")
        self.flags = self.server_flags()
        self.admin = self.client(pair=self.authority.issue("admin", [MASTERS]))

    def start(self):
        """After a stop with everything that it kept, on the port of before."""
        if "etcd" in self.processes:
            self.run_server()
        else:
            self.run_etcd()
            self.run_server()
            self.furnish_cluster()

    def stop(self):
        self.kill("kube-apiserver")

    def furnish_cluster(self):
        """What it has from its beginning on."""
        self.bind_role(BOOTSTRAP_ROLE, certificates.BOOTSTRAP_GROUP)
        self.furnish("default")

    def bind_role(self, role, group):
        self.call("POST", f"/apis/{RBAC}/v1/clusterrolebindings", {
            "apiVersion": f"{RBAC}/v1", "kind": "ClusterRoleBinding",
            "metadata": {"generateName": "tests-"},
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": RBAC, "kind": "Group", "name": group}]})

    def run_etcd(self):
        peer = f"http://127.0.0.1:{self.peer_port}"
        self.run("etcd", data_dir=self.directory / "etcd", listen_client_urls=self.etcd,
                 advertise_client_urls=self.etcd, listen_peer_urls=peer,
                 initial_advertise_peer_urls=peer, initial_cluster=f"default={peer}",
                 unsafe_no_fsync="true")

    def run_server(self):
        self.run("kube-apiserver", **self.flags)
        self.wait(self.is_ready, START_SECONDS, "kube-apiserver")

    def server_flags(self):
        """Of kube-apiserver, with the files that they name."""
        server = self.authority.issue("kube-apiserver", [], NAMES)
        tokens = self.directory / "tokens"
        tokens.write_text(f'{BOOTSTRAP_TOKEN},{BOOTSTRAPPER.name},1,'
                          f'"{",".join(BOOTSTRAPPER.groups)}"\n')
        policy = self.directory / "audit-policy.json"
        policy.write_text(json.dumps(api_audit.POLICY))
        return {
            "etcd_servers": self.etcd, "bind_address": "127.0.0.1", "secure_port": self.port,
            "cert_dir": self.directory, "tls_cert_file": server.certificate,
            "tls_private_key_file": server.key, "client_ca_file": self.ca_file,
            "token_auth_file": tokens, "authorization_mode": "Node,RBAC",
            "enable_admission_plugins": "NodeRestriction",
            "disable_admission_plugins": "ServiceAccount", "allow_privileged": "true",
            "service_cluster_ip_range": "10.96.0.0/16", "endpoint_reconciler_type": "none",
            "service_account_issuer": "https://kubernetes.default.svc.cluster.local",
            "audit_policy_file": policy, "audit_log_path": self.log.path,
            "service_account_key_file": self.accounts.certificate,
            "service_account_signing_key_file": self.accounts.key}

    def run(self, program, **flags):
        path = pathlib.Path(ASSETS, program)
        assert path.exists(), f"KUBEBUILDER_ASSETS is {ASSETS}, which has no {program}"
        with open(self.directory / f"{program}.log", "ab") as log:
            self.processes[program] = subprocess.Popen(
                [path, *(f"--{name.replace('_', '-')}={value}" for name, value in flags.items())],
                stdout=log, stderr=log)

    def kill(self, program):
        self.processes[program].kill()
        self.processes.pop(program).wait()

    def is_ready(self):
        for process in self.processes.values():
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
        for process in reversed(self.processes.values()):
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
