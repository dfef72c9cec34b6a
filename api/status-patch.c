/*
 * Both statuses are written as JSON by the same tables and compared member by member: what is the
 * same is left out. Lists that the server merges (conditions by type, addresses by value) are told
 * what to take out; those it does not merge are whole.
 */
#include "nodeagent/api/status_patch.h"
#include "nodeagent/base/json.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/objects/schema.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Conditions of these types are the agent's; others belong to whoever wrote them. */
static const char *const owned_types[] = {
    "PodScheduled", "PodReadyToStartContainers", "Initialized",         "ContainersReady",
    "Ready",        "PodResizePending",          "PodResizeInProgress", "AllContainersRestarting",
    NULL,
};

/* Of a condition, what is taken back when it is not said any more. */
static const char *const optional_of_condition[] = {"reason", "message", "observedGeneration",
                                                    NULL};

/* What was decoded here, and is written again: as large as it is. */
static const struct json_limits own_limits = {.bytes_max = 1U << 30, .nodes_max = SIZE_MAX};

struct patch {
    struct json_writer writer;
    const struct json *before; /* the server's status */
    const struct json *now;
    enum status_change change;
};

static char *text_of(const struct json *value)
{
    struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    json_writer_init(&writer, &text, false);
    json_write_value(&writer, value);
    json_writer_deinit(&writer);
    return strbuf_take(&text);
}

/* Absent values, too. */
static bool is_same(const struct json *a, const struct json *b)
{
    char *one, *other;
    bool same;

    if (!a || !b)
        return a == b;
    one = text_of(a);
    other = text_of(b);
    same = !strcmp(one, other);
    free(one);
    free(other);
    return same;
}

static bool text_equals(const struct json *value, const struct json *other)
{
    return value && other && value->length == other->length &&
           !memcmp(value->text, other->text, value->length);
}

/* The item of a list with this key. */
static const struct json *find_item(const struct json *list, const char *key,
                                    const struct json *wanted)
{
    for (uint32_t i = 0; list && i < list->length; i++)
        if (text_equals(json_get_string(&list->items[i], key), wanted))
            return &list->items[i];
    return NULL;
}

static void note(struct patch *patch, enum status_change change)
{
    patch->change = MAX(patch->change, change);
}

static void write_scalar(struct patch *patch, const char *name, enum status_change change)
{
    const struct json *before = json_get(patch->before, name), *now = json_get(patch->now, name);

    if (is_same(before, now))
        return;
    note(patch, change);
    json_write_name(&patch->writer, name);
    if (now)
        json_write_value(&patch->writer, now);
    else
        json_write_null(&patch->writer);
}

static void write_removal(struct patch *patch, const char *key, const struct json *value)
{
    json_write_object(&patch->writer);
    json_write_string_member(&patch->writer, "$patch", "delete");
    json_write_name(&patch->writer, key);
    json_write_value(&patch->writer, value);
    json_write_object_end(&patch->writer);
}

/* addresses: the order counts, the first is the primary one */

static void write_order(struct patch *patch, const char *name, const char *key,
                        const struct json *list)
{
    char *order = mem_printf("$setElementOrder/%s", name);

    json_write_name(&patch->writer, order);
    json_write_array(&patch->writer);
    for (uint32_t i = 0; list && i < list->length; i++) {
        json_write_object(&patch->writer);
        json_write_name(&patch->writer, key);
        json_write_value(&patch->writer, json_get_string(&list->items[i], key));
        json_write_object_end(&patch->writer);
    }
    json_write_array_end(&patch->writer);
    free(order);
}

static void write_addresses(struct patch *patch, const char *name)
{
    const struct json *before = json_get(patch->before, name), *now = json_get(patch->now, name);

    if (is_same(before, now))
        return;
    note(patch, STATUS_NEWS);
    if (now)
        write_order(patch, name, "ip", now);
    json_write_name(&patch->writer, name);
    json_write_array(&patch->writer);
    for (uint32_t i = 0; now && i < now->length; i++)
        json_write_value(&patch->writer, &now->items[i]);
    for (uint32_t i = 0; before && i < before->length; i++) {
        const struct json *address = json_get_string(&before->items[i], "ip");

        if (address && !find_item(now, "ip", address))
            write_removal(patch, "ip", address);
    }
    json_write_array_end(&patch->writer);
}

/* conditions */

static bool is_owned(const struct json *condition)
{
    const struct json *type = json_get_string(condition, "type");

    for (const char *const *owned = owned_types; type && *owned; owned++)
        if (json_text_is(type, *owned))
            return true;
    return false;
}

static void write_condition(struct patch *patch, const struct json *condition,
                            const struct json *before)
{
    struct json_writer *writer = &patch->writer;

    if (!before || !is_same(json_get(before, "status"), json_get(condition, "status")))
        note(patch, STATUS_NEWS);
    json_write_object(writer);
    for (uint32_t i = 0; i < condition->length; i++) {
        const struct json_member *member = &condition->members[i];
        char *name = mem_strndup(member->name, member->name_length);

        json_write_name(writer, name);
        json_write_value(writer, &member->value);
        free(name);
    }
    for (const char *const *name = optional_of_condition; before && *name; name++)
        if (json_get(before, *name) && !json_get(condition, *name)) {
            json_write_name(writer, *name);
            json_write_null(writer);
        }
    json_write_object_end(writer);
}

static bool same_conditions(const struct json *before, const struct json *now)
{
    for (uint32_t i = 0; now && i < now->length; i++)
        if (is_owned(&now->items[i]) &&
            !is_same(find_item(before, "type", json_get_string(&now->items[i], "type")),
                     &now->items[i]))
            return false;
    for (uint32_t i = 0; before && i < before->length; i++)
        if (is_owned(&before->items[i]) &&
            !find_item(now, "type", json_get_string(&before->items[i], "type")))
            return false;
    return true;
}

static void write_conditions(struct patch *patch)
{
    const struct json *before = json_get(patch->before, "conditions"),
                      *now = json_get(patch->now, "conditions");

    if (same_conditions(before, now))
        return;
    note(patch, STATUS_DETAIL);
    json_write_name(&patch->writer, "conditions");
    json_write_array(&patch->writer);
    for (uint32_t i = 0; now && i < now->length; i++) {
        const struct json *condition = &now->items[i],
                          *known = find_item(before, "type", json_get_string(condition, "type"));

        if (is_owned(condition) && !is_same(known, condition))
            write_condition(patch, condition, known);
    }
    for (uint32_t i = 0; before && i < before->length; i++) {
        const struct json *type = json_get_string(&before->items[i], "type");

        if (is_owned(&before->items[i]) && !find_item(now, "type", type))
            write_removal(patch, "type", type);
    }
    json_write_array_end(&patch->writer);
}

/* the whole */

static void write_status(struct patch *patch)
{
    static const struct {
        const char *name;
        enum status_change change;
    } scalars[] = {
        {"observedGeneration", STATUS_DETAIL},
        {"phase", STATUS_NEWS},
        {"message", STATUS_DETAIL},
        {"reason", STATUS_DETAIL},
        {"hostIP", STATUS_DETAIL},
        {"podIP", STATUS_NEWS},
        {"startTime", STATUS_DETAIL},
        {"qosClass", STATUS_DETAIL},
        {"initContainerStatuses", STATUS_DETAIL},
        {"containerStatuses", STATUS_DETAIL},
        {"ephemeralContainerStatuses", STATUS_DETAIL},
        {"allocatedResources", STATUS_DETAIL},
        {"resources", STATUS_DETAIL},
    };

    for (size_t i = 0; i < array_size(scalars); i++)
        write_scalar(patch, scalars[i].name, scalars[i].change);
    write_addresses(patch, "hostIPs");
    write_addresses(patch, "podIPs");
    write_conditions(patch);
}

static void write_metadata(struct json_writer *writer, const char *uid, const char *version)
{
    json_write_object(writer);
    json_write_string_member(writer, "uid", uid);
    if (version)
        json_write_string_member(writer, "resourceVersion", version);
    json_write_object_end(writer);
}

static const struct json *to_json(const struct pod_status *status, struct arena *arena,
                                  struct strbuf *text)
{
    struct json_findings findings;
    struct json_writer writer;
    struct json *document;
    struct err err;
    int r;

    json_writer_init(&writer, text, false);
    schema_encode(&pod_status_schema, status, &writer);
    json_writer_deinit(&writer);
    r = json_parse(arena, text->text, text->length, &own_limits, &findings, &document, &err);
    assert_that(r == 0);
    return document;
}

enum status_change status_patch(const struct pod *seen, const struct pod_status *status,
                                const char *uid, const char *version, struct strbuf *text)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(strbuf_deinit) struct strbuf before = STRBUF_INIT, now = STRBUF_INIT;
    struct patch patch = {
        .before = to_json(&seen->status, &arena, &before),
        .now = to_json(status, &arena, &now),
    };
    size_t start = text->length;

    json_writer_init(&patch.writer, text, false);
    json_write_object(&patch.writer);
    json_write_name(&patch.writer, "metadata");
    write_metadata(&patch.writer, uid, version);
    json_write_name(&patch.writer, "status");
    json_write_object(&patch.writer);
    write_status(&patch);
    json_write_object_end(&patch.writer);
    json_write_object_end(&patch.writer);
    json_writer_deinit(&patch.writer);
    if (patch.change == STATUS_SAME)
        strbuf_truncate(text, start);
    return patch.change;
}
