/*
 * The world of one simulated node: its time, what happens next, and the agent's lives in it. The
 * functions of sys/, net/ and static/ that the agent is linked with here find it by the global
 * pointer: they have no argument that could lead to it, and there is one world in a process.
 *
 * The world advances in steps: the earliest of its events, of the agent's timers and of what is
 * posted to the agent's loop. Between two steps, and whenever the agent calls into the world, it
 * may be killed. Its memory is abandoned then, as a kernel would; nothing of it is touched again.
 * Processes of the driver live for a few seeds only, so nobody has to collect that.
 */
#pragma once

#include "choice.h"
#include "nodeagent/base/list.h"
#include "nodeagent/base/macros.h"
#include "nodeagent/base/str.h"
#include "nodeagent/base/time.h"

#include <setjmp.h>
#include <stdbool.h>

/* what must hold; DESIGN section 5 has the numbers */
#define INVARIANTS(X)                                                                              \
    X(NONE, "nothing is wrong")                                                                    \
    X(ONE_CONTAINER, "never two live containers of one name in one pod (1)")                       \
    X(ONE_SANDBOX, "never two live sandboxes of one pod (1)")                                      \
    X(UNDISTURBED, "nothing that runs is stopped without a reason (2)")                            \
    X(TOLD_TO_END, "nothing is killed with its sandbox that was not told to end")                  \
    X(ALL_GONE, "a pod gone from every source leaves nothing behind (3)")                          \
    X(CONVERGES, "a pod becomes what it is declared to be (3)")                                    \
    X(STOPPED_FIRST, "a sandbox is stopped before it is removed (4)")                              \
    X(ISOLATED, "what is slow or hangs delays its own pod only (5)")                               \
    X(OBSERVED, "what is published was observed (6)")                                              \
    X(QUIET, "nothing but looking in the steady state (7)")                                        \
    X(FILES_KEPT, "the files of what runs stay (2)")                                               \
    X(BOUNDED, "retries are bounded")                                                              \
    X(BACK_OFF, "restarts follow the back-off")                                                    \
    X(ONWARD, "the published status is never older than an earlier one")                           \
    X(FINAL, "a terminal phase is never left")                                                     \
    X(ONE_REQUEST, "at most one request about a pod is under way")                                 \
    X(DELETED_LAST, "a pod is deleted when nothing of it runs")                                    \
    X(MIRRORS_REST, "mirrors show static pods and are never run")                                  \
    X(TOLD, "the API server has what the agent says")                                              \
    X(NO_STORM, "an API server that was away is not stormed")                                      \
    X(SANE, "no assertion fails, no loop spins")

enum invariant {
#define X(name, sentence) INVARIANT_##name,
    INVARIANTS(X)
#undef X
        INVARIANT_COUNT,
};

const char *invariant_name(enum invariant invariant);
const char *invariant_sentence(enum invariant invariant);

enum {
    STEPS_MAX = 200000,        /* of one run; a run that needs more does not end */
    STEPS_AT_ONCE_MAX = 20000, /* without any time passing */
    VIOLATION_TEXT_MAX = 1024,
};

/* events */

struct api_server;
struct event;
struct loop;
struct wheel;
struct runtime;
struct tree;
struct manifests;
struct pool;

typedef void event_fn(void *data);

struct event_queue {
    struct event **items; /* a heap */
    size_t count;
    size_t space;
    uint64_t sequence;
};

/* `label` and `key` say in the trace what happens to whom. Data is the callers'. */
struct event *event_add(usec_t after, const char *label, const char *key, event_fn *call,
                        void *data);
/* The same for what happens to the agent: it never does once that has died. */
struct event *event_add_agent(usec_t after, const char *label, const char *key, event_fn *call,
                              void *data);
/* Events are gone when they were called. NULL is allowed. */
void event_cancel(struct event *event);

/* the agent */

struct agent_life {
    unsigned number; /* of the present life, or of the last one */
    bool alive;
    bool within; /* its code runs now */
    struct loop *loop;
    struct wheel *wheel;
    usec_t began;
    usec_t frozen_until;
    jmp_buf end;
};

/* Calls agent's code: all of it goes through here. False: it did not survive this. */
bool life_call(event_fn *call, void *data);

/* Called by the world's functions when the agent is in them: it may not return. */
void life_may_end(const char *key);
/* The same in two steps. */
bool life_is_to_end(const char *key);
_Noreturn void life_ends_here(void);
void life_end(void);

/* the world */

enum phase {
    PHASE_STORM, /* faults, changes */
    PHASE_ALONE, /* the API server is away for long */
    PHASE_CALM,  /* no more; everything becomes as declared */
    PHASE_QUIET, /* it has: nothing but looks */
    PHASE_EMPTY, /* all manifests were taken away */
};

struct world {
    struct choices choices;
    struct event_queue queue;
    struct agent_life life;
    struct runtime *runtime;
    struct tree *tree;
    struct manifests *manifests;
    struct pool *pool;
    struct api_server *api; /* NULL: the node is in no cluster */

    unsigned bug; /* enum bug */
    enum phase phase;
    usec_t phase_began;
    usec_t now;          /* since the world began */
    usec_t booted;       /* when the machine did */
    usec_t asleep;       /* since then */
    int64_t wall_offset; /* of jumps */
    unsigned boots;

    usec_t request_timeout; /* the agent's configuration */
    usec_t restart_period_max;

    bool disk_full;
    usec_t hampered_until; /* a call that concerns all pods hangs so long */
    usec_t told_late;      /* when an answer of the runtime last came that had been late */
    usec_t disturbed;      /* when something last was wrong that concerns all pods */
    unsigned lossy_writes; /* failed since the agent's start: it may remember less */

    unsigned steps;
    unsigned steps_at_once;
    unsigned kills;
    unsigned log_lines; /* of this phase */
    bool ended;

    bool tracing; /* on stdout */

    enum invariant violated;
    usec_t violated_at;
    char violation[VIOLATION_TEXT_MAX];
};

extern struct world *world;

void world_step(void);

usec_t world_boottime(void);
usec_t world_monotonic(void);
usec_t world_wall(void);

/* Something is wrong now that concerns all pods: no bound on time holds. */
void world_disturb(void);

/* what must be told */
#define trace(...)                                                                                 \
    do {                                                                                           \
        if (world->tracing)                                                                        \
            trace_line(__VA_ARGS__);                                                               \
    } while (0)
void trace_line(const char *format, ...) _printf_(1, 2);

/* The first one counts; the run ends with this step. */
void violation(enum invariant invariant, const char *format, ...) _printf_(2, 3);
