/* Thresholds of eviction: what must stay free of memory and of the node's file systems. */
#include "config-check.h"

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

static bool is_off(const struct eviction_threshold *threshold)
{
    return !(threshold->ratio > 0) && !quantity_sign(&threshold->amount);
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

/* rules */

static void check_thresholds(struct config_check *check, const char *name)
{
    struct eviction_threshold ignored;
    struct err err;

    array_for_each (pair, config_checked(check, name)->map)
        if (config_threshold(pair, &ignored, &err) < 0)
            config_refuse(check, name, "invalid configuration: %s: %s", config_title(check, name),
                          err.text);
}

static void check_grace_periods(struct config_check *check)
{
    const char *const name = "evictionSoftGracePeriod";
    const struct string_map *periods = &config_checked(check, name)->map;
    struct eviction_threshold threshold;
    struct err ignored;
    int64_t period;

    array_for_each (pair, *periods) {
        if (!is_signal(pair->name))
            config_refuse(check, name,
                          "invalid configuration: %s: unsupported eviction signal %.64s",
                          config_title(check, name), pair->name);
        if (duration_parse(pair->value, &period) < 0 || period < 0)
            config_refuse(check, name,
                          "invalid configuration: %s: the grace period of %.64s must be a duration "
                          "such as 30s or 1m30s, not \"%.64s\"",
                          config_title(check, name), pair->name, pair->value);
    }
    array_for_each (pair, config_checked(check, "evictionSoft")->map)
        if (config_threshold(pair, &threshold, &ignored) == 0 && !is_off(&threshold) &&
            !string_map_get(periods, pair->name))
            config_refuse(check, "evictionSoft",
                          "invalid configuration: grace period must be specified for the soft "
                          "eviction threshold %s, in %s",
                          pair->name, config_title(check, name));
}

/* How much is won back at once: as a threshold, but nothing is an amount, too. */
static void check_reclaim(struct config_check *check)
{
    const char *const name = "evictionMinimumReclaim";
    struct eviction_threshold ignored;
    struct err err;

    array_for_each (pair, config_checked(check, name)->map)
        if (!str_equal(pair->value, "0") && config_threshold(pair, &ignored, &err) < 0)
            config_refuse(check, name, "invalid configuration: %s: %s", config_title(check, name),
                          err.text);
}

void config_check_eviction(struct config_check *check)
{
    check_thresholds(check, "evictionHard");
    check_thresholds(check, "evictionSoft");
    check_grace_periods(check);
    check_reclaim(check);
}
