"""What a container finds: variables, arguments, its directory, its user and its privileges."""

import os

from agent import state, waiting_for
from specs import STAY, container, pod

SHOW = "env | sort; echo done; "
STATUS = ("grep -E '^(Uid|Gid|Groups|Cap(Eff|Bnd)|NoNewPrivs|Seccomp):' /proc/self/status; "
          "echo done; ")


def show(name, script=SHOW, security=None, pod_security=None, **fields):
    return pod(name, container("main", script + f"trap 'exit 0' TERM; {STAY}",
                               **({"securityContext": security} if security else {}), **fields),
               **({"securityContext": pod_security} if pod_security else {}))


def field(name, path):
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def resource(name, what, **more):
    return {"name": name, "valueFrom": {"resourceFieldRef": {"resource": what, **more}}}


def pods(agent):
    arguments = dict(container(env=[{"name": "X", "value": "w"}, {"name": "Y", "value": "v"}]),
                     command=["sh", "-c", 'for a; do echo "$a"; done; echo done; sleep 1000', "x"],
                     args=["$$(X) $(Y)", "$(X)$(Y)", "$(NONE)", "$X", "$"])
    labelled = show("fields", env=[
        field("NAME", "metadata.name"), field("SPACE", "metadata.namespace"),
        field("POD_UID", "metadata.uid"), field("LABEL", "metadata.labels['app']"),
        field("NODE", "spec.nodeName"), field("HOST", "status.hostIP"), field("IP", "status.podIP"),
        field("IPS", "status.podIPs")])
    labelled["metadata"]["labels"] = {"app": "shown"}
    return [
        show("variables", env=[
            {"name": "A", "value": "$(B)"}, {"name": "B", "value": "1"},
            {"name": "C", "value": "$(B)-$(B)"}, {"name": "D", "value": "$$(B) $(NONE) $B"},
            {"name": "EMPTY", "value": ""}, {"name": "LINES", "value": "one\ntwo"}]),
        labelled,
        show("amounts", resources={"requests": {"cpu": "250m", "memory": "8Mi"},
                                   "limits": {"memory": "32Mi"}}, env=[
            resource("CPU", "requests.cpu"), resource("CPU_M", "requests.cpu", divisor="1m"),
            resource("MEMORY", "limits.memory"), resource("MIB", "limits.memory", divisor="1Mi"),
            resource("CPUS", "limits.cpu")]),
        pod("arguments", arguments),
        show("directory", "pwd; echo done; ", workingDir="/bin"),
        show("plain", STATUS),
        show("user", STATUS, security={"runAsUser": 1000, "runAsGroup": 3000},
             pod_security={"supplementalGroups": [2000], "fsGroup": 4000, "runAsUser": 1}),
        show("capabilities", STATUS, security={"capabilities": {"drop": ["ALL"],
                                                                "add": ["NET_BIND_SERVICE"]}}),
        show("privileged", STATUS, security={"privileged": True}),
        show("no-escalation", STATUS, security={"allowPrivilegeEscalation": False}),
        show("seccomp", STATUS, pod_security={"seccompProfile": {"type": "RuntimeDefault"}}),
        show("read-only", "exec 2>&1; touch /here; echo done; ",
             security={"readOnlyRootFilesystem": True}),
        show("unmasked", "exec 2>&1; echo x > /proc/sys/kernel/domainname; echo done; "),
        show("not-root", security={"runAsNonRoot": True}),
        show("not-root-either", security={"runAsUser": 0}, pod_security={"runAsNonRoot": True}),
        show("someone", "id; echo done; ", pod_security={"runAsNonRoot": True, "runAsUser": 1000}),
        show("no-capability", security={"capabilities": {"add": ["NET_BIND_SERVCE"]}}),
    ]


def variables(agent, name):
    lines = agent.wait_output(name).splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def process(agent, name):
    lines = agent.wait_output(name).splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def test_cri_24_variables_see_those_before_them(agent):
    found = variables(agent, "variables")
    assert (found["A"], found["B"], found["C"]) == ("$(B)", "1", "1-1")
    assert (found["D"], found["EMPTY"], found["LINES"]) == ("$(B) $(NONE) $B", "", "one")
    assert found["PATH"] == "/bin", "the image's own stay"


def test_variables_from_the_pod(agent):
    found = variables(agent, "fields")
    shown = agent.pod("fields")
    assert (found["NAME"], found["SPACE"], found["NODE"]) == ("fields-node", "default", "node")
    assert found["POD_UID"] == shown["metadata"]["uid"] and found["LABEL"] == "shown"
    assert found["IP"] == found["IPS"] == shown["status"]["podIP"]
    assert found["HOST"] == shown["status"]["hostIP"]


def test_cri_25_variables_from_resources(agent):
    found = variables(agent, "amounts")
    assert (found["CPU"], found["CPU_M"]) == ("1", "250")
    assert (found["MEMORY"], found["MIB"]) == (str(32 << 20), "32")
    assert 1 <= int(found["CPUS"]) <= os.cpu_count(), "without a limit, what the node can give"


def test_cri_24_arguments_are_expanded(agent):
    assert agent.wait_output("arguments").splitlines() == ["$(X) v", "wv", "$(NONE)", "$X", "$",
                                                           "done"]


def test_the_working_directory(agent):
    assert agent.wait_output("directory").splitlines()[0] == "/bin"


def test_cri_40_without_a_user_it_is_root(agent):
    found = process(agent, "plain")
    assert found["Uid"].split() == 4 * ["0"]
    assert found["NoNewPrivs"] == "0" and found["Seccomp"] == "0", "cri 41: unconfined"
    assert int(found["CapEff"], 16) & 1 << 10, "NET_BIND_SERVICE is one of the runtime's defaults"
    assert not int(found["CapEff"], 16) & 1 << 21, "SYS_ADMIN is not"


def test_a_user_and_groups(agent):
    found = process(agent, "user")
    assert found["Uid"].split() == 4 * ["1000"] and found["Gid"].split() == 4 * ["3000"]
    assert {"2000", "4000"} <= set(found["Groups"].split())


def test_capabilities_are_dropped_and_added(agent):
    assert int(process(agent, "capabilities")["CapBnd"], 16) == 1 << 10


def test_privileged(agent):
    assert int(process(agent, "privileged")["CapBnd"], 16) & 1 << 21


def test_cri_43_privileges_do_not_grow(agent):
    assert process(agent, "no-escalation")["NoNewPrivs"] == "1"


def test_a_seccomp_profile(agent):
    assert process(agent, "seccomp")["Seccomp"] == "2"


def test_a_file_system_that_is_read_only(agent):
    assert "Read-only file system" in agent.wait_output("read-only")


def test_what_of_the_kernel_is_hidden(agent):
    assert "Read-only file system" in agent.wait_output("unmasked")


def test_cri_39_root_where_it_must_not_be(agent):
    for name, reason in (("not-root", "container has runAsNonRoot and image will run as root"),
                         ("not-root-either", "container's runAsUser breaks non-root policy")):
        found = agent.wait_pod(name, lambda pod: waiting_for(pod) == "CreateContainerConfigError",
                               "the refusal")
        uid = found["metadata"]["uid"]
        assert state(found)[1]["message"] == (
            f'{reason} (pod: "{name}-node_default({uid})", container: main)')
        assert agent.wait_event(name, f"Failed: Error: {reason}")


def test_someone_who_is_not_root(agent):
    assert agent.wait_output("someone").startswith("uid=1000(guest)")


def test_a_capability_that_does_not_exist_is_named(agent):
    agent.wait_pod("no-capability", lambda pod: waiting_for(pod), "the refusal")
    assert agent.wait_event("no-capability", "NET_BIND_SERVCE")
