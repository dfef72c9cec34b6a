"""What an API server does for a request: who may, which object, what becomes of it."""

import base64
import copy
import dataclasses
import json
import time

import api_errors as errors
import api_patch
import api_tokens
from api_admission import Admission, bind, check_name, check_types, generate_name
from api_kinds import Selector, check_selector, selector_of, target_of
from api_restriction import Restriction
from api_rules import MASTERS, Authorizer
from api_store import seconds_of, timestamp
from api_watch import BOOKMARK_SECONDS, Watch

HEALTH = ("/healthz", "/livez", "/readyz")
VERSION = {"major": "1", "minor": "36", "gitVersion": "v1.36.2", "platform": "linux/amd64"}
WHOLE_UPDATES = {"image", "activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"}
ENDED = ("Succeeded", "Failed")
GIVES_DELETED = {"pods", "services", "serviceaccounts", "persistentvolumes",
                 "persistentvolumeclaims", "volumeattachments", "csinodes", "csidrivers"}
YES = ("true", "1")


@dataclasses.dataclass
class Request:
    method: str
    path: str
    user: object
    query: dict = dataclasses.field(default_factory=dict)
    content_type: str = "application/json"
    body: bytes = b""

    @property
    def target(self):
        return target_of(self.path)

    @property
    def verb(self):
        """As authorizers call it: "list", "watch", "patch"."""
        if self.method == "GET":
            if self.query.get("watch") in YES:
                return "watch"
            return "get" if self.target is None or self.target.name else "list"
        return {"POST": "create", "PUT": "update"}.get(self.method, self.method.lower())


@dataclasses.dataclass
class Answer:
    code: int
    body: object = None  # JSON, or text
    headers: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Watching:
    """The answer to a request for a watch."""

    watch: Watch
    timeout: float
    bookmarks: bool


def number(query, name):
    text = query.get(name, "")
    if text and not text.isdigit():
        raise errors.bad_request(f'invalid {name}: "{text}"')
    return int(text) if text else None


def exact_version(query):
    """At which a list is to be; None: it may be newer. One in pages is exact unless it says that it
    need not be."""
    wanted, matching = number(query, "resourceVersion"), query.get("resourceVersionMatch")
    if matching and (not query.get("resourceVersion") or query.get("continue")):
        raise errors.invalid_options("resourceVersionMatch", "resourceVersionMatch is forbidden "
                                     "unless resourceVersion is provided, and without continue")
    exact = matching == "Exact" or not matching and number(query, "limit")
    return wanted or None if exact else None


class Api:
    """What tests may set: `watch_list` (whether sendInitialEvents is known), `expired_as` ("event",
    or "http": how a watch from a forgotten version fails), `page_max` (objects a page, whatever the
    client's limit), `bookmark_seconds`."""

    def __init__(self, store):
        self.store = store
        self.authorizer = Authorizer(store)
        self.restriction = Restriction(store)
        self.admission = Admission(store)
        self.watch_list = True
        self.expired_as = "event"
        self.page_max = None
        self.bookmark_seconds = BOOKMARK_SECONDS
        self.pages = {}  # token of "continue": (version, objects still to come)
        self.created = []  # functions that are called with (target, object), the store unlocked

    def handle(self, request):
        """An Answer or a Watching."""
        try:
            return self.dispatch(request)
        except errors.ApiError as error:
            return Answer(error.code, error.status(), error.headers)

    def dispatch(self, request):
        if request.path in HEALTH:
            return Answer(200, "ok")
        if request.path == "/version":
            return Answer(200, VERSION)
        target, verb = request.target, request.verb
        if target is None:
            if MASTERS not in request.user.groups:
                raise errors.ApiError(403, f'forbidden: User "{request.user.name}" cannot {verb} '
                                           f'path "{request.path}"')
            raise errors.no_such_resource()
        selector = selector_of(request.query.get("fieldSelector", ""))
        if request.query.get("labelSelector"):
            raise errors.bad_request("this server knows no labelSelector")
        name = target.name or selector.value("metadata.name") or ""
        self.authorizer.check(request.user, verb, target, name, selector)
        check_selector(target.kind, selector)
        act = getattr(self, verb, None)
        of_all = verb in ("list", "create") and not target.part
        if not act or verb != "watch" and bool(target.name) == of_all:
            raise errors.method_not_allowed()
        return act(request, target, selector)

    # reading

    def get(self, request, target, _):
        self.check_version(request)
        return Answer(200, self.store.get(whole(target)))

    def list(self, request, target, selector):
        kind, token = target.kind, request.query.get("continue")
        limit, exact = number(request.query, "limit"), exact_version(request.query)
        if token:
            if token not in self.pages:
                raise errors.continue_expired()
            version, objects = self.pages.pop(token)
        else:
            self.check_version(request)
            cached = request.query.get("resourceVersion") == "0"
            version, objects = self.store.list(kind, target.namespace, selector, cached, exact)
            if cached:
                limit = None  # a cache gives all that it has
        if self.page_max:
            limit = min(limit or self.page_max, self.page_max)
        metadata = {"resourceVersion": str(version)}
        if limit and len(objects) > limit:
            token = base64.urlsafe_b64encode(
                f"{version}/{objects[limit]['metadata']['uid']}".encode()).decode()
            self.pages[token] = version, objects[limit:]
            metadata.update({"continue": token, "remainingItemCount": len(objects) - limit})
            objects = objects[:limit]
        items = [{key: value for key, value in obj.items() if key not in ("apiVersion", "kind")}
                 for obj in objects]
        return Answer(200, {"kind": f"{kind.name}List", "apiVersion": kind.api_version,
                            "metadata": metadata, "items": items})

    def check_version(self, request):
        wanted = number(request.query, "resourceVersion") or 0
        if wanted > self.store.version:
            raise errors.too_large_version(wanted, self.store.version)

    def watch(self, request, target, selector):
        query = request.query
        initial = query.get("sendInitialEvents") in YES
        matching = query.get("resourceVersionMatch")
        if "sendInitialEvents" in query and not self.watch_list:
            raise errors.invalid_options(
                "sendInitialEvents", "sendInitialEvents is forbidden for watch unless the "
                "WatchList feature gate is enabled")
        if initial and matching != "NotOlderThan":
            raise errors.invalid_options("resourceVersionMatch", "sendInitialEvents requires "
                                         "setting resourceVersionMatch to NotOlderThan")
        if matching and "sendInitialEvents" not in query:
            raise errors.invalid_options("resourceVersionMatch", "resourceVersionMatch is "
                                         "forbidden for watch unless sendInitialEvents is provided")
        since = number(query, "resourceVersion") or None
        if initial:
            self.check_version(request)
            since = None
        elif since is not None and self.expired_as == "http":
            self.store.changes(since)
        if target.name:
            selector = Selector((*selector.terms, ("metadata.name", True, target.name)))
        bookmarks = query.get("allowWatchBookmarks") in YES
        return Watching(Watch(self.store, target.kind, target.namespace, selector, since,
                              initial and bookmarks),
                        number(query, "timeoutSeconds"), bookmarks)

    # writing

    def create(self, request, target, _):
        obj = body_of(request)
        if target.part == "token":
            return self.create_token(request, target, obj)
        if target.part == "binding":
            return self.create_binding(target, obj)
        if target.part:
            raise errors.method_not_allowed()
        kind, metadata = target.kind, obj.setdefault("metadata", {})
        check_object(kind, target, obj)
        if metadata.get("resourceVersion"):
            raise errors.ApiError(500, "resourceVersion should not be set on objects to be created",
                                  "")
        generate_name(obj)
        check_name(kind, metadata.get("name"))
        target = dataclasses.replace(target, name=metadata["name"])
        return Answer(201, self.add(request.user, target, obj))

    def add(self, user, target, obj):
        with self.store.lock:
            self.admission.check_namespace(target)
            if user.node:
                self.restriction.check(user.node, target, obj)
            self.admission.prepare_create(user, target, obj)
            obj = self.store.create(target, obj)
            self.note(target, obj)
        for function in self.created:
            function(target, obj)
        return obj

    def note(self, target, obj):
        if target.kind.resource == "pods":
            self.authorizer.note_bound(obj)

    def create_token(self, request, target, obj):
        with self.store.lock:
            if request.user.node:
                self.restriction.check_token(request.user.node, target,
                                             {"spec": {}, **obj})
            return Answer(201, api_tokens.create(self.store, whole(target), obj))

    def create_binding(self, target, obj):
        with self.store.lock:
            old = self.store.get(whole(target))
            if old["spec"].get("nodeName"):
                raise errors.conflict(target.kind, target.name, f"pod {target.name} is already "
                                      f'assigned to node "{old["spec"]["nodeName"]}"')
            new = copy.deepcopy(old)
            bind(new, obj["target"]["name"])
            self.note(target, self.store.replace(whole(target), new))
        return Answer(201, {"kind": "Status", "apiVersion": "v1", "metadata": {},
                            "status": "Success", "code": 201})

    def update(self, request, target, _):
        new = body_of(request)
        kind, metadata = target.kind, new.setdefault("metadata", {})
        check_object(kind, target, new)
        if metadata.get("name") != target.name:
            raise errors.bad_request(f'the name of the object ({metadata.get("name", "")}) does '
                                     f"not match the name on the URL ({target.name})")
        with self.store.lock:
            old = self.store.find(whole(target))
            uid, version = metadata.get("uid"), metadata.get("resourceVersion")
            found = old["metadata"]["uid"] if old else ""
            if uid and uid != found:
                raise errors.uid_conflict(kind, target.name, uid, found)
            if not old and kind.put_creates:
                metadata.pop("resourceVersion", None)
                return Answer(201, self.add(request.user, target, new))
            if not old:
                raise errors.not_found(kind, target.name)
            if not version and kind.conditional:
                raise errors.invalid(kind, target.name, "metadata.resourceVersion",
                                     "Invalid value: 0: must be specified for an update")
            if version and version != old["metadata"]["resourceVersion"]:
                raise errors.conflict(kind, target.name)
            return Answer(200, self.put(request.user, target, new, old))

    def patch(self, request, target, _):
        body = parsed(request.body)
        with self.store.lock:
            old = self.store.get(whole(target))
            if request.content_type == api_patch.STRATEGIC_PATCH:
                new = api_patch.strategic(target.kind.name, old, body)
            elif request.content_type == api_patch.MERGE_PATCH:
                new = api_patch.merge(old, body)
            else:
                raise errors.unsupported_media_type(
                    request.content_type, [api_patch.MERGE_PATCH, api_patch.STRATEGIC_PATCH])
            check_patched(target, new)
            found, wanted = old["metadata"], new["metadata"]
            if wanted.get("name") != found["name"]:
                raise errors.invalid(target.kind, target.name, "metadata.name", "Invalid value: "
                                     f'"{wanted.get("name", "")}": field is immutable')
            if wanted.get("resourceVersion", found["resourceVersion"]) != found["resourceVersion"]:
                raise errors.conflict(target.kind, target.name)
            if wanted.get("uid", found["uid"]) != found["uid"]:
                raise errors.invalid(target.kind, target.name, "metadata.uid",
                                     f'Invalid value: "{wanted["uid"]}": field is immutable')
            return Answer(200, self.put(request.user, target, new, old))

    def put(self, user, target, new, old):
        """What of `new` the path may change takes the place of what was there."""
        # What a node may not touch is refused even where the path would not change it.
        new = {**({"spec": {}} if "spec" in old else {}), **new,
               "apiVersion": target.kind.api_version, "kind": target.kind.name}
        if user.node:
            self.restriction.check(user.node, target, new, old)
        metadata = {**old["metadata"], **{
            name: new["metadata"].get(name) for name in ("labels", "annotations")}}
        if target.part:
            status = new.get("status", {})
            if target.part == "approval":
                status = {**old.get("status", {}), "conditions": status.get("conditions", [])}
            new = {**old, "status": status}
        else:
            for name in ("ownerReferences", "finalizers"):
                metadata[name] = new["metadata"].get(name)
            if "status" in target.kind.parts:
                new["status"] = old.get("status", {})
            check_spec(target, new, old)
        new["metadata"] = {key: value for key, value in metadata.items() if value is not None}
        new = copy.deepcopy(new)
        if "generation" in metadata and new.get("spec") != old.get("spec"):
            new["metadata"]["generation"] += 1
        self.admission.check_update(target, new, old)
        return self.store.replace(whole(target), new)

    # deleting

    def delete(self, request, target, _):
        if target.part:
            raise errors.method_not_allowed()
        options = parsed(request.body) if request.body else {}
        grace = options.get("gracePeriodSeconds")
        if grace is None:
            grace = number(request.query, "gracePeriodSeconds")
        with self.store.lock:
            old = self.store.get(target)
            if request.user.node:
                self.restriction.check(request.user.node, target, None, old)
            check_preconditions(target, old, options.get("preconditions") or {})
            if target.kind.resource == "pods":
                return Answer(200, self.delete_pod(target, old, grace))
            if old["metadata"].get("finalizers"):
                return Answer(200, self.mark_deleted(target, old, 0))
            obj = self.store.remove(target)
        return Answer(200, obj if target.kind.resource in GIVES_DELETED
                      else errors.success(target.kind, obj))

    def delete_pod(self, target, old, grace):
        """The pod as it is then: marked, or gone."""
        metadata, spec = old["metadata"], old["spec"]
        if grace is None:
            grace = spec.get("terminationGracePeriodSeconds", 30)
            if metadata.get("deletionTimestamp"):
                return old
        if not spec.get("nodeName") or old.get("status", {}).get("phase") in ENDED:
            grace = 0
        marked = metadata.get("deletionGracePeriodSeconds")
        if marked is not None and grace >= marked > 0:
            return old
        marked = self.mark_deleted(target, old, max(grace, 0))
        if grace > 0 or marked["metadata"].get("finalizers"):
            return marked
        return self.store.remove(target)

    def mark_deleted(self, target, old, grace):
        new = copy.deepcopy(old)
        metadata = new["metadata"]
        if "generation" in metadata and not metadata.get("deletionTimestamp"):
            metadata["generation"] += 1
        metadata["deletionTimestamp"] = timestamp(self.asked_at(metadata) + grace)
        metadata["deletionGracePeriodSeconds"] = grace
        return self.store.replace(target, new)

    @staticmethod
    def asked_at(metadata):
        """When an object was first told to go: its grace counts from then."""
        if "deletionTimestamp" not in metadata:
            return time.time()
        return seconds_of(metadata["deletionTimestamp"]) - \
            metadata.get("deletionGracePeriodSeconds", 0)


def whole(target):
    return dataclasses.replace(target, part="")


def parsed(body):
    try:
        obj = json.loads(body)
    except ValueError as error:
        raise errors.bad_request(f"the object provided is unrecognized: {error}") from None
    if not isinstance(obj, dict):
        raise errors.bad_request("the object provided is unrecognized: it is no object")
    return obj


def body_of(request):
    if request.content_type != "application/json":
        raise errors.unsupported_media_type(request.content_type, ["application/json"])
    return parsed(request.body)


def check_object(kind, target, obj):
    found = obj.get("apiVersion", ""), obj.get("kind", "")
    if not target.part and found != (kind.api_version, kind.name):
        raise errors.bad_request(f"the object in the request is {found[0]} {found[1]}, and not "
                                 f"{kind.api_version} {kind.name}")
    namespace = obj["metadata"].get("namespace", target.namespace)
    if namespace != target.namespace:
        raise errors.bad_request("the namespace of the provided object does not match the "
                                 "namespace sent on the request")
    check_types(kind, obj)


def check_patched(target, new):
    """What a patch makes of an object is no request that is wrong, but an object that is."""
    try:
        check_object(target.kind, target, new)
    except errors.ApiError as error:
        raise errors.ApiError(422, f' "" is invalid: patch: Invalid value: {error.message}') from None


def check_spec(target, new, old):
    """Of a pod's spec little may be changed once it is there."""
    if target.kind.resource != "pods":
        return

    def fixed(pod):
        spec = {key: value for key, value in pod["spec"].items() if key not in WHOLE_UPDATES}
        for name in ("containers", "initContainers"):
            spec[name] = [{key: value for key, value in container.items() if key != "image"}
                          for container in spec.get(name, [])]
        return spec

    if fixed(new) != fixed(old):
        raise errors.invalid(target.kind, target.name, "spec", "Forbidden: pod updates may not "
                             "change fields other than `spec.containers[*].image`,"
                             "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
                             "`spec.tolerations` (only additions to existing tolerations),"
                             "`spec.terminationGracePeriodSeconds`")


def check_preconditions(target, obj, wanted):
    metadata = obj["metadata"]
    for key, name, why in (("uid", "UID", "deleted and then recreated"),
                           ("resourceVersion", "ResourceVersion", "modified")):
        if wanted.get(key, metadata[key]) != metadata[key]:
            raise errors.precondition_failed(
                target.kind, target.name,
                f"the {name} in the precondition ({wanted[key]}) does not match the {name} in "
                f"record ({metadata[key]}). The object might have been {why}")
