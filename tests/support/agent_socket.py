"""A stand-in for the agent's end of the local socket: says what a test wants said."""

import json
import os
import pathlib
import socket
import threading
import time

OK = b'{"ok":true}\n'


def line(document):
    return json.dumps(document).encode() + b"\n"


def refusal(sentence):
    return line({"ok": False, "error": sentence})


class AgentSocket:
    """Answers each command by `answers[command]`: a list of bytes to send and of seconds to wait,
    or a function of the request that returns one. Closes at the end of the list."""

    def __init__(self, run_dir, answers):
        self.run_dir, self.answers = pathlib.Path(run_dir), answers
        self.requests = []
        self.socket = socket.socket(socket.AF_UNIX)
        directory = os.open(run_dir, os.O_PATH)
        self.socket.bind(f"/proc/self/fd/{directory}/nodeagent.sock")
        os.close(directory)
        self.socket.listen()
        self.stopped = threading.Event()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client = self.socket.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.answer, args=[client], daemon=True).start()

    def answer(self, client):
        with client:
            request = json.loads(client.makefile("rb").readline())
            self.requests.append(request)
            steps = self.answers[request["command"]]
            for step in steps(request) if callable(steps) else steps:
                if isinstance(step, bytes):
                    try:
                        client.sendall(step)
                    except OSError:
                        return
                elif self.stopped.wait(step):
                    return

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def ago(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - seconds))
