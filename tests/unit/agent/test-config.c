/* agent/config.c: defaults, every field and flag that has an effect, and who wins. */
#include "config-fixture.h"
#include "config-private.h"

#include <ctype.h>
#include <limits.h>

/* defaults */

static void test_defaults(void **state)
{
    struct fixture *fixture = *state;
    const struct config *config = &fixture->config;

    for (int with_file = 0; with_file < 2; with_file++) {
        assert_reads(fixture, with_file ? read_file(fixture, "") : read_flags(fixture));
        assert_int_equal(config->action, CONFIG_RUN);
        assert_string_equal(config->root_dir, "/var/lib/kubelet");
        assert_string_equal(config->run_dir, "/run/nodeagent");
        assert_string_equal(config->pod_logs_dir, "/var/log/pods");
        assert_string_equal(config->container_logs_dir, "/var/log/containers");
        assert_string_equal(config->runtime_endpoint, "unix:///run/containerd/containerd.sock");
        assert_null(config->image_endpoint);
        assert_string_equal(config->resolv_conf, "/etc/resolv.conf");
        assert_string_equal(config->node_name, "n");
        assert_int_equal(config->node_ip.count, 0);
        assert_int_equal(config->max_pods, 110);
        assert_int_equal(config->pods_per_core, 0);
        assert_int_equal(config->system_reserved.count, 0);
        assert_int_equal(config->kube_reserved.count, 0);
        assert_int_equal(quantity_value(&config->memory_threshold.amount),
                         with_file ? 100 << 20 : 0);
        assert_int_equal((int)(config->storage_threshold.ratio * 100), with_file ? 10 : 0);
        assert_true(config->local_storage_isolation);
        assert_true(config->register_node);
        assert_false(config->external_cloud);
        assert_true(config->controller_attach_detach);
        assert_string_equal(config->kubernetes_version, KUBERNETES_VERSION);
        assert_null(config->provider_id);
        assert_int_equal(config->node_labels.count, 0);
        assert_int_equal(config->taints.count, 0);
        assert_int_equal(config->node_status_update_usec, 10 * USEC_PER_SEC);
        assert_int_equal(config->node_status_report_usec, 300 * USEC_PER_SEC);
        assert_int_equal(config->node_lease_seconds, 40);
        assert_int_equal(config->node_status_images_max, 50);
        assert_int_equal(config->allowed_unsafe_sysctls.count, 0);
        assert_int_equal(config->pod_pids_limit, -1);
        assert_null(config->static_pod_path);
        assert_null(config->static_pod_url);
        assert_null(config->static_pod_url_headers[0]);
        assert_null(config->kubeconfig);
        assert_int_equal(config->file_check_usec, 20 * USEC_PER_SEC);
        assert_int_equal(config->http_check_usec, 20 * USEC_PER_SEC);
        assert_int_equal(config->cluster_dns.count, 0);
        assert_string_equal(config->cluster_domain, "");
        assert_int_equal(config->cgroup_driver, CGROUP_DRIVER_CGROUPFS);
        assert_string_equal(config->cgroup_root, "/");
        assert_true(config->cpu_cfs_quota);
        assert_int_equal(config->cpu_cfs_quota_period, 100 * USEC_PER_MSEC);
        assert_false(config->seccomp_default);
        assert_true(config->fail_cgroup_v1);
        assert_true(config->fail_swap_on);
        assert_null(config->lock_file);
        assert_false(config->exit_on_lock_contention);
        assert_int_equal(config->single_process_oom_kill, OPT_UNSET);
        assert_int_equal(config->max_container_restart_period, 300 * USEC_PER_SEC);
        assert_int_equal(config->runtime_request_timeout, 120 * USEC_PER_SEC);
        assert_true(config->serialize_image_pulls);
        assert_int_equal(config->max_parallel_image_pulls, 0);
        assert_int_equal(config->registry_pull_qps, 5);
        assert_int_equal(config->registry_burst, 10);
        assert_int_equal(config->verbosity, 0);
        assert_int_equal(config->oom_score_adj, -999);
        assert_int_equal(config->max_open_files, 1000000);
        assert_silent(fixture);
        assert_true(arena_size(&config->arena) <= 2048);
    }
}

/* Each is named once, or one of two would never be found; what is written as a default is one. */
static void test_table(void **state)
{
    for (size_t i = 0; i < config_setting_count; i++) {
        const struct setting *one = &config_settings[i];

        assert_true(one->field || one->flag);
        assert_true(one->help || !one->member);
        for (size_t j = 0; j < i; j++) {
            const struct setting *other = &config_settings[j];

            assert_false(one->flag && other->flag && !strcmp(one->flag, other->flag));
            assert_false(one->field && other->field && !strcmp(one->field, other->field));
        }
        for (const char *c = one->flag; c && *c; c++)
            assert_true(islower((unsigned char)*c) || isdigit((unsigned char)*c) || *c == '-');
    }
}

/* fields and flags with an effect */

enum check_kind { IS_TEXT, IS_INT32, IS_INT64, IS_USEC, IS_BOOL, IS_LIST };

static const struct effect {
    const char *flag;  /* with its value, or NULL */
    const char *field; /* likewise, as YAML */
    size_t member;
    enum check_kind kind;
    const char *text;
    int64_t number;
} effects[] = {
#define EFFECT(flag, field, member, ...)                                                           \
    {                                                                                              \
        flag, field, offsetof(struct config, member), __VA_ARGS__                                  \
    }
    EFFECT("--root-dir=/r", NULL, root_dir, IS_TEXT, "/r"),
    EFFECT("--root-dir=/r//s/", NULL, root_dir, IS_TEXT, "/r/s"),
    EFFECT("--run-dir=/r", NULL, run_dir, IS_TEXT, "/r"),
    EFFECT("--pod-log-dir=/l", "podLogsDir: /l", pod_logs_dir, IS_TEXT, "/l"),
    EFFECT("--pod-log-dir=/l", "podLogsDir: /l", container_logs_dir, IS_TEXT, NULL),
    EFFECT("--container-runtime-endpoint=/x", "containerRuntimeEndpoint: /x", runtime_endpoint,
           IS_TEXT, "/x"),
    EFFECT("--image-service-endpoint=unix:///i", "imageServiceEndpoint: unix:///i", image_endpoint,
           IS_TEXT, "unix:///i"),
    EFFECT("--resolv-conf=/x", "resolvConf: /x", resolv_conf, IS_TEXT, "/x"),
    EFFECT("--resolv-conf=", "resolvConf: ''", resolv_conf, IS_TEXT, ""),
    EFFECT("--hostname-override= Node-1.Example ", NULL, node_name, IS_TEXT, "node-1.example"),
    EFFECT("--node-ip=10.0.0.1", NULL, node_ip, IS_LIST, "10.0.0.1"),
    EFFECT("--node-ip=10.0.0.1, fd00::1", NULL, node_ip, IS_LIST, "10.0.0.1 fd00::1"),
    EFFECT("--node-ip=::", NULL, node_ip, IS_LIST, "::"),
    EFFECT("--max-pods=50", "maxPods: 50", max_pods, IS_INT32, .number = 50),
    EFFECT("--max-pods=0", NULL, max_pods, IS_INT32, .number = 0),
    EFFECT("--max-pods=0x10", NULL, max_pods, IS_INT32, .number = 16),
    EFFECT("--pods-per-core=4", "podsPerCore: 4", pods_per_core, IS_INT32, .number = 4),
    EFFECT("--allowed-unsafe-sysctls=kernel.msg*,net.core.somaxconn",
           "allowedUnsafeSysctls: [kernel.msg*, net.core.somaxconn]", allowed_unsafe_sysctls,
           IS_LIST, "kernel.msg* net.core.somaxconn"),
    EFFECT("--pod-max-pids=1024", "podPidsLimit: 1024", pod_pids_limit, IS_INT64, .number = 1024),
    EFFECT("--pod-manifest-path=/m/", "staticPodPath: /m/", static_pod_path, IS_TEXT, "/m"),
    EFFECT("--manifest-url=http://u", "staticPodURL: http://u", static_pod_url, IS_TEXT,
           "http://u"),
    EFFECT("--register-node=false", "registerNode: false", register_node, IS_BOOL, .number = 0),
    EFFECT("--provider-id=p://1", "providerID: p://1", provider_id, IS_TEXT, "p://1"),
    EFFECT("--cloud-provider=external", NULL, external_cloud, IS_BOOL, .number = 1),
    EFFECT("--cloud-provider=", NULL, external_cloud, IS_BOOL, .number = 0),
    EFFECT("--enable-controller-attach-detach=false", "enableControllerAttachDetach: false",
           controller_attach_detach, IS_BOOL, .number = 0),
    EFFECT("--local-storage-capacity-isolation=false", "localStorageCapacityIsolation: false",
           local_storage_isolation, IS_BOOL, .number = 0),
    EFFECT("--node-status-update-frequency=20s", "nodeStatusUpdateFrequency: 20s",
           node_status_update_usec, IS_USEC, .number = 20000000),
    EFFECT(NULL, "nodeStatusReportFrequency: 1m", node_status_report_usec, IS_USEC,
           .number = 60000000),
    EFFECT(NULL, "nodeLeaseDurationSeconds: 20", node_lease_seconds, IS_INT32, .number = 20),
    EFFECT("--node-status-max-images=-1", "nodeStatusMaxImages: -1", node_status_images_max,
           IS_INT32, .number = -1),
    EFFECT("--node-status-max-images=0", "nodeStatusMaxImages: 0", node_status_images_max, IS_INT32,
           .number = 0),
    EFFECT("--kubernetes-version=1.34", NULL, kubernetes_version, IS_TEXT, "v1.34.0"),
    EFFECT("--kubeconfig=/k", NULL, kubeconfig, IS_TEXT, "/k"),
    EFFECT("--file-check-frequency=1m1s", "fileCheckFrequency: 1m1s", file_check_usec, IS_USEC,
           .number = 61000000),
    EFFECT("--http-check-frequency=1.5ms", "httpCheckFrequency: 1.5ms", http_check_usec, IS_USEC,
           .number = 1500),
    EFFECT("--cluster-dns=10.0.0.10,fd00::a", "clusterDNS: [10.0.0.10, 'fd00::a']", cluster_dns,
           IS_LIST, "10.0.0.10 fd00::a"),
    EFFECT("--cluster-domain=cluster.local", "clusterDomain: cluster.local", cluster_domain,
           IS_TEXT, "cluster.local"),
    EFFECT("--cgroup-root=/a//b/", "cgroupRoot: /a//b/", cgroup_root, IS_TEXT, "/a/b"),
    EFFECT("--cgroup-root=a", "cgroupRoot: a", cgroup_root, IS_TEXT, "/a"),
    EFFECT("--cgroup-root=", "cgroupRoot: ''", cgroup_root, IS_TEXT, "/"),
    EFFECT("--cpu-cfs-quota=false", "cpuCFSQuota: false", cpu_cfs_quota, IS_BOOL, .number = 0),
    EFFECT("--seccomp-default", "seccompDefault: true", seccomp_default, IS_BOOL, .number = 1),
    EFFECT("--fail-cgroupv1=false", "failCgroupV1: false", fail_cgroup_v1, IS_BOOL, .number = 0),
    EFFECT(NULL, "crashLoopBackOff: {maxContainerRestartPeriod: 2s}", max_container_restart_period,
           IS_USEC, .number = 2000000),
    EFFECT("--runtime-request-timeout=3m", "runtimeRequestTimeout: 3m", runtime_request_timeout,
           IS_USEC, .number = 180000000),
    EFFECT("--serialize-image-pulls=false", "serializeImagePulls: false", serialize_image_pulls,
           IS_BOOL, .number = 0),
    EFFECT(NULL, "maxParallelImagePulls: 5", max_parallel_image_pulls, IS_INT32, .number = 5),
    EFFECT(NULL, "maxParallelImagePulls: 5", serialize_image_pulls, IS_BOOL, .number = 0),
    EFFECT(NULL, "maxParallelImagePulls: 1", serialize_image_pulls, IS_BOOL, .number = 1),
    EFFECT("--event-qps=0", "eventRecordQPS: 0", event_qps, IS_INT32, .number = 5),
    EFFECT("--event-qps=7", "eventRecordQPS: 7", event_qps, IS_INT32, .number = 7),
    EFFECT("--fail-swap-on=false", "failSwapOn: false", fail_swap_on, IS_BOOL, .number = 0),
    EFFECT("--lock-file=/l", NULL, lock_file, IS_TEXT, "/l"),
    EFFECT("--registry-qps=0", "registryPullQPS: 0", registry_pull_qps, IS_INT32, .number = 0),
    EFFECT("--registry-burst=7", "registryBurst: 7", registry_burst, IS_INT32, .number = 7),
    EFFECT("-v4", "logging: {verbosity: 4}", verbosity, IS_INT32, .number = 4),
    EFFECT("--oom-score-adj=-500", "oomScoreAdj: -500", oom_score_adj, IS_INT32, .number = -500),
    EFFECT("--oom-score-adj=0", "oomScoreAdj: 0", oom_score_adj, IS_INT32, .number = 0),
    EFFECT("--max-open-files=5000000000", "maxOpenFiles: 5000000000", max_open_files, IS_INT64,
           .number = 5000000000),
};

static void assert_effect(const struct fixture *fixture, const struct effect *effect)
{
    const char *member = (const char *)&fixture->config + effect->member;
    struct strbuf text = STRBUF_INIT;

    switch (effect->kind) {
    case IS_TEXT:
        if (effect->text)
            assert_string_equal(*(const char *const *)member, effect->text);
        else
            assert_null(*(const char *const *)member);
        break;
    case IS_INT32:
        assert_int_equal(*(const int32_t *)member, effect->number);
        break;
    case IS_INT64:
        assert_int_equal(*(const int64_t *)member, effect->number);
        break;
    case IS_USEC:
        assert_int_equal(*(const usec_t *)member, effect->number);
        break;
    case IS_BOOL:
        assert_int_equal(*(const bool *)member, effect->number);
        break;
    case IS_LIST:
        array_for_each (item, *(const struct string_list *)member)
            strbuf_printf(&text, "%s%s", text.length ? " " : "", *item);
        assert_string_equal(text.text, effect->text);
        strbuf_deinit(&text);
        break;
    }
}

static void test_effects(void **state)
{
    struct fixture *fixture = *state;
    char text[512];

    for (size_t i = 0; i < array_size(effects); i++) {
        const struct effect *effect = &effects[i];

        if (effect->flag) {
            assert_reads(fixture, read_flags(fixture, effect->flag));
            assert_effect(fixture, effect);
            assert_silent(fixture);
        }
        if (effect->field) {
            snprintf(text, sizeof(text), HEAD "%s\n", effect->field);
            write_at(fixture, "config.yaml", text);
            assert_reads(fixture, read_flags(fixture, fixture->option));
            assert_effect(fixture, effect);
            assert_silent(fixture);
        }
    }
}

static void test_run_dir_in_the_second_document(void **state)
{
    struct fixture *fixture = *state;

    assert_reads(fixture, read_file(fixture, "---\n" OUR_HEAD "runDir: /elsewhere\n"
                                             "kubernetesVersion: '1.35'\n"));
    assert_string_equal(fixture->config.kubernetes_version, "v1.35.0");
    assert_string_equal(fixture->config.run_dir, "/elsewhere");
    assert_reads(fixture,
                 read_file(fixture, "---\n" OUR_HEAD "runDir: /elsewhere\n", "--run-dir=/flag"));
    assert_string_equal(fixture->config.run_dir, "/flag");
    assert_silent(fixture);
    /* A kubelet's document has no such field, and ours none of the kubelet's. */
    assert_reads(fixture, read_file(fixture, "runDir: /x\n---\n" OUR_HEAD "maxPods: 5\n"));
    assert_string_equal(fixture->config.run_dir, "/run/nodeagent");
    assert_int_equal(fixture->config.max_pods, 110);
    assert_seen(fixture, "config.yaml:3:1: runDir: unknown field");
    assert_seen(fixture, "config.yaml:7:1: maxPods: unknown field");
}

#define read_ours(fixture, text) read_file(fixture, "---\n" OUR_HEAD text)

static void test_the_edge_profile_has_a_checkpoint(void **state)
{
    struct fixture *fixture = *state;
    const struct config *config = &fixture->config;

    assert_reads(fixture, read_flags(fixture));
    assert_false(config->checkpoint);
    assert_reads(fixture, read_ours(fixture, "profile: edge\n"));
    assert_true(config->checkpoint);
    assert_true(config->checkpoint_max_age == 7 * 24 * 3600 * USEC_PER_SEC);
    assert_true(config->checkpoint_wait == 10 * USEC_PER_SEC);
    assert_reads(fixture, read_ours(fixture, "profile: edge\noffline: {checkpoint: false}\n"));
    assert_false(config->checkpoint);
    assert_reads(fixture,
                 read_ours(fixture, "offline: {checkpoint: true, maxAge: 2h, wait: 1s}\n"));
    assert_true(config->checkpoint);
    assert_true(config->checkpoint_max_age == 2 * 3600 * USEC_PER_SEC);
    assert_true(config->checkpoint_wait == USEC_PER_SEC);
    assert_silent(fixture);
    assert_fails(fixture, read_ours(fixture, "profile: egde\n"),
                 "option \"egde\" specified for profile. Valid options are \"\" or \"edge\"");
    assert_fails(fixture, read_ours(fixture, "offline: {maxAge: -1h}\n"),
                 "offline.maxAge -1h0m0s must be at least 1ms");
}

static void test_reservations(void **state)
{
    struct fixture *fixture = *state;
    const struct quantity_map *system = &fixture->config.system_reserved;
    const struct quantity_map *kube = &fixture->config.kube_reserved;

    assert_reads(fixture, read_file(fixture, "systemReserved: {cpu: 200m, memory: 500Mi}\n"
                                             "kubeReserved: {pid: '1000'}\n"));
    assert_int_equal(system->count, 2);
    assert_int_equal(quantity_milli_value(quantity_map_get(system, "cpu")), 200);
    assert_int_equal(quantity_value(quantity_map_get(system, "memory")), 500 << 20);
    assert_int_equal(quantity_value(quantity_map_get(kube, "pid")), 1000);

    /* The first flag takes the place of the file's map, others add to it. */
    assert_reads(fixture, read_file(fixture, "systemReserved: {cpu: 200m, memory: 500Mi}\n",
                                    "--system-reserved=cpu=1,pid=5", "--system-reserved",
                                    " ephemeral-storage = 1Gi ,,cpu=2"));
    assert_int_equal(system->count, 3);
    assert_int_equal(quantity_value(quantity_map_get(system, "cpu")), 2);
    assert_int_equal(quantity_value(quantity_map_get(system, "pid")), 5);
    assert_int_equal(quantity_value(quantity_map_get(system, "ephemeral-storage")), 1 << 30);
    assert_silent(fixture);
}

/* The number of CPUs takes the place of what both maps say of cpu, and of nothing else. */
static void test_reserved_cpus(void **state)
{
    struct fixture *fixture = *state;
    const struct quantity_map *system = &fixture->config.system_reserved;
    const struct quantity_map *kube = &fixture->config.kube_reserved;

    assert_reads(fixture, read_file(fixture, "systemReserved: {memory: 500Mi}\n"
                                             "kubeReserved: {cpu: '1', memory: 1Gi}\n"
                                             "reservedSystemCPUs: 0-2,2\n"));
    assert_int_equal(quantity_value(quantity_map_get(system, "cpu")), 3);
    assert_int_equal(quantity_value(quantity_map_get(system, "memory")), 500 << 20);
    assert_null(quantity_map_get(kube, "cpu"));
    assert_int_equal(quantity_value(quantity_map_get(kube, "memory")), 1 << 30);
    assert_silent(fixture);
}

static void test_check_18_thresholds(void **state)
{
    struct fixture *fixture = *state;
    const struct config *config = &fixture->config;

    /* What is given is all there is, unless it is to be merged with the default. */
    assert_reads(fixture, read_file(fixture, "evictionHard: {nodefs.available: 1%}\n"));
    assert_int_equal(quantity_value(&config->memory_threshold.amount), 0);
    assert_true(config->storage_threshold.ratio == 1.0f / 100);
    assert_reads(fixture, read_file(fixture, "evictionHard: {nodefs.available: 1%}\n"
                                             "mergeDefaultEvictionSettings: true\n"));
    assert_int_equal(quantity_value(&config->memory_threshold.amount), 100 << 20);
    assert_true(config->storage_threshold.ratio == 1.0f / 100);
    assert_reads(fixture, read_flags(fixture, "--eviction-hard=memory.available<1Gi"));
    assert_int_equal(quantity_value(&config->memory_threshold.amount), 1 << 30);
    assert_true(config->storage_threshold.ratio == 0);
    assert_silent(fixture);
}

static void test_checks_03_38_labels_and_taints(void **state)
{
    struct fixture *fixture = *state;
    const struct config *config = &fixture->config;

    assert_reads(fixture, read_flags(fixture, "--node-labels=a=b", "--node-labels=c=,a=d"));
    assert_int_equal(config->node_labels.count, 2);
    assert_string_equal(string_map_get(&config->node_labels, "a"), "d");
    assert_string_equal(string_map_get(&config->node_labels, "c"), "");

    assert_reads(fixture, read_file(fixture, "registerWithTaints: [{key: k, value: v, effect: "
                                             "NoExecute, timeAdded: null}, {key: x.y/z, effect: "
                                             "NoSchedule}]\n"));
    assert_int_equal(config->taints.count, 2);
    assert_string_equal(config->taints.items[0].key, "k");
    assert_string_equal(config->taints.items[0].value, "v");
    assert_string_equal(config->taints.items[0].effect, "NoExecute");
    assert_string_equal(config->taints.items[1].key, "x.y/z");
    assert_string_equal(config->taints.items[1].value, "");
    assert_silent(fixture);

    /* A flag takes the place of the file's, and the last one that of all before. */
    assert_reads(fixture, read_file(fixture, "registerWithTaints: [{key: k, effect: NoExecute}]\n",
                                    "--register-with-taints=a=b:NoSchedule",
                                    "--register-with-taints=c:NoSchedule,d=:NoExecute"));
    assert_int_equal(config->taints.count, 2);
    assert_string_equal(config->taints.items[0].key, "c");
    assert_string_equal(config->taints.items[1].key, "d");
    assert_reads(fixture, read_file(fixture, "registerWithTaints: [{key: k, effect: NoExecute}]\n",
                                    "--register-with-taints="));
    assert_int_equal(config->taints.count, 0);
}

/* One frequency alone in a file means both; elsewhere it means itself. */
static void test_check_19_frequencies(void **state)
{
    struct fixture *fixture = *state;
    const struct config *config = &fixture->config;

    assert_reads(fixture, read_file(fixture, "nodeStatusUpdateFrequency: 20s\n"));
    assert_int_equal(config->node_status_report_usec, 20 * USEC_PER_SEC);
    assert_reads(fixture, read_file(fixture, "nodeStatusUpdateFrequency: 20s\n"
                                             "nodeStatusReportFrequency: 1m\n"));
    assert_int_equal(config->node_status_report_usec, 60 * USEC_PER_SEC);
    assert_reads(fixture, read_file(fixture, "", "--node-status-update-frequency=20s"));
    assert_int_equal(config->node_status_report_usec, 300 * USEC_PER_SEC);
}

static void test_check_21_parallel_pulls(void **state)
{
    struct fixture *fixture = *state;

    assert_reads(fixture, read_file(fixture, "maxParallelImagePulls: 5\n"));
    assert_false(fixture->config.serialize_image_pulls);
    assert_int_equal(fixture->config.max_parallel_image_pulls, 5);
    assert_fails(fixture,
                 read_file(fixture, "maxParallelImagePulls: 5\nserializeImagePulls: true\n"),
                 "maxParallelImagePulls cannot be larger than 1 unless SerializeImagePulls");
}

static void test_headers(void **state)
{
    struct fixture *fixture = *state;
    const char *const *headers;

    assert_reads(fixture,
                 read_file(fixture, "staticPodURLHeader: {Accept: [a, 'b: c'], X: [d]}\n"));
    headers = fixture->config.static_pod_url_headers;
    assert_string_equal(headers[0], "Accept: a");
    assert_string_equal(headers[1], "Accept: b: c");
    assert_string_equal(headers[2], "X: d");
    assert_null(headers[3]);
    assert_reads(fixture, read_file(fixture, "staticPodURLHeader: {Accept: [a]}\n",
                                    "--manifest-url-header=a:hello,b:again",
                                    "--manifest-url-header", "b:beautiful,"));
    headers = fixture->config.static_pod_url_headers;
    assert_string_equal(headers[0], "a: hello");
    assert_string_equal(headers[1], "b: again");
    assert_string_equal(headers[2], "b: beautiful");
    assert_null(headers[3]);
}

static void test_enumerations(void **state)
{
    struct fixture *fixture = *state;

    assert_reads(fixture,
                 read_file(fixture, "cgroupDriver: systemd\nsingleProcessOOMKill: true\n"));
    assert_int_equal(fixture->config.cgroup_driver, CGROUP_DRIVER_SYSTEMD);
    assert_int_equal(fixture->config.single_process_oom_kill, OPT_TRUE);
    assert_reads(fixture, read_file(fixture, "singleProcessOOMKill: false\ncgroupDriver: ''\n"));
    assert_int_equal(fixture->config.single_process_oom_kill, OPT_FALSE);
    assert_int_equal(fixture->config.cgroup_driver, CGROUP_DRIVER_CGROUPFS);
    assert_reads(fixture, read_flags(fixture, "--cgroup-driver=systemd"));
    assert_int_equal(fixture->config.cgroup_driver, CGROUP_DRIVER_SYSTEMD);
}

static void test_swap(void **state)
{
    struct fixture *fixture = *state;

    assert_reads(fixture, read_file(fixture, "memorySwap: {swapBehavior: LimitedSwap}\n"));
    assert_true(fixture->config.limited_swap);
    assert_reads(fixture, read_file(fixture, "memorySwap: {swapBehavior: NoSwap}\n"));
    assert_false(fixture->config.limited_swap);
    assert_reads(fixture, read_file(fixture, "memorySwap: {swapBehavior: ''}\n"));
    assert_false(fixture->config.limited_swap);
}

static void test_quota_period(void **state)
{
    struct fixture *fixture = *state;

    assert_reads(fixture, read_file(fixture, "cpuCFSQuotaPeriod: 5ms\n"
                                             "featureGates: {CustomCPUCFSQuotaPeriod: true}\n"));
    assert_int_equal(fixture->config.cpu_cfs_quota_period, 5000);
    assert_reads(fixture, read_flags(fixture, "--cpu-cfs-quota-period=1s",
                                     "--feature-gates=CustomCPUCFSQuotaPeriod=true"));
    assert_int_equal(fixture->config.cpu_cfs_quota_period, 1000000);
    assert_reads(fixture,
                 read_flags(fixture, "--cpu-cfs-quota-period=1ms", "--feature-gates=AllAlpha=1"));
    assert_silent(fixture);
}

/* precedence */

static void test_flags_win(void **state)
{
    struct fixture *fixture = *state;

    assert_reads(fixture, read_file(fixture, "maxPods: 30\nclusterDNS: [10.0.0.1, 10.0.0.2]\n"
                                             "failCgroupV1: false\nstaticPodPath: /file\n"));
    assert_int_equal(fixture->config.max_pods, 30);
    assert_reads(fixture, read_file(fixture,
                                    "maxPods: 30\nclusterDNS: [10.0.0.1, 10.0.0.2]\n"
                                    "failCgroupV1: false\nstaticPodPath: /file\n",
                                    "--max-pods=50", "--cluster-dns=10.0.0.3", "--fail-cgroupv1",
                                    "--pod-manifest-path="));
    assert_int_equal(fixture->config.max_pods, 50);
    assert_int_equal(fixture->config.cluster_dns.count, 1);
    assert_string_equal(fixture->config.cluster_dns.items[0], "10.0.0.3");
    assert_true(fixture->config.fail_cgroup_v1);
    assert_null(fixture->config.static_pod_path);
}

/* Gates of both sources hold, a flag's wins by name: with the gate of the file alone the period
 * would be refused. */
static void test_check_05_gates_are_merged(void **state)
{
    struct fixture *fixture = *state;

    assert_reads(fixture, read_file(fixture,
                                    "cpuCFSQuotaPeriod: 5ms\nfeatureGates: "
                                    "{CustomCPUCFSQuotaPeriod: false, A: true, B: true}\n",
                                    "--feature-gates=CustomCPUCFSQuotaPeriod=true,B=false"));
    assert_seen(fixture, "feature gates that have no effect here: A, B\n");
}

/* what kubeadm writes as zero means the default */
static void test_check_08_zero_is_the_default(void **state)
{
    struct fixture *fixture = *state;

    assert_reads(fixture,
                 read_file(fixture, "syncFrequency: 0s\nport: 0\ncontainerRuntimeEndpoint: ''\n"
                                    "logging: {flushFrequency: 0, options: {json: "
                                    "{infoBufferSize: \"0\"}}, verbosity: 0}\n"
                                    "maxPods: 0\nregistryBurst: 0\nmaxOpenFiles: 0\n"
                                    "fileCheckFrequency: 0s\nruntimeRequestTimeout: ''\n"
                                    "podLogsDir: ''\nmemorySwap: {}\nimageMaximumGCAge: 0s\n"
                                    "authentication: {x509: {}, webhook: null}\n"));
    assert_int_equal(fixture->config.max_pods, 110);
    assert_int_equal(fixture->config.registry_burst, 10);
    assert_int_equal(fixture->config.max_open_files, 1000000);
    assert_int_equal(fixture->config.file_check_usec, 20 * USEC_PER_SEC);
    assert_int_equal(fixture->config.runtime_request_timeout, 120 * USEC_PER_SEC);
    assert_string_equal(fixture->config.runtime_endpoint, "unix:///run/containerd/containerd.sock");
    assert_string_equal(fixture->config.pod_logs_dir, "/var/log/pods");
    assert_silent(fixture);
}

/* Relative paths of the file begin at the file, those of flags at the working directory. */
static void test_check_10_relative_paths(void **state)
{
    struct fixture *fixture = *state;
    char expected[256], *current = getcwd(NULL, 0);

    assert_reads(fixture, read_file(fixture, "staticPodPath: manifests\nresolvConf: ../r.conf\n"
                                             "podLogsDir: ./logs/\n"));
    snprintf(expected, sizeof(expected), "%s/manifests", fixture->directory);
    assert_string_equal(fixture->config.static_pod_path, expected);
    assert_string_equal(fixture->config.resolv_conf, "/tmp/r.conf");
    snprintf(expected, sizeof(expected), "%s/logs", fixture->directory);
    assert_string_equal(fixture->config.pod_logs_dir, expected);

    assert_reads(fixture, read_flags(fixture, "--pod-manifest-path=m", "--root-dir", "../../.."));
    snprintf(expected, sizeof(expected), "%s/m", current);
    assert_string_equal(fixture->config.static_pod_path, expected);

    assert_int_equal(chdir(fixture->directory), 0);
    assert_reads(fixture, read_flags(fixture, "--config=config.yaml"));
    snprintf(expected, sizeof(expected), "%s/manifests", fixture->directory);
    assert_string_equal(fixture->config.static_pod_path, expected);
    assert_int_equal(chdir(current), 0);
    free(current);
}

/* names and addresses of the node */

static void test_node_name(void **state)
{
    struct fixture *fixture = *state;
    char host[HOST_NAME_MAX + 1];

    assert_int_equal(gethostname(host, sizeof(host)), 0);
    for (char *c = host; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    assert_reads(fixture, read_flags(fixture, "--hostname-override="));
    assert_string_equal(fixture->config.node_name, host);
    assert_fails(fixture, read_flags(fixture, "--hostname-override=  "),
                 "empty hostname is invalid; set --hostname-override");
    assert_fails(fixture, read_flags(fixture, "--hostname-override=a_b"),
                 "the node's name \"a_b\" must be a DNS subdomain");
}

static void test_node_addresses(void **state)
{
    struct fixture *fixture = *state;

    assert_fails(fixture, read_flags(fixture, "--node-ip=10.0.0.1,10.0.0.2"),
                 "bad --node-ip \"10.0.0.1,10.0.0.2\": must contain either a single IP or a "
                 "dual-stack pair of IPs");
    assert_fails(fixture, read_flags(fixture, "--node-ip=10.0.0.1,fd00::1,fd00::2"),
                 "must contain either a single IP or a dual-stack pair of IPs");
    assert_fails(fixture, read_flags(fixture, "--node-ip=10.0.0.1,::"),
                 "dual-stack node IP cannot include '0.0.0.0' or '::'");
    assert_reads(fixture, read_flags(fixture, "--node-ip=web,10.0.0.1"));
    assert_int_equal(fixture->config.node_ip.count, 1);
    assert_seen(fixture, "--node-ip: \"web\" is no IP address; it is ignored");
    assert_reads(fixture, read_flags(fixture, "--cluster-dns=10.0.0.10,dns"));
    assert_int_equal(fixture->config.cluster_dns.count, 1);
    assert_seen(fixture, "clusterDNS (--cluster-dns): \"dns\" is no IP address; it is ignored");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_directory(test_defaults),
        cmocka_unit_test(test_table),
        with_directory(test_effects),
        with_directory(test_run_dir_in_the_second_document),
        with_directory(test_reservations),
        with_directory(test_reserved_cpus),
        with_directory(test_check_18_thresholds),
        with_directory(test_checks_03_38_labels_and_taints),
        with_directory(test_check_19_frequencies),
        with_directory(test_check_21_parallel_pulls),
        with_directory(test_headers),
        with_directory(test_enumerations),
        with_directory(test_swap),
        with_directory(test_quota_period),
        with_directory(test_flags_win),
        with_directory(test_check_05_gates_are_merged),
        with_directory(test_check_08_zero_is_the_default),
        with_directory(test_check_10_relative_paths),
        with_directory(test_node_name),
        with_directory(test_node_addresses),
        with_directory(test_the_edge_profile_has_a_checkpoint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
