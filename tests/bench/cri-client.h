/*
 * What the files of the plain client share: what it is asked to do, and what it asks for.
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/cri/client.h"

#include <stdbool.h>

struct options {
    const char *endpoint;
    const char *image;
    char **command; /* ends in NULL; empty: the image's own */
    const char *log_directory;
    const char *cgroup_parent;
    const char *prefix;
    const char *user; /* of the registry, with --pull */
    const char *password;
    unsigned pods;
    unsigned flight;
    unsigned stop_flight;
    unsigned grace_seconds;
    bool host_network;
    bool pull;
    bool exec;
    bool keep;
};

/* Ends the program with the usage when they are wrong. */
void options_read(struct options *options, int argc, char **argv);

/* cri-client-messages.c: what is asked for of one pod; the messages live in its arena */
struct order {
    const struct options *options;
    const char *name;
    const char *uid;
    const char *directory; /* of its logs, and of the files mounted; NULL: it has none */
    struct arena *arena;
};

Cri__PodSandboxConfig *order_sandbox(const struct order *order);
Cri__ContainerConfig *order_container(const struct order *order);
