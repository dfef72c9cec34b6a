/*
 * A kubeconfig: which API server there is, how it is known, and how to be known by it. It is read
 * once, at the start, and never changes; what changes behind it (files of tokens and certificates,
 * what a plugin answers) is for api/credentials.h.
 *
 * What is wrong is told as "file:line:column: field: sentence". No sentence and no line of the log
 * has a token, a password or a key in it.
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/base/err.h"
#include "nodeagent/objects/values.h"

#include <stdbool.h>

enum {
    KUBECONFIG_BYTES_MAX = 1 << 20, /* with its certificates; hundreds of clusters are less */
    KUBECONFIG_NODES_MAX = 100000,
};

/* Certificates or a key, "-----BEGIN ..." */
struct kubeconfig_pem {
    const char *file; /* NULL: it stands in the kubeconfig itself, and does not change */
    const char *text; /* as it was when the kubeconfig was read; NULL: there is none (yet) */
};

struct kubeconfig_server {
    const char *url;    /* "https://lb:6443/k8s/c1": no slash, query or fragment at its end */
    const char *prefix; /* of it, to be put before all paths: "/k8s/c1", or "" */
    const char *host;   /* of it, without brackets */
    unsigned port;
    bool secure;          /* https; over http nobody says who he is */
    bool unverified;      /* any certificate will do */
    bool uncompressed;    /* answers are not to be compressed */
    const char *tls_name; /* for SNI and in the certificate, in place of the host's; NULL */
    struct kubeconfig_pem authority; /* none: those that the system trusts */
    const char *proxy; /* the kubeconfig's or the environment's, as curl takes it; NULL: none */
    const char *proxy_given; /* as the kubeconfig has it; NULL */
    const char *exec_config; /* for plugins: the JSON that the cluster has for them; NULL */
};

struct kubeconfig_exec {
    const char *api_version;
    const char *command; /* a path from the root, or a name to be looked for in PATH */
    struct string_list arguments;
    struct string_map environment; /* beside the agent's own */
    const char *install_hint;      /* what an operator reads when there is no such command; NULL */
    bool cluster_info;             /* it is told about the cluster */
};

/* Nothing is set: requests are sent without saying who sends them. */
struct kubeconfig_user {
    struct kubeconfig_pem certificate, key; /* both or none */
    const char *token; /* also what `token_file` had in it, where only that is set */
    const char *token_file;
    const char *name; /* of basic authentication, then with a password, which may be "" */
    const char *password;
    const struct kubeconfig_exec *exec; /* then nothing else is set */
};

struct kubeconfig {
    struct arena arena; /* of all that is here */
    const char *path;   /* from the root */
    struct kubeconfig_server server;
    struct kubeconfig_user user;
};

struct kubeconfig_options {
    const char *path;
    const char *const *environment; /* HTTPS_PROXY and its like, "NAME=value", ends in NULL */
    bool certificate_follows;       /* files of the client's certificate need not be there yet */
};

/* Blocks. */
int kubeconfig_read(struct kubeconfig **result, const struct kubeconfig_options *options,
                    struct err *err);
struct kubeconfig *kubeconfig_free(struct kubeconfig *kubeconfig);
