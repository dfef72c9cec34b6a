/*
 * Making a failing seed small: leave out ever smaller parts of its choices, as long as the same
 * invariant is violated. What remains is what it takes.
 */
#include "nodeagent/base/mem.h"
#include "run.h"

#include <stdlib.h>
#include <string.h>

enum {
    TRIALS_MAX = 1500,
};

struct search {
    struct outcome *best;
    struct outcome *trial;
    uint64_t *left_out; /* of the best */
    size_t left_out_count;
    uint64_t *more; /* of the trial */
    unsigned trials;
    unsigned bug;
};

static int compare_ids(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

/* Of the invariant that stands for everything else, only the same sentence is the same. */
static bool is_the_same(const struct outcome *a, const struct outcome *b)
{
    return a->violated == b->violated &&
           (a->violated != INVARIANT_SANE || !strcmp(a->violation, b->violation));
}

/* Without these too? Then the trial is the best from now on. */
static bool try_without(struct search *search, size_t first, size_t count)
{
    struct order order = {.seed = search->best->seed, .bug = search->bug};
    struct outcome *outcome;
    uint64_t *ids;
    size_t n = search->left_out_count;

    memcpy(search->more, search->left_out, sizeof(*search->more) * n);
    for (size_t i = first; i < first + count; i++)
        search->more[n++] = search->best->taken.items[i].id;
    qsort(search->more, n, sizeof(*search->more), compare_ids);
    order.left_out = search->more;
    order.left_out_count = n;
    search->trials++;
    run_one(&order, search->trial);
    if (!is_the_same(search->trial, search->best))
        return false;
    outcome = search->best;
    search->best = search->trial;
    search->trial = outcome;
    ids = search->left_out;
    search->left_out = search->more;
    search->more = ids;
    search->left_out_count = n;
    return true;
}

static void try_parts(struct search *search, size_t size)
{
    size_t at = 0;

    while (at < search->best->taken.count && search->trials < TRIALS_MAX) {
        size_t count = MIN(size, search->best->taken.count - at);

        if (search->left_out_count + count > CHOICES_MAX)
            return;
        if (!try_without(search, at, count))
            at += count;
    }
}

size_t shrink(struct outcome *outcome, unsigned bug, uint64_t **left_out)
{
    struct search search = {
        .bug = bug,
        .best = mem_alloc(sizeof(struct outcome)),
        .trial = mem_alloc(sizeof(struct outcome)),
        .left_out = mem_alloc(sizeof(uint64_t) * CHOICES_MAX),
        .more = mem_alloc(sizeof(uint64_t) * CHOICES_MAX),
    };
    size_t before;

    *search.best = *outcome;
    do {
        before = search.best->taken.count;
        for (size_t size = MAX(before / 2, 1); size; size /= 2)
            try_parts(&search, size);
    } while (search.best->taken.count < before && search.trials < TRIALS_MAX);
    *outcome = *search.best;
    *left_out = search.left_out;
    free(search.best);
    free(search.trial);
    free(search.more);
    return search.left_out_count;
}
