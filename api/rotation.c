/* When to ask for a certificate. */
#include "nodeagent/api/rotation.h"

/* A certificate is replaced after 0.7 to 0.9 of its life, so that a cluster's nodes do not ask all
 * at once; for the same reason attempts are repeated up to a tenth later. */
#define LIFE_FIRST 0.7
#define LIFE_SPREAD 0.2
#define RETRY_SPREAD 0.1

void rotation_init(struct rotation *rotation, bool exits, usec_t boot)
{
    *rotation = (struct rotation){.exits = exits, .missing_since = boot};
}

static int64_t due_of(const struct rotation_certificate *certificate, double random)
{
    int64_t life = MAX(certificate->not_after - certificate->not_before, 0);

    assert_that(random >= 0 && random < 1);
    return certificate->not_before + (int64_t)((double)life * (LIFE_FIRST + LIFE_SPREAD * random));
}

void rotation_take(struct rotation *rotation, const struct rotation_certificate *certificate,
                   double random)
{
    *rotation = (struct rotation){
        .exits = rotation->exits,
        .present = true,
        .due = due_of(certificate, random),
        .not_after = certificate->not_after,
        /* Though it may be due at once. */
        .retry_at = rotation->asking ? usec_add(rotation->asked_at, ROTATION_RETRY_FIRST) : 0,
    };
}

void rotation_ask(struct rotation *rotation, usec_t boot)
{
    rotation->asking = true;
    rotation->asked_at = boot;
}

void rotation_fail(struct rotation *rotation, bool refused, double random, usec_t boot)
{
    usec_t delay = ROTATION_RETRY_FIRST;

    assert_that(random >= 0 && random < 1);
    for (unsigned i = 0; i < rotation->failures && delay < ROTATION_RETRY_MAX; i++)
        delay *= 2;
    rotation->failures += rotation->failures < UINT32_MAX;
    rotation->retry_at = usec_add(boot, delay + (usec_t)((double)delay * RETRY_SPREAD * random));
    rotation->refused = refused;
    rotation->asking = false;
}

/* Started again, the process may have better credentials; but not from a server that is silent. */
static const char *why_exit(const struct rotation *rotation, struct rotation_now now)
{
    if (!rotation->exits || !rotation->refused)
        return NULL;
    if (rotation->present)
        return now.wall > rotation->not_after
                   ? "the client certificate has expired, and the API server gives no new one"
                   : NULL;
    return now.boot >= usec_add(rotation->missing_since, ROTATION_NONE_MAX)
               ? "there has been no client certificate for five minutes, and the API server gives "
                 "none"
               : NULL;
}

static struct rotation_verdict wait_until(struct rotation_now now, usec_t wake)
{
    return (struct rotation_verdict){
        .step = ROTATION_WAIT,
        .wake = MIN(wake, usec_add(now.boot, ROTATION_LOOK_MAX)),
    };
}

/* By the boot clock, when nobody sets the other one. */
static usec_t due_at(const struct rotation *rotation, struct rotation_now now)
{
    return usec_add(now.boot, (usec_t)(rotation->due - now.wall));
}

struct rotation_verdict rotation_next(const struct rotation *rotation, bool outdated,
                                      struct rotation_now now)
{
    usec_t attempt_ends = usec_add(rotation->asked_at, ROTATION_ATTEMPT_MAX);
    const char *why;

    if (rotation->asking && now.boot < attempt_ends)
        return wait_until(now, attempt_ends);
    if (rotation->asking)
        return (struct rotation_verdict){ROTATION_BREAK_OFF, now.boot,
                                         "no certificate was issued within 15 minutes; is the "
                                         "request approved?"};
    why = why_exit(rotation, now);
    if (why)
        return (struct rotation_verdict){ROTATION_EXIT, now.boot, why};
    if (rotation->present && !outdated && now.wall < rotation->due)
        return wait_until(now, due_at(rotation, now));
    if (now.boot < rotation->retry_at)
        return wait_until(now, rotation->retry_at);
    return (struct rotation_verdict){ROTATION_ASK, now.boot, NULL};
}
