/*
 * What values the settings in use may have, and the warnings of those that are not in use. Errors
 * are collected and told together, in the kubelet's words.
 */
#include "config-private.h"
#include "cpu-list.h"
#include "nodeagent/objects/names.h"
#include "nodeagent/sys/log.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

struct check {
    const struct config_reader *reader;
    struct strbuf text;
    unsigned count;
};

#define NANOSECONDS_PER_MSEC 1000000
#define NANOSECONDS_PER_SEC 1000000000

_printf_(3, 4) static void refuse(struct check *check, const char *name, const char *format, ...)
{
    const struct setting_value *value = config_value_of(check->reader, name);
    va_list arguments;

    if (check->count++)
        strbuf_add(&check->text, ", ");
    va_start(arguments, format);
    strbuf_vprintf(&check->text, format, arguments);
    va_end(arguments);
    if (value->place)
        strbuf_printf(&check->text, " (%s)", value->place);
}

/* "maxPods (--max-pods)" */
static const char *title(struct check *check, const char *name)
{
    const struct setting *setting = config_setting_of(name);

    return setting->flag
               ? arena_printf(check->reader->arena, "%s (--%s)", setting->field, setting->flag)
               : setting->field;
}

/* numbers */

static const struct range {
    const char *name;
    int64_t least, most;
    const char *rule;
} ranges[] = {
    {"maxPods", 0, INT32_MAX, "must not be a negative number"},
    {"podsPerCore", 0, INT32_MAX, "must not be a negative number"},
    {"maxOpenFiles", 0, INT64_MAX, "must not be a negative number"},
    {"registryPullQPS", 0, INT32_MAX, "must not be a negative number"},
    {"registryBurst", 0, INT32_MAX, "must not be a negative number"},
    {"nodeStatusMaxImages", -1, INT32_MAX, "must be -1 or greater"},
    {"nodeLeaseDurationSeconds", 1, INT32_MAX, "must be greater than 0"},
    {"oomScoreAdj", -1000, 1000, "must be between -1000 and 1000, inclusive"},
    {"port", 1, UINT16_MAX, "must be between 1 and 65535, inclusive"},
    {"healthzPort", 0, UINT16_MAX, "must be between 1 and 65535, inclusive, or 0: none"},
};

static void check_ranges(struct check *check)
{
    for (size_t i = 0; i < array_size(ranges); i++) {
        int64_t number = config_value_of(check->reader, ranges[i].name)->number;

        if (number < ranges[i].least || number > ranges[i].most)
            refuse(check, ranges[i].name, "invalid configuration: %s %lld %s",
                   title(check, ranges[i].name), (long long)number, ranges[i].rule);
    }
}

static void check_pulls(struct check *check)
{
    const struct setting_value *most = config_value_of(check->reader, "maxParallelImagePulls");
    const struct setting_value *one = config_value_of(check->reader, "serializeImagePulls");

    if (most->set && most->number < 1)
        refuse(check, "maxParallelImagePulls",
               "invalid configuration: maxParallelImagePulls %lld must be a positive number",
               (long long)most->number);
    if (one->set && one->number && most->set && most->number > 1)
        refuse(check, "maxParallelImagePulls",
               "invalid configuration: maxParallelImagePulls cannot be larger than 1 unless "
               "SerializeImagePulls (--serialize-image-pulls) is set to false");
}

/* durations */

/* The kubelet takes these and then spins or gives up at once. */
static void check_periods(struct check *check)
{
    static const char *const periods[] = {
        "fileCheckFrequency",        "httpCheckFrequency",        "runtimeRequestTimeout",
        "nodeStatusUpdateFrequency", "nodeStatusReportFrequency",
    };
    char text[TIME_TEXT_MAX];

    for (size_t i = 0; i < array_size(periods); i++) {
        int64_t period = config_value_of(check->reader, periods[i])->number;

        if (period < NANOSECONDS_PER_MSEC)
            refuse(check, periods[i], "invalid configuration: %s %s must be at least 1ms",
                   title(check, periods[i]), duration_format(period, text));
    }
}

/* The gates that decide about a setting in use; all others are without effect. */
static const struct gate {
    const char *name;
    const char *group; /* which switches it too */
    bool enabled;
} gates[] = {
    {"CustomCPUCFSQuotaPeriod", "AllAlpha", false},
    {"KubeletCrashLoopBackOffMax", "AllBeta", true},
};

static bool gate_enabled(const struct config_reader *reader, const struct gate *gate)
{
    const struct string_map *map = &config_value_of(reader, "featureGates")->map;
    const char *own = string_map_get(map, gate->name);
    const char *group = string_map_get(map, gate->group);

    if (own || group)
        return str_equal(own ? own : group, "true");
    return gate->enabled;
}

static void check_quota_period(struct check *check)
{
    int64_t period = config_value_of(check->reader, "cpuCFSQuotaPeriod")->number;
    char text[TIME_TEXT_MAX];

    if (!gate_enabled(check->reader, &gates[0])) {
        if (period != 100 * NANOSECONDS_PER_MSEC)
            refuse(check, "cpuCFSQuotaPeriod",
                   "invalid configuration: %s %s requires feature gate CustomCPUCFSQuotaPeriod",
                   title(check, "cpuCFSQuotaPeriod"), duration_format(period, text));
    } else if (period < NANOSECONDS_PER_MSEC || period > NANOSECONDS_PER_SEC) {
        refuse(check, "cpuCFSQuotaPeriod",
               "invalid configuration: %s %s must be between 1ms and 1sec, inclusive",
               title(check, "cpuCFSQuotaPeriod"), duration_format(period, text));
    }
}

static void check_restart_period(struct check *check)
{
    const char *name = "crashLoopBackOff.maxContainerRestartPeriod";
    const struct setting_value *value = config_value_of(check->reader, name);
    double seconds = (double)value->number / NANOSECONDS_PER_SEC;

    if (!gate_enabled(check->reader, &gates[1])) {
        if (value->source != FROM_DEFAULT)
            refuse(check, name,
                   "invalid configuration: FeatureGate KubeletCrashLoopBackOffMax not enabled, "
                   "CrashLoopBackOff.MaxContainerRestartPeriod must not be set");
    } else if (value->number < NANOSECONDS_PER_SEC ||
               value->number / NANOSECONDS_PER_MSEC > 300 * 1000) {
        refuse(check, name,
               "invalid configuration: CrashLoopBackOff.MaxContainerRestartPeriod (got: %g "
               "seconds) must be set between 1s and 300s",
               seconds);
    }
}

/* texts */

static void check_endpoint(struct check *check)
{
    if (!*config_value_of(check->reader, "containerRuntimeEndpoint")->text)
        refuse(check, "containerRuntimeEndpoint",
               "invalid configuration: the containerRuntimeEndpoint was not specified or empty");
}

static void check_cgroup_driver(struct check *check)
{
    static const char *const drivers[] = {"cgroupfs", "systemd", NULL};
    const char *driver = config_value_of(check->reader, "cgroupDriver")->text;

    if (!str_one_of(driver, drivers))
        refuse(check, "cgroupDriver",
               "invalid configuration: option \"%.64s\" specified for %s. Valid options are "
               "\"cgroupfs\" or \"systemd\"",
               driver, title(check, "cgroupDriver"));
}

static void check_log_directory(struct check *check)
{
    const char *path = config_value_of(check->reader, "podLogsDir")->text;

    if (!*path)
        refuse(check, "podLogsDir", "invalid configuration: podLogsDir was not specified");
    if (*path != '/')
        refuse(check, "podLogsDir",
               "invalid configuration: pod logs path \"%.256s\" must be absolute path", path);
    else if (strcmp(path, config_clean_path(check->reader->arena, NULL, path)) != 0)
        refuse(check, "podLogsDir",
               "invalid configuration: pod logs path \"%.256s\" must be normalized", path);
    for (const char *c = path; *c; c++) {
        if (!isascii((unsigned char)*c)) {
            refuse(check, "podLogsDir",
                   "invalid configuration: pod logs path \"%.256s\" must contain ASCII characters "
                   "only",
                   path);
            break;
        }
    }
}

/* What is kept side by side by names of its own kind would be taken for leftovers of another. */
static void check_places(struct check *check)
{
    static const char *const names[] = {"root-dir", "runDir", "podLogsDir", "staticPodPath"};
    const char *paths[array_size(names)];

    for (size_t i = 0; i < array_size(names); i++) {
        const char *flag = config_setting_of(names[i])->flag;
        const char *text = config_value_of(check->reader, names[i])->text;

        paths[i] = config_clean_path(check->reader->arena, NULL, text);
        if (!*text && i < 2) /* the others have a rule of their own, or may be without a value */
            refuse(check, names[i], "invalid configuration: --%s must not be empty", flag);
        for (size_t j = 0; *text && j < i; j++)
            if (str_equal(paths[i], paths[j]))
                refuse(check, names[i],
                       "invalid configuration: --%s and --%s are both %.256s; each needs a "
                       "directory of its own",
                       config_setting_of(names[j])->flag, flag, paths[i]);
    }
}

/* A header is a line of its own; what else it contained would be another one. */
static void check_headers(struct check *check)
{
    const struct string_list *headers = &config_value_of(check->reader, "staticPodURLHeader")->list;

    for (size_t i = 0; i < headers->count; i++) {
        const char *colon = strchr(headers->items[i], ':');
        const char *name = arena_strndup(check->reader->arena, headers->items[i],
                                         (size_t)(colon - headers->items[i]));

        if (name_check_http_header(name) || strpbrk(colon, "\r\n"))
            refuse(check, "staticPodURLHeader",
                   "invalid configuration: header \"%.64s\" of %s must be a name of letters, "
                   "digits and \"-\" with a value of one line",
                   name, title(check, "staticPodURLHeader"));
    }
}

/* reservations */

static const char *reservation_error(struct arena *arena, const struct string_pair *pair)
{
    static const char *const resources[] = {"cpu", "memory", "ephemeral-storage", "pid", NULL};
    struct quantity quantity;
    struct err err;

    if (!str_one_of(pair->name, resources))
        return arena_printf(arena,
                            "cannot reserve \"%.64s\" resource; only cpu, memory, "
                            "ephemeral-storage and pid can be",
                            pair->name);
    if (quantity_parse(pair->value, strlen(pair->value), &quantity, &err) < 0)
        return arena_printf(arena, "failed to parse quantity \"%.64s\" for \"%s\" resource: %s",
                            pair->value, pair->name, err.text);
    if (quantity_sign(&quantity) < 0)
        return arena_printf(arena, "resource quantity for \"%s\" cannot be negative: %.64s",
                            pair->name, pair->value);
    return NULL;
}

static void check_reservation(struct check *check, const char *name)
{
    const struct string_map *map = &config_value_of(check->reader, name)->map;

    array_for_each (pair, *map) {
        const char *error = reservation_error(check->reader->arena, pair);

        if (error)
            refuse(check, name, "--%s value failed to parse: %s", config_setting_of(name)->flag,
                   error);
    }
}

static void check_reserved_cpus(struct check *check)
{
    const char *text = config_value_of(check->reader, "reservedSystemCPUs")->text;
    struct err err;

    if (cpu_list_count(text, &err) < 0)
        refuse(check, "reservedSystemCPUs", "invalid configuration: unable to parse %s: %s",
               title(check, "reservedSystemCPUs"), err.text);
    if (*text && (*config_value_of(check->reader, "systemReservedCgroup")->text ||
                  *config_value_of(check->reader, "kubeReservedCgroup")->text))
        refuse(check, "reservedSystemCPUs", "invalid configuration: can't use %s with %s or %s",
               title(check, "reservedSystemCPUs"), title(check, "systemReservedCgroup"),
               title(check, "kubeReservedCgroup"));
}

static void check_thresholds(struct check *check)
{
    struct eviction_threshold ignored;
    struct err err;

    array_for_each (pair, config_value_of(check->reader, "evictionHard")->map)
        if (config_threshold(pair, &ignored, &err) < 0)
            refuse(check, "evictionHard", "invalid configuration: %s: %s",
                   title(check, "evictionHard"), err.text);
}

/* the Node object */

static void check_labels(struct check *check)
{
    struct err err;

    array_for_each (label, config_value_of(check->reader, "node-labels")->map)
        if (config_check_label(label, &err) < 0)
            refuse(check, "node-labels", "%s", err.text);
}

static void check_taints(struct check *check)
{
    const struct string_list *list = &config_value_of(check->reader, "registerWithTaints")->list;
    struct taint *taints = arena_array(check->reader->arena, struct taint, list->count);
    struct err err;

    for (size_t i = 0; i < list->count; i++) {
        if (config_taint(list->items[i], check->reader->arena, &taints[i], &err) < 0)
            refuse(check, "registerWithTaints", "invalid configuration: %s: %s",
                   title(check, "registerWithTaints"), err.text);
        for (size_t j = 0; j < i; j++)
            if (str_equal(taints[i].key, taints[j].key) &&
                str_equal(taints[i].effect, taints[j].effect))
                refuse(check, "registerWithTaints",
                       "invalid configuration: %s: duplicated taints with the same key and "
                       "effect: %.128s",
                       title(check, "registerWithTaints"), list->items[i]);
    }
}

static void check_cloud_provider(struct check *check)
{
    const char *provider = config_value_of(check->reader, "cloud-provider")->text;

    if (*provider && !str_equal(provider, "external"))
        refuse(check, "cloud-provider",
               "unsupported cloud provider: \"%.64s\"; --cloud-provider must be external or empty",
               provider);
}

static void check_version(struct check *check)
{
    const char *version = config_value_of(check->reader, "kubernetesVersion")->text;

    if (!config_kubernetes_version(version, check->reader->arena))
        refuse(check, "kubernetesVersion",
               "invalid configuration: %s \"%.64s\" must be a version from 1.34 to 1.36, such as "
               "1.35 or v1.35.2",
               title(check, "kubernetesVersion"), version);
}

static void check_serving(struct check *check)
{
    static const char *const names[] = {
        "address", "healthzBindAddress", "tlsCertFile", "tlsMinVersion", "tlsCipherSuites",
    };
    struct err err;

    for (size_t i = 0; i < array_size(names); i++)
        if (config_check_serving(check->reader, names[i], &err) < 0)
            refuse(check, names[i], "invalid configuration: %s: %s", title(check, names[i]),
                   err.text);
}

int config_check(const struct config_reader *reader, struct err *err)
{
    struct check check = {.reader = reader};

    check_ranges(&check);
    check_pulls(&check);
    check_periods(&check);
    check_quota_period(&check);
    check_restart_period(&check);
    check_endpoint(&check);
    check_cgroup_driver(&check);
    check_log_directory(&check);
    check_places(&check);
    check_headers(&check);
    check_reservation(&check, "systemReserved");
    check_reservation(&check, "kubeReserved");
    check_reserved_cpus(&check);
    check_thresholds(&check);
    check_labels(&check);
    check_taints(&check);
    check_cloud_provider(&check);
    check_version(&check);
    check_serving(&check);
    if (check.count)
        err_set(err, -EINVAL, "failed to validate kubelet configuration, error: %s%s%s%s%s",
                check.count > 1 ? "[" : "", check.text.text, check.count > 1 ? "]" : "",
                reader->file ? ", path: " : "", reader->file ? reader->file : "");
    strbuf_deinit(&check.text);
    return check.count ? -EINVAL : 0;
}

/* warnings */

static bool gate_has_effect(const char *name)
{
    for (size_t i = 0; i < array_size(gates); i++)
        if (!strcmp(gates[i].name, name) || !strcmp(gates[i].group, name))
            return true;
    return false;
}

static void warn_of_gates(const struct config_reader *reader)
{
    const struct string_map *map = &config_value_of(reader, "featureGates")->map;
    struct strbuf names = STRBUF_INIT;

    array_for_each (gate, *map) {
        if (gate_has_effect(gate->name))
            continue;
        strbuf_add(&names, names.length ? ", " : "");
        strbuf_add_quoted(&names, gate->name, strlen(gate->name), 64);
    }
    if (names.length)
        log_warning("feature gates that have no effect here: %s", names.text);
    strbuf_deinit(&names);
}

/* Nothing is evicted yet: signals count as far as they are kept back from pods. */
static void warn_of_signals(const struct config_reader *reader)
{
    static const char *const used[] = {"memory.available", "nodefs.available", NULL};
    const struct setting *setting = config_setting_of("evictionHard");
    const char *usual = arena_printf(reader->arena, ",%s,", setting->normal);
    struct strbuf names = STRBUF_INIT;

    array_for_each (pair, config_value(reader, setting)->map)
        if (!str_one_of(pair->name, used) &&
            !strstr(usual, arena_printf(reader->arena, ",%s<%s,", pair->name, pair->value)))
            strbuf_printf(&names, "%s%s", names.length ? ", " : "", pair->name);
    if (names.length)
        log_warning("signals of evictionHard that have no effect here: %s", names.text);
    strbuf_deinit(&names);
}

void config_warn(const struct config_reader *reader)
{
    for (size_t i = 0; i < config_setting_count; i++) {
        const struct setting *setting = &config_settings[i];
        const struct setting_value *value = config_value(reader, setting);

        if (value->source == FROM_FLAG && setting->field &&
            !(setting->traits & (LASTING | OUR_FLAG)))
            log_debug("Flag --%s has been deprecated, This parameter should be set via the config "
                      "file specified by the Kubelet's --config flag.",
                      setting->flag);
        if (setting->help || setting->traits & QUIET || config_is_default(reader, setting))
            continue;
        if (value->source == FROM_FLAG)
            log_warning("flag --%s is accepted, but has no effect here", setting->flag);
        else
            log_warning("%s: field %s is accepted, but has no effect here", value->place,
                        setting->field);
    }
    warn_of_gates(reader);
    warn_of_signals(reader);
    config_warn_of_serving(reader);
}
