/*
 * Configuration: the text up to the first NUL is the file of --config, what follows are flags, each
 * up to the next NUL. Whatever they are, there is a sentence, or a configuration that the agent can
 * rely on.
 */
#include "../../agent/config.h"
#include "fuzz.h"
#include "nodeagent/base/mem.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    FLAGS_MAX = 16,
};

int LLVMFuzzerInitialize(int *argc, char ***argv);

/* --help and --version print. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    return freopen("/dev/null", "w", stdout) ? 0 : -1;
}

static void check_list(const struct string_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        assert_that(list->items[i]);
}

static void check_config(const struct config *config)
{
    assert_that(config->root_dir && config->run_dir && config->resolv_conf);
    assert_that(config->pod_logs_dir[0] == '/' && config->cgroup_root[0] == '/');
    assert_that(*config->runtime_endpoint && *config->node_name && config->cluster_domain);
    assert_that(config->max_pods >= 0 && config->pods_per_core >= 0 && config->max_open_files >= 0);
    assert_that(config->registry_pull_qps >= 0 && config->registry_burst >= 0);
    assert_that(config->api_qps >= 0 && config->api_burst >= 0);
    assert_that(config->event_qps > 0 && config->event_burst >= 0);
    assert_that(config->lock_file || !config->exit_on_lock_contention);
    assert_that(config->oom_score_adj >= -1000 && config->oom_score_adj <= 1000);
    assert_that(config->max_parallel_image_pulls >= 0);
    assert_that(config->file_check_usec >= USEC_PER_MSEC && config->file_check_usec < INT64_MAX);
    assert_that(config->http_check_usec >= USEC_PER_MSEC && config->http_check_usec < INT64_MAX);
    assert_that(config->runtime_request_timeout >= USEC_PER_MSEC);
    assert_that(config->cpu_cfs_quota_period >= USEC_PER_MSEC);
    assert_that(config->cpu_cfs_quota_period <= USEC_PER_SEC);
    assert_that(config->max_container_restart_period >= USEC_PER_SEC);
    assert_that(config->max_container_restart_period < 301 * USEC_PER_SEC);
    for (size_t i = 0; config->static_pod_url_headers[i]; i++)
        assert_that(!strpbrk(config->static_pod_url_headers[i], "\r\n"));
    check_list(&config->node_ip);
    check_list(&config->cluster_dns);
    check_list(&config->allowed_unsafe_sysctls);
}

/* Other files and directories of this machine are not to be read. */
static bool names_a_file(const char *flag)
{
    return strstr(flag, "config") && !strstr(flag, "kubeconfig");
}

static void check_arguments(int file, char *rest, char *end)
{
    char name[] = "--hostname-override=node", option[64];
    char *argv[FLAGS_MAX + 4] = {name, name, option};
    struct config config;
    struct err err = {0};
    int argc = 3, r;

    snprintf(option, sizeof(option), "--config=/proc/self/fd/%d", file);
    for (; rest < end && argc < FLAGS_MAX + 3; rest += strlen(rest) + 1)
        if (!names_a_file(rest))
            argv[argc++] = rest;
    r = config_read(&config, argc, argv, &err);
    if (r < 0)
        check_sentence(&err, r);
    else if (config.action == CONFIG_RUN)
        check_config(&config);
    config_deinit(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_strndup((const char *)data, size), *end = text + size;
    size_t length = strnlen(text, size);
    int file = memfd_create("config", MFD_CLOEXEC);

    assert_that(file >= 0 && write(file, text, length) == (ssize_t)length);
    check_arguments(file, text + MIN(length + 1, size), end);
    close(file);
    free(text);
    return 0;
}
