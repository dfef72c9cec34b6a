/* nodeagent why: what a pod that is not ready waits for. The agent knows it; this only tells it. */
#include "client.h"
#include "command.h"
#include "events.h"
#include "nodeagent/sys/clock.h"
#include "pods.h"
#include "show.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

struct why {
    const char *run_dir;
    const char *pod; /* or NULL */
    bool json;
    bool blocked; /* something is: the exit code */
};

static void print_help(void)
{
    printf(
        "Usage: nodeagent why [OPTION]... [POD]\n"
        "\n"
        "Explains what a pod waits for; without POD, what all pods that are not ready wait for,\n"
        "and what troubles the node. POD is NAME, NAMESPACE/NAME, or the beginning of a UID; the\n"
        "node's name at the end of a static pod's name may be left out.\n"
        "\n"
        "  -o, --output FORMAT   text (default) or json\n"
        "      --run-dir DIR     the agent's run directory (default " CLIENT_RUN_DIR ")\n"
        "  -h, --help            print this text\n"
        "\n"
        "Exit status: 0 ready, or nothing is blocked; 1 something is, the pod is unknown, or no\n"
        "agent answers; 2 wrong usage.\n");
}

/* reading the answer */

static bool is_ready(const struct json *pod)
{
    return json_get_bool(pod, "ready");
}

static bool has_phase(const struct json *pod, const char *phase)
{
    const struct json *value = json_get_string(pod, "phase");

    return value && json_text_is(value, phase);
}

static bool is_blocked(const struct json *pod)
{
    return answer_array(pod, "blockers").length || (!is_ready(pod) && !has_phase(pod, "Succeeded"));
}

/* telling it */

static bool time_in(const struct json *blocker, const char *name, struct arena *arena,
                    int64_t *usec)
{
    const char *text = answer_string(blocker, name, arena);

    return *text && time_parse_rfc3339(text, usec) == 0;
}

/* " (for 12s, next try in 8s)" */
static void tell_times(const struct json *blocker, const char *reason, struct arena *arena,
                       struct strbuf *out)
{
    int64_t now = (int64_t)clock_wall(), since, until;
    bool begun = time_in(blocker, "since", arena, &since);
    bool ends = time_in(blocker, "until", arena, &until);

    if (!begun && !ends)
        return;
    strbuf_add(out, " (");
    if (begun) {
        strbuf_add(out, "for ");
        show_duration(out, MAX(now - since, (int64_t)0));
    }
    if (ends) {
        strbuf_add(out, begun ? ", " : "");
        strbuf_add(out, str_has_suffix(reason, "BackOff") ? "next try in " : "ends in ");
        show_duration(out, MAX(until - now, (int64_t)0));
    }
    strbuf_add_char(out, ')');
}

static void tell_blocker(const struct json *blocker, struct arena *arena, struct strbuf *out)
{
    const char *reason = answer_string(blocker, "reason", arena);
    const char *container = answer_string(blocker, "container", arena);
    const char *text = answer_string(blocker, "text", arena);

    strbuf_add(out, "  ");
    if (*container) {
        strbuf_add(out, "container ");
        show_text(out, container);
        strbuf_add(out, ": ");
    }
    show_text(out, reason);
    strbuf_add(out, *reason && *text ? ": " : "");
    show_text(out, text);
    tell_times(blocker, reason, arena, out);
    strbuf_add_char(out, '\n');
}

static void tell_blockers(const struct json *owner, struct arena *arena, struct strbuf *out)
{
    struct json_items blockers = answer_array(owner, "blockers");

    for (uint32_t i = 0; i < blockers.length; i++)
        tell_blocker(&blockers.items[i], arena, out);
}

static int tell_events(const struct json *pod, struct strbuf *out, struct err *err)
{
    static const char *const headers[] = {"", "", "", "", "", NULL};
    struct json_items events = answer_array(pod, "events");
    _cleanup_(table_deinit) struct table table;

    table_init(&table, headers);
    for (uint32_t i = 0; i < events.length; i++) {
        _cleanup_(object_unref_at) struct object *object = event_decode(&events.items[i], i, err);

        if (!object)
            return err->code;
        table_cell(&table, COLOUR_NONE, " ");
        event_cells(event_of(object), &table);
    }
    if (events.length)
        strbuf_add(out, "  recent events:\n");
    table_write(&table, false, out);
    return 0;
}

static void tell_state(const struct json *pod, struct arena *arena, struct strbuf *out)
{
    const char *phase = answer_string(pod, "phase", arena);

    show_text(out, answer_string(pod, "namespace", arena));
    strbuf_add_char(out, '/');
    show_text(out, answer_string(pod, "name", arena));
    if (is_ready(pod)) {
        strbuf_add(out, ": ready\n");
    } else if (!strcmp(phase, "Succeeded")) {
        strbuf_add(out, ": completed\n");
    } else {
        strbuf_add(out, ": not ready (");
        show_text(out, *phase ? phase : "no phase yet");
        strbuf_add(out, ")\n");
    }
}

static void tell_usec(const struct json *object, struct arena *arena, struct strbuf *out)
{
    int64_t usec = answer_number(object, "usec", arena);

    strbuf_printf(out, "%.1f ms", (double)usec / USEC_PER_MSEC);
}

/* "  network: /etc/cni/net.d/10-web.conflist, 43.0 ms (bridge 30.1 ms, portmap 12.0 ms)" */
static void tell_network(const struct json *pod, struct arena *arena, struct strbuf *out)
{
    const struct json *network = json_get(pod, "network"), *failure;
    struct json_items plugins;

    if (!network || network->type != JSON_OBJECT)
        return;
    plugins = answer_array(network, "plugins");
    failure = json_get(network, "failure");
    strbuf_add(out, "  network: ");
    show_text(out, answer_string(network, "file", arena));
    strbuf_add(out, failure ? ", failed after " : ", ");
    tell_usec(network, arena, out);
    for (uint32_t i = 0; i < plugins.length; i++) {
        strbuf_add(out, i ? ", " : " (");
        show_text(out, answer_string(&plugins.items[i], "type", arena));
        strbuf_add_char(out, ' ');
        if (strcmp(answer_string(&plugins.items[i], "verb", arena), "ADD") != 0) {
            show_text(out, answer_string(&plugins.items[i], "verb", arena));
            strbuf_add_char(out, ' ');
        }
        tell_usec(&plugins.items[i], arena, out);
    }
    strbuf_add(out, plugins.length ? ")" : "");
    if (failure) {
        strbuf_add(out, ": ");
        show_text(out, answer_string(failure, "message", arena));
    }
    strbuf_add_char(out, '\n');
}

static int tell_pod(const struct json *pod, struct arena *arena, struct strbuf *out,
                    struct err *err)
{
    tell_state(pod, arena, out);
    if (!is_blocked(pod)) {
        tell_network(pod, arena, out);
        return 0;
    }
    tell_blockers(pod, arena, out);
    tell_network(pod, arena, out);
    return tell_events(pod, out, err);
}

static void tell_node(const struct json *document, struct arena *arena, struct strbuf *out)
{
    const struct json *node = json_get(document, "node");

    if (!answer_array(node, "blockers").length)
        return;
    strbuf_add(out, "node:\n");
    tell_blockers(node, arena, out);
}

static int tell(struct why *why, const struct json *document, struct arena *arena,
                struct strbuf *out, struct err *err)
{
    struct json_items pods = answer_array(document, "pods");

    if (!why->pod || why->blocked)
        tell_node(document, arena, out);
    for (uint32_t i = 0; i < pods.length; i++) {
        int r =
            why->pod || is_blocked(&pods.items[i]) ? tell_pod(&pods.items[i], arena, out, err) : 0;

        if (r < 0)
            return r;
    }
    if (!why->pod && !why->blocked)
        strbuf_printf(out, "nothing is blocked: %u pod%s ready or completed\n", pods.length,
                      pods.length == 1 ? " is" : "s are");
    return 0;
}

/* A manifest with something strange in it runs all the same. */
static bool node_is_blocked(const struct json *node)
{
    struct json_items blockers = answer_array(node, "blockers");

    for (uint32_t i = 0; i < blockers.length; i++) {
        const struct json *reason = json_get_string(&blockers.items[i], "reason");

        if (!reason || !json_text_is(reason, "ManifestWarning"))
            return true;
    }
    return false;
}

static void judge(struct why *why, const struct json *document)
{
    struct json_items pods = answer_array(document, "pods");

    why->blocked = !why->pod && node_is_blocked(json_get(document, "node"));
    for (uint32_t i = 0; i < pods.length; i++)
        why->blocked |= is_blocked(&pods.items[i]);
}

static int explain(struct why *why, struct strbuf *out, struct err *err)
{
    const struct client_request request = {.command = "why", .pod = why->pod};
    _cleanup_(answer_deinit) struct answer answer = {0};
    const struct json *pods;
    int r;

    r = client_fetch(&answer, why->run_dir, &request, err);
    if (r < 0)
        return r;
    pods = json_get(answer.document, "pods");
    if (!pods || pods->type != JSON_ARRAY)
        return err_set(err, -EPROTO,
                       "the agent's answer has no \"pods\"; is it of another version?");
    judge(why, answer.document);
    if (!why->json)
        return tell(why, answer.document, &answer.arena, out, err);
    show_json(out, answer.document, true);
    return 0;
}

static int run(struct why *why)
{
    _cleanup_(strbuf_deinit) struct strbuf out = STRBUF_INIT;
    struct err err;

    if (explain(why, &out, &err) < 0)
        return show_failure("why", &err);
    show_buffer(&out);
    return why->blocked ? EXIT_BAD : EXIT_GOOD;
}

int command_why(int argc, char **argv)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'},
        {"run-dir", required_argument, NULL, OPTION_RUN_DIR},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct why why = {.run_dir = CLIENT_RUN_DIR};
    int option;

    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, ":o:h", options, NULL)) != -1) {
        switch (option) {
        case 'o':
            if (strcmp(optarg, "text") != 0 && strcmp(optarg, "json") != 0)
                return usage_error("why", "-o takes text or json, not \"%.64s\"", optarg);
            why.json = !strcmp(optarg, "json");
            break;
        case OPTION_RUN_DIR:
            why.run_dir = optarg;
            break;
        case 'h':
            print_help();
            return EXIT_GOOD;
        default:
            return option_error("why", option, argv);
        }
    }
    if (argc - optind > 1)
        return usage_error("why", "explains one pod or all; \"%.64s\" is one too many",
                           argv[optind + 1]);
    why.pod = argv[optind];
    if (why.pod && name_problem(why.pod))
        return usage_error("why", "\"%.64s\": %s", why.pod, name_problem(why.pod));
    return run(&why);
}
