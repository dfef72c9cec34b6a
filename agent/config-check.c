/*
 * What values settings may have. Errors are collected and told together, in the kubelet's words.
 */
#include "config-check.h"
#include "nodeagent/objects/names.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define NANOSECONDS_PER_MSEC 1000000
#define NANOSECONDS_PER_SEC 1000000000

void config_refuse(struct config_check *check, const char *name, const char *format, ...)
{
    const struct setting_value *value = config_checked(check, name);
    va_list arguments;

    check->count++;
    if (check->text.length >= ERR_TEXT_MAX) /* nobody would see it */
        return;
    if (check->text.length)
        strbuf_add(&check->text, ", ");
    va_start(arguments, format);
    strbuf_vprintf(&check->text, format, arguments);
    va_end(arguments);
    if (value->place)
        strbuf_printf(&check->text, " (%s)", value->place);
}

const char *config_title(struct config_check *check, const char *name)
{
    const struct setting *setting = config_setting_of(name);

    if (!setting->field)
        return arena_printf(check->reader->arena, "--%s", setting->flag);
    return setting->flag
               ? arena_printf(check->reader->arena, "%s (--%s)", setting->field, setting->flag)
               : setting->field;
}

const struct setting_value *config_checked(const struct config_check *check, const char *name)
{
    return config_value_of(check->reader, name);
}

/* numbers */

#define NOT_NEGATIVE "must not be a negative number"

static const struct range {
    const char *name;
    int64_t least, most;
    const char *rule;
} ranges[] = {
    {"maxPods", 0, INT32_MAX, NOT_NEGATIVE},
    {"podsPerCore", 0, INT32_MAX, NOT_NEGATIVE},
    {"maxOpenFiles", 0, INT64_MAX, NOT_NEGATIVE},
    {"registryPullQPS", 0, INT32_MAX, NOT_NEGATIVE},
    {"registryBurst", 0, INT32_MAX, NOT_NEGATIVE},
    {"kubeAPIQPS", 0, INT32_MAX, NOT_NEGATIVE},
    {"kubeAPIBurst", 0, INT32_MAX, NOT_NEGATIVE},
    {"eventRecordQPS", 0, INT32_MAX, NOT_NEGATIVE},
    {"eventBurst", 0, INT32_MAX, NOT_NEGATIVE},
    {"nodeStatusMaxImages", -1, INT32_MAX, "must be -1 or greater"},
    {"nodeLeaseDurationSeconds", 1, INT32_MAX, "must be greater than 0"},
    {"oomScoreAdj", -1000, 1000, "must be between -1000 and 1000, inclusive"},
    {"port", 1, UINT16_MAX, "must be between 1 and 65535, inclusive"},
    {"readOnlyPort", 0, UINT16_MAX, "must be between 0 and 65535, inclusive"},
    {"healthzPort", 0, UINT16_MAX, "must be between 1 and 65535, inclusive, or 0: none"},
    {"imageGCHighThresholdPercent", 0, 100, "must be between 0 and 100, inclusive"},
    {"imageGCLowThresholdPercent", 0, 100, "must be between 0 and 100, inclusive"},
    {"containerLogMaxFiles", 2, INT32_MAX, "must be greater than 1"},
    {"containerLogMaxWorkers", 1, INT32_MAX, "must be greater than or equal to 1"},
    {"iptablesMasqueradeBit", 0, 31, "must be between 0 and 31, inclusive"},
    {"iptablesDropBit", 0, 31, "must be between 0 and 31, inclusive"},
};

static void check_ranges(struct config_check *check)
{
    for (size_t i = 0; i < array_size(ranges); i++) {
        int64_t number = config_checked(check, ranges[i].name)->number;

        if (number < ranges[i].least || number > ranges[i].most)
            config_refuse(check, ranges[i].name, "invalid configuration: %s %lld %s",
                          config_title(check, ranges[i].name), (long long)number, ranges[i].rule);
    }
}

static void check_pulls(struct config_check *check)
{
    const struct setting_value *most = config_checked(check, "maxParallelImagePulls");
    const struct setting_value *one = config_checked(check, "serializeImagePulls");

    if (most->set && most->number < 1)
        config_refuse(check, "maxParallelImagePulls",
                      "invalid configuration: maxParallelImagePulls %lld must be a positive number",
                      (long long)most->number);
    if (one->set && one->number && most->set && most->number > 1)
        config_refuse(check, "maxParallelImagePulls",
                      "invalid configuration: maxParallelImagePulls cannot be larger than 1 unless "
                      "SerializeImagePulls (--serialize-image-pulls) is set to false");
}

/* durations */

/* The kubelet takes these and then spins or gives up at once. */
static void check_periods(struct config_check *check)
{
    static const char *const periods[] = {
        "fileCheckFrequency",
        "httpCheckFrequency",
        "runtimeRequestTimeout",
        "nodeStatusUpdateFrequency",
        "nodeStatusReportFrequency",
        "offline.maxAge",
        "offline.wait",
    };
    char text[TIME_TEXT_MAX];

    for (size_t i = 0; i < array_size(periods); i++) {
        int64_t period = config_checked(check, periods[i])->number;

        if (period < NANOSECONDS_PER_MSEC)
            config_refuse(check, periods[i], "invalid configuration: %s %s must be at least 1ms",
                          config_title(check, periods[i]), duration_format(period, text));
    }
}

static void check_quota_period(struct config_check *check)
{
    int64_t period = config_checked(check, "cpuCFSQuotaPeriod")->number;
    char text[TIME_TEXT_MAX];

    if (!config_gate_enabled(check->reader, "CustomCPUCFSQuotaPeriod")) {
        if (period != 100 * NANOSECONDS_PER_MSEC)
            config_refuse(
                check, "cpuCFSQuotaPeriod",
                "invalid configuration: %s %s requires feature gate CustomCPUCFSQuotaPeriod",
                config_title(check, "cpuCFSQuotaPeriod"), duration_format(period, text));
    } else if (period < NANOSECONDS_PER_MSEC || period > NANOSECONDS_PER_SEC) {
        config_refuse(check, "cpuCFSQuotaPeriod",
                      "invalid configuration: %s %s must be between 1ms and 1sec, inclusive",
                      config_title(check, "cpuCFSQuotaPeriod"), duration_format(period, text));
    }
}

static void check_restart_period(struct config_check *check)
{
    const char *name = "crashLoopBackOff.maxContainerRestartPeriod";
    const struct setting_value *value = config_checked(check, name);
    double seconds = (double)value->number / NANOSECONDS_PER_SEC;

    if (!config_gate_enabled(check->reader, "KubeletCrashLoopBackOffMax")) {
        if (value->source != FROM_DEFAULT)
            config_refuse(
                check, name,
                "invalid configuration: FeatureGate KubeletCrashLoopBackOffMax not enabled, "
                "CrashLoopBackOff.MaxContainerRestartPeriod must not be set");
    } else if (value->number < NANOSECONDS_PER_SEC ||
               value->number / NANOSECONDS_PER_MSEC > 300 * 1000) {
        config_refuse(check, name,
                      "invalid configuration: CrashLoopBackOff.MaxContainerRestartPeriod (got: %g "
                      "seconds) must be set between 1s and 300s",
                      seconds);
    }
}

/* logs of containers */

static void check_logs(struct config_check *check)
{
    const char *size = config_checked(check, "containerLogMaxSize")->text;
    const char *interval = "containerLogMonitorInterval";
    struct quantity ignored;
    struct err err;

    if (quantity_parse(size, strlen(size), &ignored, &err) < 0)
        config_refuse(check, "containerLogMaxSize",
                      "invalid configuration: %s \"%.64s\" must be a quantity such as 10Mi",
                      config_title(check, "containerLogMaxSize"), size);
    if (config_checked(check, interval)->number < 3LL * NANOSECONDS_PER_SEC)
        config_refuse(check, interval,
                      "invalid configuration: %s must be a positive time duration greater than or "
                      "equal to 3s",
                      interval);
}

/* texts */

static void check_endpoint(struct config_check *check)
{
    if (!*config_checked(check, "containerRuntimeEndpoint")->text)
        config_refuse(
            check, "containerRuntimeEndpoint",
            "invalid configuration: the containerRuntimeEndpoint was not specified or empty");
}

/* Words that there are; of a few the kubelet says so only when it starts. */
static const struct choice {
    const char *name;
    const char *words[5];
} choices[] = {
    {"cgroupDriver", {"cgroupfs", "systemd"}},
    {"memorySwap.swapBehavior", {"", "LimitedSwap", "NoSwap"}},
    {"cloud-provider", {"", "external"}},
    {"profile", {"", "edge"}},
    {"authorization.mode", {"AlwaysAllow", "Webhook"}},
    {"cpuManagerPolicy", {"none", "static"}},
    {"memoryManagerPolicy", {"None", "Static"}},
    {"topologyManagerPolicy", {"none", "best-effort", "restricted", "single-numa-node"}},
    {"topologyManagerScope", {"container", "pod"}},
    {"memoryReservationPolicy", {"None", "TieredReservation"}},
    {"hairpinMode", {"none", "hairpin-veth", "promiscuous-bridge"}},
    {"configMapAndSecretChangeDetectionStrategy", {"Get", "Cache", "Watch"}},
    {"imagePullCredentialsVerificationPolicy",
     {"NeverVerify", "NeverVerifyPreloadedImages", "NeverVerifyAllowlistedImages", "AlwaysVerify"}},
    {"logging.format", {"text", "json"}},
};

static void refuse_choice(struct config_check *check, const struct choice *choice)
{
    struct strbuf words = STRBUF_INIT;

    for (size_t i = 0; choice->words[i]; i++)
        strbuf_printf(&words, "%s\"%s\"",
                      !i                     ? ""
                      : choice->words[i + 1] ? ", "
                                             : " or ",
                      choice->words[i]);
    config_refuse(check, choice->name,
                  "invalid configuration: option \"%.64s\" specified for %s. Valid options are %s",
                  config_checked(check, choice->name)->text, config_title(check, choice->name),
                  words.text);
    strbuf_deinit(&words);
}

static void check_choices(struct config_check *check)
{
    for (size_t i = 0; i < array_size(choices); i++)
        if (!str_one_of(config_checked(check, choices[i].name)->text, choices[i].words))
            refuse_choice(check, &choices[i]);
}

static void check_log_directory(struct config_check *check)
{
    const char *path = config_checked(check, "podLogsDir")->text;

    if (!*path)
        config_refuse(check, "podLogsDir", "invalid configuration: podLogsDir was not specified");
    if (*path != '/')
        config_refuse(check, "podLogsDir",
                      "invalid configuration: pod logs path \"%.256s\" must be absolute path",
                      path);
    else if (strcmp(path, config_clean_path(check->reader->arena, NULL, path)) != 0)
        config_refuse(check, "podLogsDir",
                      "invalid configuration: pod logs path \"%.256s\" must be normalized", path);
    for (const char *c = path; *c; c++) {
        if (!isascii((unsigned char)*c)) {
            config_refuse(
                check, "podLogsDir",
                "invalid configuration: pod logs path \"%.256s\" must contain ASCII characters "
                "only",
                path);
            break;
        }
    }
}

/* What is kept side by side by names of its own kind would be taken for leftovers of another. */
static void check_places(struct config_check *check)
{
    static const char *const names[] = {"root-dir", "runDir", "podLogsDir", "staticPodPath"};
    const char *paths[array_size(names)];

    for (size_t i = 0; i < array_size(names); i++) {
        const char *flag = config_setting_of(names[i])->flag;
        const char *text = config_checked(check, names[i])->text;

        paths[i] = config_clean_path(check->reader->arena, NULL, text);
        if (!*text && i < 2) /* the others have a rule of their own, or may be without a value */
            config_refuse(check, names[i], "invalid configuration: --%s must not be empty", flag);
        for (size_t j = 0; *text && j < i; j++)
            if (str_equal(paths[i], paths[j]))
                config_refuse(check, names[i],
                              "invalid configuration: --%s and --%s are both %.256s; each needs a "
                              "directory of its own",
                              config_setting_of(names[j])->flag, flag, paths[i]);
    }
}

/* A header is a line of its own; what else it contained would be another one. */
static void check_headers(struct config_check *check)
{
    const struct string_list *headers = &config_checked(check, "staticPodURLHeader")->list;

    for (size_t i = 0; i < headers->count; i++) {
        const char *colon = strchr(headers->items[i], ':');
        const char *name = arena_strndup(check->reader->arena, headers->items[i],
                                         (size_t)(colon - headers->items[i]));

        if (name_check_http_header(name) || strpbrk(colon, "\r\n"))
            config_refuse(
                check, "staticPodURLHeader",
                "invalid configuration: header \"%.64s\" of %s must be a name of letters, "
                "digits and \"-\" with a value of one line",
                name, config_title(check, "staticPodURLHeader"));
    }
}

/* the Node object */

static void check_labels(struct config_check *check)
{
    struct err err;

    array_for_each (label, config_checked(check, "node-labels")->map)
        if (config_check_label(label, &err) < 0)
            config_refuse(check, "node-labels", "%s", err.text);
}

static void check_taints(struct config_check *check)
{
    const struct string_list *list = &config_checked(check, "registerWithTaints")->list;
    struct taint *taints = arena_array(check->reader->arena, struct taint, list->count);
    struct err err;

    for (size_t i = 0; i < list->count; i++) {
        if (config_taint(list->items[i], check->reader->arena, &taints[i], &err) < 0)
            config_refuse(check, "registerWithTaints", "invalid configuration: %s: %s",
                          config_title(check, "registerWithTaints"), err.text);
        for (size_t j = 0; j < i; j++)
            if (str_equal(taints[i].key, taints[j].key) &&
                str_equal(taints[i].effect, taints[j].effect)) {
                config_refuse(check, "registerWithTaints",
                              "invalid configuration: %s: duplicated taints with the same key and "
                              "effect: %.128s",
                              config_title(check, "registerWithTaints"), list->items[i]);
                break;
            }
    }
}

static void check_version(struct config_check *check)
{
    const char *version = config_checked(check, "kubernetesVersion")->text;

    if (!config_kubernetes_version(version, check->reader->arena))
        config_refuse(
            check, "kubernetesVersion",
            "invalid configuration: %s \"%.64s\" must be a version from 1.34 to 1.36, such as "
            "1.35 or v1.35.2",
            config_title(check, "kubernetesVersion"), version);
}

static void check_serving_certificate(struct config_check *check)
{
    if (config_checked(check, "serverTLSBootstrap")->number &&
        !config_gate_enabled(check->reader, "RotateKubeletServerCertificate"))
        config_refuse(check, "serverTLSBootstrap",
                      "invalid configuration: serverTLSBootstrap true requires feature gate "
                      "RotateKubeletServerCertificate");
}

static void check_lock_file(struct config_check *check)
{
    if (config_checked(check, "exit-on-lock-contention")->number &&
        !*config_checked(check, "lock-file")->text)
        config_refuse(check, "exit-on-lock-contention",
                      "cannot exit on lock file contention: no lock file specified; set "
                      "--lock-file");
}

static void check_serving(struct config_check *check)
{
    static const char *const names[] = {
        "address", "healthzBindAddress", "tlsCertFile", "tlsMinVersion", "tlsCipherSuites",
    };
    struct err err;

    for (size_t i = 0; i < array_size(names); i++)
        if (config_check_serving(check->reader, names[i], &err) < 0)
            config_refuse(check, names[i], "invalid configuration: %s: %s",
                          config_title(check, names[i]), err.text);
}

int config_check(const struct config_reader *reader, struct err *err)
{
    struct config_check check = {.reader = reader};

    check_ranges(&check);
    check_pulls(&check);
    check_periods(&check);
    check_quota_period(&check);
    check_restart_period(&check);
    check_logs(&check);
    check_endpoint(&check);
    check_choices(&check);
    check_log_directory(&check);
    check_places(&check);
    check_headers(&check);
    check_labels(&check);
    check_taints(&check);
    check_version(&check);
    check_serving(&check);
    check_serving_certificate(&check);
    check_lock_file(&check);
    config_check_resources(&check);
    config_check_eviction(&check);
    config_check_idle(&check);
    if (check.count)
        err_set(err, -EINVAL, "failed to validate kubelet configuration, error: %s%s%s%s%s",
                check.count > 1 ? "[" : "", check.text.text, check.count > 1 ? "]" : "",
                reader->file ? ", path: " : "", reader->file ? reader->file : "");
    strbuf_deinit(&check.text);
    return check.count ? -EINVAL : 0;
}
