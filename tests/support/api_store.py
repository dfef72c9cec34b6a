"""What the API server double keeps: objects, each at a version, and the changes that watches tell.

Objects in the store are never changed, only replaced, so whoever got one may keep it."""

import calendar
import collections
import contextlib
import copy
import os
import threading
import time
import uuid
from dataclasses import dataclass

import api_errors as errors

HISTORY_MAX = 20000  # changes: those before are forgotten for good
FIRST_VERSION = 1000
VERSIONED = {"pods", "csidrivers"}  # whose metadata.generation counts the changes of their spec


TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def timestamp(seconds=None):
    return time.strftime(TIME_FORMAT, time.gmtime(seconds))


def seconds_of(text):
    return calendar.timegm(time.strptime(text, TIME_FORMAT))


@dataclass(frozen=True)
class Change:
    version: int
    type: str  # ADDED, MODIFIED, DELETED
    target: object
    obj: dict
    before: dict = None  # None: there was none


class Store:
    def __init__(self):
        self.lock = threading.RLock()
        self.version = FIRST_VERSION
        self.objects = {}  # Target: object
        self.history = collections.deque()
        self.expired = 0  # the newest version whose change no watch is told any more
        self.compacted = 0  # the newest version whose change is forgotten for good
        self.stale = None  # (version, objects) as readers of a cache that lags see them
        self.token_seconds = {}  # audience: how long tokens for it last, whatever was asked for
        self.wakers = set()  # event descriptors of those who wait for changes

    # reading

    def find(self, target):
        return self.objects.get(target)

    def get(self, target):
        obj = self.objects.get(target)
        if obj is None:
            raise errors.not_found(target.kind, target.name)
        return obj

    def list(self, kind, namespace, selector, cached=False, exact=None):
        """(version, objects) in the order of their names, `exact`ly as they were at that version."""
        with self.lock:
            version, objects = (self.version, self.objects)
            if cached and self.stale:
                version, objects = self.stale
            if exact is not None:
                version, objects = exact, self._objects_at(exact)
            return version, [obj for target, obj in sorted(
                objects.items(), key=lambda item: (item[0].namespace, item[0].name))
                if target.kind == kind and (not namespace or target.namespace == namespace)
                and selector.accepts(obj)]

    def _objects_at(self, version):
        if version < self.compacted:
            raise errors.expired(version, self.compacted)
        objects = dict(self.objects)
        for change in reversed(self.history):
            if change.version <= version:
                break
            if change.before is None:
                del objects[change.target]
            else:
                objects[change.target] = change.before
        return objects

    def changes(self, since):
        """Those after version `since`; raises Expired when some of them are told no more."""
        with self.lock:
            if since < self.expired:
                raise errors.expired(since, self.expired)
            newest = []
            for change in reversed(self.history):
                if change.version <= since:
                    break
                newest.append(change)
            return newest[::-1]

    # writing

    def create(self, target, obj):
        """The object as it was stored: what the server gives out is given, what is not for a
        client to say is not listened to."""
        with self.lock:
            if target in self.objects:
                raise errors.already_exists(target.kind, target.name)
            metadata = obj["metadata"]
            for name in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink",
                         "managedFields", "generation"):
                metadata.pop(name, None)
            metadata.update(uid=str(uuid.uuid4()), creationTimestamp=timestamp(), name=target.name)
            if target.namespace:
                metadata["namespace"] = target.namespace
            if target.kind.resource in VERSIONED:
                metadata["generation"] = 1
            return self._store("ADDED", target, obj)

    def replace(self, target, obj):
        """The object as it is now; nothing happens when it is what it was before."""
        with self.lock:
            before = self.get(target)
            metadata = obj["metadata"]
            metadata["resourceVersion"] = before["metadata"]["resourceVersion"]
            if obj == before:
                return before
            if metadata.get("deletionTimestamp") and not metadata.get("finalizers") \
                    and before["metadata"].get("finalizers"):
                self._store("MODIFIED", target, obj)
                return self.remove(target)
            return self._store("MODIFIED", target, obj)

    def remove(self, target):
        with self.lock:
            return self._store("DELETED", target, copy.deepcopy(self.get(target)))

    def _store(self, change, target, obj):
        before = self.objects.get(target)
        self.version += 1
        obj.update(apiVersion=target.kind.api_version, kind=target.kind.name)
        obj["metadata"]["resourceVersion"] = str(self.version)
        if change == "DELETED":
            del self.objects[target]
        else:
            self.objects[target] = obj
        self.history.append(Change(self.version, change, target, obj, before))
        while len(self.history) > HISTORY_MAX:
            self.compacted = self.history.popleft().version
            self.expired = max(self.expired, self.compacted)
        self._wake()
        return obj

    # time

    def expire(self):
        """No watch goes on from a version that a client knows. Lists of it are to be had, though:
        etcd keeps what was for longer than the server's own memory does."""
        with self.lock:
            self.version += 1
            self.expired = self.version
            self._wake()

    def freeze_cache(self):
        with self.lock:
            self.stale = self.version, dict(self.objects)

    def thaw_cache(self):
        with self.lock:
            self.stale = None

    # who waits

    @contextlib.contextmanager
    def waker(self):
        """A descriptor that can be read from after each change."""
        descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        with self.lock:
            self.wakers.add(descriptor)
        try:
            yield descriptor
        finally:
            with self.lock:
                self.wakers.remove(descriptor)
            os.close(descriptor)

    def _wake(self):
        for descriptor in self.wakers:
            os.eventfd_write(descriptor, 1)

    def wake(self):
        with self.lock:
            self._wake()
