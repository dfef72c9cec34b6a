"""Patches as an API server applies them: JSON merge patches, and strategic merge patches, which
know of some lists by which member their elements are told apart."""

import copy

from api_errors import ApiError, bad_request

MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"

# Lists that are merged, by the member that tells their elements apart. All others are replaced.
MERGE_KEYS = {
    "addresses": "type", "conditions": "type", "containers": "name", "drivers": "name",
    "env": "name", "ephemeralContainers": "name", "hostAliases": "ip", "hostIPs": "ip",
    "imagePullSecrets": "name", "initContainers": "name", "ownerReferences": "uid",
    "podIPs": "ip", "ports": "containerPort", "resourceClaims": "name",
    "resourceClaimStatuses": "name", "schedulingGates": "name", "secrets": "name",
    "topologySpreadConstraints": "topologyKey", "volumeDevices": "devicePath",
    "volumeMounts": "mountPath", "volumes": "name",
}
OF_KIND = {"Service": {"ports": "port"}, "CertificateSigningRequest": {"conditions": None},
           "VolumeAttachment": {}, "Lease": {}}
MERGED_VALUES = {"finalizers", "podCIDRs"}  # lists of plain values: what is new is added

ORDER, DELETE_VALUES, RETAIN, DIRECTIVE = (
    "$setElementOrder/", "$deleteFromPrimitiveList/", "$retainKeys", "$patch")


def merge(old, patch):
    """RFC 7386."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    new = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            new.pop(key, None)
        else:
            new[key] = merge(new.get(key), value)
    return new


def strategic(kind, old, patch):
    if not isinstance(patch, dict):
        raise bad_request("a patch must be an object")
    return Strategic({**MERGE_KEYS, **OF_KIND.get(kind, {})}).merge_maps(old, patch)


def unmergeable(message):
    return ApiError(500, message, "")


class Strategic:
    def __init__(self, keys):
        self.keys = keys

    def merge_maps(self, old, patch):
        directive = patch.get(DIRECTIVE)
        if directive == "replace":
            return without_nulls({key: value for key, value in patch.items() if key != DIRECTIVE})
        if directive == "delete":
            return {}
        if directive not in (None, "merge"):
            raise unmergeable(f"Unknown patch type found: {directive}")
        retained = patch.get(RETAIN)
        new = {key: copy.deepcopy(value) for key, value in old.items()
               if retained is None or key in retained}
        for key, value in patch.items():
            if key.startswith(DELETE_VALUES):
                name = key.removeprefix(DELETE_VALUES)
                new[name] = [kept for kept in new.get(name, []) if kept not in value]
            elif key.startswith(ORDER):
                name = key.removeprefix(ORDER)
                if name in new and name not in patch and self.keys.get(name):
                    new[name] = self.merge_elements(name, self.keys[name], new[name], [], value)
            elif key not in (DIRECTIVE, RETAIN):
                self.merge_member(new, key, value, patch.get(ORDER + key))
        return new

    def merge_member(self, new, key, value, order):
        if value is None:
            new.pop(key, None)
        elif isinstance(value, dict):
            was = new.get(key)
            new[key] = self.merge_maps(was if isinstance(was, dict) else {}, value)
        elif isinstance(value, list):
            new[key] = self.merge_lists(key, new.get(key), value, order)
        else:
            new[key] = value

    def merge_lists(self, name, old, patch, order):
        if name in MERGED_VALUES:
            new = [*(old or []), *(value for value in patch if value not in (old or []))]
            return in_order(new, old or [], patch if order is None else order, lambda value: value)
        key = self.keys.get(name)
        if not key:
            return without_nulls(patch)
        return self.merge_elements(name, key, old or [], patch, order)

    def merge_elements(self, name, key, old, patch, order):
        if any(element.get(DIRECTIVE) == "replace" and key not in element for element in patch):
            return without_nulls([element for element in patch if DIRECTIVE not in element])
        for element in patch:
            if key not in element:
                raise unmergeable(f"map: {element} does not contain declared merge key: {key}")
        if order is not None:
            check_order(name, key, patch, order)
        new = list(old)
        for element in patch:
            values = [present.get(key) for present in new]
            if element.get(DIRECTIVE) == "delete":
                new = [present for present in new if present.get(key) != element[key]]
            elif element[key] in values:
                place = values.index(element[key])
                new[place] = self.merge_maps(new[place], element)
            else:
                new.append(self.merge_maps({}, element))
        return in_order(new, [element.get(key) for element in old],
                        [element.get(key) for element in (patch if order is None else order)],
                        lambda element: element[key])


def check_order(name, key, patch, order):
    """An API server refuses a patch whose elements are not in the order that it asks for."""
    wanted = [element.get(key) for element in order]
    found = [element[key] for element in patch if element.get(DIRECTIVE) != "delete"]
    if [value for value in wanted if value in found] != found:
        raise unmergeable(f"The order in patch list:\n{patch}\n doesn't match {ORDER}{name} list:\n"
                          f"{order}\n")


def in_order(elements, old, wanted, name):
    """Those wanted in the order wanted; the others stay before those that they stood before, and
    come after what is new."""
    ordered = sorted((element for element in elements if name(element) in wanted),
                     key=lambda element: wanted.index(name(element)))
    others = [element for element in elements if name(element) not in wanted]
    new = []
    while ordered and others:
        both = name(others[0]) in old and name(ordered[0]) in old
        before = both and old.index(name(others[0])) < old.index(name(ordered[0]))
        new.append(others.pop(0) if before else ordered.pop(0))
    return new + others + ordered


def without_nulls(value):
    if isinstance(value, dict):
        return {key: without_nulls(member) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [without_nulls(element) for element in value]
    return value
