/*
 * Every field of a KubeletConfiguration and every flag of the kubelet, each once: a flag that
 * mirrors a field is in the same line. Lines with a help text have an effect; all others are
 * accepted, and whoever sets one to something else than its default is told so.
 */
#include "config-private.h"

#include <stddef.h>

#define USED(field_name, flag_name, of_kind, default_text, to_member, help_text, ...)              \
    {                                                                                              \
        .field = field_name, .flag = flag_name, .kind = SETTING_##of_kind, .normal = default_text, \
        .member = offsetof(struct config, to_member), .help = help_text, __VA_ARGS__               \
    }

/* What is not merely copied: config.c says what becomes of it. */
#define USED_OTHERWISE(field_name, flag_name, of_kind, default_text, help_text, ...)               \
    {                                                                                              \
        .field = field_name, .flag = flag_name, .kind = SETTING_##of_kind, .normal = default_text, \
        .help = help_text, __VA_ARGS__                                                             \
    }

#define IDLE(field_name, flag_name, of_kind, default_text, ...)                                    \
    {                                                                                              \
        .field = field_name, .flag = flag_name, .kind = SETTING_##of_kind, .normal = default_text, \
        __VA_ARGS__                                                                                \
    }

const struct setting config_settings[] = {
    /* ours */
    USED("runDir", "run-dir", PATH, "/run/nodeagent", run_dir, "the socket and the pods' records",
         .traits = OUR_FLAG | OUR_FIELD),
    USED_OTHERWISE("kubernetesVersion", "kubernetes-version", STRING, KUBERNETES_VERSION,
                   "the version that the Node reports, 1.34 to 1.36",
                   .traits = OUR_FLAG | OUR_FIELD),
    USED_OTHERWISE("profile", NULL, STRING, NULL, "edge: with a checkpoint", .traits = OUR_FIELD),
    USED_OTHERWISE("offline.checkpoint", NULL, BOOL, NULL,
                   "keep what the API server told; default in the edge profile",
                   .traits = OUR_FIELD),
    USED("offline.maxAge", NULL, DURATION, "168h", checkpoint_max_age,
         "since the API server was heard of; older, nothing is started from it",
         .traits = OUR_FIELD),
    USED("offline.wait", NULL, DURATION, "10s", checkpoint_wait,
         "for the API server, before pods are started from it", .traits = OUR_FIELD),
    USED("podLogsDir", "pod-log-dir", PATH, "/var/log/pods", pod_logs_dir, "logs of containers",
         .traits = OUR_FLAG),

    /* the command line itself */
    USED_OTHERWISE(NULL, "help", BOOL, NULL, "print this text"),
    USED_OTHERWISE(NULL, "version", BOOL, NULL, "print the version of Kubernetes"),
    USED_OTHERWISE(NULL, "config", STRING, NULL, "the KubeletConfiguration, YAML or JSON"),
    USED_OTHERWISE(NULL, "config-dir", STRING, NULL, "drop-ins, *.conf, applied after --config"),

    /* places */
    USED(NULL, "root-dir", PATH, "/var/lib/kubelet", root_dir, "what the agent keeps of pods"),
    USED("containerRuntimeEndpoint", "container-runtime-endpoint", STRING,
         "unix:///run/containerd/containerd.sock", runtime_endpoint, "the runtime's socket"),
    USED("imageServiceEndpoint", "image-service-endpoint", STRING, NULL, image_endpoint,
         "the image service's socket, if it is another"),
    USED("resolvConf", "resolv-conf", PATH, "/etc/resolv.conf", resolv_conf,
         "the node's resolv.conf; empty: none", .traits = ZERO_COUNTS),

    /* the node */
    USED_OTHERWISE(NULL, "hostname-override", STRING, NULL, "the node's name"),
    USED_OTHERWISE(NULL, "node-ip", STRING, NULL, "the node's address, or one of each family"),
    USED("maxPods", "max-pods", INT32, "110", max_pods, "pods at once"),
    USED("podsPerCore", "pods-per-core", INT32, "0", pods_per_core, "pods for each CPU; 0: any"),
    USED_OTHERWISE("systemReserved", "system-reserved", MAP, NULL,
                   "kept for the system: cpu=200m,memory=500Mi"),
    USED_OTHERWISE("kubeReserved", "kube-reserved", MAP, NULL,
                   "kept for the runtime and the agent"),
    USED_OTHERWISE("reservedSystemCPUs", "reserved-cpus", STRING, NULL,
                   "CPUs kept for both, as 0-3,8; in the place of cpu in the two maps"),
    USED_OTHERWISE("evictionHard", "eviction-hard", EVICTION,
                   "memory.available<100Mi,nodefs.available<10%,nodefs.inodesFree<5%,"
                   "imagefs.available<15%,imagefs.inodesFree<5%",
                   "memory.available and nodefs.available are kept from pods", .legacy = ""),
    USED_OTHERWISE("mergeDefaultEvictionSettings", NULL, BOOL, "false",
                   "what evictionHard does not name has its default"),
    USED("localStorageCapacityIsolation", "local-storage-capacity-isolation", BOOL, "true",
         local_storage_isolation, "the node has ephemeral-storage"),
    USED("allowedUnsafeSysctls", "allowed-unsafe-sysctls", STRINGS, NULL, allowed_unsafe_sysctls,
         "sysctls that pods may set besides the safe ones"),
    USED("podPidsLimit", "pod-max-pids", INT64, "-1", pod_pids_limit,
         "processes in one pod; -1: as many as the node has", .traits = ZERO_COUNTS),

    /* the Node object */
    USED("registerNode", "register-node", BOOL, "true", register_node, "create it"),
    USED_OTHERWISE(NULL, "node-labels", MAP, NULL, "labels that it is created with"),
    USED_OTHERWISE("registerWithTaints", "register-with-taints", TAINTS, NULL,
                   "taints that it is created with: key=value:Effect,..."),
    USED("providerID", "provider-id", STRING, NULL, provider_id,
         "what the cloud calls the machine; when it is created", .traits = LASTING),
    USED_OTHERWISE(NULL, "cloud-provider", STRING, NULL,
                   "external: a cloud's controller tells the node's addresses"),
    USED("enableControllerAttachDetach", "enable-controller-attach-detach", BOOL, "true",
         controller_attach_detach, "the controller attaches volumes"),
    USED("nodeStatusUpdateFrequency", "node-status-update-frequency", DURATION, "10s",
         node_status_update_usec, "between looks at its status"),
    USED("nodeStatusReportFrequency", NULL, DURATION, "5m", node_status_report_usec,
         "between reports of it, if nothing changes"),
    USED("nodeLeaseDurationSeconds", NULL, INT32, "40", node_lease_seconds,
         "of its Lease, renewed four times in it"),
    USED("nodeStatusMaxImages", "node-status-max-images", INT32, "50", node_status_images_max,
         "images listed in it; -1: all", .traits = ZERO_COUNTS),

    /* sources of pods */
    USED("staticPodPath", "pod-manifest-path", PATH, NULL, static_pod_path,
         "the directory of static pods, or one file"),
    USED("staticPodURL", "manifest-url", STRING, NULL, static_pod_url, "the URL of static pods"),
    USED_OTHERWISE("staticPodURLHeader", "manifest-url-header", HEADERS, NULL,
                   "headers for it: name:value,..."),
    USED(NULL, "kubeconfig", PATH, NULL, kubeconfig,
         "how to reach the API server; none: static pods only"),
    USED(NULL, "bootstrap-kubeconfig", PATH, NULL, bootstrap_kubeconfig,
         "with which the first certificate is asked for"),
    USED(NULL, "cert-dir", PATH, "/var/lib/kubelet/pki", cert_dir, "the node's certificates"),
    USED("rotateCertificates", "rotate-certificates", BOOL, "false", rotate_certificates,
         "ask for a new client certificate in time"),
    USED("kubeAPIQPS", "kube-api-qps", INT32, "50", api_qps, "requests a second to it",
         .traits = ZERO_COUNTS),
    USED("kubeAPIBurst", "kube-api-burst", INT32, "100", api_burst, "... and as many at once"),
    USED("eventRecordQPS", "event-qps", INT32, "50", event_qps, "events a second to it",
         .traits = ZERO_COUNTS),
    USED("eventBurst", "event-burst", INT32, "100", event_burst, "... and as many at once"),
    USED("fileCheckFrequency", "file-check-frequency", DURATION, "20s", file_check_usec,
         "between looks at the directory"),
    USED("httpCheckFrequency", "http-check-frequency", DURATION, "20s", http_check_usec,
         "between looks at the URL"),

    /* pods */
    USED_OTHERWISE("clusterDNS", "cluster-dns", STRINGS, NULL, "DNS servers of the cluster"),
    USED("clusterDomain", "cluster-domain", STRING, "", cluster_domain,
         "DNS domain of the cluster"),
    USED_OTHERWISE("cgroupDriver", "cgroup-driver", STRING, "cgroupfs",
                   "cgroupfs or systemd, where the runtime does not say"),
    USED_OTHERWISE("cgroupRoot", "cgroup-root", STRING, "/", "the cgroup above those of pods"),
    USED("cpuCFSQuota", "cpu-cfs-quota", BOOL, "true", cpu_cfs_quota, "enforce CPU limits"),
    USED("cpuCFSQuotaPeriod", "cpu-cfs-quota-period", DURATION, "100ms", cpu_cfs_quota_period,
         "in which they are enforced", .traits = ZERO_COUNTS),
    USED("seccompDefault", "seccomp-default", BOOL, "false", seccomp_default,
         "the runtime's seccomp profile for pods that name none", .traits = LASTING),
    USED("failCgroupV1", "fail-cgroupv1", BOOL, "true", fail_cgroup_v1,
         "refuse to run on cgroup v1", .traits = LASTING),
    USED("failSwapOn", "fail-swap-on", BOOL, "true", fail_swap_on, "refuse to run with swap on"),
    USED_OTHERWISE("singleProcessOOMKill", NULL, BOOL, NULL,
                   "end one process, not the container, that is out of memory"),
    USED_OTHERWISE("memorySwap.swapBehavior", NULL, STRING, NULL,
                   "LimitedSwap: burstable pods get a share of the node's swap; else none"),
    USED("crashLoopBackOff.maxContainerRestartPeriod", NULL, DURATION, "5m",
         max_container_restart_period, "the longest delay of a restart", .traits = ZERO_COUNTS),

    /* the runtime and images */
    USED("runtimeRequestTimeout", "runtime-request-timeout", DURATION, "2m",
         runtime_request_timeout, "the longest a call to the runtime may take"),
    USED_OTHERWISE("serializeImagePulls", "serialize-image-pulls", BOOL, NULL,
                   "one pull at a time; default unless maxParallelImagePulls is more"),
    USED("maxParallelImagePulls", NULL, INT32, NULL, max_parallel_image_pulls,
         "pulls at once, with serializeImagePulls: false", .traits = ZERO_COUNTS),
    USED("registryPullQPS", "registry-qps", INT32, "5", registry_pull_qps,
         "pulls a second; 0: no limit", .traits = ZERO_COUNTS),
    USED("registryBurst", "registry-burst", INT32, "10", registry_burst, "pulls in a burst"),

    /* logs of containers */
    USED_OTHERWISE("containerLogMaxSize", "container-log-max-size", STRING, "10Mi",
                   "rotate a log that is so large; negative: none"),
    USED("containerLogMaxFiles", "container-log-max-files", INT32, "5", container_log_max_files,
         "... and keep so many files of it", .traits = ZERO_COUNTS),
    USED("containerLogMaxWorkers", NULL, INT32, "1", container_log_max_workers,
         "logs that are rotated at once", .traits = ZERO_COUNTS),
    USED("containerLogMonitorInterval", NULL, DURATION, "10s", container_log_interval,
         "between looks at the logs", .traits = ZERO_COUNTS),

    /* the agent */
    USED("logging.verbosity", "v", INT32, "0", verbosity, "how much is logged", .traits = LASTING),
    USED("oomScoreAdj", "oom-score-adj", INT32, "-999", oom_score_adj, "of the agent's own process",
         .traits = ZERO_COUNTS),
    USED("maxOpenFiles", "max-open-files", INT64, "1000000", max_open_files,
         "descriptors of the agent"),
    USED(NULL, "lock-file", PATH, NULL, lock_file, "locked as long as the agent runs"),
    USED(NULL, "exit-on-lock-contention", BOOL, "false", exit_on_lock_contention,
         "end once somebody else opens the lock file"),
    USED_OTHERWISE("featureGates", "feature-gates", GATES, NULL, "name=true,..."),

    /* its servers */
    USED_OTHERWISE("enableServer", "enable-server", BOOL, "true", "serve the node's API"),
    USED("address", "address", STRING, "0.0.0.0", address,
         "where; without --kubeconfig nowhere, unless it is set"),
    USED("port", "port", INT32, "10250", port, "of the node's API"),
    USED("healthzPort", "healthz-port", INT32, "10248", healthz_port,
         "of /healthz, plain HTTP; 0: none", .traits = ZERO_COUNTS),
    USED("healthzBindAddress", "healthz-bind-address", STRING, "127.0.0.1", healthz_address,
         "where"),
    USED("tlsCertFile", "tls-cert-file", PATH, NULL, tls_cert_file,
         "the API's certificate; default: one of its own in --cert-dir"),
    USED("tlsPrivateKeyFile", "tls-private-key-file", PATH, NULL, tls_key_file, "its key"),
    USED_OTHERWISE("tlsCipherSuites", "tls-cipher-suites", STRINGS, NULL,
                   "suites of TLS up to 1.2; default: what is good"),
    USED_OTHERWISE("tlsMinVersion", "tls-min-version", STRING, NULL,
                   "VersionTLS10 to VersionTLS13; default 1.2"),
    USED("serverTLSBootstrap", "rotate-server-certificates", BOOL, "false", server_tls_bootstrap,
         "ask the cluster for the API's certificate"),

    /* the kubelet's servers */
    IDLE("readOnlyPort", "read-only-port", INT32, "0", .legacy = "10255"),
    IDLE("tlsCurvePreferences", NULL, OBJECTS, NULL),
    IDLE("authentication.x509.clientCAFile", "client-ca-file", PATH, NULL),
    IDLE("authentication.webhook.enabled", "authentication-token-webhook", BOOL, "true",
         .legacy = "false"),
    IDLE("authentication.webhook.cacheTTL", "authentication-token-webhook-cache-ttl", DURATION,
         "2m"),
    IDLE("authentication.anonymous.enabled", "anonymous-auth", BOOL, "false", .legacy = "true"),
    IDLE("authorization.mode", "authorization-mode", STRING, "Webhook", .legacy = "AlwaysAllow"),
    IDLE("authorization.webhook.cacheAuthorizedTTL", "authorization-webhook-cache-authorized-ttl",
         DURATION, "5m"),
    IDLE("authorization.webhook.cacheUnauthorizedTTL",
         "authorization-webhook-cache-unauthorized-ttl", DURATION, "30s"),
    IDLE("enableDebuggingHandlers", "enable-debugging-handlers", BOOL, "true"),
    IDLE("enableContentionProfiling", "contention-profiling", BOOL, "false"),
    IDLE("enableProfilingHandler", NULL, BOOL, "true"),
    IDLE("enableDebugFlagsHandler", NULL, BOOL, "true"),
    IDLE("enableSystemLogHandler", NULL, BOOL, "true"),
    IDLE("enableSystemLogQuery", NULL, BOOL, "false"),
    IDLE("streamingConnectionIdleTimeout", "streaming-connection-idle-timeout", DURATION, "4h"),
    IDLE("showHiddenMetricsForVersion", "show-hidden-metrics-for-version", STRING, NULL),

    /* the API server */
    IDLE("podCIDR", "pod-cidr", STRING, NULL),
    IDLE("syncFrequency", "sync-frequency", DURATION, "1m", .traits = QUIET),
    IDLE("contentType", "kube-api-content-type", STRING, "application/vnd.kubernetes.protobuf",
         .traits = QUIET),
    IDLE("configMapAndSecretChangeDetectionStrategy", NULL, STRING, "Watch"),

    /* resources */
    IDLE("cgroupsPerQOS", "cgroups-per-qos", BOOL, "true"),
    IDLE("kubeletCgroups", "kubelet-cgroups", STRING, NULL),
    IDLE("systemCgroups", "system-cgroups", STRING, NULL),
    IDLE(NULL, "runtime-cgroups", STRING, NULL),
    IDLE("systemReservedCgroup", "system-reserved-cgroup", STRING, NULL),
    IDLE("kubeReservedCgroup", "kube-reserved-cgroup", STRING, NULL),
    IDLE("reservedMemory", "reserved-memory", OBJECTS, NULL),
    IDLE("qosReserved", "qos-reserved", MAP, NULL),
    IDLE("enforceNodeAllocatable", "enforce-node-allocatable", STRINGS, "pods"),
    IDLE("cpuManagerPolicy", "cpu-manager-policy", STRING, "none"),
    IDLE("cpuManagerPolicyOptions", "cpu-manager-policy-options", MAP, NULL),
    IDLE("cpuManagerReconcilePeriod", "cpu-manager-reconcile-period", DURATION, "10s"),
    IDLE("memoryManagerPolicy", "memory-manager-policy", STRING, "None"),
    IDLE("topologyManagerPolicy", "topology-manager-policy", STRING, "none"),
    IDLE("topologyManagerScope", "topology-manager-scope", STRING, "container"),
    IDLE("topologyManagerPolicyOptions", "topology-manager-policy-options", MAP, NULL),
    IDLE("memoryThrottlingFactor", NULL, FLOAT, "0.9", .traits = ZERO_COUNTS),
    IDLE("memoryReservationPolicy", NULL, STRING, "None"),
    IDLE("userNamespaces.idsPerPod", NULL, INT64, "65536", .traits = ZERO_COUNTS),
    IDLE("protectKernelDefaults", "protect-kernel-defaults", BOOL, "false"),

    /* eviction and shutdown */
    IDLE("evictionSoft", "eviction-soft", EVICTION, NULL),
    IDLE("evictionSoftGracePeriod", "eviction-soft-grace-period", MAP, NULL),
    IDLE("evictionMinimumReclaim", "eviction-minimum-reclaim", MAP, NULL),
    IDLE("evictionPressureTransitionPeriod", "eviction-pressure-transition-period", DURATION, "5m"),
    IDLE("evictionMaxPodGracePeriod", "eviction-max-pod-grace-period", INT32, "0"),
    IDLE("kernelMemcgNotification", "kernel-memcg-notification", BOOL, "false"),
    IDLE("shutdownGracePeriod", NULL, DURATION, "0s"),
    IDLE("shutdownGracePeriodCriticalPods", NULL, DURATION, "0s"),
    IDLE("shutdownGracePeriodByPodPriority", NULL, OBJECTS, NULL),

    /* images and dead containers */
    IDLE("imagePullCredentialsVerificationPolicy", NULL, STRING, "NeverVerifyPreloadedImages"),
    IDLE("preloadedImagesVerificationAllowlist", NULL, STRINGS, NULL),
    IDLE(NULL, "image-credential-provider-config", STRING, NULL),
    IDLE(NULL, "image-credential-provider-bin-dir", STRING, NULL),
    IDLE("imageMinimumGCAge", "minimum-image-ttl-duration", DURATION, "2m"),
    IDLE("imageMaximumGCAge", NULL, DURATION, "0s"),
    IDLE("imageGCHighThresholdPercent", "image-gc-high-threshold", INT32, "85",
         .traits = ZERO_COUNTS),
    IDLE("imageGCLowThresholdPercent", "image-gc-low-threshold", INT32, "80",
         .traits = ZERO_COUNTS),
    IDLE("volumeStatsAggPeriod", "volume-stats-agg-period", DURATION, "1m"),
    IDLE("volumePluginDir", "volume-plugin-dir", PATH,
         "/usr/libexec/kubernetes/kubelet-plugins/volume/exec/"),
    IDLE(NULL, "minimum-container-ttl-duration", DURATION, "0s"),
    IDLE(NULL, "maximum-dead-containers", INT32, "-1"),
    IDLE(NULL, "maximum-dead-containers-per-container", INT32, "1"),

    /* the process, its log, and what is of no effect in the kubelet either */
    IDLE("logging.format", "logging-format", STRING, "text"),
    IDLE("logging.flushFrequency", "log-flush-frequency", DURATION, "5s",
         .traits = ALSO_NUMBER | LASTING),
    IDLE("logging.vmodule", NULL, OBJECTS, NULL),
    IDLE("logging.options", NULL, OBJECT, NULL),
    IDLE(NULL, "vmodule", STRING, NULL),
    IDLE(NULL, "log-json-info-buffer-size", STRING, "0"),
    IDLE(NULL, "log-json-split-stream", BOOL, "false"),
    IDLE(NULL, "log-text-info-buffer-size", STRING, "0"),
    IDLE(NULL, "log-text-split-stream", BOOL, "false"),
    IDLE("tracing", NULL, OBJECT, NULL),
    IDLE("runOnce", "runonce", BOOL, "false"),
    IDLE("hairpinMode", "hairpin-mode", STRING, "promiscuous-bridge"),
    IDLE("makeIPTablesUtilChains", "make-iptables-util-chains", BOOL, "true"),
    IDLE("iptablesMasqueradeBit", "iptables-masquerade-bit", INT32, "14", .traits = ZERO_COUNTS),
    IDLE("iptablesDropBit", "iptables-drop-bit", INT32, "15", .traits = ZERO_COUNTS),
    IDLE(NULL, "experimental-mounter-path", STRING, NULL),
    IDLE(NULL, "experimental-allocatable-ignore-eviction", BOOL, "false"),
    /* the kubelet refuses it today; flag files of a kubeadm before 1.34 still have it */
    IDLE(NULL, "pod-infra-container-image", STRING, NULL),
    IDLE(NULL, "housekeeping-interval", DURATION, "10s"),
    IDLE(NULL, "max-housekeeping-interval", DURATION, "15s"),
    IDLE(NULL, "global-housekeeping-interval", DURATION, "1m"),
    IDLE(NULL, "application-metrics-count-limit", INT32, "100"),
    IDLE(NULL, "boot-id-file", STRING, "/proc/sys/kernel/random/boot_id"),
    IDLE(NULL, "machine-id-file", STRING, "/etc/machine-id,/var/lib/dbus/machine-id"),
    IDLE(NULL, "container-hints", STRING, "/etc/cadvisor/container_hints.json"),
    IDLE(NULL, "containerd", STRING, "/run/containerd/containerd.sock"),
    IDLE(NULL, "containerd-namespace", STRING, "k8s.io"),
    IDLE(NULL, "enable-load-reader", BOOL, "false"),
    IDLE(NULL, "event-storage-age-limit", STRING, "default=0"),
    IDLE(NULL, "event-storage-event-limit", STRING, "default=0"),
    IDLE(NULL, "log-cadvisor-usage", BOOL, "false"),
    IDLE(NULL, "storage-driver-user", STRING, "root"),
    IDLE(NULL, "storage-driver-password", STRING, "root"),
    IDLE(NULL, "storage-driver-host", STRING, "localhost:8086"),
    IDLE(NULL, "storage-driver-db", STRING, "cadvisor"),
    IDLE(NULL, "storage-driver-table", STRING, "stats"),
    IDLE(NULL, "storage-driver-secure", BOOL, "false"),
    IDLE(NULL, "storage-driver-buffer-duration", DURATION, "1m"),
};

const size_t config_setting_count = array_size(config_settings);
