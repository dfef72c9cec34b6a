"""What a real kube-apiserver writes of the requests that nodes make, as records like the double's."""

import datetime
import json
import re
import threading
import urllib.parse

from api_http import Record

POLICY = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
          "rules": [{"level": "Request", "userGroups": ["system:nodes", "system:bootstrappers"]},
                    {"level": "None"}]}
METHODS = {"create": "POST", "update": "PUT", "patch": "PATCH", "delete": "DELETE"}


class AuditLog:
    def __init__(self, path):
        self.path = path
        self.lock = threading.Lock()
        self.offset = 0  # of what was read
        self.records = {}  # by the request's identity

    def find(self, method=None, pattern=""):
        """Those of a method or verb, whose path and query match a regular expression."""
        with self.lock:
            self.read()
            return [record for record in self.records.values()
                    if method in (None, record.method, record.verb.upper())
                    and re.search(pattern, record.url)]

    def read(self):
        if not self.path.exists():
            return
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            for line in file:
                if line.endswith(b"\n"):
                    self.offset += len(line)
                    event = json.loads(line)
                    self.records[event["auditID"]] = record_of(event)


def record_of(event):
    """A watch has two events: as it begins, and when it is over."""
    url, body = urllib.parse.urlsplit(event["requestURI"]), event.get("requestObject")
    return Record(
        METHODS.get(event["verb"], "GET"), event["verb"], event["requestURI"], url.path,
        dict(urllib.parse.parse_qsl(url.query)), event["user"]["username"], {}, 0, None,
        seconds_of(event["requestReceivedTimestamp"]), b"" if body is None else
        json.dumps(body).encode(), event["responseStatus"]["code"],
        seconds_of(event["stageTimestamp"]))


def seconds_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
