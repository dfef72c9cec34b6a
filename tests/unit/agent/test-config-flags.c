/* agent/config-flags.c: the command line, by the kubelet's rules; what installers pass. */
#include "config-fixture.h"
#include "config-private.h"

/* rules of parsing */

static void test_check_02_forms(void **state)
{
    struct fixture *fixture = *state;

    assert_reads(fixture, read_flags(fixture, "--max-pods=1", "--pods-per-core", "2", "--max_pods",
                                     "3", "--registry_burst=4", "-v", "5"));
    assert_int_equal(fixture->config.max_pods, 3);
    assert_int_equal(fixture->config.pods_per_core, 2);
    assert_int_equal(fixture->config.registry_burst, 4);
    assert_int_equal(fixture->config.verbosity, 5);
    assert_reads(fixture, read_flags(fixture, "--v=6"));
    assert_int_equal(fixture->config.verbosity, 6);
    assert_reads(fixture, read_flags(fixture, "-v=7", "--cluster-domain=a=b"));
    assert_int_equal(fixture->config.verbosity, 7);
    assert_string_equal(fixture->config.cluster_domain, "a=b");
    assert_reads(fixture, read_flags(fixture, "--pod_manifest_path=/x", "--"));
    assert_string_equal(fixture->config.static_pod_path, "/x");
    /* What follows is the value, whatever it looks like. */
    assert_reads(fixture, read_flags(fixture, "--cluster-domain", "--max-pods"));
    assert_string_equal(fixture->config.cluster_domain, "--max-pods");
}

static void test_booleans(void **state)
{
    struct fixture *fixture = *state;
    const char *yes[] = {"--seccomp-default",   "--seccomp-default=true", "--seccomp-default=1",
                         "--seccomp-default=T", "--seccomp-default=True", "--seccomp_default=TRUE",
                         "--seccomp-default=t"};
    const char *no[] = {"--cpu-cfs-quota=false", "--cpu-cfs-quota=0",     "--cpu-cfs-quota=f",
                        "--cpu-cfs-quota=F",     "--cpu-cfs-quota=FALSE", "--cpu-cfs-quota=False"};

    for (size_t i = 0; i < array_size(yes); i++) {
        assert_reads(fixture, read_flags(fixture, yes[i]));
        assert_true(fixture->config.seccomp_default);
    }
    for (size_t i = 0; i < array_size(no); i++) {
        assert_reads(fixture, read_flags(fixture, no[i]));
        assert_false(fixture->config.cpu_cfs_quota);
    }
    /* A value of its own is no value, but a stray word. */
    assert_fails(fixture, read_flags(fixture, "--seccomp-default", "false"),
                 "unknown command false");
}

static void test_repeated(void **state)
{
    struct fixture *fixture = *state;
    const struct string_list *sysctls = &fixture->config.allowed_unsafe_sysctls;

    assert_reads(fixture, read_flags(fixture, "--max-pods=1", "--max-pods=2",
                                     "--allowed-unsafe-sysctls=a,b", "--allowed-unsafe-sysctls=c"));
    assert_int_equal(fixture->config.max_pods, 2);
    assert_int_equal(sysctls->count, 3);
    assert_string_equal(sysctls->items[0], "a");
    assert_string_equal(sysctls->items[2], "c");
}

static const struct wrong {
    const char *arguments[3];
    const char *sentence;
} wrongs[] = {
    {{"--no-such-flag=1"}, "failed to parse kubelet flag: unknown flag: --no-such-flag"},
    {{"--max-pod=1"},
     "failed to parse kubelet flag: unknown flag: --max-pod; did you mean --max-pods?"},
    {{"--no_such\x1b[1m"}, "failed to parse kubelet flag: unknown flag: --no-such?[1m"},
    {{"--container-runtime=remote"},
     "failed to parse kubelet flag: unknown flag: --container-runtime"},
    {{"--network-plugin=cni"}, "failed to parse kubelet flag: unknown flag: --network-plugin"},
    {{"foo"}, "unknown command foo"},
    {{"-"}, "unknown command -"},
    {{"--", "--max-pods=1"}, "unknown command --max-pods=1"},
    {{"foo", "--", "bar"}, "unknown command foo"},
    {{"--config"}, "failed to parse kubelet flag: flag needs an argument: --config"},
    {{"-v"}, "failed to parse kubelet flag: flag needs an argument: -v"},
    {{"-config=x"}, "failed to parse kubelet flag: unknown shorthand flag: 'c' in -config=x"},
    {{"--=x"}, "failed to parse kubelet flag: bad flag syntax: --=x"},
    {{"---x"}, "failed to parse kubelet flag: bad flag syntax: ---x"},
    {{"--max-pods=many"},
     "failed to parse kubelet flag: invalid argument \"many\" for \"--max-pods\" flag: must be a "
     "whole number of at most 32 bits"},
    {{"--max-pods="}, "must be a whole number"},
    {{"--max-pods= 5"}, "must be a whole number"},
    {{"--max-pods=5 "}, "must be a whole number"},
    {{"--max-pods=2147483648"}, "must be a whole number of at most 32 bits"},
    {{"--pod-max-pids=9223372036854775808"}, "must be a whole number of at most 64 bits"},
    {{"--seccomp-default=yes"},
     "invalid argument \"yes\" for \"--seccomp-default\" flag: must be true or false"},
    {{"--file-check-frequency=10"},
     "invalid argument \"10\" for \"--file-check-frequency\" flag: must be a duration such as "
     "300ms, 10s or 1h30m"},
    {{"--kube-reserved=cpu"},
     "invalid argument \"cpu\" for \"--kube-reserved\" flag: malformed pair, expect string=string"},
    {{"--eviction-hard=memory.available=1Gi"}, "malformed pair, expect string<string"},
    {{"--feature-gates=A"}, "malformed pair, expect string=string"},
    {{"--feature-gates=A=maybe"}, "\"--feature-gates\" flag: A: must be true or false"},
    {{"--manifest-url-header=a"}, "malformed pair, expect string:string"},
    {{"--version=1.2"}, "invalid argument \"1.2\" for \"--version\" flag"},
};

static void test_check_02_wrong(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < array_size(wrongs); i++)
        assert_fails(fixture,
                     read_flags(fixture, wrongs[i].arguments[0], wrongs[i].arguments[1],
                                wrongs[i].arguments[2]),
                     wrongs[i].sentence);
}

static void test_too_many_items(void **state)
{
    struct fixture *fixture = *state;
    const char *forms[] = {"--cluster-dns=", "--node-labels=", "--manifest-url-header="};
    struct strbuf text = STRBUF_INIT;

    for (size_t i = 0; i < array_size(forms); i++) {
        strbuf_truncate(&text, 0);
        strbuf_add(&text, forms[i]);
        for (int item = 0; item <= CONFIG_ITEMS_MAX; item++)
            strbuf_printf(&text, "a%d%c1,", item, i == 1 ? '=' : ':');
        assert_fails(fixture, read_flags(fixture, text.text), "must have at most 1000 items");
    }
    strbuf_deinit(&text);
}

/* A program may be started with nothing at all. */
static void test_no_arguments(void **state)
{
    struct fixture *fixture = *state;
    char *none[] = {NULL};
    struct config config;

    assert_int_equal(config_read(&config, 0, none, &fixture->err), 0);
    assert_string_equal(config.root_dir, "/var/lib/kubelet");
    config_deinit(&config);
    config_deinit(&config);
}

/* --version and --help */

static char *output_of(struct fixture *fixture, const char *flag)
{
    char *text = calloc(1, SEEN_MAX);
    int out = dup(STDOUT_FILENO), file = memfd_create("output", MFD_CLOEXEC), r;

    fflush(stdout);
    dup2(file, STDOUT_FILENO);
    r = read_flags(fixture, "--config=/does/not/exist", flag);
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    close(out);
    assert_int_equal(r, 0);
    assert_true(pread(file, text, SEEN_MAX - 1, 0) > 0);
    close(file);
    return text;
}

static void test_check_01_version(void **state)
{
    const char *flags[] = {"--version", "--version=true", "--version=raw"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < array_size(flags); i++) {
        char *text = output_of(fixture, flags[i]);

        assert_int_equal(fixture->config.action, CONFIG_VERSION);
        assert_string_equal(text, "Kubernetes v1.36.2\n");
        free(text);
    }
    assert_reads(fixture, read_flags(fixture, "--version=false"));
    assert_int_equal(fixture->config.action, CONFIG_RUN);
}

/* Every flag is in the text, once, and no line is wider than a terminal that is not narrow. */
static void test_help(void **state)
{
    struct fixture *fixture = *state;
    char *text = output_of(fixture, "-h"), *ours, *theirs, name[80];

    assert_int_equal(fixture->config.action, CONFIG_HELP);
    ours = strstr(text, "--run-dir PATH");
    theirs = strstr(text, "--root-dir PATH");
    assert_true(ours && theirs && ours < theirs);
    assert_non_null(strstr(text, "  -v N "));
    for (size_t i = 0; i < config_setting_count; i++) {
        const char *flag = config_settings[i].flag;

        snprintf(name, sizeof(name), " --%s", flag ? flag : "help");
        if (str_equal(flag, "v"))
            continue;
        ours = strstr(text, name);
        while (ours && !strchr(" \n", ours[strlen(name)]))
            ours = strstr(ours + 1, name);
        if (!ours)
            fail_msg("no%s in the help", name);
    }
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        if (strlen(line) > 110)
            fail_msg("long: %s", line);
    free(text);
}

/* what installers pass */

static void test_check_32_kubeadm(void **state)
{
    struct fixture *fixture = *state;

    assert_reads(fixture,
                 read_file(fixture,
                           "authentication:\n"
                           "  anonymous:\n    enabled: false\n"
                           "  webhook:\n    cacheTTL: 0s\n    enabled: true\n"
                           "  x509:\n    clientCAFile: /etc/kubernetes/pki/ca.crt\n"
                           "authorization:\n  mode: Webhook\n"
                           "  webhook:\n    cacheAuthorizedTTL: 0s\n    cacheUnauthorizedTTL: 0s\n"
                           "cgroupDriver: systemd\n"
                           "clusterDNS:\n- 10.96.0.10\n"
                           "clusterDomain: cluster.local\n"
                           "containerRuntimeEndpoint: \"\"\n"
                           "cpuManagerReconcilePeriod: 0s\n"
                           "crashLoopBackOff: {}\n"
                           "evictionPressureTransitionPeriod: 0s\n"
                           "fileCheckFrequency: 0s\n"
                           "healthzBindAddress: 127.0.0.1\n"
                           "healthzPort: 10248\n"
                           "httpCheckFrequency: 0s\n"
                           "imageMaximumGCAge: 0s\n"
                           "imageMinimumGCAge: 0s\n"
                           "logging:\n  flushFrequency: 0\n  options:\n    json:\n"
                           "      infoBufferSize: \"0\"\n    text:\n      infoBufferSize: \"0\"\n"
                           "  verbosity: 0\n"
                           "memorySwap: {}\n"
                           "nodeStatusReportFrequency: 0s\n"
                           "nodeStatusUpdateFrequency: 0s\n"
                           "resolvConf: /run/systemd/resolve/resolv.conf\n"
                           "rotateCertificates: true\n"
                           "runtimeRequestTimeout: 0s\n"
                           "shutdownGracePeriod: 0s\n"
                           "shutdownGracePeriodCriticalPods: 0s\n"
                           "staticPodPath: /etc/kubernetes/manifests\n"
                           "streamingConnectionIdleTimeout: 0s\n"
                           "syncFrequency: 0s\n"
                           "volumeStatsAggPeriod: 0s\n",
                           "--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf",
                           "--kubeconfig=/etc/kubernetes/kubelet.conf",
                           "--container-runtime-endpoint=unix:///run/x.sock",
                           "--pod-infra-container-image=registry.k8s.io/pause:3.10",
                           "--register-with-taints=node-role.kubernetes.io/x=:NoSchedule"));
    assert_string_equal(fixture->config.static_pod_path, "/etc/kubernetes/manifests");
    assert_string_equal(fixture->config.kubeconfig, "/etc/kubernetes/kubelet.conf");
    assert_string_equal(fixture->config.runtime_endpoint, "unix:///run/x.sock");
    assert_string_equal(fixture->config.resolv_conf, "/run/systemd/resolve/resolv.conf");
    assert_int_equal(fixture->config.cgroup_driver, CGROUP_DRIVER_SYSTEMD);
    /* Exactly what is not at its default and has no effect yet. */
    assert_seen(fixture, "field authentication.x509.clientCAFile is accepted");
    assert_true(fixture->config.rotate_certificates);
    assert_string_equal(fixture->config.bootstrap_kubeconfig,
                        "/etc/kubernetes/bootstrap-kubelet.conf");
    assert_string_equal(fixture->config.cert_dir, "/var/lib/kubelet/pki");
    assert_seen(fixture, "flag --pod-infra-container-image is accepted");
    assert_int_equal(occurrences(seen(fixture), "\n"), 2);
    assert_int_equal(fixture->config.taints.count, 1);
    assert_string_equal(fixture->config.taints.items[0].key, "node-role.kubernetes.io/x");
}

static void test_kubespray(void **state)
{
    struct fixture *fixture = *state;

    assert_reads(
        fixture,
        read_file(fixture, "enforceNodeAllocatable:\n- pods\nmaxPods: 110\n", "--v=2",
                  "--node-ip=10.0.0.5", "--hostname-override=Node1",
                  "--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf",
                  "--kubeconfig=/etc/kubernetes/kubelet.conf",
                  "--runtime-cgroups=/system.slice/containerd.service",
                  "--volume-plugin-dir=/usr/libexec/kubernetes/kubelet-plugins/volume/exec",
                  "--cloud-provider=external"));
    assert_string_equal(fixture->config.node_name, "node1");
    assert_int_equal(fixture->config.verbosity, 2);
}

static void test_k3s(void **state)
{
    struct fixture *fixture = *state;
    char directory[128];

    write_at(fixture, "00-k3s-defaults.conf",
             HEAD "address: 0.0.0.0\nauthentication: {anonymous: {enabled: false}}\n"
                  "cgroupDriver: systemd\ncontainerRuntimeEndpoint: unix:///run/k3s.sock\n");
    snprintf(directory, sizeof(directory), "--config-dir=%s", fixture->directory);
    assert_reads(fixture,
                 read_flags(fixture, directory, "--kubeconfig=/var/lib/rancher/k3s/agent/kubelet",
                            "--read-only-port=0", "--root-dir=/var/lib/kubelet",
                            "--cert-dir=/var/lib/rancher/k3s/agent/pki",
                            "--cloud-provider=external", "--node-ip=10.0.0.5",
                            "--runtime-cgroups=/k3s", "--node-labels=a=1", "--node-labels=b=2,c=3",
                            "--image-credential-provider-bin-dir=/b",
                            "--image-credential-provider-config=/c",
                            "--feature-gates=KubeletInUserNamespace=true"));
    assert_string_equal(fixture->config.runtime_endpoint, "unix:///run/k3s.sock");
    assert_int_equal(fixture->config.cgroup_driver, CGROUP_DRIVER_SYSTEMD);
    assert_int_equal(fixture->config.node_labels.count, 3);
    assert_true(fixture->config.external_cloud);
    assert_int_equal(occurrences(seen(fixture), "effect here: KubeletInUserNamespace"), 1);
    /* It says what is so here anyway. */
    assert_null(strstr(seen(fixture), "read-only-port"));
    assert_null(strstr(seen(fixture), "anonymous"));
}

static void test_node_e2e(void **state)
{
    struct fixture *fixture = *state;

    assert_reads(
        fixture,
        read_file(fixture,
                  "authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}\n"
                  "authorization: {mode: AlwaysAllow}\nreadOnlyPort: 10255\n"
                  "staticPodPath: /tmp/static-pods\nkubeletCgroups: /kubelet.slice\n"
                  "cgroupDriver: cgroupfs\ncgroupRoot: /\npodCIDR: 10.100.0.0/24\n"
                  "volumeStatsAggPeriod: 10s\nfileCheckFrequency: 10s\n"
                  "evictionPressureTransitionPeriod: 30s\n"
                  "evictionHard: {memory.available: 250Mi, nodefs.available: 10%, "
                  "nodefs.inodesFree: 5%}\n"
                  "evictionMinimumReclaim: {nodefs.available: 5%, nodefs.inodesFree: 5%}\n"
                  "serializeImagePulls: false\n",
                  "--kubeconfig", "/tmp/kubeconfig", "--root-dir", "/var/lib/kubelet", "--v", "4",
                  "--hostname-override", "node", "--container-runtime-endpoint",
                  "unix:///run/containerd/containerd.sock", "--feature-gates", "A=true,B=false",
                  "--fail-swap-on=false", "--cgroups-per-qos", "--kernel-memcg-notification=true",
                  "--housekeeping-interval=10s", "--cluster-domain=cluster.local"));
    assert_false(fixture->config.serialize_image_pulls);
    assert_string_equal(fixture->config.static_pod_path, "/tmp/static-pods");
    assert_int_equal(fixture->config.file_check_usec, 10 * USEC_PER_SEC);
    assert_null(strstr(seen(fixture), "housekeeping"));
    assert_null(strstr(seen(fixture), "cgroups-per-qos"));
    assert_int_equal(quantity_value(&fixture->config.memory_threshold.amount), 250 << 20);
    assert_null(strstr(seen(fixture), "evictionHard"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_directory(test_check_02_forms),
        with_directory(test_booleans),
        with_directory(test_repeated),
        with_directory(test_check_02_wrong),
        with_directory(test_too_many_items),
        with_directory(test_no_arguments),
        with_directory(test_check_01_version),
        with_directory(test_help),
        with_directory(test_check_32_kubeadm),
        with_directory(test_kubespray),
        with_directory(test_k3s),
        with_directory(test_node_e2e),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
