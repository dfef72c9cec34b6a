/* agent/config-check*.c: what values may be. */
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
    {{"--cloud-provider=aws"},
     NULL,
     "option \"aws\" specified for --cloud-provider. Valid options are \"\" or \"external\""},
    {{NULL},
     "memorySwap: {swapBehavior: UnlimitedSwap}",
     "option \"UnlimitedSwap\" specified for memorySwap.swapBehavior. Valid options are \"\", "
     "\"LimitedSwap\" or \"NoSwap\""},
    {{"--authorization-mode=RBAC"},
     "authorization: {mode: RBAC}",
     "option \"RBAC\" specified for authorization.mode (--authorization-mode)"},
    {{"--cpu-manager-policy=dynamic"}, "cpuManagerPolicy: dynamic", "option \"dynamic\""},
    {{"--memory-manager-policy=static"}, "memoryManagerPolicy: static", "option \"static\""},
    {{"--topology-manager-policy=numa"}, "topologyManagerPolicy: numa", "option \"numa\""},
    {{"--topology-manager-scope=node"}, "topologyManagerScope: node", "option \"node\""},
    {{NULL},
     "memoryReservationPolicy: All",
     "option \"All\" specified for memoryReservationPolicy"},
    {{"--hairpin-mode=hairpin"},
     "hairpinMode: hairpin",
     "option \"hairpin\" specified for hairpinMode (--hairpin-mode). Valid options are \"none\", "
     "\"hairpin-veth\" or \"promiscuous-bridge\""},
    {{NULL}, "configMapAndSecretChangeDetectionStrategy: Poll", "option \"Poll\""},
    {{NULL}, "imagePullCredentialsVerificationPolicy: Verify", "option \"Verify\""},
    {{"--logging-format=xml"}, "logging: {format: xml}", "option \"xml\""},
    {{"--event-qps=-1"}, "eventRecordQPS: -1", "eventRecordQPS (--event-qps) -1 must not be a"},
    {{"--event-burst=-1"},
     "eventBurst: -1",
     "eventBurst (--event-burst) -1 must not be a negative"},
    {{"--kube-api-qps=-1"}, "kubeAPIQPS: -1", "kubeAPIQPS (--kube-api-qps) -1 must not be a"},
    {{"--kube-api-burst=-1"}, "kubeAPIBurst: -1", "kubeAPIBurst (--kube-api-burst) -1 must not be"},
    {{"--port=0"}, "port: -1", "must be between 1 and 65535, inclusive"},
    {{"--port=65536"}, "port: 65536", "port (--port) 65536 must be between 1 and 65535, inclusive"},
    {{"--read-only-port=65536"},
     "readOnlyPort: 65536",
     "readOnlyPort (--read-only-port) 65536 must be between 0 and 65535, inclusive"},
    {{"--healthz-port=-1"},
     "healthzPort: -1",
     "healthzPort (--healthz-port) -1 must be between 1 and 65535, inclusive, or 0: none"},
    {{"--image-gc-high-threshold=101"},
     "imageGCHighThresholdPercent: 101",
     "imageGCHighThresholdPercent (--image-gc-high-threshold) 101 must be between 0 and 100, "
     "inclusive"},
    {{"--image-gc-low-threshold=85"},
     "imageGCLowThresholdPercent: 85",
     "imageGCLowThresholdPercent (--image-gc-low-threshold) 85 must be less than "
     "imageGCHighThresholdPercent (--image-gc-high-threshold) 85"},
    {{"--minimum-image-ttl-duration=-1s"},
     "imageMinimumGCAge: -1s",
     "imageMinimumGCAge (--minimum-image-ttl-duration) -1s must not be negative"},
    {{NULL},
     "imageMaximumGCAge: 1m",
     "imageMaximumGCAge 1m0s must be greater than imageMinimumGCAge "
     "(--minimum-image-ttl-duration) 2m0s"},
    {{NULL},
     "preloadedImagesVerificationAllowlist: [a]",
     "can't set preloadedImagesVerificationAllowlist if imagePullCredentialsVerificationPolicy is "
     "not \"NeverVerifyAllowlistedImages\""},
    {{"--image-credential-provider-config=/c"},
     NULL,
     "--image-credential-provider-config and --image-credential-provider-bin-dir must be set both"},
    {{"--container-log-max-size=big"},
     "containerLogMaxSize: big",
     "containerLogMaxSize (--container-log-max-size) \"big\" must be a quantity such as 10Mi"},
    {{"--container-log-max-files=1"}, "containerLogMaxFiles: 1", "1 must be greater than 1"},
    {{NULL}, "containerLogMaxWorkers: 0", "containerLogMaxWorkers 0 must be greater than or equal"},
    {{NULL}, "containerLogMonitorInterval: 2s", "greater than or equal to 3s"},
    {{NULL},
     "enableSystemLogQuery: true\nenableSystemLogHandler: false",
     "enableSystemLogHandler is required for enableSystemLogQuery"},
    {{"--iptables-drop-bit=32"},
     "iptablesDropBit: 32",
     "iptablesDropBit (--iptables-drop-bit) 32 must be between 0 and 31, inclusive"},
    {{"--iptables-masquerade-bit=-1"}, "iptablesMasqueradeBit: -1", "must be between 0 and 31"},
    {{NULL},
     "shutdownGracePeriod: 500ms",
     "shutdownGracePeriod 500ms must be either zero or otherwise >= 1 sec"},
    {{NULL},
     "shutdownGracePeriod: 30s\nfeatureGates: {GracefulNodeShutdown: false}",
     "specifying shutdownGracePeriod or shutdownGracePeriodCriticalPods requires feature gate "
     "GracefulNodeShutdown"},
    {{NULL},
     "shutdownGracePeriodByPodPriority: [{priority: 1}]\nshutdownGracePeriod: 30s",
     "Cannot specify both shutdownGracePeriodByPodPriority and shutdownGracePeriod at the same "
     "time"},
    {{NULL},
     "shutdownGracePeriodByPodPriority: [{priority: 1}]\n"
     "featureGates: {GracefulNodeShutdownBasedOnPodPriority: false}",
     "Specifying shutdownGracePeriodByPodPriority requires feature gate "
     "GracefulNodeShutdownBasedOnPodPriority"},
    {{NULL},
     "memoryThrottlingFactor: 0",
     "memoryThrottlingFactor 0 must be greater than 0 and less than or equal to 1.0"},
    {{NULL}, "memoryThrottlingFactor: 1.5", "memoryThrottlingFactor 1.5 must be greater than 0"},
    {{NULL},
     "userNamespaces: {idsPerPod: 1000}",
     "userNamespaces.idsPerPod 1000 must be a multiple of 65536 and greater than 0"},
    {{"--rotate-server-certificates", "--feature-gates=RotateKubeletServerCertificate=false"},
     "serverTLSBootstrap: true\nfeatureGates: {RotateKubeletServerCertificate: false}",
     "serverTLSBootstrap true requires feature gate RotateKubeletServerCertificate"},
    {{"--runonce"},
     "runOnce: true",
     "runOnce (--runonce) true: the kubelet runs no pods only once"},
    {{"--system-cgroups=/s"},
     "systemCgroups: /s",
     "systemCgroups (--system-cgroups) was specified and cgroupRoot (--cgroup-root) was not "
     "specified"},
    {{"--enforce-node-allocatable=pods,all"},
     "enforceNodeAllocatable: [pods, all]",
     "option \"all\" specified for enforceNodeAllocatable (--enforce-node-allocatable). Valid "
     "options are pods, system-reserved,"},
    {{"--enforce-node-allocatable=pods,pods"},
     "enforceNodeAllocatable: [pods, pods]",
     "duplicated enforcements \"pods\" in enforceNodeAllocatable (--enforce-node-allocatable)"},
    {{"--enforce-node-allocatable=none,pods"},
     "enforceNodeAllocatable: [none, pods]",
     "may not contain additional enforcements when \"none\" is specified"},
    {{"--cgroups-per-qos=false"},
     "cgroupsPerQOS: false",
     "cgroupsPerQOS (--cgroups-per-qos) must be set to true when \"pods\" is contained in "
     "enforceNodeAllocatable"},
    {{"--enforce-node-allocatable=system-reserved-compressible"},
     "enforceNodeAllocatable: [system-reserved-compressible]",
     "systemReservedCgroup (--system-reserved-cgroup) must be specified when "
     "\"system-reserved-compressible\" is included in enforceNodeAllocatable"},
    {{NULL},
     "enforceNodeAllocatable: [kube-reserved, kube-reserved-compressible]\nkubeReservedCgroup: /k",
     "both \"kube-reserved\" and \"kube-reserved-compressible\" cannot be specified together in "
     "enforceNodeAllocatable"},
    {{"--eviction-soft=memory.free<1Gi"},
     "evictionSoft: {memory.free: 1Gi}",
     "evictionSoft (--eviction-soft): unsupported eviction signal memory.free"},
    {{"--eviction-soft-grace-period=memory.free=1m"},
     "evictionSoftGracePeriod: {memory.free: 1m}",
     "evictionSoftGracePeriod (--eviction-soft-grace-period): unsupported eviction signal"},
    {{"--eviction-soft-grace-period=memory.available=soon"},
     "evictionSoftGracePeriod: {memory.available: soon}",
     "the grace period of memory.available must be a duration such as 30s or 1m30s, not \"soon\""},
    {{"--eviction-minimum-reclaim=nodefs.available=-1"},
     "evictionMinimumReclaim: {nodefs.available: '-1'}",
     "evictionMinimumReclaim (--eviction-minimum-reclaim): eviction threshold nodefs.available"},
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

static void test_check_23_reservations(void **state)
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

static void test_check_03_labels_of_kubernetes(void **state)
{
    struct fixture *fixture = *state;

    assert_fails(fixture, read_flags(fixture, "--node-labels=node-role.kubernetes.io/x=y,a=b"),
                 "error: unknown 'kubernetes.io' or 'k8s.io' labels specified with --node-labels: "
                 "[node-role.kubernetes.io/x]");
    assert_fails(fixture, read_flags(fixture, "--node-labels=node-role.kubernetes.io/x="),
                 "[node-role.kubernetes.io/x]");
}

static void test_check_22_enforced_without_a_cgroup(void **state)
{
    struct fixture *fixture = *state;

    assert_fails(fixture, read_file(fixture, "enforceNodeAllocatable: [pods, kube-reserved]\n"),
                 INVALID "kubeReservedCgroup (--kube-reserved-cgroup) must be specified when "
                         "\"kube-reserved\" is included in enforceNodeAllocatable");
    assert_reads(fixture, read_file(fixture, "enforceNodeAllocatable: [pods, kube-reserved]\n"
                                             "kubeReservedCgroup: /kube.slice\n"));
    assert_reads(fixture,
                 read_file(fixture, "enforceNodeAllocatable: [none]\ncgroupsPerQOS: false\n"));
    assert_reads(fixture, read_file(fixture, "enforceNodeAllocatable: []\ncgroupsPerQOS: false\n"));
}

static void test_check_24_critical_pods_have_no_more_time(void **state)
{
    struct fixture *fixture = *state;

    assert_fails(fixture,
                 read_file(fixture, "shutdownGracePeriod: 10s\n"
                                    "shutdownGracePeriodCriticalPods: 20s\n"),
                 INVALID "shutdownGracePeriodCriticalPods 20s must be <= shutdownGracePeriod 10s");
    assert_reads(fixture, read_file(fixture, "shutdownGracePeriod: 20s\n"
                                             "shutdownGracePeriodCriticalPods: 10s\n"));
}

static void test_check_28_soft_eviction_has_a_grace_period(void **state)
{
    struct fixture *fixture = *state;

    assert_fails(fixture, read_file(fixture, "evictionSoft: {memory.available: 1Gi}\n"),
                 INVALID "grace period must be specified for the soft eviction threshold "
                         "memory.available, in evictionSoftGracePeriod");
    assert_reads(fixture, read_file(fixture, "evictionSoft: {memory.available: 1Gi}\n"
                                             "evictionSoftGracePeriod: {memory.available: 30s}\n"));
    /* What is switched off needs none; nothing may be won back, too. */
    assert_reads(fixture, read_file(fixture, "evictionSoft: {memory.available: 0%}\n"
                                             "evictionMinimumReclaim: {nodefs.available: '0'}\n"));
}

static void test_check_41_contention_of_no_file(void **state)
{
    struct fixture *fixture = *state;

    assert_fails(fixture, read_flags(fixture, "--exit-on-lock-contention"),
                 "error: cannot exit on lock file contention: no lock file specified; set "
                 "--lock-file");
    assert_reads(fixture,
                 read_flags(fixture, "--exit-on-lock-contention", "--lock-file=/run/x.lock"));
    assert_true(fixture->config.exit_on_lock_contention);
    assert_string_equal(fixture->config.lock_file, "/run/x.lock");
    assert_silent(fixture);
}

static void test_check_20_all_at_once(void **state)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_directory(test_rules),
        with_directory(test_check_23_reservations),
        with_directory(test_check_03_labels_of_kubernetes),
        with_directory(test_check_22_enforced_without_a_cgroup),
        with_directory(test_check_24_critical_pods_have_no_more_time),
        with_directory(test_check_28_soft_eviction_has_a_grace_period),
        with_directory(test_check_41_contention_of_no_file),
        with_directory(test_check_20_all_at_once),
        with_directory(test_flags_repair),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
