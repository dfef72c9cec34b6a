"""How an API server says no: an HTTP status with an object of kind Status, in its own sentences."""

REASONS = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound",
           405: "MethodNotAllowed", 406: "NotAcceptable", 409: "Conflict", 410: "Expired",
           413: "RequestEntityTooLarge", 415: "UnsupportedMediaType", 422: "Invalid",
           429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable",
           504: "Timeout"}


class ApiError(Exception):
    """Becomes the answer of the request in which it is raised."""

    def __init__(self, code, message, reason=None, details=None, retry_after=None):
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = REASONS.get(code, "") if reason is None else reason
        self.details = dict(details or {})
        self.headers = {}
        if retry_after is not None:
            self.headers["Retry-After"] = str(retry_after)
            self.details["retryAfterSeconds"] = retry_after

    def status(self):
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                  "message": self.message, "reason": self.reason, "details": self.details,
                  "code": self.code}
        return {key: value for key, value in status.items() if value or key == "metadata"}


def qualified(kind):
    """As sentences name a resource: "pods", "leases.coordination.k8s.io"."""
    return f"{kind.resource}.{kind.group}" if kind.group else kind.resource


def details_of(kind, name, **more):
    details = {"name": name, "group": kind.group, "kind": kind.resource, **more}
    return {key: value for key, value in details.items() if value}


def unauthorized():
    return ApiError(401, "Unauthorized")


def forbidden(kind, name, why):
    subject = f'{qualified(kind)} "{name}"' if name else qualified(kind)
    return ApiError(403, f"{subject} is forbidden: {why}", details=details_of(kind, name))


def not_found(kind, name):
    return ApiError(404, f'{qualified(kind)} "{name}" not found', details=details_of(kind, name))


def no_such_resource():
    return ApiError(404, "the server could not find the requested resource")


def method_not_allowed():
    return ApiError(405, "the server does not allow this method on the requested resource")


def already_exists(kind, name):
    return ApiError(409, f'{qualified(kind)} "{name}" already exists', "AlreadyExists",
                    details_of(kind, name))


def conflict(kind, name, why="the object has been modified; please apply your changes to the "
                             "latest version and try again"):
    return ApiError(409, f'Operation cannot be fulfilled on {qualified(kind)} "{name}": {why}',
                    details=details_of(kind, name))


def precondition_failed(kind, name, why):
    """Of a deletion; it is named by its kind, and not by the resource."""
    named = f"{kind.name}.{kind.group}" if kind.group else kind.name
    details = {"name": name, "group": kind.group, "kind": kind.name}
    return ApiError(409, f'Operation cannot be fulfilled on {named} "{name}": {why}',
                    details={key: value for key, value in details.items() if value})


def uid_conflict(kind, name, wanted, found):
    return conflict(kind, name, f"Precondition failed: UID in precondition: {wanted}, "
                                f"UID in object meta: {found}")


def invalid(kind, name, field, why):
    return ApiError(422, f'{kind.name}{"." + kind.group if kind.group else ""} "{name}" is '
                         f"invalid: {field}: {why}",
                    details={"name": name, "kind": kind.name,
                             "causes": [{"reason": "FieldValueInvalid", "message": why,
                                         "field": field}]})


def invalid_options(field, why):
    return ApiError(422, f'ListOptions.meta.k8s.io "" is invalid: {field}: Forbidden: {why}',
                    details={"kind": "ListOptions", "group": "meta.k8s.io",
                             "causes": [{"reason": "FieldValueForbidden",
                                         "message": f"Forbidden: {why}", "field": field}]})


def bad_request(message):
    return ApiError(400, message)


def unsupported_media_type(found, supported):
    return ApiError(415, f"the body of the request was in an unknown format ({found!r}) - accepted "
                         f"media types include: {', '.join(supported)}")


def expired(wanted, oldest):
    return ApiError(410, f"too old resource version: {wanted} ({oldest})")


def continue_expired():
    return ApiError(410, "The provided continue parameter is too old to display a consistent list "
                         "result. You must start a new list without the continue parameter.")


def too_large_version(wanted, current):
    return ApiError(504, f"Too large resource version: {wanted}, current: {current}",
                    details={"retryAfterSeconds": 1, "causes": [
                        {"reason": "ResourceVersionTooLarge",
                         "message": "Too large resource version"}]})


def success(kind, obj):
    """What most kinds answer to a DELETE that has removed them."""
    metadata = obj["metadata"]
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
            "details": details_of(kind, metadata["name"], uid=metadata["uid"])}
