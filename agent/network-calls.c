/* Understanding what nodeagent-cni tells. */
#include "network-calls.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POD_UID "K8S_POD_UID="

struct plugin_times {
    char type[NETWORK_PLUGIN_NAME_MAX];
    char verb[16];
    uint64_t calls;
    uint64_t failures;
    usec_t sum;
    usec_t longest;
};

struct network_calls {
    struct plugin_times plugins[NETWORK_PLUGINS_MAX];
    size_t count;
};

struct network_calls *network_calls_new(void)
{
    return mem_new(struct network_calls);
}

struct network_calls *network_calls_free(struct network_calls *calls)
{
    free(calls);
    return NULL;
}

static void copy_text(const struct json *object, const char *name, char *text, size_t size)
{
    const struct json *value = json_get_string(object, name);

    snprintf(text, size, "%.*s", value ? (int)value->length : 0, value ? value->text : "");
}

static usec_t usec_in(const struct json *object)
{
    const struct json *value = json_get(object, "usec");
    char text[24];
    int64_t usec;

    if (!value || value->type != JSON_NUMBER)
        return 0;
    snprintf(text, sizeof(text), "%.*s", (int)value->length, value->text);
    return str_to_i64(text, &usec) == 0 && usec > 0 ? (usec_t)usec : 0;
}

/* NULL: there are too many of them. */
static struct plugin_times *times_of(struct network_calls *calls, const struct json *plugin)
{
    struct plugin_times *times = &calls->plugins[calls->count], wanted = {0};

    copy_text(plugin, "type", wanted.type, sizeof(wanted.type));
    copy_text(plugin, "verb", wanted.verb, sizeof(wanted.verb));
    for (size_t i = 0; i < calls->count; i++)
        if (!strcmp(calls->plugins[i].type, wanted.type) &&
            !strcmp(calls->plugins[i].verb, wanted.verb))
            return &calls->plugins[i];
    if (calls->count == NETWORK_PLUGINS_MAX)
        return NULL;
    calls->count++;
    *times = wanted;
    return times;
}

static void count_plugin(struct network_calls *calls, const struct json *plugin)
{
    struct plugin_times *times;
    usec_t usec = usec_in(plugin);

    if (plugin->type != JSON_OBJECT || !(times = times_of(calls, plugin)))
        return;
    times->calls++;
    times->failures += json_get_bool(plugin, "failed");
    times->sum += usec;
    times->longest = MAX(times->longest, usec);
}

/* "K8S_POD_NAME=web;K8S_POD_UID=…" */
static void take_uid(const struct json *call, char *uid, size_t size)
{
    char args[1024];
    const char *found;

    copy_text(call, "args", args, sizeof(args));
    found = strstr(args, POD_UID);
    if (found)
        found += strlen(POD_UID);
    snprintf(uid, size, "%.*s", found ? (int)strcspn(found, ";") : 0, found ? found : "");
}

static char *text_of(const struct json *value)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    json_writer_init(&writer, &text, false);
    json_write_value(&writer, value);
    json_writer_deinit(&writer);
    return mem_strndup(text.text, text.length);
}

int network_calls_take(struct network_calls *calls, const char *bytes, size_t length,
                       struct network_call *call, struct err *err)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct json_findings findings;
    const struct json *plugins, *verb;
    struct json *root;
    int r = json_parse(&arena, bytes, length, &json_limits_manifest, &findings, &root, err);

    *call = (struct network_call){0};
    if (r < 0)
        return r;
    if (root->type != JSON_OBJECT)
        return err_set(err, -EBADMSG, "it is not an object");
    plugins = json_get(root, "plugins");
    for (uint32_t i = 0; plugins && plugins->type == JSON_ARRAY && i < plugins->length; i++)
        count_plugin(calls, &plugins->items[i]);
    take_uid(root, call->uid, sizeof(call->uid));
    verb = json_get_string(root, "verb");
    call->failed = json_get(root, "failure");
    if (verb && json_text_is(verb, "ADD"))
        call->text = text_of(root);
    return 0;
}

static void write_seconds(struct json_writer *writer, const char *name, usec_t usec)
{
    char text[32];

    json_write_name(writer, name);
    snprintf(text, sizeof(text), "%llu.%06llu", (unsigned long long)(usec / USEC_PER_SEC),
             (unsigned long long)(usec % USEC_PER_SEC));
    json_write_number(writer, text, strlen(text));
}

void network_calls_write(const struct network_calls *calls, struct json_writer *writer)
{
    json_write_array(writer);
    for (size_t i = 0; i < calls->count; i++) {
        const struct plugin_times *times = &calls->plugins[i];

        json_write_object(writer);
        json_write_string_member(writer, "plugin", times->type);
        json_write_string_member(writer, "verb", times->verb);
        json_write_int_member(writer, "calls", (int64_t)times->calls);
        json_write_int_member(writer, "failures", (int64_t)times->failures);
        write_seconds(writer, "seconds", times->sum);
        write_seconds(writer, "longest", times->longest);
        json_write_object_end(writer);
    }
    json_write_array_end(writer);
}
