/* nodeagent cni gc: the attachments whose sandbox is gone. */
#include "cni.h"

struct collecting {
    struct cni_command *command;
    struct json_writer writer;
};

/* text */

static void tell_line(const struct cni_command *command, const struct cni_entry *entry,
                      const struct cni_failure *failure)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(strbuf_deinit) struct strbuf out = STRBUF_INIT;
    const char *pod = cni_entry_pod(entry, &arena);
    const char *words[] = {entry->network, entry->container_id, entry->ifname, pod};

    strbuf_add(&out, command->dry_run ? "would be deleted:"
                     : failure        ? "not deleted:"
                                      : "deleted:");
    for (size_t i = 0; i < array_size(words); i++) {
        if (!words[i])
            continue;
        strbuf_add_char(&out, ' ');
        show_text(&out, words[i]);
    }
    if (failure) {
        strbuf_add(&out, ": ");
        show_text(&out, failure->err.text);
    }
    strbuf_add_char(&out, '\n');
    show_buffer(&out);
}

/* JSON */

static void write_item(struct json_writer *writer, const struct cni_command *command,
                       const struct cni_entry *entry, const struct cni_failure *failure)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;

    json_write_object(writer);
    show_member(writer, "network", entry->network);
    show_member(writer, "containerId", entry->container_id);
    show_member(writer, "ifName", entry->ifname);
    show_member(writer, "pod", cni_entry_pod(entry, &arena));
    show_member(writer, "netns", entry->netns);
    show_member_bool(writer, "deleted", !failure && !command->dry_run);
    if (failure)
        cni_write_failure(writer, failure);
    json_write_object_end(writer);
}

static void on_stale(void *userdata, const struct cni_entry *entry,
                     const struct cni_failure *failure)
{
    struct collecting *collecting = userdata;

    if (collecting->command->json)
        write_item(&collecting->writer, collecting->command, entry, failure);
    else
        tell_line(collecting->command, entry, failure);
}

/* both */

/* What is swept without being on record; returns how much is stale in all. */
static size_t tell_counts(struct collecting *collecting, const struct cni_gc *gc)
{
    const struct {
        const char *name;
        const struct cni_count *count;
    } kinds[] = {
        {"namespaces", &gc->namespaces},
        {"reservations", &gc->reservations},
        {"rules", &gc->rules},
    };
    struct json_writer *writer = &collecting->writer;
    size_t found = gc->stale;

    for (size_t i = 0; i < array_size(kinds); i++) {
        const struct cni_count *count = kinds[i].count;

        found += count->stale;
        json_write_name(writer, kinds[i].name);
        json_write_object(writer);
        show_member_count(writer, "stale", count->stale);
        show_member_count(writer, "deleted", count->deleted);
        json_write_object_end(writer);
        if (count->stale && !collecting->command->json)
            printf("%s: %zu stale, %zu deleted\n", kinds[i].name, count->stale, count->deleted);
    }
    return found;
}

/* what is valid */

/* Is it one of a container that was given without an interface? */
static bool is_meant(const struct cni_command *command, const struct cni_entry *entry)
{
    array_for_each (word, command->valid)
        if (!word->ifname && str_equal(word->container_id, entry->container_id))
            return true;
    return false;
}

/* A container without an interface stands for the usual one, and all that are recorded of it. */
static int expand_valid(struct cni_command *command, struct cni_gc *gc, struct err *err)
{
    struct cni_entries entries;
    struct cni_valid *valid;
    int r = cni_entries_load(command->setup.cache_dir, &command->arena, &entries, err);

    if (r < 0)
        return r;
    valid =
        arena_array(&command->arena, struct cni_valid, command->valid.count + entries.items.count);
    gc->valid.items = valid;
    array_for_each (word, command->valid)
        valid[gc->valid.count++] =
            (struct cni_valid){word->container_id, word->ifname ? word->ifname : CNI_IFNAME};
    array_for_each (entry, entries.items)
        if (is_meant(command, entry) && !str_equal(entry->ifname, CNI_IFNAME))
            valid[gc->valid.count++] = (struct cni_valid){entry->container_id, entry->ifname};
    return 0;
}

/* running */

static int collect(struct cni_command *command, const struct cni_network *network,
                   struct cni_gc *gc)
{
    _cleanup_(strbuf_deinit) struct strbuf json = STRBUF_INIT, out = STRBUF_INIT;
    struct collecting collecting = {.command = command};
    struct cni_failure failure;
    int r;

    gc->tell = on_stale;
    gc->userdata = &collecting;
    json_writer_init(&collecting.writer, &json, true);
    json_write_object(&collecting.writer);
    show_member_bool(&collecting.writer, "dryRun", command->dry_run);
    json_write_name(&collecting.writer, "stale");
    json_write_array(&collecting.writer);
    r = cni_gc(&command->setup, network, gc, &failure);
    json_write_array_end(&collecting.writer);
    if (tell_counts(&collecting, gc) == 0 && r == 0 && !command->json)
        printf("nothing is stale\n");
    if (r < 0)
        cni_write_failure(&collecting.writer, &failure);
    json_write_object_end(&collecting.writer);
    json_writer_deinit(&collecting.writer);
    show_json_text(&out, &json);
    if (command->json)
        show_buffer(&out);
    return r < 0 ? cni_tell_failure(command, &failure) : EXIT_GOOD;
}

int cni_command_gc(struct cni_command *command)
{
    _cleanup_(cni_networks_deinit) struct cni_networks networks = {0};
    struct cni_gc gc = {.by_netns = !command->valid.count, .dry_run = command->dry_run};
    const struct cni_network *network;
    struct err err;
    int r = cni_networks_load(&networks, command->conf_dir, &err);

    if (r == 0 && command->valid.count)
        r = expand_valid(command, &gc, &err);
    network = r < 0 ? NULL : cni_command_network(command, &networks, &err);
    /* What cni_add() recorded of networks that are no longer configured is collected, too. */
    if (r == 0 && !network && command->network)
        r = err.code;
    if (r < 0) {
        show_failure(command->name, &err);
        return EXIT_UNABLE;
    }
    return collect(command, network, &gc);
}
