/* Reading streams and lists. */
#include "watch-event.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    LIST_BYTES_MAX = 64 << 20,
    NODES_MAX = 2000000,
    NEXT_BYTES_MAX = 4 << 10, /* of where the next page begins: it is a part of a URL */
    GARBAGE_SHOWN_MAX = 60,
};

static const struct json_limits event_limits = {
    .bytes_max = WATCH_EVENT_BYTES_MAX,
    .nodes_max = NODES_MAX,
    .skip = "managedFields",
};

static const struct json_limits list_limits = {
    .bytes_max = LIST_BYTES_MAX,
    .nodes_max = NODES_MAX,
    .skip = "managedFields",
};

static const struct json *get_object(const struct json *object, const char *name)
{
    const struct json *value = object ? json_get(object, name) : NULL;

    return value && value->type == JSON_OBJECT ? value : NULL;
}

static int fail_garbage(struct api_failure *failure, const char *shown, const char *what,
                        const char *text, size_t length)
{
    _cleanup_(strbuf_deinit) struct strbuf quoted = STRBUF_INIT;

    strbuf_add_quoted(&quoted, text, length, GARBAGE_SHOWN_MAX);
    *failure = (struct api_failure){0};
    return err_set(&failure->err, -EBADMSG,
                   "%s: the API server's answer is not understood: %s: \"%s\"; is there something "
                   "else at this address?",
                   shown, what, quoted.text ? quoted.text : "");
}

/* Says what is wrong with it, once: an object's version comes once. */
static void complain(const struct object_kind *kind, const char *key, const struct report *report)
{
    array_for_each (finding, report->findings)
        if (finding->level == FINDING_ERROR) {
            log_error("%s %s: %s: %s; the API server has it so, and what was known of it before "
                      "holds on",
                      kind->name, key, finding->path, finding->message);
            return;
        }
}

static struct object *decode(const struct object_kind *kind, const struct json *document,
                             const char *key)
{
    struct report report;
    struct object *object;

    report_init(&report, document);
    object = object_decode_as(kind, document, OBJECT_DROP_RAW, &report);
    if (report.errors) {
        complain(kind, key, &report);
        object = object_unref(object);
    }
    report_deinit(&report);
    return object;
}

static bool ends_set(const struct json *metadata)
{
    const struct json *annotations = get_object(metadata, "annotations"),
                      *end = annotations ? json_get_string(annotations, "k8s.io/initial-events-end")
                                         : NULL;

    return end && json_text_is(end, "true");
}

static bool is_identified(const struct json *metadata)
{
    static const char *const members[] = {"uid", "resourceVersion"};

    for (size_t i = 0; i < array_size(members); i++) {
        const struct json *value = json_get_string(metadata, members[i]);

        if (!value || !value->length)
            return false;
    }
    return true;
}

static int tell_set(const struct object_kind *kind, const char *shown, const struct json *document,
                    struct arena *arena, bool versioned, watch_event_fn *call, void *owner,
                    enum watch_event_type type, struct api_failure *failure)
{
    const struct json *metadata = get_object(document, "metadata");
    const char *name = json_get_text(metadata, "name", NULL, arena),
               *name_space = json_get_text(metadata, "namespace", NULL, arena);
    struct watch_event event = {.type = type};

    if (str_empty(name))
        return fail_garbage(failure, shown, "an object has no name", "", 0);
    if (type == WATCH_SET && !is_identified(metadata))
        return fail_garbage(failure, shown, "an object has no uid or resourceVersion", name,
                            strlen(name));
    event.key = arena_printf(arena, "%s/%s", name_space ? name_space : "", name);
    if (versioned)
        event.version = json_get_text(metadata, "resourceVersion", NULL, arena);
    if (type == WATCH_SET)
        event.object = decode(kind, document, event.key);
    call(owner, &event);
    object_unref(event.object);
    return 0;
}

static int fail_as_told(struct api_failure *failure, const char *shown, const struct json *status)
{
    const struct json *code = json_get(status, "code");
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    json_writer_init(&writer, &text, false);
    json_write_value(&writer, status);
    json_writer_deinit(&writer);
    api_failure_read(failure, shown,
                     code && code->type == JSON_NUMBER ? (int)strtol(code->text, NULL, 10) : 500,
                     "", text.text, text.length);
    return failure->err.code;
}

static int tell_event(const struct object_kind *kind, const char *shown, const struct json *event,
                      struct arena *arena, watch_event_fn *call, void *owner,
                      struct api_failure *failure)
{
    const struct json *type = json_get_string(event, "type"), *object = get_object(event, "object"),
                      *metadata = get_object(object, "metadata");
    struct watch_event mark = {.type = WATCH_MARK};

    if (!type || !object)
        return fail_garbage(failure, shown, "an event has no type or no object", "", 0);
    if (json_text_is(type, "ERROR"))
        return fail_as_told(failure, shown, object);
    if (json_text_is(type, "ADDED") || json_text_is(type, "MODIFIED"))
        return tell_set(kind, shown, object, arena, true, call, owner, WATCH_SET, failure);
    if (json_text_is(type, "DELETED"))
        return tell_set(kind, shown, object, arena, true, call, owner, WATCH_GONE, failure);
    if (!json_text_is(type, "BOOKMARK"))
        return fail_garbage(failure, shown, "an event of an unknown type", type->text,
                            type->length);
    mark.version = json_get_text(metadata, "resourceVersion", NULL, arena);
    mark.ends_set = ends_set(metadata);
    call(owner, &mark);
    return 0;
}

int watch_event_read(const struct object_kind *kind, const char *shown, const char *line,
                     size_t length, watch_event_fn *call, void *owner, struct api_failure *failure)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct json_findings findings;
    struct json *event;
    struct err err;

    if (json_parse(&arena, line, length, &event_limits, &findings, &event, &err) < 0)
        return fail_garbage(failure, shown, err.text, line, length);
    if (event->type != JSON_OBJECT)
        return fail_garbage(failure, shown, "an event must be an object", line, length);
    return tell_event(kind, shown, event, &arena, call, owner, failure);
}

int watch_list_read(const struct object_kind *kind, const char *shown, const char *body,
                    size_t length, watch_event_fn *call, void *owner, char **next,
                    struct api_failure *failure)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    const struct json *metadata, *items;
    struct watch_event mark = {.type = WATCH_MARK};
    struct json_findings findings;
    struct json *list;
    const char *token;
    struct err err;
    int r = 0;

    if (json_parse(&arena, body, length, &list_limits, &findings, &list, &err) < 0)
        return fail_garbage(failure, shown, err.text, body, length);
    metadata = list->type == JSON_OBJECT ? get_object(list, "metadata") : NULL;
    items = metadata ? json_get(list, "items") : NULL;
    if (!metadata || (items && items->type != JSON_ARRAY && items->type != JSON_NULL))
        return fail_garbage(failure, shown, "a list must have metadata and items", body, length);
    for (uint32_t i = 0; items && items->type == JSON_ARRAY && i < items->length && r == 0; i++)
        r = tell_set(kind, shown, &items->items[i], &arena, false, call, owner, WATCH_SET, failure);
    if (r < 0)
        return r;
    token = json_get_text(metadata, "continue", NULL, &arena);
    if (token && strlen(token) > NEXT_BYTES_MAX)
        return fail_garbage(failure, shown, "its next page is not where a request can ask for it",
                            token, strlen(token));
    *next = str_empty(token) ? NULL : mem_strdup(token);
    mark.version = json_get_text(metadata, "resourceVersion", NULL, &arena);
    call(owner, &mark);
    return 0;
}
