/* Counting different messages of a kind. */
#include "event-similar.h"

#include "nodeagent/base/mem.h"

#include <stdlib.h>

struct similar_kind {
    struct list heard;
    uint64_t kind;
    usec_t last;
    unsigned count;
    uint64_t messages[SIMILAR_MESSAGES_MAX];
};

void similar_init(struct similar *similar)
{
    similar->kinds = MAP_INIT;
    list_init(&similar->heard);
}

static void forget(struct similar *similar, struct similar_kind *kind)
{
    map_remove_bytes(&similar->kinds, &kind->kind, sizeof(kind->kind));
    list_unlink(&kind->heard);
    free(kind);
}

void similar_deinit(struct similar *similar)
{
    list_for_each_safe (node, &similar->heard)
        forget(similar, list_entry(node, struct similar_kind, heard));
    map_deinit(&similar->kinds);
}

/* What was not heard of for long is as if it never was. */
static void forget_old(struct similar *similar, usec_t now)
{
    struct similar_kind *first;

    while ((first = list_first(&similar->heard, struct similar_kind, heard)) &&
           (usec_sub(now, first->last) > SIMILAR_PAUSE_USEC ||
            map_count(&similar->kinds) > SIMILAR_KINDS_MAX))
        forget(similar, first);
}

static struct similar_kind *find(struct similar *similar, uint64_t kind)
{
    struct similar_kind *found = map_get_bytes(&similar->kinds, &kind, sizeof(kind));

    if (found) {
        list_unlink(&found->heard);
    } else {
        found = mem_new(struct similar_kind);
        found->kind = kind;
        map_put_bytes(&similar->kinds, &kind, sizeof(kind), found);
    }
    list_push_back(&similar->heard, &found->heard);
    return found;
}

bool similar_add(struct similar *similar, uint64_t kind, uint64_t message, usec_t now)
{
    struct similar_kind *found;

    forget_old(similar, now);
    found = find(similar, kind);
    found->last = now;
    for (unsigned i = 0; i < found->count; i++)
        if (found->messages[i] == message)
            return false;
    if (found->count == SIMILAR_MESSAGES_MAX)
        return true;
    found->messages[found->count++] = message;
    return false;
}
