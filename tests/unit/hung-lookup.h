/* Name servers that do not answer: a job of the pool that hangs holds the name. */
#pragma once

#include "test.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/work.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct hung_lookup {
    int ends[2]; /* of a pipe, from which the job reads */
};

static inline int hung_lookup_run(void *argument)
{
    char byte;

    return read(((struct hung_lookup *)argument)->ends[0], &byte, 1) < 0 ? -errno : 0;
}

static inline void hung_lookup_done(void *owner, void *argument, int result)
{
}

static inline void hung_lookup_free(void *argument)
{
}

/* Ended by hung_lookup_end(); it is taken for stuck after `limit`. */
static inline void hung_lookup_begin(struct hung_lookup *hung, struct work *work, const char *name,
                                     usec_t limit)
{
    char *key = mem_printf("look up %s", name);
    struct work_order order = {
        .key = key,
        .limit_usec = limit,
        .run = hung_lookup_run,
        .done = hung_lookup_done,
        .free = hung_lookup_free,
        .argument = hung,
    };

    assert_int_equal(pipe(hung->ends), 0);
    assert_int_equal(work_submit(work, &order, NULL, NULL), 0);
    free(key);
}

/* The caller's loop turns until the pool has its thread back, and calls hung_lookup_close(). */
static inline void hung_lookup_end(struct hung_lookup *hung)
{
    close(hung->ends[1]);
}

static inline void hung_lookup_close(struct hung_lookup *hung)
{
    close(hung->ends[0]);
}
