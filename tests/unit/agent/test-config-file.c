/* agent/config-file.c and config-json.c: documents, drop-ins, and files that mean no good. */
#include "config-fixture.h"
#include "config-private.h"

static int read_text(struct fixture *fixture, const char *text)
{
    write_at(fixture, "config.yaml", text);
    return read_flags(fixture, fixture->option);
}

/* documents */

static void test_json(void **state)
{
    struct fixture *fixture = *state;

    assert_reads(fixture, read_text(fixture, "{\"kind\": \"KubeletConfiguration\", \"apiVersion\": "
                                             "\"kubelet.config.k8s.io/v1beta1\", \"maxPods\": 7, "
                                             "\"clusterDNS\": null}"));
    assert_int_equal(fixture->config.max_pods, 7);
    assert_fails(fixture, read_text(fixture, "{\"kind\": }"), "config.yaml:1:10: ");
}

static const struct wrong {
    const char *text;
    const char *sentence;
} wrong_documents[] = {
    {"", "config.yaml\" was empty"},
    {"# nothing\n", "config.yaml\" was empty"},
    {"---\n---\n", "config.yaml\" was empty"},
    {"maxPods: 5\n", "config.yaml:1:1: the first document must have kind: KubeletConfiguration and "
                     "apiVersion: kubelet.config.k8s.io/v1beta1"},
    {"kind: KubeletConfiguration\n", "the first document must have kind"},
    {"kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1\n",
     "the first document must have kind"},
    {OUR_HEAD, "the first document must have kind"},
    {"[1]", "the first document must have kind"},
    {"text", "the first document must have kind"},
    {"a: [", "config.yaml:1:"},
    {HEAD "---\na: [\n", "config.yaml:5:1: "},
};

static void test_check_09_wrong_documents(void **state)
{
    struct fixture *fixture = *state;
    char beginning[256];

    snprintf(beginning, sizeof(beginning),
             "failed to load kubelet config file, path: %s, error: ", fixture->file);
    for (size_t i = 0; i < array_size(wrong_documents); i++) {
        assert_fails(fixture, read_text(fixture, wrong_documents[i].text), beginning);
        assert_sentence(fixture, wrong_documents[i].sentence);
    }
}

static void test_other_documents(void **state)
{
    struct fixture *fixture = *state;

    assert_reads(fixture, read_file(fixture, "maxPods: 5\n---\n" HEAD "maxPods: 6\n"));
    assert_int_equal(fixture->config.max_pods, 5);
    assert_seen(fixture, "config.yaml:5:1: this document is ignored; after the first one only "
                         "NodeAgentConfiguration of nodeagent.dev/v1alpha1 is read");
}

/* types */

static const struct wrong wrong_types[] = {
    {"maxPods: x", "config.yaml:3:10: maxPods: must be a whole number, not a string"},
    {"maxPods: 1.5", "maxPods: must be a whole number of at most 32 bits, not 1.5"},
    {"maxPods: 3000000000", "maxPods: must be a whole number of at most 32 bits"},
    {"podPidsLimit: 1e30", "podPidsLimit: must be a whole number of at most 64 bits"},
    {"syncFrequency: 10", "syncFrequency: must be a duration in quotes such as \"10s\", not a "
                          "number"},
    {"syncFrequency: 10 seconds",
     "syncFrequency: must be a duration such as 300ms, 10s or 1h30m, not \"10 seconds\""},
    {"logging: {flushFrequency: 1.5}", "logging.flushFrequency: must be a whole number"},
    {"cpuCFSQuota: 'true'", "cpuCFSQuota: must be true or false, not a string"},
    {"clusterDomain: 5", "clusterDomain: must be a string, not a number; put the value in quotes"},
    {"clusterDomain: \"a\\0b\"", "clusterDomain: must not contain a NUL character"},
    {"staticPodPath: []", "staticPodPath: must be a path as a string, not a list"},
    {"clusterDNS: 10.0.0.1", "clusterDNS: must be a list of strings, not a string"},
    {"clusterDNS: [5]", "clusterDNS[0]: must be a string, not a number"},
    {"kubeReserved: []", "kubeReserved: must be an object, not a list"},
    {"kubeReserved: {cpu: 1}", "kubeReserved[cpu]: must be a string, not a number; put the value "
                               "in quotes"},
    {"featureGates: {A: 'true'}", "featureGates[A]: must be true or false, not a string"},
    {"staticPodURLHeader: []", "staticPodURLHeader: must be an object"},
    {"staticPodURLHeader: {a: b}", "staticPodURLHeader[a]: must be a list of strings"},
    {"authentication: yes", "authentication: must be an object, not a boolean"},
    {"logging: {options: 5}", "logging.options: must be an object, not a number"},
    {"registerWithTaints: {}", "registerWithTaints: must be a list, not an object"},
    {"registerWithTaints: [a]", "registerWithTaints[0]: must be an object, not a string"},
    {"registerWithTaints: [{key: 5}]", "registerWithTaints[0].key: must be a string"},
    {"registerWithTaints: [{key: a, effect: NoExecute, timeAdded: '2026-01-02T03:04:05Z'}]",
     "registerWithTaints[0].timeAdded: must not be set"},
    {"memoryThrottlingFactor: high", "memoryThrottlingFactor: must be a number, not a string"},
};

static void test_check_07_wrong_types(void **state)
{
    struct fixture *fixture = *state;
    char text[512];

    for (size_t i = 0; i < array_size(wrong_types); i++) {
        snprintf(text, sizeof(text), HEAD "%s\n", wrong_types[i].text);
        assert_fails(fixture, read_text(fixture, text), "config.yaml:3:");
        assert_sentence(fixture, wrong_types[i].sentence);
    }
    assert_fails(fixture, read_file(fixture, "maxPods: x\nport: z\n"),
                 "config.yaml:3:10: maxPods: must be a whole number, not a string; ");
    assert_sentence(fixture, "config.yaml:4:7: port: must be a whole number, not a string");
}

static void test_nulls(void **state)
{
    struct fixture *fixture = *state;

    assert_reads(fixture, read_file(fixture, "maxPods: null\nlogging: ~\nfeatureGates: {A: null}\n"
                                             "kubeReserved: null\nclusterDNS: []\n"
                                             "staticPodURLHeader: {A: null}\n"
                                             "allowedUnsafeSysctls: [null]\n"));
    assert_int_equal(fixture->config.max_pods, 110);
    assert_null(fixture->config.static_pod_url_headers[0]);
}

/* warnings */

static void test_check_06_unknown_fields(void **state)
{
    struct fixture *fixture = *state;

    assert_reads(fixture, read_file(fixture, "maxPod: 5\nMaxPods: 6\nlogging: {verbose: 4}\n"
                                             "a.b: 1\nauthentication.webhook: {}\n"
                                             "\"max\\0Pods\": 1\nfor_nobody: {}\n"));
    assert_int_equal(fixture->config.max_pods, 110);
    assert_seen(fixture, "config.yaml:3:1: maxPod: unknown field; it is ignored; did you mean "
                         "maxPods?\n");
    assert_seen(fixture, "config.yaml:4:1: MaxPods: unknown field; it is ignored; did you mean "
                         "maxPods?\n");
    assert_seen(fixture, "config.yaml:5:11: logging.verbose: unknown field");
    assert_seen(fixture, "config.yaml:9:1: for_nobody: unknown field; it is ignored\n");
    assert_int_equal(occurrences(seen(fixture), "unknown field"), 7);
}

static void test_duplicates(void **state)
{
    struct fixture *fixture = *state;

    assert_reads(fixture, read_file(fixture, "maxPods: 5\nmaxPods: 6\n"));
    assert_int_equal(fixture->config.max_pods, 6);
    assert_seen(fixture, "config.yaml:4:1: maxPods: is set twice, first at line 3 column 1; the "
                         "last one wins\n");
}

static void test_many_warnings(void **state)
{
    struct fixture *fixture = *state;
    struct strbuf text = STRBUF_INIT;

    strbuf_add(&text, HEAD);
    for (int i = 0; i < 2000; i++)
        strbuf_printf(&text, "unknown%d: 1\n", i);
    assert_reads(fixture, read_text(fixture, text.text));
    strbuf_deinit(&text);
    assert_int_equal(occurrences(seen(fixture), "\n"), CONFIG_WARNINGS_MAX + 1);
    assert_seen(fixture, "1980 more warnings");
}

/* drop-ins */

static void write_drop_in(struct fixture *fixture, const char *name, const char *text)
{
    char path[256], whole[1024];

    snprintf(path, sizeof(path), "%s/drop-ins", fixture->directory);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "drop-ins/%s", name);
    snprintf(whole, sizeof(whole), HEAD "%s", text);
    write_at(fixture, path, whole);
}

static int read_drop_ins(struct fixture *fixture, const char *text)
{
    char option[256], whole[1024];

    snprintf(option, sizeof(option), "--config-dir=%s/drop-ins/", fixture->directory);
    snprintf(whole, sizeof(whole), HEAD "%s", text);
    write_at(fixture, "config.yaml", whole);
    return read_flags(fixture, fixture->option, option);
}

static void test_check_13_drop_ins_in_order(void **state)
{
    struct fixture *fixture = *state;
    char path[256];

    write_drop_in(fixture, "20.conf", "maxPods: 20\n");
    write_drop_in(fixture, "10.conf", "maxPods: 10\npodsPerCore: 1\nunknown: 1\n");
    write_drop_in(fixture, "30.yaml", "maxPods: 30\n");
    write_drop_in(fixture, "40.conf~", "maxPods: 40\n");
    snprintf(path, sizeof(path), "%s/drop-ins/15-more", fixture->directory);
    assert_int_equal(mkdir(path, 0700), 0);
    write_drop_in(fixture, "15-more/99.conf", "maxPods: 15\npodsPerCore: 2\n");
    assert_reads(fixture, read_drop_ins(fixture, "maxPods: 5\nregistryBurst: 3\n"));
    assert_int_equal(fixture->config.max_pods, 20);
    assert_int_equal(fixture->config.pods_per_core, 2);
    assert_int_equal(fixture->config.registry_burst, 3);
    assert_seen(fixture, "drop-ins/10.conf:5:1: unknown: unknown field");
}

static void test_check_14_drop_ins_merge(void **state)
{
    struct fixture *fixture = *state;
    const struct config *config = &fixture->config;

    write_drop_in(fixture, "10.conf",
                  "clusterDNS: [10.0.0.3]\nkubeReserved: {memory: 1Gi, pid: null}\n"
                  "failCgroupV1: false\nregistryPullQPS: 0\nregistryBurst: 0\nresolvConf: ''\n"
                  "fileCheckFrequency: 0s\nmaxPods: null\nlogging: null\n"
                  "staticPodURLHeader: {A: [z], AB: [q]}\nsystemReserved: null\n"
                  "---\n" OUR_HEAD "runDir: /dropped\n");
    assert_reads(fixture,
                 read_drop_ins(fixture, "clusterDNS: [10.0.0.1, 10.0.0.2]\n"
                                        "kubeReserved: {cpu: 100m, pid: '5'}\n"
                                        "fileCheckFrequency: 5s\nmaxPods: 5\nregistryBurst: 5\n"
                                        "logging: {verbosity: 3, format: json}\n"
                                        "staticPodURLHeader: {A: [a, b], B: [c]}\n"
                                        "systemReserved: {cpu: 1m}\n"));
    assert_int_equal(config->cluster_dns.count, 1);
    assert_string_equal(config->cluster_dns.items[0], "10.0.0.3");
    assert_int_equal(config->kube_reserved.count, 2);
    assert_string_equal(config->kube_reserved.items[0].name, "cpu");
    assert_string_equal(config->kube_reserved.items[1].name, "memory");
    assert_int_equal(config->system_reserved.count, 0);
    assert_false(config->fail_cgroup_v1);
    assert_int_equal(config->registry_pull_qps, 0);
    assert_int_equal(config->registry_burst, 10);
    assert_string_equal(config->resolv_conf, "");
    assert_int_equal(config->file_check_usec, 20 * USEC_PER_SEC);
    assert_int_equal(config->max_pods, 110);
    assert_int_equal(config->verbosity, 0);
    assert_string_equal(config->static_pod_url_headers[0], "B: c");
    assert_string_equal(config->static_pod_url_headers[1], "A: z");
    assert_string_equal(config->static_pod_url_headers[2], "AB: q");
    assert_null(config->static_pod_url_headers[3]);
    assert_string_equal(config->run_dir, "/dropped");
    assert_silent(fixture);
}

static void test_check_04_flag_drop_in_file(void **state)
{
    struct fixture *fixture = *state;
    char directory[256];

    snprintf(directory, sizeof(directory), "--config-dir=%s/drop-ins", fixture->directory);
    assert_reads(fixture, read_file(fixture, "maxPods: 30\n"));
    assert_int_equal(fixture->config.max_pods, 30);
    write_drop_in(fixture, "10.conf", "maxPods: 40\n");
    assert_reads(fixture, read_file(fixture, "maxPods: 30\n", directory));
    assert_int_equal(fixture->config.max_pods, 40);
    assert_reads(fixture, read_file(fixture, "maxPods: 30\n", directory, "--max-pods=50"));
    assert_int_equal(fixture->config.max_pods, 50);
}

/* Without --config the defaults are those of old, also where drop-ins are. */
static void test_check_12_drop_ins_alone(void **state)
{
    struct fixture *fixture = *state;
    char directory[256];

    snprintf(directory, sizeof(directory), "--config-dir=%s/drop-ins", fixture->directory);
    write_drop_in(fixture, "10.conf",
                  "maxPods: 40\nreadOnlyPort: 10255\n"
                  "authorization: {mode: AlwaysAllow}\n");
    assert_reads(fixture, read_flags(fixture, directory));
    assert_int_equal(fixture->config.max_pods, 40);
    assert_int_equal(quantity_value(&fixture->config.memory_threshold.amount), 0);
    assert_silent(fixture);
    write_drop_in(fixture, "10.conf", "evictionHard: {memory.available: 1Gi}\n");
    assert_reads(fixture, read_flags(fixture, directory));
    assert_int_equal(quantity_value(&fixture->config.memory_threshold.amount), 1 << 30);
    assert_true(fixture->config.storage_threshold.ratio == 0);
}

static void assert_thresholds(const struct fixture *fixture, int64_t memory, int storage_percent)
{
    const struct config *config = &fixture->config;

    assert_int_equal(quantity_value(&config->memory_threshold.amount), memory);
    assert_int_equal((int)(config->storage_threshold.ratio * 100 + 0.5f), storage_percent);
}

/* Signals of a drop-in are added to those of the file, or to the default ones. */
static void test_check_15_eviction_is_merged(void **state)
{
    struct fixture *fixture = *state;

    write_drop_in(fixture, "10.conf", "evictionHard: {nodefs.available: 5%}\n");
    assert_reads(fixture, read_drop_ins(fixture, "evictionHard: {memory.available: 1Gi}\n"));
    assert_thresholds(fixture, 1 << 30, 5);
    assert_reads(fixture, read_drop_ins(fixture, ""));
    assert_thresholds(fixture, 100 << 20, 5);
    assert_reads(fixture, read_drop_ins(fixture, "evictionHard: {}\n"));
    assert_thresholds(fixture, 0, 5);
    assert_silent(fixture);
}

static void test_check_16_eviction_is_taken_back(void **state)
{
    struct fixture *fixture = *state;

    write_drop_in(fixture, "10.conf", "evictionHard: null\n");
    assert_reads(fixture, read_drop_ins(fixture, "evictionHard: {memory.available: 1Gi}\n"));
    assert_thresholds(fixture, 100 << 20, 10);
    write_drop_in(fixture, "20.conf", "evictionHard: {memory.available: null}\n");
    assert_reads(fixture, read_drop_ins(fixture, ""));
    assert_thresholds(fixture, 0, 10);
    assert_silent(fixture);
}

/* In a drop-in one frequency alone means itself. */
static void test_check_19_frequency_of_a_drop_in(void **state)
{
    struct fixture *fixture = *state;

    write_drop_in(fixture, "10.conf", "nodeStatusUpdateFrequency: 5s\n");
    assert_reads(fixture, read_drop_ins(fixture, ""));
    assert_int_equal(fixture->config.node_status_update_usec, 5 * USEC_PER_SEC);
    assert_int_equal(fixture->config.node_status_report_usec, 300 * USEC_PER_SEC);
}

/* Paths of drop-ins do not begin at the drop-in. */
static void test_drop_ins_and_paths(void **state)
{
    struct fixture *fixture = *state;

    write_drop_in(fixture, "10.conf", "podLogsDir: logs\n");
    assert_fails(fixture, read_drop_ins(fixture, ""),
                 "pod logs path \"logs\" must be absolute path");
}

static void test_check_17_wrong_drop_ins(void **state)
{
    struct fixture *fixture = *state;
    char path[512];

    assert_fails(fixture, read_flags(fixture, "--config-dir=/does/not/exist"),
                 "failed to merge kubelet configs: cannot open /does/not/exist: No such file");
    write_drop_in(fixture, "10.conf", "");
    snprintf(path, sizeof(path), "%s/drop-ins/20.conf", fixture->directory);
    write_bytes(path, "maxPods: 5\n", 11);
    assert_fails(fixture, read_drop_ins(fixture, ""), "drop-ins/20.conf:1:1: the first document");
    write_bytes(path, "", 0);
    assert_fails(fixture, read_drop_ins(fixture, ""), "drop-ins/20.conf\" was empty");
    unlink(path);
    /* A link to a file is one, a link that leads nowhere is not passed over. */
    assert_int_equal(symlink("10.conf", path), 0);
    assert_reads(fixture, read_drop_ins(fixture, ""));
    unlink(path);
    assert_int_equal(symlink("gone", path), 0);
    assert_fails(fixture, read_drop_ins(fixture, ""), "20.conf");
    unlink(path);

    snprintf(path, sizeof(path), "%s/drop-ins", fixture->directory);
    for (int depth = 0; depth < CONFIG_DROP_IN_DEPTH_MAX; depth++) {
        strcat(path, "/d");
        assert_int_equal(mkdir(path, 0700), 0);
    }
    assert_fails(fixture, read_drop_ins(fixture, ""), "more than 16 directories in one another");
}

static void test_many_drop_ins(void **state)
{
    struct fixture *fixture = *state;
    char name[64];

    write_drop_in(fixture, "a.conf", "");
    for (int folder = 0; folder < 2; folder++) {
        snprintf(name, sizeof(name), "%s/drop-ins/%d", fixture->directory, folder);
        assert_int_equal(mkdir(name, 0700), 0);
        for (int i = 0; i < CONFIG_DROP_INS_MAX / 2; i++) {
            snprintf(name, sizeof(name), "%d/%d.conf", folder, i);
            write_drop_in(fixture, name, "");
        }
    }
    assert_fails(fixture, read_drop_ins(fixture, ""), "there are more than 1000 drop-ins");
}

/* hostile files */

static void test_what_is_no_file(void **state)
{
    struct fixture *fixture = *state;
    char option[256];

    assert_fails(fixture, read_flags(fixture, fixture->option),
                 "config.yaml: No such file or directory");
    snprintf(option, sizeof(option), "--config=%s", fixture->directory);
    assert_fails(fixture, read_flags(fixture, option), "not a regular file");
    assert_int_equal(mkfifo(fixture->file, 0600), 0);
    assert_fails(fixture, read_flags(fixture, fixture->option), "not a regular file");
    assert_fails(fixture, read_flags(fixture, "--config=/dev/zero"), "not a regular file");
}

static void test_too_big(void **state)
{
    struct fixture *fixture = *state;
    size_t length = (10 << 20) + 1;
    char *text = malloc(length);

    memset(text, 'x', length);
    write_bytes(fixture->file, text, length);
    assert_fails(fixture, read_flags(fixture, fixture->option), "config.yaml");
    memset(text, '[', length);
    write_bytes(fixture->file, text, CONFIG_FILE_MAX);
    assert_fails(fixture, read_flags(fixture, fixture->option), "config.yaml:1:");
    memset(text, '\0', length);
    write_bytes(fixture->file, text, 1000);
    assert_fails(fixture, read_flags(fixture, fixture->option), "config.yaml");
    free(text);
}

static void test_many_items(void **state)
{
    struct fixture *fixture = *state;
    const char *forms[] = {"kubeReserved: {", "staticPodURLHeader: {", "staticPodURLHeader: {a: ["};

    for (size_t form = 0; form < array_size(forms); form++) {
        struct strbuf text = STRBUF_INIT;

        strbuf_printf(&text, HEAD "%s", forms[form]);
        for (int i = 0; i <= CONFIG_ITEMS_MAX; i++)
            strbuf_printf(&text, form == 2 ? "x%d, " : form ? "x%d: [q], " : "x%d: q, ", i);
        strbuf_add(&text, form == 2 ? "]}\n" : "}\n");
        assert_fails(fixture, read_text(fixture, text.text), "must have at most 1000");
        strbuf_deinit(&text);
    }
}

/* Work that grows with the square of the file would take minutes here. */
static void test_costs(void **state)
{
    struct fixture *fixture = *state;
    struct strbuf text = STRBUF_INIT;

    strbuf_add(&text, HEAD);
    while (text.length < CONFIG_FILE_MAX - 64)
        strbuf_printf(&text, "m%zx: 1\n", text.length);
    assert_reads(fixture, read_text(fixture, text.text));
    strbuf_truncate(&text, 0);
    strbuf_add(&text, HEAD "clusterDNS: [");
    while (text.length < CONFIG_FILE_MAX - 64)
        strbuf_add(&text, "a,");
    strbuf_add(&text, "]\n");
    assert_reads(fixture, read_text(fixture, text.text));
    strbuf_truncate(&text, 0);
    strbuf_add(&text, HEAD "enforceNodeAllocatable: [");
    while (text.length < CONFIG_FILE_MAX - 64)
        strbuf_add(&text, "pods,");
    strbuf_add(&text, "]\n");
    assert_fails(fixture, read_text(fixture, text.text), "duplicated enforcements \"pods\"");
    strbuf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_directory(test_json),
        with_directory(test_check_09_wrong_documents),
        with_directory(test_other_documents),
        with_directory(test_check_07_wrong_types),
        with_directory(test_nulls),
        with_directory(test_check_06_unknown_fields),
        with_directory(test_duplicates),
        with_directory(test_many_warnings),
        with_directory(test_check_13_drop_ins_in_order),
        with_directory(test_check_14_drop_ins_merge),
        with_directory(test_check_04_flag_drop_in_file),
        with_directory(test_check_12_drop_ins_alone),
        with_directory(test_check_15_eviction_is_merged),
        with_directory(test_check_16_eviction_is_taken_back),
        with_directory(test_check_19_frequency_of_a_drop_in),
        with_directory(test_drop_ins_and_paths),
        with_directory(test_check_17_wrong_drop_ins),
        with_directory(test_many_drop_ins),
        with_directory(test_what_is_no_file),
        with_directory(test_too_big),
        with_directory(test_many_items),
        with_directory(test_costs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
