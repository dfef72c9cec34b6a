/* nodeagent cni: the command line, and what its parts share. */
#include "cni.h"
#include "nodeagent/base/mem.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
    TIMEOUT_SECONDS_MAX = 3600,
};

#define NETNS_DIR "/run/netns" /* where ip-netns(8) has its names */

/* texts */

#define HELP_OF_ALL                                                                                \
    "      --conf-dir DIR          where networks are configured (" CNI_CONF_DIR ")\n"             \
    "      --bin-dir DIR[:DIR...]  where plugins are (" CNI_BIN_DIR "); may be repeated\n"         \
    "      --cache-dir DIR         where attachments are recorded (" CNI_CACHE_DIR ")\n"           \
    "      --timeout SECONDS       a shorter limit than usual for a chain of plugins\n"            \
    "      --trace                 tell on standard error of each run of a plugin: what it\n"      \
    "                              got, what it gave, how it ended and how long it took\n"         \
    "  -h, --help                  print this text\n"

#define HELP_OF_ATTACHMENTS                                                                        \
    "      --netns PATH|NAME       the network namespace; a NAME is one of ip netns\n"             \
    "      --id ID                 the container's id\n"                                           \
    "      --ifname NAME           the interface in the namespace (" CNI_IFNAME ")\n"              \
    "      --network NAME          the network instead of the one that counts\n"                   \
    "      --args K=V[;K=V...]     CNI_ARGS\n"                                                     \
    "      --capabilities JSON     an object of capability arguments, as portMappings\n"

#define HELP_OF_EXITS                                                                              \
    "\nExit status: 0 good, 1 it failed, 2 wrong usage, 3 it could not be tried.\n"

static const char help[] =
    "Usage: nodeagent cni WHAT [OPTION]...\n"
    "\n"
    "Shows, tries and cleans up what CNI plugins do on this node. Needs no agent.\n"
    "\n"
    "  status   is the node's network ready, and if not, why?\n"
    "  list     the networks, and what is attached to them\n"
    "  add      attach a network namespace, and print the result\n"
    "  check    are an attachment's interface, addresses and rules in place?\n"
    "  del      detach a network namespace\n"
    "  gc       delete attachments whose sandbox is gone\n"
    "\n"
    "nodeagent cni WHAT --help explains each; man nodeagent-cni says more.\n";

static const char help_status[] =
    "Usage: nodeagent cni status [OPTION]...\n"
    "\n"
    "Tells whether pods can be attached to the node's network, and if not, why: the files of\n"
    "the configuration in their order, the plugins of the one that counts, where their\n"
    "programs are, whether they know its version (VERSION), and what they say of themselves\n"
    "(STATUS, which is known since CNI 1.1.0).\n"
    "\n"
    "  -o, --output FORMAT         text (default) or json\n" HELP_OF_ALL
    "\nExit status: 0 ready, 1 not ready, 2 wrong usage, 3 it could not be found out.\n";

static const char help_list[] =
    "Usage: nodeagent cni list [OPTION]...\n"
    "\n"
    "Lists the networks that are configured and the attachments that are recorded.\n"
    "\n"
    "  -o, --output FORMAT         wide: also whole ids and the paths of namespaces;\n"
    "                              json: all of it\n" HELP_OF_ALL HELP_OF_EXITS;

static const char help_add[] =
    "Usage: nodeagent cni add --netns PATH|NAME --id ID [OPTION]...\n"
    "\n"
    "Attaches a network namespace as a runtime would, records it, and prints the result. The\n"
    "host's own namespace is refused, and one that has the interface already. What fails is\n"
    "undone.\n"
    "\n" HELP_OF_ATTACHMENTS HELP_OF_ALL HELP_OF_EXITS;

static const char help_check[] =
    "Usage: nodeagent cni check --netns PATH|NAME --id ID [OPTION]...\n"
    "\n"
    "Asks the plugins whether an attachment is as it was recorded.\n"
    "\n" HELP_OF_ATTACHMENTS HELP_OF_ALL HELP_OF_EXITS;

static const char help_del[] =
    "Usage: nodeagent cni del --id ID [OPTION]...\n"
    "\n"
    "Deletes what is recorded of a container and an interface, as it is recorded. Without\n"
    "--netns the namespace is the recorded one.\n"
    "\n"
    "      --unrecorded            run the network's plugins also when nothing is "
    "recorded\n" HELP_OF_ATTACHMENTS HELP_OF_ALL HELP_OF_EXITS;

static const char help_gc[] =
    "Usage: nodeagent cni gc [OPTION]...\n"
    "\n"
    "Deletes the attachments whose network namespace is gone: those that nodeagent recorded,\n"
    "and others' of the network that counts. With --valid it deletes all that are not named,\n"
    "also of running pods, and has the plugins collect the rest (GC).\n"
    "\n"
    "      --dry-run               only say what would be deleted\n"
    "      --valid ID[/IFNAME]     keep this one; may be repeated, and must name all\n"
    "      --network NAME          the network instead of the one that counts\n"
    "  -o, --output FORMAT         text (default) or json\n" HELP_OF_ALL HELP_OF_EXITS;

/* options */

#define OPTIONS_OF_ALL                                                                             \
    {"conf-dir", required_argument, NULL, OPTION_CONF_DIR},                                        \
        {"bin-dir", required_argument, NULL, OPTION_BIN_DIR},                                      \
        {"cache-dir", required_argument, NULL, OPTION_CACHE_DIR},                                  \
        {"timeout", required_argument, NULL, OPTION_TIMEOUT},                                      \
        {"trace", no_argument, NULL, OPTION_TRACE}, {"help", no_argument, NULL, 'h'},              \
    {                                                                                              \
        0                                                                                          \
    }

#define OPTIONS_OF_ATTACHMENTS                                                                     \
    {"netns", required_argument, NULL, OPTION_NETNS}, {"id", required_argument, NULL, OPTION_ID},  \
        {"ifname", required_argument, NULL, OPTION_IFNAME},                                        \
        {"args", required_argument, NULL, OPTION_ARGS},                                            \
        {"capabilities", required_argument, NULL, OPTION_CAPABILITIES}, OPTION_OF_NETWORK

#define OPTION_OF_NETWORK                                                                          \
    {                                                                                              \
        "network", required_argument, NULL, OPTION_NETWORK                                         \
    }
#define OPTION_OF_OUTPUT                                                                           \
    {                                                                                              \
        "output", required_argument, NULL, 'o'                                                     \
    }

static const struct option show_options[] = {OPTION_OF_OUTPUT, OPTIONS_OF_ALL};
static const struct option run_options[] = {OPTIONS_OF_ATTACHMENTS, OPTIONS_OF_ALL};
static const struct option del_options[] = {
    {"unrecorded", no_argument, NULL, OPTION_UNRECORDED}, OPTIONS_OF_ATTACHMENTS, OPTIONS_OF_ALL};
static const struct option gc_options[] = {
    {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
    {"valid", required_argument, NULL, OPTION_VALID},
    OPTION_OF_NETWORK,
    OPTION_OF_OUTPUT,
    OPTIONS_OF_ALL,
};

static const struct part {
    const char *name;
    const char *title;
    const char *help;
    const struct option *options;
    const char *letters;
    const char *format; /* beside json */
    bool needs_id;
    bool needs_netns;
    int (*run)(struct cni_command *command);
} parts[] = {
    {"status", "cni status", help_status, show_options, ":o:h", "text", false, false,
     cni_command_status},
    {"list", "cni list", help_list, show_options, ":o:h", "wide", false, false, cni_command_list},
    {"add", "cni add", help_add, run_options, ":h", NULL, true, true, cni_command_add},
    {"check", "cni check", help_check, run_options, ":h", NULL, true, true, cni_command_check},
    {"del", "cni del", help_del, del_options, ":h", NULL, true, false, cni_command_del},
    {"gc", "cni gc", help_gc, gc_options, ":o:h", "text", false, false, cni_command_gc},
};

/* Each of these returns EXIT_GOOD, or EXIT_USAGE after having said what is wrong. */

static int take_output(struct cni_command *command, const struct part *part, const char *word)
{
    if (strcmp(word, "json") != 0 && strcmp(word, part->format) != 0)
        return usage_error(command->name, "-o takes %s or json, not \"%.64s\"", part->format, word);
    command->json = !strcmp(word, "json");
    command->wide = !strcmp(word, "wide");
    return EXIT_GOOD;
}

static int take_bin_dirs(struct cni_command *command, const char *word)
{
    for (;;) {
        size_t length = strcspn(word, ":");

        if (command->bin_dir_count == CNI_BIN_DIRS_MAX)
            return usage_error(command->name, "there are more than %d directories of plugins",
                               CNI_BIN_DIRS_MAX);
        command->bin_dirs[command->bin_dir_count++] = arena_strndup(&command->arena, word, length);
        if (!word[length])
            return EXIT_GOOD;
        word += length + 1;
    }
}

static int take_timeout(struct cni_command *command, const char *word)
{
    int64_t seconds;

    if (str_to_i64(word, &seconds) < 0 || seconds < 1 || seconds > TIMEOUT_SECONDS_MAX)
        return usage_error(command->name, "--timeout takes seconds from 1 to %d, not \"%.64s\"",
                           TIMEOUT_SECONDS_MAX, word);
    command->setup.timeout = (usec_t)seconds * USEC_PER_SEC;
    return EXIT_GOOD;
}

/* What is recorded of it must be found from any directory. */
static int take_netns(struct cni_command *command, const char *word)
{
    if (!*word || (*word != '/' && strchr(word, '/')))
        return usage_error(command->name, "--netns takes a name or an absolute path, not \"%.64s\"",
                           word);
    command->attachment.netns =
        *word == '/' ? word : arena_printf(&command->arena, NETNS_DIR "/%s", word);
    return EXIT_GOOD;
}

static int take_capabilities(struct cni_command *command, const char *word)
{
    struct json_findings *findings = mem_new(struct json_findings);
    struct json *document;
    struct err err;
    int code = EXIT_GOOD;

    if (json_parse(&command->arena, word, strlen(word), &json_limits_manifest, findings, &document,
                   &err) < 0)
        code = usage_error(command->name, "--capabilities: %s", err.text);
    else if (document->type != JSON_OBJECT)
        code = usage_error(command->name, "--capabilities takes an object, not %s",
                           json_type_name(document));
    else
        command->attachment.capabilities = document;
    free(findings);
    return code;
}

static int take_valid(struct cni_command *command, const char *word)
{
    size_t length = strcspn(word, "/");

    if (!length || (word[length] && (!word[length + 1] || strchr(word + length + 1, '/'))))
        return usage_error(command->name, "--valid takes ID or ID/IFNAME, not \"%.64s\"", word);
    command->valid.items = mem_grow(command->valid.items, command->valid.count,
                                    &command->valid_space, sizeof(*command->valid.items));
    command->valid.items[command->valid.count++] = (struct cni_valid_word){
        .container_id = arena_strndup(&command->arena, word, length),
        .ifname = word[length] ? word + length + 1 : NULL,
    };
    return EXIT_GOOD;
}

static int take_option(struct cni_command *command, const struct part *part, int option,
                       char **argv)
{
    switch (option) {
    case 'o':
        return take_output(command, part, optarg);
    case OPTION_CONF_DIR:
        command->conf_dir = optarg;
        return EXIT_GOOD;
    case OPTION_BIN_DIR:
        return take_bin_dirs(command, optarg);
    case OPTION_CACHE_DIR:
        command->setup.cache_dir = optarg;
        return EXIT_GOOD;
    case OPTION_TIMEOUT:
        return take_timeout(command, optarg);
    case OPTION_TRACE:
        command->trace = true;
        return EXIT_GOOD;
    case OPTION_NETNS:
        return take_netns(command, optarg);
    case OPTION_ID:
        command->attachment.container_id = optarg;
        return EXIT_GOOD;
    case OPTION_IFNAME:
        command->attachment.ifname = optarg;
        return EXIT_GOOD;
    case OPTION_NETWORK:
        command->network = optarg;
        return EXIT_GOOD;
    case OPTION_ARGS:
        command->attachment.args = optarg;
        return EXIT_GOOD;
    case OPTION_CAPABILITIES:
        return take_capabilities(command, optarg);
    case OPTION_UNRECORDED:
        command->unrecorded = true;
        return EXIT_GOOD;
    case OPTION_DRY_RUN:
        command->dry_run = true;
        return EXIT_GOOD;
    case OPTION_VALID:
        return take_valid(command, optarg);
    default:
        return option_error(command->name, option, argv);
    }
}

/* What was given as a whole. */
static int check_options(struct cni_command *command, const struct part *part, const char *argument)
{
    struct err err;

    if (argument)
        return usage_error(command->name, "unexpected argument \"%.64s\"", argument);
    if (part->needs_id && str_empty(command->attachment.container_id))
        return usage_error(command->name, "name the container with --id");
    if (part->needs_netns && !command->attachment.netns)
        return usage_error(command->name, "name the network namespace with --netns");
    if (!command->bin_dir_count)
        command->bin_dirs[command->bin_dir_count++] = CNI_BIN_DIR;
    if (cni_setup_check(&command->setup, &err) < 0)
        return usage_error(command->name, "%s", err.text);
    return EXIT_GOOD;
}

static int run(struct cni_command *command, const struct part *part, int argc, char **argv)
{
    int option, code;

    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, part->letters, part->options, NULL)) != -1) {
        if (option == 'h') {
            fputs(part->help, stdout);
            return EXIT_GOOD;
        }
        code = take_option(command, part, option, argv);
        if (code != EXIT_GOOD)
            return code;
    }
    code = check_options(command, part, argv[optind]);
    return code == EXIT_GOOD ? part->run(command) : code;
}

static int unknown_part(const char *name)
{
    struct str_guess guess = {.wanted = name};

    for (size_t i = 0; i < array_size(parts); i++)
        str_guess_try(&guess, parts[i].name);
    if (guess.best)
        return usage_error("cni", "there is no \"%.64s\"; did you mean %s?", name, guess.best);
    return usage_error("cni", "there is no \"%.64s\"", name);
}

int command_cni(int argc, char **argv)
{
    const struct part *part = parts;
    int code;

    if (argc < 2)
        return usage_error("cni", "say what: status, list, add, check, del or gc");
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        fputs(help, stdout);
        return EXIT_GOOD;
    }
    while (part < parts + array_size(parts) && strcmp(part->name, argv[1]) != 0)
        part++;
    if (part == parts + array_size(parts))
        return unknown_part(argv[1]);

    struct cni_command command = {
        .name = part->title,
        .arena = ARENA_INIT_DOCUMENT,
        .conf_dir = CNI_CONF_DIR,
        .attachment = {.ifname = CNI_IFNAME},
        .setup = {.cache_dir = CNI_CACHE_DIR, .trace = cni_trace_step},
    };

    command.setup.bin_dirs = command.bin_dirs;
    command.setup.userdata = &command;
    signal(SIGPIPE, SIG_IGN);
    code = run(&command, part, argc - 1, argv + 1);
    free(command.valid.items);
    arena_deinit(&command.arena);
    return code;
}

/* shared */

const struct cni_network *cni_command_network(const struct cni_command *command,
                                              const struct cni_networks *networks, struct err *err)
{
    const struct cni_network *first = cni_networks_first(networks);

    array_for_each (network, networks->items)
        if (command->network && !strcmp((*network)->name, command->network))
            return *network;
    if (command->network)
        err_set(err, -ENOENT, "there is no network %s in %s; nodeagent cni list tells which",
                command->network, command->conf_dir);
    else if (!first && networks->problems.count)
        err_set(err, -EINVAL, "%s", networks->problems.items[0]);
    else if (!first)
        err_set(err, -ENOENT,
                "no network is configured in %s; has the cluster's network been installed?",
                command->conf_dir);
    return command->network ? NULL : first;
}

void cni_tell_problems(const struct cni_command *command, const struct cni_networks *networks)
{
    array_for_each (problem, networks->problems)
        fprintf(stderr, "nodeagent %s: passed over: %s\n", command->name, *problem);
}
