"""Tokens of service accounts, as TokenRequest gives them: well formed, and signed by nobody."""

import base64
import json
import time
import uuid

import api_errors as errors
from api_kinds import target_for
from api_restriction import GONE
from api_store import timestamp

ISSUER = "https://kubernetes.default.svc.cluster.local"
SECONDS = 3600
SECONDS_MIN = 600
# Clients of old never read their token again: the one that is injected lives on in secret.
INJECTED_SECONDS = 3607
EXTENDED_SECONDS = 365 * 24 * 3600


def encoded(value):
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def jwt(claims):
    return ".".join([encoded({"alg": "RS256", "kid": "tests"}), encoded(claims),
                     encoded(b"signed by nobody")])


def claims_of(token):
    middle = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))


def create(store, target, request):
    """The TokenRequest with its status; `target` is the service account's."""
    spec = request.setdefault("spec", {})
    account = store.get(target)
    seconds = spec.setdefault("expirationSeconds", SECONDS)
    if seconds < SECONDS_MIN:
        raise errors.ApiError(
            422, 'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: '
            f"Invalid value: {seconds}: may not specify a duration less than 10 minutes")
    spec["audiences"] = spec.get("audiences") or [ISSUER]
    bound = bound_pod(store, target, spec.get("boundObjectRef") or {})
    now = int(time.time())
    seconds = min(store.token_seconds.get(audience, seconds) for audience in spec["audiences"])
    extended = seconds == INJECTED_SECONDS and spec["audiences"] == [ISSUER] and bound
    claims = {
        "aud": spec["audiences"], "exp": now + (EXTENDED_SECONDS if extended else seconds),
        "iat": now, "iss": ISSUER, "jti": str(uuid.uuid4()), "nbf": now,
        "sub": f"system:serviceaccount:{target.namespace}:{target.name}",
        "kubernetes.io": {"namespace": target.namespace, **bound,
                          "serviceaccount": reference(account)}}
    if extended:
        claims["kubernetes.io"]["warnafter"] = now + seconds
    return {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"name": target.name, "namespace": target.namespace,
                         "creationTimestamp": timestamp(now)},
            "spec": spec,
            "status": {"token": jwt(claims), "expirationTimestamp": timestamp(now + seconds)}}


def reference(obj):
    return {"name": obj["metadata"]["name"], "uid": obj["metadata"]["uid"]}


def bound_pod(store, target, bound):
    """What the claims say of the pod that a token is bound to, and of its node."""
    if not bound:
        return {}
    if bound.get("kind") != "Pod":
        raise errors.bad_request(f'cannot bind token for serviceaccount "{target.name}" to '
                                 f'{bound.get("kind")}: tests know pods alone')
    pods = target_for("pods", bound.get("name", ""), target.namespace)
    pod = store.get(pods)
    if bound.get("uid") and bound["uid"] != pod["metadata"]["uid"]:
        raise errors.conflict(pods.kind, pods.name, GONE.format(bound["uid"]))
    if pod["spec"].get("serviceAccountName", "default") != target.name:
        raise errors.bad_request(f'cannot bind token for serviceaccount "{target.name}" to pod '
                                 "running with different serviceaccount name.")
    found = {"pod": reference(pod)}
    node = store.find(target_for("nodes", pod["spec"].get("nodeName", "")))
    if node:
        found["node"] = reference(node)
    return found
