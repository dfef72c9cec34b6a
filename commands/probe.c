/* nodeagent probe: reads the command line, and becomes the program that makes the attempts. */
#include "probe.h"
#include "client.h"
#include "command.h"
#include "nodeagent/base/time.h"
#include "pods.h"
#include "show.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

static void print_help(void)
{
    printf(
        "Usage: nodeagent probe [OPTION]... TARGET\n"
        "       nodeagent probe [OPTION]... POD [-- COMMAND...]\n"
        "       nodeagent probe [OPTION]... -f FILE [-- COMMAND...]\n"
        "       nodeagent probe [OPTION]... exec --container ID -- COMMAND...\n"
        "\n"
        "Makes the attempt that the agent would make, now, and tells what came of it: target,\n"
        "times, answer, verdict, event, and what would follow. The agent's own state stays as\n"
        "it is. TARGET is http://HOST[:PORT][/PATH], https://..., tcp://HOST:PORT or\n"
        "grpc://HOST:PORT[/SERVICE]. Of a POD all probes are made, or those that are chosen.\n"
        "\n"
        "  -c, --container NAME  only probes of this container; of exec: the container's id\n"
        "  -t, --type TYPE       only liveness, readiness or startup probes\n"
        "  -f, --filename FILE   the pod is in this file; - is standard input\n"
        "      --ip ADDRESS      the pod's address, in place of its own\n"
        "  -n, --count N         so many attempts of each probe, a period apart\n"
        "  -w, --watch           attempts until interrupted\n"
        "  -o, --output FORMAT   text (default) or json: a line for each attempt\n"
        "      --show-secrets    also values of headers such as Authorization and Cookie\n"
        "      --container-runtime-endpoint URL\n"
        "                        of exec (default unix:///run/containerd/containerd.sock)\n"
        "      --run-dir DIR     the agent's run directory (default " CLIENT_RUN_DIR ")\n"
        "  -h, --help            print this text\n"
        "\n"
        "In place of what the probe says:\n"
        "      --timeout, --period, --initial-delay DURATION      as 200ms, 1.5s\n"
        "      --success-threshold, --failure-threshold N\n"
        "      --path PATH, --host HOST, --port PORT, --scheme HTTP|HTTPS, --service NAME\n"
        "      --header 'NAME: VALUE'    replaces headers of this name; may be repeated\n"
        "      --close fin               end connections with a FIN, in place of a reset\n"
        "\n"
        "Exit status: 0 success or warning, 1 failure, 2 wrong usage, or no such pod, container\n"
        "or probe, 3 no attempt could be made. Of several the worst: 2, 3, 1, 0.\n");
}

static int complain(const char *option, const char *value, const char *remedy)
{
    return usage_error("probe", "%s \"%.64s\": %s", option, value, remedy);
}

/* values */

static int take_duration(usec_t *usec, const char *option, usec_t least)
{
    int64_t nanoseconds;

    if (duration_parse(optarg, &nanoseconds) < 0 || nanoseconds < 0)
        return complain(option, optarg, "must be a duration such as 200ms or 1.5s");
    *usec = (usec_t)nanoseconds / 1000;
    if (*usec < least)
        return complain(option, optarg, "must be at least 1ms");
    return EXIT_GOOD;
}

static int take_number(int64_t *number, const char *option, int64_t most)
{
    if (str_to_i64(optarg, number) == 0 && *number >= 1 && *number <= most)
        return EXIT_GOOD;
    return complain(option, optarg, "must be a number from 1");
}

static int take_type(struct probe_flags *flags)
{
    static const char *const types[] = {"Liveness", "Readiness", "Startup"};

    for (size_t i = 0; i < array_size(types); i++)
        if (!strcasecmp(optarg, types[i])) {
            flags->type = types[i];
            return EXIT_GOOD;
        }
    return complain("--type", optarg, "must be liveness, readiness or startup");
}

static int take_header(struct probe_flags *flags, struct arena *arena)
{
    const char *colon = strchr(optarg, ':'), *value;

    if (!colon || colon == optarg)
        return complain("--header", optarg, "must be NAME: VALUE");
    if (flags->header_count == PROBE_HEADERS_MAX)
        return usage_error("probe", "--header: more than %d", PROBE_HEADERS_MAX);
    for (value = colon + 1; *value == ' ';)
        value++;
    flags->headers[flags->header_count++] = (struct http_header){
        .name = arena_strndup(arena, optarg, (size_t)(colon - optarg)),
        .value = value,
    };
    return EXIT_GOOD;
}

static int take_word(bool *is_it, const char *option, const char *it, const char *otherwise)
{
    *is_it = !strcmp(optarg, it);
    if (*is_it || !strcmp(optarg, otherwise))
        return EXIT_GOOD;
    return usage_error("probe", "%s takes %s or %s, not \"%.64s\"", option, otherwise, it, optarg);
}

/* options */

enum {
    PROBE_IP = OPTION_OWN,
    PROBE_SHOW_SECRETS,
    PROBE_ENDPOINT,
    PROBE_PERIOD,
    PROBE_DELAY,
    PROBE_SUCCESSES,
    PROBE_FAILURES,
    PROBE_PATH,
    PROBE_HOST,
    PROBE_PORT,
    PROBE_SCHEME,
    PROBE_SERVICE,
    PROBE_HEADER,
    PROBE_CLOSE,
};

static const struct option options[] = {
    {"container", required_argument, NULL, 'c'},
    {"type", required_argument, NULL, 't'},
    {"filename", required_argument, NULL, 'f'},
    {"ip", required_argument, NULL, PROBE_IP},
    {"count", required_argument, NULL, 'n'},
    {"watch", no_argument, NULL, 'w'},
    {"output", required_argument, NULL, 'o'},
    {"show-secrets", no_argument, NULL, PROBE_SHOW_SECRETS},
    {"container-runtime-endpoint", required_argument, NULL, PROBE_ENDPOINT},
    {"run-dir", required_argument, NULL, OPTION_RUN_DIR},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"period", required_argument, NULL, PROBE_PERIOD},
    {"initial-delay", required_argument, NULL, PROBE_DELAY},
    {"success-threshold", required_argument, NULL, PROBE_SUCCESSES},
    {"failure-threshold", required_argument, NULL, PROBE_FAILURES},
    {"path", required_argument, NULL, PROBE_PATH},
    {"host", required_argument, NULL, PROBE_HOST},
    {"port", required_argument, NULL, PROBE_PORT},
    {"scheme", required_argument, NULL, PROBE_SCHEME},
    {"service", required_argument, NULL, PROBE_SERVICE},
    {"header", required_argument, NULL, PROBE_HEADER},
    {"close", required_argument, NULL, PROBE_CLOSE},
    {"help", no_argument, NULL, 'h'},
    {0},
};

/* What is kept as it was written. */
static const char **text_of(struct probe_flags *flags, int option)
{
    switch (option) {
    case 'c':
        return &flags->container;
    case 'f':
        return &flags->file;
    case PROBE_IP:
        return &flags->ip;
    case PROBE_ENDPOINT:
        return &flags->runtime_endpoint;
    case OPTION_RUN_DIR:
        return &flags->run_dir;
    case PROBE_PATH:
        return &flags->path;
    case PROBE_HOST:
        return &flags->host;
    case PROBE_PORT:
        return &flags->port;
    case PROBE_SCHEME:
        return &flags->scheme;
    case PROBE_SERVICE:
        return &flags->service;
    default:
        return NULL;
    }
}

static int take_text(const char **text)
{
    if (utf8_check(optarg, strlen(optarg)))
        return usage_error("probe", "\"%.64s\": must be UTF-8", optarg);
    *text = optarg;
    return EXIT_GOOD;
}

static int take_option(struct probe_flags *flags, int option, char **argv, struct arena *arena)
{
    const char **text = text_of(flags, option);

    if (text)
        return take_text(text);
    switch (option) {
    case 't':
        return take_type(flags);
    case 'n':
        return take_number(&flags->count, "--count", INT32_MAX);
    case 'w':
        flags->watch = true;
        return EXIT_GOOD;
    case 'o':
        return take_word(&flags->json, "-o", "json", "text");
    case PROBE_SHOW_SECRETS:
        flags->show_secrets = true;
        return EXIT_GOOD;
    case OPTION_TIMEOUT:
        return take_duration(&flags->timeout, "--timeout", USEC_PER_MSEC);
    case PROBE_PERIOD:
        return take_duration(&flags->period, "--period", USEC_PER_MSEC);
    case PROBE_DELAY:
        return take_duration(&flags->delay, "--initial-delay", 0);
    case PROBE_SUCCESSES:
        return take_number(&flags->success_threshold, "--success-threshold", INT32_MAX);
    case PROBE_FAILURES:
        return take_number(&flags->failure_threshold, "--failure-threshold", INT32_MAX);
    case PROBE_HEADER:
        return take_header(flags, arena);
    case PROBE_CLOSE:
        return take_word(&flags->close, "--close", "fin", "reset");
    default:
        return option_error("probe", option, argv);
    }
}

/* what it is about */

static int take_command(struct probe_flags *flags, char **words, size_t count, struct arena *arena)
{
    struct string_list *command = arena_new(arena, struct string_list);

    command->items = (const char **)words;
    command->count = count;
    for (size_t i = 0; i < count; i++)
        if (utf8_check(words[i], strlen(words[i])))
            return usage_error("probe", "the command must be UTF-8");
    flags->command = count ? command : NULL;
    return EXIT_GOOD;
}

static int take_words(struct probe_flags *flags, char **words, struct arena *arena)
{
    bool exec = !flags->file && words[0] && !strcmp(words[0], "exec");
    size_t count = 0;

    while (words[count])
        count++;
    if (!flags->file && !count)
        return usage_error("probe", "name a target, a pod, or a file with -f");
    if (exec && (count < 2 || !flags->container))
        return usage_error("probe", "exec needs --container ID and -- COMMAND...");
    if (!flags->file && !exec)
        flags->target = words[0];
    if (flags->target && !probe_target_is_url(flags->target) && name_problem(flags->target))
        return usage_error("probe", "\"%.64s\": %s", flags->target, name_problem(flags->target));
    if (flags->target && probe_target_is_url(flags->target) && count > 1)
        return usage_error("probe", "\"%.64s\" is one target too many", words[1]);
    return take_command(flags, flags->file ? words : words + 1, count - !flags->file, arena);
}

static int check(const struct probe_flags *flags)
{
    if (flags->watch && flags->count)
        return usage_error("probe", "--count and --watch: one of them");
    if (flags->success_threshold > 1 && flags->type && strcmp(flags->type, "Readiness") != 0)
        return usage_error("probe", "--success-threshold: must be 1 but of readiness probes");
    return EXIT_GOOD;
}

static int find(struct probe_errand *errand, const struct probe_flags *flags)
{
    if (flags->file)
        return probe_pod_load(errand, flags);
    if (!flags->target || probe_target_is_url(flags->target))
        return probe_target_read(errand, flags);
    return probe_pod_ask(errand, flags);
}

/* handing over */

static int hand_over(const struct strbuf *order)
{
    char program[] = "nodeagentd", command[] = "probe", number[16];
    char *arguments[] = {program, command, number, NULL};
    int fd = memfd_create("probe-order", 0);
    struct err err;

    if (fd < 0 || write(fd, order->text, order->length) != (ssize_t)order->length ||
        lseek(fd, 0, SEEK_SET) < 0) {
        err_set(&err, -errno, "no memory for what is to be probed: %m");
        show_failure("probe", &err);
        return EXIT_UNABLE;
    }
    snprintf(number, sizeof(number), "%d", fd);
    run_service("probe", arguments);
    return EXIT_UNABLE;
}

static int run(const struct probe_flags *flags)
{
    struct probe_errand errand = {.arena = ARENA_INIT_DOCUMENT};
    _cleanup_(strbuf_deinit) struct strbuf order = STRBUF_INIT;
    int code = find(&errand, flags);

    if (code == EXIT_GOOD)
        code = probe_order_write(&errand, flags, &order);
    probe_errand_deinit(&errand);
    return code == EXIT_GOOD ? hand_over(&order) : code;
}

int command_probe(int argc, char **argv)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct probe_flags flags = {
        .run_dir = CLIENT_RUN_DIR,
        .timeout = USEC_NEVER,
        .period = USEC_NEVER,
        .delay = USEC_NEVER,
    };
    int option, code = EXIT_GOOD;

    opterr = 0;
    optind = 1;
    while (!code && (option = getopt_long(argc, argv, ":c:t:f:n:wo:h", options, NULL)) != -1) {
        if (option == 'h') {
            print_help();
            return EXIT_GOOD;
        }
        code = take_option(&flags, option, argv, &arena);
    }
    if (!code)
        code = take_words(&flags, argv + optind, &arena);
    if (!code)
        code = check(&flags);
    return code ? code : run(&flags);
}
