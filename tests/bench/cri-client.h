/*
 * What the plain client is asked to do.
 */
#pragma once

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
