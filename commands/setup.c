/* nodeagent setup: the command line, and what is said about what was found and done. */
#include "setup.h"
#include "command.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/cni.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG "/etc/containerd/config.toml"
#define PRIVATE_DIR "/etc/nodeagent/cni/net.d"
#define BUILT_IN_SUBNETS "10.85.0.0/16"

static void print_help(void)
{
    printf(
        "Usage: nodeagent setup containerd [OPTION]...\n"
        "\n"
        "Puts nodeagent-cni between containerd and the networks of this node: containerd's CNI\n"
        "directory becomes a private one, whose only list names nodeagent-cni, which runs the\n"
        "network in /etc/cni/net.d. containerd is not restarted.\n"
        "\n"
        "      --check                only say what is right and what is not\n"
        "      --dry-run              only print what would be changed\n"
        "      --undo                 give containerd the directory back that it had\n"
        "      --config FILE          containerd's (" CONFIG ")\n"
        "      --containerd PROGRAM   containerd, which is asked what it makes of FILE\n"
        "      --conf-dir DIR         the private directory (" PRIVATE_DIR ")\n"
        "  -h, --help                 print this text\n"
        "\n"
        "What nodeagent-cni is to take, where it is not as usual; it is kept in the list:\n"
        "\n"
        "      --public-conf-dir DIR  where networks are (" CNI_CONF_DIR
        ", or what containerd had)\n"
        "      --bin-dir DIR[,DIR]... where their plugins are (where containerd has them)\n"
        "      --cache-dir DIR        libcni's cache (" CNI_CACHE_DIR ")\n"
        "      --agent-socket PATH    where the agent is told (" CNI_AGENT_SOCKET ")\n"
        "      --built-in[=SUBNETS]   allow a bridge network while none is configured, with one\n"
        "                             subnet of each family (" BUILT_IN_SUBNETS "); or none\n"
        "\n"
        "Exit status: 0 all is right, 1 something is not, 2 wrong usage, 3 it could not be "
        "seen.\n");
}

/* saying */

static _printf_(2, 0) void say(const char *what, const char *format, va_list arguments)
{
    struct err err; /* makes what it quotes printable */

    err_setv(&err, -EINVAL, format, arguments);
    printf("%s: %s\n", what, err.text);
}

void setup_wrong(struct setup *setup, const char *format, ...)
{
    va_list arguments;

    setup->problems++;
    va_start(arguments, format);
    say("wrong", format, arguments);
    va_end(arguments);
}

void setup_good(struct setup *setup, const char *format, ...)
{
    va_list arguments;

    if (setup->options->mode != SETUP_CHECK)
        return;
    va_start(arguments, format);
    say("good", format, arguments);
    va_end(arguments);
}

static int failed(const struct err *err, int code)
{
    fflush(stdout);
    fprintf(stderr, "nodeagent setup: %s\n", err->text);
    return code;
}

/* doing */

static void print_change(const struct setup *setup, const struct setup_change *change)
{
    bool done = setup->options->mode != SETUP_DRY_RUN;

    if (change->backup)
        printf("%s %s as %s\n", done ? "kept" : "would keep", change->path, change->backup);
    if (change->link)
        printf("%s %s to %s\n", done ? "linked" : "would link", change->path, change->link);
    else if (!change->after)
        printf("%s %s\n", done ? "removed" : "would remove", change->path);
    else if (change->before)
        printf("%s %s\n", done ? "changed" : "would change", change->path);
    else
        printf("%s %s\n", done ? "wrote" : "would write", change->path);
    if (change->before || !done)
        change_print(change);
}

static void print_rest(const struct setup *setup)
{
    if (!setup->containerd.program)
        printf("note: no containerd was found to ask what it makes of this; --containerd names "
               "it\n");
    printf("left to do: restart containerd (systemctl restart containerd); pods keep running\n");
    if (setup->options->mode == SETUP_UNDO)
        printf("note: until then it needs %s and %s; afterwards they do no harm\n", setup->list,
               CNI_PROGRAM);
}

static int make_changes(struct setup *setup)
{
    bool config = false;
    struct err err;

    for (size_t i = 0; i < setup->change_count; i++) {
        const struct setup_change *change = &setup->changes[i];
        bool of_list = change->link || change->path == setup->list;
        int r = of_list ? change_make(change, &err) : plan_carry_out(setup, change, &err);

        if (r < 0)
            return failed(&err, EXIT_BAD);
        print_change(setup, change);
        config = config || !of_list;
    }
    if (!setup->change_count)
        printf("nothing to do\n");
    if (config)
        print_rest(setup);
    return setup->problems ? EXIT_BAD : EXIT_GOOD;
}

static int say_what_is_wrong(struct setup *setup)
{
    for (size_t i = 0; i < setup->change_count; i++)
        setup_wrong(setup, "%s: nodeagent setup containerd changes that", setup->changes[i].wrong);
    if (!setup->containerd.dumped)
        printf("note: containerd itself was not asked: %s\n",
               setup->containerd.program ? "it does not load its configuration"
                                         : "none was found; --containerd names it");
    return setup->problems ? EXIT_BAD : EXIT_GOOD;
}

static int say_what_would_be(struct setup *setup)
{
    for (size_t i = 0; i < setup->change_count; i++)
        print_change(setup, &setup->changes[i]);
    if (!setup->change_count)
        printf("nothing to do\n");
    return setup->problems ? EXIT_BAD : EXIT_GOOD;
}

static int run(struct setup *setup)
{
    enum setup_mode mode = setup->options->mode;
    struct err err;

    if (containerd_look(&setup->containerd, setup->options, &setup->arena, &err) < 0)
        return failed(&err, EXIT_UNABLE);
    if (mode == SETUP_UNDO)
        return plan_undo(setup, &err) < 0 ? failed(&err, EXIT_BAD) : make_changes(setup);
    plan_problems(setup);
    if (setup->blocked && mode != SETUP_CHECK) {
        printf("nothing was changed\n");
        return EXIT_BAD;
    }
    if (plan_changes(setup, &err) < 0)
        return failed(&err, EXIT_BAD);
    if (mode == SETUP_CHECK)
        return say_what_is_wrong(setup);
    return mode == SETUP_DRY_RUN ? say_what_would_be(setup) : make_changes(setup);
}

static int run_setup(const struct setup_options *options)
{
    struct setup setup = {.options = options, .arena = ARENA_INIT_DOCUMENT};
    int code;

    signal(SIGPIPE, SIG_IGN);
    setup.list = arena_printf(&setup.arena, "%s/%s", options->conf_dir, SETUP_LIST);
    code = run(&setup);
    containerd_deinit(&setup.containerd);
    strbuf_deinit(&setup.list_text);
    arena_deinit(&setup.arena);
    return code;
}

/* the command line */

static bool is_path(const char *path)
{
    return *path == '/' && strlen(path) < PATH_MAX && !utf8_check(path, strlen(path)) &&
           !strpbrk(path, "\n\r\t");
}

/* An absolute path, without slashes at its end. */
static int take_path(const char *option, char *path, const char **taken)
{
    size_t length = strlen(path);

    if (!is_path(path))
        return usage_error("setup", "%s takes an absolute path, not \"%.64s\"", option, path);
    while (length > 1 && path[length - 1] == '/')
        path[--length] = '\0';
    *taken = path;
    return 0;
}

static int take_bin_dirs(char *words, const char **taken)
{
    for (const char *word = words; *word; word++)
        if ((word == words || word[-1] == ',') && *word != '/')
            return usage_error("setup", "--bin-dir takes absolute paths, not \"%.64s\"", word);
    if (!is_path(words) || words[strlen(words) - 1] == ',' || strchr(words, ':'))
        return usage_error("setup", "--bin-dir takes absolute paths, not \"%.64s\"", words);
    *taken = words;
    return 0;
}

static int take_built_in(const char *subnets, const char **taken)
{
    const char *complaint;

    *taken = subnets ? subnets : BUILT_IN_SUBNETS;
    complaint = list_check_built_in(*taken);
    if (complaint)
        return usage_error("setup", "--built-in: \"%.64s\": each %s", *taken, complaint);
    return 0;
}

static int take_mode(struct setup_options *options, enum setup_mode mode)
{
    if (options->mode != SETUP_DO && options->mode != mode)
        return usage_error("setup", "--check, --dry-run and --undo exclude one another");
    options->mode = mode;
    return 0;
}

static int take_option(struct setup_options *options, int option)
{
    switch (option) {
    case OPTION_CHECK:
        return take_mode(options, SETUP_CHECK);
    case OPTION_DRY_RUN:
        return take_mode(options, SETUP_DRY_RUN);
    case OPTION_UNDO:
        return take_mode(options, SETUP_UNDO);
    case OPTION_CONFIG:
        return take_path("--config", optarg, &options->config);
    case OPTION_CONTAINERD:
        return take_path("--containerd", optarg, &options->containerd);
    case OPTION_CONF_DIR:
        return take_path("--conf-dir", optarg, &options->conf_dir);
    case OPTION_PUBLIC_CONF_DIR:
        return take_path("--public-conf-dir", optarg, &options->public_conf_dir);
    case OPTION_BIN_DIR:
        return take_bin_dirs(optarg, &options->bin_dirs);
    case OPTION_CACHE_DIR:
        return take_path("--cache-dir", optarg, &options->cache_dir);
    case OPTION_AGENT_SOCKET:
        return take_path("--agent-socket", optarg, &options->agent_socket);
    default:
        return take_built_in(optarg, &options->built_in);
    }
}

static int check_arguments(int argc, char **argv, const struct setup_options *options)
{
    if (optind == argc)
        return usage_error("setup", "say what is to be set up: containerd");
    if (strcmp(argv[optind], "containerd") != 0)
        return usage_error("setup", "only containerd can be set up, not \"%.64s\"", argv[optind]);
    if (optind + 1 < argc)
        return usage_error("setup", "unexpected argument \"%.64s\"", argv[optind + 1]);
    if (str_equal(options->public_conf_dir, options->conf_dir))
        return usage_error("setup", "the private directory cannot be where networks are");
    return 0;
}

int command_setup(int argc, char **argv)
{
    static const struct option known[] = {
        {"check", no_argument, NULL, OPTION_CHECK},
        {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
        {"undo", no_argument, NULL, OPTION_UNDO},
        {"config", required_argument, NULL, OPTION_CONFIG},
        {"containerd", required_argument, NULL, OPTION_CONTAINERD},
        {"conf-dir", required_argument, NULL, OPTION_CONF_DIR},
        {"public-conf-dir", required_argument, NULL, OPTION_PUBLIC_CONF_DIR},
        {"bin-dir", required_argument, NULL, OPTION_BIN_DIR},
        {"cache-dir", required_argument, NULL, OPTION_CACHE_DIR},
        {"agent-socket", required_argument, NULL, OPTION_AGENT_SOCKET},
        {"built-in", optional_argument, NULL, OPTION_BUILT_IN},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct setup_options options = {.config = CONFIG, .conf_dir = PRIVATE_DIR};
    int option, r;

    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, ":h", known, NULL)) != -1) {
        if (option == 'h') {
            print_help();
            return EXIT_GOOD;
        }
        if (option == ':' || option == '?')
            return option_error("setup", option, argv);
        r = take_option(&options, option);
        if (r)
            return r;
    }
    r = check_arguments(argc, argv, &options);
    return r ? r : run_setup(&options);
}
