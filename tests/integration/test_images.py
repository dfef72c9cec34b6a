"""Pull policies, a registry with and one without credentials, and what is said of failures.

Also the first delays of a crash loop with the period as it is by default: they take as long."""

import json

import pytest

import images
import registry
import runtime
from agent import is_ready, restarts, state, status_of, waiting_for
from probe_servers import Server, silent
from specs import container, pod, stay


def of(name, image, policy=None, **fields):
    return pod(name, dict(container("main", stay(quiet=True)), image=image,
                          imagePullPolicy=policy, **fields))


@pytest.fixture(scope="module")
def registries(containerd):
    """{"open": …, "closed": …}; the second wants credentials."""
    found = {"open": registry.Registry(containerd.directory),
             "closed": registry.Registry(containerd.directory, credentials=True)}
    try:
        for source in found.values():
            source.start()
        yield found
    finally:
        for source in found.values():
            source.stop()


@pytest.fixture(scope="module")
def pulled(agent, registries):
    """All pods of this file; returns the references of their images."""
    wanted = images.example_image(Labels={"about": "pulls"})
    references = {f"{kind}-{name}": source.push(wanted, name, "1")
                  for kind, source in registries.items() for name in ("always", "once", "secret")}
    (agent.root / "config.json").write_text(json.dumps(registries["closed"].docker_config()))
    missing = f"{registries['open'].host}/missing:1"
    agent.add(
        of("always", references["open-always"], "Always"),
        of("once", references["open-once"], "IfNotPresent"),
        of("closed", references["closed-secret"], "IfNotPresent"),
        of("present", runtime.EXAMPLE_IMAGE, "Never"),
        of("never", f"{registries['open'].host}/always:2", "Never"),
        of("missing", missing, "Always"),
        of("refused", "registry.invalid/x:1", "IfNotPresent"),
        of("bad-name", "Upper/Case:1", "IfNotPresent"),
        pod("crash", container("main", "say run; exit 1"), agent=agent))
    return {**references, "missing": missing}


def test_a_missing_image_is_pulled(agent, pulled):
    agent.wait_ready("once", "always")
    for name in ("once", "always"):
        reference = pulled[f"open-{name}"]
        assert agent.wait_event(name, f'Pulling: Pulling image "{reference}"')
        [text] = agent.wait_event(name, f'Pulled: Successfully pulled image "{reference}" in ')
        assert " including waiting). Image size: " in text and text.endswith(" bytes.")


def test_with_ifnotpresent_a_second_pod_does_not_pull(agent, pulled):
    agent.wait_ready("once")
    agent.add(of("once-more", pulled["open-once"], "IfNotPresent"))
    agent.wait_ready("once-more")
    assert not [text for text in agent.messages("once-more") if text.startswith("Pulling")]
    assert agent.wait_event("once-more", "already present on machine")


def test_with_always_a_second_pod_pulls_again(agent, pulled):
    agent.wait_ready("always")
    agent.add(of("always-more", pulled["open-always"], "Always"))
    agent.wait_ready("always-more")
    assert agent.wait_event("always-more", "Pulled: Successfully pulled image")


def test_with_never_a_present_image_is_used(agent, pulled):
    agent.wait_ready("present")


def test_cri_50_with_never_a_missing_image_is_an_error(agent, pulled):
    found = agent.wait_pod("never", lambda pod: waiting_for(pod) == "ErrImageNeverPull", "refusal")
    image = found["spec"]["containers"][0]["image"]
    text = f'Container image "{image}" is not present with pull policy of Never'
    assert state(found)[1]["message"] == text
    assert agent.wait_event("never", f"ErrImageNeverPull: {text}")


def test_cri_45_a_name_that_is_none(agent, pulled):
    agent.wait_pod("bad-name", lambda pod: waiting_for(pod) == "InvalidImageName", "refusal")
    assert agent.wait_event("bad-name", "InspectFailed: ")


def test_the_nodes_credentials_are_used(agent, pulled):
    agent.wait_ready("closed")
    assert agent.wait_event("closed", "Pulled: Successfully pulled image")


def test_without_credentials_the_registry_refuses(agent, pulled):
    agent.wait_ready("closed")
    (agent.root / "config.json").unlink()
    agent.add(of("closed-to-us", pulled["closed-always"], "Always"))
    found = agent.wait_pod("closed-to-us", lambda pod: waiting_for(pod) in (
        "ErrImagePull", "ImagePullBackOff"), "refusal")
    assert pulled["closed-always"] in state(found)[1]["message"]
    assert agent.wait_event("closed-to-us", "Failed: Error: ErrImagePull")


def test_a_pull_that_waits_outlives_its_manifest(agent, pulled):
    """Pulls go one after the other; a manifest with a UID of its own may be written again."""
    agent.wait_ready("closed")
    with Server(silent) as server:
        agent.add(of("holds-up", f"127.0.0.1:{server.port}/held:1", "Always"))
        agent.wait(lambda: "pulling 127.0.0.1" in agent.why_text("holds-up"), "the first pull")
        waiting = of("waits", pulled["open-once"], "Always")
        waiting["metadata"]["uid"] = "waits"
        agent.add(waiting)
        agent.wait(lambda: "waits to pull" in agent.why_text("waits"), "the second to wait")
        for number in range(3):
            waiting["metadata"]["annotations"] = {"written": str(number)}
            agent.add(waiting)
            agent.wait(lambda: agent.pod("waits")["metadata"]["annotations"].get("written")
                       == str(number), "the manifest to be read")
    agent.wait_ready("waits")
    agent.remove("holds-up", "waits")


def test_a_pod_may_bring_credentials(agent, pulled, registries):
    """From a Secret that it names; one that is missing is told."""
    agent.wait_ready("closed")
    (agent.root / "config.json").unlink(missing_ok=True)
    config = json.dumps(registries["closed"].docker_config())
    agent.write_manifest("pull.json", {
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "pull", "namespace": "default"},
        "type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": config}})
    secret = of("brings-secret", pulled["closed-secret"], "Always")
    secret["spec"]["imagePullSecrets"] = [{"name": "missing"}, {"name": "pull"}]
    agent.add(secret)
    agent.wait_ready("brings-secret")
    assert agent.wait_event("brings-secret", "FailedToRetrieveImagePullSecret: Unable to retrieve "
                            "some image pull secrets (missing)")
    without = of("brings-none", pulled["closed-secret"], "Always")
    agent.add(without)
    agent.wait_pod("brings-none", lambda pod: waiting_for(pod) in (
        "ErrImagePull", "ImagePullBackOff"), "refusal")


def test_credentials_are_read_anew_for_each_pull(agent, pulled, registries):
    agent.wait_ready("closed")
    config = registries["closed"].docker_config()
    wrong = json.loads(json.dumps(config).replace(registries["closed"].basic(), "cHVsbGVyOndyb25n"))
    (agent.root / "config.json").write_text(json.dumps(wrong))
    agent.add(of("wrong-password", pulled["closed-always"], "Always"))
    agent.wait_pod("wrong-password", lambda pod: waiting_for(pod) in (
        "ErrImagePull", "ImagePullBackOff"), "refusal")
    (agent.root / "config.json").write_text(json.dumps(config))
    agent.add(of("right-password", pulled["closed-always"], "Always"))
    agent.wait_ready("right-password")
    assert agent.wait_event("right-password", "Pulled: Successfully pulled image")


def test_a_registry_that_is_not_there_is_told(agent, pulled):
    found = agent.wait_pod("refused", lambda pod: waiting_for(pod) in (
        "ErrImagePull", "ImagePullBackOff"), "refusal", 60)
    assert "registry.invalid" in state(found)[1]["message"]


def test_check_21_a_missing_image_is_tried_again_with_growing_delays(agent, pulled):
    image = pulled["missing"]
    for text in (f'Pulling: Pulling image "{image}"', f'Failed: Failed to pull image "{image}": ',
                 "Failed: Error: ErrImagePull", f'BackOff: Back-off pulling image "{image}"',
                 "Failed: Error: ImagePullBackOff"):
        assert agent.wait_event("missing", text)
    found = agent.wait_pod("missing", lambda pod: waiting_for(pod) == "ImagePullBackOff", "it")
    message = state(found)[1]["message"]
    assert message.startswith(f'Back-off pulling image "{image}": ErrImagePull: ')
    assert "not found" in message and found["status"]["phase"] == "Pending"
    kinds = {event["reason"]: event["type"] for event in agent.events("missing")}
    assert (kinds["BackOff"], kinds["Failed"]) == ("Normal", "Warning")
    assert "ImagePullBackOff" in agent.why_text("missing")


def test_check_21_an_image_that_appears_is_pulled_in_the_end(agent, pulled, registries):
    registries["open"].push(images.example_image(Labels={"about": "late"}), "missing", "1")
    agent.wait_ready("missing", seconds=45)


def test_check_17_the_first_delays_of_a_crash_loop(agent, pulled):
    """0 and 10 seconds; up to half of it and a second are the reference's jitter."""
    agent.wait(lambda: len(agent.stage("crash")) >= 3, "three runs", name="crash")
    first, second, third = [at for at, _ in agent.stage("crash")][:3]
    assert second - first < 1.5 and 9.9 <= third - second <= 16.5


def test_what_is_said_of_a_crash_loop(agent, pulled):
    found = agent.wait_pod("crash", lambda pod: waiting_for(pod) == "CrashLoopBackOff", "it")
    uid = found["metadata"]["uid"]
    where = f"restarting failed container=main pod=crash-node_default({uid})"
    assert state(found)[1]["message"] in (f"back-off 10s {where}", f"back-off 20s {where}")
    assert status_of(found)["lastState"]["terminated"]["exitCode"] == 1
    assert found["status"]["phase"] == "Running" and restarts(found) and not is_ready(found)
    assert agent.wait_event("crash", "BackOff: Back-off restarting failed container main in pod "
                            f"crash-node_default({uid})")
    agent.wait(lambda: "CrashLoopBackOff" in agent.why_text("crash"), "why to say so")
