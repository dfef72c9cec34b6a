/*
 * Joining a cluster: is the kubeconfig of the node usable, or is the one for bootstrapping needed;
 * and the kubeconfig that is written then, before there is a certificate for it to point at.
 */
#pragma once

#include "nodeagent/base/err.h"

#include <stdbool.h>

enum bootstrap_choice {
    BOOTSTRAP_KUBECONFIG, /* the node's own is usable: the other one is ignored */
    BOOTSTRAP_NEEDED,
    BOOTSTRAP_IMPOSSIBLE, /* neither is there: fatal */
};

/* What was found out of the node's own kubeconfig. */
struct bootstrap_facts {
    const char *kubeconfig; /* its path */
    const char *bootstrap;  /* the other one's path; NULL: none was given */
    bool exists;
    const char *problem;      /* why it or a file that it names cannot be used; NULL: it can */
    bool has_certificate;     /* a client's, in it or in a file that it names */
    int64_t certificate_ends; /* the first of its chain to end: microseconds since 1970 */
};

/* `why` is filled unless the node's own is usable: what is wrong with it. */
enum bootstrap_choice bootstrap_choose(const struct bootstrap_facts *facts, int64_t now,
                                       struct err *why);

/* What the new one takes over from that for bootstrapping, and what it points at. */
struct bootstrap_config {
    const char *server;          /* its URL */
    const char *tls_server_name; /* or NULL, as those below */
    const char *proxy_url;
    const char *ca_path; /* absolute */
    const void *ca;      /* PEM, instead of a path */
    size_t ca_length;
    bool insecure;           /* the server's certificate is not checked */
    const char *certificate; /* the path of the certificate with its key, now or later */
};

/* Replaces the file, mode 0600, and makes its directory where it is missing; it blocks. */
int bootstrap_config_write(const char *path, const struct bootstrap_config *config,
                           struct err *err);
