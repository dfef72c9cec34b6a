"""Faults that the API server double plays when told: by path, as often or as long as wanted.

Each is added by a method of `server.faults` and holds until it is removed, used up (`count`) or
over (`seconds`); as a context manager it holds within its block:

    with server.faults.refuse("/pods/web/status", 429, retry_after=2, count=2): ..."""

import re
import threading
import time
from dataclasses import dataclass, field

from api_errors import ApiError

SLICE = 1 << 16  # bytes of a large answer that are sent at a time
POLL_SECONDS = 0.02  # between two looks whether a fault that holds somebody is over

MESSAGES = {429: "too many requests, please try again later",
            500: "an internal error was ordered", 503: "the server is not ready",
            504: "the request did not complete within the allotted timeout"}


@dataclass(eq=False)
class Fault:
    faults: object
    kind: str
    path: str  # a regular expression for path and query
    method: str = None  # HTTP's, or the verb: "PATCH", "WATCH"
    user: str = None
    count: int = None
    skip: int = 0  # so many pass before
    ends: float = None
    values: dict = field(default_factory=dict)
    hits: int = 0  # requests that it met, those that it let pass before included

    def matches(self, record):
        return re.search(self.path, record.url) and \
            self.method in (None, record.method, record.verb.upper()) and \
            self.user in (None, record.user)

    @property
    def active(self):
        return self in self.faults.listed and (self.ends is None or time.monotonic() < self.ends)

    def remove(self):
        self.faults.remove(self)

    def hold(self, stopping):
        """Until it is removed or over, or the server stops."""
        while self.active and not stopping.wait(POLL_SECONDS):
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()


class Faults:
    def __init__(self):
        self.lock = threading.Lock()
        self.listed = []
        self.mute = threading.Event()  # new connections are accepted, and nothing is said
        self.frozen = threading.Event()  # nobody reads or writes on any connection

    # of requests

    def slow(self, path, latency, **options):
        """Each request waits before it is looked at."""
        return self._add("slow", path, options, latency=latency)

    def late(self, path, latency, **options):
        """Each request has its effect at once, and its answer waits."""
        return self._add("late", path, options, latency=latency)

    def reset_before(self, path, **options):
        """The connection breaks before the request has an effect."""
        return self._add("reset-before", path, options)

    def reset_after(self, path, **options):
        """The request has its effect, and the connection breaks in place of the answer."""
        return self._add("reset-after", path, options)

    def blackhole(self, path, **options):
        """The request is read, has no effect and is never answered."""
        return self._add("blackhole", path, options)

    def unread(self, path, **options):
        """Nothing is read any more after the request's head."""
        return self._add("unread", path, options)

    def refuse(self, path, code, retry_after=None, message=None, reason=None, **options):
        """A Status in place of the answer."""
        error = ApiError(code, message or MESSAGES.get(code, f"code {code} was ordered"), reason,
                         retry_after=retry_after)
        return self._add("refuse", path, options, error=error)

    def garbage(self, path, content=b"<html>bad gateway</html>", code=200, **options):
        return self._add("garbage", path, options, content=content, code=code)

    def raw(self, path, pieces, **options):
        """These bytes in place of an answer, its head included, and the connection ends. `pieces`:
        a function that returns an iterator."""
        return self._add("raw", path, options, pieces=pieces)

    def huge(self, path, size=100 << 20, **options):
        """An answer of so many bytes, all of one valid JSON object."""
        return self._add("huge", path, options, size=size)

    # of watches, the running ones too

    def torn(self, path, **options):
        """The connection breaks in the middle of the next event."""
        return self._add("torn", path, {"count": 1, **options})

    def silent(self, path, **options):
        """Nothing is told any more while the connection stays; later it goes on where it was."""
        return self._add("silent", path, options)

    OF_EVENTS = ("torn", "silent")

    # the machinery

    def _add(self, kind, path, options, **values):
        seconds = options.pop("seconds", None)
        ends = None if seconds is None else time.monotonic() + seconds
        fault = Fault(self, kind, path, ends=ends, values=values, **options)
        with self.lock:
            self.listed.append(fault)
        return fault

    def remove(self, fault):
        with self.lock:
            if fault in self.listed:
                self.listed.remove(fault)

    def clear(self):
        with self.lock:
            self.listed.clear()
        self.mute.clear()
        self.frozen.clear()

    def of_request(self, record):
        return self._take(record, lambda fault: fault.kind not in self.OF_EVENTS)

    def of_event(self, record):
        return self._take(record, lambda fault: fault.kind in self.OF_EVENTS)

    def _take(self, record, wanted):
        """The first that concerns a request, None: nothing does."""
        with self.lock:
            for fault in self.listed:
                if fault.active and wanted(fault) and fault.matches(record) and \
                        (fault.count is None or fault.hits < fault.skip + fault.count):
                    fault.hits += 1
                    return None if fault.hits <= fault.skip else fault
        return None


def huge_object(size):
    """Slices of one JSON object that is `size` bytes long."""
    head, tail = b'{"kind":"Huge","filler":"', b'"}'
    yield head
    rest = size - len(head) - len(tail)
    while rest > 0:
        yield b"x" * min(rest, SLICE)
        rest -= SLICE
    yield tail


def half(event):
    return event[:len(event) // 2]
