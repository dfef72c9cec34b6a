/*
 * Reading the configuration: the flags once to find the files, then defaults, --config, the
 * drop-ins and the flags again, which win; then checks; then struct config.
 */
#include "config.h"
#include "config-private.h"
#include "nodeagent/sys/log.h"

#include <stdio.h>
#include <string.h>

#define KUBERNETES_VERSION "v1.36.2"

/* filling */

static usec_t usec_of(int64_t nanoseconds)
{
    return (usec_t)nanoseconds / 1000 + (nanoseconds % 1000 != 0);
}

static const char *text_of(const struct setting *setting, const struct setting_value *value)
{
    return *value->text || setting->normal ? value->text : NULL;
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
        *(const char **)member = text_of(setting, value);
        break;
    case SETTING_PATH:
        *(const char **)member = text_of(setting, value);
        if (*(const char **)member)
            *(const char **)member =
                config_clean_path(&config->arena, NULL, *(const char **)member);
        break;
    case SETTING_STRINGS:
        *(struct string_list *)member = value->list;
        break;
    default:
        assert_that(!"only plain values are copied");
    }
}

static struct quantity_map reservation_of(struct arena *arena, const struct string_map *map)
{
    struct quantity_map result = {.count = map->count};
    struct err err;

    result.items = arena_array(arena, struct quantity_pair, map->count);
    for (size_t i = 0; i < map->count; i++) {
        const char *text = map->items[i].value;

        result.items[i].name = map->items[i].name;
        assert_that(quantity_parse(text, strlen(text), &result.items[i].quantity, &err) == 0);
    }
    return result;
}

static const char *const *headers_of(struct arena *arena, const struct string_list *list)
{
    const char **headers = arena_array(arena, const char *, list->count + 1);

    for (size_t i = 0; i < list->count; i++)
        headers[i] = list->items[i];
    return headers;
}

/* What is more than a copy. */
static int fill_others(struct config *config, const struct config_reader *reader, struct err *err)
{
    const struct setting_value *kill = config_value_of(reader, "singleProcessOOMKill");
    const struct setting_value *serialize = config_value_of(reader, "serializeImagePulls");
    const char *logs = config_setting_of("podLogsDir")->normal;
    int r;

    config->container_logs_dir =
        str_equal(config->pod_logs_dir, logs) ? "/var/log/containers" : NULL;
    config->system_reserved =
        reservation_of(&config->arena, &config_value_of(reader, "systemReserved")->map);
    config->kube_reserved =
        reservation_of(&config->arena, &config_value_of(reader, "kubeReserved")->map);
    config->static_pod_url_headers =
        headers_of(&config->arena, &config_value_of(reader, "staticPodURLHeader")->list);
    config->cgroup_driver = str_equal(config_value_of(reader, "cgroupDriver")->text, "systemd")
                                ? CGROUP_DRIVER_SYSTEMD
                                : CGROUP_DRIVER_CGROUPFS;
    config->cgroup_root =
        config_clean_path(&config->arena, "/", config_value_of(reader, "cgroupRoot")->text);
    if (!*config->cgroup_root)
        config->cgroup_root = "/";
    config->single_process_oom_kill = !kill->set ? OPT_UNSET : kill->number ? OPT_TRUE : OPT_FALSE;
    config->serialize_image_pulls =
        serialize->set ? serialize->number : config->max_parallel_image_pulls < 2;
    config_cluster_dns(reader, &config->cluster_dns);
    r = config_node_addresses(reader, &config->node_ip, err);
    return r < 0 ? r : config_node_name(reader, &config->node_name, err);
}

static int fill(struct config *config, const struct config_reader *reader, struct err *err)
{
    for (size_t i = 0; i < config_setting_count; i++)
        if (config_settings[i].member)
            copy(config, &config_settings[i], &reader->values[i]);
    return fill_others(config, reader, err);
}

/* reading */

static int read_files(struct config_reader *reader, struct err *err)
{
    const char *directory = config_value_of(reader, "config-dir")->text;
    int r = 0;

    reader->legacy = !reader->file;
    config_set_defaults(reader);
    if (reader->file)
        r = config_read_file(reader, reader->file, FILE_MAIN, err);
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
        r = fill(config, reader, err);
    if (r == 0)
        config_warn(reader);
    return r;
}

int config_read(struct config *config, int argc, char **argv, struct err *err)
{
    struct arena scratch = ARENA_INIT_DOCUMENT;
    struct config_reader reader = {.arena = &config->arena};
    int r;

    *config = (struct config){.arena = ARENA_INIT_DOCUMENT, .action = CONFIG_RUN};
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
