/*
 * Containers that are probed: they take a while to start up, and are not ready or fail when the
 * seed says so.
 */
#include "runtime-probed.h"
#include "runtime.h"
#include "world.h"

enum {
    STARTUP_ATTEMPTS = 4, /* until it passes, at most */
    LIVENESS_THRESHOLD = 3,
    FAILS_RATE = 400, /* of 10,000 */
};

enum answer container_answers_startup(const char *id)
{
    struct container *container = container_find(id);

    if (!container || !container->alive)
        return ANSWER_NONE;
    if (container->said_started)
        violation(INVARIANT_UNDISTURBED, "%s had started up, and its startup probe is made again",
                  id);
    if (container->probed++ < draw(SITE_DETAIL, id, STARTUP_ATTEMPTS))
        return ANSWER_BAD;
    return ANSWER_GOOD;
}

enum answer container_answers_readiness(const char *id)
{
    struct container *container = container_find(id);

    if (!container || !container->alive)
        return ANSWER_NONE;
    container->fails = choose(SITE_PROBE_FAILS, id, FAILS_RATE);
    container->not_ready |= container->fails;
    return container->fails ? ANSWER_BAD : ANSWER_GOOD;
}

/* One that began to fail goes on until it is killed. */
enum answer container_answers_liveness(const char *id)
{
    struct container *container = container_find(id);

    if (!container || !container->alive)
        return ANSWER_NONE;
    if (!container->failures && !choose(SITE_PROBE_FAILS, id, FAILS_RATE / 4))
        return ANSWER_GOOD;
    container->failures++;
    container->not_live = container->failures >= LIVENESS_THRESHOLD;
    return ANSWER_BAD;
}
