"""A double of kube-apiserver for integration tests: what a node's agent can tell of one, on
127.0.0.1, with faults on demand.

    with ApiServer(directory) as server:
        server.create({"kind": "Node", "metadata": {"name": "a"}})
        server.create({"kind": "Pod", "metadata": {"name": "web"}, "spec": {...}})
        server.bind("web", "a")
        server.kubeconfig(directory / "kubeconfig", node="a")
        server.wait(lambda: server.requests("PATCH", r"/pods/web/status"))

The parts: api_store (objects and changes), api_requests (verbs), api_patch, api_watch,
api_admission (what is filled in and refused), api_rules and api_restriction (what a node may),
api_tokens, api_certificates, api_http (connections), api_faults, api_cluster (what tests call).

It differs from a real one where that takes a list of all fields: unknown ones are kept, and few are
checked; and a client certificate of an unknown authority fails in TLS, not with 401. Controllers
there are none, except for the signing of certificates (`auto_approve`)."""

import copy
import itertools
import json
import shutil
import urllib.parse

import api_certificates as certificates
from api_cluster import BOOTSTRAP_TOKEN, BOOTSTRAPPER, Cluster
from api_faults import Faults
from api_http import Front, Log, context_of, reserve
from api_requests import Api, Request
from api_rules import ADMIN, ANONYMOUS
from api_store import Store

NAMES = ("127.0.0.1", "localhost", "kubernetes", "kubernetes.default.svc", "10.96.0.1")
NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")


class ApiServer(Cluster):
    """`plain`: it speaks HTTP without TLS, and then who has no token is `anonymous`.

    `api` has what may be set of its behaviour, `faults` what may go wrong; `tokens` says who has
    which bearer token; `auto_approve`: requests of nodes for client certificates are signed."""

    def __init__(self, directory, plain=False, anonymous=ANONYMOUS, names=NAMES,
                 inject_tokens=False):
        super().__init__()
        self.directory = directory / "api-server"
        self.directory.mkdir(parents=True)
        self.authority = certificates.Authority(self.directory)
        self.auto_approve = True
        self.store = Store()
        self.api = Api(self.store)
        self.api.admission.inject_tokens = inject_tokens
        self.api.created.append(self._approve_new)
        self.log = Log()
        self.faults = Faults()
        self.tokens = {BOOTSTRAP_TOKEN: BOOTSTRAPPER}
        self.anonymous = anonymous
        self.numbers = itertools.count(1)  # of connections
        self.handshake_errors = []
        self.front = None
        self.reserved = reserve()
        self.port = self.reserved.getsockname()[1]
        self.url = f"{'http' if plain else 'https'}://127.0.0.1:{self.port}"
        self.ca_file = None if plain else self.authority.certificate
        self.context = None if plain else context_of(self.authority)
        if self.context:
            self.use_certificate(names)
        self._fill()

    def _fill(self):
        for name in NAMESPACES:
            self.namespace(name)
        self.create({"kind": "Service", "metadata": {"name": "kubernetes"},
                     "spec": {"ports": [{"name": "https", "port": 443}]}})

    # life

    def start(self):
        """Listens; after a stop on the port of before, with everything that it kept."""
        self.front = Front(self.port, self.context, self)

    def stop(self):
        """Breaks all connections and refuses new ones."""
        if self.front:
            self.front.close()
            self.front = None

    def close(self):
        self.close_clients()
        self.stop()
        self.reserved.close()
        shutil.rmtree(self.directory)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.close()

    # who may come

    def use_certificate(self, names=NAMES, **dates):
        """From the next connection on, the server's certificate is for these names, and for the
        time between `not_before` and `not_after` (seconds from now)."""
        pair = self.authority.issue("kube-apiserver", [], names, **dates)
        self.context.load_cert_chain(pair.certificate, pair.key)

    # what goes wrong beside `faults`

    def expire(self):
        """All versions that clients know are too old from now on; running watches are told so."""
        self.store.expire()
        self.api.pages.clear()

    def end_watches(self, pattern="", how="end"):
        """How many: "end" (as by their time), "reset" (of the connection), or an ApiError that is
        told as an event."""
        return self.front.order(pattern, how)

    def send_bookmarks(self, pattern=""):
        return self.front.order(pattern, "bookmark")

    def hang_up(self):
        """Breaks all connections; new ones are served."""
        self.front.hang_up()

    # for Cluster

    def ask(self, method, path, body, kind):
        parts = urllib.parse.urlsplit(path)
        answer = self.api.handle(Request(
            method, parts.path, ADMIN, dict(urllib.parse.parse_qsl(parts.query)), kind,
            b"" if body is None else json.dumps(body).encode()))
        return answer.code, copy.deepcopy(answer.body)

    def _approve_new(self, target, obj):
        if self.auto_approve and target.kind.resource == "certificatesigningrequests" \
                and certificates.approvable(obj):
            self.approve(target.name)
