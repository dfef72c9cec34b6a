/*
 * Attempts of probes: the probers are the shipping ones, the containers that they ask are the
 * world's.
 */
#include "choice.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/probes/attempt.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/wheel.h"
#include "runtime-probed.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    STARTUP_ATTEMPTS = 4, /* until it passes, at most */
    LIVENESS_THRESHOLD = 3,
    FAILS_RATE = 400, /* of 10,000 */
};

struct probe_engine {
    struct wheel *wheel;
};

struct probe_attempt {
    struct wheel_timer timer;
    char id[64];
    const struct handler *handler;
    probe_done_fn *done;
    void *owner;
};

int probe_engine_new(struct probe_engine **result, const struct probe_engine_options *options,
                     struct err *err)
{
    *result = mem_new(struct probe_engine);
    (*result)->wheel = options->wheel;
    return 0;
}

struct probe_engine *probe_engine_free(struct probe_engine *engine)
{
    free(engine);
    return NULL;
}

static enum probe_verdict verdict_of(const struct probe_attempt *attempt)
{
    static const enum probe_verdict verdicts[] = {
        [ANSWER_GOOD] = PROBE_SUCCESS,
        [ANSWER_BAD] = PROBE_BAD_STATUS,
        [ANSWER_NONE] = PROBE_ERRORED,
    };

    if (attempt->handler->exec)
        return verdicts[container_answers_startup(attempt->id)];
    if (attempt->handler->grpc)
        return verdicts[container_answers_liveness(attempt->id)];
    return verdicts[container_answers_readiness(attempt->id)];
}

/* attempts */

static void on_end(struct wheel_timer *timer)
{
    struct probe_attempt *attempt = container_of(timer, struct probe_attempt, timer);
    struct probe_outcome outcome = {
        .verdict = verdict_of(attempt),
        .text = "the world wants it so",
        .target = "",
        .body = "",
    };

    attempt->done(attempt->owner, &outcome);
    free(attempt);
}

struct probe_attempt *probe_attempt_begin(struct probe_engine *engine,
                                          const struct probe_order *order, bool keep_head,
                                          probe_done_fn *done, void *owner)
{
    struct probe_attempt *attempt = mem_new(struct probe_attempt);

    snprintf(attempt->id, sizeof(attempt->id), "%s", order->container_id);
    attempt->handler = order->handler;
    attempt->done = done;
    attempt->owner = owner;
    wheel_timer_init(&attempt->timer, on_end);
    wheel_arm(engine->wheel, &attempt->timer,
              clock_boottime() +
                  draw_usec_wide(SITE_LATENCY, attempt->id, 100, 500 * USEC_PER_MSEC));
    return attempt;
}

void probe_attempt_cancel(struct probe_attempt *attempt)
{
    wheel_cancel(&attempt->timer);
    free(attempt);
}
