"""Servers on the node for probes: one that notes who asked it when, and difficult ones."""

import contextlib
import http.server
import pathlib
import socket
import ssl
import struct
import subprocess
import threading
import time

CERTIFICATE = pathlib.Path(__file__).resolve().parent.parent / "data" / "expired.pem"
BACKLOG = 128


class Asked:
    """A server that notes when it was asked for which path, and answers as told."""

    def __init__(self):
        self.times = {}
        self.status = {}
        asked = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.times.setdefault(self.path, []).append(time.time())
                self.send_response(asked.status.get(self.path, 200))
                self.end_headers()

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = BACKLOG

            def handle_error(self, *_):
                """Who asked was killed, and does not hear the answer."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def probe(self, path, **fields):
        return {"httpGet": {"path": path, "port": self.port, "host": "127.0.0.1"}, **fields}

    def count(self, path):
        return len(self.times.get(path, []))

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Listener:
    """Serves each connection in a thread of its own, and notes when it came."""

    def __init__(self, serve, address="127.0.0.1", port=0):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.create_server((address, port), family=family, backlog=BACKLOG)
        self.port = self.socket.getsockname()[1]
        self.serve = serve
        self.times = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection = self.socket.accept()[0]
            except OSError:
                return
            self.times.append(time.time())
            threading.Thread(target=self.attend, args=[connection], daemon=True).start()

    def attend(self, connection):
        with connection, contextlib.suppress(OSError):
            self.serve(connection)

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


# plain HTTP: what is done for a path, step by step: bytes are sent, seconds are waited

HOLD, RESET = object(), object()
BODY_MAX = 10240  # bytes of a body that a probe reads


def head(status="200 OK", *headers, length=0):
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {length}", "Connection: close"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


PATHS = {
    "/ok": [head()],
    "/headers": [head()],
    "/slow": [0.4, head()],
    "/late": [HOLD],
    "/loop": [head("302 Found", "Location: /loop")],
    "/nowhere": [head("302 Found")],
    "/304": [b"HTTP/1.1 304 Not Modified\r\n\r\n"],
    "/399": [head("399 Strange", length=4), b"body"],
    "/huge": [head(length=2 * BODY_MAX), b"x" * 2 * BODY_MAX],
    "/enough": [head(length=2 * BODY_MAX), b"x" * BODY_MAX, HOLD],
    "/short": [head(length=2 * BODY_MAX), b"x" * (BODY_MAX - 1), HOLD],
    "/drip": [head(length=100), *([b"x", 0.2] * 100)],
    "/bad": [head("500 Broken", length=1 << 20), b"secret " * ((1 << 20) // 7)],
    "/early": [b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", 0.1,
               head()],
    "/switch": [b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
                HOLD],
    "/close": [],
    "/cut-head": [b"HTTP/1.1 200 OK\r\nContent-Le"],
    "/cut-body": [head(length=100), b"x"],
    "/reset": [RESET],
    "/reset-body": [head(length=100), b"x", 0.1, RESET],
}


def hold(connection):
    """Until the other side is gone."""
    while connection.recv(1 << 16):
        pass


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def play(connection, steps):
    for step in steps:
        if step is HOLD:
            hold(connection)
        elif step is RESET:
            reset(connection)
        elif isinstance(step, bytes):
            connection.sendall(step)
        else:
            time.sleep(step)


# HTTP/2, as much as an answer without a body needs

HEADERS, SETTINGS = 1, 4
ACK = 1
END_STREAM, END_HEADERS = 1, 4
STATUS_200 = b"\x88"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags=0, stream=0, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + \
        payload


def serve_http_2(connection):
    file = connection.makefile("rb")
    assert file.read(len(PREFACE)) == PREFACE
    connection.sendall(frame(SETTINGS))
    while start := file.read(9):
        length, kind, flags = int.from_bytes(start[:3], "big"), start[3], start[4]
        file.read(length)
        if kind == SETTINGS and not flags & ACK:
            connection.sendall(frame(SETTINGS, ACK))
        if kind == HEADERS:
            stream = int.from_bytes(start[5:], "big")
            connection.sendall(frame(HEADERS, END_STREAM | END_HEADERS, stream, STATUS_200))


WAITING = 8  # connections that fill a queue of none and what the kernel adds


def connect_soon(port):
    connection = socket.socket()
    connection.setblocking(False)
    connection.connect_ex(("127.0.0.1", port))
    return connection


class Difficult:
    """`ports`, by name: plain, other (plain, too), six (plain, on ::1), tls, silent (accepts, and
    says nothing), full (takes no connection any more), none (nobody listens), grpc (the health
    service, HTTP/2 alone). Those that gRPC asks are on all of the node's addresses."""

    def __init__(self, health_server):
        self.requests = {}  # path: [text of a request]
        self.agreed = set()  # (protocol, name of the server) of TLS
        plain, other, six = (Listener(self.serve_http, address)
                             for address in ("0.0.0.0", "127.0.0.1", "::1"))
        tls = Listener(self.serve_tls, "0.0.0.0")
        silent = Listener(hold, "0.0.0.0")
        self.listeners = [plain, other, six, tls, silent]
        self.full = socket.create_server(("0.0.0.0", 0), backlog=0)
        full = self.full.getsockname()[1]
        self.waiting = [connect_soon(full) for _ in range(WAITING)]
        self.health = subprocess.Popen([health_server], text=True, stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE)
        grpc = int(self.health.stdout.readline())
        with socket.create_server(("127.0.0.1", 0)) as closed:
            none = closed.getsockname()[1]
        self.ports = {"plain": plain.port, "other": other.port, "six": six.port, "tls": tls.port,
                      "silent": silent.port, "full": full, "none": none, "grpc": grpc}
        self.paths = {
            **PATHS,
            "/to-other": [head("302 Found", f"Location: http://127.0.0.1:{other.port}/there")],
            "/there": [head()],
            "/away": [head("302 Found", f"Location: http://localhost:{plain.port}/ok", length=5),
                      b"there"],
        }

    def serve_http(self, connection):
        text = b""
        while b"\r\n\r\n" not in text:
            more = connection.recv(4096)
            if not more:
                return
            text += more
            if not text.startswith(b"G"):
                connection.sendall(head("400 Bad Request"))
                return
        path = text.split()[1].decode()
        self.requests.setdefault(path, []).append(text.decode())
        play(connection, self.paths[path])

    def serve_tls(self, connection):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        context.set_alpn_protocols(["h2", "http/1.1"])
        names = []
        context.sni_callback = lambda connection, name, _: names.append(name)
        with context.wrap_socket(connection, server_side=True) as secured:
            protocol = secured.selected_alpn_protocol()
            self.agreed.add((protocol, *names))
            if protocol == "h2":
                serve_http_2(secured)
            else:
                self.serve_http(secured)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for listener in self.listeners:
            listener.close()
        self.full.close()
        for connection in self.waiting:
            connection.close()
        self.health.stdin.close()
        self.health.wait()
