/*
 * Plugins for credentials: programs that print an ExecCredential. They get nothing to read, and
 * have limits of time and output.
 */
#pragma once

#include "exec-credential.h"

#include <stdbool.h>

struct child_helper;
struct exec_plugin;

enum {
    EXEC_ERRORS_MAX = 16 << 10,
    EXEC_ERRORS_TOLD_MAX = 1024, /* of a plugin that succeeded */
};

/* Plugins ask servers, which are slow at times; requests wait meanwhile. */
#define EXEC_TIMEOUT (60 * USEC_PER_SEC)

/* Takes the credential over, which is NULL if there is none: then `err` says why. */
typedef void exec_plugin_fn(void *owner, struct exec_credential *credential, const struct err *err);

struct exec_plugin_options {
    const struct kubeconfig *kubeconfig; /* has a plugin */
    struct child_helper *helper;
    const char *const *environment;
    exec_plugin_fn *done; /* never from within exec_plugin_run() */
    void *owner;
};

/* All options outlive it. */
struct exec_plugin *exec_plugin_new(const struct exec_plugin_options *options);
struct exec_plugin *exec_plugin_free(struct exec_plugin *plugin); /* kills what runs */

/* Not while it runs. */
int exec_plugin_run(struct exec_plugin *plugin, struct err *err);
bool exec_plugin_runs(const struct exec_plugin *plugin);
