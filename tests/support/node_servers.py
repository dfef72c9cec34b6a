"""The node's own servers, /healthz and the node's API, as others on the node ask them."""

import contextlib
import http.client

LOCAL = "127.0.0.1"
SECONDS = 10


def ask(port, path="/", context=None):
    """(status, body) of a GET; over TLS with a context."""
    client = (http.client.HTTPSConnection(LOCAL, port, timeout=SECONDS, context=context)
              if context else http.client.HTTPConnection(LOCAL, port, timeout=SECONDS))
    try:
        client.request("GET", path)
        answer = client.getresponse()
        return answer.status, answer.read().decode()
    finally:
        client.close()


def is_healthy(port):
    with contextlib.suppress(OSError):
        return ask(port, "/healthz") == (200, "ok")
    return False
