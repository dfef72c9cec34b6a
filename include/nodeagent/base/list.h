/*
 * An intrusive, circular, doubly linked list. A head and an unlinked node both point at
 * themselves, so unlinking twice is harmless.
 */
#pragma once

#include "nodeagent/base/macros.h"

#include <stdbool.h>

struct list {
    struct list *next;
    struct list *previous;
};

#define LIST_INIT(name)                                                                            \
    {                                                                                              \
        &(name), &(name)                                                                           \
    }

static inline void list_init(struct list *list)
{
    list->next = list->previous = list;
}

/* On a head: is the list empty? On a node: is it in no list? */
static inline bool list_empty(const struct list *list)
{
    return list->next == list;
}

static inline void list_insert_after(struct list *position, struct list *node)
{
    node->previous = position;
    node->next = position->next;
    position->next->previous = node;
    position->next = node;
}

static inline void list_push_front(struct list *head, struct list *node)
{
    list_insert_after(head, node);
}

static inline void list_push_back(struct list *head, struct list *node)
{
    list_insert_after(head->previous, node);
}

static inline void list_unlink(struct list *node)
{
    node->previous->next = node->next;
    node->next->previous = node->previous;
    list_init(node);
}

/* Moves all nodes of `from` to the end of `to`. */
void list_splice(struct list *to, struct list *from);
size_t list_count(const struct list *head);

#define list_entry(node, type, member) container_of(node, type, member)

/* The first entry, or NULL. */
#define list_first(head, type, member)                                                             \
    (list_empty(head) ? NULL : list_entry((head)->next, type, member))

#define list_for_each(node, head)                                                                  \
    for (struct list *node = (head)->next; node != (head); node = node->next)

/* `node` may be unlinked or freed in the body. */
#define list_for_each_safe(node, head)                                                             \
    for (struct list *node = (head)->next, *node##_next = node->next; node != (head);              \
         node = node##_next, node##_next = node->next)
