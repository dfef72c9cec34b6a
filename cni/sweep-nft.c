/*
 * Rules that bridge and portmap made by nftables, in tables of their own:
 *
 *     cni_plugins_masquerade    comment "HASH-HASH, net: NETWORK, if: INTERFACE, id: ID"
 *     cni_hostport              comment "ID"
 *
 * The first are cut, so that the end of an id may be missing; the second name no network, and go
 * only with a container that is known to be gone. All rules of a table go in one step.
 */
#include "sweep.h"
#include "tool.h"

#include <string.h>

enum {
    COMMENT_MAX = 128, /* bytes; what is as long was cut */
    TRIES_MAX = 2,     /* a rule that went meanwhile makes the whole step fail */
};

struct script {
    struct collection *collection;
    struct arena *arena;
    const char *program;
    const char *chain; /* that is being looked at */
    struct strbuf text;
    size_t count;
};

typedef bool is_stale_fn(const struct script *script, const char *comment);

/* whose they are */

static bool is_id(const char *whole, const char *id, bool cut)
{
    return cut ? str_has_prefix(whole, id) : !strcmp(whole, id);
}

static bool is_known(const struct collection *collection, const char *id, bool cut)
{
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&collection->known, &at));)
        if (is_id(entry->key, id, cut))
            return true;
    return false;
}

/* `network` may be NULL: any. */
static bool is_gone(const struct collection *collection, const char *network, const char *id,
                    bool cut)
{
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&collection->gone, &at));) {
        const struct gone *gone = entry->value;

        if ((!network || !strcmp(gone->network, network)) && is_id(gone->container_id, id, cut))
            return true;
    }
    return false;
}

static const char *between(const char *text, const char *before, const char *after,
                           struct arena *arena)
{
    const char *from = strstr(text, before), *to;

    if (!from)
        return NULL;
    from += strlen(before);
    to = strstr(from, after);
    return to ? arena_strndup(arena, from, (size_t)(to - from)) : NULL;
}

static bool is_stale_masquerade(const struct script *script, const char *comment)
{
    struct collection *collection = script->collection;
    struct arena *arena = collection->arena;
    const char *network = between(comment, ", net: ", ", if: ", arena),
               *ifname = between(comment, ", if: ", ", id: ", arena), *id;
    bool cut = strlen(comment) >= COMMENT_MAX;

    if (!network || !ifname || !collection_network(collection, network))
        return false;
    id = arena_strdup(arena, strstr(comment, ", id: ") + strlen(", id: "));
    if (!*id)
        return false;
    if (is_gone(collection, network, id, cut))
        return true;
    if (collection->narrow || is_known(collection, id, cut))
        return false;
    if (!cut)
        collection_lose(collection, &(struct gone){network, id, ifname, false});
    return true;
}

static bool is_stale_port(const struct script *script, const char *comment)
{
    return is_gone(script->collection, NULL, comment, false);
}

static const struct table {
    const char *family;
    const char *name;
    is_stale_fn *is_stale;
} tables[] = {
    {"inet", "cni_plugins_masquerade", is_stale_masquerade},
    {"ip", "cni_hostport", is_stale_port},
    {"ip6", "cni_hostport", is_stale_port},
};

/* finding and deleting */

static void look_at_line(struct script *script, const char *line, const struct table *table)
{
    const char *chain = between(line, "\tchain ", " {", script->arena),
               *comment = between(line, " comment \"", "\"", script->arena),
               *handle = strstr(line, "\" # handle ");

    if (chain)
        script->chain = chain;
    if (!comment || !handle || !script->chain || !table->is_stale(script, comment))
        return;
    strbuf_printf(&script->text, "delete rule %s %s %s handle %s\n", table->family, table->name,
                  script->chain, handle + strlen("\" # handle "));
    script->count++;
}

/* A table that is not there cannot be listed. */
static void find(struct script *script, const struct table *table)
{
    const char *argv[] = {script->program, "-a", "list", "table", table->family, table->name, NULL};
    const char *output;
    struct err err;
    int r = tool_run(argv, NULL, script->arena, &output, &err);

    if (r < 0)
        collection_fail(script->collection, &err);
    while (r == 0 && *output) {
        size_t length = strcspn(output, "\n");

        look_at_line(script, arena_strndup(script->arena, output, length), table);
        output += length;
        output += *output == '\n';
    }
}

/* Is it done, one way or the other? */
static bool sweep_once(struct script *script, const struct table *table, struct err *err)
{
    const char *argv[] = {script->program, "-f", "-", NULL}, *output;
    struct cni_count *count = &script->collection->gc->rules;

    find(script, table);
    if (script->count && !script->collection->gc->dry_run) {
        if (tool_run(argv, script->text.text, script->arena, &output, err) != 0)
            return false;
        count->deleted += script->count;
    }
    count->stale += script->count;
    return true;
}

static void script_deinit(struct script *script)
{
    strbuf_deinit(&script->text);
}

static void sweep_table(struct collection *collection, const struct table *table)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    const char *program = tool_find("nft", &arena);
    struct err err = {0};

    for (int i = 0; program && i < TRIES_MAX; i++) {
        _cleanup_(script_deinit) struct script script = {
            .collection = collection, .arena = &arena, .program = program};

        if (sweep_once(&script, table, &err))
            return;
    }
    if (err.code < 0)
        collection_fail(collection, &err);
}

void sweep_nft(struct collection *collection)
{
    for (size_t i = 0; i < array_size(tables); i++)
        if (collection_has_time(collection))
            sweep_table(collection, &tables[i]);
}
