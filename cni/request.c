/*
 * What a plugin gets on stdin: its own object as it was written, with the caller's members in it.
 * "capabilities" stays, as with libcni; whoever wrote a plugin has seen it there.
 */
#include "document.h"
#include "plugin.h"

#include <strings.h>

/* Members that are the caller's to set, or nobody's. */
static bool is_reserved(const struct json_member *member)
{
    static const char *const names[] = {"name", "cniVersion", "prevResult", "runtimeConfig"};
    static const char prefix[] = "cni.dev/";

    for (size_t i = 0; i < array_size(names); i++)
        if (member_is_any_case(member, names[i]))
            return true;
    return member->name_length >= sizeof(prefix) - 1 &&
           !strncasecmp(member->name, prefix, sizeof(prefix) - 1);
}

/* What the plugin wants to know and the caller has. */
static void write_runtime_config(const struct plugin_call *call, struct json_writer *writer)
{
    const struct json *arguments = call->attachment ? call->attachment->capabilities : NULL;
    const struct json *wanted = call->plugin->capabilities;
    bool begun = false;

    if (!arguments || arguments->type != JSON_OBJECT || !wanted)
        return;
    json_for_each_member (argument, arguments) {
        bool want = false;

        json_for_each_member (member, wanted)
            if (bytes_are(member->name, member->name_length, argument->name, argument->name_length))
                want = member->value.boolean;
        if (!want || member_is_overridden(arguments, argument))
            continue;
        if (!begun) {
            json_write_name(writer, "runtimeConfig");
            json_write_object(writer);
        }
        begun = true;
        json_write_member(writer, argument);
    }
    if (begun)
        json_write_object_end(writer);
}

static void write_valid(const struct valid_list *valid, const char *name,
                        struct json_writer *writer)
{
    json_write_name(writer, name);
    json_write_array(writer);
    for (size_t i = 0; i < valid->count; i++) {
        json_write_object(writer);
        json_write_string_member(writer, "containerID", valid->items[i].container_id);
        json_write_string_member(writer, "ifname", valid->items[i].ifname);
        json_write_object_end(writer);
    }
    json_write_array_end(writer);
}

void request_write(const struct plugin_call *call, struct strbuf *out)
{
    const struct json *config = call->plugin->config;
    struct json_writer writer;

    json_writer_init(&writer, out, false);
    json_write_object(&writer);
    json_write_string_member(&writer, "cniVersion", call->network->version);
    json_write_string_member(&writer, "name", call->network->name);
    json_for_each_member (member, config)
        if (!is_reserved(member) && !member_is_overridden(config, member))
            json_write_member(&writer, member);
    write_runtime_config(call, &writer);
    if (call->previous) {
        json_write_name(&writer, "prevResult");
        json_write_value(&writer, call->previous);
    }
    if (call->valid) {
        write_valid(call->valid, "cni.dev/valid-attachments", &writer);
        write_valid(call->valid, "cni.dev/attachments", &writer);
    }
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
}
