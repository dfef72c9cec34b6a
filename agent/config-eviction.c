/* Thresholds of eviction: what must stay free of memory and of the node's file system. */
#include "config-private.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_signal(const char *name)
{
    static const char *const signals[] = {
        "memory.available",
        "nodefs.available",
        "nodefs.inodesFree",
        "imagefs.available",
        "imagefs.inodesFree",
        "containerfs.available",
        "pid.available",
        "containerfs.inodesFree",
        "allocatableMemory.available",
        NULL,
    };

    return str_one_of(name, signals);
}

/* "10%": of nothing and of all there is no threshold. */
static int take_percentage(const char *text, struct eviction_threshold *threshold, struct err *err)
{
    char *end;
    float percentage = strtof(text, &end);

    if (end == text || strcmp(end, "%") != 0 || !isfinite(percentage) || percentage < 0 ||
        percentage > 100)
        return err_set(err, -EINVAL, "must be a percentage from 0%% to 100%%, not %.64s", text);
    if (percentage < 100)
        threshold->ratio = percentage / 100;
    return 0;
}

int config_threshold(const struct string_pair *pair, struct eviction_threshold *threshold,
                     struct err *err)
{
    *threshold = (struct eviction_threshold){0};
    if (!is_signal(pair->name))
        return err_set(err, -EINVAL, "unsupported eviction signal %.64s", pair->name);
    if (str_has_suffix(pair->value, "%")) {
        if (take_percentage(pair->value, threshold, err) < 0)
            return err_prefix(err, "eviction threshold %s", pair->name);
        return 0;
    }
    if (quantity_parse(pair->value, strlen(pair->value), &threshold->amount, err) < 0)
        return err_prefix(err, "eviction threshold %s", pair->name);
    if (quantity_sign(&threshold->amount) <= 0)
        return err_set(err, -EINVAL, "eviction threshold %s must be positive: %.64s", pair->name,
                       pair->value);
    return 0;
}

/* The map with what is not in it taken from the default, if it is to be merged with that. */
static const char *value_of(const struct config_reader *reader, const char *signal)
{
    const struct setting *setting = config_setting_of("evictionHard");
    const struct string_map *map = &config_value(reader, setting)->map;
    const char *value = string_map_get(map, signal);
    const char *at;

    if (value || !config_value_of(reader, "mergeDefaultEvictionSettings")->number)
        return value;
    at = strstr(setting->normal, signal);
    if (!at)
        return NULL;
    at += strlen(signal) + 1;
    return arena_strndup(reader->arena, at, strcspn(at, ","));
}

struct eviction_threshold config_threshold_of(const struct config_reader *reader,
                                              const char *signal)
{
    struct string_pair pair = {signal, value_of(reader, signal)};
    struct eviction_threshold threshold = {0};
    struct err err;

    if (pair.value)
        assert_that(config_threshold(&pair, &threshold, &err) == 0);
    return threshold;
}
