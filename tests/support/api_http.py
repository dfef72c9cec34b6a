"""Connections of the API server double: TLS, who is there, HTTP/1.1, the log of requests, and the
faults that are played on the way."""

import contextlib
import gzip
import http
import http.server
import json
import re
import socket
import ssl
import struct
import threading
import time
import urllib.parse
import uuid
from dataclasses import dataclass, field

import api_errors as errors
from api_faults import half, huge_object
from api_requests import Answer, Request, Watching
from api_rules import ANONYMOUS, User
from api_watch import Stream

IDLE_SECONDS = 90  # a connection without a request is closed then
HANDSHAKE_SECONDS = 10
BACKLOG = 128
GZIP_BYTES = 128 << 10  # answers beyond are compressed
NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME: an expired certificate is a 401, later
AUTHENTICATED = "system:authenticated"


@dataclass
class Record:
    """A request, for tests to look at. `code` is None until there is an answer."""

    method: str
    verb: str
    url: str
    path: str
    query: dict
    user: str
    headers: dict  # names in lower case
    connection: int
    server_name: str  # that TLS asked for; None: it asked for none
    time: float = field(default_factory=time.time)
    body: bytes = b""
    code: int = None
    ended: float = None  # when the answer was sent, or a watch was over

    @property
    def json(self):
        return json.loads(self.body) if self.body else None


class Log:
    def __init__(self):
        self.lock = threading.Lock()
        self.records = []

    def add(self, record):
        with self.lock:
            self.records.append(record)

    def find(self, method=None, pattern=""):
        """Those of a method or verb, whose path and query match a regular expression."""
        with self.lock:
            return [record for record in self.records
                    if method in (None, record.method, record.verb.upper())
                    and re.search(pattern, record.url)]

    def clear(self):
        with self.lock:
            self.records.clear()


class Reset(ConnectionError):
    """This connection is to break."""


class Connection(http.server.BaseHTTPRequestHandler):
    """One, in a thread of its own. `server` is the Front that accepted it."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    broken = False  # it did not end as connections should

    def __init__(self, accepted, number, front):
        self.number = number
        self.user_of_certificate = user_of_certificate(accepted)
        super().__init__(accepted, ("127.0.0.1", 0), front)

    def handle(self):
        try:
            super().handle()
        except OSError:
            self.broken = True

    def log_message(self, *_):
        pass

    def serve(self):
        stopping, faults = self.server.stopping, self.server.faults
        user = self.authenticate()
        parts = urllib.parse.urlsplit(self.path)
        request = Request(self.command, parts.path, user or ANONYMOUS,
                          dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True)),
                          self.content_type())
        record = Record(
            self.command, request.verb, self.path, parts.path, request.query,
            user.name if user else "", {name.lower(): value for name, value in
                                        self.headers.items()},
            self.number, getattr(self.connection, "asked_name", None))
        self.server.log.add(record)
        self.thaw()
        fault = faults.of_request(record)
        try:
            if fault and fault.kind == "unread":
                fault.hold(stopping)
                raise Reset
            request.body = record.body = self.read_body()
            late = fault.values["latency"] if fault and fault.kind == "late" else 0
            if fault and fault.kind == "slow":
                stopping.wait(fault.values["latency"])
            elif fault and not late:
                return self.fail(fault, request, record)
            self.answer(request, record, known=user is not None, late=late)
        finally:
            record.ended = time.time()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve

    # who is there

    def authenticate(self):
        """None: the credentials are no good."""
        known = self.user_of_certificate
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if known is None and scheme.lower() == "bearer":
            known = self.server.tokens.get(token.strip(), False)
        if known is False:
            return None
        if known is None:
            return self.server.anonymous
        return User(known.name, (*known.groups, AUTHENTICATED))

    # bodies

    def content_type(self):
        named = self.headers.get("Content-Type", "application/json")
        return named.partition(";")[0].strip().lower()

    def read_body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def answer(self, request, record, known=True, late=0):
        found = self.server.api.handle(request) if known \
            else Answer(401, errors.unauthorized().status())
        if isinstance(found, Watching):
            record.code = 200
            self.stream(found, record)
        else:
            record.code = found.code
            self.server.stopping.wait(late)
            self.send(found.code, found.body, found.headers)

    def send(self, code, body, headers=()):
        kind = "text/plain; charset=utf-8"
        if not isinstance(body, (str, bytes)):
            kind, body = "application/json", json.dumps(body, separators=(",", ":")) + "\n"
        content = body.encode() if isinstance(body, str) else body
        headers = {"Content-Type": kind, **dict(headers)}
        if len(content) > GZIP_BYTES and "gzip" in self.headers.get("Accept-Encoding", ""):
            content = gzip.compress(content, 1)
            headers.update({"Content-Encoding": "gzip", "Vary": "Accept-Encoding"})
        self.write(self.head(code, {**headers, "Content-Length": len(content)}) + content)

    def head(self, code, headers):
        with contextlib.suppress(ValueError):
            code = f"{code} {http.HTTPStatus(code).phrase}"
        named = {"Audit-Id": uuid.uuid4(), "Cache-Control": "no-cache, private", **headers,
                 "Date": self.date_time_string()}
        lines = [f"HTTP/1.1 {code}", *(f"{name}: {value}" for name, value in named.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def write(self, content):
        self.thaw()
        self.wfile.write(content)

    def thaw(self):
        while self.server.faults.frozen.is_set():
            if self.server.stopping.wait(0.02):
                raise Reset  # what was held back is told to nobody

    # watches

    def stream(self, watching, record):
        stream = Stream(watching.watch, watching.timeout, watching.bookmarks,
                        self.server.api.bookmark_seconds, record)
        with self.server.running(stream):
            self.write(self.head(200, {"Content-Type": "application/json",
                                       "Transfer-Encoding": "chunked"}))
            stream.run(self, self.server.stopping)
        self.write(b"0\r\n\r\n")

    def fileno(self):
        return self.connection.fileno()

    def send_event(self, record, text):
        fault = self.server.faults.of_event(record)
        if fault and fault.kind == "silent":
            fault.hold(self.server.stopping)
        chunk = b"%x\r\n%s\r\n" % (len(text), text)
        if fault and fault.kind == "torn":
            self.write(half(chunk))
            self.reset()
        self.write(chunk)

    # faults

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Reset

    def fail(self, fault, request, record):
        values = fault.values
        if fault.kind == "blackhole":
            fault.hold(self.server.stopping)
            raise Reset
        if fault.kind == "reset-before":
            self.reset()
        elif fault.kind == "reset-after":
            record.code = getattr(self.server.api.handle(request), "code", 200)
            self.reset()
        elif fault.kind == "refuse":
            error = values["error"]
            record.code = error.code
            self.send(error.code, error.status(), error.headers)
        elif fault.kind == "garbage":
            record.code = values["code"]
            self.send(values["code"], values["content"])
        elif fault.kind == "raw":
            record.code = 200
            for content in values["pieces"]():
                self.write(content)
            raise Reset
        elif fault.kind == "huge":
            record.code = 200
            self.write(self.head(200, {"Content-Type": "application/json",
                                       "Content-Length": values["size"]}))
            for content in huge_object(values["size"]):
                self.write(content)


def user_of_certificate(accepted):
    """None: there is no certificate; False: it is not valid now."""
    certificate = accepted.getpeercert() if isinstance(accepted, ssl.SSLSocket) else None
    if not certificate:
        return None
    dates = [ssl.cert_time_to_seconds(certificate[name]) for name in ("notBefore", "notAfter")]
    if not dates[0] <= time.time() <= dates[1]:
        return False
    parts = [part for parts in certificate["subject"] for part in parts]
    return User("".join([value for name, value in parts if name == "commonName"][:1]),
                tuple(value for name, value in parts if name == "organizationName"))


class Front:
    """Listens until it is closed. What it shares with the fronts before and after it, which listen
    on the same port, is the server's: api, log, faults, tokens, context (None: plain HTTP)."""

    def __init__(self, port, context, shared):
        self.context = context
        self.api, self.log, self.faults = shared.api, shared.log, shared.faults
        self.tokens, self.anonymous = shared.tokens, shared.anonymous
        self.numbers, self.handshake_errors = shared.numbers, shared.handshake_errors
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.connections = {}  # thread: socket
        self.streams = set()
        self.listener = reserve(port)
        self.listener.listen(BACKLOG)
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while not self.stopping.is_set():
            try:
                accepted = self.listener.accept()[0]
            except OSError:
                return
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self.attend, args=[accepted, next(self.numbers)],
                                      daemon=True)
            with self.lock:
                self.connections[thread] = accepted
            thread.start()

    def attend(self, accepted, number):
        try:
            while self.faults.mute.is_set() and not self.stopping.wait(0.02):
                pass
            if not self.stopping.is_set():
                self.serve(accepted, number)
        finally:
            with self.lock:
                self.connections.pop(threading.current_thread())

    def serve(self, accepted, number):
        if not self.context:
            with accepted:
                Connection(accepted, number, self)
            return
        secured = self.context.wrap_socket(accepted, server_side=True,
                                           do_handshake_on_connect=False)
        with self.lock:
            self.connections[threading.current_thread()] = secured
        with secured, contextlib.suppress(OSError):
            if self.stopping.is_set():  # and hang_up may have missed this one
                return
            secured.settimeout(HANDSHAKE_SECONDS)
            try:
                secured.do_handshake()
            except OSError as error:
                self.handshake_errors.append(str(error))
                return
            if not Connection(secured, number, self).broken:
                secured.settimeout(0)
                secured.unwrap()  # says goodbye, and does not wait for the answer

    @contextlib.contextmanager
    def running(self, stream):
        with self.lock:
            self.streams.add(stream)
        try:
            yield
        finally:
            with self.lock:
                self.streams.discard(stream)

    def order(self, pattern, what):
        """Has the streams of watches whose path and query match do something."""
        with self.lock:
            found = [stream for stream in self.streams if re.search(pattern, stream.record.url)]
        for stream in found:
            stream.orders.append(what)
        self.api.store.wake()
        return len(found)

    def hang_up(self):
        """Breaks all connections."""
        with self.lock:
            for accepted in self.connections.values():
                # Below TLS, which belongs to the connection's thread.
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(accepted, socket.SHUT_RDWR)

    def close(self):
        self.stopping.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()
        with self.lock:
            threads = list(self.connections)
        self.hang_up()
        self.api.store.wake()
        for thread in threads:
            thread.join()


def reserve(port=0):
    """A socket that is bound and does not listen: connections are refused, and nobody else can have
    the port."""
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind(("127.0.0.1", port))
    return reserved


def context_of(authority):
    """For a server's side; the certificate is to be loaded."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.verify_mode = ssl.CERT_OPTIONAL
    context.verify_flags |= NO_CHECK_TIME
    context.load_verify_locations(authority.certificate)

    def note_name(connection, name, _):
        connection.asked_name = name

    context.sni_callback = note_name
    return context
