/* Looking a name up, in the pool: getaddrinfo() may take a minute and cannot be ended. */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/base/time.h"

enum {
    LOOKUP_ADDRESSES_MAX = 16, /* more are not tried in the time that a call has */
};

struct work;
struct work_job;

/* What came of it; valid during the call. `addresses` is "10.0.0.1,[fd00::1]", or NULL: `err`. */
typedef void lookup_fn(void *owner, const char *addresses, const struct err *err);

/* `done` is called by the pool, never from within; work_cancel() calls it with -ECANCELED. */
int lookup_start(struct work *work, const char *host, usec_t limit, lookup_fn *done, void *owner,
                 struct work_job **job, struct err *err);
