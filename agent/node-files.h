/*
 * The node's own files that pods get a copy of: resolv.conf and hosts. They are read on threads of
 * the pool. A resolv.conf that was read counts for a second: of many pods that start at once, few
 * read it.
 */
#pragma once

#include "config.h"
#include "nodeagent/base/str.h"
#include "nodeagent/base/time.h"
#include "translate.h"

enum {
    NODE_FILE_MAX = 10 << 20, /* what the reference reads of a resolv.conf */
};

#define NODE_FILES_USEC USEC_PER_SEC

struct node_files { /* as read last, on the loop */
    struct strbuf resolv_conf;
    usec_t read; /* 0: never */
};

struct node_reading { /* of a job */
    usec_t began;
    char *path; /* "" = none */
    struct strbuf resolv_conf;
    struct err err;
};

/* NULL: what is known is new enough. The others do nothing with that. */
struct node_reading *node_reading_new(const struct node_files *files, const struct config *config);
int node_reading_run(void *node_reading); /* a work_run_fn */
void node_reading_free(void *node_reading);

/* What a good run has read. */
void node_files_take(struct node_files *files, struct node_reading *reading);
void node_files_deinit(struct node_files *files);

int node_files_resolv_conf(const struct node_files *files, struct arena *arena,
                           struct resolv_conf *result, struct err *err);

/* On a thread; a node without a hosts file has an empty one. */
int node_hosts_read(struct strbuf *text, struct err *err);
