/* Reading the annotations. */
#include "nodeagent/probes/timing.h"

#include "nodeagent/base/str.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "nodeagent.dev/probe."
#define CLOSE PREFIX "close"

enum {
    SETTING_MAX = 64, /* bytes of one "key=value" */
    NAME_SIZE = 128,  /* of an annotation: a container's name has at most 63 bytes */
};

static const char *const words[PROBE_TYPES] = {
    [PROBE_LIVENESS] = "liveness",
    [PROBE_READINESS] = "readiness",
    [PROBE_STARTUP] = "startup",
};

/* NULL: there is none. `name` is its name. */
static const char *annotation(const struct pod *pod, const char *container, enum probe_type type,
                              char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, PREFIX "%s.%s", container, words[type]);
    return string_map_get(&pod->object.metadata.annotations, name);
}

static int take_duration(usec_t *value, const char *text, usec_t least, struct err *err)
{
    int64_t nanoseconds;

    if (duration_parse(text, &nanoseconds) < 0)
        return err_set(err, -EINVAL, "%s is no duration: write it like 200ms or 1.5s", text);
    if (nanoseconds < 0 || (usec_t)nanoseconds / 1000 < least)
        return err_set(err, -EINVAL, "%s is too short: at least %llu ms", text,
                       (unsigned long long)(least / USEC_PER_MSEC));
    *value = (usec_t)nanoseconds / 1000;
    return 0;
}

static int take_setting(struct probe_timing *timing, const char *setting, struct err *err)
{
    const struct {
        const char *key;
        usec_t *value;
        usec_t least;
    } keys[] = {
        {"period=", &timing->period, PROBE_QUICK_MIN_USEC},
        {"timeout=", &timing->timeout, PROBE_QUICK_MIN_USEC},
        {"delay=", &timing->delay, 0},
    };

    for (size_t i = 0; i < array_size(keys); i++)
        if (str_has_prefix(setting, keys[i].key))
            return take_duration(keys[i].value, setting + strlen(keys[i].key), keys[i].least, err);
    return err_set(err, -EINVAL, "%s: must be period=, timeout= or delay= and a duration", setting);
}

static int take_settings(struct probe_timing *timing, const char *text, struct err *err)
{
    while (*text) {
        char setting[SETTING_MAX];
        size_t length = strcspn(text, ",");

        while (length && isspace((unsigned char)*text))
            text++, length--;
        if (length >= sizeof(setting))
            return err_set(err, -EINVAL, "%.20s...: is too long", text);
        memcpy(setting, text, length);
        setting[length] = '\0';
        if (take_setting(timing, setting, err) < 0)
            return -EINVAL;
        text += length + (text[length] == ',');
    }
    return 0;
}

int probe_timing_annotated(struct probe_timing *timing, const struct pod *pod,
                           const char *container, enum probe_type type, struct err *err)
{
    char name[NAME_SIZE];
    const char *text = annotation(pod, container, type, name);
    struct probe_timing changed = *timing;

    if (!text)
        return 0;
    if (take_settings(&changed, text, err) < 0) {
        err_prefix(err, "annotation %s", name);
        return -EINVAL;
    }
    *timing = changed;
    return 0;
}

uint64_t probe_timing_rate(const struct probe_timing *timing)
{
    return 1000 * USEC_PER_SEC / timing->period;
}

bool probe_closes(const struct pod *pod)
{
    return str_equal(string_map_get(&pod->object.metadata.annotations, CLOSE), "fin");
}

static bool names_probe_of(const struct container *container, const char *name)
{
    const struct probe *const probes[PROBE_TYPES] = {
        [PROBE_LIVENESS] = container->liveness_probe,
        [PROBE_READINESS] = container->readiness_probe,
        [PROBE_STARTUP] = container->startup_probe,
    };
    char own[NAME_SIZE];

    for (enum probe_type type = 0; type < PROBE_TYPES; type++) {
        snprintf(own, sizeof(own), PREFIX "%s.%s", container->name, words[type]);
        if (probes[type] && str_equal(own, name))
            return true;
    }
    return false;
}

static bool names_probe(const struct pod *pod, const char *name)
{
    array_for_each (container, pod->spec.containers)
        if (names_probe_of(container, name))
            return true;
    array_for_each (container, pod->spec.init_containers)
        if (names_probe_of(container, name))
            return true;
    return false;
}

int probe_annotation_check(const struct pod *pod, const struct string_pair *annotation,
                           struct err *err)
{
    if (!str_has_prefix(annotation->name, PREFIX))
        return 0;
    if (str_equal(annotation->name, CLOSE))
        return str_equal(annotation->value, "fin")
                   ? 0
                   : err_set(err, -EINVAL, "annotation %s: must be fin", annotation->name);
    if (!names_probe(pod, annotation->name))
        return err_set(err, -EINVAL,
                       "annotation %s: the pod has no such probe: it must end in "
                       "<container>.liveness, .readiness or .startup",
                       annotation->name);
    return 0;
}
