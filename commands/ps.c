/* nodeagent ps: the pods of this node, as kubectl would list them. */
#include "client.h"
#include "command.h"
#include "nodeagent/base/mem.h"
#include "pods.h"
#include "show.h"
#include "watch.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

struct ps {
    const char *run_dir;
    bool json;
    bool wide;
    bool watch;
    char **names; /* ends in NULL; none: all pods */
};

static void print_help(void)
{
    printf("Usage: nodeagent ps [OPTION]... [POD]...\n"
           "\n"
           "Lists the pods that this node's agent runs, all or those that are named. POD is NAME,\n"
           "NAMESPACE/NAME, or the beginning of a UID; the node's name at the end of a static\n"
           "pod's name may be left out.\n"
           "\n"
           "  -o, --output FORMAT   wide: also addresses, node, UID and images;\n"
           "                        json: a v1 PodList\n"
           "  -w, --watch           again each second until interrupted\n"
           "      --run-dir DIR     the agent's run directory (default " CLIENT_RUN_DIR ")\n"
           "  -h, --help            print this text\n"
           "\n"
           "Exit status: 0 good, 1 no agent answers or a pod is unknown, 2 wrong usage.\n");
}

/* rows */

static struct named names_of(const struct pod *pod)
{
    return (struct named){
        .name_space = pod->object.metadata.name_space,
        .name = pod->object.metadata.name,
        .uid = pod->object.metadata.uid,
        .node = pod->spec.node_name,
    };
}

static bool is_wanted(const struct ps *ps, const struct pod *pod)
{
    struct named named = names_of(pod);

    for (char **name = ps->names; *name; name++)
        if (name_means(*name, &named))
            return true;
    return !*ps->names;
}

static void add_text_cell(struct table *table, const struct strbuf *text)
{
    table_cell(table, COLOUR_NONE, text->text);
}

static void add_cell_or_none(struct table *table, const char *text)
{
    table_cell(table, COLOUR_NONE, str_empty(text) ? "<none>" : text);
}

static void add_restarts(struct table *table, const struct pod_summary *summary)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

    strbuf_printf(&text, "%lld", (long long)summary->restarts);
    if (summary->restarts && summary->last_restart.set) {
        strbuf_add(&text, " (");
        show_age(&text, &summary->last_restart);
        strbuf_add(&text, " ago)");
    }
    add_text_cell(table, &text);
}

static void add_images(struct table *table, const struct pod *pod)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

    array_for_each (container, pod->spec.containers) {
        strbuf_add(&text, text.length ? "," : "");
        strbuf_add(&text, container->image ? container->image : "");
    }
    add_text_cell(table, &text);
}

/* A static pod was never created anywhere. */
static const struct opt_time *birth_of(const struct pod *pod)
{
    const struct opt_time *created = &pod->object.metadata.creation_timestamp;

    return created->set ? created : &pod->status.start_time;
}

static void add_row(const struct ps *ps, struct table *table, const struct pod *pod)
{
    _cleanup_(strbuf_deinit) struct strbuf status = STRBUF_INIT, age = STRBUF_INIT,
                                           ready = STRBUF_INIT;
    const struct object_meta *metadata = &pod->object.metadata;
    struct pod_summary summary = pod_summarise(pod, &status);

    table_cell(table, COLOUR_NONE, metadata->name_space);
    table_cell(table, COLOUR_NONE, metadata->name);
    strbuf_printf(&ready, "%d/%d", summary.ready, summary.containers);
    add_text_cell(table, &ready);
    table_cell(table, summary.colour, status.text);
    add_restarts(table, &summary);
    show_age(&age, birth_of(pod));
    add_text_cell(table, &age);
    if (!ps->wide)
        return;
    add_cell_or_none(table, pod->status.pod_ips.count ? pod->status.pod_ips.items[0].ip
                                                      : pod->status.pod_ip);
    add_cell_or_none(table, pod->spec.node_name);
    add_cell_or_none(table, metadata->uid);
    add_images(table, pod);
}

/* pods */

struct pods {
    struct object **items;
    size_t count;
};

static void pods_deinit(struct pods *pods)
{
    for (size_t i = 0; i < pods->count; i++)
        object_unref(pods->items[i]);
    free(pods->items);
}

static int compare_pods(const void *a, const void *b)
{
    const struct object_meta *one = &(*(struct object *const *)a)->metadata;
    const struct object_meta *two = &(*(struct object *const *)b)->metadata;
    int order =
        strcmp(one->name_space ? one->name_space : "", two->name_space ? two->name_space : "");

    return order ? order : strcmp(one->name ? one->name : "", two->name ? two->name : "");
}

static struct object *decode_pod(const struct json *document, size_t index, struct err *err)
{
    struct report report;
    struct object *object;

    report_init(&report, document);
    object = object_decode_as(&object_kind_pod, document, OBJECT_DROP_RAW, &report);
    if (!object)
        answer_unreadable(&report, index, err);
    report_deinit(&report);
    return object;
}

/* Keeps those that are wanted, in `items` as well. */
static int pods_read(const struct ps *ps, struct json *items, struct pods *pods, struct err *err)
{
    uint32_t kept = 0;

    pods->items = mem_zalloc(sizeof(struct object *) * (items->length + 1));
    for (uint32_t i = 0; i < items->length; i++) {
        struct object *object = decode_pod(&items->items[i], i, err);

        if (!object)
            return err->code;
        if (!is_wanted(ps, pod_of(object))) {
            object_unref(object);
            continue;
        }
        pods->items[pods->count++] = object;
        items->items[kept++] = items->items[i];
    }
    items->length = kept;
    return 0;
}

static bool is_there(const struct pods *pods, const char *name)
{
    for (size_t i = 0; i < pods->count; i++) {
        struct named named = names_of(pod_of(pods->items[i]));

        if (name_means(name, &named))
            return true;
    }
    return false;
}

static int tell_unknown(const struct ps *ps, const struct pods *pods)
{
    int code = EXIT_GOOD;

    for (char **name = ps->names; *name; name++) {
        struct err err;

        if (is_there(pods, *name))
            continue;
        err_set(&err, -ENOENT, "no pod \"%s\" on this node", *name);
        code = show_failure("ps", &err);
    }
    return code;
}

static void write_table(const struct ps *ps, struct pods *pods, struct strbuf *out)
{
    static const char *const headers[] = {"NAMESPACE", "NAME", "READY", "STATUS",
                                          "RESTARTS",  "AGE",  NULL};
    static const char *const wide[] = {"NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE",
                                       "IP",        "NODE", "UID",   "IMAGES", NULL};
    _cleanup_(table_deinit) struct table table;

    table_init(&table, ps->wide ? wide : headers);
    qsort(pods->items, pods->count, sizeof(*pods->items), compare_pods);
    for (size_t i = 0; i < pods->count; i++)
        add_row(ps, &table, pod_of(pods->items[i]));
    table_write(&table, true, out);
}

/* Asks and writes the answer; `code` is about pods that were named and are not there. */
static int list_pods(const struct ps *ps, struct strbuf *out, int *code, struct err *err)
{
    _cleanup_(answer_deinit) struct answer answer = {0};
    _cleanup_(pods_deinit) struct pods pods = {0};
    struct json *items;
    int r;

    r = client_fetch(&answer, ps->run_dir, &(struct client_request){.command = "ps"}, err);
    if (r < 0)
        return r;
    items = answer_items(&answer, "PodList", err);
    if (!items)
        return err->code;
    r = pods_read(ps, items, &pods, err);
    if (r < 0)
        return r;
    if (ps->json)
        show_json(out, answer.document, true);
    else
        write_table(ps, &pods, out);
    *code = ps->watch ? EXIT_GOOD : tell_unknown(ps, &pods);
    return 0;
}

static int draw(void *data, struct strbuf *text, struct err *err)
{
    int code;

    return list_pods(data, text, &code, err);
}

static int run(struct ps *ps)
{
    _cleanup_(strbuf_deinit) struct strbuf out = STRBUF_INIT;
    struct err err;
    int code;

    if (ps->watch)
        return watch_run("ps", draw, ps);
    if (list_pods(ps, &out, &code, &err) < 0)
        return show_failure("ps", &err);
    show_buffer(&out);
    return code;
}

int command_ps(int argc, char **argv)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'},
        {"watch", no_argument, NULL, 'w'},
        {"run-dir", required_argument, NULL, OPTION_RUN_DIR},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct ps ps = {.run_dir = CLIENT_RUN_DIR};
    int option;

    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, ":o:wh", options, NULL)) != -1) {
        switch (option) {
        case 'o':
            if (strcmp(optarg, "wide") != 0 && strcmp(optarg, "json") != 0)
                return usage_error("ps", "-o takes wide or json, not \"%.64s\"", optarg);
            ps.json = !strcmp(optarg, "json");
            ps.wide = !ps.json;
            break;
        case 'w':
            ps.watch = true;
            break;
        case OPTION_RUN_DIR:
            ps.run_dir = optarg;
            break;
        case 'h':
            print_help();
            return EXIT_GOOD;
        default:
            return option_error("ps", option, argv);
        }
    }
    ps.names = argv + optind;
    for (char **name = ps.names; *name; name++)
        if (name_problem(*name))
            return usage_error("ps", "\"%.64s\": %s", *name, name_problem(*name));
    return run(&ps);
}
