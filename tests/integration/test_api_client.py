"""The agent's client of the API server: watches, calls and credentials, on the double and, where
KUBEBUILDER_ASSETS names a directory with etcd and kube-apiserver, on these. What a server has to be
told to do wrong is tried on the double alone; a way that breaks, on both."""

import json
import random
import time

import pytest

import places
from api_driver import Driver
from api_errors import ApiError
from api_place import SPEC, Place
from api_rules import node_user
from conftest import BUILD
from relay import Relay

PODS = "/api/v1/pods"
SECRETS = 150
TOKEN_SECONDS = 60  # until a file is read again, and a request is made
PLUGIN_REST_SECONDS = 5  # after a failure
PLUGIN_SECONDS = 2  # that a token of the plugin lasts


@pytest.fixture
def place(api_server):
    place = Place(api_server)
    place.register()
    return place


@pytest.fixture
def relay(api_server):
    instance = Relay(api_server.port)
    yield instance
    instance.close()


@pytest.fixture
def driver(place, relay, tmp_path):
    path = place.server.kubeconfig(tmp_path / "config", node=place.node,
                                   server=f"https://127.0.0.1:{relay.port}")
    with Driver(BUILD, path, tmp_path / "driver.log") as instance:
        yield instance


def watch_pods(driver, node):
    driver.watch("pods", "Pod", PODS, f"spec.nodeName={node}")
    driver.wait_complete("pods")


def versions(place):
    """As the server has them: {"namespace/name": resourceVersion} of the node's pods."""
    return {f'{place.namespace}/{pod["metadata"]["name"]}': pod["metadata"]["resourceVersion"]
            for pod in place.server.list("pods", place.namespace,
                                         f"spec.nodeName={place.node}")}


def agrees(driver, place, **options):
    """The client knows what the server has."""
    driver.wait(lambda: driver.objects["pods"] == versions(place), "both to have the same",
                **options)


# on both


def test_pods_come_change_and_go(place, driver):
    place.pod("before")
    watch_pods(driver, place.node)
    agrees(driver, place)
    place.pod("after")
    place.status({"phase": "Running"}, "before")
    agrees(driver, place)
    place.server.delete_pod("before", place.namespace, grace=0)
    agrees(driver, place)
    place.pod("before")
    agrees(driver, place)
    assert [event[1] for event in driver.events if "/before" in event[2]][-2:] == ["gone", "set"]


def test_a_set_that_is_empty(place, driver):
    watch_pods(driver, place.node)
    assert driver.objects["pods"] == {}


def test_check_24_a_way_that_breaks_anywhere(place, relay, driver):
    """Nothing is lost, and nothing is told twice: a version comes once."""
    chance = random.Random(24)
    filler = "x" * (100 << 10)  # so that it breaks within objects, too
    for name in "abcdef":
        place.pod(name)
    watch_pods(driver, place.node)
    for _ in range(8):
        for name in chance.sample("abcdef", 3):
            place.server.patch("pods", name, {"metadata": {"annotations": {
                "filler": filler + str(chance.random())}}}, place.namespace)
        name = chance.choice("abcdef")
        place.server.delete_pod(name, place.namespace, grace=0)
        relay.cut()
        place.pod(name)
        time.sleep(chance.random())
    agrees(driver, place, seconds=90)
    told = [event[2] for event in driver.events if event[1] == "set"]
    assert len(told) == len(set(told))


def test_check_42_a_secret_for_each_of_many_pods(place, driver):
    names = [f"secret-{number}" for number in range(SECRETS)]
    for name in names:
        place.server.create({"kind": "Secret", "metadata": {"name": name},
                             "stringData": {"a": "b"}}, place.namespace)
        place.server.create({"kind": "Pod", "metadata": {"name": f"of-{name}"}, "spec": {
            **SPEC, "containers": [{"name": "c", "image": "busybox:1.36", "envFrom": [
                {"secretRef": {"name": name}}]}]}}, place.namespace)
        place.server.bind(f"of-{name}", place.node, place.namespace)
    for name in names:
        driver.watch(name, "Secret", f"/api/v1/namespaces/{place.namespace}/secrets",
                     f"metadata.name={name}")
    driver.wait_complete(*names)
    assert all(len(driver.objects[name]) == 1 for name in names)
    driver.ask("node", "GET", f"/api/v1/nodes/{place.node}")
    assert driver.wait_answer("node", seconds=5)[0] == 200


def test_calls_and_their_failures(place, driver):
    uid = place.pod("web")["metadata"]["uid"]
    path = f"{place.pods}/web/status"

    def patch(name, **metadata):
        driver.ask(name, "PATCH", path, json.dumps({
            "metadata": metadata, "status": {"message": name}}))
        return driver.wait_answer(name)

    assert patch("plain")[0] == 200
    assert patch("same", uid=uid)[0] == 200
    assert patch("old", resourceVersion="1")[0] == 409
    driver.ask("other", "GET", "/api/v1/nodes/other")
    code, sentence = driver.wait_answer("other")
    assert code == 403 and "only its own Node object" in sentence


def test_check_39_a_write_for_a_pod_that_was_before(place, driver):
    uid = place.pod("web")["metadata"]["uid"]
    place.server.delete_pod("web", place.namespace, grace=0)
    place.pod("web")
    driver.ask("late", "PATCH", f"{place.pods}/web/status", json.dumps({
        "metadata": {"uid": uid}, "status": {"phase": "Failed"}}))
    code, sentence = driver.wait_answer("late")
    assert code == 422 and "metadata.uid" in sentence
    assert place.found()["status"]["phase"] == "Pending"


# on the double


@pytest.fixture
def own(server):
    place = Place(server)
    place.register()
    return place


@pytest.fixture
def watching(own, tmp_path):
    """A client that knows a pod."""
    own.pod("web")
    path = own.server.kubeconfig(tmp_path / "config", node=own.node)
    with Driver(BUILD, path, tmp_path / "driver.log") as instance:
        own.server.log.clear()
        watch_pods(instance, own.node)
        yield instance


def asked(server):
    """The queries of all requests for pods, the latest last."""
    return [record.query for record in server.requests("GET", r"/api/v1/pods\?")]


def test_check_20_the_first_request_is_a_set_as_a_stream(own, watching):
    [query] = asked(own.server)
    assert query["watch"] == query["sendInitialEvents"] == "true"
    assert query["resourceVersionMatch"] == "NotOlderThan" and "resourceVersion" not in query
    assert 300 <= int(query["timeoutSeconds"]) < 600


def test_check_21_a_server_that_knows_no_such_streams(own, tmp_path):
    for number in range(3):
        own.pod(f"web-{number}")
    own.server.faults.refuse("sendInitialEvents", 422)
    path = own.server.kubeconfig(tmp_path / "config", node=own.node)
    own.server.log.clear()
    with Driver(BUILD, path, tmp_path / "driver.log") as driver:
        watch_pods(driver, own.node)
        agrees(driver, own)
        _, listed, watched = own.server.wait(lambda: len(asked(own.server)) == 3 and
                                             asked(own.server))
        assert listed["limit"] == "100"
        assert "resourceVersion" not in listed  # which would be a list of any time
        assert "watch" not in listed and "sendInitialEvents" not in watched
        assert int(watched["resourceVersion"]) > 0
        own.pod("later")
        agrees(driver, own)


def test_check_22_a_gap_that_the_server_cannot_fill(own, watching):
    own.pod("stays")
    own.pod("leaves")
    agrees(watching, own)
    told = len(watching.events)
    with own.server.faults.refuse(r"/api/v1/pods\?", 503, retry_after=1):
        own.server.end_watches(PODS, ApiError(410, "too old resource version"))
        own.server.delete_pod("leaves", own.namespace, grace=0)
        own.pod("joins")
        own.server.expire()
    agrees(watching, own)
    assert {event[2].split(" ")[0] for event in watching.events[told:] if event[2]} == {
        f"{own.namespace}/leaves", f"{own.namespace}/joins"}


def test_check_22_the_same_of_a_server_that_knows_only_lists(own, tmp_path):
    own.pod("leaves")
    own.server.faults.refuse("sendInitialEvents", 422)
    path = own.server.kubeconfig(tmp_path / "config", node=own.node)
    with Driver(BUILD, path, tmp_path / "driver.log") as driver:
        watch_pods(driver, own.node)
        agrees(driver, own)
        with own.server.faults.refuse(r"/api/v1/pods\?", 503, retry_after=1):
            own.server.end_watches(PODS, ApiError(410, "too old resource version"))
            own.server.delete_pod("leaves", own.namespace, grace=0)
            own.pod("joins")
            own.server.expire()
        agrees(driver, own)


def test_check_23_a_stream_whose_time_is_over_goes_on_from_its_bookmark(own, watching):
    own.server.create({"kind": "ConfigMap", "metadata": {"name": "other"}}, own.namespace)
    bookmark = own.server.store.version
    time.sleep(1)  # a shorter life is trouble
    own.server.send_bookmarks(PODS)
    own.server.end_watches(PODS)
    own.server.wait(lambda: len(asked(own.server)) == 2)
    query = asked(own.server)[1]
    assert query["resourceVersion"] == str(bookmark) and "sendInitialEvents" not in query
    own.pod("later")
    agrees(watching, own)
    assert not own.server.requests("LIST")


def test_check_06_told_to_come_later(own, watching):
    path = f"/api/v1/nodes/{own.node}/status"
    own.server.faults.refuse(path, 429, retry_after=2, count=2)
    watching.ask("later", "PATCH", path, '{"metadata":{"labels":{"a":"b"}}}')
    assert watching.wait_answer("later")[0] == 200
    first, second, third = own.server.requests("PATCH", path)
    assert first.body == second.body == third.body and third.time - first.time >= 4
    own.server.faults.refuse(path, 500, count=1)
    watching.ask("at-once", "PATCH", path, '{"metadata":{"labels":{"a":"c"}}}')
    assert watching.wait_answer("at-once")[0] == 500
    time.sleep(2)
    assert len(own.server.requests("PATCH", path)) == 4


# credentials


def test_check_02_a_token_that_is_replaced(own, tmp_path):
    """Beside one whose file is emptied, which stays as it was."""
    files = {name: tmp_path / f"token-{name}" for name in ("replaced", "emptied")}
    drivers = {}
    for name, file in files.items():
        file.write_text(f"{name}-first\n")
        for token in (f"{name}-first", f"{name}-second"):
            own.server.tokens[token] = node_user(own.node)
        path = own.server.kubeconfig(tmp_path / name, token_file=file)
        drivers[name] = Driver(BUILD, path, tmp_path / f"{name}.log")

    def tokens(name):
        drivers[name].answers.clear()
        drivers[name].ask("node", "GET", f"/api/v1/nodes/{own.node}")
        assert drivers[name].wait_answer("node")[0] == 200
        time.sleep(0.5)
        return [record.headers["authorization"].removeprefix("Bearer ")
                for record in own.server.requests("GET") if name in record.headers["authorization"]]

    for name, file in files.items():
        assert set(tokens(name)) == {f"{name}-first"}
        file.write_text("replaced-second\n" if name == "replaced" else "")
    own.server.wait(lambda: tokens("replaced")[-1] == "replaced-second", TOKEN_SECONDS,
                    "the other token")
    drivers["emptied"].wait_log(str(files["emptied"]))
    assert set(tokens("emptied")) == {"emptied-first"}
    for name, driver in drivers.items():
        assert f"{name}-first" not in driver.log and f"{name}-second" not in driver.log
        driver.close()


PLUGIN = """#!/bin/sh
echo "$KUBERNETES_EXEC_INFO" >> {place}/runs
token=$(cat {place}/token)
printf '{{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{{'
printf '"token":"%s"%s}}}}' "$token" "$(date -u -d "+{seconds} seconds" {expiry})"
"""
EXPIRY = """'+,"expirationTimestamp":"%Y-%m-%dT%H:%M:%SZ"'"""


class Plugin:
    def __init__(self, own, place, expires):
        self.place = place
        self.path = place / "plugin"
        self.path.write_text(PLUGIN.format(place=place, seconds=PLUGIN_SECONDS,
                                           expiry=EXPIRY if expires else "'+'"))
        self.path.chmod(0o755)
        self.own = own
        self.use("first")

    def use(self, token):
        self.own.server.tokens.clear()
        self.own.server.tokens[token] = self.own.client_user
        (self.place / "token").write_text(token)

    def kubeconfig(self, path, **options):
        return self.own.server.kubeconfig(path, user={"exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "command": str(self.path),
            "interactiveMode": "Never", **options}})

    @property
    def runs(self):
        path = self.place / "runs"
        return [json.loads(line) for line in path.read_text().splitlines()] \
            if path.exists() else []


@pytest.fixture
def plugin(own):
    """plugin(expires): a program that prints tokens, where root alone may put one."""
    made = []
    own.client_user = node_user(own.node)

    def make(expires):
        made.append(places.make(parent=places.ROOTS))
        return Plugin(own, made[-1], expires)

    yield make
    for place in made:
        places.remove(place)


def ask_for(driver, node, seconds):
    """Each quarter of a second."""
    for number in range(4 * seconds):
        driver.ask(f"call-{number}", "GET", f"/api/v1/nodes/{node}")
        time.sleep(0.25)
    assert {driver.wait_answer(f"call-{number}")[0] for number in range(4 * seconds)} == {200}


def test_check_03_a_plugin_whose_tokens_expire(own, plugin, tmp_path):
    found = plugin(expires=True)
    with Driver(BUILD, found.kubeconfig(tmp_path / "config"), tmp_path / "log") as driver:
        ask_for(driver, own.node, 3 * PLUGIN_SECONDS)
    assert 2 <= len(found.runs) <= 7


def test_check_03_a_plugin_whose_tokens_do_not(own, plugin, tmp_path):
    found = plugin(expires=False)
    with Driver(BUILD, found.kubeconfig(tmp_path / "config"), tmp_path / "log") as driver:
        ask_for(driver, own.node, 3)
        assert len(found.runs) == 1
        found.use("second")
        for number in range(5):
            driver.ask(f"refused-{number}", "GET", f"/api/v1/nodes/{own.node}")
        assert 401 in {driver.wait_answer(f"refused-{number}")[0] for number in range(5)}
        driver.wait(lambda: len(found.runs) == 2, "one more run")
        ask_for(driver, own.node, 2)
    assert len(found.runs) == 2


def test_check_04_what_a_plugin_is_told(own, plugin, tmp_path):
    for information in (False, True):
        found = plugin(expires=False)
        path = found.kubeconfig(tmp_path / "config", provideClusterInfo=information)
        with Driver(BUILD, path, tmp_path / "log") as driver:
            ask_for(driver, own.node, 1)
        [told] = found.runs
        assert told["kind"] == "ExecCredential" and told["spec"]["interactive"] is False
        if information:
            assert told["spec"]["cluster"]["server"] == own.server.url
            assert told["spec"]["cluster"]["certificate-authority-data"]
        else:
            assert "cluster" not in told["spec"]


FAILING = {
    "exit 3": "echo no login >&2; exit 3",
    "nothing": ":",
    "no JSON": "echo hello",
    "another kind": """echo '{"kind":"Pod","apiVersion":"client.authentication.k8s.io/v1"}'""",
    "no status": """echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1"}'""",
    "too much": "head -c 10000000 /dev/zero",
}


@pytest.mark.parametrize("kind", [*FAILING, "not there", "not root's alone"])
def test_plugins_that_fail(own, plugin, tmp_path, kind):
    """Each says which program, and how it failed."""
    found = plugin(expires=False)
    path = found.kubeconfig(tmp_path / "config", installHint="Install the package example.")
    if kind == "not there":
        found.path.unlink()
    elif kind == "not root's alone":
        found.place.chmod(0o777)
    else:
        found.path.write_text(f"#!/bin/sh\n{FAILING[kind]}\n")
    with Driver(BUILD, path, tmp_path / "log") as driver:
        driver.ask("first", "GET", f"/api/v1/nodes/{own.node}")
        code, sentence = driver.wait_answer("first")
        assert code == 0 and str(found.path) in sentence
        assert kind != "not there" or "Install the package example." in sentence
        assert kind != "exit 3" or "with status 3: no login" in sentence
        assert not own.server.requests("GET", f"/nodes/{own.node}$")


def test_a_plugin_that_is_mended(own, plugin, tmp_path):
    found = plugin(expires=False)
    good = found.path.read_text()
    found.path.write_text("#!/bin/sh\nexit 3\n")
    with Driver(BUILD, found.kubeconfig(tmp_path / "config"), tmp_path / "log") as driver:
        driver.ask("first", "GET", f"/api/v1/nodes/{own.node}")
        assert "with status 3" in driver.wait_answer("first")[1]
        failed = time.monotonic()
        found.path.write_text(good)

        def is_well():
            driver.answers.clear()
            driver.ask("again", "GET", f"/api/v1/nodes/{own.node}")
            return driver.wait_answer("again")[0] == 200

        driver.wait(is_well, "the program to be run again")
    assert time.monotonic() - failed > PLUGIN_REST_SECONDS - 1
