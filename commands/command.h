/*
 * The operator's program: one file a command, one entry in the table in main.c.
 */
#pragma once

#include <stdio.h>

enum exit_code {
    EXIT_GOOD = 0,
    EXIT_BAD = 1,    /* it ran, and the answer is no */
    EXIT_USAGE = 2,  /* the command line is wrong */
    EXIT_UNABLE = 3, /* it could not be looked at, or tried: there is no answer */
};

struct command {
    const char *name;
    const char *summary;
    /* argv[0] is the command's name. Returns an exit code. */
    int (*run)(int argc, char **argv);
};

/* Long options that have no letter. */
enum {
    OPTION_RUN_DIR = 256,
    OPTION_STRICT,
    OPTION_CONF_DIR,
    OPTION_BIN_DIR,
    OPTION_CACHE_DIR,
    OPTION_TIMEOUT,
    OPTION_TRACE,
    OPTION_NETNS,
    OPTION_ID,
    OPTION_IFNAME,
    OPTION_NETWORK,
    OPTION_ARGS,
    OPTION_CAPABILITIES,
    OPTION_UNRECORDED,
    OPTION_DRY_RUN,
    OPTION_VALID,
    OPTION_CHECK,
    OPTION_UNDO,
    OPTION_CONFIG,
    OPTION_CONTAINERD,
    OPTION_PUBLIC_CONF_DIR,
    OPTION_AGENT_SOCKET,
    OPTION_BUILT_IN,
    OPTION_METRICS,
    OPTION_OWN, /* those of one command alone begin here */
};

int command_cni(int argc, char **argv);
int command_events(int argc, char **argv);
int command_probe(int argc, char **argv);
int command_probes(int argc, char **argv);
int command_ps(int argc, char **argv);
int command_run(int argc, char **argv);
int command_setup(int argc, char **argv);
int command_validate(int argc, char **argv);
int command_version(int argc, char **argv);
int command_why(int argc, char **argv);

/* Becomes the service's program, with these arguments; returns only if that fails, having said so
 * in the command's name. */
int run_service(const char *command, char **argv);

/* "nodeagent validate: MESSAGE" and the way to help, on stderr; returns EXIT_USAGE. */
int usage_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What getopt_long() did not like: `option` is what it returned, ':' or '?'. */
int option_error(const char *command, int option, char **argv);
