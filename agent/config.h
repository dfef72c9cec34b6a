/*
 * What the operator configured: defaults, then the KubeletConfiguration file, then the flags.
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/base/err.h"
#include "nodeagent/base/time.h"
#include "nodeagent/objects/node.h"
#include "nodeagent/server.h"

#include <stdbool.h>

/* Whose ways these are. */
#define KUBERNETES_MINOR "1.36"
#define KUBERNETES_VERSION "v" KUBERNETES_MINOR ".2"

enum config_action {
    CONFIG_RUN,
    CONFIG_HELP,    /* the text is printed */
    CONFIG_VERSION, /* printed as the kubelet's: installers parse it */
};

enum cgroup_driver { CGROUP_DRIVER_CGROUPFS, CGROUP_DRIVER_SYSTEMD };

/* Of what must stay free; both zero: nothing. */
struct eviction_threshold {
    float ratio; /* of the capacity: what the kubelet computes with is no double */
    struct quantity amount;
};

struct config {
    struct arena arena; /* everything below lives here */
    enum config_action action;

    /* places */
    const char *root_dir;           /* --root-dir: /var/lib/kubelet */
    const char *run_dir;            /* --run-dir: /run/nodeagent; socket and records */
    const char *pod_logs_dir;       /* podLogsDir, --pod-log-dir: /var/log/pods */
    const char *container_logs_dir; /* links for log shippers: /var/log/containers when pod_logs_dir
                                       is the default, else NULL: no links */
    const char *runtime_endpoint;   /* containerRuntimeEndpoint */
    const char *image_endpoint;     /* NULL: the runtime's */
    const char *resolv_conf;        /* "" = none */

    /* the node */
    const char *node_name;      /* --hostname-override, or the host's name; lower case */
    struct string_list node_ip; /* --node-ip, may be empty */
    int32_t max_pods;
    int32_t pods_per_core;
    struct quantity_map system_reserved;
    struct quantity_map kube_reserved;
    struct eviction_threshold memory_threshold;  /* evictionHard: memory.available */
    struct eviction_threshold storage_threshold; /* nodefs.available */
    bool local_storage_isolation;
    struct string_list allowed_unsafe_sysctls;
    int64_t pod_pids_limit;

    /* its Node object */
    bool register_node;
    bool external_cloud;            /* --cloud-provider=external */
    bool controller_attach_detach;  /* volumes are attached by the controller, not from here */
    const char *kubernetes_version; /* that it reports: "v1.36.2" */
    const char *provider_id;        /* NULL: none */
    struct string_map node_labels;  /* --node-labels; these two only when it is created */
    list_of(struct taint) taints;   /* registerWithTaints */
    usec_t node_status_update_usec;
    usec_t node_status_report_usec; /* though nothing changed */
    int32_t node_lease_seconds;
    int32_t node_status_images_max; /* -1: all */

    /* sources */
    const char *static_pod_path;               /* NULL: none */
    const char *static_pod_url;                /* NULL: none */
    const char *const *static_pod_url_headers; /* "Name: value", ends in NULL */
    const char *kubeconfig;                    /* NULL: static pods only */
    const char *bootstrap_kubeconfig;          /* NULL: none */
    const char *cert_dir;
    bool rotate_certificates;
    int32_t api_qps;   /* requests a second to the API server */
    int32_t api_burst; /* ... and as many at once */
    int32_t event_qps; /* the same of events */
    int32_t event_burst;
    bool checkpoint; /* of what the server told is kept */
    usec_t checkpoint_max_age;
    usec_t checkpoint_wait; /* for the server, before pods are run from it */
    usec_t file_check_usec;
    usec_t http_check_usec;

    /* pods */
    struct string_list cluster_dns;
    const char *cluster_domain;
    enum cgroup_driver cgroup_driver; /* what is used when the runtime does not say */
    const char *cgroup_root;          /* "/" */
    bool cpu_cfs_quota;
    usec_t cpu_cfs_quota_period;
    bool seccomp_default;
    bool fail_cgroup_v1;
    bool fail_swap_on;
    uint8_t single_process_oom_kill; /* enum opt_bool */
    bool limited_swap;               /* memorySwap.swapBehavior: LimitedSwap; else none */
    usec_t max_container_restart_period;

    /* the runtime and images */
    usec_t runtime_request_timeout;
    bool serialize_image_pulls;
    int32_t max_parallel_image_pulls; /* 0: no limit of its own */
    int32_t registry_pull_qps;        /* 0: no limit */
    int32_t registry_burst;

    /* logs of containers */
    int64_t container_log_max_bytes;   /* containerLogMaxSize; negative: they are not rotated */
    int32_t container_log_max_files;   /* with the one that is written to; at least 2 */
    int32_t container_log_max_workers; /* at least 1 */
    usec_t container_log_interval;     /* between looks at them */

    /* its servers */
    int32_t port; /* of the node's API; 0: it is not served */
    const char *address;
    int32_t healthz_port; /* 0: none */
    const char *healthz_address;
    const char *tls_cert_file; /* NULL: none, and no key */
    const char *tls_key_file;
    bool server_tls_bootstrap;
    struct server_tls tls;

    /* the agent */
    int32_t verbosity; /* -v */
    int32_t oom_score_adj;
    int64_t max_open_files;
    const char *lock_file;        /* NULL: none */
    bool exit_on_lock_contention; /* once somebody else opens it */
};

/*
 * Reads the command line (argv[0] is the program's name) and the files it names. Warnings (fields
 * and flags that are accepted without effect) are logged, once each. On failure the sentence is
 * what the kubelet's would be where installers look at it.
 */
int config_read(struct config *config, int argc, char **argv, struct err *err);
void config_deinit(struct config *config);
