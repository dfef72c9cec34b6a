/* nodeagent probes: the probes of this node's pods, and how they go. */
#include "client.h"
#include "command.h"
#include "nodeagent/base/mem.h"
#include "pods.h"
#include "show.h"
#include "sparkline.h"
#include "watch.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

struct probes {
    const char *run_dir;
    bool json;
    bool wide;
    bool watch;
    bool metrics;
    struct sparkline_style style;
    char **names; /* ends in NULL; none: all pods */
};

static void print_help(void)
{
    printf("Usage: nodeagent probes [OPTION]... [POD]...\n"
           "\n"
           "Lists the probes of the pods that this node's agent runs, all or those that are\n"
           "named, and how each goes. POD is NAME, NAMESPACE/NAME, or the beginning of a UID;\n"
           "the node's name at the end of a static pod's name may be left out.\n"
           "\n"
           "  -o, --output FORMAT   wide: also timing, counts and what was wrong last;\n"
           "                        json: all that the agent knows, each result with its times\n"
           "  -w, --watch           again each second until interrupted\n"
           "      --metrics         what is counted, in Prometheus' text format\n"
           "      --run-dir DIR     the agent's run directory (default " CLIENT_RUN_DIR ")\n"
           "  -h, --help            print this text\n"
           "\n"
           "HISTORY has the last 32 results, the newest last. A bar's height is how long it\n"
           "took: below 1 ms, and each step four times the one before. What failed is red, or a\n"
           "letter: R refused, C connect timeout, N no response in time, S bad status, T TLS,\n"
           "X exec exit, K exec timeout, B broken; and w warning, a agent late, e errored.\n"
           "\n"
           "nodeagent probe POD tries a probe now.\n"
           "\n"
           "Exit status: 0 good, 1 no agent answers or a pod is unknown, 2 wrong usage.\n");
}

/* cells */

static void add_text_cell(struct table *table, const struct strbuf *text)
{
    table_cell(table, COLOUR_NONE, text->length ? text->text : "-");
}

static void add_span(struct table *table, bool known, int64_t usec)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

    if (known)
        show_span(&text, (usec_t)MAX(usec, (int64_t)0));
    add_text_cell(table, &text);
}

static void add_state(struct table *table, const char *state)
{
    enum colour colour = !strcmp(state, "passing") || !strcmp(state, "passed") ? COLOUR_GREEN
                         : !strcmp(state, "failing")                           ? COLOUR_RED
                                                                               : COLOUR_YELLOW;

    table_cell(table, colour, state);
}

/* "2 of 3 failed"; a run that is longer than its threshold only counts. */
static void add_run(struct table *table, const struct json *probe, struct arena *arena)
{
    bool good = json_get_bool(probe, "runSucceeded");
    int64_t run = answer_number(probe, "run", arena);
    int64_t needed = answer_number(probe, good ? "successThreshold" : "failureThreshold", arena);
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

    if (run && run <= needed && !(good && needed == 1))
        strbuf_printf(&text, "%lld of %lld %s", (long long)run, (long long)needed,
                      good ? "passed" : "failed");
    else if (run)
        strbuf_printf(&text, "%lld %s", (long long)run, good ? "passed" : "failed");
    add_text_cell(table, &text);
}

static void add_next(struct table *table, const struct json *probe, struct arena *arena)
{
    if (json_get_bool(probe, "inFlight"))
        table_cell(table, COLOUR_NONE, "now");
    else
        add_span(table, json_get(probe, "nextMicroseconds") != NULL,
                 answer_number(probe, "nextMicroseconds", arena));
}

/* "bad status (500)" */
static void add_last(struct table *table, const struct json *entry, struct arena *arena)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    int64_t code;

    if (entry) {
        code = answer_number(entry, "code", arena);
        strbuf_add(&text, answer_string(entry, "verdict", arena));
        if (code)
            strbuf_printf(&text, " (%lld)", (long long)code);
    }
    add_text_cell(table, &text);
}

static void add_history(const struct probes *probes, struct table *table,
                        const struct json_items *history, struct arena *arena)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

    for (uint32_t i = 0; i < history->length; i++)
        sparkline_add(&text, &probes->style, answer_string(&history->items[i], "verdict", arena),
                      (usec_t)answer_number(&history->items[i], "totalMicroseconds", arena));
    table_cell_drawn(table, text.length ? text.text : "-", MAX(history->length, 1U));
}

/* rows */

static void add_wide(struct table *table, const struct json *probe, struct arena *arena)
{
    _cleanup_(strbuf_deinit) struct strbuf count = STRBUF_INIT;

    add_span(table, true, answer_number(probe, "periodMicroseconds", arena));
    add_span(table, true, answer_number(probe, "timeoutMicroseconds", arena));
    add_span(table, true, answer_number(probe, "longestLateMicroseconds", arena));
    strbuf_printf(&count, "%lld", (long long)answer_number(probe, "attempts", arena));
    add_text_cell(table, &count);
}

static void add_row(const struct probes *probes, struct table *table, const struct json *probe,
                    struct arena *arena)
{
    struct json_items history = answer_array(probe, "history");
    const struct json *last = history.length ? &history.items[history.length - 1] : NULL;
    const char *text = answer_string(probe, "text", arena);

    table_cell(table, COLOUR_NONE,
               arena_printf(arena, "%s/%s", answer_string(probe, "namespace", arena),
                            answer_string(probe, "pod", arena)));
    table_cell(table, COLOUR_NONE, answer_string(probe, "container", arena));
    table_cell(table, COLOUR_NONE, answer_string(probe, "type", arena));
    table_cell(table, COLOUR_NONE, answer_string(probe, "handler", arena));
    add_state(table, answer_string(probe, "state", arena));
    add_run(table, probe, arena);
    add_next(table, probe, arena);
    add_last(table, last, arena);
    add_span(table, last, last ? answer_number(last, "totalMicroseconds", arena) : 0);
    add_span(table, last, last ? answer_number(last, "lateMicroseconds", arena) : 0);
    if (probes->wide)
        add_wide(table, probe, arena);
    add_history(probes, table, &history, arena);
    if (probes->wide)
        table_cell(table, COLOUR_NONE, *text ? text : "-");
}

/* answers */

struct answers {
    struct answer *items; /* one for each pod that was asked for */
    size_t count;
    struct arena arena;
    struct json_items *probes; /* of each answer */
};

static void answers_deinit(struct answers *answers)
{
    for (size_t i = 0; i < answers->count; i++)
        answer_deinit(&answers->items[i]);
    free(answers->items);
    free(answers->probes);
    arena_deinit(&answers->arena);
}

static int ask(const struct probes *probes, const char *pod, struct answers *answers,
               struct err *err)
{
    const struct client_request request = {.command = "probes", .pod = pod};
    struct answer *answer = &answers->items[answers->count];
    int r = client_fetch(answer, probes->run_dir, &request, err);

    if (r < 0)
        return r;
    answers->probes[answers->count++] = answer_array(answer->document, "probes");
    if (!answers->probes[answers->count - 1].items && !json_get(answer->document, "probes"))
        return err_set(err, -EPROTO,
                       "the agent's answer has no \"probes\"; is it of another version?");
    return 0;
}

static int ask_all(const struct probes *probes, struct answers *answers, struct err *err)
{
    size_t count = 1;
    int r = 0;

    while (probes->names[0] && probes->names[count])
        count++;
    answers->arena = ARENA_INIT_DOCUMENT;
    answers->items = mem_zalloc(sizeof(*answers->items) * count);
    answers->probes = mem_zalloc(sizeof(*answers->probes) * count);
    for (size_t i = 0; i < count && r == 0; i++)
        r = ask(probes, probes->names[i], answers, err);
    return r;
}

static int compare_probes(const void *a, const void *b)
{
    static const char *const order[] = {"namespace", "pod", "container", "type"};

    for (size_t i = 0; i < array_size(order); i++) {
        const struct json *one = json_get_string(*(const struct json *const *)a, order[i]);
        const struct json *two = json_get_string(*(const struct json *const *)b, order[i]);
        size_t common = one && two ? MIN(one->length, two->length) : 0;
        int r = common ? memcmp(one->text, two->text, common) : 0;

        if (!r && one && two)
            r = (one->length > two->length) - (one->length < two->length);
        if (r)
            return r;
    }
    return 0;
}

/* All of them, in the order of their pods' names. */
static const struct json **sorted(struct answers *answers, size_t *count)
{
    const struct json **probes;

    *count = 0;
    for (size_t i = 0; i < answers->count; i++)
        *count += answers->probes[i].length;
    probes = arena_array(&answers->arena, const struct json *, *count);
    *count = 0;
    for (size_t i = 0; i < answers->count; i++)
        for (uint32_t j = 0; j < answers->probes[i].length; j++)
            probes[(*count)++] = &answers->probes[i].items[j];
    qsort(probes, *count, sizeof(struct json *), compare_probes);
    return probes;
}

static void write_table(const struct probes *probes, struct answers *answers, struct strbuf *out)
{
    static const char *const headers[] = {"POD",  "CONTAINER", "TYPE", "HANDLER", "STATE",   "RUN",
                                          "NEXT", "LAST",      "TIME", "LATE",    "HISTORY", NULL};
    static const char *const wide[] = {
        "POD",  "CONTAINER", "TYPE",    "HANDLER", "STATE", "RUN",     "NEXT",    "LAST", "TIME",
        "LATE", "PERIOD",    "TIMEOUT", "LATEST",  "COUNT", "HISTORY", "TROUBLE", NULL};
    _cleanup_(table_deinit) struct table table;
    size_t count;
    const struct json **items = sorted(answers, &count);

    table_init(&table, probes->wide ? wide : headers);
    for (size_t i = 0; i < count; i++)
        add_row(probes, &table, items[i], &answers->arena);
    table_write(&table, true, out);
}

static void write_json(struct answers *answers, struct strbuf *out)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    size_t count;
    const struct json **items = sorted(answers, &count);
    struct json_writer writer;

    json_writer_init(&writer, &text, true);
    json_write_object(&writer);
    json_write_name(&writer, "probes");
    json_write_array(&writer);
    for (size_t i = 0; i < count; i++)
        json_write_value(&writer, items[i]);
    json_write_array_end(&writer);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
    show_json_text(out, &text);
}

static int list_probes(void *data, struct strbuf *out, struct err *err)
{
    const struct probes *probes = data;
    _cleanup_(answers_deinit) struct answers answers = {0};
    int r = ask_all(probes, &answers, err);

    if (r < 0)
        return r;
    if (probes->json)
        write_json(&answers, out);
    else
        write_table(probes, &answers, out);
    return 0;
}

static int write_metrics(void *data, struct strbuf *out, struct err *err)
{
    const struct probes *probes = data;
    const struct client_request request = {.command = "metrics"};
    _cleanup_(answer_deinit) struct answer answer = {0};
    int r = client_fetch(&answer, probes->run_dir, &request, err);

    if (r < 0)
        return r;
    if (answer.document->type != JSON_STRING)
        return err_set(err, -EPROTO, "the agent's answer is no text; is it of another version?");
    strbuf_add_bytes(out, answer.document->text, answer.document->length);
    return 0;
}

static int run(struct probes *probes)
{
    _cleanup_(strbuf_deinit) struct strbuf out = STRBUF_INIT;
    watch_fn *write = probes->metrics ? write_metrics : list_probes;
    struct err err;

    if (probes->watch)
        return watch_run("probes", write, probes);
    if (write(probes, &out, &err) < 0)
        return show_failure("probes", &err);
    show_buffer(&out);
    return EXIT_GOOD;
}

static int check(const struct probes *probes)
{
    if (probes->metrics && (*probes->names || probes->json || probes->wide))
        return usage_error("probes", "--metrics is of all pods, and has a format of its own");
    for (char **name = probes->names; *name; name++)
        if (name_problem(*name))
            return usage_error("probes", "\"%.64s\": %s", *name, name_problem(*name));
    return EXIT_GOOD;
}

int command_probes(int argc, char **argv)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'},
        {"watch", no_argument, NULL, 'w'},
        {"metrics", no_argument, NULL, OPTION_METRICS},
        {"run-dir", required_argument, NULL, OPTION_RUN_DIR},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct probes probes = {.run_dir = CLIENT_RUN_DIR, .style = sparkline_style()};
    int option, code;

    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, ":o:wh", options, NULL)) != -1) {
        switch (option) {
        case 'o':
            if (strcmp(optarg, "wide") != 0 && strcmp(optarg, "json") != 0)
                return usage_error("probes", "-o takes wide or json, not \"%.64s\"", optarg);
            probes.json = !strcmp(optarg, "json");
            probes.wide = !probes.json;
            break;
        case 'w':
            probes.watch = true;
            break;
        case OPTION_METRICS:
            probes.metrics = true;
            break;
        case OPTION_RUN_DIR:
            probes.run_dir = optarg;
            break;
        case 'h':
            print_help();
            return EXIT_GOOD;
        default:
            return option_error("probes", option, argv);
        }
    }
    probes.names = argv + optind;
    code = check(&probes);
    return code ? code : run(&probes);
}
