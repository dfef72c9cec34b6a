"""A client of API servers, with nothing but Python's own library: what tests and the comfortable
side of servers (api_cluster.py) ask with."""

import http.client
import json
import ssl
import urllib.parse
from dataclasses import dataclass

import api_patch

SECONDS = 30
READ_BYTES = 1 << 16


@dataclass
class Answer:
    code: int
    headers: object
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class Client:
    """`url` is a server's; `authority` the path of its CA, `pair` a certificate and its key."""

    def __init__(self, url, authority=None, pair=None, token=None, seconds=SECONDS):
        parts = urllib.parse.urlsplit(url)
        self.address = parts.hostname, parts.port
        self.token = token
        self.seconds = seconds
        self.context = None
        if parts.scheme == "https":
            self.context = ssl.create_default_context(cafile=authority)
            self.context.set_alpn_protocols(["http/1.1"])
            if pair:
                self.context.load_cert_chain(pair.certificate, pair.key)
        self.connection = None

    def connect(self):
        if not self.context:
            return http.client.HTTPConnection(*self.address, timeout=self.seconds)
        return http.client.HTTPSConnection(*self.address, timeout=self.seconds,
                                           context=self.context)

    def request(self, method, path, body=None, kind="application/json", headers=()):
        """Over one connection, which is made anew when it broke."""
        self.connection = self.connection or self.connect()
        try:
            answer = self.send(self.connection, method, path, body, kind, headers)
            return Answer(answer.status, answer.headers, answer.read())
        except BaseException:
            self.close()
            raise

    def send(self, connection, method, path, body=None, kind="application/json", headers=()):
        headers = {"Accept": "application/json", **dict(headers)}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            headers["Content-Type"] = kind
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, path, body, headers)
        return connection.getresponse()

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body, **options):
        return self.request("POST", path, body, **options)

    def put(self, path, body, **options):
        return self.request("PUT", path, body, **options)

    def patch(self, path, body, kind=api_patch.STRATEGIC_PATCH, **options):
        return self.request("PATCH", path, body, kind, **options)

    def delete(self, path, body=None, **options):
        return self.request("DELETE", path, body, **options)

    def watch(self, path, **query):
        """A Watch on a connection of its own; "watch=true" is added to the query."""
        query = urllib.parse.urlencode({"watch": "true", **query})
        connection = self.connect()
        try:
            answer = self.send(connection, "GET", f"{path}?{query}")
        except BaseException:
            connection.close()
            raise
        return Watch(connection, answer)

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Watch:
    """`code` is the answer's; events come one by one."""

    def __init__(self, connection, answer):
        self.connection = connection
        self.answer = answer
        self.code = answer.status
        self.sock = connection.sock
        self.rest = b""  # of what was read, that is no whole line yet

    def next(self, seconds=SECONDS):
        """The next event; None: the stream is over, as it should be. Raises TimeoutError, and
        IncompleteRead when it broke off."""
        if self.sock:
            self.sock.settimeout(seconds)
        while b"\n" not in self.rest and (more := self.answer.read1(READ_BYTES)):
            self.rest += more
        line, _, self.rest = self.rest.partition(b"\n")
        return json.loads(line) if line else None

    def until(self, kind):
        """Events up to one of a type, or to the end."""
        events = []
        while event := self.next():
            events.append(event)
            if event["type"] == kind:
                break
        return events

    def silent(self, seconds):
        """Whether nothing comes for so long; the watch is of no use afterwards."""
        try:
            self.next(seconds)
        except TimeoutError:
            return True
        return False

    def body(self):
        return json.loads(self.answer.read())

    def close(self):
        self.answer.close()
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
