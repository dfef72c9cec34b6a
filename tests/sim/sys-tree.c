/* The tree of files: nodes and paths. */
#include "sys-tree.h"
#include "nodeagent/base/mem.h"
#include "sys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct tree_node *node_new(const char *name, size_t length, bool directory)
{
    struct tree_node *node = mem_zalloc(sizeof(*node) + length + 1);

    memcpy(node->name, name, length);
    node->directory = directory;
    node->mode = directory ? 0755 : 0644;
    return node;
}

static void node_free(struct tree_node *node)
{
    while (node->children) {
        struct tree_node *child = node->children;

        node->children = child->next;
        node_free(child);
    }
    free(node->bytes);
    free(node);
}

struct tree *tree_new(void)
{
    struct tree *tree = mem_new(struct tree);

    tree->root = node_new("", 0, true);
    return tree;
}

struct tree *tree_free(struct tree *tree)
{
    node_free(tree->root);
    free(tree->open);
    free(tree);
    return NULL;
}

void tree_agent_died(struct tree *tree)
{
    tree->open_count = 0;
}

static int compare_name(const struct tree_node *node, const char *name, size_t length)
{
    int order = strncmp(node->name, name, length);

    return order ? order : node->name[length] != '\0';
}

struct tree_node *tree_child(const struct tree_node *directory, const char *name, size_t length)
{
    for (struct tree_node *child = directory->children; child; child = child->next)
        if (compare_name(child, name, length) == 0)
            return child;
    return NULL;
}

struct tree_node *tree_add(struct tree_node *directory, const char *name, size_t length,
                           bool is_directory)
{
    struct tree_node *node = node_new(name, length, is_directory), **place = &directory->children;

    while (*place && compare_name(*place, name, length) < 0)
        place = &(*place)->next;
    node->parent = directory;
    node->next = *place;
    *place = node;
    return node;
}

void tree_unlink(struct tree_node *node)
{
    struct tree_node **place = &node->parent->children;

    while (*place != node)
        place = &(*place)->next;
    *place = node->next;
    world->tree->removals++;
    /* Somebody may hold the directory open: nodes are freed with the tree's process. */
}

void tree_set(struct tree_node *node, const void *bytes, size_t length)
{
    free(node->bytes);
    node->bytes = mem_strndup(bytes, length);
    node->length = length;
}

static struct tree_node *walk(struct tree_node *from, const char *path, bool make)
{
    while (from) {
        size_t length;

        path += strspn(path, "/");
        length = strcspn(path, "/");
        if (!length)
            return from;
        if (length != 1 || *path != '.') {
            struct tree_node *child = tree_child(from, path, length);

            if (!child && make)
                child = tree_add(from, path, length, true);
            from = child;
        }
        path += length;
    }
    return NULL;
}

struct tree_node *tree_walk(struct tree_node *from, const char *path)
{
    return walk(from, path, false);
}

void tree_make(struct tree *tree, const char *path)
{
    walk(tree->root, path, true);
}

void tree_put(struct tree *tree, const char *path, const char *text)
{
    struct tree_node *node = walk(tree->root, path, true);

    node->directory = false;
    node->mode = 0644;
    tree_set(node, text, strlen(text));
}

bool tree_has(const struct tree *tree, const char *path)
{
    return tree_walk(tree->root, path);
}

void tree_drop(struct tree *tree, const char *path)
{
    struct tree_node *node = tree_walk(tree->root, path);

    if (node)
        tree_unlink(node);
}

static const struct tree_node *find(const struct tree_node *node, const char *text)
{
    for (const struct tree_node *child = node->children; child; child = child->next) {
        const struct tree_node *found = strstr(child->name, text) ? child : find(child, text);

        if (found)
            return found;
    }
    return NULL;
}

static void path_of(const struct tree_node *node, char *text, size_t size)
{
    if (!node->parent) {
        *text = '\0';
        return;
    }
    path_of(node->parent, text, size);
    snprintf(text + strlen(text), size - strlen(text), "/%s", node->name);
}

const char *tree_find(const struct tree *tree, const char *path, const char *text)
{
    const struct tree_node *start = tree_walk(tree->root, path),
                           *found = start ? find(start, text) : NULL;

    if (!found)
        return NULL;
    path_of(found, ((struct tree *)tree)->found, sizeof(tree->found));
    return tree->found;
}
