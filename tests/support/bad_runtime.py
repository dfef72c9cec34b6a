"""What may listen where a container runtime should, and is none: it says nothing, or something else,
or speaks HTTP/2 and gRPC (as little of it as it takes) and then lies."""

import contextlib
import os
import socket
import struct
import threading

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, PING, GOAWAY = 0, 1, 4, 6, 7
END_STREAM, ACK, END_HEADERS = 1, 1, 4
UNIMPLEMENTED = 12


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def fields(**pairs):
    """HPACK: literals without compression."""
    block = b""
    for name, value in pairs.items():
        name, value = name.replace("_", "-").encode(), value.encode()
        block += b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value
    return block


def read(connection, size):
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise OSError("it closed the connection")
        data += more
    return data


def requests(connection):
    """The streams whose request has come in whole; settings and pings are answered."""
    assert read(connection, len(PREFACE)) == PREFACE
    connection.sendall(frame(SETTINGS, 0, 0))
    while True:
        length, kind, flags, stream = struct.unpack(">IBBI", b"\0" + read(connection, 9))
        payload = read(connection, length)
        if kind in (SETTINGS, PING) and not flags & ACK:
            connection.sendall(frame(kind, ACK, 0, payload if kind == PING else b""))
        elif kind in (HEADERS, DATA) and flags & END_STREAM:
            yield stream


# what it does with a connection


def says_nothing(connection):
    while connection.recv(1 << 16):
        pass


def closes_at_once(connection):
    pass


def says_bytes(connection):
    connection.sendall(bytes(range(256)) * 64)
    says_nothing(connection)


def speaks_http_1(connection):
    connection.recv(1 << 16)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nno\n")


def closes_within_a_call(connection):
    next(requests(connection))


def hangs_within_calls(connection):
    for _ in requests(connection):
        pass


def answers(message=b"", status=0, text=""):
    """The same to all calls."""
    def run(connection):
        for stream in requests(connection):
            connection.sendall(
                frame(HEADERS, END_HEADERS, stream,
                      b"\x88" + fields(content_type="application/grpc"))
                + (frame(DATA, 0, stream, b"\0" + struct.pack(">I", len(message)) + message)
                   if status == 0 else b"")
                + frame(HEADERS, END_HEADERS | END_STREAM, stream,
                        fields(grpc_status=str(status), grpc_message=text)))
            yield stream
    return run


class BadRuntime:
    """Listens at the path while the block lasts."""

    def __init__(self, path, behaviour):
        self.behaviour = behaviour
        self.connections = []
        self.requests = 0  # answered
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.path = path
        self.listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection = self.listener.accept()[0]
                self.connections.append(connection)
                threading.Thread(target=self._answer, args=[connection], daemon=True).start()

    def _answer(self, connection):
        with contextlib.suppress(OSError), connection:
            for _ in self.behaviour(connection) or ():
                self.requests += 1

    def end(self):
        os.unlink(self.path)
        for opened in (self.listener, *self.connections):
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
