"""Servers that answer probes in every way that there is, good and bad."""

import socket
import ssl
import struct
import subprocess
import threading

from servers import Listener

SERVING, NOT_SERVING = 1, 2
TLS_HANDSHAKE = b"\x16"
END_STREAM, END_HEADERS, ACK = 1, 4, 1
DATA, HEADERS, SETTINGS = 0, 1, 4


class Server(Listener):
    """Calls answer(server, connection) for each client, on a thread of its own."""

    def __init__(self, answer, address="127.0.0.1", port=0):
        self.requests = []
        self.released = threading.Event()  # those who say nothing wait for it
        super().__init__(lambda connection: answer(self, connection), address, port)

    def close(self):
        self.released.set()
        super().close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def read_head(client):
    head = b""
    while b"\r\n\r\n" not in head:
        piece = client.recv(65536)
        head += piece
        if not piece or head.startswith(TLS_HANDSHAKE):
            break
    return head


def answering(status, *headers, body=""):
    """An HTTP answer: answering("200 OK", "Content-Type: text/plain", body="up")."""
    def answer(server, client):
        server.requests.append(read_head(client).decode(errors="replace"))
        lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}",
                 "Connection: close", "", body]
        client.sendall("\r\n".join(lines).encode())

    return answer


def saying(text):
    """Just that, whatever it is asked."""
    def answer(server, client):
        read_head(client)
        client.sendall(text)

    return answer


def silent(server, client):
    server.released.wait()


def stalling(server, client):
    """A head without the body that it promises."""
    read_head(client)
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun")
    server.released.wait()


def closing(server, client):
    read_head(client)


def over_tls(answer, certificate):
    """`certificate`: a file with a key and a certificate, as make_certificate() makes it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def talk(server, client):
        if client.recv(1, socket.MSG_PEEK) != TLS_HANDSHAKE:  # told off as Go's server does
            return saying(b"HTTP/1.0 400 Bad Request\r\n\r\n"
                          b"Client sent an HTTP request to an HTTPS server.\n")(server, client)
        with context.wrap_socket(client, server_side=True) as secured:
            answer(server, secured)

    return talk


def make_certificate(path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
                    "-subj", "/CN=example", "-keyout", path.with_suffix(".key"), "-out", path],
                   check=True, capture_output=True)
    path.write_text(path.read_text() + path.with_suffix(".key").read_text())
    return path


# gRPC: what a server of its health service says over HTTP/2, by hand


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) \
        + struct.pack(">I", stream) + payload


def header(name, value):
    """HPACK: a literal that is not indexed."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def read_exactly(client, length):
    data = b""
    while len(data) < length:
        piece = client.recv(length - len(data))
        if not piece:
            raise ConnectionError("closed")
        data += piece
    return data


def read_call(client):
    read_exactly(client, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
    while True:
        length, kind, flags, _ = struct.unpack(">IBBI", b"\0" + read_exactly(client, 9))
        read_exactly(client, length)
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            return


def health(status):
    """Answers the first call with this serving status."""
    def answer(server, client):
        message = bytes([0x08, status])
        client.sendall(frame(SETTINGS, 0, 0, b""))
        read_call(client)
        client.sendall(
            frame(SETTINGS, ACK, 0, b"")
            + frame(HEADERS, END_HEADERS, 1,
                    b"\x88" + header("content-type", "application/grpc"))
            + frame(DATA, 0, 1, b"\0" + struct.pack(">I", len(message)) + message)
            + frame(HEADERS, END_HEADERS | END_STREAM, 1, header("grpc-status", "0")))
        server.released.wait(1)

    return answer
