/*
 * What the world needs of its own sys/: the parts that have no place in the public headers.
 */
#pragma once

#include "world.h"

/* the loop */
bool loop_has_post(const struct loop *loop);
void loop_call_post(struct loop *loop);

/* the pool: jobs outlive the agent that submitted them, as threads in a system call do */
struct pool *pool_new(void);
struct pool *pool_free(struct pool *pool);
void pool_agent_died(struct pool *pool);

/* the files */
struct tree *tree_new(void);
struct tree *tree_free(struct tree *tree);
void tree_agent_died(struct tree *tree); /* its open directories */
/* Absolute paths. Missing parents are made. */
void tree_put(struct tree *tree, const char *path, const char *text);
void tree_make(struct tree *tree, const char *path);
bool tree_has(const struct tree *tree, const char *path);
void tree_drop(struct tree *tree, const char *path);
/* The first file or directory below `path` whose name contains `text`; NULL: none. Valid until the
 * next call. */
const char *tree_find(const struct tree *tree, const char *path, const char *text);
