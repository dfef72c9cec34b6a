/* Deliberate bugs: their names, and whether they show. */
#include "bugs.h"

enum {
    RATE_SHOWS = 2000, /* of 10,000: some make everything else impossible, too */
};

static const struct {
    const char *name;
    enum invariant breaks;
    const char *sentence;
} bugs[] = {
#define X(name, invariant, sentence) {#name, INVARIANT_##invariant, sentence},
    BUGS(X)
#undef X
};

const char *bug_name(enum bug bug)
{
    return bugs[bug].name;
}

const char *bug_sentence(enum bug bug)
{
    return bugs[bug].sentence;
}

enum invariant bug_breaks(enum bug bug)
{
    return bugs[bug].breaks;
}

bool bug_shows(enum bug bug, const char *key)
{
    return world->bug == bug && choose(SITE_BUG, key, RATE_SHOWS);
}
