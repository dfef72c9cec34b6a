"""The way between the agent and its API server: connections on it can go dead, though nobody closes
them, or lead through a proxy."""

import contextlib
import socket
import threading

from servers import Listener

BYTES = 1 << 16


class Relay:
    """To a port of 127.0.0.1, from one of its own."""

    def __init__(self, port):
        self.to = port
        self.dead = threading.Event()  # of the connections made from now on
        self.pairs = []
        self.listener = Listener(self._serve)
        self.port = self.listener.port

    def go_dead(self):
        """What is sent on the connections that there are arrives nowhere; new ones work."""
        self.dead.set()
        self.dead = threading.Event()

    def cut(self):
        """Breaks the connections that there are, wherever they are in what they say; new ones
        work."""
        for pair in list(self.pairs):
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.go_dead()
        self.listener.close()
        self.cut()

    def _serve(self, client):
        dead = self.dead
        with contextlib.suppress(OSError), \
                socket.create_connection(("127.0.0.1", self.to)) as server:
            self.pairs.append((client, server))
            back = threading.Thread(target=pump, args=(server, client, dead), daemon=True)
            back.start()
            pump(client, server, dead)
            back.join()


class Proxy:
    """Makes tunnels, and notes where to."""

    def __init__(self):
        self.asked = []
        self.listener = Listener(self._serve)
        self.url = f"http://127.0.0.1:{self.listener.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _serve(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(BYTES) or b"\r\n\r\n"
        target = head.split()[1].decode() if head.startswith(b"CONNECT ") else ""
        self.asked.append(target)
        host, _, port = target.rpartition(":")
        with contextlib.suppress(OSError, ValueError), \
                socket.create_connection((host, int(port))) as server:
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=pump, args=(server, client, threading.Event()),
                                    daemon=True)
            back.start()
            pump(client, server, threading.Event())
            back.join()


def pump(source, sink, dead):
    """Until there is no more; what is read of a dead connection is lost."""
    with contextlib.suppress(OSError):
        while data := source.recv(BYTES):
            if not dead.is_set():
                sink.sendall(data)
    if not dead.is_set():
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
