/* nodeagent events: what happened on this node, as kubectl events would list it. */
#include "events.h"
#include "client.h"
#include "command.h"
#include "nodeagent/base/mem.h"
#include "pods.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

struct events {
    const char *run_dir;
    const char *pod; /* or NULL: all */
    bool follow;
    bool json;
    struct table table;
};

static void print_help(void)
{
    printf(
        "Usage: nodeagent events [OPTION]... [POD]\n"
        "\n"
        "Lists the events that this node's agent has reported since it started, the latest\n"
        "last; only those about POD if it is named: NAME, NAMESPACE/NAME, or the beginning of a\n"
        "UID; the node's name at the end of a static pod's name may be left out.\n"
        "\n"
        "  -f, --follow          then wait for new ones, until interrupted\n"
        "  -o, --output FORMAT   text (default) or json: a v1 EventList; with -f an Event a\n"
        "                        line\n"
        "      --run-dir DIR     the agent's run directory (default " CLIENT_RUN_DIR ")\n"
        "  -h, --help            print this text\n"
        "\n"
        "Exit status: 0 good, 1 no agent answers, 2 wrong usage.\n");
}

/* one event */

struct object *event_decode(const struct json *document, size_t index, struct err *err)
{
    struct report report;
    struct object *object;

    report_init(&report, document);
    object = object_decode_as(&object_kind_event, document, OBJECT_DROP_RAW, &report);
    if (!object)
        answer_unreadable(&report, index, err);
    report_deinit(&report);
    return object;
}

static const struct opt_time *first_seen(const struct event *event)
{
    return event->event_time.set ? &event->event_time : &event->first_timestamp;
}

static const struct opt_time *last_seen(const struct event *event)
{
    if (event->series)
        return &event->series->last_observed_time;
    return event->last_timestamp.set ? &event->last_timestamp : first_seen(event);
}

/* "3s", or "3s (x4 over 1m)" for one that came several times. */
static void add_last_seen(const struct event *event, struct table *table)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    int32_t count = event->series ? event->series->count : event->count;

    show_age(&text, last_seen(event));
    if (count > 1) {
        strbuf_printf(&text, " (x%d over ", count);
        show_age(&text, first_seen(event));
        strbuf_add_char(&text, ')');
    }
    table_cell(table, COLOUR_NONE, text.text);
}

static void add_message(const struct event *event, struct table *table)
{
    const char *text = event->message ? event->message : "";
    _cleanup_(mem_free_at) char *trimmed = NULL;
    size_t length;

    while (isspace((unsigned char)*text))
        text++;
    for (length = strlen(text); length && isspace((unsigned char)text[length - 1]);)
        length--;
    trimmed = mem_strndup(text, length);
    table_cell(table, COLOUR_NONE, trimmed);
}

static void add_type_and_reason(const struct event *event, struct table *table)
{
    bool warning = str_equal(event->type, "Warning");

    table_cell(table, warning ? COLOUR_YELLOW : COLOUR_NONE, event->type);
    table_cell(table, COLOUR_NONE, event->reason);
}

void event_cells(const struct event *event, struct table *table)
{
    add_last_seen(event, table);
    add_type_and_reason(event, table);
    add_message(event, table);
}

static void add_row(struct events *events, const struct event *event)
{
    const struct object_reference *about = &event->involved_object;
    _cleanup_(strbuf_deinit) struct strbuf object = STRBUF_INIT;

    strbuf_printf(&object, "%s/%s", about->kind ? about->kind : "", about->name ? about->name : "");
    table_cell(&events->table, COLOUR_NONE, event->object.metadata.name_space);
    add_last_seen(event, &events->table);
    add_type_and_reason(event, &events->table);
    table_cell(&events->table, COLOUR_NONE, object.text);
    add_message(event, &events->table);
}

static bool is_wanted(const struct events *events, const struct event *event)
{
    struct named named = {
        .name_space = event->involved_object.name_space,
        .name = event->involved_object.name,
        .uid = event->involved_object.uid,
        .node = event->source.host ? event->source.host : event->reporting_instance,
    };

    return !events->pod || name_means(events->pod, &named);
}

/* the list */

struct event_item {
    struct object *object;
    uint32_t place; /* in the list */
};

struct event_items {
    struct event_item *items;
    size_t count;
};

static void event_items_deinit(struct event_items *list)
{
    for (size_t i = 0; i < list->count; i++)
        object_unref(list->items[i].object);
    free(list->items);
}

static int compare_events(const void *a, const void *b)
{
    const struct event_item *one = a, *two = b;
    int64_t first = last_seen(event_of(one->object))->usec;
    int64_t second = last_seen(event_of(two->object))->usec;

    if (first != second)
        return first < second ? -1 : 1;
    return one->place < two->place ? -1 : 1;
}

/* Keeps those that are wanted, in `items` as well. */
static int read_items(const struct events *events, struct json *items, struct event_items *list,
                      struct err *err)
{
    uint32_t kept = 0;

    list->items = mem_zalloc(sizeof(*list->items) * (items->length + 1));
    for (uint32_t i = 0; i < items->length; i++) {
        struct object *object = event_decode(&items->items[i], i, err);

        if (!object)
            return err->code;
        if (!is_wanted(events, event_of(object))) {
            object_unref(object);
            continue;
        }
        list->items[list->count++] = (struct event_item){object, i};
        items->items[kept++] = items->items[i];
    }
    items->length = kept;
    return 0;
}

static int show_list(struct events *events, const struct answer *answer, struct err *err)
{
    _cleanup_(event_items_deinit) struct event_items list = {0};
    _cleanup_(strbuf_deinit) struct strbuf out = STRBUF_INIT;
    struct json *items = answer_items(answer, "EventList", err);
    int r;

    if (!items)
        return err->code;
    r = read_items(events, items, &list, err);
    if (r < 0)
        return r;
    if (events->json && !events->follow) {
        show_json(&out, answer->document, true);
    } else if (events->json) {
        for (uint32_t i = 0; i < items->length; i++)
            show_json(&out, &items->items[i], false);
    } else {
        qsort(list.items, list.count, sizeof(*list.items), compare_events);
        for (size_t i = 0; i < list.count; i++)
            add_row(events, event_of(list.items[i].object));
        table_write(&events->table, true, &out);
    }
    show_buffer(&out);
    return 0;
}

/* following */

static int show_one(struct events *events, const char *line, size_t length, struct err *err)
{
    _cleanup_(object_unref_at) struct object *object = NULL;
    _cleanup_(strbuf_deinit) struct strbuf out = STRBUF_INIT;
    _cleanup_(answer_deinit) struct answer answer = {0};
    int r;

    r = answer_parse(&answer, line, length, err);
    if (r < 0)
        return r;
    object = event_decode(answer.document, 0, err);
    if (!object)
        return err->code;
    if (!is_wanted(events, event_of(object)))
        return 0;
    if (events->json) {
        show_json(&out, answer.document, false);
    } else {
        add_row(events, event_of(object));
        table_write(&events->table, false, &out);
    }
    show_buffer(&out);
    return 0;
}

static int follow(struct events *events, struct client *client, struct err *err)
{
    const char *line;
    size_t length;
    int r;

    client_wait(client);
    while (fflush(stdout) == 0) {
        r = client_line(client, &line, &length, err);
        if (r == 0)
            return err_set(err, -ECONNRESET,
                           "the agent has ended, or this reader was too slow for it");
        if (r > 0)
            r = show_one(events, line, length, err);
        if (r < 0)
            return r;
    }
    return 0; /* main() says that nothing can be written */
}

static int list_events(struct events *events, struct err *err)
{
    const struct client_request request = {.command = "events", .follow = events->follow};
    _cleanup_(answer_deinit) struct answer answer = {0};
    _cleanup_(client_close) struct client client;
    int r;

    r = client_open(&client, events->run_dir, &request, err);
    if (r < 0)
        return r;
    r = client_answer(&client, &answer, err);
    if (r >= 0)
        r = show_list(events, &answer, err);
    if (r < 0 || !events->follow)
        return r;
    return follow(events, &client, err);
}

static int run(struct events *events)
{
    static const char *const headers[] = {"NAMESPACE", "LAST SEEN", "TYPE", "REASON",
                                          "OBJECT",    "MESSAGE",   NULL};
    struct err err;
    int r;

    table_init(&events->table, headers);
    r = list_events(events, &err);
    table_deinit(&events->table);
    return r < 0 ? show_failure("events", &err) : EXIT_GOOD;
}

int command_events(int argc, char **argv)
{
    static const struct option options[] = {
        {"follow", no_argument, NULL, 'f'},
        {"output", required_argument, NULL, 'o'},
        {"run-dir", required_argument, NULL, OPTION_RUN_DIR},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct events events = {.run_dir = CLIENT_RUN_DIR};
    int option;

    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, ":fo:h", options, NULL)) != -1) {
        switch (option) {
        case 'f':
            events.follow = true;
            break;
        case 'o':
            if (strcmp(optarg, "text") != 0 && strcmp(optarg, "json") != 0)
                return usage_error("events", "-o takes text or json, not \"%.64s\"", optarg);
            events.json = !strcmp(optarg, "json");
            break;
        case OPTION_RUN_DIR:
            events.run_dir = optarg;
            break;
        case 'h':
            print_help();
            return EXIT_GOOD;
        default:
            return option_error("events", option, argv);
        }
    }
    if (argc - optind > 1)
        return usage_error("events", "lists those of one pod or all; \"%.64s\" is one too many",
                           argv[optind + 1]);
    events.pod = argv[optind];
    if (events.pod && name_problem(events.pod))
        return usage_error("events", "\"%.64s\": %s", events.pod, name_problem(events.pod));
    return run(&events);
}
