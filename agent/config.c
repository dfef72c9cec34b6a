/*
 * Reading the configuration: the flags once to find the files, then defaults, --config, the
 * drop-ins and the flags again, which win; then checks; then struct config.
 */
#include "config.h"
#include "config-private.h"
#include "cpu-list.h"
#include "nodeagent/sys/log.h"

#include <stdio.h>
#include <string.h>

enum {
    CONFIG_BLOCK_SIZE = 1024, /* it stays as long as the agent runs */
};

/* keeping what is used: all else was only read for the while */

static usec_t usec_of(int64_t nanoseconds)
{
    return (usec_t)nanoseconds / 1000 + (nanoseconds % 1000 != 0);
}

static const char *keep_text(struct arena *arena, const struct setting *setting,
                             const struct setting_value *value)
{
    return *value->text || setting->normal ? arena_strdup(arena, value->text) : NULL;
}

static const char *keep_path(struct arena *arena, const struct setting *setting,
                             const struct setting_value *value)
{
    return *value->text ? config_clean_path(arena, NULL, value->text)
                        : keep_text(arena, setting, value);
}

static struct string_list keep_list(struct arena *arena, const struct string_list *list)
{
    struct string_list kept = {.count = list->count};

    kept.items = arena_array(arena, const char *, list->count + 1);
    for (size_t i = 0; i < list->count; i++)
        kept.items[i] = arena_strdup(arena, list->items[i]);
    return kept;
}

static void copy(struct config *config, const struct setting *setting,
                 const struct setting_value *value)
{
    void *member = (char *)config + setting->member;

    switch ((enum setting_kind)setting->kind) {
    case SETTING_BOOL:
        *(bool *)member = value->number;
        break;
    case SETTING_INT32:
        *(int32_t *)member = (int32_t)value->number;
        break;
    case SETTING_INT64:
        *(int64_t *)member = value->number;
        break;
    case SETTING_DURATION:
        *(usec_t *)member = usec_of(value->number);
        break;
    case SETTING_STRING:
        *(const char **)member = keep_text(&config->arena, setting, value);
        break;
    case SETTING_PATH:
        *(const char **)member = keep_path(&config->arena, setting, value);
        break;
    case SETTING_STRINGS:
        *(struct string_list *)member = keep_list(&config->arena, &value->list);
        break;
    default:
        assert_that(!"only plain values are copied");
    }
}

static struct quantity_map keep_reservation(struct arena *arena, const struct string_map *map)
{
    struct quantity_map kept = {.count = map->count};
    struct err err;

    kept.items = arena_array(arena, struct quantity_pair, map->count);
    for (size_t i = 0; i < map->count; i++) {
        const char *text = map->items[i].value;

        kept.items[i].name = arena_strdup(arena, map->items[i].name);
        assert_that(quantity_parse(text, strlen(text), &kept.items[i].quantity, &err) == 0);
    }
    return kept;
}

/* CPUs that are named are kept back for the system in the place of what both maps say. */
static void keep_reservations(struct config *config, const struct config_reader *reader)
{
    const char *cpus = config_value_of(reader, "reservedSystemCPUs")->text;
    struct string_map *system = &config_value_of(reader, "systemReserved")->map;
    struct string_map *kube = &config_value_of(reader, "kubeReserved")->map;
    struct err err;

    if (*cpus) {
        config_map_set(reader->arena, system, "cpu",
                       arena_printf(reader->arena, "%d", cpu_list_count(cpus, &err)));
        config_map_unset(kube, "cpu");
    }
    config->system_reserved = keep_reservation(&config->arena, system);
    config->kube_reserved = keep_reservation(&config->arena, kube);
    config->memory_threshold = config_threshold_of(reader, "memory.available");
    config->storage_threshold = config_threshold_of(reader, "nodefs.available");
}

/* What its Node object is created with, and the version in it. */
static void keep_node_object(struct config *config, const struct config_reader *reader)
{
    const struct string_map *labels = &config_value_of(reader, "node-labels")->map;
    const struct string_list *taints = &config_value_of(reader, "registerWithTaints")->list;
    struct arena *arena = &config->arena;
    struct err err;

    config->node_labels.items = arena_array(arena, struct string_pair, labels->count);
    array_for_each (label, *labels)
        config->node_labels.items[config->node_labels.count++] = (struct string_pair){
            arena_strdup(arena, label->name), arena_strdup(arena, label->value)};
    config->taints.count = taints->count;
    config->taints.items = arena_array(arena, struct taint, taints->count);
    for (size_t i = 0; i < taints->count; i++)
        assert_that(config_taint(taints->items[i], arena, &config->taints.items[i], &err) == 0);
    config->external_cloud = *config_value_of(reader, "cloud-provider")->text;
    config->kubernetes_version =
        config_kubernetes_version(config_value_of(reader, "kubernetesVersion")->text, arena);
}

static int keep_node(struct config *config, const struct config_reader *reader, struct err *err)
{
    struct string_list addresses;
    const char *name;
    int r = config_node_addresses(reader, &addresses, err);

    if (r == 0)
        r = config_node_name(reader, &name, err);
    if (r < 0)
        return r;
    config->node_ip = keep_list(&config->arena, &addresses);
    config->node_name = arena_strdup(&config->arena, name);
    return 0;
}

/* The kubelet's client takes no rate for this one. */
#define EVENT_QPS_OF_NONE 5

static int64_t keep_log_size(const struct config_reader *reader)
{
    const char *text = config_value_of(reader, "containerLogMaxSize")->text;
    struct quantity size;
    struct err err;

    assert_that(quantity_parse(text, strlen(text), &size, &err) == 0);
    return quantity_value(&size);
}

/* What is more than a copy. */
static void keep_others(struct config *config, const struct config_reader *reader)
{
    const struct setting_value *kill = config_value_of(reader, "singleProcessOOMKill");
    const struct setting_value *serialize = config_value_of(reader, "serializeImagePulls");
    const struct setting_value *checkpoint = config_value_of(reader, "offline.checkpoint");
    const char *root = config_value_of(reader, "cgroupRoot")->text;
    bool usual_logs = str_equal(config->pod_logs_dir, config_setting_of("podLogsDir")->normal);
    bool systemd = str_equal(config_value_of(reader, "cgroupDriver")->text, "systemd");
    struct arena *arena = &config->arena;
    struct string_list list;

    config->container_log_max_bytes = keep_log_size(reader);
    config->container_logs_dir = usual_logs ? "/var/log/containers" : NULL;
    /* The list's copy ends in NULL. */
    list = keep_list(arena, &config_value_of(reader, "staticPodURLHeader")->list);
    config->static_pod_url_headers = list.items;
    config_cluster_dns(reader, &list);
    config->cluster_dns = keep_list(arena, &list);
    config->cgroup_driver = systemd ? CGROUP_DRIVER_SYSTEMD : CGROUP_DRIVER_CGROUPFS;
    config->cgroup_root = *root ? config_clean_path(arena, "/", root) : "/";
    config->single_process_oom_kill = !kill->set ? OPT_UNSET : kill->number ? OPT_TRUE : OPT_FALSE;
    config->limited_swap =
        str_equal(config_value_of(reader, "memorySwap.swapBehavior")->text, "LimitedSwap");
    if (!config->event_qps)
        config->event_qps = EVENT_QPS_OF_NONE;
    config->checkpoint =
        checkpoint->set ? checkpoint->number : *config_value_of(reader, "profile")->text != '\0';
    config->serialize_image_pulls =
        serialize->set ? serialize->number : config->max_parallel_image_pulls < 2;
}

static int keep(struct config *config, const struct config_reader *reader, struct err *err)
{
    for (size_t i = 0; i < config_setting_count; i++)
        if (config_settings[i].member)
            copy(config, &config_settings[i], &reader->values[i]);
    keep_others(config, reader);
    config_keep_serving(config, reader);
    keep_reservations(config, reader);
    keep_node_object(config, reader);
    return keep_node(config, reader, err);
}

/* reading */

/* Once there was one frequency for both: a file that sets the one alone means the other too. */
static void couple_frequencies(const struct config_reader *reader)
{
    const struct setting_value *update = config_value_of(reader, "nodeStatusUpdateFrequency");
    struct setting_value *report = config_value_of(reader, "nodeStatusReportFrequency");

    if (update->source == FROM_FILE && report->source == FROM_DEFAULT)
        report->number = update->number;
}

static int read_files(struct config_reader *reader, struct err *err)
{
    const char *directory = config_value_of(reader, "config-dir")->text;
    int r = 0;

    reader->legacy = !reader->file;
    config_set_defaults(reader);
    if (reader->file)
        r = config_read_file(reader, reader->file, FILE_MAIN, err);
    couple_frequencies(reader);
    if (r == 0 && *directory)
        r = config_read_directory(reader, directory, err);
    return r < 0 ? r : config_apply_flags(reader, err);
}

static int read_all(struct config *config, struct config_reader *reader, struct err *err)
{
    const char *file;
    int r;

    config_set_defaults(reader);
    r = config_apply_flags(reader, err);
    if (r < 0)
        return r;
    if (config_value_of(reader, "help")->number) {
        config->action = CONFIG_HELP;
        config_print_help();
        return 0;
    }
    if (config_value_of(reader, "version")->number) {
        config->action = CONFIG_VERSION;
        printf("Kubernetes " KUBERNETES_VERSION "\n");
        return 0;
    }
    file = config_value_of(reader, "config")->text;
    reader->file = *file ? file : NULL;
    r = read_files(reader, err);
    if (r == 0)
        r = config_check(reader, err);
    if (r == 0)
        r = keep(config, reader, err);
    if (r == 0)
        config_warn(reader);
    return r;
}

int config_read(struct config *config, int argc, char **argv, struct err *err)
{
    struct arena scratch = ARENA_INIT_DOCUMENT;
    struct config_reader reader = {.arena = &scratch};
    int r;

    *config = (struct config){
        .arena = ARENA_INIT(CONFIG_BLOCK_SIZE, CONFIG_BLOCK_SIZE),
        .action = CONFIG_RUN,
    };
    reader.values = arena_array(&scratch, struct setting_value, config_setting_count);
    r = config_parse_flags(&reader, argc, argv, err);
    if (r == 0)
        r = read_all(config, &reader, err);
    arena_deinit(&scratch);
    if (r < 0)
        config_deinit(config);
    return r;
}

void config_deinit(struct config *config)
{
    arena_deinit(&config->arena);
    *config = (struct config){0};
}
