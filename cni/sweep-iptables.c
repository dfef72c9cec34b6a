/*
 * Rules and chains that bridge and portmap made by iptables, of whatever kind it is:
 *
 *     -A POSTROUTING ... -m comment --comment "name: \"NETWORK\" id: \"ID\"" -j CNI-<hash>
 *     -A CNI-HOSTPORT-DNAT ... --comment "dnat name: \"NETWORK\" id: \"ID\"" ... -j CNI-DN-<hash>
 *
 * The chains they lead to have nothing else that leads to them. A plugin that was killed may leave
 * one that nothing leads to; its name is a hash of the network's and the container's.
 *
 * A rule is deleted in the words in which it was listed, by iptables-restore: nobody here has to
 * understand them. All goes in one step, or nothing does.
 */
#include "sweep.h"
#include "tool.h"

#include <errno.h>
#include <string.h>

enum {
    NOT_THERE = 1,     /* a chain; what iptables exits with */
    NOT_SUPPORTED = 3, /* this family, by the kernel */
    TRIES_MAX = 2,     /* a rule that went meanwhile makes the whole step fail */
    HASH_DIGITS = 128,
};

static const struct family {
    const char *list;
    const char *restore;
} families[] = {
    {"iptables", "iptables-restore"},
    {"ip6tables", "ip6tables-restore"},
};

static const char *const roots[] = {"POSTROUTING", "CNI-HOSTPORT-DNAT"};

struct script {
    struct collection *collection;
    struct arena *arena;
    const char *list;
    const char *restore;
    struct strbuf rules; /* to be deleted */
    size_t count;
    struct map chains; /* the same */
};

/* what a rule says of itself */

/* Up to a text, which is passed over; NULL if it is not there. */
static const char *take_until(const char **at, const char *end, struct arena *arena)
{
    const char *found = strstr(*at, end), *start = *at;

    if (!found)
        return NULL;
    *at = found + strlen(end);
    return arena_strndup(arena, start, (size_t)(found - start));
}

/* Without quotes and backslashes: names and ids have none. */
static const char *comment_of(const char *rule, struct arena *arena)
{
    static const char option[] = " --comment \"";
    const char *from = strstr(rule, option);
    char *comment, *to;

    if (!from)
        return NULL;
    from += strlen(option);
    to = comment = arena_strdup(arena, from);
    for (; *from && *from != '"'; from++)
        if (*from != '\\' || *++from)
            *to++ = *from;
    *to = '\0';
    return comment;
}

/* Whose it is, if it is of one of our networks. */
static bool read_rule(const struct script *script, const char *rule, struct gone *gone)
{
    const char *at = comment_of(rule, script->arena);
    struct arena *arena = script->collection->arena;

    if (at && str_has_prefix(at, "dnat "))
        at += strlen("dnat ");
    if (!at || !str_has_prefix(at, "name: \""))
        return false;
    at += strlen("name: \"");
    *gone = (struct gone){.ifname = "eth0"};
    gone->network = take_until(&at, "\" id: \"", arena);
    gone->container_id = gone->network ? take_until(&at, "\"", arena) : NULL;
    return gone->container_id && *gone->container_id && !*at &&
           collection_network(script->collection, gone->network);
}

/* Chains of everybody's stay: these are named by a hash. */
static const char *chain_of(const char *rule, struct arena *arena)
{
    const char *jump = strstr(rule, " -j CNI-");
    const char *name = jump ? arena_strdup(arena, jump + strlen(" -j ")) : NULL;
    const char *hash = name ? name + strlen("CNI-") : NULL;

    if (hash && str_has_prefix(hash, "DN-"))
        hash += strlen("DN-");
    return hash && *hash && hash[strspn(hash, "0123456789abcdef")] == '\0' ? name : NULL;
}

/* finding */

static void look_at_rule(struct script *script, const char *rule)
{
    struct gone gone;
    const char *chain;

    if (!str_has_prefix(rule, "-A ") || !read_rule(script, rule, &gone) ||
        !collection_lose(script->collection, &gone))
        return;
    strbuf_printf(&script->rules, "-D %s\n", rule + strlen("-A "));
    script->count++;
    chain = chain_of(rule, script->arena);
    if (chain)
        map_put(&script->chains, chain, script);
}

/* Lists a chain; NOT_THERE and NOT_SUPPORTED are no failures. */
static int look_at_chain(struct script *script, const char *chain)
{
    const char *argv[] = {script->list, "-w", "-t", "nat", "-S", chain, NULL};
    const char *output, *rule;
    struct err err;
    int r = tool_run(argv, NULL, script->arena, &output, &err);

    if (r == NOT_THERE || r == NOT_SUPPORTED)
        return r;
    if (r != 0) {
        collection_fail(script->collection, &err);
        return -EIO;
    }
    while ((rule = take_until(&output, "\n", script->arena)))
        look_at_rule(script, rule);
    return 0;
}

/* The names of a container's chains, by what is on every machine; without it they stay. */
static void add_chains(struct script *script, const struct gone *gone)
{
    const char *argv[] = {tool_find("sha512sum", script->arena), NULL};
    const char *input = arena_printf(script->arena, "%s%s", gone->network, gone->container_id);
    const char *hash;
    struct err err;

    if (!argv[0] || tool_run(argv, input, script->arena, &hash, &err) != 0 ||
        strspn(hash, "0123456789abcdef") != HASH_DIGITS)
        return;
    map_put(&script->chains, arena_printf(script->arena, "CNI-%.24s", hash), script);
    map_put(&script->chains, arena_printf(script->arena, "CNI-DN-%.21s", hash), script);
}

static void add_all_chains(struct script *script)
{
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&script->collection->gone, &at));)
        if (collection_has_time(script->collection))
            add_chains(script, entry->value);
}

/* deleting */

/* A chain that is declared is there, and empty. */
static void write_script(const struct script *script, struct strbuf *out)
{
    struct map_entry *entry;

    strbuf_add(out, "*nat\n");
    for (size_t at = 0; (entry = map_next(&script->chains, &at));)
        strbuf_printf(out, ":%s - [0:0]\n", entry->key);
    if (script->count)
        strbuf_add(out, script->rules.text);
    for (size_t at = 0; (entry = map_next(&script->chains, &at));)
        strbuf_printf(out, "-X %s\n", entry->key);
    strbuf_add(out, "COMMIT\n");
}

static int run_script(const struct script *script, struct err *err)
{
    const char *argv[] = {script->restore, "-w", "--noflush", NULL};
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    const char *output;

    write_script(script, &text);
    return tool_run(argv, text.text, script->arena, &output, err);
}

static void script_deinit(struct script *script)
{
    strbuf_deinit(&script->rules);
    map_deinit(&script->chains);
}

/* What is to be done for a family; positive: there is none of it here. */
static int find(struct script *script)
{
    int r = look_at_chain(script, roots[0]);

    if (r == 0)
        r = MIN(look_at_chain(script, roots[1]), 0);
    if (r == 0 && !script->collection->gc->dry_run)
        add_all_chains(script);
    return r;
}

/* Is it done, one way or the other? */
static bool sweep_once(struct script *script, struct err *err)
{
    struct cni_count *count = &script->collection->gc->rules;

    if (find(script) != 0)
        return true;
    if (!script->collection->gc->dry_run) {
        if ((script->count || map_count(&script->chains)) && run_script(script, err) != 0)
            return false;
        count->deleted += script->count;
    }
    count->stale += script->count;
    return true;
}

static void sweep_family(struct collection *collection, const struct family *family)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    const char *list = tool_find(family->list, &arena);
    const char *restore = tool_find(family->restore, &arena);
    struct err err = {0};

    for (int i = 0; list && restore && i < TRIES_MAX; i++) {
        _cleanup_(script_deinit) struct script script = {
            .collection = collection, .arena = &arena, .list = list, .restore = restore};

        if (sweep_once(&script, &err))
            return;
    }
    if (err.code < 0)
        collection_fail(collection, &err);
}

void sweep_iptables(struct collection *collection)
{
    for (size_t i = 0; i < array_size(families); i++)
        if (collection_has_time(collection))
            sweep_family(collection, &families[i]);
}
