"""Volumes whose files come from objects: configMap, secret, downwardAPI and projected."""

import base64
import os
import time

from agent import is_ready, restarts, waiting_for
from specs import STAY, container, pod

CONFIG = {"crashLoopBackOff": {"maxContainerRestartPeriod": "1s"}}
QUIET = f"echo done; trap 'exit 0' TERM; {STAY}"
SHOW = "cd /data; for f in $(find -L . -type f ! -path './..*' | sort); do " \
       "echo \"$f $(stat -L -c '%a %u:%g' $f) $(cat $f)\"; done; "


def config_map(name, data=None, **more):
    return {"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": "default"}, "data": data or {}, **more}


def secret(name, data, **more):
    return {"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": name, "namespace": "default"}, "stringData": data, **more}


def volume(kind, **source):
    return {"name": "data", kind: source}


def shower(name, *volumes, script=SHOW, **spec):
    return pod(name, container("main", script + QUIET, volumeMounts=[
        {"name": "data", "mountPath": "/data"}]), volumes=volumes, **spec)


def field(path, name):
    return {"path": path, "fieldRef": {"fieldPath": name}}


def place(agent, name, kind):
    uid = agent.pod(name)["metadata"]["uid"]
    return agent.root / "pods" / uid / "volumes" / f"kubernetes.io~{kind}" / "data"


def text(path):
    try:
        return path.read_text()
    except OSError:
        return None


def mounts():
    with open("/proc/self/mounts", encoding="utf-8") as file:
        return file.read()


def pods(agent):
    for thing in (
            config_map("letters", {"a": "one", "b": "two"},
                       binaryData={"bytes": base64.b64encode(b"three").decode()}),
            config_map("replaced", {"key": "first"}), config_map("kept", {"key": "first"}),
            config_map("goes", {"key": "first"}), config_map("offline", {"key": "first"}),
            config_map("frozen", {"key": "first"}, immutable=True),
            secret("keys", {"user": "me", "password": "pass"})):
        agent.write_manifest(f"{thing['kind'].lower()}-{thing['metadata']['name']}", thing)
    labelled = shower("labelled", volume("downwardAPI", items=[
        field("labels", "metadata.labels"), field("one", "metadata.labels['app']"),
        field("none", "metadata.labels['none']"), field("name", "metadata.name")]))
    labelled["metadata"].update(uid="uid-of-labelled", labels={"app": "shown", "b": "2"})
    amounts = shower("amounts", volume("downwardAPI", items=[
        {"path": "cpu", "resourceFieldRef": {"containerName": "main", "resource": "limits.cpu",
                                             "divisor": "1m"}},
        {"path": "memory", "resourceFieldRef": {"containerName": "main",
                                                "resource": "requests.memory"}}]))
    amounts["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "250m"}}
    return [
        shower("config", volume("configMap", name="letters")),
        shower("items", volume("configMap", name="letters", defaultMode=0o400, items=[
            {"key": "a", "path": "deep/dir/a", "mode": 0o755}, {"key": "bytes", "path": "x"}])),
        shower("secret", volume("secret", secretName="keys"),
               script="grep ' /data ' /proc/mounts; " + SHOW),
        shower("group", volume("secret", secretName="keys", defaultMode=0o400),
               script="stat -L -c '%a %g' /data; " + SHOW,
               securityContext={"fsGroup": 4000, "runAsUser": 1000}),
        shower("projected", volume("projected", sources=[
            {"configMap": {"name": "letters", "items": [{"key": "a", "path": "a"}]}},
            {"secret": {"name": "keys", "items": [{"key": "user", "path": "who/user",
                                                   "mode": 0o600}]}},
            {"downwardAPI": {"items": [field("space", "metadata.namespace")]}},
            {"configMap": {"name": "none", "optional": True}}])),
        shower("read-only", volume("configMap", name="letters"),
               script="exec 2>&1; echo x > /data/new; "),
        pod("nested", container("main", "touch /data/b/c/file && ls /data; " + QUIET, volumeMounts=[
            {"name": "data", "mountPath": "/data"},
            {"name": "inner", "mountPath": "/data/b/c"}]),
            volumes=[volume("configMap", name="letters"), {"name": "inner", "emptyDir": {}}]),
        labelled, amounts,
        shower("follows", volume("configMap", name="replaced")),
        shower("needs", volume("configMap", name="goes")),
        shower("immutable", volume("configMap", name="frozen")),
        shower("sleeper", volume("configMap", name="offline")),
        shower("optional", volume("configMap", name="perhaps", optional=True)),
        shower("missing", volume("configMap", name="late")),
        shower("missing-key", volume("secret", secretName="keys",
                                     items=[{"key": "none", "path": "x"}])),
        shower("missing-two", volume("projected", sources=[
            {"configMap": {"name": "no-map"}}, {"secret": {"name": "no-secret"}}])),
    ]


# contents


def test_check_19_a_config_map(agent):
    assert agent.wait_output("config") == ("./a 644 0:0 one\n./b 644 0:0 two\n"
                                           "./bytes 644 0:0 three\ndone\n")
    folder = place(agent, "config", "configmap")
    assert os.readlink(folder / "a") == "..data/a"
    target = os.readlink(folder / "..data")
    assert target.startswith("..2") and sorted(os.listdir(folder)) == sorted(
        ["..data", target, "a", "b", "bytes"])
    assert folder.stat().st_mode & 0o7777 == 0o777
    assert (folder / target).stat().st_mode & 0o7777 == 0o755


def test_check_20_items_have_paths_and_modes(agent):
    assert agent.wait_output("items") == "./deep/dir/a 755 0:0 one\n./x 400 0:0 three\ndone\n"


def test_check_27_a_secret_lies_in_memory(agent):
    first, rest = agent.wait_output("secret").split("\n", 1)
    assert first.split()[2] == "tmpfs"
    assert rest == "./password 644 0:0 pass\n./user 644 0:0 me\ndone\n"
    assert place(agent, "secret", "secret").stat().st_mode & 0o7777 == 0o1777


def test_a_group_reads_what_is_secret(agent):
    assert agent.wait_output("group") == ("3777 4000\n./password 440 0:4000 pass\n"
                                          "./user 440 0:4000 me\ndone\n")


def test_a_projection_of_several(agent):
    assert agent.wait_output("projected") == ("./a 644 0:0 one\n./space 644 0:0 default\n"
                                              "./who/user 600 0:0 me\ndone\n")


def test_check_28_nobody_writes_into_it(agent):
    assert "Read-only file system" in agent.wait_output("read-only")


def test_check_29_another_volume_may_be_mounted_in_it(agent):
    assert agent.wait_output("nested") == "a\nb\nbytes\ndone\n"


def test_check_33_amounts(agent):
    assert agent.wait_output("amounts") == "./cpu 644 0:0 250\n./memory 644 0:0 0\ndone\n"


# following


def test_check_32_labels_are_followed(agent):
    assert agent.wait_output("labelled") == (
        "./labels 644 0:0 app=\"shown\"\nb=\"2\"\n./name 644 0:0 labelled-node\n"
        "./none 644 0:0 \n./one 644 0:0 shown\ndone\n")
    manifest = next(item for item in pods(agent) if item["metadata"]["name"] == "labelled")
    manifest["metadata"]["labels"] = {"app": "changed"}
    agent.add(manifest)
    path = place(agent, "labelled", "downward-api") / "labels"
    agent.wait(lambda: text(path) == 'app="changed"', "the label in the file", name="labelled")
    assert restarts(agent.pod("labelled")) == 0


def test_check_24_a_change_is_one_swap(agent):
    """A container that looks all the time never sees half of it."""
    look = ("cd -P /data/..data 2>/dev/null || continue; a=$(cat a 2>/dev/null) || continue; "
            "b=$(cat b 2>/dev/null) || continue; [ $a = $b ] || say torn $a $b; "
            "[ $a = \"$last\" ] || say $a; last=$a; ")
    watcher = pod("watcher", container("main", f"trap 'exit 0' TERM; while :; do {look} done",
                                       volumeMounts=[{"name": "data", "mountPath": "/data"}]),
                  agent=agent, volumes=[volume("configMap", name="swapped")])
    agent.write_manifest("swapped", config_map("swapped", {"a": "v0", "b": "v0"}))
    agent.add(watcher)
    agent.wait_said("watcher", "v0")
    folder = place(agent, "watcher", "configmap")
    inode = os.lstat(folder / "a").st_ino
    for i in range(1, 11):
        before = os.readlink(folder / "..data")
        agent.write_manifest("swapped", config_map("swapped", {"a": f"v{i}", "b": f"v{i}"}))
        agent.wait_said("watcher", f"v{i}")
        agent.wait(lambda: not (folder / before).exists(), "the old files to go")
        assert sorted(os.listdir(folder)) == sorted(
            ["..data", os.readlink(folder / "..data"), "a", "b"])
    assert agent.said("watcher") == [f"v{i}" for i in range(11)]
    assert restarts(agent.pod("watcher")) == 0 and os.lstat(folder / "a").st_ino == inode
    agent.remove("watcher", "swapped")


def test_check_26_a_part_of_a_volume_follows_with_the_next_container(agent):
    agent.add(pod("part", container("main", "cat /part; echo; [ -e /stage/go ] || { until "
                                    "[ -e /stage/go ]; do sleep 0.1; done; exit 1; }; " + QUIET,
                                    volumeMounts=[{"name": "data", "mountPath": "/part",
                                                   "subPath": "key"}]),
                  agent=agent, volumes=[volume("configMap", name="replaced")]))
    agent.wait_output("part", end="first\n")
    agent.wait_ready("follows")
    agent.write_manifest("configmap-replaced", config_map("replaced", {"new": "2", "key": "second"}))
    folder = place(agent, "follows", "configmap")
    agent.wait(lambda: (text(folder / "key"), text(folder / "new")) == ("second", "2"),
               "the whole volume to follow", name="follows")
    uid = agent.pod("part")["metadata"]["uid"]
    target = agent.root / "pods" / uid / "volume-subpaths" / "data" / "main" / "0"
    agent.wait(lambda: text(place(agent, "part", "configmap") / "key") == "second", "the other one")
    assert text(target) == "first"
    (agent.stages / "part" / "go").touch()
    assert agent.wait(lambda: agent.output("part", attempt=1).endswith("done\n")
                      and agent.output("part", attempt=1), "the next run") == "second\ndone\n"
    agent.write_manifest("configmap-replaced", config_map("replaced", {"key": "third"}))
    agent.wait(lambda: not (folder / "new").is_symlink() and text(folder / "key") == "third",
               "what is gone to go")


def test_check_22_what_is_optional_comes_and_goes(agent):
    assert agent.wait_output("optional") == "done\n"
    folder = place(agent, "optional", "configmap")
    assert sorted(os.listdir(folder)) == sorted(["..data", os.readlink(folder / "..data")])
    agent.write_manifest("perhaps", config_map("perhaps", {"key": "here"}))
    agent.wait(lambda: text(folder / "key") == "here", "the file to come", name="optional")
    agent.remove("perhaps")
    agent.wait(lambda: not (folder / "key").is_symlink(), "the file to go", name="optional")
    assert is_ready(agent.pod("optional")) and restarts(agent.pod("optional")) == 0


def test_check_23_what_is_needed_and_goes_stays_in_the_volume(agent):
    agent.wait_ready("needs")
    agent.remove("configmap-goes")
    agent.wait_event("needs", 'FailedMount: MountVolume.SetUp failed for volume "data" : '
                     'configmap "goes" not found')
    assert is_ready(agent.pod("needs"))
    assert text(place(agent, "needs", "configmap") / "key") == "first"
    agent.write_manifest("configmap-goes", config_map("goes", {"key": "back"}))
    agent.wait(lambda: text(place(agent, "needs", "configmap") / "key") == "back", "it to be back")


def test_what_is_immutable_is_not_followed(agent):
    agent.wait_ready("immutable", "config")
    agent.write_manifest("configmap-frozen", config_map("frozen", {"key": "second"}))
    agent.wait(lambda: "ConfigMap default/frozen is immutable" in agent.log(50000), "the warning")
    time.sleep(1)
    assert text(place(agent, "immutable", "configmap") / "key") == "first"


def test_what_changed_while_no_agent_ran(agent):
    agent.wait_ready("sleeper")
    agent.stop()
    agent.write_manifest("configmap-offline", config_map("offline", {"key": "second"}))
    agent.start()
    agent.wait(lambda: agent.pod("sleeper")
               and text(place(agent, "sleeper", "configmap") / "key") == "second", "the change")
    assert restarts(agent.pod("sleeper")) == 0


# missing


def test_check_3_and_4_what_is_missing_is_waited_for(agent):
    found = agent.wait_pod("missing", lambda pod: waiting_for(pod) == "ContainerCreating", "it")
    agent.wait_event("missing", 'FailedMount: MountVolume.SetUp failed for volume "data" : '
                     'configmap "late" not found')
    assert found["status"]["phase"] == "Pending" and not agent.output("missing")
    assert 'configmap "late" not found' in agent.why_text("missing")
    agent.write_manifest("late", config_map("late", {"key": "at last"}))
    assert agent.wait_output("missing") == "./key 644 0:0 at last\ndone\n"


def test_check_21_and_35_all_that_is_missing_is_told(agent):
    agent.wait_event("missing-key", 'FailedMount: MountVolume.SetUp failed for volume "data" : '
                     "secret references non-existent secret key: none")
    agent.wait_event("missing-two", 'FailedMount: MountVolume.SetUp failed for volume "data" : '
                     '[configmap "no-map" not found, secret "no-secret" not found]')


# the end


def test_volumes_go_with_their_pod(agent):
    agent.wait_ready("secret", "projected")
    folders = [place(agent, name, name) for name in ("secret", "projected")]
    assert all(str(folder) in mounts() for folder in folders)
    agent.remove("secret", "projected")
    agent.wait_gone("secret", "projected")
    agent.wait(lambda: not any(folder.parent.parent.parent.exists() for folder in folders),
               "the pods' directories to go", 75)
    assert not any(str(folder) in mounts() for folder in folders)
