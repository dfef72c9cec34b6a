/*
 * nodeagent cni status: whether pods can be attached, and if not why. The network that counts is
 * looked at as an ADD would use it: the program of each plugin and of its IPAM, whether they know
 * the network's version, and what they say of themselves (STATUS).
 */
#include "cni.h"
#include "nodeagent/base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A program that an ADD needs. */
struct part {
    const char *type;
    bool is_ipam;
    char *program;                     /* NULL: missing */
    const struct cni_failure *failure; /* to answer VERSION; or NULL */
};

struct status {
    struct cni_command *command;
    struct cni_networks networks;
    const struct cni_network *network; /* that counts, or NULL */
    struct part parts[2 * CNI_PLUGINS_MAX];
    size_t part_count;
    bool asked;                        /* plugins know STATUS */
    const struct cni_failure *failure; /* of STATUS, or NULL */
    const char *reason;                /* why it is not ready, or NULL */
};

/* looking */

static struct cni_failure *keep_failure(struct status *status, const struct cni_failure *failure)
{
    struct cni_failure *kept = arena_new(&status->command->arena, struct cni_failure);

    memcpy(kept, failure, sizeof(*kept));
    return kept;
}

/* The first reason is the one that is told. */
static void blame(struct status *status, const char *reason)
{
    if (!status->reason)
        status->reason = reason;
}

/* As a chain with nothing but this plugin. */
static void look_at(struct status *status, const struct json *config, const char *type,
                    bool is_ipam)
{
    struct cni_plugin plugin = {.type = type, .config = config};
    struct cni_network alone = *status->network;
    struct part *part = &status->parts[status->part_count++];
    struct cni_failure failure;
    int r;

    alone.plugins.items = &plugin;
    alone.plugins.count = 1;
    part->type = type;
    part->is_ipam = is_ipam;
    part->program = cni_program_find(&status->command->setup, type);
    r = cni_check_versions(&status->command->setup, &alone, &failure);
    if (r < 0)
        part->failure = keep_failure(status, &failure);
    if (cni_cannot_run(r))
        blame(status, part->failure->err.text);
}

static const char *ipam_of(const struct cni_plugin *plugin, struct arena *arena)
{
    const struct json *ipam = json_get(plugin->config, "ipam");
    const struct json *type =
        ipam && ipam->type == JSON_OBJECT ? json_get_string(ipam, "type") : NULL;

    return type && type->length ? arena_strndup(arena, type->text, type->length) : NULL;
}

static void ask_status(struct status *status)
{
    struct cni_failure failure;
    size_t before = status->command->runs;
    int r = cni_status(&status->command->setup, status->network, &failure);

    status->asked = status->command->runs != before;
    if (r == 0)
        return;
    status->failure = keep_failure(status, &failure);
    blame(status, arena_printf(&status->command->arena, "STATUS: code %u: %s", failure.code,
                               failure.err.text));
}

static void look(struct status *status)
{
    struct err err;

    status->network = cni_command_network(status->command, &status->networks, &err);
    if (!status->network) {
        blame(status, arena_strdup(&status->command->arena, err.text));
        return;
    }
    array_for_each (plugin, status->network->plugins) {
        const char *ipam = ipam_of(plugin, &status->command->arena);

        look_at(status, plugin->config, plugin->type, false);
        if (ipam)
            look_at(status, plugin->config, ipam, true);
    }
    /* A missing plugin would be all that STATUS can tell. */
    if (!status->reason)
        ask_status(status);
}

/* text */

static const char *state_of_file(const struct status *status, const struct cni_file *file)
{
    if (file->problem)
        return file->problem;
    if (file->network == status->network)
        return "counts";
    return cni_network_has_plugin(file->network, CNI_PROGRAM)
               ? "does not count: it is this project's own plugin"
               : "does not count";
}

static const char *name_of_file(const struct cni_file *file)
{
    const char *slash = strrchr(file->path, '/');

    return slash ? slash + 1 : file->path;
}

static void show_files(const struct status *status, struct strbuf *out)
{
    static const char *const headers[] = {"FILE", "NETWORK", "CNI", "STATE", NULL};
    _cleanup_(table_deinit) struct table table;

    table_init(&table, headers);
    array_for_each (file, status->networks.files) {
        table_cell(&table, COLOUR_NONE, name_of_file(file));
        table_cell(&table, COLOUR_NONE, file->network ? file->network->name : "<none>");
        table_cell(&table, COLOUR_NONE, file->network ? file->network->version : "<none>");
        table_cell(&table, file->problem ? COLOUR_RED : COLOUR_NONE, state_of_file(status, file));
    }
    if (table_rows(&table)) {
        strbuf_add_char(out, '\n');
        table_write(&table, true, out);
    }
}

static void show_parts(const struct status *status, struct strbuf *out)
{
    static const char *const headers[] = {"PLUGIN", "PROGRAM", "STATE", NULL};
    _cleanup_(table_deinit) struct table table;

    table_init(&table, headers);
    for (size_t i = 0; i < status->part_count; i++) {
        const struct part *part = &status->parts[i];

        table_cell(&table, COLOUR_NONE,
                   part->is_ipam ? arena_printf(&status->command->arena, "%s (ipam)", part->type)
                                 : part->type);
        table_cell(&table, COLOUR_NONE, part->program ? part->program : "<none>");
        table_cell(&table, part->failure ? COLOUR_RED : COLOUR_GREEN,
                   !part->failure  ? "good"
                   : part->program ? part->failure->err.text
                                   : "missing");
    }
    strbuf_add_char(out, '\n');
    table_write(&table, true, out);
}

static void show_answer(const struct status *status, struct strbuf *out)
{
    strbuf_add(out, "\nSTATUS: ");
    if (status->failure) {
        strbuf_printf(out, "code %u: ", status->failure->code);
        show_text(out, status->failure->err.text);
    } else if (status->asked) {
        strbuf_add(out, "all plugins are well");
    } else if (status->reason) {
        strbuf_add(out, "not asked");
    } else {
        strbuf_printf(out, "plugins of CNI %s do not know it", status->network->version);
    }
    strbuf_add_char(out, '\n');
}

static void show_status(const struct status *status, struct strbuf *out)
{
    strbuf_add(out, status->reason ? "not ready: " : "ready: network ");
    show_text(out, status->reason ? status->reason : status->network->name);
    strbuf_add(out, "\nconfiguration: ");
    show_text(out, status->command->conf_dir);
    strbuf_add(out, "\nprograms: ");
    for (size_t i = 0; i < status->command->bin_dir_count; i++) {
        strbuf_add(out, i ? ":" : "");
        show_text(out, status->command->bin_dirs[i]);
    }
    strbuf_add_char(out, '\n');
    show_files(status, out);
    if (!status->network)
        return;
    show_parts(status, out);
    show_answer(status, out);
}

/* JSON */

static void write_file(struct json_writer *writer, const struct status *status,
                       const struct cni_file *file)
{
    json_write_object(writer);
    show_member_quoted(writer, "file", file->path);
    if (file->network) {
        show_member(writer, "network", file->network->name);
        show_member(writer, "cniVersion", file->network->version);
    }
    show_member_bool(writer, "counts", file->network && file->network == status->network);
    show_member_quoted(writer, "problem", file->problem);
    json_write_object_end(writer);
}

static void write_part(struct json_writer *writer, const struct part *part)
{
    json_write_object(writer);
    show_member(writer, "type", part->type);
    show_member_bool(writer, "ipam", part->is_ipam);
    show_member_quoted(writer, "program", part->program);
    if (part->failure)
        cni_write_failure(writer, part->failure);
    json_write_object_end(writer);
}

static void write_members(struct json_writer *writer, const struct status *status)
{
    show_member_bool(writer, "ready", !status->reason);
    show_member_quoted(writer, "reason", status->reason);
    show_member_quoted(writer, "confDir", status->command->conf_dir);
    show_member_strings(writer, "binDirs", status->command->setup.bin_dirs,
                        status->command->bin_dir_count);
    json_write_name(writer, "files");
    json_write_array(writer);
    array_for_each (file, status->networks.files)
        write_file(writer, status, file);
    json_write_array_end(writer);
    json_write_name(writer, "plugins");
    json_write_array(writer);
    for (size_t i = 0; i < status->part_count; i++)
        write_part(writer, &status->parts[i]);
    json_write_array_end(writer);
    json_write_name(writer, "status");
    json_write_object(writer);
    show_member_bool(writer, "asked", status->asked);
    if (status->failure)
        cni_write_failure(writer, status->failure);
    json_write_object_end(writer);
}

static void write_status(const struct status *status, struct strbuf *out)
{
    _cleanup_(strbuf_deinit) struct strbuf json = STRBUF_INIT;
    struct json_writer writer;

    json_writer_init(&writer, &json, true);
    json_write_object(&writer);
    write_members(&writer, status);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
    show_json_text(out, &json);
}

/* both */

static void status_deinit(struct status *status)
{
    for (size_t i = 0; i < status->part_count; i++)
        free(status->parts[i].program);
    cni_networks_deinit(&status->networks);
}

int cni_command_status(struct cni_command *command)
{
    _cleanup_(status_deinit) struct status status = {.command = command};
    _cleanup_(strbuf_deinit) struct strbuf out = STRBUF_INIT;
    struct err err;

    if (cni_networks_load(&status.networks, command->conf_dir, &err) < 0) {
        show_failure(command->name, &err);
        return EXIT_UNABLE;
    }
    look(&status);
    if (command->json)
        write_status(&status, &out);
    else
        show_status(&status, &out);
    show_buffer(&out);
    return status.reason ? EXIT_BAD : EXIT_GOOD;
}
