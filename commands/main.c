/* nodeagent: finds the command and runs it. */
#include "command.h"
#include "nodeagent/base/err.h"
#include "nodeagent/base/str.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

static const struct command commands[] = {
    {"run", "run the pods of this node: the service", command_run},
    {"ps", "list the pods of this node", command_ps},
    {"why", "explain why pods are not ready", command_why},
    {"probe", "try a probe now, and tell what comes of it", command_probe},
    {"probes", "list the probes of pods and how they go", command_probes},
    {"events", "list what happened to pods, and to the node", command_events},
    {"cni", "show, try and clean up the network attachments of this node", command_cni},
    {"setup", "put nodeagent-cni between containerd and its networks", command_setup},
    {"validate", "check manifests as the API server would", command_validate},
    {"version", "print the version", command_version},
};

static void print_help(FILE *out)
{
    fprintf(out, "Usage: nodeagent COMMAND [OPTION]... [ARGUMENT]...\n"
                 "\n"
                 "A Kubernetes node agent.\n"
                 "\n"
                 "Commands:\n");
    for (size_t i = 0; i < array_size(commands); i++)
        fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].summary);
    fprintf(out, "  %-12s %s\n", "help", "print this text, or that of a command: help COMMAND");
    fprintf(out, "\n"
                 "With the kubelet's flags alone, or called as kubelet, it is the service: run.\n"
                 "\n"
                 "nodeagent COMMAND --help explains a command; its man page says more:\n"
                 "man nodeagent-COMMAND.\n");
}

int usage_error(const char *command, const char *format, ...)
{
    struct err err; /* makes what it quotes printable */
    va_list arguments;

    va_start(arguments, format);
    err_setv(&err, -EINVAL, format, arguments);
    va_end(arguments);
    fprintf(stderr, "nodeagent%s%s: %s", *command ? " " : "", command, err.text);
    fprintf(stderr, "\nTry: nodeagent%s%s --help\n", *command ? " " : "", command);
    return EXIT_USAGE;
}

int option_error(const char *command, int option, char **argv)
{
    bool short_option = optopt > 0 && optopt < OPTION_RUN_DIR;

    if (option == ':' && short_option)
        return usage_error(command, "-%c needs a value", optopt);
    if (option == ':')
        return usage_error(command, "%s needs a value", argv[optind - 1]);
    if (short_option)
        return usage_error(command, "unknown option -%c", optopt);
    return usage_error(command, "unknown option %s", argv[optind - 1]);
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < array_size(commands); i++)
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    return NULL;
}

static int unknown_command(const char *name)
{
    struct str_guess guess = {.wanted = name};

    for (size_t i = 0; i < array_size(commands); i++)
        str_guess_try(&guess, commands[i].name);
    if (guess.best)
        return usage_error("", "no command \"%.64s\"; did you mean %s?", name, guess.best);
    return usage_error("", "no command \"%.64s\"", name);
}

static int run_help(int argc, char **argv)
{
    const struct command *command;
    char help_option[] = "--help";

    if (argc < 2) {
        print_help(stdout);
        return EXIT_GOOD;
    }
    command = find_command(argv[1]);
    if (!command)
        return unknown_command(argv[1]);
    return command->run(2, (char *[]){argv[1], help_option, NULL});
}

/* As the kubelet's name, or by the kubelet's flags alone, it is the service. */
static bool is_service(int argc, char **argv)
{
    static const char *const ours[] = {"--help", "-h", "--version", NULL};
    const char *slash = argc ? strrchr(argv[0], '/') : NULL;

    if (argc && !strcmp(slash ? slash + 1 : argv[0], "kubelet"))
        return true;
    return argc > 1 && argv[1][0] == '-' && !str_one_of(argv[1], ours);
}

int main(int argc, char **argv)
{
    const struct command *command;
    int code;

    if (is_service(argc, argv))
        return run_service("run", argv);
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
        code = run_help(argc - 1, argv + 1);
    else if (!strcmp(argv[1], "--version"))
        code = command_version(argc - 1, argv + 1);
    else if ((command = find_command(argv[1])))
        code = command->run(argc - 1, argv + 1);
    else
        return unknown_command(argv[1]);

    /* What could not be written was not said: a full disk or a closed pipe is a failure. */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "nodeagent: cannot write the output: %m\n");
        return EXIT_BAD;
    }
    return code;
}
