"""Watches: what changed of what was asked for, and the stream that tells it."""

import collections
import copy
import json
import os
import random
import select
import time

import api_errors as errors

TIMEOUT_SECONDS = (1800, 3600)  # when the client names none
BOOKMARK_SECONDS = 60
INITIAL_END = "k8s.io/initial-events-end"
EMPTY_PARTS = {"pods": {"spec": {"containers": None}, "status": {}}}  # of what bookmarks carry


class Watch:
    """The events of one watch; `since` None: they begin with all objects that there are."""

    def __init__(self, store, kind, namespace, selector, since, initial_end=False):
        self.store = store
        self.kind = kind
        self.namespace = namespace
        self.selector = selector
        self.version = since
        self.initial_end = initial_end

    def take(self):
        """What is to be told since the last call; raises Expired."""
        if self.version is not None:
            return self.live()
        self.version, objects = self.store.list(self.kind, self.namespace, self.selector)
        events = [event("ADDED", obj) for obj in objects]
        if self.initial_end:
            events.append(self.bookmark({INITIAL_END: "true"}))
        return events

    def live(self):
        events = []
        for change in self.store.changes(self.version):
            self.version = change.version
            target = change.target
            if target.kind == self.kind and self.namespace in ("", target.namespace):
                events += self.seen(change)
        return events

    def seen(self, change):
        """A change as it looks through the selector."""
        was = change.before is not None and self.selector.accepts(change.before)
        now = change.type != "DELETED" and self.selector.accepts(change.obj)
        if now:
            return [event("MODIFIED" if was else "ADDED", change.obj)]
        if not was:
            return []
        last = change.obj
        if change.type != "DELETED":  # it is there still, but not for this watch
            last = copy.deepcopy(change.before)
            last["metadata"]["resourceVersion"] = str(change.version)
        return [event("DELETED", last)]

    def bookmark(self, annotations=None):
        metadata = {"resourceVersion": str(self.version), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        return event("BOOKMARK", {"kind": self.kind.name, "apiVersion": self.kind.api_version,
                                  "metadata": metadata, **EMPTY_PARTS.get(self.kind.resource, {})})


def event(kind, obj):
    return {"type": kind, "object": obj}


def failure(error):
    return event("ERROR", error.status())


class Stream:
    """A watch on its way to a client. What tests order is done in the stream's own thread."""

    def __init__(self, watch, timeout, bookmarks, bookmark_seconds, record):
        self.watch = watch
        self.record = record
        self.ends = time.monotonic() + (random.uniform(*TIMEOUT_SECONDS) if timeout is None
                                        else timeout)
        self.bookmarks = bookmarks
        self.bookmark_seconds = bookmark_seconds
        self.orders = collections.deque()

    def run(self, connection, stopping):
        """Until its time is over or the client leaves. `connection` sends chunks."""
        next_bookmark = time.monotonic() + self.bookmark_seconds
        with self.watch.store.waker() as waker:
            poll = select.poll()
            poll.register(waker, select.POLLIN)
            poll.register(connection.fileno(), select.POLLRDHUP)
            while not stopping.is_set():
                if self.tell_news(connection) or self.obey(connection):
                    return
                now = time.monotonic()
                if now >= self.ends:
                    self.send_bookmark(connection)
                    return
                if now >= next_bookmark:
                    self.send_bookmark(connection)
                    next_bookmark = now + self.bookmark_seconds
                ready = poll.poll(1000 * max(0, min(self.ends, next_bookmark) - now) + 1)
                if any(descriptor != waker for descriptor, _ in ready):
                    raise ConnectionError("the client has left")
                if ready:
                    os.eventfd_read(waker)
            raise ConnectionError("the server stops")

    def tell_news(self, connection):
        """Whether that was the end."""
        try:
            events = self.watch.take()
        except errors.ApiError as error:
            self.send(connection, failure(error))
            return True
        for told in events:
            self.send(connection, told)
        return False

    def obey(self, connection):
        """Whether that was the end."""
        while self.orders:
            order = self.orders.popleft()
            if order == "bookmark":
                self.send_bookmark(connection)
            elif order == "end":
                return True
            elif order == "reset":
                connection.reset()
            else:
                self.send(connection, failure(order))
                return True
        return False

    def send_bookmark(self, connection):
        if self.bookmarks:
            self.send(connection, self.watch.bookmark())

    def send(self, connection, told):
        connection.send_event(self.record, json.dumps(told, separators=(",", ":")).encode() + b"\n")
