"""What pods share with their node and their containers with each other; names and resolvers."""

import os
import pathlib

from specs import STAY, container, pod

CONFIG = {"allowedUnsafeSysctls": ["net.core.*"]}
SHOW = "for kind in net pid ipc; do readlink /proc/self/ns/$kind; done; "
DONE = "echo done; "
RESOLVER = "cat /etc/resolv.conf; " + DONE


def show(name, script, *more, **spec):
    return pod(name, container("main", script + f"trap 'exit 0' TERM; {STAY}"), *more, **spec)


def pods(agent):
    listing = "sleep 1; ps -o pid,args; echo done; "
    return [
        show("own", SHOW + "hostname; cat /etc/hosts; echo done; "),
        show("host-network", SHOW + "cat /etc/hosts; echo done; ", hostNetwork=True),
        show("host-pid", SHOW + DONE, hostPID=True),
        show("host-ipc", SHOW + DONE, hostIPC=True),
        show("shared", listing, container("other", "exec httpd -f -p 8080"),
             shareProcessNamespace=True),
        show("apart", listing, container("other", "exec httpd -f -p 8080")),
        show("aliases", "cat /etc/hosts; echo done; ", hostAliases=[
            {"ip": "192.0.2.7", "hostnames": ["one.example", "two.example"]}]),
        show("renamed", "hostname; cat /etc/hosts; echo done; ", hostname="h", subdomain="s"),
        show("fqdn", "hostname; echo done; ", hostname="h", subdomain="s", setHostnameAsFQDN=True),
        show("dns-cluster", RESOLVER),
        show("dns-default", RESOLVER, dnsPolicy="Default"),
        show("dns-none", RESOLVER, dnsPolicy="None", dnsConfig={
            "nameservers": ["192.0.2.77"], "searches": ["a.example"],
            "options": [{"name": "ndots", "value": "2"}, {"name": "rotate"}]}),
        show("dns-host", RESOLVER, hostNetwork=True),
        show("dns-host-cluster", RESOLVER, hostNetwork=True, dnsPolicy="ClusterFirstWithHostNet"),
        show("sysctls", "cat /proc/sys/kernel/shm_rmid_forced /proc/sys/net/core/somaxconn; "
             "echo done; ", securityContext={"sysctls": [
                 {"name": "kernel.shm_rmid_forced", "value": "1"},
                 {"name": "net/core/somaxconn", "value": "777"}]}),
        show("sysctls-unsafe", "", securityContext={"sysctls": [
            {"name": "kernel.msgmax", "value": "65536"}]}),
    ]


def namespaces(agent, name):
    """{net, pid, ipc}: is it the node's?"""
    links = [line for line in agent.wait_output(name).splitlines() if ":[" in line]
    return {link.partition(":")[0]: link == os.readlink(f"/proc/self/ns/{link.partition(':')[0]}")
            for link in links}


def lines(agent, name):
    return agent.wait_output(name).splitlines()[:-1]


def test_a_pod_has_namespaces_of_its_own(agent):
    assert namespaces(agent, "own") == {"net": False, "pid": False, "ipc": False}


def test_host_network(agent):
    assert namespaces(agent, "host-network") == {"net": True, "pid": False, "ipc": False}
    [found] = agent.wait_ready("host-network")
    assert found["status"]["podIP"] == found["status"]["hostIP"]


def test_host_pid(agent):
    assert namespaces(agent, "host-pid") == {"net": False, "pid": True, "ipc": False}


def test_host_ipc(agent):
    assert namespaces(agent, "host-ipc") == {"net": False, "pid": False, "ipc": True}


def test_containers_may_share_their_processes(agent):
    text = agent.wait_output("shared")
    assert "/pause" in text and "httpd" in text


def test_cri_19_by_default_they_do_not(agent):
    text = agent.wait_output("apart")
    assert "/pause" not in text and "httpd" not in text


def test_hosts_of_a_pod(agent):
    text = lines(agent, "own")
    address = agent.pod("own")["status"]["podIP"]
    hosts = text[text.index("# Kubernetes-managed hosts file."):]
    assert hosts == ["# Kubernetes-managed hosts file.", "127.0.0.1\tlocalhost",
                     "::1\tlocalhost ip6-localhost ip6-loopback", "fe00::0\tip6-localnet",
                     "fe00::0\tip6-mcastprefix", "fe00::1\tip6-allnodes", "fe00::2\tip6-allrouters",
                     f"{address}\town-node"]
    assert "own-node" in text[:text.index(hosts[0])], "the host name"


def test_cri_13_hosts_of_a_pod_on_the_nodes_network(agent):
    text = lines(agent, "host-network")
    hosts = text[text.index("# Kubernetes-managed hosts file (host network)."):]
    assert hosts[1:] == pathlib.Path("/etc/hosts").read_text().splitlines()


def test_host_aliases(agent):
    assert lines(agent, "aliases")[-3:] == ["", "# Entries added by HostAliases.",
                                            "192.0.2.7\tone.example\ttwo.example"]


def test_cri_12_host_name_and_subdomain(agent):
    name, *hosts = lines(agent, "renamed")
    address = agent.pod("renamed")["status"]["podIP"]
    assert name == "h"
    assert hosts[-1] == f"{address}\th.s.default.svc.cluster.local\th"
    assert lines(agent, "fqdn") == ["h.s.default.svc.cluster.local"]


def test_cri_14_the_clusters_resolver_comes_first(agent):
    assert sorted(lines(agent, "dns-cluster")) == sorted([
        "nameserver 192.0.2.10", "options ndots:5",
        "search default.svc.cluster.local svc.cluster.local cluster.local example.org"])


def test_dns_default_is_the_nodes_resolver(agent):
    assert sorted(lines(agent, "dns-default")) == ["nameserver 192.0.2.53", "search example.org"]


def test_dns_none_is_what_the_pod_says(agent):
    found = {line.split(" ", 1)[0]: line.split(" ", 1)[1] for line in lines(agent, "dns-none")}
    assert (found["nameserver"], found["search"]) == ("192.0.2.77", "a.example")
    assert set(found["options"].split()) == {"ndots:2", "rotate"}


def test_dns_on_the_nodes_network(agent):
    assert "nameserver 192.0.2.53" in lines(agent, "dns-host")
    assert "nameserver 192.0.2.10" in lines(agent, "dns-host-cluster")


def test_sysctls(agent):
    assert lines(agent, "sysctls") == ["1", "777"]


def test_sysctls_that_are_not_allowed(agent):
    found = agent.wait_phase("sysctls-unsafe", "Failed")
    assert found["status"]["reason"] == "SysctlForbidden"
    assert 'forbidden sysctl: "kernel.msgmax" not allowlisted' in found["status"]["message"]
