"""Lists and watches of an API server, of the double or a real one: see test_api_protocol.py."""

import pytest

from api_place import SPEC, WATCH_LIST, Place, refused


@pytest.fixture
def place(api_server):
    return Place(api_server)


def watch(place, **query):
    return place.client.watch("/api/v1/pods", **{
        "allowWatchBookmarks": "true", "fieldSelector": f"spec.nodeName={place.node}", **query})


def names(events):
    return [(event["type"], event["object"]["metadata"].get("name")) for event in events]


def version_of(obj):
    return obj["metadata"]["resourceVersion"]


def test_a_watch_list_tells_what_there_is_and_goes_on(place):
    place.pod("a")
    with watch(place, **WATCH_LIST) as stream:
        assert stream.code == 200
        initial = stream.until("BOOKMARK")
        assert names(initial) == [("ADDED", "a"), ("BOOKMARK", None)]
        assert initial[0]["object"]["kind"] == "Pod"
        end = initial[-1]["object"]
        assert (end["kind"], end["apiVersion"]) == ("Pod", "v1")
        assert end["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
        assert version_of(end)
        place.status({"phase": "Running"}, "a")
        assert names([stream.next()]) == [("MODIFIED", "a")]


def test_an_empty_set_is_told_as_well(place):
    with watch(place, **WATCH_LIST) as stream:
        assert names(stream.until("BOOKMARK")) == [("BOOKMARK", None)]


def test_a_watch_goes_on_from_where_one_ended(place):
    place.pod("a")
    with watch(place, **WATCH_LIST) as stream:
        version = version_of(stream.until("BOOKMARK")[-1]["object"])
    place.pod("b")
    with watch(place, resourceVersion=version) as stream:
        assert names([stream.next()]) == [("ADDED", "b")]


def test_a_watch_from_the_version_of_a_list(place):
    place.pod("a")
    found = place.client.get(place.of_node + "&resourceVersion=0&limit=500").json
    version = found["metadata"]["resourceVersion"]
    place.status({"phase": "Running"}, "a")
    with watch(place, resourceVersion=version) as stream:
        event = stream.next()
        assert names([event]) == [("MODIFIED", "a")]
        assert int(version_of(event["object"])) > int(version)


def test_a_watch_without_a_version_begins_with_what_there_is(place):
    place.pod("a")
    with watch(place) as stream:
        assert names([stream.next()]) == [("ADDED", "a")]


def test_what_is_bound_appears_and_what_is_deleted_is_seen_as_it_was(place):
    with watch(place, **WATCH_LIST) as stream:
        stream.until("BOOKMARK")
        place.server.create({"kind": "Pod", "metadata": {"name": "a"}, "spec": SPEC},
                            place.namespace)
        place.server.bind("a", place.node, place.namespace)
        added = stream.next()
        assert names([added]) == [("ADDED", "a")]
        place.server.delete_pod("a", place.namespace, grace=0)
        last = stream.until("DELETED")[-1]["object"]
        assert last["metadata"]["uid"] == added["object"]["metadata"]["uid"]
        assert last["spec"] == added["object"]["spec"]
        assert int(version_of(last)) > int(version_of(added["object"]))


def test_a_name_that_is_used_again_is_another_object(place):
    first = place.pod("a")
    with watch(place, **WATCH_LIST) as stream:
        stream.until("BOOKMARK")
        place.server.delete_pod("a", place.namespace, grace=0)
        stream.until("DELETED")
        second = place.pod("a")
        assert stream.next()["object"]["metadata"]["uid"] == second["metadata"]["uid"]
        assert second["metadata"]["uid"] != first["metadata"]["uid"]


def test_a_watch_ends_when_its_time_is_over(place):
    with watch(place, timeoutSeconds=1, **WATCH_LIST) as stream:
        stream.until("BOOKMARK")
        assert {event["type"] for event in stream.until("never")} <= {"BOOKMARK"}
        assert stream.next() is None


def test_a_watch_list_must_say_how_versions_match(place):
    with watch(place, sendInitialEvents="true") as stream:
        assert stream.code == 422
        assert "sendInitialEvents requires setting resourceVersionMatch" in \
            stream.body()["message"]


def test_one_object_is_watched_by_its_name(place):
    node = place.register()
    with place.client.watch("/api/v1/nodes", fieldSelector=f"metadata.name={place.node}",
                            **WATCH_LIST) as stream:
        assert stream.until("BOOKMARK")[0]["object"]["metadata"]["uid"] == node["metadata"]["uid"]
        Place(place.server).register()
        place.server.patch("nodes", place.node, {"metadata": {"labels": {"a": "b"}}})
        event = stream.next()
        assert names([event]) == [("MODIFIED", place.node)]
        assert event["object"]["metadata"]["labels"]["a"] == "b"


def test_services_are_watched_without_those_that_have_no_address(place):
    for name, spec in (("web", {}), ("headless", {"clusterIP": "None"})):
        place.server.create({"kind": "Service", "metadata": {"name": name},
                             "spec": {"ports": [{"port": 80}], **spec}}, place.namespace)
    with place.client.watch("/api/v1/services", fieldSelector="spec.clusterIP!=None",
                            **WATCH_LIST) as stream:
        found = {(event["object"]["metadata"].get("namespace"),
                  event["object"]["metadata"].get("name")): event["object"]
                 for event in stream.until("BOOKMARK")}
    assert (place.namespace, "headless") not in found
    assert found[place.namespace, "web"]["spec"]["clusterIP"].startswith("10.96.")
    assert found["default", "kubernetes"]["spec"]["ports"][0]["port"] == 443


@pytest.mark.parametrize("path", ["/apis/node.k8s.io/v1/runtimeclasses",
                                  "/apis/storage.k8s.io/v1/csidrivers"])
def test_a_node_watches_classes_and_drivers(place, path):
    with place.client.watch(path, **WATCH_LIST) as stream:
        assert stream.until("BOOKMARK")[-1]["type"] == "BOOKMARK"


def test_a_version_that_is_yet_to_come(place):
    status = refused(place.client.get(place.of_node + "&resourceVersion=99999999999"), 504,
                     "Timeout", "Too large resource version")
    assert status["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


def test_a_list_comes_in_pages(place):
    path = f"/api/v1/namespaces/{place.namespace}/configmaps?limit=2"
    for name in "abcd":
        place.server.create({"kind": "ConfigMap", "metadata": {"name": name}}, place.namespace)
    first = place.server.call("GET", path)
    assert [item["metadata"]["name"] for item in first["items"]] == ["a", "b"]
    assert first["metadata"]["remainingItemCount"] == 3
    place.server.create({"kind": "ConfigMap", "metadata": {"name": "c2"}}, place.namespace)
    second = place.server.call("GET", f'{path}&continue={first["metadata"]["continue"]}')
    assert [item["metadata"]["name"] for item in second["items"]] == ["c", "d"]
    assert version_of(second) == version_of(first)


def test_what_is_asked_wrongly_is_said(place):
    path = f"/api/v1/namespaces/{place.namespace}/configmaps"
    refused(place.client.get(place.of_node + ",spec.color%3Dred"), 400, "BadRequest",
            "field label not supported: spec.color")
    refused(place.client.get("/api/v1/pods?fieldSelector=spec.color%3Dred"), 403, "Forbidden")
    code, status = place.server.ask("POST", path, {"apiVersion": "v1", "kind": "Pod"},
                                    "application/json")
    assert (code, status["reason"]) == (400, "BadRequest")
    code, status = place.server.ask("PATCH", f"{path}/kube-root-ca.crt", {}, "text/plain")
    assert (code, status["reason"]) == (415, "UnsupportedMediaType")
    code, status = place.server.ask("POST", "/api/v1/namespaces/none/configmaps", {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}, "application/json")
    assert (code, status["message"]) == (404, 'namespaces "none" not found')
