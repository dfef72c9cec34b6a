/*
 * The node's own files that pods get a copy of: resolv.conf and hosts. Read anew for each start,
 * on a thread of the pool.
 */
#pragma once

#include "config.h"
#include "nodeagent/base/str.h"
#include "translate.h"

enum {
    NODE_FILE_MAX = 10 << 20, /* what the reference reads of a resolv.conf */
};

struct node_files {
    char *resolv_conf_path; /* "" = none */
    struct strbuf resolv_conf;
    struct strbuf hosts;
    struct err err;
};

struct node_files *node_files_new(const struct config *config);
int node_files_read(void *node_files); /* a work_run_fn */
void node_files_free(void *node_files);

int node_files_resolv_conf(const struct node_files *files, struct arena *arena,
                           struct resolv_conf *result, struct err *err);
