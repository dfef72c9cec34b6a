/*
 * The files of the node, in memory. They outlive the agent; what is below /run ends with the boot.
 */
#pragma once

#include "world.h"

#include <sys/types.h>

struct tree_node {
    struct tree_node *parent;
    struct tree_node *next; /* sorted by name */
    struct tree_node *children;
    bool directory;
    mode_t mode;
    char *bytes;
    size_t length;
    char name[];
};

struct tree {
    struct tree_node *root;
    struct tree_node **open; /* directories, by descriptor */
    size_t open_count;
    size_t open_space;
    uint64_t removals;
    uint64_t removals_checked; /* that nothing was removed that is in use */
    char found[512];
};

struct tree_node *tree_child(const struct tree_node *directory, const char *name, size_t length);
struct tree_node *tree_add(struct tree_node *directory, const char *name, size_t length,
                           bool is_directory);
void tree_unlink(struct tree_node *node);
void tree_set(struct tree_node *node, const void *bytes, size_t length);
/* Down from a directory; NULL: there is none. */
struct tree_node *tree_walk(struct tree_node *from, const char *path);
