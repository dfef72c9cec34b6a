/* agent/config-check.c: what values may be, and the warnings of what has no effect. */
#include "config-fixture.h"
#include "config-private.h"

/* rules */

#define INVALID "failed to validate kubelet configuration, error: invalid configuration: "

static const struct rule {
    const char *flags[2];
    const char *field;
    const char *sentence; /* after the common beginning */
} rules[] = {
    {{"--max-pods=-1"}, "maxPods: -1", "maxPods (--max-pods) -1 must not be a negative number"},
    {{"--pods-per-core=-1"},
     "podsPerCore: -1",
     "podsPerCore (--pods-per-core) -1 must not be a negative number"},
    {{"--max-open-files=-1"},
     "maxOpenFiles: -1",
     "maxOpenFiles (--max-open-files) -1 must not be a negative number"},
    {{"--registry-qps=-1"},
     "registryPullQPS: -1",
     "registryPullQPS (--registry-qps) -1 must not be a negative number"},
    {{"--registry-burst=-1"},
     "registryBurst: -1",
     "registryBurst (--registry-burst) -1 must not be a negative number"},
    {{"--oom-score-adj=-1001"},
     "oomScoreAdj: -1001",
     "oomScoreAdj (--oom-score-adj) -1001 must be between -1000 and 1000, inclusive"},
    {{"--oom-score-adj=1001"},
     NULL,
     "oomScoreAdj (--oom-score-adj) 1001 must be between -1000 and 1000, inclusive"},
    {{"--node-status-max-images=-2"},
     "nodeStatusMaxImages: -2",
     "nodeStatusMaxImages (--node-status-max-images) -2 must be -1 or greater"},
    {{NULL}, "nodeLeaseDurationSeconds: -1", "nodeLeaseDurationSeconds -1 must be greater than 0"},
    {{"--node-status-update-frequency=-1s"},
     "nodeStatusUpdateFrequency: -1s\nnodeStatusReportFrequency: 1m",
     "nodeStatusUpdateFrequency (--node-status-update-frequency) -1s must be at least 1ms"},
    {{NULL},
     "nodeStatusReportFrequency: 1us",
     "nodeStatusReportFrequency 1\xc2\xb5s must be at least 1ms"},
    {{"--reserved-cpus=a"},
     "reservedSystemCPUs: a",
     "unable to parse reservedSystemCPUs (--reserved-cpus): \"a\" must be a list of CPUs"},
    {{"--reserved-cpus=0", "--system-reserved-cgroup=/s"},
     "reservedSystemCPUs: '0'\nkubeReservedCgroup: /k",
     "can't use reservedSystemCPUs (--reserved-cpus) with systemReservedCgroup "
     "(--system-reserved-cgroup) or kubeReservedCgroup (--kube-reserved-cgroup)"},
    {{"--eviction-hard=memory.free<1Gi"},
     "evictionHard: {memory.free: 1Gi}",
     "evictionHard (--eviction-hard): unsupported eviction signal memory.free"},
    {{"--eviction-hard=memory.available<0"},
     "evictionHard: {memory.available: '0'}",
     "evictionHard (--eviction-hard): eviction threshold memory.available must be positive: 0"},
    {{"--register-with-taints=a=b"},
     NULL,
     "registerWithTaints (--register-with-taints): invalid taint spec: a=b; it must be"},
    {{"--register-with-taints=a=b:Never"},
     "registerWithTaints: [{key: a, value: b, effect: Never}]",
     "registerWithTaints (--register-with-taints): invalid taint effect: Never; must be "
     "NoSchedule, PreferNoSchedule or NoExecute"},
    {{"--register-with-taints=a:NoExecute,a=b:NoExecute"},
     "registerWithTaints: [{key: a, effect: NoExecute}, {key: a, value: b, effect: NoExecute}]",
     "duplicated taints with the same key and effect: a=b:NoExecute"},
    {{"--kubernetes-version=1.33"},
     NULL,
     "kubernetesVersion (--kubernetes-version) \"1.33\" must be a version from 1.34 to 1.36"},
    {{NULL}, "maxParallelImagePulls: 0", "maxParallelImagePulls 0 must be a positive number"},
    {{NULL},
     "maxParallelImagePulls: 5\nserializeImagePulls: true",
     "maxParallelImagePulls cannot be larger than 1 unless SerializeImagePulls "
     "(--serialize-image-pulls) is set to false"},
    {{"--cpu-cfs-quota-period=5ms"},
     "cpuCFSQuotaPeriod: 5ms",
     "cpuCFSQuotaPeriod (--cpu-cfs-quota-period) 5ms requires feature gate "
     "CustomCPUCFSQuotaPeriod"},
    {{"--cpu-cfs-quota-period=2s", "--feature-gates=CustomCPUCFSQuotaPeriod=true"},
     "cpuCFSQuotaPeriod: 2s\nfeatureGates: {AllAlpha: true}",
     "cpuCFSQuotaPeriod (--cpu-cfs-quota-period) 2s must be between 1ms and 1sec, inclusive"},
    {{"--cpu-cfs-quota-period=0", "--feature-gates=CustomCPUCFSQuotaPeriod=true"},
     "cpuCFSQuotaPeriod: 0s\nfeatureGates: {CustomCPUCFSQuotaPeriod: true, AllAlpha: false}",
     "cpuCFSQuotaPeriod (--cpu-cfs-quota-period) 0s must be between 1ms and 1sec, inclusive"},
    {{NULL},
     "crashLoopBackOff: {maxContainerRestartPeriod: 500ms}",
     "CrashLoopBackOff.MaxContainerRestartPeriod (got: 0.5 seconds) must be set between 1s and "
     "300s"},
    {{NULL},
     "crashLoopBackOff: {maxContainerRestartPeriod: 301s}",
     "CrashLoopBackOff.MaxContainerRestartPeriod (got: 301 seconds) must be set between 1s and "
     "300s"},
    {{"--feature-gates=KubeletCrashLoopBackOffMax=false"},
     "crashLoopBackOff: {maxContainerRestartPeriod: 10s}",
     "FeatureGate KubeletCrashLoopBackOffMax not enabled, "
     "CrashLoopBackOff.MaxContainerRestartPeriod must not be set"},
    {{"--container-runtime-endpoint="},
     NULL,
     "the containerRuntimeEndpoint was not specified or empty"},
    {{"--cgroup-driver=runc"},
     "cgroupDriver: runc",
     "option \"runc\" specified for cgroupDriver (--cgroup-driver). Valid options are "
     "\"cgroupfs\" or \"systemd\""},
    {{"--pod-log-dir=logs"}, NULL, "pod logs path \"logs\" must be absolute path"},
    {{"--pod-log-dir=/var/log/pods/"},
     "podLogsDir: /var/log/pods/",
     "pod logs path \"/var/log/pods/\" must be normalized"},
    {{"--pod-log-dir=/var/l\xc3\xb6g"},
     "podLogsDir: /var/l\xc3\xb6g",
     "pod logs path \"/var/l\xc3\xb6g\" must contain ASCII characters only"},
    {{"--root-dir="}, NULL, "--root-dir must not be empty"},
    {{"--run-dir="}, NULL, "--run-dir must not be empty"},
    {{"--root-dir=/a", "--run-dir=/b/../a/"},
     NULL,
     "--root-dir and --run-dir are both /a; each needs a directory of its own"},
    {{"--pod-log-dir=/var/lib/kubelet"},
     "podLogsDir: /var/lib/kubelet",
     "--root-dir and --pod-log-dir are both /var/lib/kubelet"},
    {{"--pod-manifest-path=/run/nodeagent"},
     "staticPodPath: /run/nodeagent",
     "--run-dir and --pod-manifest-path are both /run/nodeagent"},
    {{"--file-check-frequency=0"},
     NULL,
     "fileCheckFrequency (--file-check-frequency) 0s must be at least 1ms"},
    {{"--http-check-frequency=-1s"},
     "httpCheckFrequency: -1s",
     "httpCheckFrequency (--http-check-frequency) -1s must be at least 1ms"},
    {{"--runtime-request-timeout=1us"}, "runtimeRequestTimeout: 1us", "must be at least 1ms"},
    {{"--manifest-url-header=a\r\nb:c"},
     "staticPodURLHeader: {'a b': [c]}",
     "of staticPodURLHeader (--manifest-url-header) must be a name of letters, digits and \"-\" "
     "with a value of one line"},
    {{"--manifest-url-header=a:b\nc"},
     "staticPodURLHeader: {a: [\"b\\nc\"]}",
     "header \"a\" of staticPodURLHeader"},
};

static void read_rule(struct fixture *fixture, const struct rule *rule)
{
    char text[512], place[256];

    snprintf(text, sizeof(text), HEAD "%s\n", rule->field);
    write_at(fixture, "config.yaml", text);
    assert_fails(fixture, read_flags(fixture, fixture->option, rule->flags[0]), rule->sentence);
    snprintf(place, sizeof(place), " (%s:3:", fixture->file);
    assert_sentence(fixture, place);
    snprintf(place, sizeof(place), "), path: %s", fixture->file);
    assert_sentence(fixture, place);
}

static void test_rules(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < array_size(rules); i++) {
        const struct rule *rule = &rules[i];
        bool both = rule->field && rule->flags[0] && !strstr(rule->flags[0], "BackOffMax");
        struct rule field = {.field = rule->field, .sentence = rule->sentence};

        if (rule->field)
            read_rule(fixture, both ? &field : rule);
        if (both || !rule->field) {
            assert_fails(fixture, read_flags(fixture, rule->flags[0], rule->flags[1]), INVALID);
            assert_sentence(fixture, rule->sentence);
            assert_null(strstr(fixture->err.text, "path: "));
        }
    }
}

static void test_reservations(void **state)
{
    struct fixture *fixture = *state;

    assert_fails(fixture, read_flags(fixture, "--kube-reserved=gpu=1"),
                 "failed to validate kubelet configuration, error: --kube-reserved value failed to "
                 "parse: cannot reserve \"gpu\" resource; only cpu");
    assert_fails(fixture, read_flags(fixture, "--system-reserved=cpu=-1"),
                 "--system-reserved value failed to parse: resource quantity for \"cpu\" cannot be "
                 "negative: -1");
    assert_fails(fixture, read_file(fixture, "kubeReserved: {memory: lots}\n"),
                 "--kube-reserved value failed to parse: failed to parse quantity \"lots\" for "
                 "\"memory\" resource");
}

static void test_flags_without_a_field(void **state)
{
    struct fixture *fixture = *state;

    assert_fails(fixture, read_flags(fixture, "--cloud-provider=aws"),
                 "unsupported cloud provider: \"aws\"; --cloud-provider must be external or empty");
    assert_fails(fixture, read_flags(fixture, "--node-labels=node-role.kubernetes.io/x=y,a=b"),
                 "error: unknown 'kubernetes.io' or 'k8s.io' labels specified with --node-labels: "
                 "[node-role.kubernetes.io/x]");
}

static void test_all_at_once(void **state)
{
    struct fixture *fixture = *state;

    assert_fails(fixture, read_flags(fixture, "--max-pods=-1", "--oom-score-adj=-1001"),
                 "failed to validate kubelet configuration, error: [invalid configuration: maxPods "
                 "(--max-pods) -1 must not be a negative number, invalid configuration: "
                 "oomScoreAdj (--oom-score-adj) -1001 must be between -1000 and 1000, inclusive]");
    assert_silent(fixture);
}

/* A value is judged when all was read: a flag repairs a file. */
static void test_flags_repair(void **state)
{
    struct fixture *fixture = *state;

    assert_reads(fixture, read_file(fixture, "maxPods: -1\n", "--max-pods=5"));
    assert_int_equal(fixture->config.max_pods, 5);
    assert_fails(fixture, read_file(fixture, "maxPods: 5\n", "--max-pods=-1"),
                 "-1 must not be a negative number, path: ");
}

/* warnings */

static const char *another(const struct setting *setting)
{
    switch ((enum setting_kind)setting->kind) {
    case SETTING_BOOL:
        return str_equal(setting->normal, "true") ? "false" : "true";
    case SETTING_INT32:
    case SETTING_INT64:
        return "77";
    case SETTING_FLOAT:
        return "0.5";
    case SETTING_DURATION:
        return "77s";
    case SETTING_STRINGS:
        return "[x]";
    case SETTING_MAP:
    case SETTING_EVICTION:
        return "{x: '1'}";
    case SETTING_GATES:
        return "{x: true}";
    case SETTING_HEADERS:
        return "{x: [y]}";
    case SETTING_OBJECT:
        return "{x: y}";
    case SETTING_OBJECTS:
        return "[{x: y}]";
    case SETTING_TAINTS:
        return "[{key: x, effect: NoExecute}]";
    case SETTING_STRING:
    case SETTING_PATH:
        return "other";
    }
    return "";
}

static void add_field(struct strbuf *text, const struct setting *setting, const char *value)
{
    const char *rest = setting->field, *dot;
    unsigned depth = 0;

    while ((dot = strchr(rest, '.'))) {
        strbuf_printf(text, "%.*s: {", (int)(dot - rest), rest);
        rest = dot + 1;
        depth++;
    }
    strbuf_printf(text, "%s: %s", rest, value);
    while (depth--)
        strbuf_add_char(text, '}');
    strbuf_add_char(text, '\n');
}

/* Each field that has no effect is named, once, when it is not at its default. */
static void test_fields_without_effect(void **state)
{
    struct fixture *fixture = *state;
    char expected[128];

    for (size_t i = 0; i < config_setting_count; i++) {
        const struct setting *setting = &config_settings[i];
        struct strbuf text = STRBUF_INIT;

        if (!setting->field || setting->help)
            continue;
        strbuf_add(&text, HEAD);
        add_field(&text, setting, another(setting));
        write_at(fixture, "config.yaml", text.text);
        strbuf_deinit(&text);
        assert_reads(fixture, read_flags(fixture, fixture->option));
        if (setting->traits & QUIET) {
            assert_silent(fixture);
            continue;
        }
        snprintf(expected, sizeof(expected), "config.yaml:3:%zu: field %s is accepted, but has no",
                 strlen(setting->field) + 3, setting->field);
        if (!strchr(setting->field, '.'))
            assert_seen(fixture, expected);
        assert_seen(fixture, setting->field);
        assert_int_equal(occurrences(fixture->seen, "\n"), 1);
    }
}

static void test_flags_without_effect(void **state)
{
    struct fixture *fixture = *state;
    char flag[160], expected[128];

    write_at(fixture, "config.yaml", HEAD);
    for (size_t i = 0; i < config_setting_count; i++) {
        const struct setting *setting = &config_settings[i];
        const char *value = another(setting);

        if (!setting->flag || setting->help || setting->traits & QUIET)
            continue;
        if (setting->kind == SETTING_MAP)
            value = "x=y";
        if (setting->kind == SETTING_EVICTION)
            value = "x<y";
        snprintf(flag, sizeof(flag), "--%s=%s", setting->flag, value);
        snprintf(expected, sizeof(expected), "flag --%s is accepted, but has no effect here\n",
                 setting->flag);
        /* Once, although it is given twice. */
        assert_reads(fixture, read_flags(fixture, fixture->option, flag, flag));
        assert_seen(fixture, expected);
        assert_int_equal(occurrences(fixture->seen, "\n"), 1);
    }
}

/* The last word counts: back at its default, there is nothing to warn of. */
static void test_defaults_are_silent(void **state)
{
    struct fixture *fixture = *state;
    struct strbuf text = STRBUF_INIT;

    strbuf_add(&text, HEAD);
    for (size_t i = 0; i < config_setting_count; i++) {
        const struct setting *setting = &config_settings[i];
        bool structured = setting->kind == SETTING_STRINGS || setting->kind == SETTING_EVICTION;

        if (setting->field && setting->normal && !strchr(setting->field, '.') && !structured &&
            !(setting->traits & OUR_FIELD))
            add_field(&text, setting, setting->normal);
    }
    strbuf_add(&text, "enforceNodeAllocatable: [pods]\n"
                      "evictionHard: {imagefs.inodesFree: 5%, imagefs.available: 15%, "
                      "memory.available: 100Mi, nodefs.available: 10%, nodefs.inodesFree: 5%}\n"
                      "authentication: {anonymous: {enabled: false}, webhook: {enabled: true, "
                      "cacheTTL: 2m0s}}\n"
                      "authorization: {mode: Webhook, webhook: {cacheAuthorizedTTL: 5m0s, "
                      "cacheUnauthorizedTTL: 30s}}\n"
                      "logging: {format: text, flushFrequency: 5000000000, verbosity: 0}\n"
                      "userNamespaces: {idsPerPod: 65536}\n"
                      "crashLoopBackOff: {maxContainerRestartPeriod: 5m0s}\n");
    write_at(fixture, "config.yaml", text.text);
    strbuf_deinit(&text);
    assert_reads(fixture, read_flags(fixture, fixture->option));
    assert_silent(fixture);
    assert_reads(fixture, read_file(fixture, "port: 5\nevictionHard: {}\n", "--port=10250",
                                    "--eviction-hard=memory.available<100Mi,nodefs.available<10%,"
                                    "nodefs.inodesFree<5%",
                                    "--eviction-hard=imagefs.available<15%,imagefs.inodesFree<5%"));
    assert_silent(fixture);
}

static void test_signals_without_effect(void **state)
{
    struct fixture *fixture = *state;

    assert_reads(fixture, read_file(fixture, "evictionHard: {imagefs.available: 1%, "
                                             "nodefs.inodesFree: 5%, pid.available: '5', "
                                             "nodefs.available: 7%}\n"));
    assert_seen(fixture, "signals of evictionHard that have no effect here: imagefs.available, "
                         "pid.available\n");
    assert_int_equal(occurrences(seen(fixture), "\n"), 1);
}

/* Without --config the kubelet's servers are open by default; here they are not there. */
static void test_defaults_of_old(void **state)
{
    struct fixture *fixture = *state;

    assert_reads(fixture, read_flags(fixture, "--read-only-port=10255", "--anonymous-auth=true",
                                     "--authorization-mode=AlwaysAllow"));
    assert_silent(fixture);
    assert_reads(fixture, read_flags(fixture, "--read-only-port=0", "--anonymous-auth=false"));
    assert_silent(fixture);
    assert_reads(fixture, read_file(fixture, "", "--read-only-port=10255"));
    assert_seen(fixture, "flag --read-only-port is accepted");
}

/* Installers rely on flags that are deprecated: it is said, to who wants to know. */
static void test_deprecated(void **state)
{
    struct fixture *fixture = *state;

    log_set_threshold(fixture->log, LOG_LEVEL_DEBUG);
    assert_reads(fixture, read_flags(fixture, "--max-pods=5", "--seccomp-default", "-v=3",
                                     "--root-dir=/r", "--pod-log-dir=/l"));
    assert_seen(fixture, "Flag --max-pods has been deprecated, This parameter should be set via "
                         "the config file specified by the Kubelet's --config flag.");
    assert_int_equal(occurrences(seen(fixture), "deprecated"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_directory(test_rules),
        with_directory(test_reservations),
        with_directory(test_flags_without_a_field),
        with_directory(test_all_at_once),
        with_directory(test_flags_repair),
        with_directory(test_fields_without_effect),
        with_directory(test_flags_without_effect),
        with_directory(test_defaults_are_silent),
        with_directory(test_signals_without_effect),
        with_directory(test_defaults_of_old),
        with_directory(test_deprecated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
