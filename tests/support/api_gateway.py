"""nghttpx (of the package nghttp2-proxy) in front of an API server: real HTTP/2 over TLS, with a
client certificate that it demands and a limit of streams. Who asks is known behind it by a token."""

import contextlib
import shutil
import signal
import socket
import subprocess
import time

START_SECONDS = 10
END_SECONDS = 10
STREAMS = 100  # on one connection, as Kubernetes' own has it


class Gateway:
    """Of `server`, a double that speaks plain HTTP, with certificates of its authority."""

    def __init__(self, server, directory, streams=STREAMS, options=()):
        self.program = shutil.which("nghttpx")
        assert self.program, "nghttpx is not there: install the package nghttp2-proxy"
        self.server = server
        self.directory = directory
        self.streams = streams
        self.options = options
        self.pair = server.authority.issue("gateway", [], ("127.0.0.1",))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        self.process = None
        self.leaving = []

    def start(self):
        with open(self.directory / "gateway.log", "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "--conf=/dev/null", "--workers=1", "--no-ocsp",
                 f"--frontend=127.0.0.1,{self.port}", f"--backend=127.0.0.1,{self.server.port}",
                 f"--frontend-http2-max-concurrent-streams={self.streams}", "--verify-client",
                 f"--verify-client-cacert={self.server.authority.certificate}",
                 "--backend-read-timeout=1h", "--frontend-http2-read-timeout=1h",
                 f"--accesslog-file={self.directory / 'access.log'}",
                 "--accesslog-format=$remote_port $alpn $status $request", *self.options,
                 self.pair.key, self.pair.certificate], stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while not self.listens():
            assert self.process.poll() is None and time.monotonic() < deadline, \
                (self.directory / "gateway.log").read_text()
            time.sleep(0.02)

    def listens(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False

    def replace(self):
        """Another takes over: the old one says GOAWAY, and ends with its last stream."""
        self.process.send_signal(signal.SIGQUIT)
        self.leaving.append(self.process)
        deadline = time.monotonic() + START_SECONDS
        while self.listens():
            assert time.monotonic() < deadline, "nghttpx goes on listening"
            time.sleep(0.02)
        self.start()

    def stop(self):
        """All connections break."""
        for process in [*self.leaving, self.process]:
            process.terminate()
            process.wait(END_SECONDS)
        self.leaving = []

    def answered(self):
        """[(port of the client, protocol, code, method and path)] of what is over."""
        path = self.directory / "access.log"
        return [tuple(line.split(" ", 3)) for line in path.read_text().splitlines()]

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
