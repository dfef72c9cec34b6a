/*
 * A kubeconfig on its way: the document as it was written (kubeconfig-fields.c), the rules for what
 * counts of it (kubeconfig-check.c, kubeconfig-user.c), where the server is (kubeconfig-server.c).
 */
#pragma once

#include "nodeagent/api/kubeconfig.h"
#include "nodeagent/objects/report.h"
#include "nodeagent/objects/schema.h"

/* what is written; an absent string is NULL */

struct written_cluster {
    const char *server;
    const char *tls_name;
    const char *authority;
    const char *authority_data;
    const char *proxy;
    bool unverified;
    bool uncompressed;
};

struct written_exec {
    const char *api_version;
    const char *command;
    struct string_list arguments;
    list_of(struct string_pair) environment;
    const char *install_hint;
    const char *interactive;
    bool cluster_info;
};

struct written_refused { /* is it there? */
    char nothing;
};

struct written_user {
    const char *certificate;
    const char *certificate_data;
    const char *key;
    const char *key_data;
    const char *token;
    const char *token_file;
    const char *name;
    const char *password;
    struct written_exec *exec;
    struct written_refused *auth_provider;
    const char *as;
    const char *as_uid;
    struct string_list as_groups;
    struct written_refused *as_extra;
};

struct written_context {
    const char *cluster;
    const char *user;
    const char *name_space;
};

/* Entries of lists begin with their names. */
struct named_cluster {
    const char *name;
    struct written_cluster cluster;
};

struct named_user {
    const char *name;
    struct written_user user;
};

struct named_context {
    const char *name;
    struct written_context context;
};

struct written {
    const char *api_version;
    const char *kind;
    const char *context;
    list_of(struct named_cluster) clusters;
    list_of(struct named_user) users;
    list_of(struct named_context) contexts;
};

extern const struct schema written_schema;

/* reading: what is wrong goes to the report */

struct reading {
    struct kubeconfig *config;
    const struct kubeconfig_options *options;
    const char *directory; /* of the kubeconfig */
    const struct json *document;
    const struct written *written;
    struct report *report;
};

/* The whole; `length` bytes that the file has in it. */
int kubeconfig_parse(struct kubeconfig **result, const struct kubeconfig_options *options,
                     const char *text, size_t length, struct err *err);

void kubeconfig_check(struct reading *reading);
void kubeconfig_check_user(struct reading *reading, const struct written_user *user,
                           const struct path *path);

/* What "NAME-data" has in it, or the file that "NAME" names. */
struct pem_written {
    const char *name;
    const char *file;
    const char *data;
    bool follows; /* the file need not be there yet */
};
/* Without a text there is none: it is not written, not there yet, or wrong, which was reported. */
struct kubeconfig_pem kubeconfig_take_pem(struct reading *reading, const struct path *path,
                                          const struct pem_written *written);

/* A name relative to the kubeconfig, as a path from the root. */
const char *kubeconfig_resolve(struct reading *reading, const char *name);

/* `tls`: what has no scheme is https. The sentence lacks its subject, and quotes nothing. */
int kubeconfig_split_server(struct kubeconfig *config, const char *text, bool tls, struct err *err);

/* proxies */

/* As curl takes it; the sentence lacks its subject, and quotes nothing. */
int proxy_check(struct arena *arena, const char *url, const char **proxy, struct err *err);

/* What the environment wants for a server; *proxy is NULL: none. */
int proxy_from_environment(struct arena *arena, const char *const *environment,
                           const struct kubeconfig_server *server, const char **proxy,
                           struct err *err);
