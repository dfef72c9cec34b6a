/* net/lookup: nobody knows any name, which one of the pool's jobs finds out. */
#include "nodeagent/base/mem.h"
#include "nodeagent/net/lookup.h"
#include "nodeagent/sys/work.h"

#include <errno.h>
#include <stdlib.h>

struct lookup {
    lookup_fn *done;
    void *owner;
};

static int lookup_run(void *argument)
{
    return -EHOSTUNREACH;
}

static void lookup_done(void *owner, void *argument, int result)
{
    struct lookup lookup = *(struct lookup *)owner;
    struct err err;

    free(owner);
    err_set(&err, result, "simulation: nobody knows the name");
    lookup.done(lookup.owner, NULL, &err);
}

int lookup_start(struct work *work, const char *host, usec_t limit, lookup_fn *done, void *owner,
                 struct work_job **job, struct err *err)
{
    struct lookup *lookup = mem_new(struct lookup);
    struct work_order order = {
        .key = host,
        .limit_usec = limit,
        .run = lookup_run,
        .done = lookup_done,
        .free = free,
        .argument = mem_alloc(1),
        .owner = lookup,
    };
    int r;

    *lookup = (struct lookup){done, owner};
    r = work_submit(work, &order, job, err);
    if (r < 0) {
        free(order.argument);
        free(lookup);
    }
    return r;
}
