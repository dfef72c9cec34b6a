"""Patches as the double of the API server applies them; test_api_protocol.py shows the rest."""

import pytest

import api_errors
from api_patch import merge, strategic


def test_merge_patches():
    assert merge({"a": {"b": 1, "c": 2}, "l": [1]}, {"a": {"b": None}, "l": [2], "n": {}}) == {
        "a": {"c": 2}, "l": [2], "n": {}}


@pytest.mark.parametrize("old, patch, new", [
    ({"a": {"b": 1}}, {"a": {"$patch": "replace", "c": 2}}, {"a": {"c": 2}}),
    ({"a": {"b": 1}}, {"a": {"$patch": "delete"}}, {"a": {}}),
    ({"a": 1, "b": 2}, {"$retainKeys": ["a"], "a": 3}, {"a": 3}),
    ({"finalizers": ["a"]}, {"finalizers": ["b"]}, {"finalizers": ["b", "a"]}),
    ({"finalizers": ["a", "b"]}, {"$deleteFromPrimitiveList/finalizers": ["a"]},
     {"finalizers": ["b"]}),
    ({"images": [1, 2]}, {"images": [3]}, {"images": [3]}),
    ({"addresses": [{"type": "I", "a": 1}, {"type": "I", "a": 2}]},
     {"addresses": [{"type": "I", "a": 3}]},
     {"addresses": [{"type": "I", "a": 3}, {"type": "I", "a": 2}]}),
    ({"conditions": [{"type": kind} for kind in "xab"]},
     {"$setElementOrder/conditions": [{"type": "b"}, {"type": "a"}]},
     {"conditions": [{"type": kind} for kind in "xba"]}),
    ({"conditions": [{"type": "x"}, {"type": "a"}]}, {"conditions": [{"type": "b"}, {"type": "a"}]},
     {"conditions": [{"type": kind} for kind in "bxa"]}),
    ({}, {"conditions": [{"type": "a", "reason": None}], "n": {"m": None}},
     {"conditions": [{"type": "a"}], "n": {}})])
def test_strategic_patches(old, patch, new):
    assert strategic("Pod", old, patch) == new


@pytest.mark.parametrize("patch, why", [
    ({"conditions": [{"status": "True"}]}, "does not contain declared merge key: type"),
    ({"$setElementOrder/conditions": [{"type": "a"}], "conditions": [{"type": "b"}]},
     "doesn't match $setElementOrder/conditions list")])
def test_wrong_strategic_patches(patch, why):
    with pytest.raises(api_errors.ApiError) as raised:
        strategic("Pod", {}, patch)
    assert why in raised.value.message
